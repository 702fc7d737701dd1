//! A reduce-only order reduces: clamped to what the position and the reductions already under way leave.

use super::Proposal;
use crate::{CheckId, CheckOutcome, Qty, RefusalCode, Side, Verdict};

/// The verdict over a new order, and the quantity that can be reduced: at most the one asked for.
pub(super) fn clamp(proposal: &Proposal<'_>) -> (CheckOutcome, Qty) {
    let room = room(proposal);
    let asked = i128::from(proposal.open.0);
    let clamped = Qty(i64::try_from(asked.min(room)).unwrap_or(0));
    let clamped = clamped.round_down_to_step(proposal.instrument.spec.step).unwrap_or_default();
    let verdict =
        if clamped.is_positive() { Verdict::Pass } else { Verdict::Deny(RefusalCode::ReduceOnlyInvalid) };
    (CheckOutcome { check: CheckId::ReduceOnly, verdict, seen: asked, limit: room }, clamped)
}

/// The verdict over an amend. It is not clamped: the strategy would not know of it.
pub(super) fn fits(proposal: &Proposal<'_>) -> CheckOutcome {
    // What the order has reserved already is its own; only the increase needs room.
    CheckOutcome::at_most(CheckId::ReduceOnly, proposal.added, room(proposal), RefusalCode::ReduceOnlyInvalid)
}

fn room(proposal: &Proposal<'_>) -> i128 {
    let position = i128::from(proposal.position().0);
    let exposure = proposal.situation.state.orders().exposure(proposal.instrument.spec.id);
    let left = match proposal.side {
        Side::Buy => position.saturating_neg().saturating_sub(exposure.reducing_buys),
        Side::Sell => position.saturating_sub(exposure.reducing_sells),
    };
    left.max(0)
}
