//! The messages. A request that is not one of these, or has a field that is not listed, is refused.

use std::collections::BTreeMap;

use portcullis_core::{AccessKind, ActorName, PeerAddress, UserName};
use serde::{Deserialize, Serialize};

use super::deployment::{DeployRequest, DeploymentLine};
use super::limits::{LimitsReport, OverrideRequest, SetLimitsRequest};

/// What an operator asks. Variants without fields are written `{}` so that a stray field is refused there too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ControlRequest {
    /// Where everything stands.
    Status {},
    /// Orders that are not finished.
    Orders {},
    /// Positions, the empty ones left out.
    Positions {},
    /// Refusals so far, by code.
    Denials {},
    /// Raises the trading state to entries-cancelled (RULES G8).
    Halt {
        /// Why; journaled.
        reason: String,
        /// Of what; the whole account when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<ScopeName>,
        /// Who asks; `control-socket` when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<ActorName>,
    },
    /// Cancels every order that could add risk, without raising the state.
    CancelEntries {
        /// Why; journaled.
        reason: String,
        /// Of what; the whole account when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<ScopeName>,
        /// Who asks; `control-socket` when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<ActorName>,
    },
    /// Raises the trading state to flattening.
    Flatten {
        /// Why; journaled.
        reason: String,
        /// Of what; the whole account when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<ScopeName>,
        /// Who asks; `control-socket` when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<ActorName>,
    },
    /// Lowers the trading state: asked without a code it answers with one, asked again with that code it acts.
    Rearm {
        /// Why; journaled.
        reason: String,
        /// Of what; the whole account when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<ScopeName>,
        /// Whether the day's loss and the drawdown count from here on; without it a loss limit that was reached trips again at once.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        new_baseline: bool,
        /// The code the first step answered with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// Who asks; `control-socket` when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<ActorName>,
    },
    /// The limits in force, and how far away each is.
    Limits {},
    /// Puts other limits in force.
    SetLimits(SetLimitsRequest),
    /// Lets one order of a strategy pass a bound.
    Override(OverrideRequest),
    /// Stops one strategy. One that was deployed while the gateway ran stays away after a restart, too.
    Stop {
        /// Its name.
        strategy: String,
        /// Who asks; `control-socket` when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<ActorName>,
    },
    /// Verifies an uploaded bundle and starts it as a strategy, now and after every restart.
    Deploy(DeployRequest),
    /// How far a deployment is.
    Deployment {
        /// The number it was accepted under.
        id: u64,
    },
    /// Journals that somebody came in or went, or made or revoked a token.
    Access {
        /// What happened.
        kind: AccessKind,
        /// To whom.
        user: UserName,
        /// From where.
        address: PeerAddress,
    },
    /// Journals how many attempts to come in failed since the last time; at most once a minute (RULES O3).
    FailedAccess {
        /// How many.
        count: u64,
    },
    /// Ends the gateway in order: strategies stopped, journal closed with a checkpoint.
    Shutdown {},
}

/// What a command of an operator is about: `{"strategy": NAME}` or `{"instrument": "linear:BTCUSDT"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeName {
    /// One strategy.
    Strategy(String),
    /// One instrument, `category:SYMBOL`.
    Instrument(String),
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ControlReply {
    /// To `status`.
    Status(Box<StatusReport>),
    /// To `orders`.
    Orders {
        /// Open and unknown orders; the newest when not all fit a line.
        orders: Vec<OrderLine>,
        /// How many more there are.
        omitted: u64,
    },
    /// To `positions`.
    Positions {
        /// One a strategy and instrument.
        positions: Vec<PositionLine>,
    },
    /// To `denials`.
    Denials {
        /// Count by stable code.
        refused: BTreeMap<String, u64>,
        /// The newest ones.
        recent: Vec<DenialLine>,
    },
    /// To `limits`.
    Limits(Box<LimitsReport>),
    /// The first step of what takes two: ask again with the code.
    Confirm {
        /// Good for one use within its time.
        code: String,
        /// What would happen.
        detail: String,
    },
    /// To `deploy`: the bundle is verified and checked, and will be started.
    Accepted {
        /// The number to ask about it with [`ControlRequest::Deployment`].
        deployment: u64,
        /// The strategy's name.
        strategy: String,
        /// `name-version` of the bundle.
        bundle: String,
        /// SHA-256 of the bundle's signed payload, in hex.
        digest: String,
    },
    /// To `deployment`.
    Deployment(DeploymentLine),
    /// It is done, and journaled where that was asked.
    Done {
        /// What was done, for the operator.
        detail: String,
    },
    /// It was not done.
    Error {
        /// Stable, upper case with underscores.
        code: String,
        /// For the operator.
        detail: String,
    },
}

