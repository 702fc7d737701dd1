//! What became of intents and commands.

use serde::{Deserialize, Serialize};

use crate::{
    Ask, Cause, CheckOutcome, Class, Command, Digest, InstrumentId, OrderNumber, RefusalCode, Sequence,
    StrategyId, Submission, Timestamp,
};

/// A command was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentApproved {
    /// What is to be sent.
    pub command: Command,
    /// What it does to risk.
    pub class: Class,
    /// On whose account it is booked; `None` for an instrument no strategy ever owned.
    pub strategy: Option<StrategyId>,
    /// Who wanted it.
    pub origin: Origin,
    /// The strategy's number of the order; 0 for the host's own orders and for cancel-all.
    pub number: OrderNumber,
    /// The strategy's mark on the order.
    pub tag: u64,
    /// When the host cancels what is left of the order.
    pub good_till: Option<Timestamp>,
    /// The event behind it; `None` for the host's own.
    pub cause: Option<Cause>,
    /// The causing frame, up to 4 KiB (RULES J2).
    pub frame: Vec<u8>,
    /// Hash of the limits it was held against.
    pub limits: Digest,
    /// Every check with its numbers.
    pub checks: Vec<CheckOutcome>,
    /// When it was approved.
    pub at: Timestamp,
}

/// Who wanted a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// The strategy.
    Strategy,
    /// The host, because a good-till time came.
    GoodTill,
    /// The host, because the strategy stopped or failed.
    StrategyDown,
    /// The host, for a halt.
    Halt,
    /// The host, closing a position for a flatten.
    Flatten,
    /// An operator, cancelling entries.
    Operator,
    /// The host, because a stream is down for too long.
    Disconnected,
    /// The host, putting the stop of a position where the limits want it.
    Protection,
}

/// The actions that ask for something of the venue; the numbers are those of the frame's refusal record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum ActionKind {
    /// Place.
    Place = 1,
    /// Amend.
    Amend = 2,
    /// Cancel.
    Cancel = 3,
    /// Cancel-all.
    CancelAll = 4,
    /// Flatten.
    Flatten = 5,
}

impl ActionKind {
    /// The kind of an ask.
    pub const fn of(ask: &Ask) -> Self {
        match ask {
            Ask::Place(_) => Self::Place,
            Ask::Amend(_) => Self::Amend,
            Ask::Cancel(_) => Self::Cancel,
            Ask::CancelAll(_) => Self::CancelAll,
            Ask::Flatten(_) => Self::Flatten,
        }
    }

    /// The number in frames.
    pub const fn number(self) -> u8 {
        match self {
            Self::Place => 1,
            Self::Amend => 2,
            Self::Cancel => 3,
            Self::CancelAll => 4,
            Self::Flatten => 5,
        }
    }
}

/// An intent was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Whose.
    pub strategy: StrategyId,
    /// What was asked for.
    pub ask: Ask,
    /// The order it named, or the number its place used up; 0 for neither.
    pub number: OrderNumber,
    /// The strategy's mark on the order; 0 when there is none.
    pub tag: u64,
    /// The instrument, where the ask names one that exists.
    pub instrument: Option<InstrumentId>,
    /// The event behind it.
    pub cause: Cause,
    /// Why: the first check that said no.
    pub code: RefusalCode,
    /// Every check that ran, with its numbers.
    pub checks: Vec<CheckOutcome>,
    /// When.
    pub at: Timestamp,
}

/// Intents beyond a strategy's bucket: one record a second instead of one each (RULES G9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedSummary {
    /// Whose.
    pub strategy: StrategyId,
    /// Why.
    pub code: RefusalCode,
    /// How many.
    pub count: u64,
    /// The last order number that a place among them used up; 0 when none was a place.
    pub last_number: OrderNumber,
    /// Until when.
    pub at: Timestamp,
}

/// An approved command was not sent after all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotSent {
    /// Its entry.
    pub of: Sequence,
    /// Why. `ORDER_CLOSED` for a command whose order was withdrawn or over before it could leave.
    pub reason: RefusalCode,
    /// When.
    pub at: Timestamp,
}

/// What came back for a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// Its entry.
    pub of: Sequence,
    /// What came back.
    pub outcome: Submission,
    /// When.
    pub at: Timestamp,
}
