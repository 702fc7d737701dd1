//! The account as a whole: how it is set up, and how much of it is at stake (rows 9, 10, 18 and 24).

use super::Proposal;
use crate::{Amount, CheckId, CheckOutcome, Rate, RefusalCode, State};

/// Units of a [`Rate`] in 1.
const RATE_ONE: i128 = 1_000_000_000_000;

/// One-way positions, and the margin mode the operator wants.
pub(super) fn mode(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::AccountMode;
    let Some(limits) = proposal.situation.state.limits() else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let Some(mode) = proposal.situation.mode else {
        return CheckOutcome::unknown(check, RefusalCode::AccountMode);
    };
    let wrong_margin = mode.margin != limits.account.margin_mode;
    let seen = i128::from(mode.hedged).saturating_add(i128::from(wrong_margin).saturating_mul(2));
    CheckOutcome::holds(check, seen == 0, seen, RefusalCode::AccountMode)
}

/// One-way positions, as far as is known: in hedge mode the venue refuses our reductions, or opens the other leg with them.
pub(super) fn one_way(proposal: &Proposal<'_>) -> CheckOutcome {
    let hedged = proposal.situation.mode.is_some_and(|mode| mode.hedged);
    CheckOutcome::holds(CheckId::AccountMode, !hedged, i128::from(hedged), RefusalCode::AccountMode)
}

/// Budgets of the running strategies, added up.
pub(super) fn capital(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::Capital;
    let state = proposal.situation.state;
    let Some(limits) = state.limits() else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    match budgets(state) {
        Some(sum) => {
            CheckOutcome::at_most(check, sum.0, limits.account.capital.0, RefusalCode::CapitalExceeded)
        }
        None => CheckOutcome::unknown(check, RefusalCode::Overflow),
    }
}

/// Budgets of the running strategies, added up; `None` on overflow.
pub(crate) fn budgets(state: &State) -> Option<Amount> {
    let running = state.strategies().filter(|strategy| strategy.running);
    running.map(|strategy| strategy.budget).try_fold(Amount::ZERO, Amount::checked_add)
}

/// Worst-case positions of the account over its equity.
pub(super) fn leverage(proposal: &Proposal<'_>, worst: Option<Amount>) -> CheckOutcome {
    let check = CheckId::Leverage;
    let Some(limits) = proposal.situation.state.limits() else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let Some(worst) = worst else { return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice) };
    let Some(wallet) = fresh_wallet(proposal) else {
        return CheckOutcome::unknown(check, RefusalCode::CannotEvaluate);
    };
    let ratio = ratio(worst, wallet.equity);
    match ratio {
        Some(ratio) => CheckOutcome::at_most_or_closing(
            proposal,
            check,
            (ratio, limits.account.leverage_max.0.into()),
            RefusalCode::LeverageLimit,
        ),
        // Without equity nothing can be carried, nor bought back but by what only reduces.
        None => CheckOutcome::holds(check, false, 0, RefusalCode::LeverageLimit),
    }
}

/// The account's initial margin, as the venue has it.
pub(super) fn initial_margin(proposal: &Proposal<'_>) -> CheckOutcome {
    let rate = fresh_wallet(proposal).and_then(|wallet| wallet.initial_margin);
    let limit = proposal.situation.state.limits().map(|limits| limits.account.initial_margin_max);
    margin(CheckId::InitialMargin, rate, limit)
}

/// The account's maintenance margin, as the venue has it: the distance to liquidation.
pub(super) fn maintenance_margin(proposal: &Proposal<'_>) -> CheckOutcome {
    let rate = fresh_wallet(proposal).and_then(|wallet| wallet.maintenance_margin);
    let limit = proposal.situation.state.limits().map(|limits| limits.account.maintenance_margin_max);
    margin(CheckId::MaintenanceMargin, rate, limit)
}

fn margin(check: CheckId, rate: Option<Rate>, limit: Option<Rate>) -> CheckOutcome {
    let Some(limit) = limit else { return CheckOutcome::unknown(check, RefusalCode::LimitMissing) };
    match rate {
        Some(rate) => CheckOutcome::at_most(check, rate.0.into(), limit.0.into(), RefusalCode::MarginLimit),
        None => CheckOutcome::unknown(check, RefusalCode::CannotEvaluate),
    }
}

fn fresh_wallet<'a>(proposal: &Proposal<'a>) -> Option<&'a crate::WalletReport> {
    let state = proposal.situation.state;
    let age_max = state.limits()?.account.wallet_age_max;
    state.wallet().filter(|wallet| proposal.situation.now.since(wallet.venue_time) <= age_max)
}

/// `worst` over `equity` in units of 1e-12, rounded up; `None` when the equity is not positive.
pub(crate) fn ratio(worst: Amount, equity: Amount) -> Option<i128> {
    if equity <= Amount::ZERO {
        return None;
    }
    // Below 1e-6 of a dollar neither counts, and the product stays far inside the type.
    let (worst, equity) = (worst.0 / RATE_ONE, equity.0 / RATE_ONE);
    let up = worst.checked_add(1)?.checked_mul(RATE_ONE)?;
    up.checked_add(equity.checked_sub(1)?)?.checked_div(equity.max(1))
}
