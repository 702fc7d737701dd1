//! The fold. Live operation and restart both come through here, and nowhere else does durable state change.

use super::change::{answer_change, answer_create, new_order, step, take_execution, take_report};
use super::{Anchor, Instrument, State, Strategy, exec_key};
use crate::ledger::{DAY_NS, DayTotal};
use crate::loss_streak::LossStreak;
use crate::recent_orders::{Content, RecentOrders};
use crate::repeats::Repeats;
use crate::{
    Adjustment, Amount, Answer, Command, CreatedBy, DayAnchor, Doubt, Execution, ExecutionKind, HighWater,
    InstrumentSpec, IntentApproved, Limits, LimitsSet, NotSent, Order, OrderEvent, OrderId, OrderReport,
    Origin, Pending, PendingKind, Qty, Record, Refused, RefusedSummary, Resolution, Resolved, Rung,
    SessionStart, StateChange, StrategyStarted, Submission, Submitted, Timestamp, VenueStatus, Verdict,
};

impl State {
    /// Takes a fact in. Total: a fact that cannot follow from the state changes nothing.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Session(start) => self.apply_session(start),
            Record::Limits(set) => self.apply_limits(set),
            Record::Instrument(spec) => self.apply_instrument(spec),
            Record::StrategyStarted(started) => self.apply_started(started),
            Record::StrategyStopped(stopped) => self.stop(stopped.strategy),
            Record::StrategyFault(fault) if fault.quarantined => self.stop(fault.strategy),
            Record::StrategyFault(_) | Record::Operator(_) => {}
            Record::Intent(intent) => self.apply_intent(intent),
            Record::Refused(refused) => self.apply_refused(refused),
            Record::RefusedSummary(summary) => self.apply_summary(summary),
            Record::NotSent(not_sent) => self.apply_not_sent(not_sent),
            Record::Submission(submitted) => self.apply_submission(submitted),
            Record::Order(report) => self.apply_report(report),
            Record::Execution(execution) => self.apply_execution(execution),
            Record::Adjustment(adjustment) => self.apply_adjustment(adjustment),
            Record::Wallet(wallet) => self.wallet = Some(wallet.clone()),
            Record::Resolved(resolved) => self.apply_resolved(resolved),
            Record::TradingState(change) => self.apply_state(change),
            Record::Finding(_) => self.findings = self.findings.saturating_add(1),
            Record::DayAnchor(anchor) => self.apply_anchor(anchor),
            Record::HighWater(high) => self.apply_high_water(high),
            Record::Override(row) => drop(self.overrides.insert((row.strategy, row.check), row.clone())),
        }
    }

    /// Nothing runs yet in a new session; the gateway starts each strategy again.
    fn apply_session(&mut self, start: &SessionStart) {
        self.session = Some(start.clone());
        for strategy in self.strategies.values_mut() {
            strategy.running = false;
        }
    }

    fn apply_limits(&mut self, set: &LimitsSet) {
        // The text was parsed before it was journaled. A version of the program that refuses it has no limits, and so refuses
        // everything that adds risk.
        let limits = Limits::parse(&set.toml).ok();
        for instrument in self.instruments.values_mut() {
            instrument.limits =
                limits.as_ref().and_then(|limits| limits.instrument(&instrument.spec)).cloned();
        }
        for strategy in self.strategies.values_mut() {
            strategy.limits = limits.as_ref().map(|limits| limits.strategy(&strategy.name).clone());
        }
        self.limits = limits;
    }

    fn apply_instrument(&mut self, spec: &InstrumentSpec) {
        let limits = self.limits.as_ref().and_then(|limits| limits.instrument(spec)).cloned();
        self.instrument_names.insert((spec.category, spec.symbol.clone()), spec.id);
        match self.instruments.get_mut(&spec.id) {
            // Decimals are frozen at first sight: every mantissa in the books has them (RULES G10).
            Some(known) if known.spec.has_decimals_of(spec) => {
                known.spec = spec.clone();
                known.limits = limits;
            }
            Some(_) => {}
            None => {
                self.instruments.insert(spec.id, Instrument { spec: spec.clone(), limits, owner: None });
            }
        }
    }

    fn apply_started(&mut self, started: &StrategyStarted) {
        for id in &started.instruments {
            if let Some(instrument) = self.instruments.get_mut(id) {
                instrument.owner = Some(started.strategy);
            }
        }
        let limits = self.limits.as_ref().map(|limits| limits.strategy(&started.name).clone());
        self.strategy_names.insert(started.name.clone(), started.strategy);
        let strategy = self.strategies.entry(started.strategy).or_insert_with(|| Strategy {
            id: started.strategy,
            name: started.name.clone(),
            digest: started.digest,
            instruments: Vec::new(),
            budget: started.budget,
            running: true,
            limits: None,
            places: 0,
            rejects_in_a_row: 0,
            rates: crate::rate_window::OrderRates::default(),
            traded: DayTotal::default(),
            mandate: started.mandate,
            fees: DayTotal::default(),
            anchor: crate::Amount::ZERO,
            high: crate::Amount::ZERO,
            recent: RecentOrders::default(),
            repeats: Repeats::default(),
            losses: LossStreak::default(),
        });
        strategy.digest = started.digest;
        strategy.instruments.clone_from(&started.instruments);
        strategy.budget = started.budget;
        strategy.mandate = started.mandate;
        strategy.running = true;
        strategy.limits = limits;
        strategy.rejects_in_a_row = 0;
    }

    fn stop(&mut self, strategy: crate::StrategyId) {
        if let Some(strategy) = self.strategies.get_mut(&strategy) {
            strategy.running = false;
        }
    }

    fn apply_intent(&mut self, intent: &IntentApproved) {
        if intent.origin == Origin::Strategy {
            self.rates.add(intent.at);
            if let Some(strategy) = intent.strategy.and_then(|id| self.strategies.get_mut(&id)) {
                strategy.rates.add(intent.at);
                if let Command::Place(place) = &intent.command {
                    strategy.places = strategy.places.max(intent.number.0);
                    let window =
                        strategy.limits.as_ref().map(|limits| limits.duplicate_window).unwrap_or_default();
                    strategy.recent.add(Content::of(place), window, intent.at);
                }
                for outcome in intent.checks.iter().filter(|outcome| outcome.verdict == Verdict::Overridden) {
                    self.overrides.remove(&(strategy.id, outcome.check));
                }
            }
        }
        match &intent.command {
            Command::Place(place) => {
                if let Some(instrument) = self.instruments.get(&place.instrument) {
                    self.orders.insert(new_order(intent, place), &instrument.spec);
                }
            }
            Command::Amend(amend) => {
                let kind = PendingKind::Amend { price: amend.price, quantity: amend.quantity };
                self.set_pending(amend.order, kind, intent.at);
            }
            Command::Cancel(cancel) => {
                self.set_pending(cancel.order, PendingKind::Cancel(intent.origin), intent.at)
            }
            Command::CancelAll(_) | Command::SetProtection(_) => {}
        }
    }

    fn set_pending(&mut self, id: OrderId, kind: PendingKind, at: Timestamp) {
        self.edit(id, |order| {
            // Only a cancel takes the place of a command in flight; an amend it replaces may still come to pass.
            if let Some(Pending { kind: PendingKind::Amend { price, quantity }, at, .. }) = order.pending {
                order.doubt = Some(Doubt { price, quantity, at });
            }
            order.pending = Some(Pending { kind, sequence: None, at, answer: Answer::None });
        });
    }

    fn apply_refused(&mut self, refused: &Refused) {
        let count = self.refused.entry(refused.code).or_default();
        *count = count.saturating_add(1);
        if matches!(refused.ask, crate::Ask::Place(_))
            && let Some(strategy) = self.strategies.get_mut(&refused.strategy)
        {
            strategy.places = strategy.places.max(refused.number.0);
        }
    }

    fn apply_summary(&mut self, summary: &RefusedSummary) {
        let count = self.refused.entry(summary.code).or_default();
        *count = count.saturating_add(summary.count);
        if let Some(strategy) = self.strategies.get_mut(&summary.strategy) {
            strategy.places = strategy.places.max(summary.last_number.0);
        }
    }

    fn apply_not_sent(&mut self, not_sent: &NotSent) {
        let Some(order) = self.orders.by_sequence(not_sent.of) else { return };
        let id = order.id;
        self.edit(id, |order| {
            if order.sequence == Some(not_sent.of) {
                step(order, OrderEvent::NotSent);
            }
            order.pending = None;
        });
    }

    fn apply_submission(&mut self, submitted: &Submitted) {
        let Some(order) = self.orders.by_sequence(submitted.of) else { return };
        let (id, strategy) = (order.id, order.strategy);
        let place = order.sequence == Some(submitted.of);
        if place && let Some(strategy) = strategy.and_then(|id| self.strategies.get_mut(&id)) {
            match &submitted.outcome {
                Submission::Accepted { .. } => strategy.rejects_in_a_row = 0,
                Submission::Rejected(_) => {
                    strategy.rejects_in_a_row = strategy.rejects_in_a_row.saturating_add(1)
                }
                Submission::Unknown { .. } => {}
            }
        }
        if place {
            self.edit(id, |order| answer_create(order, &submitted.outcome));
        } else {
            self.edit(id, |order| answer_change(order, &submitted.outcome));
        }
    }

    fn apply_report(&mut self, report: &OrderReport) {
        if let CreatedBy::Split(whole) = &report.created_by {
            if let Some(id) = self.orders.by_link(whole).map(|order| order.id) {
                self.orders.add_part(report.venue_order.clone(), id);
            }
            return;
        }
        let Some(order) = report.link.as_ref().and_then(|link| self.orders.by_link(link)) else { return };
        let id = order.id;
        if order.pending.is_some_and(|pending| pending.kind == PendingKind::Place)
            && report.status != VenueStatus::Rejected
            && let Some(strategy) = order.strategy.and_then(|id| self.strategies.get_mut(&id))
        {
            strategy.rejects_in_a_row = 0;
        }
        self.edit(id, |order| take_report(order, report));
    }

    fn apply_execution(&mut self, execution: &Execution) {
        if !self.executions.insert(exec_key(&execution.exec)) {
            return;
        }
        self.last_execution = self.last_execution.max(execution.venue_time);
        let order =
            self.order_of(execution).map(|order| (order.id, order.strategy, order.accounted, order.quantity));
        let owner = match order {
            Some((_, strategy, ..)) => strategy,
            None => self.owner(execution.instrument),
        };
        let Some(instrument) = self.instruments.get(&execution.instrument) else { return };
        let before = self.ledger.position(execution.instrument, owner);
        let value = self.ledger.execute(owner, execution, &instrument.spec);
        let after = self.ledger.position(execution.instrument, owner);
        let day = execution.venue_time.0 / DAY_NS;
        let moves_position = execution.kind != ExecutionKind::Funding;
        let fee = if moves_position { execution.fee } else { Amount::ZERO };
        self.traded.add(day, value);
        self.fees.add(day, fee);
        if let Some(strategy) = owner.and_then(|id| self.strategies.get_mut(&id)) {
            strategy.traded.add(day, value);
            strategy.fees.add(day, fee);
            strategy.losses.update(execution.instrument, &before, &after, execution.venue_time);
            if let (Some((_, _, Qty::ZERO, quantity)), Some(limits)) = (order, &strategy.limits) {
                let pause = limits.repeated_executions_pause;
                strategy.repeats.add(
                    execution.instrument,
                    execution.side,
                    quantity,
                    execution.venue_time,
                    pause,
                );
            }
        }
        if let Some((id, ..)) = order
            && moves_position
        {
            self.edit(id, |order| take_execution(order, execution));
        }
    }

    /// The order an execution belongs to: by its client id, or as a part the venue split off.
    pub(crate) fn order_of(&self, execution: &Execution) -> Option<&Order> {
        match &execution.link {
            Some(link) => self.orders.by_link(link),
            None => self.orders.whole_of(&execution.venue_order),
        }
    }

    fn apply_adjustment(&mut self, adjustment: &Adjustment) {
        if let Some(instrument) = self.instruments.get(&adjustment.instrument) {
            self.ledger.adjust(adjustment, &instrument.spec);
        }
    }

    fn apply_resolved(&mut self, resolved: &Resolved) {
        self.edit(resolved.order, |order| {
            if resolved.resolution == Resolution::Absent {
                step(order, OrderEvent::Absent);
            }
            order.pending = None;
            order.doubt = None;
        });
    }

    fn apply_state(&mut self, change: &StateChange) {
        self.ladder.set(change.scope, Rung { state: change.to, cause: change.cause, since: change.at });
        if change.to == crate::TradingState::Active
            && let crate::Scope::Strategy(id) = change.scope
            && let Some(strategy) = self.strategies.get_mut(&id)
        {
            strategy.rejects_in_a_row = 0;
            strategy.repeats.clear();
        }
    }

    fn apply_high_water(&mut self, high: &HighWater) {
        self.high = high.account;
        for (id, profit) in &high.strategies {
            if let Some(strategy) = self.strategies.get_mut(id) {
                strategy.high = *profit;
            }
        }
    }

    fn apply_anchor(&mut self, anchor: &DayAnchor) {
        self.anchor = Anchor { day: anchor.day, account: anchor.account };
        for (id, profit) in &anchor.strategies {
            if let Some(strategy) = self.strategies.get_mut(id) {
                strategy.anchor = *profit;
            }
        }
    }

    fn edit(&mut self, id: OrderId, change: impl FnOnce(&mut Order)) {
        let Some(order) = self.orders.get(id) else { return };
        let Some(instrument) = self.instruments.get(&order.instrument) else { return };
        self.orders.edit(id, &instrument.spec, change);
    }
}
