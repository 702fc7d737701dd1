//! Number of open orders (row 11). An amend opens none.

use super::Proposal;
use crate::{CheckId, CheckOutcome, RefusalCode, Strategy};

/// Instrument, strategy and account, and those of the instrument that wait for a trigger.
pub(super) fn all(proposal: &Proposal<'_>) -> [CheckOutcome; 4] {
    let state = proposal.situation.state;
    let exposure = proposal.exposure();
    let of_instrument = exposure.open_orders;
    [
        compare(
            CheckId::OpenOrdersInstrument,
            proposal,
            of_instrument,
            proposal.instrument.limits.as_ref().map(|limits| limits.open_orders_max),
        ),
        compare(
            CheckId::OpenOrdersStrategy,
            proposal,
            proposal.strategy.map_or(0, |strategy| of_strategy(strategy, proposal)),
            proposal
                .strategy
                .and_then(|strategy| strategy.limits.as_ref())
                .map(|limits| limits.open_orders_max),
        ),
        compare(
            CheckId::OpenOrdersAccount,
            proposal,
            state.orders().open_count(),
            state.limits().map(|limits| limits.account.open_orders_max),
        ),
        conditional(proposal, exposure.conditional),
    ]
}

fn conditional(proposal: &Proposal<'_>, open: u64) -> CheckOutcome {
    let check = CheckId::OpenConditional;
    let Some(limits) = &proposal.instrument.limits else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let added = proposal.is_new && proposal.trigger.is_some();
    let after = open.saturating_add(u64::from(added));
    let limit = i128::from(limits.conditional_orders_max);
    let seen = i128::from(after);
    // What waits already is no reason to refuse an order that does not.
    if added {
        CheckOutcome::at_most(check, seen, limit, RefusalCode::ConditionalOrdersLimit)
    } else {
        CheckOutcome { check, verdict: crate::Verdict::Pass, seen, limit }
    }
}

fn of_strategy(strategy: &Strategy, proposal: &Proposal<'_>) -> u64 {
    let orders = proposal.situation.state.orders();
    strategy.instruments.iter().fold(0, |sum, id| sum.saturating_add(orders.exposure(*id).open_orders))
}

fn compare(check: CheckId, proposal: &Proposal<'_>, open: u64, limit: Option<u64>) -> CheckOutcome {
    let Some(limit) = limit else { return CheckOutcome::unknown(check, RefusalCode::LimitMissing) };
    let after = open.saturating_add(u64::from(proposal.is_new));
    CheckOutcome::at_most(check, i128::from(after), i128::from(limit), RefusalCode::OpenOrdersLimit)
}
