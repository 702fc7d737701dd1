//! Market data is there, fresh and sane (row 7).

use super::Proposal;
use crate::{CheckId, CheckOutcome, RefusalCode};

/// The best prices, or the last trade, are recent.
pub(super) fn age(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::MarketDataAge;
    let Some(limits) = &proposal.instrument.limits else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let Some(fresh_at) = proposal.market.and_then(|market| market.fresh_at()) else {
        return CheckOutcome::unknown(check, RefusalCode::NoReferencePrice);
    };
    let age = i128::from(proposal.situation.now.since(fresh_at).0);
    CheckOutcome::at_most(check, age, i128::from(limits.market_data_age_max.0), RefusalCode::StaleMarketData)
}

/// The best bid is below the best ask.
pub(super) fn crossed(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::CrossedBook;
    match proposal.market.map(|market| (market.bid, market.ask)) {
        Some((Some(bid), Some(ask))) => {
            let (bid, ask) = (i128::from(bid.0), i128::from(ask.0));
            CheckOutcome::at_most(check, bid, ask.saturating_sub(1), RefusalCode::CrossedBook)
        }
        // One side is empty, or there is no book: nothing can cross. The collar decides whether there is a reference.
        Some(_) | None => CheckOutcome::holds(check, true, 0, RefusalCode::CrossedBook),
    }
}

/// The book is not being rebuilt after a gap.
pub(super) fn gap(proposal: &Proposal<'_>) -> CheckOutcome {
    let gap = proposal.situation.gaps.contains(&proposal.instrument.spec.id);
    CheckOutcome::holds(CheckId::MarketDataGap, !gap, i128::from(gap), RefusalCode::MarketDataGap)
}
