//! The stop rule of `wit/frame.md`, here and nowhere else; `wit/v0.1/golden/stop-rule.json` pins it.
//!
//! A frame may hold events that lie after the consequences of a strategy's own actions. Nothing that an action causes can be
//! seen earlier than the lookahead L after its cause, so a strategy may read on until then, and no further.

use crate::Time;

/// Timers that can be set at once.
pub(crate) const TIMERS_MAX: usize = 64;

/// Actions that one event may cause.
pub(crate) const ACTIONS_PER_EVENT_MAX: usize = 32;

/// Actions that one frame may cause.
const ACTIONS_PER_FRAME_MAX: usize = 4_096;

/// Where the strategy has to stop reading the frame, and the timers, whose times the rule needs.
#[derive(Debug)]
pub(crate) struct Stop {
    lookahead: u64,
    /// Events at or after this time are not read in this call; none while nothing bounds it.
    bound: Option<Time>,
    timers: Vec<(u64, Time)>,
}

impl Stop {
    pub(crate) const fn new() -> Self {
        Self { lookahead: 0, bound: None, timers: Vec::new() }
    }

    /// Starts a frame whose header carries `lookahead` nanoseconds. Timers stay.
    pub(crate) fn start_frame(&mut self, lookahead: u64) {
        self.lookahead = lookahead;
        self.bound = None;
    }

    /// Notes an action with a consequence (any but log, metric and set-timer), caused at `now`.
    pub(crate) fn action(&mut self, now: Time) {
        // Beyond the end of time there is nothing to stop before.
        if let Some(seen) = now.nanos().checked_add(self.lookahead) {
            self.bound_by(Time::from_nanos(seen));
        }
    }

    /// Sets, moves or removes a timer, caused at `now`. False, and nothing changes, if it would be one too many.
    pub(crate) fn set_timer(&mut self, now: Time, id: u64, at: Option<Time>) -> bool {
        let place = self.timers.iter().position(|&(known, _)| known == id);
        if place.is_none() && at.is_some() && self.timers.len() >= TIMERS_MAX {
            return false;
        }
        if let Some(place) = place {
            // The old firing may lie in this frame already; it must not be read.
            let (_, old) = self.timers.swap_remove(place);
            self.bound_by(old);
        }
        if let Some(at) = at {
            self.timers.push((id, at));
            self.bound_by(at.max(now));
        }
        true
    }

    /// Notes that a timer has fired and so is no longer set.
    pub(crate) fn timer_fired(&mut self, id: u64) {
        self.timers.retain(|&(known, _)| known != id);
    }

    /// Forgets every timer, as the host does at a resync.
    pub(crate) fn forget_timers(&mut self) {
        self.timers.clear();
    }

    /// Whether the strategy must stop before an event at `time`, having caused `actions` actions in this frame.
    pub(crate) fn stops_before(&self, time: Time, actions: usize) -> bool {
        self.bound.is_some_and(|bound| time >= bound) || is_full(actions)
    }

    fn bound_by(&mut self, time: Time) {
        self.bound = Some(self.bound.map_or(time, |bound| bound.min(time)));
    }

    /// The timers that are set, by id, for a snapshot.
    pub(crate) fn timers(&self) -> Vec<(u64, Time)> {
        let mut timers = self.timers.clone();
        timers.sort_unstable();
        timers
    }

    /// Takes over the timers of a snapshot.
    pub(crate) fn restore_timers(&mut self, timers: Vec<(u64, Time)>) {
        self.timers = timers;
    }
}

/// Whether an action list could not take the actions of one more event.
const fn is_full(actions: usize) -> bool {
    actions > ACTIONS_PER_FRAME_MAX.saturating_sub(ACTIONS_PER_EVENT_MAX)
}
