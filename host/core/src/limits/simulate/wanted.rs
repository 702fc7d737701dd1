//! What a recorded decision was about, as far as other limits would look at it.

use crate::{
    Amount, Ask, CheckId, CheckOutcome, Command, InstrumentId, InstrumentSpec, Order, Place, PlaceOrder,
    Price, Qty, Rate, Rounding, Side, State, StrategyId, TimeInForce,
};

/// An order that was asked for, or changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) quantity: Qty,
    pub(super) price: Option<Price>,
    pub(super) time_in_force: TimeInForce,
    pub(super) trigger: Option<Price>,
    pub(super) stop_loss: Option<Price>,
    /// Whether it is a new order.
    pub(super) is_place: bool,
}

impl Wanted {
    /// Of an approved command; `None` for cancels and the like.
    pub(super) fn of_command(command: &Command, state: &State) -> Option<Self> {
        match command {
            Command::Place(place) => Some(Self::of_place_order(place)),
            Command::Amend(amend) => {
                let order = state.orders().get(amend.order)?;
                Some(Self::of_change(order, amend.price, amend.quantity))
            }
            Command::Cancel(_) | Command::CancelAll(_) | Command::SetProtection(_) => None,
        }
    }

    /// Of a refused intent; `None` for cancels and the like.
    pub(super) fn of_ask(
        ask: &Ask,
        instrument: InstrumentId,
        strategy: StrategyId,
        state: &State,
    ) -> Option<Self> {
        match ask {
            Ask::Place(place) => Some(Self::of_place(place, instrument)),
            Ask::Amend(amend) => {
                let order = state.orders().by_number(strategy, amend.order)?;
                Some(Self::of_change(order, amend.limit, amend.quantity))
            }
            Ask::Cancel(_) | Ask::CancelAll(_) | Ask::Flatten(_) => None,
        }
    }

    fn of_place_order(place: &PlaceOrder) -> Self {
        Self {
            instrument: place.instrument,
            side: place.side,
            quantity: place.quantity,
            price: place.price,
            time_in_force: place.time_in_force,
            trigger: place.trigger.map(|trigger| trigger.price),
            stop_loss: place.stop_loss,
            is_place: true,
        }
    }

    fn of_place(place: &Place, instrument: InstrumentId) -> Self {
        Self {
            instrument,
            side: place.side,
            quantity: place.quantity,
            price: place.limit,
            // An order at the market cannot rest.
            time_in_force: if place.limit.is_some() { place.time_in_force } else { TimeInForce::Ioc },
            trigger: place.trigger.map(|trigger| trigger.price),
            stop_loss: place.stop_loss,
            is_place: true,
        }
    }

    fn of_change(order: &Order, price: Option<Price>, quantity: Option<Qty>) -> Self {
        Self {
            instrument: order.instrument,
            side: order.side,
            quantity: quantity.unwrap_or(order.quantity),
            price: price.or(order.price),
            time_in_force: order.time_in_force,
            trigger: order.trigger.map(|trigger| trigger.price),
            stop_loss: None,
            is_place: false,
        }
    }

    /// Whether it was an order at the market, going by its checks: such an order cannot rest, and got its price from the edge of a collar.
    pub(super) fn is_market(&self, checks: &[CheckOutcome], spec: &InstrumentSpec) -> bool {
        let tick = spec.tick.to_amount(spec.price_decimals).unwrap_or_default();
        let at_edge = |outcome: &CheckOutcome| {
            matches!(outcome.check, CheckId::CollarMarket | CheckId::CollarMark)
                && outcome.seen <= outcome.limit
                && outcome.seen > outcome.limit.saturating_sub(tick.0)
        };
        self.is_place
            && self.time_in_force == TimeInForce::Ioc
            && (self.price.is_none() || checks.iter().any(at_edge))
    }

    /// The distance of its stop, and the widest that a fraction of its price allows; `None` when the price is not known. Without a stop
    /// of its own the host puts one there.
    pub(super) fn stop_distance(&self, fraction: Rate, spec: &InstrumentSpec) -> Option<(Amount, Amount)> {
        let price = self.price?.to_amount(spec.price_decimals)?;
        let widest = price.checked_mul_rate(fraction, Rounding::Up)?;
        let Some(stop) = self.stop_loss else { return Some((Amount::ZERO, widest)) };
        let stop = stop.to_amount(spec.price_decimals)?;
        let distance = match self.side {
            Side::Buy => price.checked_sub(stop),
            Side::Sell => stop.checked_sub(price),
        };
        Some((distance?, widest))
    }
}
