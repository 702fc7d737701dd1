//! Matching: how an incoming order meets recorded liquidity and our own resting orders.

use portcullis_core::{Price, Qty, Side, TimeInForce, Timestamp};

use super::Engine;
use super::event::{Event, ExecutionKind};
use super::ladder::{better, opposite};
use super::ledger::{How, close};
use super::market::Market;
use super::order::{Closed, Order, OrderKey, Status};
use super::terms::{SelfMatch, Slippage};
use super::wallet::Pocket;

impl Engine {
    /// Sets an accepted order to work: takes what its terms allow, then rests or closes. Emits it once, as it then stands.
    pub(super) fn work(&mut self, now: Timestamp, slot: usize, mut order: Order, out: &mut Vec<Event>) {
        let executions = self.ledger.last_execution;
        order.status = if order.executed.0 > 0 { Status::PartiallyFilled } else { Status::New };
        self.take(now, slot, &mut order, out);
        let Some(market) = self.markets.get_mut(slot) else { return };
        if order.status.is_open() && order.reduce_only && market.leg(order.leg).reducible(order.side).0 == 0 {
            close(&mut order, now, Closed::ReduceOnly);
        }
        if order.status.is_open() {
            match (order.time_in_force, order.price) {
                (TimeInForce::Gtc | TimeInForce::PostOnly, Some(price)) => {
                    order.ahead =
                        if market.quoted { market.joining(order.side).shown(price) } else { Some(Qty(0)) };
                    order.spend_max = None;
                    market.list(&order);
                    self.orders.insert(order.key, order.clone());
                }
                _ if order.executed.0 == 0 => close(&mut order, now, Closed::NothingToTake),
                _ => close(&mut order, now, Closed::NotFull),
            }
        }
        out.push(Event::Order(order));
        if self.ledger.last_execution != executions {
            self.settle(now, slot, out);
        }
    }

    /// Takes liquidity inside the order's bound. Closes an order whose terms forbid what it would do.
    fn take(&mut self, now: Timestamp, slot: usize, order: &mut Order, out: &mut Vec<Event>) {
        let Some(market) = self.markets.get(slot) else { return };
        let Some(bound) = order.price.or_else(|| self.bound(market, order)) else { return };
        let in_bound = |price: Price| !better(order.side, price, bound);
        let meets_own = market.own(opposite(order.side)).first().is_some_and(|own| in_bound(own.price));
        let facing = market.facing(order.side);
        match order.time_in_force {
            TimeInForce::PostOnly => {
                if meets_own || facing.offer(bound).is_some() {
                    close(order, now, Closed::WouldTake);
                }
                return;
            }
            TimeInForce::Fok => {
                let own = market.own(opposite(order.side)).iter().take_while(|own| in_bound(own.price));
                let own = match order.self_match {
                    SelfMatch::Allow => own
                        .filter_map(|own| self.orders.get(&own.key))
                        .fold(0_i64, |sum, own| sum.saturating_add(own.leaves().0)),
                    SelfMatch::CancelMaker | SelfMatch::CancelTaker | SelfMatch::CancelBoth => 0,
                };
                if facing.offered(bound).0.saturating_add(own) < order.unexecuted().0 {
                    close(order, now, Closed::NotFull);
                    return;
                }
            }
            TimeInForce::Gtc | TimeInForce::Ioc => {}
        }
        let how = How { now, maker: false, kind: ExecutionKind::Trade };
        while order.status.is_open() && order.unexecuted().0 > 0 {
            let Some(market) = self.markets.get_mut(slot) else { return };
            let offer = market.facing(order.side).offer(bound);
            let own = market.own(opposite(order.side)).first().copied();
            let own = own.filter(|own| !better(order.side, own.price, bound));
            let price = [offer.map(|offer| offer.price), own.map(|own| own.price)].into_iter().flatten();
            let best = price.reduce(|one, two| if better(order.side, one, two) { two } else { one });
            if best.is_some_and(|best| self.ledger.room(market, order, best).0 == 0) {
                // Nothing is left to reduce, or the wallet does not pay for one more step.
                if order.reduce_only {
                    close(order, now, Closed::ReduceOnly);
                }
                break;
            }
            match (offer, own) {
                // At one price the recorded liquidity was there first.
                (offer, Some(own))
                    if offer.is_none_or(|offer| better(opposite(order.side), own.price, offer.price)) =>
                {
                    self.meet(now, slot, order, own.key, out);
                }
                (Some(offer), _) => {
                    let quantity = self.ledger.execute(how, market, order, offer.price, offer.quantity, out);
                    market.facing_mut(order.side).take(offer.price, quantity);
                }
                (None, _) => break,
            }
        }
    }

