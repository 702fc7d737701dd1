//! What clients ask for: new orders, amends and cancels, each accepted or rejected at once.

use portcullis_core::{
    Amount, Category, InstrumentId, InstrumentSpec, LinkId, Price, Qty, Side, TimeInForce, Timestamp,
};

use super::event::Event;
use super::ladder::better;
use super::market::Market;
use super::money::{minus, plus, share};
use super::order::{
    CancelFilter, Change, Closed, Condition, NewOrder, Order, OrderKey, Origin, Status, Target,
};
use super::{Engine, Reject};

impl Engine {
    /// Accepts an order and sets it to work or to wait for its condition. Acceptance is no promise: a post-only order that would
    /// take, for example, is accepted and then cancelled.
    ///
    /// # Errors
    ///
    /// A [`Reject`]; nothing changed then.
    pub fn submit(
        &mut self,
        now: Timestamp,
        request: NewOrder,
        out: &mut Vec<Event>,
    ) -> Result<OrderKey, Reject> {
        let slot = self.slot(request.instrument).ok_or(Reject::UnknownInstrument)?;
        if request.link.as_ref().is_some_and(|link| self.links.contains_key(link)) {
            return Err(Reject::DuplicateLink);
        }
        let market = self.markets.get(slot).ok_or(Reject::UnknownInstrument)?;
        let quantity = check_order(market, &request)?;
        self.check_counts(market, request.instrument, request.trigger.is_some())?;
        if request.trigger.is_none() && !request.reduce_only {
            let value = Self::value_of(market, request.side, request.price, quantity);
            self.check_margin(slot, request.side, value)?;
        }
        let last_on_created = market.last.unwrap_or_default();
        self.last_order = self.last_order.saturating_add(1);
        let key = OrderKey(self.last_order);
        if let Some(link) = &request.link {
            self.links.insert(link.clone(), key);
        }
        let order = Order {
            key,
            link: request.link,
            instrument: request.instrument,
            side: request.side,
            price: request.price,
            time_in_force: if request.price.is_some() { request.time_in_force } else { TimeInForce::Ioc },
            quantity,
            executed: Qty(0),
            executed_value: Amount(0),
            fees: Amount(0),
            realised: Amount(0),
            reduce_only: request.reduce_only,
            trigger: request.trigger,
            take_profit: request.take_profit,
            stop_loss: request.stop_loss,
            self_match: request.self_match,
            slippage: request.slippage,
            origin: Origin::Client,
            status: if request.trigger.is_some() { Status::Untriggered } else { Status::New },
            closed: Closed::No,
            last_on_created,
            created: now,
            updated: now,
            ahead: None,
            rank: self.next_rank(),
        };
        if order.trigger.is_some() {
            self.wait(slot, order, out);
        } else {
            self.work(now, slot, order, out);
        }
        Ok(key)
    }

    /// Changes an open order. A new price or a larger quantity sends it to the back of the queue; it may then take.
    ///
    /// # Errors
    ///
    /// A [`Reject`]; nothing changed then.
    pub fn amend(
        &mut self,
        now: Timestamp,
        target: Target<'_>,
        change: Change,
        out: &mut Vec<Event>,
    ) -> Result<OrderKey, Reject> {
        let key = self.key(target).ok_or(Reject::NoSuchOrderToAmend)?;
        let old = self.orders.get(&key).ok_or(Reject::NoSuchOrderToAmend)?;
        let slot = self.slot(old.instrument).ok_or(Reject::UnknownInstrument)?;
        let market = self.markets.get(slot).ok_or(Reject::UnknownInstrument)?;
        let mut new = amended(market, old, change)?;
        let grew = new.quantity > old.quantity;
        let back = grew || new.price != old.price;
        if !new.waits() && !new.reduce_only && back {
            let value = |order: &Order| Self::value_of(market, order.side, order.price, order.unexecuted());
            let growth = minus(value(&new), value(old));
            self.check_margin(slot, new.side, Amount(growth.0.max(0)))?;
        }
        new.updated = now;
        if back {
            new.rank = self.next_rank();
        }
        self.orders.remove(&key);
        if let Some(market) = self.markets.get_mut(slot) {
            market.unlist(key);
        }
        if new.waits() || !back {
            self.wait(slot, new, out);
        } else {
            self.work(now, slot, new, out);
        }
        Ok(key)
    }

