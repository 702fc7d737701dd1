//! What clients ask of their orders: new ones, amends and cancels, each accepted or rejected at once.

use portcullis_core::{Amount, InstrumentId, LinkId, Qty, Side, Timestamp};

use super::event::Event;
use super::margin::Extra;
use super::market::Market;
use super::money::minus;
use super::order::{Closed, Order, OrderKey, Origin};
use super::terms::{CancelFilter, Change, NewOrder, Target};
use super::{Engine, Leg, Reject, checks};

impl Engine {
    /// Accepts an order and sets it to work or to wait for its condition. Acceptance is no promise: a post-only order that would
    /// take, for example, is accepted and then cancelled. A reduce-only order beyond the instrument's largest quantity becomes
    /// several; the first has the client's name.
    ///
    /// # Errors
    ///
    /// A [`Reject`]; nothing changed then.
    pub fn submit(
        &mut self,
        now: Timestamp,
        mut request: NewOrder,
        out: &mut Vec<Event>,
    ) -> Result<OrderKey, Reject> {
        let slot = self.slot(request.instrument).ok_or(Reject::UnknownInstrument)?;
        if request.link.as_ref().is_some_and(|link| self.links.contains_key(link)) {
            return Err(Reject::DuplicateLink);
        }
        let market = self.markets.get(slot).ok_or(Reject::UnknownInstrument)?;
        if !market.spec.trading {
            return Err(Reject::NotTradable);
        }
        if (request.leg == Leg::Net) == market.is_hedged() {
            return Err(Reject::PositionIndex);
        }
        request.reduce_only |= request.close_on_trigger || request.leg.is_closed_by(request.side);
        let quantity = if market.is_spot() {
            request.reduce_only = false;
            self.check_spot(market, &request)?
        } else {
            request.budget = None;
            request.reserves = false;
            let quantity = checks::linear_order(market, &request)?;
            request.price = request.price.map(|price| self.in_band(market, request.side, price));
            quantity
        };
        self.check_counts(market, &request)?;
        if request.trigger.is_none() && !request.reduce_only && !market.is_spot() {
            let value = Self::value_of(market, request.side, request.price, quantity);
            self.check_margin(Extra { slot, leg: request.leg, side: request.side, value })?;
        }
        let most = checks::most(&market.spec, request.price.is_none());
        let first = OrderKey(self.last_order.saturating_add(1));
        let mut left = quantity;
        while left.0 > 0 {
            let part = if request.reduce_only { left.min(most) } else { left };
            left = Qty(left.0.saturating_sub(part.0));
            self.start(now, slot, &request, part, out);
            if let Some(link) = request.link.take() {
                self.links.insert(link, first);
            }
        }
        Ok(first)
    }

    /// Sets one accepted order to work or to wait.
    fn start(
        &mut self,
        now: Timestamp,
        slot: usize,
        request: &NewOrder,
        quantity: Qty,
        out: &mut Vec<Event>,
    ) {
        self.last_order = self.last_order.saturating_add(1);
        let (key, rank) = (OrderKey(self.last_order), self.next_rank());
        let Some(market) = self.markets.get(slot) else { return };
        let last = market.last.unwrap_or_default();
        let mut order = Order::new(key, rank, request, quantity, last, now);
        if order.trigger.is_some() {
            self.wait(slot, order, out);
        } else {
            order.spend_max = market.is_spot().then(|| self.spendable(market, order.side));
            self.work(now, slot, order, out);
        }
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
        if old.origin == Origin::TrailingStop || (old.origin.protects() && change.quantity.is_some()) {
            return Err(Reject::ProtectionFixed);
        }
        let mut change = change;
        if !market.is_spot() {
            change.price = change.price.map(|price| self.in_band(market, old.side, price));
        }
        let mut new = checks::amended(market, old, change)?;
        let back = new.quantity > old.quantity || new.price != old.price;
        if market.is_spot() {
            new.spend_max = Some(self.check_spot_growth(market, old, &new)?);
        } else if !new.waits() && !new.reduce_only && back {
            let value = |order: &Order| Self::value_of(market, order.side, order.price, order.unexecuted());
            let growth = Amount(minus(value(&new), value(old)).0.max(0));
            self.check_margin(Extra { slot, leg: new.leg, side: new.side, value: growth })?;
        }
        new.updated = now;
        if back {
            new.rank = self.next_rank();
        }
        self.orders.remove(&key);
        if let Some(market) = self.markets.get_mut(slot) {
            market.unlist(key);
        }
        let moved = new.trigger.filter(|_| new.waits()).map(|condition| (new.origin, new.leg, condition));
        if new.waits() || !back {
            self.wait(slot, new, out);
        } else {
            self.work(now, slot, new, out);
        }
        if let Some((origin, leg, condition)) = moved {
            self.protection_amended(now, slot, leg, origin, condition, out);
        }
        Ok(key)
    }

    /// Refuses an amend that the wallet does not pay for. Returns what the amended order may spend in all.
    fn check_spot_growth(&self, market: &Market, old: &Order, new: &Order) -> Result<Amount, Reject> {
        let holds = !old.waits() || old.reserves;
        let held = |order: &Order| {
            let price = order.price.or(order.trigger.map(|condition| condition.price)).unwrap_or_default();
            Self::needs(market, order.side, price, order.unexecuted())
        };
        let spendable = super::money::plus(self.spendable(market, new.side), held(old));
        if holds && held(new) > spendable {
            return Err(Reject::Balance);
        }
        Ok(if new.side == Side::Buy { super::money::plus(spendable, new.executed_value) } else { spendable })
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
        let (origin, leg) = (order.origin, order.leg);
        self.close_listed(now, slot, key, Closed::ByClient, out);
        self.forget_protection(now, slot, leg, origin, out);
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
                    CancelFilter::ClientConditions => {
                        order.waits() && order.origin == Origin::Client && !order.reserves
                    }
                    CancelFilter::Reserving => order.waits() && order.reserves,
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
    pub(super) fn wait(&mut self, slot: usize, mut order: Order, out: &mut Vec<Event>) {
        order.spend_max = None;
        if let Some(market) = self.markets.get_mut(slot) {
            market.list(&order);
        }
        out.push(Event::Order(order.clone()));
        self.orders.insert(order.key, order);
    }
}
