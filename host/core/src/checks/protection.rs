//! A position has a stop at the venue, where the operator wants one (row 26).

use super::Proposal;
use crate::{Amount, Category, CheckId, CheckOutcome, Price, RefusalCode, Rounding, Side};

/// The stop that comes with the order is near enough. Without one the host adds its own to an order that opens a
/// position, and sees to it from the first fill on. Spot has no
/// stops of positions, so nothing can be opened there under this rule.
pub(super) fn stop(proposal: &Proposal<'_>) -> CheckOutcome {
    let (check, missing) = (CheckId::Protection, RefusalCode::ProtectionMissing);
    let Some(limits) = &proposal.instrument.limits else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let Some(protection) = limits.protection else { return CheckOutcome::holds(check, true, 0, missing) };
    if proposal.instrument.spec.category == Category::Spot {
        return CheckOutcome::holds(check, false, 0, missing);
    }
    let Some(price) = proposal.price else {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    };
    let decimals = proposal.instrument.spec.price_decimals;
    let widest = price
        .to_amount(decimals)
        .and_then(|price| price.checked_mul_rate(protection.stop_fraction, Rounding::Up));
    let distance = match proposal.stop_loss {
        Some(stop) => distance(proposal.side, price, stop, decimals),
        None => Some(Amount::ZERO),
    };
    match (distance, widest) {
        (Some(distance), Some(widest)) => CheckOutcome::at_most(check, distance.0, widest.0, missing),
        _ => CheckOutcome::unknown(check, RefusalCode::Overflow),
    }
}

fn distance(side: Side, price: Price, stop: Price, decimals: u8) -> Option<Amount> {
    let (price, stop) = (price.to_amount(decimals)?, stop.to_amount(decimals)?);
    match side {
        Side::Buy => price.checked_sub(stop),
        Side::Sell => stop.checked_sub(price),
    }
}
