//! What the venue's evidence settled.

use serde::{Deserialize, Serialize};

use crate::{Amount, InstrumentId, OrderId, SignedQty, StrategyId, Timestamp};

/// The books were set to what the venue shows. Never silent: a finding and a trip go with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// The instrument.
    pub instrument: InstrumentId,
    /// On whose account the difference is booked.
    pub strategy: Option<StrategyId>,
    /// Quantity in our books before.
    pub from: SignedQty,
    /// Quantity the venue shows.
    pub to: SignedQty,
    /// Price at which the difference is booked, in units of 1e-18.
    pub price: Amount,
    /// When.
    pub at: Timestamp,
}

/// Evidence settled a command without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The order.
    pub order: OrderId,
    /// What the evidence says.
    pub resolution: Resolution,
    /// When the query that proves it was asked, by the venue's clock.
    pub asked_at: Timestamp,
    /// When.
    pub at: Timestamp,
}

/// What evidence says about a command without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolution {
    /// The create never reached the venue: absent among open orders, closed orders and executions, asked late enough.
    Absent,
    /// The amend or cancel was not applied: the old values were seen twice, late enough (RULES J6).
    NotApplied,
}
