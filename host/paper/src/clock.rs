//! The exchange's clock: the only place that reads one.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use portcullis_core::{Span, Timestamp};

/// Wall time that never runs back. It follows the system's clock over steps forward and over a suspended machine, because
/// clients compare it with their own. On request it shows clients another time, as a venue does whose clock is off.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    latest: AtomicU64,
    offset_ms: AtomicI64,
}

impl Clock {
    /// The time of the market and of the account.
    pub(crate) fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the paper exchange lives in wall time (RULES P1) and this is its edge"
        )]
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let read = u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX);
        Timestamp(self.latest.fetch_max(read, Ordering::Relaxed).max(read))
    }

    /// A time as clients are told it, and as theirs is compared with.
    pub(crate) fn shown(&self, time: Timestamp) -> Timestamp {
        let offset = i128::from(self.offset_ms.load(Ordering::Relaxed)).saturating_mul(1_000_000);
        let shown = i128::from(time.0).saturating_add(offset).max(0);
        Timestamp(u64::try_from(shown).unwrap_or(u64::MAX))
    }

    /// Puts the clock that clients see off by so much.
    pub(crate) fn put_off(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Ordering::Relaxed);
    }

    /// The instant of a time to come, at most `longest` away: beyond that the clock has to be asked again.
    pub(crate) fn instant(&self, time: Timestamp, longest: Span) -> Instant {
        let wait = time.since(self.now()).min(longest);
        let now = Instant::now();
        now.checked_add(Duration::from_nanos(wait.0)).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_shown_is_off_by_what_was_asked() {
        let (clock, time) = (Clock::default(), Timestamp::from_millis(10_000));
        assert_eq!(clock.shown(time), time);
        for (offset_ms, shown) in [(-2_500, 7_500), (2_500, 12_500), (-60_000, 0)] {
            clock.put_off(offset_ms);
            assert_eq!(clock.shown(time), Timestamp::from_millis(shown));
        }
    }
}
