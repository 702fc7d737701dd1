//! From the network's threads to the pipeline's: two queues and a waker.
//!
//! Market events wait in a bounded queue; when the gateway does not take them in time they are dropped, and the public link is
//! reported down and up, so that strategies are told of a gap. Everything else waits in a queue of its own that never drops; the
//! private stream stops reading while it is long.

use core::fmt;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use portcullis_core::{LinkChange, MarketEvent, Sequence, Submission};
use portcullis_gateway::VenueEvent;

use crate::counters::Counters;
use crate::follow::FollowOutcome;

/// Most market events that wait. At 5,000 a second this is three seconds of a stalled gateway.
const MARKET_MAX: usize = 16_384;

/// With more than this waiting, the private stream pauses.
const PRIVATE_HIGH: usize = 4_096;

/// The sending side; cheap to clone.
#[derive(Clone)]
pub(crate) struct Events {
    queues: Arc<Mutex<Queues>>,
    waker: Arc<dyn Fn() + Send + Sync>,
    pub(crate) counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Queues {
    private: VecDeque<Told>,
    /// Answers to [`BybitVenue::follow`](crate::BybitVenue::follow) whose events have all been taken.
    followed: VecDeque<FollowOutcome>,
    market: VecDeque<MarketEvent>,
    /// The market queue overflowed; a gap is to be told once there is room.
    gap: bool,
}

/// What waits in the queue that never drops. Answers to the gateway keep their place among the events they sum up.
#[derive(Debug)]
enum Told {
    Event(VenueEvent),
    Followed(FollowOutcome),
}

impl Events {
    pub(crate) fn new(waker: impl Fn() + Send + Sync + 'static) -> Self {
        Self { queues: Arc::default(), waker: Arc::new(waker), counters: Arc::default() }
    }

    /// Queues an event that must not be lost.
    pub(crate) fn push(&self, event: VenueEvent) {
        self.with(|queues| queues.private.push_back(Told::Event(event)));
        (self.waker)();
    }

    /// Queues an answer behind the events before it.
    pub(crate) fn push_followed(&self, outcome: FollowOutcome) {
        self.with(|queues| queues.private.push_back(Told::Followed(outcome)));
        (self.waker)();
    }

    /// The next answer whose events have all been taken.
    pub(crate) fn pop_followed(&self) -> Option<FollowOutcome> {
        self.with(|queues| queues.followed.pop_front())
    }

    /// Queues the market events of one frame.
    pub(crate) fn push_market(&self, events: impl IntoIterator<Item = MarketEvent>) {
        let dropped = self.with(|queues| {
            let mut dropped = 0_u64;
            for event in events {
                if queues.market.len() >= MARKET_MAX {
                    queues.gap = true;
                    dropped = dropped.saturating_add(1);
                } else {
                    self.counters.market.count();
                    queues.market.push_back(event);
                }
            }
            dropped
        });
        for _ in 0..dropped {
            if self.counters.dropped.count() {
                tracing::warn!("market events dropped: the gateway does not take them");
            }
        }
        (self.waker)();
    }

    /// The next event: private ones first, in order; market ones in theirs.
    pub(crate) fn pop(&self) -> Option<VenueEvent> {
        self.with(|queues| {
            while let Some(told) = queues.private.pop_front() {
                match told {
                    Told::Event(event) => return Some(event),
                    Told::Followed(outcome) => queues.followed.push_back(outcome),
                }
            }
            if queues.gap && queues.market.len() < MARKET_MAX / 2 {
                queues.gap = false;
                queues.private.push_back(Told::Event(VenueEvent::Link(LinkChange::Public { up: true })));
                return Some(VenueEvent::Link(LinkChange::Public { up: false }));
            }
            queues.market.pop_front().map(VenueEvent::Market)
        })
    }

    /// Whether the private stream should pause.
    pub(crate) fn is_congested(&self) -> bool {
        self.with(|queues| queues.private.len() > PRIVATE_HIGH)
    }

