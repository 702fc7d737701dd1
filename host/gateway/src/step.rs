//! What a strategy's answer amounts to, one thing at a time.

use portcullis_core::{ActionBody, Cause};

/// One thing that an answer amounts to.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The strategy is past its warm-up.
    Warm,
    /// The strategy has seen its whole state.
    Resynced,
    /// The strategy did something, because of an event.
    Action(Cause, ActionBody),
}
