//! Waits between attempts to connect: doubling, jittered so that clients do not come back in step, bounded.

use core::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that lasted this long starts the waits anew.
pub(crate) const SETTLED: Duration = Duration::from_secs(60);

/// The waits of one connection.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: FIRST }
    }

    /// The next wait, between half and all of a span that doubles each time; `lasted` is how long the connection stood.
    pub(crate) fn wait(&mut self, lasted: Duration) -> Duration {
        if lasted >= SETTLED {
            self.next = FIRST;
        }
        let span = self.next;
        self.next = span.saturating_mul(2).min(LONGEST);
        let half = span.checked_div(2).unwrap_or_default();
        let jitter =
            u64::try_from(half.as_millis()).unwrap_or(u64::MAX).checked_mul(u64::from(random())).unwrap_or(0)
                >> 32;
        half.saturating_add(Duration::from_millis(jitter))
    }
}

/// Without randomness from the system there is no jitter, and nothing worse.
fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_within_their_bounds_and_start_anew_after_a_good_connection() {
        let mut backoff = Backoff::new();
        let mut span = FIRST;
        for _ in 0..12 {
            let wait = backoff.wait(Duration::ZERO);
            assert!(wait >= span / 2 && wait <= span, "{wait:?} of {span:?}");
            span = (span * 2).min(LONGEST);
        }
        assert!(backoff.wait(SETTLED) <= FIRST);
    }
}
