//! Virtual time: one cell that the driver sets and the road reads.

use std::cell::Cell;
use std::rc::Rc;

use portcullis_core::Timestamp;

/// A clock that shows what it was set to. Clones show the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct VirtualClock(Rc<Cell<Timestamp>>);

impl VirtualClock {
    pub(crate) fn set(&self, now: Timestamp) {
        self.0.set(now);
    }
}

impl portcullis_gateway::Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.0.get()
    }
}