impl ControlReply {
    /// An [`Error`](Self::Error).
    pub fn error(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Error { code: code.into(), detail: detail.into() }
    }
}

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusReport {
    /// `paper`, `testnet`, `demo` or `live`.
    pub environment: String,
    /// The account's trading state, in the glossary's words.
    pub trading_state: String,
    /// Every scope that is not active, the account's too.
    pub raised: Vec<RaisedLine>,
    /// Inhibits in force, in the glossary's words.
    pub inhibits: Vec<String>,
    /// Every strategy of this session, those on their way and deployed ones that failed included.
    pub strategies: Vec<StrategyLine>,
    /// Positions that are not zero.
    pub positions: u64,
    /// Orders working at the venue.
    pub open_orders: u64,
    /// Orders whose fate the venue has not confirmed yet.
    pub unknown_orders: u64,
    /// The journal's end.
    pub journal: JournalHead,
    /// Profit and loss of the day, open profit included, after fees and funding, in USDT.
    pub day_pnl: String,
    /// Profit and loss since the journal began, open profit included, after fees and funding, in USDT.
    pub net_pnl: String,
    /// Wallet balance plus open profit and loss, in the quote coin.
    pub equity: String,
    /// Nanoseconds since the gateway started.
    pub uptime_ns: u64,
}

/// One scope that is not active.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaisedLine {
    /// `account`, `strategy NAME` or `instrument category:SYMBOL`.
    pub scope: String,
    /// Its trading state.
    pub state: String,
    /// Why.
    pub cause: String,
    /// Since when, in nanoseconds since 1970.
    pub since_ns: u64,
}

/// The journal's end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalHead {
    /// Entries so far.
    pub records: u64,
    /// Head hash in hex.
    pub root: String,
}

/// One strategy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrategyLine {
    /// Its name.
    pub name: String,
    /// `name-version` of the bundle.
    pub bundle: String,
    /// SHA-256 of the bundle's signed payload, in hex.
    pub digest: String,
    /// `compiling`, `starting`, `running`, `recovering`, `quarantined` or `failed`.
    pub state: String,
    /// The instruments it owns, `category:SYMBOL`.
    pub symbols: Vec<String>,
    /// Process of its cell, while there is one.
    pub pid: Option<u32>,
    /// Events handed over so far.
    pub events: u64,
    /// Faults so far, and the first cause of the newest.
    pub faults: u64,
    /// First cause of the newest fault.
    pub last_fault: Option<String>,
}

/// One order that is not finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    /// The host's number.
    pub order: u64,
    /// `orderLinkId`, once there is one.
    pub link_id: Option<String>,
    /// The strategy's name.
    pub strategy: String,
    /// `category:SYMBOL`.
    pub symbol: String,
    /// `buy` or `sell`.
    pub side: String,
    /// Total quantity.
    pub quantity: String,
    /// Executed part of it.
    pub executed: String,
    /// Limit price; none for a market order.
    pub price: Option<String>,
    /// Status in the glossary's words.
    pub status: String,
    /// The strategy's own mark.
    pub tag: u64,
    /// When it was approved, nanoseconds since 1970-01-01 UTC.
    pub approved_ns: u64,
}

/// One position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PositionLine {
    /// The strategy's name.
    pub strategy: String,
    /// `category:SYMBOL`.
    pub symbol: String,
    /// Quantity, negative when short.
    pub quantity: String,
    /// Average entry price.
    pub entry_price: String,
    /// Realised profit and loss before fees, in the quote coin.
    pub realised_pnl: String,
    /// Open profit and loss at the mark price, in the quote coin; none without a price.
    pub open_pnl: Option<String>,
    /// Fees paid, in the quote coin.
    pub fees: String,
}

/// One refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenialLine {
    /// When, nanoseconds since 1970-01-01 UTC.
    pub time_ns: u64,
    /// The strategy's name.
    pub strategy: String,
    /// Stable code.
    pub code: String,
    /// The numbers behind it.
    pub detail: String,
}
