//! What a request must be, before anything happens.

use portcullis_core::{Amount, InstrumentSpec, Price, Qty, Side};

use super::ladder::better;
use super::market::Market;
use super::order::Order;
use super::terms::{Change, Condition, NewOrder};
use super::{Engine, Reject};

/// No linear price reaches this many whole USDT.
const PRICE_END: i64 = 2_000_000;

/// Checks all of a linear order that depends on the instrument and the position. Returns the quantity the order will have.
pub(super) fn linear_order(market: &Market, request: &NewOrder) -> Result<Qty, Reject> {
    let spec = &market.spec;
    let exits = [request.exits.profit_limit, request.exits.loss_limit];
    for price in [request.price, request.take_profit, request.stop_loss].into_iter().chain(exits).flatten() {
        self::price(spec, price)?;
    }
    if let Some(condition) = request.trigger {
        price(spec, condition.price)?;
        direction(market, condition)?;
    }
    protection(market, request)?;
    let quantity = reduced(market, request)?;
    // What only reduces is split where it is too large.
    let checked =
        if request.reduce_only { quantity.min(most(spec, request.price.is_none())) } else { quantity };
    self::quantity(spec, checked, request.price.is_none())?;
    if !request.reduce_only {
        notional(market, request, quantity)?;
    }
    Ok(quantity)
}

/// The largest quantity of one order.
pub(super) const fn most(spec: &InstrumentSpec, market: bool) -> Qty {
    if market { spec.max_market_quantity } else { spec.max_quantity }
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
    let position = market.leg(request.leg);
    let reducible = position.reducible(request.side);
    match position.side() {
        None => Err(Reject::NothingToReduce),
        Some(side) if side == request.side => Err(Reject::WouldIncrease),
        Some(_) if whole => Ok(reducible),
        Some(_) => Ok(request.quantity.min(reducible)),
    }
}

pub(super) fn price(spec: &InstrumentSpec, price: Price) -> Result<(), Reject> {
    let one = 10_i64.checked_pow(u32::from(spec.price_decimals)).unwrap_or(i64::MAX);
    if price.0 >= PRICE_END.saturating_mul(one) {
        return Err(Reject::PriceOutOfRange(price));
    }
    if price.0 > 0 && on_tick(spec, price) { Ok(()) } else { Err(Reject::PriceInvalid(price)) }
}

pub(super) fn spot_price(spec: &InstrumentSpec, price: Price) -> Result<(), Reject> {
    match on_tick(spec, price) {
        _ if price.0 <= 0 => Err(Reject::PriceInvalid(price)),
        true => Ok(()),
        false => Err(Reject::PriceTooFine),
    }
}

fn on_tick(spec: &InstrumentSpec, price: Price) -> bool {
    price.0.checked_rem(spec.tick.0) == Some(0)
}

pub(super) fn quantity(spec: &InstrumentSpec, quantity: Qty, market: bool) -> Result<(), Reject> {
    let on_step = quantity.0.checked_rem(spec.step.0) == Some(0);
    if quantity.0 > 0 && on_step && quantity >= spec.min_quantity && quantity <= most(spec, market) {
        Ok(())
    } else {
        Err(Reject::QuantityInvalid(quantity))
    }
}

pub(super) fn spot_quantity(spec: &InstrumentSpec, quantity: Qty, market: bool) -> Result<(), Reject> {
    if quantity.0 <= 0 {
        Err(Reject::QuantityInvalid(quantity))
    } else if quantity.0.checked_rem(spec.step.0) != Some(0) {
        Err(Reject::QuantityTooFine)
    } else if quantity < spec.min_quantity {
        Err(Reject::QuantityBelowMinimum)
    } else if quantity > most(spec, market) {
        Err(Reject::QuantityAboveMaximum)
    } else {
        Ok(())
    }
}

fn notional(market: &Market, request: &NewOrder, quantity: Qty) -> Result<(), Reject> {
    let price = request.price.or(request.trigger.map(|condition| condition.price));
    if price.or_else(|| market.reference(request.side)).is_none() {
        // A market order without a market closes with nothing to take.
        return Ok(());
    }
    let value = Engine::value_of(market, request.side, price, quantity);
    if value < market.spec.min_notional { Err(Reject::NotionalBelowMinimum(value)) } else { Ok(()) }
}

