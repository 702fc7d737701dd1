//! How long a commit waits for the disk.

use std::time::Duration;

/// How long a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Until the records are durable or the journal has failed, however long it takes.
    Durable,
    /// At most this long; the write goes on behind. Commands that can add risk are withheld if it was too short. Zero starts the
    /// write and returns.
    AtMost(Duration),
}

impl Wait {
    /// The longest that the pipeline's thread waits for a disk: cancels, reductions and halts come behind it (RULES G2, G7).
    pub const BOUND: Duration = Duration::from_millis(50);

    /// For whatever the pipeline commits.
    pub const BOUNDED: Self = Self::AtMost(Self::BOUND);
}
