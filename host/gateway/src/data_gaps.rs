//! Market data that a strategy did not get. Nobody failed: neither its faults nor the host's count it.

use portcullis_core::{Span, Timestamp};

use crate::event::GapCause;

/// How often the operator is told of one strategy's gaps at most.
const TELL_EVERY: Span = Span::from_secs(60);

/// The gaps of one strategy.
#[derive(Debug, Default)]
pub(crate) struct DataGaps {
    count: u64,
    /// Events dropped, and interruptions, that the journal does not have yet.
    untold: (u64, u64),
    told: Option<Timestamp>,
}

impl DataGaps {
    /// Notes a gap that the strategy has seen. What it missed by its own fault is no gap of the data.
    pub(crate) fn note(&mut self, dropped: u32, cause: GapCause) {
        let (events, interruptions) = &mut self.untold;
        match cause {
            GapCause::Conflation => *events = events.saturating_add(dropped.into()),
            GapCause::Disconnect => *interruptions = interruptions.saturating_add(1),
            GapCause::Fault | GapCause::SkippedFrame => return,
        }
        self.count = self.count.saturating_add(1);
    }

    /// Gaps so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// What is to be told, if it is time.
    pub(crate) fn take(&mut self, now: Timestamp) -> Option<(u64, u64)> {
        let due = self.told.is_none_or(|told| now.since(told) >= TELL_EVERY);
        if !due || self.untold == (0, 0) {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}
