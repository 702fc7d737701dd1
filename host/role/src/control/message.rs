//! The messages. A request that is not one of these, or has a field that is not listed, is refused.

use std::collections::BTreeMap;

use portcullis_core::{AccessKind, ActorName, PeerAddress, UserName};
use serde::{Deserialize, Serialize};

use super::deployment::{DeployRequest, DeploymentLine};
use super::limits::{LimitsReport, OverrideRequest, SetLimitsRequest};
use super::report::{DenialLine, OrderLine, PositionLine, StatusReport};
use super::server::Answer;

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
    /// Compares the books with the venue now. The status tells the outcome.
    Reconcile {
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

impl Answer for ControlReply {
    fn error(code: &str, detail: String) -> Self {
        Self::error(code, detail)
    }
}
