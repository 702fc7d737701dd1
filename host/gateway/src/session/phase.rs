//! What a strategy's cell is doing.

use portcullis_core::Timestamp;

use crate::event::Event;

/// What the cell is doing.
#[derive(Debug)]
pub(super) enum Phase {
    /// Waiting before another instance is made.
    Waiting { until: Timestamp },
    /// Making an instance.
    Reviving,
    /// Going through recorded frames again; the answers are compared and otherwise ignored.
    Replaying { next: usize },
    /// Waiting for events.
    Idle,
    /// Working on a frame.
    Busy(InFlight),
    /// Writing its state down.
    Snapshotting,
    /// Down, until an operator starts it again.
    Quarantined,
}

/// The frame a cell works on.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) events: Vec<Event>,
    pub(super) frame: Vec<u8>,
}
