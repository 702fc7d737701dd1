//! Fees of a UTC day, as if this order paid the taker's fee (row 23).

use super::Proposal;
use crate::ledger::DAY_NS;
use crate::{Amount, CheckId, CheckOutcome, RefusalCode, Rounding};

/// The strategy's.
pub(super) fn strategy(proposal: &Proposal<'_>) -> CheckOutcome {
    let strategy = proposal.strategy;
    let paid = strategy.map(|strategy| strategy.fees.on(day(proposal)));
    let limit = strategy.and_then(|strategy| strategy.limits.as_ref()).map(|limits| limits.fees_per_day_max);
    compare(CheckId::FeesStrategy, proposal, paid, limit)
}

/// The account's.
pub(super) fn account(proposal: &Proposal<'_>) -> CheckOutcome {
    let state = proposal.situation.state;
    let paid = Some(state.fees.on(day(proposal)));
    compare(
        CheckId::FeesAccount,
        proposal,
        paid,
        state.limits().map(|limits| limits.account.fees_per_day_max),
    )
}

fn compare(
    check: CheckId,
    proposal: &Proposal<'_>,
    paid: Option<Amount>,
    limit: Option<Amount>,
) -> CheckOutcome {
    let (Some(paid), Some(limit)) = (paid, limit) else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    if proposal.price.is_none() {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    }
    let rate = proposal.instrument.spec.taker_fee;
    let fee = proposal.value(proposal.open).and_then(|value| value.checked_mul_rate(rate, Rounding::Up));
    match fee.and_then(|fee| paid.checked_add(fee.max(Amount::ZERO))) {
        Some(after) => CheckOutcome::at_most(check, after.0, limit.0, RefusalCode::FeeLimit),
        None => CheckOutcome::unknown(check, RefusalCode::Overflow),
    }
}

fn day(proposal: &Proposal<'_>) -> u64 {
    proposal.situation.now.0 / DAY_NS
}
