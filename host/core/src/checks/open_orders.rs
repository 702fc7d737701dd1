//! Number of open orders (row 11). An amend opens none.

use super::Proposal;
use crate::{CheckId, CheckOutcome, RefusalCode, Strategy};

/// Instrument, strategy and account.
pub(super) fn all(proposal: &Proposal<'_>) -> [CheckOutcome; 3] {
    let state = proposal.situation.state;
    let of_instrument = state.orders().exposure(proposal.instrument.spec.id).open_orders;
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
    ]
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
