//! The operator's range for prices: what no honest order has (row 5).

use super::Proposal;
use crate::{Amount, CheckId, CheckOutcome, Price, RefusalCode, Rounding, Verdict};

/// The order's price, its trigger included, is inside the range.
pub(super) fn range(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::PriceRange;
    let Some(limits) = &proposal.instrument.limits else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let Some(price) = proposal.price else {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    };
    let mantissa = |bound: Amount, rounding| {
        bound.to_price(proposal.instrument.spec.price_decimals, rounding).unwrap_or(Price(i64::MAX))
    };
    let lowest = mantissa(limits.price_min, Rounding::Up);
    let highest = mantissa(limits.price_max, Rounding::Down);
    let trigger = proposal.trigger.map(|trigger| trigger.price);
    let outside =
        [Some(price), trigger].into_iter().flatten().find(|price| *price < lowest || *price > highest);
    let seen = outside.unwrap_or(price);
    let limit = if seen < lowest { lowest } else { highest };
    let verdict = outside.map_or(Verdict::Pass, |_| Verdict::Deny(RefusalCode::PriceRange));
    CheckOutcome { check, verdict, seen: seen.0.into(), limit: limit.0.into() }
}
