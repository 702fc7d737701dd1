//! Conditions: releasing orders whose price has come, and the take-profit and stop-loss of a position.

use portcullis_core::{Amount, InstrumentId, Price, Timestamp};

use super::event::Event;
use super::ladder::{better, opposite};
use super::order::{Closed, Condition, Order, OrderKey, Origin, Status, Watched};
use super::requests::check_price;
use super::{Engine, Reject};

impl Engine {
    /// Sets, moves or removes a position's take-profit and stop-loss. The outer `None` leaves as is, the inner removes.
    ///
    /// # Errors
    ///
    /// [`Reject::NoPosition`] when flat, [`Reject::ProtectionInvalid`] for a price on the wrong side of the last trade,
    /// [`Reject::PriceInvalid`] off tick, [`Reject::ProtectionNotModified`] when it is so already.
    pub fn set_protection(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        take_profit: Option<Option<Price>>,
        stop_loss: Option<Option<Price>>,
        out: &mut Vec<Event>,
    ) -> Result<(), Reject> {
        let slot = self.slot(instrument).ok_or(Reject::UnknownInstrument)?;
        let market = self.markets.get_mut(slot).ok_or(Reject::UnknownInstrument)?;
        let side = market.position.side().ok_or(Reject::NoPosition)?;
        for (price, profit) in [(take_profit.flatten(), true), (stop_loss.flatten(), false)] {
            let Some(price) = price else { continue };
            check_price(&market.spec, price)?;
            let rightly = |last| if profit { better(side, price, last) } else { better(side, last, price) };
            if market.last.is_some_and(|last| !rightly(last)) {
                return Err(Reject::ProtectionInvalid(price));
            }
        }
        let wanted = (
            take_profit.unwrap_or(market.position.take_profit),
            stop_loss.unwrap_or(market.position.stop_loss),
        );
        if wanted == (market.position.take_profit, market.position.stop_loss) {
            return Err(Reject::ProtectionNotModified);
        }
        (market.position.take_profit, market.position.stop_loss) = wanted;
        market.position.updated = now;
        self.protect(now, slot, out);
        self.tell_position(slot, out);
        Ok(())
    }

    /// Makes the protecting orders what the position says they should be.
    pub(super) fn protect(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        for origin in [Origin::TakeProfit, Origin::StopLoss] {
            let Some(market) = self.markets.get(slot) else { return };
            let position = &market.position;
            let price = if origin == Origin::TakeProfit { position.take_profit } else { position.stop_loss };
            let present = self.protecting(slot, origin);
            let wanted = position.side().and_then(|side| Some((opposite(side), price?)));
            if wanted.is_none() && present.is_none() {
                continue;
            }
            let quantity = position.quantity();
            let last = market.last.unwrap_or_default();
            if let Some(key) = present {
                let same = self
                    .orders
                    .get_mut(&key)
                    .filter(|order| wanted == order.trigger.map(|condition| (order.side, condition.price)));
                match same {
                    Some(order) if order.quantity == quantity => continue,
                    Some(order) => {
                        order.quantity = quantity;
                        order.updated = now;
                        out.push(Event::Order(order.clone()));
                        continue;
                    }
                    None => self.close_listed(now, slot, key, Closed::ProtectionCleared, out),
                }
            }
            let Some((side, price)) = wanted else { continue };
            // A long's profit and a short's loss lie above.
            let rising = (side == portcullis_core::Side::Sell) == (origin == Origin::TakeProfit);
            self.last_order = self.last_order.saturating_add(1);
            let key = OrderKey(self.last_order);
            let rank = self.next_rank();
            let Some(market) = self.markets.get_mut(slot) else { return };
            let mut order = Order::closing(key, rank, origin, &market.position, last, now);
            order.trigger = Some(Condition { price, rising, watches: Watched::Last });
            order.status = Status::Untriggered;
            market.list(&order);
            out.push(Event::Order(order.clone()));
            self.orders.insert(order.key, order);
        }
    }

    /// After a client cancelled a protecting order: the position no longer has it.
    pub(super) fn forget_protection(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        let present =
            [Origin::TakeProfit, Origin::StopLoss].map(|origin| self.protecting(slot, origin).is_some());
        let Some(market) = self.markets.get_mut(slot) else { return };
        if !present[0] {
            market.position.take_profit = None;
        }
        if !present[1] {
            market.position.stop_loss = None;
        }
        market.position.updated = now;
        self.tell_position(slot, out);
    }

    /// Releases every condition whose price has come, earliest first.
    pub(super) fn fire(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        while let Some(key) = self.due(slot) {
            let Some(mut order) = self.orders.remove(&key) else { return };
            let Some(market) = self.markets.get_mut(slot) else { return };
            market.unlist(key);
            order.status = Status::Triggered;
            order.updated = now;
            if order.origin == Origin::Client {
                if order.reduce_only {
                    // Cut to the position only now, when it matters.
                    let reducible = market.position.reducible(order.side);
                    if reducible.0 > 0 {
                        order.quantity = order.quantity.min(reducible);
                    }
                }
            } else {
                // The protection that fires is used up; its twin is cleared when the position is gone.
                if order.origin == Origin::TakeProfit {
                    market.position.take_profit = None;
                } else {
                    market.position.stop_loss = None;
                }
                order.quantity = market.position.quantity();
            }
            out.push(Event::Order(order.clone()));
            if order.origin != Origin::Client {
                // Said here, because an order that meets no liquidity changes nothing more.
                self.tell_position(slot, out);
            }
            let value = self.markets.get(slot).map_or(Amount(0), |market| {
                Self::value_of(market, order.side, order.price, order.unexecuted())
            });
            let covered = order.reduce_only || self.check_margin(slot, order.side, value).is_ok();
            if covered {
                self.work(now, slot, order, out);
            } else {
                order.status = Status::Rejected;
                order.closed = Closed::Margin;
                out.push(Event::Order(order));
            }
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

    fn protecting(&self, slot: usize, origin: Origin) -> Option<OrderKey> {
        let conditions = &self.markets.get(slot)?.conditions;
        conditions
            .iter()
            .map(|(key, _)| *key)
            .find(|key| self.orders.get(key).is_some_and(|order| order.origin == origin))
    }

    pub(super) fn tell_position(&self, slot: usize, out: &mut Vec<Event>) {
        if let Some(market) = self.markets.get(slot) {
            out.push(Event::Position(market.position.clone()));
        }
    }
}
