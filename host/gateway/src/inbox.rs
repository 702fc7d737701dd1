//! The events a strategy has not seen yet. While its cell is busy they are merged here, so that a slow strategy costs
//! memory for one book and one quote, not for a queue of them (RULES C1).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::mem::Discriminant;

use portcullis_core::{InstrumentId, MarketBody, Timestamp};

use crate::event::{Event, EventBody, GapCause};

/// Most trades that wait for a busy cell; later ones are counted in a gap.
const TRADES_MAX: usize = 4_096;

/// What waits for one strategy.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// In order; `None` where a later event of the same kind took the place.
    waiting: VecDeque<Option<Event>>,
    /// Running number of the front of `waiting`.
    front: u64,
    /// Where the latest conflatable event of a kind waits.
    latest: HashMap<(InstrumentId, Discriminant<MarketBody>), u64>,
    trades: usize,
    dropped: u32,
    /// Consequences of the strategy's own actions, which it may not see before t + L (RULES T2).
    held: BTreeMap<(Timestamp, u64), Event>,
    held_count: u64,
}

impl Inbox {
    /// Takes a public event in, merging it with what waits.
    pub(crate) fn market(&mut self, event: Event) {
        let EventBody::Market(instrument, body) = &event.body else {
            return self.push(event);
        };
        match body {
            MarketBody::Quote { .. } | MarketBody::Book(_) | MarketBody::Mark { .. } => {
                let key = (*instrument, std::mem::discriminant(body));
                let at = self.front.saturating_add(self.waiting.len() as u64);
                if let Some(older) = self.latest.insert(key, at) {
                    self.vacate(older);
                }
                self.push(event);
            }
            MarketBody::Trade { .. } if self.trades >= TRADES_MAX => {
                self.dropped = self.dropped.saturating_add(1)
            }
            MarketBody::Trade { .. } => {
                self.trades = self.trades.saturating_add(1);
                self.push(event);
            }
            MarketBody::Bar(_) | MarketBody::Funding { .. } => self.push(event),
        }
    }

    /// Takes in an event that is never dropped or merged.
    pub(crate) fn push(&mut self, event: Event) {
        self.waiting.push_back(Some(event));
    }

    /// Holds an event back until its time.
    pub(crate) fn hold(&mut self, event: Event) {
        self.held.insert((event.time, self.held_count), event);
        self.held_count = self.held_count.saturating_add(1);
    }

    /// The time of the event that has waited longest, of those that may be seen.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        self.waiting.iter().flatten().next().map(|event| event.time)
    }

    /// The time of the first event held back.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.held.keys().next().map(|(time, _)| *time)
    }

    /// Moves up to `max` events into `frame`: everything that may be seen by `now`, oldest first.
    pub(crate) fn take(&mut self, now: Timestamp, max: usize, frame: &mut Vec<Event>) {
        while let Some(entry) = self.held.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let event = entry.remove();
            self.push(event);
        }
        while frame.len() < max {
            let Some(slot) = self.waiting.pop_front() else { break };
            self.front = self.front.saturating_add(1);
            let Some(event) = slot else { continue };
            if let EventBody::Market(instrument, body) = &event.body {
                self.latest.remove(&(*instrument, std::mem::discriminant(body)));
                if let MarketBody::Trade { .. } = body {
                    self.trades = self.trades.saturating_sub(1);
                }
            }
            frame.push(event);
        }
        if self.dropped > 0 && self.waiting.is_empty() && frame.len() < max {
            let body =
                EventBody::Gap { dropped: std::mem::take(&mut self.dropped), cause: GapCause::Conflation };
            frame.push(Event { time: now, venue_time: now, body });
        }
    }

    /// Puts back what a strategy did not consume, in front of everything else (RULES T3).
    pub(crate) fn put_back(&mut self, events: impl DoubleEndedIterator<Item = Event>) {
        for event in events.rev() {
            if let EventBody::Market(_, MarketBody::Trade { .. }) = &event.body {
                self.trades = self.trades.saturating_add(1);
            }
            self.front = self.front.wrapping_sub(1);
            self.waiting.push_front(Some(event));
        }
    }

    /// Drops fired timers that `keep` says the strategy has moved or removed meanwhile.
    pub(crate) fn retain_timers(&mut self, keep: impl Fn(u64) -> bool) {
        let stale = |event: &Event| matches!(event.body, EventBody::Timer(id) if !keep(id));
        for slot in &mut self.waiting {
            if slot.as_ref().is_some_and(stale) {
                *slot = None;
            }
        }
        self.held.retain(|_, event| !stale(event));
    }

    /// Forgets everything: a strategy that starts anew is told the whole state by a resync.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing waits that may be seen by `now`.
    pub(crate) fn is_empty(&self, now: Timestamp) -> bool {
        self.waiting.is_empty() && self.dropped == 0 && self.next_due().is_none_or(|due| due > now)
    }

    fn vacate(&mut self, number: u64) {
        let index = usize::try_from(number.wrapping_sub(self.front)).ok();
        if let Some(slot) = index.and_then(|index| self.waiting.get_mut(index)) {
            *slot = None;
        }
    }
}
