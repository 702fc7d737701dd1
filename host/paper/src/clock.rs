//! The exchange's clock: the only place that reads one.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use portcullis_core::Timestamp;

/// Wall time that never runs back, and the instants that timers need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    base: Timestamp,
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the paper exchange lives in wall time (RULES P1) and this is its edge"
        )]
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let base = Timestamp(u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX));
        Self { base, started: Instant::now() }
    }

    pub(crate) fn now(self) -> Timestamp {
        let elapsed = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Timestamp(self.base.0.saturating_add(elapsed))
    }

    /// The instant of a time; now for one that has passed.
    pub(crate) fn instant(self, time: Timestamp) -> Instant {
        let after = std::time::Duration::from_nanos(time.since(self.base).0);
        self.started.checked_add(after).unwrap_or(self.started)
    }
}