    /// Cancels an open order.
    ///
    /// # Errors
    ///
    /// [`Reject::NoSuchOrderToCancel`] when there is none.
    pub fn cancel(
        &mut self,
        now: Timestamp,
        target: Target<'_>,
        out: &mut Vec<Event>,
    ) -> Result<OrderKey, Reject> {
        let key = self.key(target).ok_or(Reject::NoSuchOrderToCancel)?;
        let order = self.orders.get(&key).ok_or(Reject::NoSuchOrderToCancel)?;
        let slot = self.slot(order.instrument).ok_or(Reject::NoSuchOrderToCancel)?;
        let protects = matches!(order.origin, Origin::TakeProfit | Origin::StopLoss);
        self.close_listed(now, slot, key, Closed::ByClient, out);
        if protects {
            self.forget_protection(now, slot, out);
        }
        Ok(key)
    }

    /// Cancels open orders, of one instrument or of all. Returns what it cancelled, oldest first.
    pub fn cancel_all(
        &mut self,
        now: Timestamp,
        instrument: Option<InstrumentId>,
        filter: CancelFilter,
        out: &mut Vec<Event>,
    ) -> Vec<(OrderKey, Option<LinkId>)> {
        let chosen = |order: &&Order| {
            instrument.is_none_or(|instrument| instrument == order.instrument)
                && match filter {
                    CancelFilter::All => true,
                    CancelFilter::Working => !order.waits(),
                    CancelFilter::Waiting => order.waits(),
                    CancelFilter::ClientConditions => order.waits() && order.origin == Origin::Client,
                }
        };
        let cancelled: Vec<_> =
            self.orders.values().filter(chosen).map(|order| (order.key, order.link.clone())).collect();
        for (key, _) in &cancelled {
            // Protection comes in pairs, but each has its own key; one that is gone already is no error.
            let _ = self.cancel(now, Target::Key(*key), out);
        }
        cancelled
    }

    /// Lists an order without setting it to work.
    fn wait(&mut self, slot: usize, order: Order, out: &mut Vec<Event>) {
        if let Some(market) = self.markets.get_mut(slot) {
            market.list(&order);
        }
        out.push(Event::Order(order.clone()));
        self.orders.insert(order.key, order);
    }

    fn check_counts(&self, market: &Market, instrument: InstrumentId, waits: bool) -> Result<(), Reject> {
        if waits {
            let ours = |order: &&Order| {
                order.instrument == instrument && order.waits() && order.origin == Origin::Client
            };
            if market.conditions.len() >= self.config.conditions_max
                && self.orders.values().filter(ours).count() >= self.config.conditions_max
            {
                return Err(Reject::TooManyConditions);
            }
        } else if self.orders.len() >= self.config.orders_max
            && self.orders.values().filter(|order| !order.waits()).count() >= self.config.orders_max
        {
            return Err(Reject::TooManyOrders);
        }
        Ok(())
    }

    /// Refuses a further order value that the margin balance does not cover. What does not raise the requirement passes always.
    pub(super) fn check_margin(&self, slot: usize, side: Side, value: Amount) -> Result<(), Reject> {
        let market = self.markets.get(slot).ok_or(Reject::UnknownInstrument)?;
        let before = self.margin();
        let after = self.margin_with(Some((slot, side, value)));
        let fee = share(value, market.spec.taker_fee);
        if after.initial > before.initial && plus(after.initial, fee) > before.equity {
            return Err(Reject::Margin);
        }
        Ok(())
    }
}

/// Checks all that depends on the instrument and the position. Returns the quantity the order will have.
fn check_order(market: &Market, request: &NewOrder) -> Result<Qty, Reject> {
    let spec = &market.spec;
    if spec.category == Category::Spot {
        return Err(Reject::NotTradable);
    }
    for price in [request.price, request.take_profit, request.stop_loss].into_iter().flatten() {
        check_price(spec, price)?;
    }
    if let Some(condition) = request.trigger {
        check_price(spec, condition.price)?;
        check_direction(market, condition)?;
    }
    check_protection(market, request)?;
    let quantity = reduced(market, request)?;
    check_quantity(spec, quantity, request.price.is_none())?;
    if !request.reduce_only {
        check_notional(market, request, quantity)?;
    }
    Ok(quantity)
}

