//! Loss of the UTC day (row 20): realised, open, fees and funding, since the day's anchor.

use super::Proposal;
use super::proposal::Situation;
use crate::{Amount, CheckId, CheckOutcome, InstrumentId, Position, RefusalCode, Strategy};

/// The strategy's, with its profit now.
pub(super) fn strategy(proposal: &Proposal<'_>, profit: Option<Amount>) -> CheckOutcome {
    let check = CheckId::LossStrategy;
    let Some((strategy, limits)) =
        proposal.strategy.and_then(|strategy| Some((strategy, strategy.limits.as_ref()?)))
    else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let loss = profit.and_then(|profit| strategy.anchor.checked_sub(profit));
    compare(check, loss, limits.daily_loss_max)
}

/// The account's, with its profit now.
pub(super) fn account(proposal: &Proposal<'_>, profit: Option<Amount>) -> CheckOutcome {
    let check = CheckId::LossAccount;
    let Some(limits) = proposal.situation.state.limits() else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let anchor = proposal.situation.state.anchor.account;
    compare(check, profit.and_then(|profit| anchor.checked_sub(profit)), limits.account.daily_loss_max)
}

/// The account's loss since the day's anchor; negative for a profit. `None` when a position cannot be valued.
pub(crate) fn account_loss(situation: &Situation<'_>) -> Option<Amount> {
    situation.state.anchor.account.checked_sub(account_profit(situation)?)
}

/// The strategy's total profit, open profit included. `None` when a position cannot be valued.
pub(crate) fn strategy_profit(strategy: &Strategy, situation: &Situation<'_>) -> Option<Amount> {
    let positions = situation.state.ledger().positions();
    profit(positions.filter(|(_, owner, _)| *owner == Some(strategy.id)), situation)
}

/// The account's total profit, open profit included. `None` when a position cannot be valued.
pub(crate) fn account_profit(situation: &Situation<'_>) -> Option<Amount> {
    profit(situation.state.ledger().positions(), situation)
}

fn profit<'a>(
    positions: impl Iterator<Item = (InstrumentId, Option<crate::StrategyId>, &'a Position)>,
    situation: &Situation<'_>,
) -> Option<Amount> {
    let mut total = Amount::ZERO;
    for (id, _, position) in positions {
        let part = if position.quantity.is_flat() {
            position.closed_profit()?
        } else {
            let spec = situation.state.spec(id)?;
            let mark = situation.market.get(id)?.valuation(spec)?;
            position.total_profit(mark, spec)?
        };
        total = total.checked_add(part)?;
    }
    Some(total)
}

fn compare(check: CheckId, loss: Option<Amount>, limit: Amount) -> CheckOutcome {
    match loss {
        Some(loss) => CheckOutcome::at_most(check, loss.0, limit.0.saturating_sub(1), RefusalCode::DailyLoss),
        None => CheckOutcome::unknown(check, RefusalCode::NoReferencePrice),
    }
}
