//! Strategies that go wrong again and again: executions in a row and losses in a row (rows 13 and 22).

use super::Proposal;
use super::proposal::Situation;
use crate::{Amount, CheckId, CheckOutcome, RefusalCode, Strategy};

/// Orders of one instrument, side and quantity, executed one after the other.
pub(super) fn repeated_executions(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::RepeatedExecutions;
    let Some((strategy, limits)) =
        proposal.strategy.and_then(|strategy| Some((strategy, strategy.limits.as_ref()?)))
    else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let row = strategy.repeats.count(
        proposal.instrument.spec.id,
        proposal.situation.now,
        limits.repeated_executions_pause,
    );
    below(check, row, limits.repeated_executions_max, RefusalCode::RepeatedExecution)
}

/// Losing trades in a row, until the pause after the last is over.
pub(super) fn losses(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::LossCooldown;
    let Some((strategy, limits)) =
        proposal.strategy.and_then(|strategy| Some((strategy, strategy.limits.as_ref()?)))
    else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let Some(open) = is_losing(strategy, proposal.situation) else {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    };
    let paused = proposal.situation.now.since(strategy.losses.last()) < limits.loss_cooldown;
    let row = if paused { strategy.losses.losses().saturating_add(u64::from(open)) } else { 0 };
    below(check, row, limits.losses_in_a_row_max, RefusalCode::LossCooldown)
}

/// Whether a position that is open now has lost so far.
pub(crate) fn is_losing(strategy: &Strategy, situation: &Situation<'_>) -> Option<bool> {
    for id in &strategy.instruments {
        let position = situation.state.ledger().position(*id, Some(strategy.id));
        if position.quantity.is_flat() {
            continue;
        }
        let spec = situation.state.spec(*id)?;
        let mark = situation.market.get(*id)?.valuation(spec)?;
        let earned = position.total_profit(mark, spec)?.checked_sub(strategy.losses.settled(*id))?;
        if earned < Amount::ZERO {
            return Some(true);
        }
    }
    Some(false)
}

/// Passes while `row` is below `max`.
fn below(check: CheckId, row: u64, max: u64, code: RefusalCode) -> CheckOutcome {
    CheckOutcome::at_most(check, row.into(), i128::from(max).saturating_sub(1), code)
}
