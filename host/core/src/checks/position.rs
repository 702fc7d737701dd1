//! Worst-case positions (row 8): working and unknown orders count as filled, each side by itself.

use super::Proposal;
use super::proposal::Situation;
use crate::exposure::Exposure;
use crate::{
    Amount, CheckId, CheckOutcome, Instrument, Qty, RefusalCode, Rounding, Side, SignedQty, Strategy,
    notional_of,
};

/// The instrument's position if every open order of this order's side filled.
pub(super) fn instrument(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::PositionInstrument;
    let Some(limits) = &proposal.instrument.limits else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let (exposure, position) = (proposal.exposure_after(), proposal.position());
    let worst = match proposal.side {
        Side::Buy => exposure.longest(position),
        Side::Sell => exposure.shortest(position),
    };
    let Some(price) = price(proposal) else {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    };
    match value(worst.unsigned_abs(), price, proposal.instrument) {
        Some(value) => {
            CheckOutcome::at_most(check, value.0, limits.position_notional_max.0, RefusalCode::PositionLimit)
        }
        None => CheckOutcome::unknown(check, RefusalCode::Overflow),
    }
}

/// The strategy's positions added up.
pub(super) fn strategy(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::PositionStrategy;
    let Some(limits) = proposal.strategy.and_then(|strategy| strategy.limits.as_ref()) else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    match strategy_after(proposal) {
        Some(worst) => {
            CheckOutcome::at_most(check, worst.0, limits.position_notional_max.0, RefusalCode::PositionLimit)
        }
        None => CheckOutcome::unknown(check, RefusalCode::NoReferencePrice),
    }
}

/// The account's positions added up.
pub(super) fn account(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::PositionAccount;
    let Some(limits) = proposal.situation.state.limits() else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let others =
        proposal.situation.state.instruments().filter(|other| other.spec.id != proposal.instrument.spec.id);
    let worst = sum(others.map(|other| worst_of(other, proposal.situation)), own_after(proposal));
    match worst {
        Some(worst) => CheckOutcome::at_most(
            check,
            worst.0,
            limits.account.position_notional_max.0,
            RefusalCode::PositionLimit,
        ),
        None => CheckOutcome::unknown(check, RefusalCode::NoReferencePrice),
    }
}

/// The strategy's positions against its capital, losses taken off.
pub(super) fn budget(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::Budget;
    let Some(strategy) = proposal.strategy else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let capital = super::loss::strategy_profit(strategy, proposal.situation)
        .and_then(|profit| strategy.budget.checked_add(profit.min(Amount::ZERO)));
    match (strategy_after(proposal), capital) {
        (Some(worst), Some(capital)) => {
            CheckOutcome::at_most(check, worst.0, capital.0, RefusalCode::BudgetExceeded)
        }
        _ => CheckOutcome::unknown(check, RefusalCode::NoReferencePrice),
    }
}

/// The strategy's worst-case positions as they are now, added up.
pub(crate) fn strategy_worst(strategy: &Strategy, situation: &Situation<'_>) -> Option<Amount> {
    let instruments = strategy.instruments.iter().filter_map(|id| situation.state.instrument(*id));
    sum(instruments.map(|instrument| worst_of(instrument, situation)), Some(Amount::ZERO))
}

/// An instrument's worst-case position as it is now, either way, at the highest price in sight.
pub(crate) fn worst_of(instrument: &Instrument, situation: &Situation<'_>) -> Option<Amount> {
    let id = instrument.spec.id;
    let exposure = situation.state.orders().exposure(id);
    let position = situation.state.ledger().quantity(id);
    worst(instrument, exposure, position, || {
        situation.market.get(id).and_then(|market| market.highest(&instrument.spec))
    })
}

fn strategy_after(proposal: &Proposal<'_>) -> Option<Amount> {
    let own = proposal.instrument.spec.id;
    let others = proposal.strategy?.instruments.iter().filter(|id| **id != own);
    let others = others.filter_map(|id| proposal.situation.state.instrument(*id));
    sum(others.map(|other| worst_of(other, proposal.situation)), own_after(proposal))
}

fn own_after(proposal: &Proposal<'_>) -> Option<Amount> {
    worst(proposal.instrument, proposal.exposure_after(), proposal.position(), || price(proposal))
}

fn worst(
    instrument: &Instrument,
    exposure: Exposure,
    position: SignedQty,
    price: impl FnOnce() -> Option<Amount>,
) -> Option<Amount> {
    match exposure.largest(position) {
        0 => Some(Amount::ZERO),
        largest => value(largest, price()?, instrument),
    }
}

/// The highest price in sight, the order's own included.
fn price(proposal: &Proposal<'_>) -> Option<Amount> {
    let own = proposal.worst_price()?;
    Some(
        proposal
            .market
            .and_then(|market| market.highest(&proposal.instrument.spec))
            .map_or(own, |high| high.max(own)),
    )
}

fn value(quantity: u128, price: Amount, instrument: &Instrument) -> Option<Amount> {
    let quantity = Qty(i64::try_from(quantity).ok()?);
    notional_of(price, quantity, instrument.spec.quantity_decimals, Rounding::Up)
}

fn sum(parts: impl Iterator<Item = Option<Amount>>, first: Option<Amount>) -> Option<Amount> {
    let mut total = first?;
    for part in parts {
        total = total.checked_add(part?)?;
    }
    Some(total)
}
