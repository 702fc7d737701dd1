//! Bringing a failed strategy back: last snapshot, the frames since then, the failing frame skipped (RULES C3).

use portcullis_core::{Outcome, Span, Timestamp};

use crate::cells::{Blame, Fault, Snapshot};

/// Guest faults a strategy may have before it is quarantined.
const STRIKES_MAX: u32 = 3;

/// Healthy time after which the budget of strikes is whole again.
const HEALTHY: Span = Span::from_secs(60);

/// First wait after a fault of the host's; it doubles with each one in a row.
const BACK_OFF: Span = Span::from_millis(5);

/// Longest wait.
const BACK_OFF_MAX: Span = Span::from_secs(5);

/// How often a snapshot is taken.
const SNAPSHOT_EVERY: Span = Span::from_secs(60);

/// Bytes of frames kept since the last snapshot; more than this asks for a snapshot at once.
const FRAMES_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What is needed to bring a strategy back to where it was.
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    snapshot: Option<Snapshot>,
    taken_at: Timestamp,
    frames: Vec<Recorded>,
    bytes: usize,
    strikes: u32,
    /// Faults of the host's in a row, which only make the next restart later.
    host_faults: u32,
    last_fault: Timestamp,
    filled: bool,
}

/// A frame as delivered, and what the strategy answered.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) frame: Vec<u8>,
    pub(crate) outcome: Outcome,
}

/// What to do about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Bring it back; this was strike so many.
    Restart {
        /// Strikes now counted against the strategy.
        strikes: u32,
        /// How long to wait first: longer and longer while the machine itself is the trouble.
        after: Span,
    },
    /// Too many: the strategy stays down until an operator starts it again.
    Quarantine,
}

impl Recovery {
    /// Starts from a snapshot of an earlier session, or from nothing.
    pub(crate) fn new(snapshot: Option<Snapshot>, now: Timestamp) -> Self {
        Self { snapshot, taken_at: now, ..Self::default() }
    }

    /// Keeps a frame and its answer.
    pub(crate) fn record(&mut self, frame: Vec<u8>, outcome: Outcome, had_fill: bool) {
        self.bytes = self.bytes.saturating_add(frame.len());
        self.frames.push(Recorded { frame, outcome });
        self.filled |= had_fill;
    }

    /// Whether a snapshot should be taken now: after own fills, every minute, or when too much would have to be replayed.
    pub(crate) fn wants_snapshot(&self, now: Timestamp) -> bool {
        !self.frames.is_empty()
            && (self.filled || now.since(self.taken_at) >= SNAPSHOT_EVERY || self.bytes >= FRAMES_BYTES_MAX)
    }

    /// Takes a snapshot over; the frames before it are no longer needed.
    pub(crate) fn snapshotted(&mut self, snapshot: Snapshot, now: Timestamp) {
        *self = Self {
            snapshot: Some(snapshot),
            taken_at: now,
            strikes: self.strikes,
            host_faults: self.host_faults,
            last_fault: self.last_fault,
            ..Self::default()
        };
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
        self.frames.get(index)
    }

    /// Counts a fault. The host's faults cost the strategy nothing but time.
    pub(crate) fn fault(&mut self, fault: &Fault, now: Timestamp) -> Verdict {
        if now.since(self.last_fault) >= HEALTHY {
            self.strikes = 0;
            self.host_faults = 0;
        }
        self.last_fault = now;
        match fault.blame {
            Blame::Guest => self.strikes = self.strikes.saturating_add(1),
            Blame::Host => self.host_faults = self.host_faults.saturating_add(1),
        }
        if self.strikes > STRIKES_MAX {
            return Verdict::Quarantine;
        }
        let after = match self.host_faults {
            0 => Span(0),
            faults => Span(BACK_OFF.0.saturating_mul(1 << faults.min(10)).min(BACK_OFF_MAX.0)),
        };
        Verdict::Restart { strikes: self.strikes, after }
    }
}
