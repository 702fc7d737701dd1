//! The options of an order.

use crate::action::{OrderNumber, Place, TimeInForce, Trigger, TriggerDirection};
use crate::{Price, Time};

/// An order that is placed already, open for its options until the end of the statement.
///
/// [`NewOrder::market`](crate::NewOrder::market) and [`NewOrder::limit`](crate::NewOrder::limit) place at once, so an order
/// cannot be forgotten for want of a closing call, and its number is known:
///
/// ```
/// # use portcullis_sdk::{Context, InstrumentId, OrderNumber, Price, Qty};
/// fn enter(ctx: &mut Context, on: InstrumentId, at: Price, size: Qty) -> OrderNumber {
///     ctx.buy(on).limit(at, size).post_only().tag(1).number()
/// }
/// ```
#[derive(Debug)]
pub struct Placed<'ctx> {
    place: &'ctx mut Place,
    number: OrderNumber,
}

impl<'ctx> Placed<'ctx> {
    pub(crate) fn new(place: &'ctx mut Place, number: OrderNumber) -> Self {
        Self { place, number }
    }

    /// The order's number, to amend or cancel it and to know its events.
    #[must_use]
    pub const fn number(&self) -> OrderNumber {
        self.number
    }

    /// Sets the strategy's own mark, echoed in every event of the order; 0 without it.
    pub fn tag(self, tag: u64) -> Self {
        self.place.tag = tag;
        self
    }

    /// The order may only reduce the position.
    pub fn reduce_only(self) -> Self {
        self.place.reduce_only = true;
        self
    }

    /// A limit order that would take is cancelled instead.
    pub fn post_only(self) -> Self {
        self.time_in_force(TimeInForce::PostOnly)
    }

    /// What does not fill at once is cancelled. Market orders always are so.
    pub fn immediate_or_cancel(self) -> Self {
        self.time_in_force(TimeInForce::Ioc)
    }

    /// The order fills whole at once or not at all.
    pub fn fill_or_kill(self) -> Self {
        self.time_in_force(TimeInForce::Fok)
    }

    /// Holds the order back until the last price is at or above `price`.
    pub fn when_risen_to(self, price: Price) -> Self {
        self.place.trigger = Some(Trigger { price, direction: TriggerDirection::Rise });
        self
    }

    /// Holds the order back until the last price is at or below `price`.
    pub fn when_fallen_to(self, price: Price) -> Self {
        self.place.trigger = Some(Trigger { price, direction: TriggerDirection::Fall });
        self
    }

    /// Attaches a take-profit to the position.
    pub fn take_profit(self, price: Price) -> Self {
        self.place.take_profit = Some(price);
        self
    }

    /// Attaches a stop-loss to the position.
    pub fn stop_loss(self, price: Price) -> Self {
        self.place.stop_loss = Some(price);
        self
    }

    /// The host cancels what is left at `time`.
    pub fn good_till(self, time: Time) -> Self {
        self.place.good_till = Some(time);
        self
    }

    fn time_in_force(self, time_in_force: TimeInForce) -> Self {
        self.place.time_in_force = time_in_force;
        self
    }
}
