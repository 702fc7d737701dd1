//! How far a price may be from the market (rows 5 and 6).

use super::Proposal;
use crate::market_view::MarketView;
use crate::{
    Amount, Category, CheckId, CheckOutcome, Instrument, InstrumentLimits, InstrumentSpec, Price,
    RefusalCode, Rounding, Side, Timestamp,
};

/// The order's price is near what it would meet: the opposite best price or the last trade; for an order that waits for a trigger, the
/// trigger's price.
pub(super) fn against_market(proposal: &Proposal<'_>) -> CheckOutcome {
    let spec = &proposal.instrument.spec;
    let reference = match proposal.trigger {
        Some(trigger) => Some(trigger.price),
        None => proposal.market.and_then(|market| market.opposite(proposal.side)),
    };
    let reference = reference.and_then(|price| price.to_amount(spec.price_decimals));
    compare(CheckId::CollarMarket, proposal, reference)
}

/// The order's price is near the mark price. Spot has none.
pub(super) fn against_mark(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::CollarMark;
    if proposal.instrument.spec.category == Category::Spot || proposal.trigger.is_some() {
        return CheckOutcome::holds(check, true, 0, RefusalCode::PriceCollar);
    }
    let Some(limits) = &proposal.instrument.limits else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    match proposal.market.and_then(|market| market.mark) {
        Some((_, at)) if proposal.situation.now.since(at) > limits.mark_age_max => {
            CheckOutcome::unknown(check, RefusalCode::StaleMarketData)
        }
        mark => compare(check, proposal, mark.map(|(mark, _)| mark)),
    }
}

/// The order's price is near what the market was at in the last minute: a buy near the lowest, a sale near the highest. So a series
/// of orders, each inside the collar, cannot walk the price away.
pub(super) fn against_window(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::CollarWindow;
    let spec = &proposal.instrument.spec;
    let Some(limits) = &proposal.instrument.limits else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let Some(worst) =
        proposal.market.and_then(|market| market.worst_of_window(proposal.side, proposal.situation.now))
    else {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    };
    let amount = |price: Price| price.to_amount(spec.price_decimals);
    let reference = match proposal.trigger {
        Some(trigger) => amount(trigger.price),
        None => amount(worst),
    };
    let beyond = match (proposal.price.and_then(amount), reference) {
        (Some(price), Some(reference)) => match proposal.side {
            Side::Buy => price.checked_sub(reference),
            Side::Sell => reference.checked_sub(price),
        },
        _ => return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice),
    };
    let width = reference.and_then(|reference| window_width(reference, limits, spec));
    match (beyond, width) {
        (Some(beyond), Some(width)) => {
            CheckOutcome::at_most(check, beyond.0.max(0), width.0, RefusalCode::PriceCollar)
        }
        _ => CheckOutcome::unknown(check, RefusalCode::Overflow),
    }
}

/// The order's price is one that the venue takes: a futures order beyond its limit would be moved there without a word, a spot order
/// rejected. An order at the market has a price inside the limit by [`bound`]; where the market itself is beyond it, that order could meet
/// nothing, and is refused with the market's price. What waits for a trigger the venue holds against the limits of then.
pub(super) fn against_price_limit(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::PriceLimit;
    if !proposal.instrument.spec.has_price_limits || proposal.trigger.is_some() {
        return CheckOutcome::holds(check, true, 0, RefusalCode::PriceCollar);
    }
    let (now, side) = (proposal.situation.now, proposal.side);
    let Some(limit) = proposal.market.and_then(|market| market.limit) else {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    };
    if !limit.is_fresh(now) {
        return CheckOutcome::unknown(check, RefusalCode::StaleMarketData);
    }
    let Some(price) = proposal.price else {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    };
    let met = proposal.market.filter(|_| proposal.at_market).and_then(|market| market.opposite(side));
    let seen = met.filter(|met| !limit.allows(side, *met)).unwrap_or(price);
    let (seen, bound) = (i128::from(seen.0), i128::from(limit.of(side).0));
    match side {
        Side::Buy => CheckOutcome::at_most(check, seen, bound, RefusalCode::PriceCollar),
        Side::Sell => CheckOutcome::at_least(check, seen, bound, RefusalCode::PriceCollar),
    }
}

