//! Two clocks: the true time, which the venue goes by, and the gateway's, which may be off.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use portcullis_core::Timestamp;
use portcullis_gateway::Clock;

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000_000_000;

/// Where every run starts.
pub(crate) const START: u64 = 1_795_000_000 * SECOND;

/// The gateway's clock. Clones share it; the disk moves it when it stalls.
#[derive(Debug, Clone)]
pub(crate) struct SimClock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    now: AtomicU64,
    /// The gateway's clock minus the true time, in nanoseconds.
    offset: AtomicI64,
}

impl SimClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Hands { now: AtomicU64::new(START), offset: AtomicI64::new(0) }))
    }

    /// The true time, as far as the gateway got.
    pub(crate) fn now(&self) -> u64 {
        self.0.now.load(Ordering::Relaxed)
    }

    /// Moves the true time on; never back.
    pub(crate) fn reach(&self, now: u64) {
        self.0.now.fetch_max(now, Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, by: u64) {
        self.0.now.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn offset(&self) -> i64 {
        self.0.offset.load(Ordering::Relaxed)
    }

    pub(crate) fn set_offset(&self, offset: i64) {
        self.0.offset.store(offset, Ordering::Relaxed);
    }

    /// What the gateway's clock shows.
    pub(crate) fn local(&self) -> Timestamp {
        Timestamp(self.now().saturating_add_signed(self.offset()))
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.local()
    }
}
