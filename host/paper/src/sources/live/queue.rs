//! What the live streams said and the exchange has not played yet.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use portcullis_core::{MarketEvent, Timestamp};

/// Most events that wait. An exchange so far behind no longer shows the market.
const WAITING_MAX: usize = 65_536;

/// Events on their way from the streams to the exchange.
#[derive(Debug, Default)]
pub(crate) struct LiveQueue(Mutex<VecDeque<MarketEvent>>);

impl LiveQueue {
    /// Takes events in. Says no, and takes none, when too many wait.
    #[must_use]
    pub(super) fn push(&self, events: &mut Vec<MarketEvent>) -> bool {
        let mut waiting = self.waiting();
        if waiting.len().saturating_add(events.len()) > WAITING_MAX {
            return false;
        }
        waiting.extend(events.drain(..));
        true
    }

    /// Takes in what must not be lost: that books are gone. What waits of those instruments is no longer true.
    pub(super) fn give_up(&self, events: Vec<MarketEvent>) {
        let mut waiting = self.waiting();
        waiting.retain(|event| events.iter().all(|gone| gone.instrument != event.instrument));
        waiting.extend(events);
    }

    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.waiting().front().map(|event| event.venue_time)
    }

    pub(crate) fn pop(&self, now: Timestamp) -> Option<MarketEvent> {
        let mut waiting = self.waiting();
        let due = waiting.front().is_some_and(|event| event.venue_time <= now);
        if due { waiting.pop_front() } else { None }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<MarketEvent>> {
        // Nothing panics under the lock; were it poisoned, the queue would still be whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{InstrumentId, MarketBody, Price, Qty, Side};

    use super::*;

    fn event(instrument: u32) -> MarketEvent {
        let body = MarketBody::Trade { price: Price(1), quantity: Qty(1), taker: Side::Buy };
        let time = Timestamp(5);
        MarketEvent { instrument: InstrumentId(instrument), time, venue_time: time, body }
    }

    #[test]
    fn a_full_queue_takes_no_more_and_still_hears_that_a_book_is_gone() {
        let queue = LiveQueue::default();
        let mut events = vec![event(0); WAITING_MAX - 1];
        events.push(event(1));
        assert!(queue.push(&mut events));
        assert!(events.is_empty());
        let mut more = vec![event(0)];
        assert!(!queue.push(&mut more));
        assert_eq!(more.len(), 1);
        queue.give_up(vec![event(0)]);
        let left: Vec<_> =
            std::iter::from_fn(|| queue.pop(Timestamp(9))).map(|event| event.instrument.0).collect();
        assert_eq!(left, [1, 0]);
    }

    #[test]
    fn nothing_comes_before_its_time() {
        let queue = LiveQueue::default();
        assert!(queue.push(&mut vec![event(0)]));
        assert_eq!(queue.pop(Timestamp(4)), None);
        assert_eq!(queue.due(), Some(Timestamp(5)));
        assert!(queue.pop(Timestamp(5)).is_some());
    }
}
