//! What is kept of a failure, so that it can be brought about again away from the market.

use std::sync::Arc;

use portcullis_core::frame::Timers;
use portcullis_core::{Outcome, StrategyId, StrategyName, Timestamp};

use crate::cells::{Fault, Snapshot};

/// Everything that led to a failure: where the strategy started from, what it was handed since then, and the call that failed.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Name of the file it belongs in, which the journal cites.
    pub file: String,
    /// Whose.
    pub strategy: StrategyId,
    /// The operator's name for it.
    pub name: StrategyName,
    /// When it failed.
    pub at: Timestamp,
    /// How.
    pub fault: Fault,
    /// The state it started from; without one it started from `init` alone.
    pub snapshot: Option<Snapshot>,
    /// The frames it took since then, oldest first.
    pub frames: Vec<Arc<Recorded>>,
    /// The call that failed.
    pub call: FailedCall,
}

/// A frame as delivered, and what the strategy answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The frame.
    pub frame: Vec<u8>,
    /// The answer.
    pub outcome: Outcome,
}

/// The call that failed.
#[derive(Debug, Clone, PartialEq)]
pub enum FailedCall {
    /// A new instance was being made: `init`, or `restore`.
    Revival,
    /// A frame was being worked on.
    Frame {
        /// The frame.
        frame: Vec<u8>,
        /// The timers that were set before it, by which its answer was judged.
        timers: Timers,
    },
    /// A snapshot was being taken.
    Snapshot,
    /// None: it was stopped between two calls.
    None,
}

impl Evidence {
    /// Name of the file for a failure: strategy, time in nanoseconds since 1970, code.
    pub(crate) fn file_name(name: &StrategyName, at: Timestamp, fault: &Fault) -> String {
        let code = fault.code.as_str().to_ascii_lowercase();
        format!("{name}-{}-{code}.fault", at.0)
    }
}
