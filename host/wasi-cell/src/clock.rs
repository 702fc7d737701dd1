//! The time of the event being handled, as WASI's clocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis_core::Timestamp;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// Event time: when the strategy sees the first event of the frame it is called with, in nanoseconds since 1970. It stands still
/// inside a call, so a guest learns nothing from it that its frame does not tell, and a replay reads the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventClock(Arc<AtomicU64>);

impl EventClock {
    /// Sets the time.
    pub(crate) fn set(&self, at: Timestamp) {
        self.0.store(at.0, Ordering::Relaxed);
    }

    fn nanoseconds(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl HostWallClock for EventClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds())
    }
}

impl HostMonotonicClock for EventClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.nanoseconds()
    }
}

/// The monotonic clock without waiting: time stands still inside a call, so whoever waits for it would wait for ever.
impl monotonic_clock::Host for EventClock {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.nanoseconds())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        Err(waits())
    }

    fn subscribe_duration(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        Err(waits())
    }
}

fn waits() -> wasmtime::Error {
    wasmtime::format_err!(
        "the strategy waits for a clock, which stands still inside a call; return, and set a timer"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_show_the_time_of_the_event_and_nobody_may_wait() {
        let mut clock = EventClock::default();
        clock.clone().set(Timestamp(1_795_478_400_000_000_007));
        assert_eq!(HostWallClock::now(&clock), Duration::new(1_795_478_400, 7));
        assert_eq!(HostMonotonicClock::now(&clock), 1_795_478_400_000_000_007);
        let error = monotonic_clock::Host::subscribe_duration(&mut clock, 1).unwrap_err().to_string();
        assert!(error.contains("set a timer"), "{error}");
        assert!(monotonic_clock::Host::subscribe_instant(&mut clock, 0).is_err());
    }
}
