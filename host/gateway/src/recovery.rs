//! Bringing a failed strategy back: last snapshot, the frames since then, the failing frame skipped (RULES C3).

use std::sync::Arc;

use portcullis_core::{Outcome, Span, Timestamp};

use crate::cells::Snapshot;
use crate::evidence::Recorded;

/// How often a snapshot is taken.
const SNAPSHOT_EVERY: Span = Span::from_secs(60);

/// Bytes of frames kept since the last snapshot; more than this asks for a snapshot at once.
const FRAMES_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of frames at which a snapshot no longer waits for a quiet moment, because a busy market may have none.
const FRAMES_BYTES_LIMIT: usize = 2 * FRAMES_BYTES_MAX;

/// What is needed to bring a strategy back to where it was.
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    snapshot: Option<Snapshot>,
    taken_at: Timestamp,
    frames: Vec<Arc<Recorded>>,
    bytes: usize,
    filled: bool,
}

impl Recovery {
    /// Starts from a snapshot of an earlier session, or from nothing.
    pub(crate) fn new(snapshot: Option<Snapshot>, now: Timestamp) -> Self {
        Self { snapshot, taken_at: now, ..Self::default() }
    }

    /// Keeps a frame and its answer.
    pub(crate) fn record(&mut self, frame: Vec<u8>, outcome: Outcome, had_fill: bool) {
        self.bytes = self.bytes.saturating_add(frame.len());
        self.frames.push(Arc::new(Recorded { frame, outcome }));
        self.filled |= had_fill;
    }

    /// Whether a snapshot should be taken now: after own fills, every minute, or when too much would have to be replayed.
    pub(crate) fn wants_snapshot(&self, now: Timestamp) -> bool {
        !self.frames.is_empty()
            && (self.filled || now.since(self.taken_at) >= SNAPSHOT_EVERY || self.bytes >= FRAMES_BYTES_MAX)
    }

    /// Whether that snapshot can no longer wait until nothing else is to be done.
    pub(crate) fn needs_snapshot(&self) -> bool {
        self.bytes >= FRAMES_BYTES_LIMIT
    }

    /// Takes a snapshot over; the frames before it are no longer needed.
    pub(crate) fn snapshotted(&mut self, snapshot: Snapshot, now: Timestamp) {
        *self = Self { snapshot: Some(snapshot), taken_at: now, ..Self::default() };
    }

    /// The state a new instance starts from.
    pub(crate) fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// When that state was taken.
    pub(crate) fn taken_at(&self) -> Timestamp {
        self.taken_at
    }

    /// Gives the snapshot up: it could not be restored. The strategy then starts from `init` alone.
    pub(crate) fn forget(&mut self) {
        self.snapshot = None;
        self.frames.clear();
        self.bytes = 0;
    }

    /// The `index`th frame to replay.
    pub(crate) fn replay(&self, index: usize) -> Option<&Recorded> {
        self.frames.get(index).map(Arc::as_ref)
    }

    /// The first `count` frames since the snapshot, or all if there are fewer.
    pub(crate) fn frames(&self, count: usize) -> Vec<Arc<Recorded>> {
        self.frames.iter().take(count).map(Arc::clone).collect()
    }
}