/// The quantity, cut to what a reduce-only order can reduce. Conditions are cut when they are met.
fn reduced(market: &Market, request: &NewOrder) -> Result<Qty, Reject> {
    if !request.reduce_only {
        return Ok(request.quantity);
    }
    let whole = request.quantity.0 == 0;
    if request.trigger.is_some() && !whole {
        return Ok(request.quantity);
    }
    let reducible = market.position.reducible(request.side);
    match market.position.side() {
        None => Err(Reject::NothingToReduce),
        Some(side) if side == request.side => Err(Reject::WouldIncrease),
        Some(_) if whole => Ok(reducible),
        Some(_) => Ok(request.quantity.min(reducible)),
    }
}

pub(super) fn check_price(spec: &InstrumentSpec, price: Price) -> Result<(), Reject> {
    let on_tick = price.0.checked_rem(spec.tick.0) == Some(0);
    if price.0 > 0 && on_tick { Ok(()) } else { Err(Reject::PriceInvalid(price)) }
}

fn check_quantity(spec: &InstrumentSpec, quantity: Qty, market: bool) -> Result<(), Reject> {
    let max = if market { spec.max_market_quantity } else { spec.max_quantity };
    let on_step = quantity.0.checked_rem(spec.step.0) == Some(0);
    if quantity.0 > 0 && on_step && quantity >= spec.min_quantity && quantity <= max {
        Ok(())
    } else {
        Err(Reject::QuantityInvalid(quantity))
    }
}

fn check_notional(market: &Market, request: &NewOrder, quantity: Qty) -> Result<(), Reject> {
    let price = request.price.or(request.trigger.map(|condition| condition.price));
    if price.or_else(|| market.reference(request.side)).is_none() {
        // A market order without a market closes with nothing to take.
        return Ok(());
    }
    let value = Engine::value_of(market, request.side, price, quantity);
    if value < market.spec.min_notional { Err(Reject::NotionalBelowMinimum(value)) } else { Ok(()) }
}

fn check_direction(market: &Market, condition: Condition) -> Result<(), Reject> {
    let Some(current) = market.watched(condition.watches) else { return Ok(()) };
    let trigger = condition.price;
    if condition.rising && trigger <= current {
        Err(Reject::TriggerNotAbove { trigger, current })
    } else if !condition.rising && trigger >= current {
        Err(Reject::TriggerNotBelow { trigger, current })
    } else {
        Ok(())
    }
}

/// Attached protection must lie on its side of the price at which the order would trade.
fn check_protection(market: &Market, request: &NewOrder) -> Result<(), Reject> {
    if request.reduce_only && (request.take_profit.is_some() || request.stop_loss.is_some()) {
        return Err(Reject::ProtectionOnReduceOnly);
    }
    let base = request.price.or(request.trigger.map(|condition| condition.price));
    let Some(base) = base.or_else(|| market.reference(request.side)) else { return Ok(()) };
    match (request.take_profit, request.stop_loss) {
        (Some(price), _) if !better(request.side, price, base) => Err(Reject::ProtectionInvalid(price)),
        (_, Some(price)) if !better(request.side, base, price) => Err(Reject::ProtectionInvalid(price)),
        _ => Ok(()),
    }
}

fn amended(market: &Market, old: &Order, change: Change) -> Result<Order, Reject> {
    let mut new = old.clone();
    if let Some(price) = change.price.filter(|_| old.price.is_some()) {
        check_price(&market.spec, price)?;
        new.price = Some(price);
    }
    if let Some(quantity) = change.quantity {
        if quantity <= old.executed {
            return Err(Reject::QuantityExecuted);
        }
        check_quantity(&market.spec, quantity, old.price.is_none())?;
        new.quantity = quantity;
    }
    if let (Some(price), Some(condition)) = (change.trigger, old.trigger.filter(|_| old.waits())) {
        check_price(&market.spec, price)?;
        let condition = Condition { price, ..condition };
        check_direction(market, condition)?;
        new.trigger = Some(condition);
    }
    if new == *old {
        return Err(Reject::NotModified);
    }
    if let Some(price) = new.price.filter(|_| !new.reduce_only) {
        let value = market.scale.value(price, new.quantity);
        if value < market.spec.min_notional {
            return Err(Reject::NotionalBelowMinimum(value));
        }
    }
    Ok(new)
}
