//! Fills: partial, whole, and clamped where an order may only reduce.

use portcullis_core::{CloseReason, ExecutionKind, Side, TimeInForce, VenueStatus};

use super::{Exchange, Resting};

impl Exchange {
    /// How much an order that may only reduce could trade.
    pub(super) fn reducible(&self, instrument: usize, side: Side) -> i64 {
        let position = self.positions[instrument];
        if side == Side::Sell { position.max(0) } else { (-position).max(0) }
    }

    pub(super) fn would_take(&self, order: &Resting) -> bool {
        let market = &self.markets[order.instrument];
        match (order.price, order.side) {
            (None, _) => true,
            (Some(price), Side::Buy) => price >= market.ask,
            (Some(price), Side::Sell) => price <= market.bid,
        }
    }

    /// An order that meets the market fills, in part or whole.
    pub(super) fn take(&mut self, number: u64) {
        let Some(order) = self.orders.get(&number) else { return };
        let price = self.markets[order.instrument].taker_price(order.side);
        let left = order.left();
        let whole = order.time_in_force == TimeInForce::Fok || self.rng.chance(600);
        let quantity = if whole { left } else { self.rng.between(0, left) };
        if order.time_in_force == TimeInForce::Fok && self.rng.chance(300) {
            return;
        }
        self.fill(number, price, quantity, false);
    }

    /// Lets a market meet the orders in it.
    pub(super) fn match_all(&mut self, instrument: usize) {
        let open: Vec<u64> = self.open_in(instrument).map(|order| order.number).collect();
        for number in open {
            self.trigger(number);
            let Some(order) = self.orders.get(&number) else { continue };
            let works = matches!(order.status, VenueStatus::Working | VenueStatus::PartiallyFilled);
            let Some(price) = order.price.filter(|_| works) else { continue };
            let market = &self.markets[instrument];
            let touch = if order.side == Side::Buy { market.bid <= price } else { market.ask >= price };
            if self.would_take(order) || (touch && self.rng.chance(80)) {
                let left = order.left();
                let quantity = if self.rng.chance(400) { left } else { self.rng.between(0, left) };
                self.fill(number, price, quantity, true);
            }
        }
        self.shed_reductions(instrument);
    }

    fn trigger(&mut self, number: u64) {
        let Some(order) = self.orders.get(&number) else { return };
        let Some(trigger) = order.trigger.filter(|_| order.status == VenueStatus::Untriggered) else {
            return;
        };
        let market = &self.markets[order.instrument];
        let reached = match trigger.rising {
            true => market.bid >= trigger.price.0,
            false => market.ask <= trigger.price.0,
        };
        if reached {
            for status in [VenueStatus::Triggered, VenueStatus::Working] {
                let mut order = self.orders[&number].clone();
                order.status = status;
                self.tell(order);
            }
        }
    }

    /// Fills an order, no further than it may.
    pub(super) fn fill(&mut self, number: u64, price: i64, quantity: i64, maker: bool) {
        let Some(mut order) = self.orders.get(&number).filter(|order| order.is_open()).cloned() else {
            return;
        };
        let most = match order.reduce_only {
            true => order.left().min(self.reducible(order.instrument, order.side)),
            false => order.left(),
        };
        let quantity = quantity.min(most);
        if quantity <= 0 {
            return;
        }
        order.executed += quantity;
        order.status = if order.left() == 0 { VenueStatus::Filled } else { VenueStatus::PartiallyFilled };
        // The order and the execution are different topics: which comes first is open.
        if self.rng.chance(500) {
            self.tell(order.clone());
            self.execute(&order, ExecutionKind::Trade, price, quantity, maker);
        } else {
            self.execute(&order, ExecutionKind::Trade, price, quantity, maker);
            self.tell(order.clone());
        }
        if self.positions[order.instrument] != 0 && !order.reduce_only {
            self.protect(order.instrument, order.take_profit, order.stop_loss);
        }
        self.shed_reductions(order.instrument);
    }

    /// Executes an order that was already reported cancelled, as venues now and then do.
    pub(crate) fn fill_late(&mut self) -> bool {
        let closed = |order: &&Resting| {
            order.status == VenueStatus::Cancelled
                && order.left() > 0
                && !order.reduce_only
                && order.link.is_some()
                && order.price.is_some()
        };
        let Some(mut order) = self.orders.values().rev().take(8).find(closed).cloned() else { return false };
        let quantity = self.rng.between(1, order.left());
        order.executed += quantity;
        self.disturbed[order.instrument] = true;
        let price = order.price.unwrap_or_default();
        self.execute(&order, ExecutionKind::Trade, price, quantity, true);
        self.tell(order);
        true
    }

    /// Orders that may only reduce do not outlive what they could reduce.
    pub(super) fn shed_reductions(&mut self, instrument: usize) {
        let open: Vec<Resting> = self
            .open_in(instrument)
            .filter(|order| order.reduce_only)
            .filter(|order| self.reducible(instrument, order.side) == 0)
            .cloned()
            .collect();
        for order in open {
            self.close(order, VenueStatus::Cancelled, CloseReason::ReduceOnly);
        }
    }
}
