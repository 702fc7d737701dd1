//! The orders a strategy asked for a moment ago, so that the same one does not go out twice by mistake (row 14).

use std::collections::VecDeque;

use crate::{InstrumentId, PlaceOrder, Price, Qty, Side, Span, TimeInForce, Timestamp};

/// Most orders kept. More in one window than this are bounded by the rate limits.
const KEPT_MAX: usize = 256;

/// Orders placed in the last window, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RecentOrders {
    placed: VecDeque<(Timestamp, Content)>,
}

/// What makes two orders the same. An order that cannot rest is the same at any price: its bound moves with the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) quantity: Qty,
    pub(crate) price: Option<Price>,
}

impl Content {
    pub(crate) fn of(place: &PlaceOrder) -> Self {
        Self::new(place.instrument, place.side, place.quantity, place.price, place.time_in_force)
    }

    pub(crate) fn new(
        instrument: InstrumentId,
        side: Side,
        quantity: Qty,
        price: Option<Price>,
        time_in_force: TimeInForce,
    ) -> Self {
        let rests = matches!(time_in_force, TimeInForce::Gtc | TimeInForce::PostOnly);
        Self { instrument, side, quantity, price: price.filter(|_| rests) }
    }
}

impl RecentOrders {
    /// Notes an order, and forgets those older than the window.
    pub(crate) fn add(&mut self, content: Content, window: Span, now: Timestamp) {
        while self.placed.front().is_some_and(|(at, _)| now.since(*at) >= window) {
            self.placed.pop_front();
        }
        if self.placed.len() >= KEPT_MAX {
            self.placed.pop_front();
        }
        self.placed.push_back((now, content));
    }

    /// How long ago the same order was asked for, when that is within the window.
    pub(crate) fn age(&self, content: &Content, window: Span, now: Timestamp) -> Option<Span> {
        self.placed
            .iter()
            .rev()
            .map(|(at, placed)| (now.since(*at), placed))
            .take_while(|(age, _)| *age < window)
            .find(|(_, placed)| *placed == content)
            .map(|(age, _)| age)
    }
}
