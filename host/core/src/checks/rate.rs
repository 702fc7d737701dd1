//! Commands in windows of time (row 12).

use super::Proposal;
use crate::rate_window::OrderRates;
use crate::{CheckId, CheckOutcome, RateLimits, RefusalCode};

const STRATEGY: [CheckId; 4] = [
    CheckId::RateStrategySecond,
    CheckId::RateStrategyMinute,
    CheckId::RateStrategyHour,
    CheckId::RateStrategyDay,
];
const ACCOUNT: [CheckId; 4] = [
    CheckId::RateAccountSecond,
    CheckId::RateAccountMinute,
    CheckId::RateAccountHour,
    CheckId::RateAccountDay,
];

/// Second, minute, hour and day, of the strategy and of the account.
pub(super) fn all(proposal: &Proposal<'_>) -> impl Iterator<Item = CheckOutcome> {
    let state = proposal.situation.state;
    let strategy = proposal.strategy.and_then(|strategy| {
        let limits = strategy.limits.as_ref()?.rate;
        // What the signed bundle states can only be tighter.
        let signed = strategy.mandate.orders_per_hour_max.unwrap_or(limits.per_hour_max);
        Some((&strategy.rates, RateLimits { per_hour_max: limits.per_hour_max.min(signed), ..limits }))
    });
    let account = state.limits().map(|limits| (&state.rates, limits.account.rate));
    compare(proposal, STRATEGY, strategy).into_iter().chain(compare(proposal, ACCOUNT, account))
}

fn compare(
    proposal: &Proposal<'_>,
    checks: [CheckId; 4],
    rates: Option<(&OrderRates, RateLimits)>,
) -> [CheckOutcome; 4] {
    let Some((rates, limits)) = rates else {
        return checks.map(|check| CheckOutcome::unknown(check, RefusalCode::LimitMissing));
    };
    let mut counted = rates.against(&limits, proposal.situation.now).into_iter();
    checks.map(|check| {
        let (count, limit) = counted.next().unwrap_or((u64::MAX, 0));
        let after = count.saturating_add(1);
        CheckOutcome::at_most(check, i128::from(after), i128::from(limit), RefusalCode::OrderRateLimit)
    })
}
