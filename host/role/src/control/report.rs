//! What operators are told.

use serde::{Deserialize, Serialize};

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
    /// What would protect the account without this gateway.
    pub protection: ProtectionReport,
    /// Who signs its orders.
    pub signer: SignerReport,
    /// How the books last compared with the venue; none before they did.
    pub comparison: Option<ComparisonLine>,
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

/// What protects the account should the gateway die, as it is and not as it was configured.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProtectionReport {
    /// Positions whose stop the venue confirmed; the others have none that would outlive this machine.
    pub stopped_positions: u64,
    /// The sentinel, which cancels entries when this gateway dies or stalls but not when the machine does: `holding` a lease, `silent`
    /// or `none` configured.
    pub sentinel: String,
    /// Bybit's own cancel on disconnect: `unavailable`, because ordinary accounts cannot have it.
    pub disconnect_cancel: String,
}

/// The signer, as the gateway sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignerReport {
    /// `up`; `latched`, when it signs nothing that adds risk any more until an operator starts it again; `down`; or `capless`, when the
    /// trade stream is switched on, over which its cap has no say.
    pub state: String,
    /// Requests beyond its cap since it started.
    pub violations: u64,
    /// From how many on it latches.
    pub violations_max: u64,
    /// The last violation, or why it cannot be reached; empty when there is nothing to say.
    pub detail: String,
}

/// How the books compared with the venue.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComparisonLine {
    /// When, in nanoseconds since 1970.
    pub at_ns: u64,
    /// Positions that differed.
    pub differences: u64,
    /// Orders whose fate is not known yet.
    pub unsettled: u64,
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
    /// Faults of its own so far.
    pub faults: u64,
    /// Faults of the host's so far: an overloaded machine, a killed process. It is not charged with them.
    pub host_faults: u64,
    /// Gaps in its market data so far, which are nobody's fault of these two.
    pub data_gaps: u64,
    /// Strikes that count against its three restarts now; a minute of good health takes them back.
    pub strikes: u32,
    /// The first cause of these strikes: code, whose fault, what happened.
    pub first_fault: Option<String>,
    /// The newest fault, whoever is to blame.
    pub last_fault: Option<String>,
    /// File with the evidence of the first cause, or of the newest fault when no strike counts: below `faults` in the data directory.
    /// `portcullis strategy replay-fault` brings it about again.
    pub fault_file: Option<String>,
    /// Bytes of its log lines that were cut, because a minute had too many.
    pub log_bytes_cut: u64,
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
