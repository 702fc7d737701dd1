//! What the host and its operators did.

use serde::{Deserialize, Serialize};

use crate::{
    Amount, CheckId, Digest, Environment, FaultCode, InstrumentId, Mandate, OperatorCommand, Scope,
    StateCause, StrategyId, StrategyName, Timestamp, TradingState,
};

/// The gateway started. Everything that ran before has stopped, and what was under way has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionStart {
    /// Where orders go.
    pub environment: Environment,
    /// The journal's epoch.
    pub epoch: u16,
    /// Version of the program, at most 64 bytes.
    pub software: String,
    /// Hash of engine version, compile target and CPU flags (RULES T9).
    pub engine: Digest,
    /// When.
    pub at: Timestamp,
}

/// Limits came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsSet {
    /// SHA-256 of the text; every approval cites it.
    pub hash: Digest,
    /// The text of `limits.toml`.
    pub toml: String,
}

/// A strategy started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyStarted {
    /// Its number; the same for the same name.
    pub strategy: StrategyId,
    /// The operator's name for it.
    pub name: StrategyName,
    /// SHA-256 of the component.
    pub digest: Digest,
    /// Its instruments in its own order; it owns them while it runs (RULES G1).
    pub instruments: Vec<InstrumentId>,
    /// The capital it may use.
    pub budget: Amount,
    /// What its signed bundle allows.
    pub mandate: Mandate,
    /// When.
    pub at: Timestamp,
}

/// A strategy stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyStopped {
    /// Which.
    pub strategy: StrategyId,
    /// Why, at most 512 bytes.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// A strategy failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyFault {
    /// Which.
    pub strategy: StrategyId,
    /// What went wrong, and with it whose fault it is.
    pub code: FaultCode,
    /// The first cause, at most 512 bytes.
    pub detail: String,
    /// Name of the file with the evidence, below `faults` in the data directory.
    pub evidence: Option<String>,
    /// Whether it stays down until an operator starts it again.
    pub quarantined: bool,
    /// When.
    pub at: Timestamp,
}

/// A trading state changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    /// Of what.
    pub scope: Scope,
    /// From.
    pub from: TradingState,
    /// To.
    pub to: TradingState,
    /// Why.
    pub cause: StateCause,
    /// The numbers or the operator's reason, at most 512 bytes.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// An operator asked for something. What came of it follows as records of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorEntry {
    /// Who, at most 64 bytes.
    pub actor: String,
    /// What.
    pub command: OperatorCommand,
    /// When.
    pub at: Timestamp,
}

/// Profit and loss at the start of a UTC day, or where an operator set the baseline anew. The day's loss counts from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayAnchor {
    /// Days since 1970-01-01 UTC.
    pub day: u64,
    /// The account's total profit then, open profit included.
    pub account: Amount,
    /// The same for each strategy that ever traded.
    pub strategies: Vec<(StrategyId, Amount)>,
}

/// The highest profit there ever was, from which drawdown is counted. Written when it has risen by a hundredth of the smallest drawdown
/// limit since the last time, so that a restart forgets no more than that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HighWater {
    /// The account's highest total profit, open profit included.
    pub account: Amount,
    /// The same for each strategy that ever traded.
    pub strategies: Vec<(StrategyId, Amount)>,
    /// When.
    pub at: Timestamp,
}

/// An operator lets one order of a strategy pass a bound that it would break. It is used up by that order (RULES G9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Whose order.
    pub strategy: StrategyId,
    /// Which bound.
    pub check: CheckId,
    /// The bound for that one order, in the check's unit.
    pub limit: i128,
    /// When it expires unused.
    pub until: Timestamp,
    /// Who granted it, at most 64 bytes.
    pub actor: String,
    /// Why, at most 512 bytes.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}
