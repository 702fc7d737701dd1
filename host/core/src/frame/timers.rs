//! The timers of one strategy.

use std::collections::BTreeMap;

use crate::Timestamp;

/// Timers that can be set at once.
pub const TIMERS_MAX: usize = 64;

/// The timers a strategy has set and that have not fired, at most [`TIMERS_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timers(BTreeMap<u64, Timestamp>);

/// What setting a timer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimerChange {
    /// It would be one too many; nothing changed.
    Refused,
    /// Done; the timer was set to the old time before.
    Done(Option<Timestamp>),
}

impl Timers {
    /// The timer that fires first, and when; among equals the smallest id.
    pub fn first(&self) -> Option<(u64, Timestamp)> {
        self.iter().min_by_key(|&(id, at)| (at, id))
    }

    /// Every timer, by id.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Timestamp)> {
        self.0.iter().map(|(&id, &at)| (id, at))
    }

    /// Number of timers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets, moves or (with `None`) removes a timer.
    pub(super) fn set(&mut self, id: u64, at: Option<Timestamp>) -> TimerChange {
        match at {
            None => TimerChange::Done(self.0.remove(&id)),
            Some(_) if self.0.len() >= TIMERS_MAX && !self.0.contains_key(&id) => TimerChange::Refused,
            Some(at) => TimerChange::Done(self.0.insert(id, at)),
        }
    }

    /// Notes that a timer has fired.
    pub(super) fn fired(&mut self, id: u64) {
        self.0.remove(&id);
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl FromIterator<(u64, Timestamp)> for Timers {
    /// The first [`TIMERS_MAX`] are taken; a strategy cannot have more.
    fn from_iter<I: IntoIterator<Item = (u64, Timestamp)>>(timers: I) -> Self {
        let mut set = Self::default();
        for (id, at) in timers {
            set.set(id, Some(at));
        }
        set
    }
}
