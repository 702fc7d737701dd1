//! Counting in a sliding window, in constant space.

use crate::{RateLimits, Span, Timestamp};

/// Slices a window is cut into. The count covers the window and the slice the window's start falls in: it may be up to one
/// slice (2 %) too strict, never too lax.
const SLICES: u64 = 50;

/// Slices kept: one more, for the part of a slice at the window's start.
const SLOTS: usize = 51;
const SLOTS_U64: u64 = SLOTS as u64;

/// How many things happened in the last `window`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RateWindow {
    slice_ns: u64,
    /// Number of the newest slice that was counted into.
    newest: u64,
    /// Counts by slice number modulo the length.
    counts: [u32; SLOTS],
    total: u64,
}

impl RateWindow {
    fn new(window: Span) -> Self {
        Self { slice_ns: window.0 / SLICES, newest: 0, counts: [0; SLOTS], total: 0 }
    }

    fn slice(&self, now: Timestamp) -> u64 {
        now.0.checked_div(self.slice_ns).unwrap_or(0)
    }

    fn count(&self, now: Timestamp) -> u64 {
        let steps = self.slice(now).saturating_sub(self.newest);
        if steps > SLICES {
            return 0;
        }
        let expired: u64 = (1..=steps).map(|step| u64::from(self.at(self.newest.saturating_add(step)))).sum();
        self.total.saturating_sub(expired)
    }

    fn add(&mut self, now: Timestamp) {
        let slice = self.slice(now).max(self.newest);
        let steps = slice.saturating_sub(self.newest);
        if steps > SLICES {
            self.counts = [0; SLOTS];
            self.total = 0;
        } else {
            for step in 1..=steps {
                let number = self.newest.saturating_add(step);
                if let Some(count) = self.slot(number) {
                    let gone = std::mem::take(count);
                    self.total = self.total.saturating_sub(u64::from(gone));
                }
            }
        }
        self.newest = slice;
        if let Some(count) = self.slot(slice) {
            *count = count.saturating_add(1);
        }
        self.total = self.total.saturating_add(1);
    }

    fn at(&self, number: u64) -> u32 {
        self.counts.get(Self::index(number)).copied().unwrap_or(0)
    }

    fn slot(&mut self, number: u64) -> Option<&mut u32> {
        self.counts.get_mut(Self::index(number))
    }

    fn index(number: u64) -> usize {
        usize::try_from(number % SLOTS_U64).unwrap_or(0)
    }
}

/// The four windows that orders are counted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderRates {
    second: RateWindow,
    minute: RateWindow,
    hour: RateWindow,
    day: RateWindow,
}

impl Default for OrderRates {
    fn default() -> Self {
        Self {
            second: RateWindow::new(Span::from_secs(1)),
            minute: RateWindow::new(Span::from_secs(60)),
            hour: RateWindow::new(Span::from_secs(3_600)),
            day: RateWindow::new(Span::from_secs(86_400)),
        }
    }
}

impl OrderRates {
    /// Counts one command.
    pub(crate) fn add(&mut self, now: Timestamp) {
        self.second.add(now);
        self.minute.add(now);
        self.hour.add(now);
        self.day.add(now);
    }

    /// Count so far and bound, for the second, minute, hour and day.
    pub(crate) fn against(&self, limits: &RateLimits, now: Timestamp) -> [(u64, u64); 4] {
        [
            (self.second.count(now), limits.per_second_max),
            (self.minute.count(now), limits.per_minute_max),
            (self.hour.count(now), limits.per_hour_max),
            (self.day.count(now), limits.per_day_max),
        ]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "small numbers")]

    use proptest::prelude::*;

    use super::{RateWindow, SLICES};
    use crate::{Span, Timestamp};

    proptest! {
        #[test]
        fn never_counts_less_than_the_window_holds(gaps in prop::collection::vec(0_u64..40, 1..200), probe in 0_u64..200) {
            let window = Span(100);
            let mut counted = RateWindow::new(window);
            let mut times = Vec::new();
            let mut now = 10_000;
            for gap in gaps {
                now += gap;
                counted.add(Timestamp(now));
                times.push(now);
            }
            let at = now + probe;
            let within = |span: u64| times.iter().filter(|time| at - **time < span).count() as u64;
            let count = counted.count(Timestamp(at));
            prop_assert!(count >= within(window.0));
            prop_assert!(count <= within(window.0 + window.0 / SLICES));
        }
    }
}
