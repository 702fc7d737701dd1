//! Where the pipeline gets the time from.

use portcullis_core::Timestamp;

/// The time, as the pipeline sees it: the wall clock live, virtual in the lab and the simulator.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
}

impl<F: Fn() -> Timestamp> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}
