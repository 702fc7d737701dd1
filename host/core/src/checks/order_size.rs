//! Size of one order (rows 3 and 4).

use super::Proposal;
use crate::{CheckId, CheckOutcome, RefusalCode};

/// Quantity of one order, amends included.
pub(super) fn quantity(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::OrderQuantity;
    let Some(limits) = &proposal.instrument.limits else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let decimals = proposal.instrument.spec.quantity_decimals;
    // The bound is in whole coins at 1e-18; it is brought down to the mantissa, so that both numbers read alike.
    let bound = limits
        .order_quantity_max
        .to_price(decimals, crate::Rounding::Down)
        .map_or(i64::MAX, |mantissa| mantissa.0);
    CheckOutcome::at_most(
        check,
        i128::from(proposal.quantity.0),
        i128::from(bound),
        RefusalCode::OrderQuantityLimit,
    )
}

/// Value of one order at its worst price.
pub(super) fn notional(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::OrderNotional;
    let Some(limits) = &proposal.instrument.limits else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    if proposal.price.is_none() {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    }
    // What the signed bundle states can only be tighter.
    let signed = proposal.strategy.and_then(|strategy| strategy.mandate.order_notional_max);
    let limit = limits.order_notional_max.min(signed.unwrap_or(limits.order_notional_max));
    match proposal.value(proposal.quantity) {
        Some(value) => CheckOutcome::at_most(check, value.0, limit.0, RefusalCode::OrderNotionalLimit),
        None => CheckOutcome::unknown(check, RefusalCode::Overflow),
    }
}
