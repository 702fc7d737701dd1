//! Matching: how our orders meet recorded liquidity, recorded trades and each other.

use portcullis_core::{Amount, Price, Qty, Side, TimeInForce, Timestamp};

use super::Engine;
use super::account::{Fill, Wallet};
use super::event::{Event, Execution, ExecutionKind};
use super::ladder::{better, opposite};
use super::market::Market;
use super::money::{fee, plus};
use super::order::{Closed, Order, OrderKey, SelfMatch, Slippage, Status};

/// The wallet and the count of what moved it.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) wallet: Wallet,
    pub(super) last_execution: u64,
}

/// How an execution comes about.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) now: Timestamp,
    pub(super) maker: bool,
    pub(super) kind: ExecutionKind,
}

impl Ledger {
    /// Executes up to `quantity` of an order and books it. A reduce-only order executes at most what it can reduce, and closes
    /// when that is nothing. Returns what was executed.
    pub(super) fn execute(
        &mut self,
        how: How,
        market: &mut Market,
        order: &mut Order,
        price: Price,
        quantity: Qty,
        out: &mut Vec<Event>,
    ) -> Qty {
        let mut quantity = Qty(quantity.0.min(order.unexecuted().0));
        if order.reduce_only {
            quantity = Qty(quantity.0.min(market.position.reducible(order.side).0));
        }
        if quantity.0 <= 0 {
            if order.reduce_only {
                close(order, how.now, Closed::ReduceOnly);
            }
            return Qty(0);
        }
        let value = market.scale.value(price, quantity);
        let rate = if how.maker { market.spec.maker_fee } else { market.spec.taker_fee };
        let fee = fee(value, rate);
        let held = market.position.side();
        let (closed, realised) =
            market.position.fill(how.now, Fill { side: order.side, quantity, value, fee });
        if market.position.side() != held {
            // What protected the old position does not protect the new one.
            market.position.take_profit = order.take_profit;
            market.position.stop_loss = order.stop_loss;
        } else if closed.0 == 0 {
            market.position.take_profit = order.take_profit.or(market.position.take_profit);
            market.position.stop_loss = order.stop_loss.or(market.position.stop_loss);
        }
        if market.position.side().is_none() {
            market.position.take_profit = None;
            market.position.stop_loss = None;
        }
        self.wallet.settle(realised, fee);
        order.executed = Qty(order.executed.0.saturating_add(quantity.0));
        order.executed_value = plus(order.executed_value, value);
        order.fees = plus(order.fees, fee);
        order.realised = plus(order.realised, realised);
        order.updated = how.now;
        order.status = if order.unexecuted().0 == 0 { Status::Filled } else { Status::PartiallyFilled };
        self.last_execution = self.last_execution.saturating_add(1);
        out.push(Event::Execution(Execution {
            number: self.last_execution,
            kind: how.kind,
            order: Some(order.key),
            link: order.link.clone(),
            origin: order.origin,
            instrument: order.instrument,
            side: order.side,
            price,
            quantity,
            value,
            fee,
            rate,
            maker: how.maker,
            closed,
            realised,
            order_price: order.price,
            order_quantity: order.quantity,
            leaves: order.leaves(),
            mark: market.mark,
            time: how.now,
        }));
        quantity
    }
}

/// Closes an order unfilled. One that never worked is `Deactivated`.
pub(super) fn close(order: &mut Order, now: Timestamp, why: Closed) {
    order.status = if order.waits() { Status::Deactivated } else { Status::Cancelled };
    order.closed = why;
    order.updated = now;
}

impl Engine {
    /// Sets an accepted order to work: takes what its terms allow, then rests or closes. Emits it once, as it then stands.
    pub(super) fn work(&mut self, now: Timestamp, slot: usize, mut order: Order, out: &mut Vec<Event>) {
        let executions = self.ledger.last_execution;
        order.status = if order.executed.0 > 0 { Status::PartiallyFilled } else { Status::New };
        self.take(now, slot, &mut order, out);
        let Some(market) = self.markets.get_mut(slot) else { return };
        if order.status.is_open() && order.reduce_only && market.position.reducible(order.side).0 == 0 {
            close(&mut order, now, Closed::ReduceOnly);
        }
        if order.status.is_open() {
            match (order.time_in_force, order.price) {
                (TimeInForce::Gtc | TimeInForce::PostOnly, Some(price)) => {
                    order.ahead =
                        if market.quoted { market.joining(order.side).shown(price) } else { Some(Qty(0)) };
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
        match taker.self_match {
            SelfMatch::Allow => {}
            SelfMatch::CancelMaker => return self.close_listed(now, slot, maker, Closed::SelfMatch, out),
            SelfMatch::CancelTaker => return close(taker, now, Closed::SelfMatch),
            SelfMatch::CancelBoth => {
                close(taker, now, Closed::SelfMatch);
                return self.close_listed(now, slot, maker, Closed::SelfMatch, out);
            }
        }
        let (Some(market), Some(resting)) = (self.markets.get_mut(slot), self.orders.get_mut(&maker)) else {
            return;
        };
        let Some(price) = resting.price else { return };
        let how = |maker| How { now, maker, kind: ExecutionKind::Trade };
        let quantity = Qty(taker.unexecuted().0.min(resting.unexecuted().0));
        let quantity = self.ledger.execute(how(true), market, resting, price, quantity, out);
        if quantity.0 > 0 {
            self.ledger.execute(how(false), market, taker, price, quantity, out);
        }
        out.push(Event::Order(resting.clone()));
        self.drop_if_closed(slot, maker);
    }

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

    /// After executions: tells the new position and wallet, and clears what the new position leaves without sense.
    pub(super) fn settle(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        self.protect(now, slot, out);
        let Some(market) = self.markets.get(slot) else { return };
        out.push(Event::Position(market.position.clone()));
        out.push(Event::Wallet(self.ledger.wallet));
        for side in [Side::Buy, Side::Sell] {
            let mut place = 0_usize;
            while let Some(market) = self.markets.get(slot)
                && market.position.reducible(side).0 == 0
                && let Some(resting) = market.own(side).get(place).copied()
            {
                if self.orders.get(&resting.key).is_some_and(|order| order.reduce_only) {
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

    fn drop_if_closed(&mut self, slot: usize, key: OrderKey) -> bool {
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

    /// An order's value at the price it would trade at: its limit, or the best price.
    pub(super) fn value_of(market: &Market, side: Side, price: Option<Price>, quantity: Qty) -> Amount {
        price
            .or_else(|| market.reference(side))
            .map_or(Amount(0), |price| market.scale.value(price, quantity))
    }
}
