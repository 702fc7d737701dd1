//! What went wrong without stopping anything, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start. All only grow.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) market: Counter,
    pub(crate) quarantined: Counter,
    pub(crate) foreign: Counter,
    pub(crate) clamped: Counter,
    pub(crate) dropped: Counter,
    pub(crate) resyncs: Counter,
    pub(crate) reconnects: Counter,
    pub(crate) missed: Counter,
}

impl Counters {
    /// Market events delivered.
    pub fn market_events(&self) -> u64 {
        self.market.get()
    }

    /// Frames and rows that did not fit, each logged on its first, second, fourth… time.
    pub fn quarantined(&self) -> u64 {
        self.quarantined.get()
    }

    /// Private rows of instruments we do not follow.
    pub fn foreign_rows(&self) -> u64 {
        self.foreign.get()
    }

    /// Receive stamps earlier than the venue's time, set to it (RULES T1).
    pub fn clamped_stamps(&self) -> u64 {
        self.clamped.get()
    }

    /// Market events dropped because the gateway did not take them in time. The public link was reported down and up.
    pub fn dropped_market_events(&self) -> u64 {
        self.dropped.get()
    }

    /// Books asked for anew after a gap.
    pub fn book_resyncs(&self) -> u64 {
        self.resyncs.get()
    }

    /// Times the private stream was connected, answered pings, and had not told what the venue says happened.
    pub fn deaf_streams(&self) -> u64 {
        self.missed.get()
    }

    /// Stream connections made anew.
    pub fn reconnects(&self) -> u64 {
        self.reconnects.get()
    }
}

/// One counter.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Counts one and says whether it is worth a log line: the 1st, 2nd, 4th, 8th… are.
    pub(crate) fn count(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed).saturating_add(1).is_power_of_two()
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_logged_ever_more_rarely() {
        let counter = Counter::default();
        let logged = (0..1_000).filter(|_| counter.count()).count();
        assert_eq!((logged, counter.get()), (10, 1_000));
    }
}
