//! The exchange's clock: the only place that reads one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portcullis_core::{Span, Timestamp};

/// Wall time that never runs back. It follows the system's clock over steps forward and over a suspended machine, because
/// clients compare it with their own.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    latest: AtomicU64,
}

impl Clock {
    pub(crate) fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the paper exchange lives in wall time (RULES P1) and this is its edge"
        )]
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let read = u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX);
        Timestamp(self.latest.fetch_max(read, Ordering::Relaxed).max(read))
    }

    /// The instant of a time to come, at most `longest` away: beyond that the clock has to be asked again.
    pub(crate) fn instant(&self, time: Timestamp, longest: Span) -> Instant {
        let wait = time.since(self.now()).min(longest);
        let now = Instant::now();
        now.checked_add(Duration::from_nanos(wait.0)).unwrap_or(now)
    }
}
