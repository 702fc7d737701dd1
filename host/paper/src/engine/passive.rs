//! Resting orders: how recorded trades and book changes reach them in their queue.

use portcullis_core::{Price, Qty, Side, Timestamp};

use super::Engine;
use super::event::{Event, ExecutionKind};
use super::ladder::{better, opposite};
use super::ledger::How;

impl Engine {
    /// A recorded trade reaches our resting orders. With quotes known, only those that the taker would have met; with trades
    /// alone, both sides (RULES P3). The trade's volume fills us at most once.
    pub(super) fn fill_by_trade(
        &mut self,
        now: Timestamp,
        slot: usize,
        price: Price,
        volume: Qty,
        taker: Side,
        out: &mut Vec<Event>,
    ) {
        let executions = self.ledger.last_execution;
        let quoted = self.markets.get(slot).is_some_and(|market| market.quoted);
        let mut left = volume;
        for side in [opposite(taker), taker] {
            if side == opposite(taker) || !quoted {
                left = self.fill_side_by_trade(now, slot, side, price, left, out);
            }
        }
        if self.ledger.last_execution != executions {
            self.settle(now, slot, out);
        }
    }

    /// Returns what our orders of `side` left of the volume.
    fn fill_side_by_trade(
        &mut self,
        now: Timestamp,
        slot: usize,
        side: Side,
        price: Price,
        volume: Qty,
        out: &mut Vec<Event>,
    ) -> Qty {
        let mut left = volume;
        let mut place = 0_usize;
        let how = How { now, maker: true, kind: ExecutionKind::Trade };
        while left.0 > 0 {
            let Some(market) = self.markets.get_mut(slot) else { break };
            let Some(resting) = market.own(side).get(place).copied() else { break };
            if better(side, price, resting.price) {
                break;
            }
            let Some(order) = self.orders.get_mut(&resting.key) else { break };
            let mut reaches = left;
            if resting.price == price {
                match order.ahead {
                    // The level has not been seen, so nobody knows how much stands in front.
                    None if market.quoted => reaches = Qty(0),
                    None => {}
                    Some(ahead) => {
                        let passed = ahead.0.min(left.0);
                        order.ahead = Some(Qty(ahead.0.saturating_sub(passed)));
                        reaches = Qty(left.0.saturating_sub(passed));
                    }
                }
            } else {
                order.ahead = Some(Qty(0));
            }
            place = place.saturating_add(1);
            if reaches.0 > 0 {
                let quantity = self.ledger.execute(how, market, order, resting.price, reaches, out);
                left = Qty(left.0.saturating_sub(quantity.0));
                out.push(Event::Order(order.clone()));
                if self.drop_if_closed(slot, resting.key) {
                    place = place.saturating_sub(1);
                }
            }
        }
        left
    }

    /// The recorded book moved: our places in it change, and orders that it now crosses fill at their own price.
    pub(super) fn fill_by_book(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        let executions = self.ledger.last_execution;
        for side in [Side::Buy, Side::Sell] {
            self.update_places(slot, side);
            self.fill_crossed(now, slot, side, out);
        }
        if self.ledger.last_execution != executions {
            self.settle(now, slot, out);
        }
    }

    fn update_places(&mut self, slot: usize, side: Side) {
        let Some(market) = self.markets.get(slot) else { return };
        for resting in market.own(side) {
            let (Some(shown), Some(order)) =
                (market.joining(side).shown(resting.price), self.orders.get_mut(&resting.key))
            else {
                continue;
            };
            // What left the level left from behind us, unless nothing that large can be in front any more.
            order.ahead = Some(order.ahead.map_or(shown, |ahead| ahead.min(shown)));
        }
    }

    fn fill_crossed(&mut self, now: Timestamp, slot: usize, side: Side, out: &mut Vec<Event>) {
        let how = How { now, maker: true, kind: ExecutionKind::Trade };
        loop {
            let Some(market) = self.markets.get_mut(slot) else { return };
            let Some(resting) = market.own(side).first().copied() else { return };
            let Some(offer) = market.facing(side).offer(resting.price) else { return };
            let Some(order) = self.orders.get_mut(&resting.key) else { return };
            let quantity = self.ledger.execute(how, market, order, resting.price, offer.quantity, out);
            market.facing_mut(side).take(offer.price, quantity);
            out.push(Event::Order(order.clone()));
            self.drop_if_closed(slot, resting.key);
        }
    }
}
