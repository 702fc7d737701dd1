//! Orders against our own other orders: none is met by another, and none is sent twice (rows 14 and 15).

use super::Proposal;
use crate::recent_orders::Content;
use crate::{CheckId, CheckOutcome, RefusalCode, Side, Verdict};

/// No open order of ours on the other side would be met. The venue is told to prevent it too, but its answer comes late.
pub(super) fn self_trade(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::SelfTrade;
    let Some(price) = proposal.price else {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    };
    let orders = proposal.situation.state.orders();
    let instrument = proposal.instrument.spec.id;
    let (other, meets): (_, fn(i64, i64) -> bool) = match proposal.side {
        Side::Buy => (orders.best_quote(instrument, Side::Sell), |own, other| own >= other),
        Side::Sell => (orders.best_quote(instrument, Side::Buy), |own, other| own <= other),
    };
    // An order that waits for its trigger meets nobody yet.
    let met = other.filter(|other| proposal.trigger.is_none() && meets(price.0, other.0));
    let verdict = met.map_or(Verdict::Pass, |_| Verdict::Deny(RefusalCode::SelfTrade));
    let limit = other.map_or(0, |other| i128::from(other.0));
    CheckOutcome { check, verdict, seen: price.0.into(), limit }
}

/// The same order was not asked for a moment ago. An amend names its order, so it cannot be sent twice.
pub(super) fn duplicate(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::DuplicateIntent;
    let Some((strategy, limits)) =
        proposal.strategy.and_then(|strategy| Some((strategy, strategy.limits.as_ref()?)))
    else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let window = limits.duplicate_window;
    let content = Content::new(
        proposal.instrument.spec.id,
        proposal.side,
        proposal.quantity,
        proposal.price,
        proposal.time_in_force,
    );
    let age =
        if proposal.is_new { strategy.recent.age(&content, window, proposal.situation.now) } else { None };
    let verdict = age.map_or(Verdict::Pass, |_| Verdict::Deny(RefusalCode::DuplicateIntent));
    CheckOutcome { check, verdict, seen: age.unwrap_or(window).0.into(), limit: window.0.into() }
}