/// How far a price may be from the worst of the last minute: the fraction, but at least the collar's ticks.
fn window_width(reference: Amount, limits: &InstrumentLimits, spec: &InstrumentSpec) -> Option<Amount> {
    let fraction = reference.checked_mul_rate(limits.window_fraction, Rounding::Down)?;
    let tick = spec.tick.to_amount(spec.price_decimals)?;
    let ticks = Amount(tick.0.checked_mul(i128::from(limits.collar_ticks))?);
    Some(fraction.max(ticks))
}

/// The price that bounds a market order: the collar's edge, on the tick, never beyond the mark's collar nor the venue's own limit. `None`
/// without a fresh reference.
pub(super) fn bound(
    side: Side,
    instrument: &Instrument,
    market: Option<&MarketView>,
    now: Timestamp,
) -> Option<Price> {
    let (spec, limits, market) = (&instrument.spec, instrument.limits.as_ref()?, market?);
    if now.since(market.fresh_at()?) > limits.market_data_age_max {
        return None;
    }
    let reference = market.opposite(side)?.to_amount(spec.price_decimals)?;
    let edge = edge(side, reference, limits, spec)?;
    let mark = market.mark.filter(|(_, at)| now.since(*at) <= limits.mark_age_max);
    let mark_edge = mark.and_then(|(mark, _)| self::edge(side, mark, limits, spec));
    let price = match (side, mark_edge) {
        (_, None) => edge,
        (Side::Buy, Some(other)) => edge.min(other),
        (Side::Sell, Some(other)) => edge.max(other),
    };
    let limit = market.limit.filter(|limit| spec.has_price_limits && limit.is_fresh(now));
    let price = limit.filter(|limit| !limit.allows(side, price)).map_or(price, |limit| limit.of(side));
    (price.0 > 0).then_some(price)
}

/// How far a price may be from the reference: the fraction, but at least the ticks.
pub(crate) fn width(reference: Amount, limits: &InstrumentLimits, spec: &InstrumentSpec) -> Option<Amount> {
    let fraction = reference.checked_mul_rate(limits.collar_fraction, Rounding::Down)?;
    let tick = spec.tick.to_amount(spec.price_decimals)?;
    let ticks = Amount(tick.0.checked_mul(i128::from(limits.collar_ticks))?);
    Some(fraction.max(ticks))
}

fn edge(side: Side, reference: Amount, limits: &InstrumentLimits, spec: &InstrumentSpec) -> Option<Price> {
    let width = width(reference, limits, spec)?;
    match side {
        Side::Buy => reference
            .checked_add(width)?
            .to_price(spec.price_decimals, Rounding::Down)?
            .round_down_to_tick(spec.tick),
        Side::Sell => {
            let lowest = reference.checked_sub(width)?.max(Amount::ZERO);
            let price = lowest.to_price(spec.price_decimals, Rounding::Up)?.round_up_to_tick(spec.tick)?;
            Some(price.max(spec.tick))
        }
    }
}

fn compare(check: CheckId, proposal: &Proposal<'_>, reference: Option<Amount>) -> CheckOutcome {
    let spec = &proposal.instrument.spec;
    let Some(limits) = &proposal.instrument.limits else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let Some(reference) = reference.filter(|reference| *reference > Amount::ZERO) else {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    };
    let Some(price) = proposal.price else {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    };
    let distance = price
        .to_amount(spec.price_decimals)
        .and_then(|price| price.checked_sub(reference))
        .map(Amount::saturating_abs);
    match (distance, width(reference, limits, spec)) {
        (Some(distance), Some(width)) => {
            CheckOutcome::at_most(check, distance.0, width.0, RefusalCode::PriceCollar)
        }
        _ => CheckOutcome::unknown(check, RefusalCode::Overflow),
    }
}