    fn with<T>(&self, body: impl FnOnce(&mut Queues) -> T) -> T {
        body(&mut self.queues.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("queues", &self.queues).finish_non_exhaustive()
    }
}

/// Owes the outcome of one command. Dropped without one, it reports the outcome as unknown: exactly one is always told.
#[derive(Debug)]
pub(crate) struct Owed {
    of: Sequence,
    events: Events,
    told: bool,
}

impl Owed {
    pub(crate) fn new(of: Sequence, events: Events) -> Self {
        Self { of, events, told: false }
    }

    pub(crate) fn tell(mut self, outcome: Submission) {
        self.told = true;
        self.events.push(VenueEvent::Submission { of: self.of, outcome });
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if !self.told {
            let outcome =
                Submission::Unknown { detail: "the client stopped before an answer came".to_owned() };
            self.events.push(VenueEvent::Submission { of: self.of, outcome });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use portcullis_core::{InstrumentId, Level, MarketBody, Timestamp};

    use super::*;

    fn market(at: u64) -> MarketEvent {
        let body = MarketBody::Quote { bid: Level::default(), ask: Level::default() };
        MarketEvent { instrument: InstrumentId(1), time: Timestamp(at), venue_time: Timestamp(at), body }
    }

    #[test]
    fn private_events_come_first_and_each_push_wakes() {
        let wakes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&wakes);
        let events = Events::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        events.push_market([market(1), market(2)]);
        events.push(VenueEvent::Link(LinkChange::Private { up: true }));
        assert!(matches!(events.pop(), Some(VenueEvent::Link(LinkChange::Private { up: true }))));
        assert!(matches!(events.pop(), Some(VenueEvent::Market(event)) if event.time == Timestamp(1)));
        assert!(matches!(events.pop(), Some(VenueEvent::Market(event)) if event.time == Timestamp(2)));
        assert!(events.pop().is_none());
        assert_eq!(wakes.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn an_answer_is_there_once_the_events_before_it_are_taken() {
        let events = Events::new(|| {});
        events.push(VenueEvent::Link(LinkChange::Private { up: true }));
        events.push_followed(FollowOutcome { ticket: 4, result: Ok(Vec::new()) });
        assert!(events.pop_followed().is_none());
        assert!(matches!(events.pop(), Some(VenueEvent::Link(LinkChange::Private { up: true }))));
        assert!(events.pop_followed().is_none());
        assert!(events.pop().is_none());
        assert_eq!(events.pop_followed().map(|outcome| outcome.ticket), Some(4));
    }

    #[test]
    fn an_overflow_becomes_a_gap_not_a_silence() {
        let events = Events::new(|| {});
        events.push_market((0..MARKET_MAX as u64 + 5).map(market));
        assert_eq!(events.counters.dropped_market_events(), 5);
        let rest: Vec<VenueEvent> = core::iter::from_fn(|| events.pop()).collect();
        let downs =
            rest.iter().filter(|e| matches!(e, VenueEvent::Link(LinkChange::Public { up: false }))).count();
        let ups =
            rest.iter().filter(|e| matches!(e, VenueEvent::Link(LinkChange::Public { up: true }))).count();
        assert_eq!((rest.len(), downs, ups), (MARKET_MAX + 2, 1, 1));
    }

    #[test]
    fn an_outcome_is_told_exactly_once() {
        let events = Events::new(|| {});
        Owed::new(Sequence(4), events.clone()).tell(Submission::Accepted { venue_order: None });
        drop(Owed::new(Sequence(5), events.clone()));
        assert!(matches!(
            events.pop(),
            Some(VenueEvent::Submission { of: Sequence(4), outcome: Submission::Accepted { .. } })
        ));
        assert!(matches!(
            events.pop(),
            Some(VenueEvent::Submission { of: Sequence(5), outcome: Submission::Unknown { .. } })
        ));
        assert!(events.pop().is_none());
    }
}
