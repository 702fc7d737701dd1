//! Going up the ladder, and what that sets in motion: entries cancelled, positions closed, until a query proves it (RULES G6–G8).

use crate::review::{self, Decision, review};
use crate::validate;
use crate::{
    CancelScope, FindingKind, InstrumentId, Order, OrderId, OrderReport, Origin, Qty, Record, Scope, Side,
    Span, StateCause, StateChange, StrategyId, Timestamp, TradingState,
};

use super::desk::Halt;
use super::turn::Turn;

/// Pause between two attempts of a halt.
const REPEAT: Span = Span::from_secs(1);

/// A halt that is not proven after this long is a finding, and goes on at a pause that doubles: what the venue refuses would else fill
/// the journal, or the reserve where the disk is gone.
const DEADLINE: Span = Span::from_secs(10);

/// Longest pause between two attempts of a halt.
const REPEAT_MAX: Span = Span::from_secs(30);

/// Longest pause between two closing orders that the venue refuses.
const CLOSING_PAUSE_MAX: Span = Span::from_secs(10);

impl Turn<'_> {
    /// Raises a trading state and starts what goes with it. Does nothing when the state is as strict already.
    pub(super) fn raise(
        &mut self,
        scope: Scope,
        to: TradingState,
        cause: StateCause,
        detail: String,
    ) -> bool {
        let from = self.state.ladder().of(scope);
        if from >= to {
            return false;
        }
        let change = StateChange { scope, from, to, cause, detail, at: self.now };
        self.record(Record::TradingState(change));
        self.tell_state(scope);
        self.pursue_halts();
        true
    }

    /// Tells the strategies in a scope that their state changed.
    pub(super) fn tell_state(&mut self, scope: Scope) {
        let concerned: Vec<StrategyId> = self
            .state
            .strategies()
            .filter(|strategy| strategy.running)
            .filter(|strategy| match scope {
                Scope::Account => true,
                Scope::Strategy(id) => strategy.id == id,
                Scope::Instrument(id) => strategy.instruments.contains(&id),
            })
            .map(|strategy| strategy.id)
            .collect();
        for strategy in concerned {
            self.tell_budget(strategy, self.now);
        }
    }

    /// Takes every halt and flatten one attempt further.
    pub(super) fn pursue_halts(&mut self) {
        let instruments: Vec<(InstrumentId, TradingState)> = self
            .state
            .instruments()
            .map(|i| (i.spec.id, self.state.ladder().effective(i.owner, Some(i.spec.id))))
            .collect();
        for (id, state) in instruments {
            if state >= TradingState::EntriesCancelled {
                self.pursue_halt(id);
            } else {
                self.desk.halts.remove(&id);
            }
            if state == TradingState::Flattening || self.desk.flattens.contains(&id) {
                self.close_position(id);
            }
        }
    }

    /// A query showed what is open at the venue: a halt is proven where nothing that could add is left.
    pub(super) fn confirm_halts(&mut self, theirs: &[OrderReport], asked_by: Timestamp) {
        for (id, halt) in &mut self.desk.halts {
            let ours = self.state.orders().open_in(*id).any(is_entry);
            let left = theirs.iter().any(|order| order.instrument == *id && !order.reduce_only);
            halt.confirmed = !ours && !left && asked_by >= halt.sent_at;
        }
    }

    /// Closes what is left of a position being flattened, once nothing is under way.
    pub(super) fn continue_flatten(&mut self, instrument: InstrumentId) {
        let owner = self.state.owner(instrument);
        let state = self.state.ladder().effective(owner, Some(instrument));
        if state == TradingState::Flattening || self.desk.flattens.contains(&instrument) {
            self.close_position(instrument);
        }
    }

    /// Sends a closing order for the whole position, unless one is under way.
    pub(super) fn close_position(&mut self, instrument: InstrumentId) {
        let position = self.state.ledger().quantity(instrument);
        let (mut entries, mut closing) = (false, false);
        for order in self.state.orders().open_in(instrument) {
            entries |= is_entry(order);
            closing |= order.origin == Origin::Flatten;
        }
        if position.is_flat() {
            if !entries && !closing {
                self.desk.flattens.remove(&instrument);
            }
            self.desk.refused_closings.remove(&instrument);
            return;
        }
        let refused = self.desk.refused_closings.get(&instrument);
        let waits = refused.is_some_and(|refused| self.now < refused.not_before);
        if closing || waits || !self.is_signable() {
            return;
        }
        let owner = self.state.owner(instrument);
        let Some(spec) = self.state.spec(instrument) else { return };
        let side = if position.is_long() { Side::Sell } else { Side::Buy };
        // What is beyond the venue's largest market order goes in the next attempt.
        let quantity = Qty(position.abs().0.min(spec.max_market_quantity.0));
        // Reductions that rest in the book hold what they could reduce: they make way, or the position would never be closed.
        let in_the_way: Vec<OrderId> = self
            .state
            .orders()
            .open_in(instrument)
            .filter(|order| order.reduce_only && order.side == side)
            .map(|order| order.id)
            .collect();
        for order in in_the_way {
            self.cancel(order, Origin::Flatten, None, &[]);
        }
        let valid = validate::closing(instrument, owner, side, quantity);
        if let Decision::Approve(command, record) = review(valid, &self.situation(None), &[]) {
            self.approve(command, record);
        }
    }

    /// The venue said what it makes of a closing order: after a refusal the next one waits, each time longer.
    pub(super) fn closing_answered(&mut self, instrument: InstrumentId, is_refused: bool) {
        if !is_refused {
            self.desk.refused_closings.remove(&instrument);
            return;
        }
        let refused = self.desk.refused_closings.entry(instrument).or_default();
        refused.not_before = self.now.after(doubled(REPEAT, refused.times, CLOSING_PAUSE_MAX));
        refused.times = refused.times.saturating_add(1);
    }

    /// The venue can be spoken to again: halts and flattens try at once, and their pauses begin anew.
    pub(super) fn hurry_halts(&mut self) {
        self.desk.refused_closings.clear();
        for halt in self.desk.halts.values_mut() {
            halt.late_attempts = 0;
        }
    }

    fn pursue_halt(&mut self, instrument: InstrumentId) {
        let now = self.now;
        let entries = self.state.orders().open_in(instrument).any(is_entry);
        let used = entries || self.state.owner(instrument).is_some();
        let begun = self.desk.halts.get(&instrument).copied();
        // A halt acts at once, whatever is known of the signer; only its repeats wait for one.
        if !used || (begun.is_some() && !self.is_signable()) {
            return;
        }
        match begun {
            Some(halt) if halt.confirmed && !entries => {}
            Some(halt) if now.since(halt.sent_at) < doubled(REPEAT, halt.late_attempts, REPEAT_MAX) => {}
            Some(halt) => {
                let is_late = now.since(halt.since) > DEADLINE;
                let late = is_late && !halt.told;
                let late_attempts = halt.late_attempts.saturating_add(u32::from(is_late));
                let told = halt.told || late;
                let next = Halt { sent_at: now, confirmed: false, told, late_attempts, ..halt };
                self.desk.halts.insert(instrument, next);
                self.send_cancel_all(instrument);
                if late {
                    let detail = "entries not proven cancelled in ten seconds; it goes on".to_owned();
                    self.instrument_finding(FindingKind::HaltNotConfirmed, instrument, detail);
                }
            }
            None => {
                let halt = Halt { since: now, sent_at: now, confirmed: false, told: false, late_attempts: 0 };
                self.desk.halts.insert(instrument, halt);
                self.send_cancel_all(instrument);
            }
        }
    }

    fn send_cancel_all(&mut self, instrument: InstrumentId) {
        for scope in [CancelScope::Entries, CancelScope::Conditional] {
            let (command, record) =
                review::cancel_all(instrument, scope, Origin::Halt, &self.situation(None));
            self.approve(command, record);
        }
        self.desk.reconciliation.wanted = true;
    }
}

/// A pause that doubles with each time, up to the longest.
pub(super) fn doubled(first: Span, times: u32, longest: Span) -> Span {
    let factor = 1_u64.checked_shl(times).unwrap_or(u64::MAX);
    Span(first.0.saturating_mul(factor).min(longest.0))
}

/// An order that could still add to the position.
pub(super) fn is_entry(order: &Order) -> bool {
    order.status.is_open() && !order.reduce_only
}
