//! How long a commit waits for the disk.

use std::time::Duration;

/// How long a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Until the records are durable, however long it takes.
    Durable,
    /// At most this long; the write goes on behind. Commands that can add risk are withheld if it was too short. Zero starts the
    /// write and returns.
    AtMost(Duration),
}

impl Wait {
    /// For cancels, reductions and tightened protection (RULES G2).
    pub const REDUCTION: Self = Self::AtMost(Duration::from_millis(50));
}
