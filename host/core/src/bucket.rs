//! A token bucket in whole numbers.

use crate::Timestamp;

/// Nanoseconds in a second: one token's worth of time at a rate of one a second.
const SECOND_NS: u64 = 1_000_000_000;

/// Refills at a rate, holds at most a burst.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// Tokens × 1e9.
    level: u64,
    refilled: Timestamp,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn full(burst: u64, now: Timestamp) -> Self {
        Self { level: burst.saturating_mul(SECOND_NS), refilled: now }
    }

    /// Tokens that are used up, a part of one included.
    pub(crate) fn used(&self, per_second: u64, burst: u64, now: Timestamp) -> u64 {
        let gained = now.since(self.refilled).0.saturating_mul(per_second);
        let full = burst.saturating_mul(SECOND_NS);
        full.saturating_sub(self.level.saturating_add(gained)).div_ceil(SECOND_NS)
    }

    /// Takes one token if there is one.
    pub(crate) fn take(&mut self, per_second: u64, burst: u64, now: Timestamp) -> bool {
        let gained = now.since(self.refilled).0.saturating_mul(per_second);
        self.level = self.level.saturating_add(gained).min(burst.saturating_mul(SECOND_NS));
        self.refilled = self.refilled.max(now);
        match self.level.checked_sub(SECOND_NS) {
            Some(rest) => {
                self.level = rest;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bucket;
    use crate::Timestamp;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut bucket = Bucket::full(3, Timestamp(0));
        let mut take = |millis| bucket.take(2, 3, Timestamp::from_millis(millis));
        assert!(take(0) && take(0) && take(0));
        assert!(!take(0));
        assert!(!take(499));
        assert!(take(500));
        assert!(!take(900));
        assert!(take(1_000));
        assert!(take(60_000) && take(60_000) && take(60_000));
        assert!(!take(60_000));
    }
}
