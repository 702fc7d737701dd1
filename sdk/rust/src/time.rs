//! Event time.

/// A point in time: nanoseconds since 1970-01-01 UTC, in event time.
///
/// A strategy has no clock. [`Context::now`](crate::Context::now) is the time of the event being handled, on a live venue and in a
/// backtest alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// Takes nanoseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since 1970-01-01 UTC.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The time `nanos` nanoseconds later.
    #[must_use]
    pub const fn plus_nanos(self, nanos: u64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// The time `millis` milliseconds later.
    #[must_use]
    pub const fn plus_millis(self, millis: u64) -> Self {
        self.plus_nanos(millis.saturating_mul(1_000_000))
    }

    /// The time `seconds` seconds later.
    #[must_use]
    pub const fn plus_seconds(self, seconds: u64) -> Self {
        self.plus_nanos(seconds.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds from `earlier` to this time; 0 if `earlier` is later.
    #[must_use]
    pub const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