    /// An incoming order meets a resting one of the same account.
    fn meet(
        &mut self,
        now: Timestamp,
        slot: usize,
        taker: &mut Order,
        maker: OrderKey,
        out: &mut Vec<Event>,
    ) {
        let (takes, rests) = match taker.self_match {
            SelfMatch::Allow => (true, true),
            SelfMatch::CancelMaker => (true, false),
            SelfMatch::CancelTaker => (false, true),
            SelfMatch::CancelBoth => (false, false),
        };
        if !takes {
            taker.met = Some(maker);
            close(taker, now, Closed::SelfMatch);
        }
        if !rests {
            if let Some(resting) = self.orders.get_mut(&maker) {
                resting.met = Some(taker.key);
            }
            self.close_listed(now, slot, maker, Closed::SelfMatch, out);
        }
        if !(takes && rests) {
            return;
        }
        let (Some(market), Some(resting)) = (self.markets.get_mut(slot), self.orders.get_mut(&maker)) else {
            return;
        };
        let Some(price) = resting.price else { return };
        let how = |maker| How { now, maker, kind: ExecutionKind::Trade };
        let quantity = Qty(self.ledger.room(market, taker, price).0.min(resting.unexecuted().0));
        let quantity = self.ledger.execute(how(true), market, resting, price, quantity, out);
        if quantity.0 > 0 {
            self.ledger.execute(how(false), market, taker, price, quantity, out);
        }
        out.push(Event::Order(resting.clone()));
        self.drop_if_closed(slot, maker);
    }

    /// After executions: tells the new positions and wallets, and clears what they leave without sense.
    pub(super) fn settle(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        self.account_changed();
        self.protect(now, slot, out);
        let Some(market) = self.markets.get(slot) else { return };
        let moved = market.positions().iter().filter(|position| position.updated == now);
        out.extend(moved.cloned().map(Event::Position));
        out.push(Event::Wallet(*self.ledger.wallets.get(Pocket::USDT)));
        if market.is_spot() {
            out.push(Event::Wallet(*self.ledger.wallets.get(market.base)));
        }
        for side in [Side::Buy, Side::Sell] {
            let mut place = 0_usize;
            while let Some(market) = self.markets.get(slot)
                && let Some(resting) = market.own(side).get(place).copied()
            {
                let idle = |order: &Order| order.reduce_only && market.leg(order.leg).reducible(side).0 == 0;
                if self.orders.get(&resting.key).is_some_and(idle) {
                    self.close_listed(now, slot, resting.key, Closed::ReduceOnly, out);
                } else {
                    place = place.saturating_add(1);
                }
            }
        }
    }

    /// Closes an order that rests or waits.
    pub(super) fn close_listed(
        &mut self,
        now: Timestamp,
        slot: usize,
        key: OrderKey,
        why: Closed,
        out: &mut Vec<Event>,
    ) {
        let Some(mut order) = self.orders.remove(&key) else { return };
        if let Some(market) = self.markets.get_mut(slot) {
            market.unlist(key);
        }
        close(&mut order, now, why);
        out.push(Event::Order(order));
    }

    pub(super) fn drop_if_closed(&mut self, slot: usize, key: OrderKey) -> bool {
        let closed = self.orders.get(&key).is_some_and(|order| !order.status.is_open());
        if closed {
            self.orders.remove(&key);
            if let Some(market) = self.markets.get_mut(slot) {
                market.unlist(key);
            }
        }
        closed
    }

    /// The worst price a market order may reach; `None` while the market has no price at all.
    fn bound(&self, market: &Market, order: &Order) -> Option<Price> {
        let best = market.reference(order.side)?;
        let distance = match order.slippage.unwrap_or(Slippage::BasisPoints(self.config.slippage_bps)) {
            Slippage::Ticks(ticks) => market.spec.tick.0.saturating_mul(i64::from(ticks)),
            Slippage::BasisPoints(points) => {
                let product = i128::from(best.0).saturating_mul(i128::from(points)).div_euclid(10_000);
                let distance = i64::try_from(product).unwrap_or(i64::MAX);
                distance.saturating_sub(distance.checked_rem(market.spec.tick.0).unwrap_or(0))
            }
        };
        Some(Price(match order.side {
            Side::Buy => best.0.saturating_add(distance),
            Side::Sell => best.0.saturating_sub(distance).max(market.spec.tick.0),
        }))
    }
}
