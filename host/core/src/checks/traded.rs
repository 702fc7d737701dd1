//! Value traded in a UTC day; what is open counts as if it filled.

use super::Proposal;
use crate::ledger::DAY_NS;
use crate::{Amount, CheckId, CheckOutcome, RefusalCode};

/// The strategy's.
pub(super) fn strategy(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::TradedStrategy;
    let Some((strategy, limits)) =
        proposal.strategy.and_then(|strategy| Some((strategy, strategy.limits.as_ref()?)))
    else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let orders = proposal.situation.state.orders();
    let open = strategy
        .instruments
        .iter()
        .fold(Amount::ZERO, |sum, id| sum.saturating_add(orders.exposure(*id).notional));
    compare(check, proposal, strategy.traded.on(day(proposal)), open, limits.traded_value_per_day_max)
}

/// The account's.
pub(super) fn account(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::TradedAccount;
    let state = proposal.situation.state;
    let Some(limits) = state.limits() else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let (traded, open) = (state.traded.on(day(proposal)), state.orders().open_value());
    compare(check, proposal, traded, open, limits.account.traded_value_per_day_max)
}

fn compare(
    check: CheckId,
    proposal: &Proposal<'_>,
    traded: Amount,
    open: Amount,
    limit: Amount,
) -> CheckOutcome {
    if proposal.price.is_none() {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    }
    let Some(value) = proposal.value(proposal.open) else {
        return CheckOutcome::unknown(check, RefusalCode::Overflow);
    };
    let after = traded.saturating_add(open).saturating_sub(proposal.replaced).saturating_add(value);
    CheckOutcome::at_most(check, after.0, limit.0, RefusalCode::TradedValueLimit)
}

fn day(proposal: &Proposal<'_>) -> u64 {
    proposal.situation.now.0 / DAY_NS
}
