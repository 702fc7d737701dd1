//! Loss since the highest profit (row 21). Profit is the ledger's, so that a deposit is no profit and a withdrawal no loss.

use super::Proposal;
use crate::{Amount, CheckId, CheckOutcome, RefusalCode};

/// The strategy's, with its profit now.
pub(super) fn strategy(proposal: &Proposal<'_>, profit: Option<Amount>) -> CheckOutcome {
    let limit =
        proposal.strategy.and_then(|strategy| strategy.limits.as_ref()).map(|limits| limits.drawdown_max);
    let drawdown = proposal.strategy.and_then(|strategy| below(strategy.high, profit));
    compare(CheckId::DrawdownStrategy, drawdown, limit)
}

/// The account's, with its profit now.
pub(super) fn account(proposal: &Proposal<'_>, profit: Option<Amount>) -> CheckOutcome {
    let state = proposal.situation.state;
    let limit = state.limits().map(|limits| limits.account.drawdown_max);
    compare(CheckId::DrawdownAccount, below(state.high, profit), limit)
}

/// How far a profit is below the highest one; never negative.
pub(crate) fn below(high: Amount, profit: Option<Amount>) -> Option<Amount> {
    Some(high.checked_sub(profit?)?.max(Amount::ZERO))
}

fn compare(check: CheckId, drawdown: Option<Amount>, limit: Option<Amount>) -> CheckOutcome {
    let Some(limit) = limit else { return CheckOutcome::unknown(check, RefusalCode::LimitMissing) };
    match drawdown {
        Some(drawdown) => {
            CheckOutcome::at_most(check, drawdown.0, limit.0.saturating_sub(1), RefusalCode::Drawdown)
        }
        None => CheckOutcome::unknown(check, RefusalCode::NoReferencePrice),
    }
}
