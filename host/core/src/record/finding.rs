//! Oddities worth a person's eye. They change nothing by themselves.

use serde::{Deserialize, Serialize};

use crate::{InstrumentId, OrderId, Timestamp};

/// Something odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// The order it is about.
    pub order: Option<OrderId>,
    /// The instrument it is about.
    pub instrument: Option<InstrumentId>,
    /// The numbers, in words; at most 512 bytes.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// The kinds of finding. Numbers are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum FindingKind {
    /// The venue reported a change that its order's state does not allow.
    IllegalTransition = 0,
    /// An execution came after the order was closed; it is accounted.
    LateFill = 1,
    /// More was executed than ordered; it is accounted.
    Overfill = 2,
    /// The venue says more was executed than the executions we have.
    MissingExecutions = 3,
    /// An order that is not ours.
    ForeignOrder = 4,
    /// An execution that belongs to no order of ours.
    ForeignExecution = 5,
    /// An order under our prefix that we never journaled.
    KeyMisuse = 6,
    /// The venue's position differs from our books.
    PositionMismatch = 7,
    /// A halt or flatten did not finish in its time.
    HaltNotConfirmed = 8,
    /// A command came back that we never sent, or twice.
    UnknownCommand = 9,
    /// The venue knows nothing of an order it had acknowledged.
    OrderVanished = 10,
    /// A sent command had no outcome in its time; it is unknown now.
    NoOutcome = 11,
    /// An unknown order has been unknown for long.
    StillUnknown = 12,
    /// A strategy sends more intents than its bucket allows.
    IntentFlood = 13,
    /// A sum in the books does not fit its type.
    Unsound = 14,
    /// A new rule of the venue does not fit the frozen decimals.
    InstrumentMisfit = 15,
    /// A position has no stop at the venue although the limits want one.
    ProtectionMissing = 16,
    /// The account is not set up as the limits file says.
    AccountMode = 17,
    /// 80 % of a limit are used.
    LimitNear = 18,
    /// An order was refused for a limit, the first in a while.
    LimitReached = 19,
    /// Entries came back from the reserve, because the journal could not be written for a time.
    ReserveUsed = 20,
    /// A strategy failed too often and is down until an operator starts it again.
    StrategyQuarantined = 21,
    /// Market data was kept from a strategy.
    DataGap = 22,
    /// Something the venue said cannot be, and was left out of the books.
    VenueQuarantined = 23,
}

impl FindingKind {
    /// The name in logs, journal and console.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IllegalTransition => "ILLEGAL_TRANSITION",
            Self::LateFill => "LATE_FILL",
            Self::Overfill => "OVERFILL",
            Self::MissingExecutions => "MISSING_EXECUTIONS",
            Self::ForeignOrder => "FOREIGN_ORDER",
            Self::ForeignExecution => "FOREIGN_EXECUTION",
            Self::KeyMisuse => "KEY_MISUSE",
            Self::PositionMismatch => "POSITION_MISMATCH",
            Self::HaltNotConfirmed => "HALT_NOT_CONFIRMED",
            Self::UnknownCommand => "UNKNOWN_COMMAND",
            Self::OrderVanished => "ORDER_VANISHED",
            Self::NoOutcome => "NO_OUTCOME",
            Self::StillUnknown => "STILL_UNKNOWN",
            Self::IntentFlood => "INTENT_FLOOD",
            Self::Unsound => "UNSOUND",
            Self::InstrumentMisfit => "INSTRUMENT_MISFIT",
            Self::ProtectionMissing => "PROTECTION_MISSING",
            Self::AccountMode => "ACCOUNT_MODE",
            Self::LimitNear => "LIMIT_NEAR",
            Self::LimitReached => "LIMIT_REACHED",
            Self::ReserveUsed => "RESERVE_USED",
            Self::StrategyQuarantined => "STRATEGY_QUARANTINED",
            Self::DataGap => "DATA_GAP",
            Self::VenueQuarantined => "VENUE_QUARANTINED",
        }
    }
}
