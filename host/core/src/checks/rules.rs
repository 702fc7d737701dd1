//! The rules of the instrument (row 2): the venue would refuse what breaks them, and nothing is ever rounded into them.

use crate::{
    Amount, CheckId, CheckOutcome, InstrumentSpec, Price, Qty, RefusalCode, Rounding, Verdict, notional,
};

/// What the rules look at.
#[derive(Debug)]
pub(crate) struct Shape<'a> {
    pub(crate) spec: &'a InstrumentSpec,
    /// Every price the command carries: limit, trigger, take-profit, stop-loss.
    pub(crate) prices: [Option<Price>; 4],
    pub(crate) quantity: Qty,
    /// The venue's largest quantity for this kind of order.
    pub(crate) largest: Qty,
    /// The price that gives the order its value; `None` for a market order and for a reduction, which the venue lets be small.
    pub(crate) value_price: Option<Price>,
}

/// All of them, whatever the first one says.
pub(crate) fn all(shape: &Shape<'_>) -> [CheckOutcome; 6] {
    [status(shape), tick(shape), step(shape), minimum(shape), maximum(shape), value(shape)]
}

fn status(shape: &Shape<'_>) -> CheckOutcome {
    let trading = shape.spec.trading;
    CheckOutcome::holds(
        CheckId::InstrumentStatus,
        trading,
        i128::from(!trading),
        RefusalCode::InstrumentNotTrading,
    )
}

fn tick(shape: &Shape<'_>) -> CheckOutcome {
    let tick = shape.spec.tick;
    let fault = |price: &Price| {
        if price.0 <= 0 {
            Some(RefusalCode::PriceNotPositive)
        } else if price.is_multiple_of(tick) {
            None
        } else {
            Some(RefusalCode::PriceOffTick)
        }
    };
    let prices = || shape.prices.into_iter().flatten();
    let bad = prices().find_map(|price| Some((price, fault(&price)?)));
    let verdict = bad.map_or(Verdict::Pass, |(_, code)| Verdict::Deny(code));
    let seen = bad.map(|(price, _)| price).or_else(|| prices().next()).unwrap_or_default();
    CheckOutcome { check: CheckId::PriceTick, verdict, seen: seen.0.into(), limit: tick.0.into() }
}

fn step(shape: &Shape<'_>) -> CheckOutcome {
    let (quantity, step) = (shape.quantity, shape.spec.step);
    let verdict = if !quantity.is_positive() {
        Verdict::Deny(RefusalCode::QuantityNotPositive)
    } else if quantity.is_multiple_of(step) {
        Verdict::Pass
    } else {
        Verdict::Deny(RefusalCode::QuantityOffStep)
    };
    CheckOutcome { check: CheckId::QuantityStep, verdict, seen: quantity.0.into(), limit: step.0.into() }
}

fn minimum(shape: &Shape<'_>) -> CheckOutcome {
    CheckOutcome::at_least(
        CheckId::QuantityMinimum,
        shape.quantity.0.into(),
        shape.spec.min_quantity.0.into(),
        RefusalCode::QuantityBelowMinimum,
    )
}

fn maximum(shape: &Shape<'_>) -> CheckOutcome {
    CheckOutcome::at_most(
        CheckId::QuantityMaximum,
        shape.quantity.0.into(),
        shape.largest.0.into(),
        RefusalCode::QuantityAboveMaximum,
    )
}

fn value(shape: &Shape<'_>) -> CheckOutcome {
    let (check, spec) = (CheckId::NotionalMinimum, shape.spec);
    let Some(price) = shape.value_price else {
        return CheckOutcome::holds(check, true, 0, RefusalCode::NotionalBelowMinimum);
    };
    let value: Option<Amount> =
        notional(price, spec.price_decimals, shape.quantity, spec.quantity_decimals, Rounding::Down);
    match value {
        Some(value) => {
            CheckOutcome::at_least(check, value.0, spec.min_notional.0, RefusalCode::NotionalBelowMinimum)
        }
        None => CheckOutcome::unknown(check, RefusalCode::Overflow),
    }
}
