//! What can go wrong on the way into a strategy, and what a strategy can get wrong on the way back.

use super::layout::SIGNAL_BYTES_MAX;
use super::stop::{ACTIONS_PER_EVENT_MAX, ACTIONS_PER_FRAME_MAX};
use crate::{BOOK_DEPTH_MAX, Timestamp};

/// Why a record was not added. The frame is as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame holds 4,096 records, or has no room for this one within 1 MiB: send it and begin the next.
    #[error("the frame is full")]
    Full,
    /// The record lies before the one already added.
    #[error("a record at {} comes after one at {}", time.0, after.0)]
    TimeDecreases {
        /// The record's time.
        time: Timestamp,
        /// The time it may not lie before.
        after: Timestamp,
    },
    /// A side of a book with more levels than a record holds.
    #[error("a side of a book has {levels} levels; at most {BOOK_DEPTH_MAX} fit")]
    BookTooDeep {
        /// Levels of the deeper side.
        levels: usize,
    },
    /// A signal with a payload longer than a record holds.
    #[error("a signal has {bytes} bytes; at most {SIGNAL_BYTES_MAX} fit")]
    SignalTooLong {
        /// Bytes of the payload.
        bytes: usize,
    },
}

/// How a strategy broke the contract of a call (`wit/frame.md`, RULES T3). Its answer is dropped whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolFault {
    /// It consumed nothing.
    #[error("nothing was consumed")]
    NothingConsumed,
    /// It consumed more than there was.
    #[error("{consumed} records consumed of {records}")]
    ConsumedTooMany {
        /// Records it says it consumed.
        consumed: u32,
        /// Records of the frame.
        records: usize,
    },
    /// More actions than a call may return.
    #[error("{actions} actions; a frame may cause {ACTIONS_PER_FRAME_MAX}")]
    TooManyActions {
        /// Actions returned.
        actions: usize,
    },
    /// More actions than a record may cause.
    #[error("more than {ACTIONS_PER_EVENT_MAX} actions caused by record {cause}")]
    TooManyActionsOfEvent {
        /// Index of the record.
        cause: u32,
    },
    /// An action caused by a record that was not consumed.
    #[error("an action caused by record {cause}, with {consumed} consumed")]
    CauseNotConsumed {
        /// Index of the record named.
        cause: u32,
        /// Records consumed.
        consumed: u32,
    },
    /// An action caused by an earlier record than the action before it.
    #[error("an action caused by record {cause} after one caused by record {after}")]
    CauseDecreases {
        /// Index of the record named.
        cause: u32,
        /// Index that the action before named.
        after: u32,
    },
    /// It left records without a reason of the stop rule.
    #[error("stopped after {consumed} of {records} records without a reason")]
    StoppedEarly {
        /// Records consumed.
        consumed: u32,
        /// Records of the frame.
        records: usize,
    },
    /// It read on where the stop rule ends the call: it may have acted on its own future.
    #[error("read record {index}, at or past the bound of the stop rule")]
    ReadPastBound {
        /// Index of the first record it should have left.
        index: u32,
    },
}
