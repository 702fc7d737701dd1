//! The timers of a strategy: what it has set, and what went off that it has not seen yet.

use std::collections::BTreeMap;

use portcullis_core::Timestamp;
use portcullis_core::frame::Timers;

use crate::event::{Event, EventBody};

/// Timers, each of which goes off once.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    set: Timers,
    /// Those whose event waits to be consumed, with the time they were set to.
    fired: BTreeMap<u64, Timestamp>,
}

impl Alarms {
    /// As the strategy set them.
    pub(super) fn timers(&self) -> &Timers {
        &self.set
    }

    /// When the next one goes off.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.set.iter().filter(|(id, _)| !self.fired.contains_key(id)).map(|(_, at)| at).min()
    }

    /// Lets go off what is due, in order of time.
    pub(super) fn fire(&mut self, now: Timestamp) -> Vec<Event> {
        let due = self.set.iter().filter(|(id, at)| *at <= now && !self.fired.contains_key(id));
        let mut due: Vec<(Timestamp, u64)> = due.map(|(id, at)| (at, id)).collect();
        due.sort_unstable();
        self.fired.extend(due.iter().map(|(at, id)| (*id, *at)));
        due.into_iter().map(|(at, id)| Event::now(at, EventBody::Timer(id))).collect()
    }

    /// The strategy has seen this one.
    pub(super) fn seen(&mut self, id: u64) {
        self.fired.remove(&id);
    }

    /// Sets them anew. One that went off and was then moved or removed counts as not gone off.
    pub(super) fn set(&mut self, timers: Timers) {
        let set: BTreeMap<u64, Timestamp> = timers.iter().collect();
        self.fired.retain(|id, at| set.get(id) == Some(at));
        self.set = timers;
    }

    /// Whether its event is still to be seen.
    pub(super) fn has_fired(&self, id: u64) -> bool {
        self.fired.contains_key(&id)
    }
}
