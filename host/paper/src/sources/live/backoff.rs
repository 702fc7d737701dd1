//! Waits between attempts to connect.

use std::time::Duration;

use crate::sources::Random;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that stood for so long was a good one.
const GOOD: Duration = Duration::from_secs(60);

/// The waits of one stream: doubling, bounded, and jittered, so that many clients do not come back in step.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    random: Random,
}

impl Backoff {
    pub(super) const fn new(seed: u64) -> Self {
        Self { next: FIRST, random: Random::new(seed) }
    }

    /// The next wait, at least half of its span, after a connection that stood for `lasted`.
    pub(super) fn wait(&mut self, lasted: Duration) -> Duration {
        let span = if lasted >= GOOD { FIRST } else { self.next };
        self.next = span.saturating_mul(2).min(LONGEST);
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let wait = self.random.between(millis.checked_div(2).unwrap_or(0), millis);
        Duration::from_millis(u64::try_from(wait).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_start_anew_after_a_good_connection() {
        let mut backoff = Backoff::new(7);
        let waits: Vec<Duration> = (0..12).map(|_| backoff.wait(Duration::ZERO)).collect();
        for (at, wait) in waits.iter().enumerate() {
            let span = FIRST.saturating_mul(1 << at).min(LONGEST);
            assert!(*wait >= span / 2 && *wait <= span, "{at}: {wait:?}");
        }
        assert!(waits.windows(2).any(|two| two[1] != two[0] * 2), "no jitter in {waits:?}");
        assert!(backoff.wait(GOOD) <= FIRST);
    }
}
