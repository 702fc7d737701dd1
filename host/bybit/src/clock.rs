//! The one place of this crate that reads a clock. Everything else takes a [`Clock`].

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_core::Timestamp;

/// Where "now" comes from.
pub type Clock = fn() -> Timestamp;

/// The machine's clock; the epoch itself when the clock stands before it.
#[expect(clippy::disallowed_methods, reason = "the edge where time enters")]
pub fn system_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// One reading of the venue's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockSample {
    /// When the question left.
    pub(crate) sent: Timestamp,
    /// When the answer came.
    pub(crate) received: Timestamp,
    /// The venue's time in between.
    pub(crate) venue: Timestamp,
}

impl ClockSample {
    /// Our clock minus the venue's in milliseconds, taking the answer as made half-way.
    pub(crate) fn skew_ms(&self) -> i64 {
        let half = self.received.since(self.sent).0.checked_div(2).unwrap_or(0);
        let ours = self.sent.0.saturating_add(half);
        let (ahead, behind) = (ours.saturating_sub(self.venue.0), self.venue.0.saturating_sub(ours));
        let millis =
            |nanos: u64| i64::try_from(nanos.checked_div(1_000_000).unwrap_or(0)).unwrap_or(i64::MAX);
        millis(ahead).saturating_sub(millis(behind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_is_ours_minus_the_venues() {
        let sample = |sent, received, venue| ClockSample {
            sent: Timestamp::from_millis(sent),
            received: Timestamp::from_millis(received),
            venue: Timestamp::from_millis(venue),
        };
        assert_eq!(sample(1_000, 1_100, 1_050).skew_ms(), 0);
        assert_eq!(sample(1_000, 1_100, 450).skew_ms(), 600);
        assert_eq!(sample(1_000, 1_100, 2_050).skew_ms(), -1_000);
    }
}
