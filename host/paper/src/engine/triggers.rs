//! Conditions: releasing orders whose price has come, and letting trailing stops follow.

use portcullis_core::{Price, Timestamp};

use super::Engine;
use super::event::Event;
use super::margin::Extra;
use super::order::{Closed, Order, OrderKey, Origin, Status};
use super::terms::{Condition, Watched};

impl Engine {
    /// Moves the trailing stops that a last price takes along.
    pub(super) fn follow(&mut self, now: Timestamp, slot: usize, last: Price, out: &mut Vec<Event>) {
        let mut place = 0_usize;
        while let Some(market) = self.markets.get_mut(slot)
            && let Some((key, side, trail)) = market.trails.get(place).copied()
        {
            place = place.saturating_add(1);
            let Some(moved) = trail.after(side, last) else { continue };
            let Some(order) = self.orders.get_mut(&key) else { continue };
            order.trail = Some(moved);
            let rising = side == portcullis_core::Side::Buy;
            order.trigger = Some(Condition { price: moved.stop(side), rising, watches: Watched::Last });
            order.updated = now;
            market.unlist(key);
            market.list(order);
            // Listed anew at the end.
            place = place.saturating_sub(1);
            out.push(Event::Order(order.clone()));
        }
    }

    /// Releases every condition whose price has come, earliest first.
    pub(super) fn fire(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        while let Some(key) = self.due(slot) {
            let Some(mut order) = self.orders.remove(&key) else { return };
            let Some(market) = self.markets.get_mut(slot) else { return };
            market.unlist(key);
            order.status = Status::Triggered;
            order.updated = now;
            let position = market.leg_mut(order.leg);
            let reducible = position.reducible(order.side);
            match order.origin {
                Origin::TakeProfit => position.take_profit = None,
                Origin::StopLoss => position.stop_loss = None,
                Origin::TrailingStop => position.trailing = None,
                Origin::Client
                | Origin::Liquidation
                | Origin::PartialTakeProfit
                | Origin::PartialStopLoss => {}
            }
            if matches!(order.origin, Origin::TakeProfit | Origin::StopLoss | Origin::TrailingStop) {
                // The protection that fires is used up; its twin is cleared when the position is gone.
                order.quantity = reducible;
                position.updated = now;
            } else if order.reduce_only && reducible.0 > 0 {
                // Cut to the position only now, when it matters.
                order.quantity = order.quantity.min(reducible);
            }
            let twin = order.twin.take();
            out.push(Event::Order(order.clone()));
            if order.origin.protects() {
                // Said here, because an order that meets no liquidity changes nothing more.
                self.tell_position(slot, order.leg, out);
            }
            if let Some(twin) = twin {
                self.close_listed(now, slot, twin, Closed::ProtectionCleared, out);
            }
            if order.close_on_trigger {
                self.make_room(now, slot, out);
            }
            if self.covers(slot, &mut order) {
                self.work(now, slot, order, out);
            } else {
                order.status = Status::Rejected;
                order.closed = Closed::Margin;
                out.push(Event::Order(order));
            }
        }
    }

    /// Whether the account pays for a released order.
    fn covers(&self, slot: usize, order: &mut Order) -> bool {
        let Some(market) = self.markets.get(slot) else { return false };
        if order.reduce_only {
            return true;
        }
        if !market.is_spot() {
            let value = Self::value_of(market, order.side, order.price, order.unexecuted());
            let extra = Extra { slot, leg: order.leg, side: order.side, value };
            return self.check_margin(extra).is_ok();
        }
        let spendable = self.spendable(market, order.side);
        let price = order.price.or_else(|| market.reference(order.side)).unwrap_or_default();
        if let Some(budget) = order.budget {
            order.quantity = market.scale.affordable(budget, price, market.spec.step);
        }
        order.spend_max = Some(spendable);
        order.budget.unwrap_or_else(|| Self::needs(market, order.side, price, order.unexecuted()))
            <= spendable
    }

    /// Cancels an instrument's entries where margin is short, so that a closing order gets through.
    fn make_room(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        let margin = self.margin();
        if margin.initial <= margin.equity {
            return;
        }
        let Some(market) = self.markets.get(slot) else { return };
        let working = market.own_bids.iter().chain(&market.own_asks).map(|resting| resting.key);
        let entry = |key: &OrderKey| self.orders.get(key).is_some_and(|order| !order.reduce_only);
        let entries: Vec<OrderKey> = working.filter(entry).collect();
        for key in entries {
            self.close_listed(now, slot, key, Closed::Margin, out);
        }
    }

    fn due(&self, slot: usize) -> Option<OrderKey> {
        let market = self.markets.get(slot)?;
        let met = |condition: &Condition| {
            market.watched(condition.watches).is_some_and(|price| {
                if condition.rising { price >= condition.price } else { price <= condition.price }
            })
        };
        market.conditions.iter().find(|(_, condition)| met(condition)).map(|(key, _)| *key)
    }
}
