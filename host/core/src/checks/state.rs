//! Who asks, and in which state.

use super::Proposal;
use crate::{CheckId, CheckOutcome, Inhibit, Inhibits, RefusalCode, TradingState, Verdict};

/// The strategy runs and the instrument is its own. The host's own orders, which close positions, pass for stopped ones too.
pub(super) fn identity(proposal: &Proposal<'_>) -> CheckOutcome {
    let owns = proposal
        .strategy
        .is_some_and(|strategy| strategy.running && proposal.instrument.owner == Some(strategy.id));
    let holds = owns || proposal.cause.is_none();
    CheckOutcome::holds(CheckId::Identity, holds, i128::from(!holds), RefusalCode::SymbolOwned)
}

/// The signed bundle allows orders of this kind (row 1).
pub(super) fn order_kind(proposal: &Proposal<'_>) -> CheckOutcome {
    let allowed = proposal
        .strategy
        .is_some_and(|strategy| strategy.mandate.allows(proposal.at_market, proposal.trigger.is_some()));
    CheckOutcome::holds(CheckId::OrderKind, allowed, i128::from(!allowed), RefusalCode::OrderKindNotAllowed)
}

/// The strategy knows its own orders and position.
pub(super) fn resync(proposal: &Proposal<'_>) -> CheckOutcome {
    let resynced = proposal.situation.resynced;
    CheckOutcome::holds(CheckId::Resync, resynced, i128::from(!resynced), RefusalCode::NotResynced)
}

/// The ladder lets the command pass.
pub(super) fn trading_state(proposal: &Proposal<'_>) -> CheckOutcome {
    let state = effective(proposal);
    let verdict = match state {
        TradingState::Active | TradingState::Caution => Verdict::Pass,
        TradingState::ReduceOnly => Verdict::Deny(RefusalCode::StateReduceOnly),
        TradingState::EntriesCancelled | TradingState::Flattening => {
            Verdict::Deny(RefusalCode::StateEntriesCancelled)
        }
        TradingState::Locked => Verdict::Deny(RefusalCode::StateLocked),
    };
    let verdict = match proposal.situation.state.ledger().is_unsound() {
        true if verdict == Verdict::Pass => Verdict::CannotEvaluate(RefusalCode::CannotEvaluate),
        _ => verdict,
    };
    CheckOutcome { check: CheckId::TradingState, verdict, seen: i128::from(state.number()), limit: 1 }
}

/// A reduction passes up to flattening.
pub(super) fn locked(proposal: &Proposal<'_>) -> CheckOutcome {
    let state = effective(proposal);
    let verdict = match state {
        TradingState::Locked => Verdict::Deny(RefusalCode::StateLocked),
        TradingState::Active
        | TradingState::Caution
        | TradingState::ReduceOnly
        | TradingState::EntriesCancelled
        | TradingState::Flattening => Verdict::Pass,
    };
    CheckOutcome { check: CheckId::TradingState, verdict, seen: i128::from(state.number()), limit: 4 }
}

/// Nothing holds orders that add risk.
pub(super) fn inhibits(proposal: &Proposal<'_>) -> CheckOutcome {
    let inhibits = proposal.situation.inhibits;
    let verdict = inhibited(inhibits).map_or(Verdict::Pass, Verdict::Deny);
    CheckOutcome { check: CheckId::Inhibits, verdict, seen: i128::from(inhibits.bits()), limit: 0 }
}

/// The refusal for a set of inhibits.
pub(crate) fn inhibited(inhibits: Inhibits) -> Option<RefusalCode> {
    if inhibits.is_empty() {
        return None;
    }
    let only_rate = inhibits.iter().all(|inhibit| inhibit == Inhibit::RateBudget);
    Some(if only_rate { RefusalCode::RateBudget } else { RefusalCode::Inhibited })
}

/// The causing event is recent (RULES T5).
pub(super) fn intent_age(proposal: &Proposal<'_>) -> CheckOutcome {
    let Some(limits) = proposal.situation.state.limits() else {
        return CheckOutcome::unknown(CheckId::IntentAge, RefusalCode::LimitMissing);
    };
    let age = proposal.cause.map_or(0, |cause| proposal.situation.now.since(cause).0);
    let limit = limits.account.intent_age_max.0;
    CheckOutcome::at_most(CheckId::IntentAge, i128::from(age), i128::from(limit), RefusalCode::StaleIntent)
}

fn effective(proposal: &Proposal<'_>) -> TradingState {
    let strategy = proposal.strategy.map(|strategy| strategy.id);
    proposal.situation.state.ladder().effective(strategy, Some(proposal.instrument.spec.id))
}