pub(super) fn direction(market: &Market, condition: Condition) -> Result<(), Reject> {
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
fn protection(market: &Market, request: &NewOrder) -> Result<(), Reject> {
    let carries = request.take_profit.is_some() || request.stop_loss.is_some();
    if request.reduce_only && carries {
        return Err(Reject::ProtectionOnReduceOnly);
    }
    let base = request.price.or(request.trigger.map(|condition| condition.price));
    let Some(base) = base.or_else(|| market.reference(request.side)) else { return Ok(()) };
    sides(request.side, base, request.take_profit, request.stop_loss)
}

/// A take-profit must be better and a stop-loss worse than a price for a position of this side.
fn sides(side: Side, base: Price, profit: Option<Price>, loss: Option<Price>) -> Result<(), Reject> {
    match (profit, loss) {
        (Some(price), _) if !better(side, price, base) => Err(Reject::ProtectionInvalid(price)),
        (_, Some(price)) if !better(side, base, price) => Err(Reject::ProtectionInvalid(price)),
        _ => Ok(()),
    }
}

/// What an order would be after a change.
pub(super) fn amended(market: &Market, old: &Order, change: Change) -> Result<Order, Reject> {
    let spot = market.is_spot();
    let check_price = if spot { spot_price } else { price };
    let mut new = old.clone();
    if let Some(price) = change.price.filter(|_| old.price.is_some()) {
        check_price(&market.spec, price)?;
        new.price = Some(price);
    }
    if let Some(total) = change.quantity {
        if old.budget.is_some() {
            return Err(Reject::QuantityInvalid(total));
        }
        if total <= old.executed {
            return Err(Reject::QuantityExecuted);
        }
        let check = if spot { spot_quantity } else { quantity };
        check(&market.spec, total, old.price.is_none())?;
        new.quantity = total;
    }
    if let Some(condition) = old.trigger.filter(|_| old.waits()) {
        let wanted = Condition {
            price: change.trigger.unwrap_or(condition.price),
            watches: change.watches.unwrap_or(condition.watches),
            ..condition
        };
        if wanted != condition {
            check_price(&market.spec, wanted.price)?;
            direction(market, wanted)?;
            new.trigger = Some(wanted);
        }
    }
    amend_protection(market, &mut new, change)?;
    if new == *old {
        return Err(Reject::NotModified);
    }
    if let Some(price) = new.price.filter(|_| !new.reduce_only) {
        let value = market.scale.value(price, new.quantity);
        if value < market.spec.min_notional {
            return Err(if spot { Reject::ValueBelowMinimum } else { Reject::NotionalBelowMinimum(value) });
        }
    }
    Ok(new)
}

fn amend_protection(market: &Market, new: &mut Order, change: Change) -> Result<(), Reject> {
    let wanted = (
        change.take_profit.unwrap_or(new.take_profit),
        change.stop_loss.unwrap_or(new.stop_loss),
        change.exits.unwrap_or(new.exits),
    );
    if wanted == (new.take_profit, new.stop_loss, new.exits) {
        return Ok(());
    }
    if new.reduce_only || market.is_spot() {
        return Err(Reject::ProtectionOnReduceOnly);
    }
    if new.executed.0 > 0 {
        return Err(Reject::ProtectionPartlyFilled);
    }
    let (profit, loss, exits) = wanted;
    for price in [profit, loss, exits.profit_limit, exits.loss_limit].into_iter().flatten() {
        self::price(&market.spec, price)?;
    }
    let base = new.price.or(new.trigger.map(|condition| condition.price));
    if let Some(base) = base.or_else(|| market.reference(new.side)) {
        sides(new.side, base, profit, loss)?;
    }
    (new.take_profit, new.stop_loss, new.exits) = wanted;
    Ok(())
}

impl Engine {
    /// How far an order of a side may cross the market; `None` when it may cross as far as it likes.
    #[must_use]
    pub(super) fn band(&self, market: &Market, side: Side) -> Option<Price> {
        let points = i128::from(self.config.price_band_bps?);
        let base = if market.is_spot() { market.last? } else { market.scale.coarse(market.mark) };
        if base.0 <= 0 {
            return None;
        }
        let distance = i128::from(base.0).saturating_mul(points).div_euclid(10_000);
        let distance = i64::try_from(distance).unwrap_or(i64::MAX);
        let tick = market.spec.tick.0;
        Some(Price(match side {
            Side::Buy => {
                let most = base.0.saturating_add(distance);
                most.saturating_sub(most.checked_rem(tick).unwrap_or(0))
            }
            Side::Sell => {
                let least = base.0.saturating_sub(distance);
                let over = least.checked_rem(tick).unwrap_or(0);
                if over == 0 {
                    least.max(tick)
                } else {
                    least.saturating_sub(over).saturating_add(tick).max(tick)
                }
            }
        }))
    }

    /// Refuses a spot order outside the price band.
    pub(super) fn check_band(&self, market: &Market, request: &NewOrder) -> Result<(), Reject> {
        let (Some(price), Some(bound)) = (request.price, self.band(market, request.side)) else {
            return Ok(());
        };
        match request.side {
            Side::Buy if price > bound => Err(Reject::PriceAboveBand(bound)),
            Side::Sell if price < bound => Err(Reject::PriceBelowBand(bound)),
            Side::Buy | Side::Sell => Ok(()),
        }
    }

    /// The price of a linear order, moved into the price band.
    pub(super) fn in_band(&self, market: &Market, side: Side, price: Price) -> Price {
        match (side, self.band(market, side)) {
            (Side::Buy, Some(bound)) => price.min(bound),
            (Side::Sell, Some(bound)) => price.max(bound),
            (_, None) => price,
        }
    }

    pub(super) fn check_counts(&self, market: &Market, request: &NewOrder) -> Result<(), Reject> {
        if request.trigger.is_some() {
            let most =
                if market.is_spot() { self.config.spot_conditions_max } else { self.config.conditions_max };
            let ours = |order: &&Order| {
                order.instrument == request.instrument
                    && order.waits()
                    && order.origin == super::Origin::Client
                    && order.reserves == request.reserves
            };
            if market.conditions.len() >= most && self.orders.values().filter(ours).count() >= most {
                return Err(Reject::TooManyConditions);
            }
        } else if self.orders.len() >= self.config.orders_max
            && self.orders.values().filter(|order| !order.waits()).count() >= self.config.orders_max
        {
            return Err(Reject::TooManyOrders);
        }
        Ok(())
    }

    /// An order's value at the price it would trade at: its limit, or the best price.
    pub(super) fn value_of(market: &Market, side: Side, price: Option<Price>, quantity: Qty) -> Amount {
        price
            .or_else(|| market.reference(side))
            .map_or(Amount(0), |price| market.scale.value(price, quantity))
    }
}
