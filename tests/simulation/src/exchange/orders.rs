//! What clients ask: create, amend, cancel.

use portcullis_core::{
    AmendOrder, CancelScope, CloseReason, CreatedBy, ExecutionReport, LinkId, PlaceOrder, RejectionKind,
    SetProtection, TimeInForce, VenueOrderId, VenueStatus,
};

use super::{Exchange, Resting, name};

/// A definitive no.
pub(crate) type Refusal = (RejectionKind, i32);

impl Exchange {
    /// Creates an order under a client id. With `turned_down` the acknowledged order is rejected by the stream afterwards.
    pub(crate) fn create(
        &mut self,
        link: &LinkId,
        place: &PlaceOrder,
        turned_down: bool,
    ) -> Result<VenueOrderId, Refusal> {
        if self.by_link.contains_key(link) {
            return Err((RejectionKind::DuplicateLinkId, 110_072));
        }
        let instrument = place.instrument.0 as usize;
        if place.reduce_only && self.reducible(instrument, place.side) == 0 {
            return Err((RejectionKind::ReduceOnly, 110_017));
        }
        let number = self.next_number();
        let order = Resting {
            number,
            link: Some(link.clone()),
            instrument,
            side: place.side,
            price: place.price.map(|price| price.0),
            quantity: place.quantity.0,
            executed: 0,
            time_in_force: place.time_in_force,
            reduce_only: place.reduce_only,
            trigger: place.trigger,
            stop_loss: place.stop_loss.map(|price| price.0),
            take_profit: place.take_profit.map(|price| price.0),
            created_by: CreatedBy::Client,
            status: if place.trigger.is_some() { VenueStatus::Untriggered } else { VenueStatus::Working },
            reason: CloseReason::None,
            updated: self.stamp(),
        };
        self.by_link.insert(link.clone(), number);
        if turned_down {
            self.close(order, VenueStatus::Rejected, CloseReason::Margin);
            return Ok(name(number));
        }
        let takes = order.trigger.is_none() && self.would_take(&order);
        if takes && order.time_in_force == TimeInForce::PostOnly {
            self.close(order, VenueStatus::Cancelled, CloseReason::WouldTake);
            return Ok(name(number));
        }
        self.tell(order);
        if takes {
            self.take(number);
        }
        self.end_brief(number);
        Ok(name(number))
    }

    /// Changes an order.
    pub(crate) fn amend(&mut self, amend: &AmendOrder) -> Result<VenueOrderId, Refusal> {
        let Some(mut order) = self.open_by_link(&amend.link) else {
            return Err((RejectionKind::NoSuchOrder, 110_001));
        };
        let price = amend.price.map(|price| price.0).or(order.price);
        let quantity = amend.quantity.map_or(order.quantity, |quantity| quantity.0);
        if price == order.price && quantity == order.quantity {
            return Err((RejectionKind::NotModified, 10_001));
        }
        if quantity <= order.executed {
            return Err((RejectionKind::Invalid, 110_003));
        }
        let number = order.number;
        order.price = price;
        order.quantity = quantity;
        let takes = order.trigger.is_none() && self.would_take(&order);
        if takes && order.time_in_force == TimeInForce::PostOnly {
            self.close(order, VenueStatus::Cancelled, CloseReason::WouldTake);
            return Ok(name(number));
        }
        self.tell(order);
        if takes {
            self.take(number);
        }
        Ok(name(number))
    }

    /// Finds the order to cancel; [`Exchange::cancelled`] does it.
    pub(crate) fn to_cancel(&self, link: &LinkId) -> Result<u64, Refusal> {
        self.open_by_link(link).map(|order| order.number).ok_or((RejectionKind::NoSuchOrder, 110_001))
    }

    /// The cancel takes effect, if there still is something to cancel.
    pub(crate) fn cancelled(&mut self, number: u64) {
        if let Some(order) = self.orders.get(&number).filter(|order| order.is_open()).cloned() {
            let status = match order.status {
                VenueStatus::Untriggered => VenueStatus::Deactivated,
                _ => VenueStatus::Cancelled,
            };
            self.close(order, status, CloseReason::Other);
        }
    }

    /// Orders that a cancel-all takes: active ones of either kind, or those that wait for a trigger.
    pub(crate) fn to_cancel_all(&self, instrument: usize, scope: CancelScope) -> Vec<u64> {
        let waits = |order: &Resting| order.status == VenueStatus::Untriggered;
        self.open_in(instrument)
            .filter(|order| waits(order) == (scope == CancelScope::Conditional))
            .map(|order| order.number)
            .collect()
    }

    /// Sets a position's take-profit and stop-loss, as a client asks.
    pub(crate) fn set_protection(&mut self, set: &SetProtection) -> Result<(), Refusal> {
        let instrument = set.instrument.0 as usize;
        let (position, market) = (self.positions[instrument], self.markets[instrument]);
        let stop = set.stop_loss.map(|price| price.0);
        let beyond =
            stop.is_some_and(|stop| if position > 0 { stop >= market.bid } else { stop <= market.ask });
        if position == 0 || beyond {
            return Err((RejectionKind::Invalid, 10_001));
        }
        self.protect(instrument, set.take_profit.map(|price| price.0), stop);
        Ok(())
    }

    /// Protects a position, and tells of it.
    pub(super) fn protect(&mut self, instrument: usize, take_profit: Option<i64>, stop_loss: Option<i64>) {
        let before = self.protection[instrument];
        let protection = &mut self.protection[instrument];
        protection.take_profit = take_profit.or(protection.take_profit);
        protection.stop_loss = stop_loss.or(protection.stop_loss);
        if *protection != before {
            let report = self.position_report(instrument);
            self.out.push(ExecutionReport::Position(report));
        }
    }

    fn open_by_link(&self, link: &LinkId) -> Option<Resting> {
        self.order_of(link).filter(|order| order.is_open()).cloned()
    }

    /// An order that cannot rest ends with what it got.
    fn end_brief(&mut self, number: u64) {
        let Some(order) = self.orders.get(&number).filter(|order| order.is_open()) else { return };
        let brief =
            matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok) || order.price.is_none();
        if brief && order.trigger.is_none() {
            let order = order.clone();
            self.close(order, VenueStatus::Cancelled, CloseReason::NoLiquidity);
        }
    }
}
