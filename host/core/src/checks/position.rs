//! Worst-case positions against their bounds (rows 8, 9 and 24): working and unknown orders count as filled, each side by itself. What
//! only closes passes them all, with the numbers as they are.

use super::Proposal;
use super::worst::{Worst, WorstSum};
use crate::{Amount, CheckId, CheckOutcome, RefusalCode, Side};

/// The instrument's position if every open order of this order's side filled.
pub(super) fn instrument(proposal: &Proposal<'_>, after: Option<Worst>) -> CheckOutcome {
    let check = CheckId::PositionInstrument;
    let Some(limits) = &proposal.instrument.limits else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    // What the signed bundle states can only be tighter.
    let signed = proposal.strategy.and_then(|strategy| strategy.mandate.position_notional_max);
    let limit = limits.position_notional_max.min(signed.unwrap_or(limits.position_notional_max));
    let after = after.map(|worst| match proposal.side {
        Side::Buy => worst.long,
        Side::Sell => worst.short,
    });
    compare(proposal, check, after, limit, RefusalCode::PositionLimit)
}

/// The strategy's positions added up.
pub(super) fn strategy(proposal: &Proposal<'_>, after: Option<Amount>) -> CheckOutcome {
    let check = CheckId::PositionStrategy;
    let Some(limits) = proposal.strategy.and_then(|strategy| strategy.limits.as_ref()) else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    compare(proposal, check, after, limits.position_notional_max, RefusalCode::PositionLimit)
}

/// The account's positions added up.
pub(super) fn account(proposal: &Proposal<'_>, after: Option<WorstSum>) -> CheckOutcome {
    let check = CheckId::PositionAccount;
    let Some(limits) = proposal.situation.state.limits() else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let gross = after.map(|after| after.gross);
    compare(proposal, check, gross, limits.account.position_notional_max, RefusalCode::PositionLimit)
}

/// Everything of the account that could become long, or everything that could become short, whichever way this order goes.
pub(super) fn direction(proposal: &Proposal<'_>, after: Option<WorstSum>) -> CheckOutcome {
    let check = CheckId::DirectionAccount;
    let Some(limits) = proposal.situation.state.limits() else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let side = after.map(|after| match proposal.side {
        Side::Buy => after.long,
        Side::Sell => after.short,
    });
    compare(proposal, check, side, limits.account.direction_notional_max, RefusalCode::DirectionLimit)
}

/// The strategy's positions against its capital, losses taken off.
pub(super) fn budget(proposal: &Proposal<'_>, after: Option<Amount>, profit: Option<Amount>) -> CheckOutcome {
    let check = CheckId::Budget;
    let Some(strategy) = proposal.strategy else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let capital = profit.and_then(|profit| strategy.budget.checked_add(profit.min(Amount::ZERO)));
    match capital {
        Some(capital) => compare(proposal, check, after, capital, RefusalCode::BudgetExceeded),
        None => CheckOutcome::unknown(check, RefusalCode::NoReferencePrice),
    }
}

fn compare(
    proposal: &Proposal<'_>,
    check: CheckId,
    after: Option<Amount>,
    limit: Amount,
    code: RefusalCode,
) -> CheckOutcome {
    match after {
        Some(after) => CheckOutcome::at_most_or_closing(proposal, check, (after.0, limit.0), code),
        None => CheckOutcome::unknown(check, RefusalCode::NoReferencePrice),
    }
}
