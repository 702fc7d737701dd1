//! The fold. Live operation and restart both come through here, and nowhere else does durable state change.

use super::{Anchor, Instrument, State, Strategy, exec_key};
use crate::ledger::DAY_NS;
use crate::{
    Adjustment, Answer, CloseReason, Command, DayAnchor, Doubt, Execution, ExecutionKind, InstrumentSpec,
    IntentApproved, Limits, LimitsSet, NotSent, Order, OrderEvent, OrderId, OrderReport, OrderStatus, Origin,
    Pending, PendingKind, PlaceOrder, Price, Qty, Record, Refused, RefusedSummary, RejectionKind, Resolution,
    Resolved, Rung, SessionStart, StateChange, StrategyStarted, Submission, Submitted, Timestamp,
    VenueRejection, VenueStatus,
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
            traded: crate::ledger::DayTotal::default(),
            anchor: crate::Amount::ZERO,
        });
        strategy.digest = started.digest;
        strategy.instruments.clone_from(&started.instruments);
        strategy.budget = started.budget;
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
                if matches!(intent.command, Command::Place(_)) {
                    strategy.places = strategy.places.max(intent.number.0);
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
            execution.link.as_ref().and_then(|link| self.orders.by_link(link)).map(|o| (o.id, o.strategy));
        let strategy = match order {
            Some((_, strategy)) => strategy,
            None => self.owner(execution.instrument),
        };
        let Some(instrument) = self.instruments.get(&execution.instrument) else { return };
        let value = self.ledger.execute(strategy, execution, &instrument.spec);
        let day = execution.venue_time.0 / DAY_NS;
        self.traded.add(day, value);
        if let Some(strategy) = strategy.and_then(|id| self.strategies.get_mut(&id)) {
            strategy.traded.add(day, value);
        }
        if let Some((id, _)) = order
            && execution.kind != ExecutionKind::Funding
        {
            self.edit(id, |order| take_execution(order, execution));
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

fn new_order(intent: &IntentApproved, place: &PlaceOrder) -> Order {
    Order {
        id: place.order,
        strategy: intent.strategy,
        origin: intent.origin,
        number: intent.number,
        tag: intent.tag,
        instrument: place.instrument,
        side: place.side,
        price: place.price,
        quantity: place.quantity,
        time_in_force: place.time_in_force,
        reduce_only: place.reduce_only,
        trigger: place.trigger,
        good_till: intent.good_till,
        status: OrderStatus::Reserved,
        reason: CloseReason::None,
        reported: Qty::ZERO,
        accounted: Qty::ZERO,
        link: None,
        sequence: None,
        venue_order: None,
        doubt: None,
        pending: Some(Pending {
            kind: PendingKind::Place,
            sequence: None,
            at: intent.at,
            answer: Answer::None,
        }),
        approved_at: intent.at,
        venue_time: Timestamp::default(),
    }
}

/// Moves an order along the table; a change the table does not allow is left out, the gate having noted it.
fn step(order: &mut Order, event: OrderEvent) {
    if let Ok(next) = order.status.next(event) {
        order.status = next;
    }
}

/// The values of an amend are the order's now.
fn amended(order: &mut Order, price: Option<Price>, quantity: Option<Qty>) {
    order.price = price.or(order.price);
    order.quantity = quantity.unwrap_or(order.quantity);
}

fn answer_create(order: &mut Order, outcome: &Submission) {
    let creating = order.pending.is_some_and(|pending| pending.kind == PendingKind::Place);
    match outcome {
        Submission::Accepted { venue_order } => {
            order.venue_order = venue_order.clone().or(order.venue_order.take());
            step(order, OrderEvent::Accepted);
            if creating {
                order.pending = None;
            }
        }
        // The id exists: an earlier create of ours was taken, so the order is there, in a state not yet seen.
        Submission::Rejected(VenueRejection { kind: RejectionKind::DuplicateLinkId, .. })
        | Submission::Unknown { .. } => {
            step(order, OrderEvent::Unanswered);
            if creating && let Some(pending) = &mut order.pending {
                pending.answer = Answer::Unknown;
            }
        }
        Submission::Rejected(rejection) => {
            if let Ok(next) = order.status.next(OrderEvent::Rejected) {
                order.status = next;
                order.reason = reason_of(rejection.kind);
                order.pending = None;
            }
        }
    }
}

fn answer_change(order: &mut Order, outcome: &Submission) {
    let Some(pending) = &mut order.pending else { return };
    match (outcome, pending.kind) {
        (Submission::Accepted { .. }, _) => pending.answer = Answer::Accepted,
        (Submission::Unknown { .. }, _) => pending.answer = Answer::Unknown,
        // The order is not there any more, so its state is to be asked for.
        (Submission::Rejected(VenueRejection { kind: RejectionKind::NoSuchOrder, .. }), _) => {
            pending.answer = Answer::Unknown;
        }
        (
            Submission::Rejected(VenueRejection { kind: RejectionKind::NotModified, .. }),
            PendingKind::Amend { price, quantity },
        ) => {
            order.pending = None;
            amended(order, price, quantity);
        }
        (Submission::Rejected(_), _) => order.pending = None,
    }
}

fn take_report(order: &mut Order, report: &OrderReport) {
    let cancelled = matches!(report.status, VenueStatus::Cancelled | VenueStatus::Deactivated);
    let pending = order.pending.map(|pending| pending.kind);
    let event = match pending {
        Some(PendingKind::Cancel(Origin::GoodTill)) if cancelled => OrderEvent::Expired,
        _ => OrderEvent::Reported(report.status),
    };
    if order.status.next(event).is_err() {
        return;
    }
    step(order, event);
    order.venue_order = Some(report.venue_order.clone());
    order.venue_time = order.venue_time.max(report.venue_time);
    order.reported = order.reported.max(report.executed);
    if order.status.is_open() {
        order.reason = CloseReason::None;
        // Seen at the venue: a create in flight worked, and so did an amend whose values are there.
        match pending {
            Some(PendingKind::Place) => order.pending = None,
            Some(PendingKind::Amend { price, quantity }) if shows(report, price, quantity) => {
                order.pending = None
            }
            Some(PendingKind::Amend { .. } | PendingKind::Cancel(_)) | None => {}
        }
        if order.doubt.is_some_and(|doubt| shows(report, doubt.price, doubt.quantity)) {
            order.doubt = None;
        }
        // The venue shrinks reduce-only orders by itself; what it shows is what there is.
        amended(order, report.price, Some(report.quantity));
    } else {
        order.pending = None;
        order.doubt = None;
        order.reason = close_reason(pending, report, cancelled);
    }
}

/// Whether a report shows the values an amend asked for.
pub(crate) fn shows(report: &OrderReport, price: Option<Price>, quantity: Option<Qty>) -> bool {
    price.is_none_or(|price| report.price == Some(price))
        && quantity.is_none_or(|quantity| report.quantity == quantity)
}

/// The venue does not know on whose behalf a cancel came; we do.
fn close_reason(pending: Option<PendingKind>, report: &OrderReport, cancelled: bool) -> CloseReason {
    let told = matches!(
        report.reason,
        CloseReason::None | CloseReason::Other | CloseReason::ByHost | CloseReason::ByStrategy
    );
    match pending {
        Some(PendingKind::Cancel(origin)) if cancelled && told => match origin {
            Origin::Strategy => CloseReason::ByStrategy,
            Origin::GoodTill => CloseReason::GoodTill,
            Origin::StrategyDown | Origin::Halt | Origin::Flatten | Origin::Operator => CloseReason::ByHost,
        },
        _ => report.reason,
    }
}

impl Order {
    /// Whether a report would leave everything but its time as it is.
    pub(crate) fn would_ignore(&self, report: &OrderReport) -> bool {
        let mut after = self.clone();
        take_report(&mut after, report);
        after.venue_time = self.venue_time;
        after == *self
    }
}

fn take_execution(order: &mut Order, execution: &Execution) {
    order.accounted = Qty(order.accounted.0.saturating_add(execution.quantity.0));
    order.venue_order.get_or_insert_with(|| execution.venue_order.clone());
    let whole = order.accounted >= order.reserved_quantity();
    step(order, if whole { OrderEvent::WholeFilled } else { OrderEvent::PartFilled });
    let place = order.pending.is_some_and(|pending| pending.kind == PendingKind::Place);
    if place || !order.status.is_open() {
        order.pending = None;
    }
    if !order.status.is_open() {
        order.doubt = None;
    }
}

fn reason_of(kind: RejectionKind) -> CloseReason {
    match kind {
        RejectionKind::Margin => CloseReason::Margin,
        RejectionKind::PriceLimit => CloseReason::PriceLimit,
        RejectionKind::ReduceOnly => CloseReason::ReduceOnly,
        RejectionKind::Invalid
        | RejectionKind::Timestamp
        | RejectionKind::RateLimited
        | RejectionKind::Unauthorised
        | RejectionKind::TooManyOrders
        | RejectionKind::NoSuchOrder
        | RejectionKind::DuplicateLinkId
        | RejectionKind::NotModified
        | RejectionKind::NotTrading
        | RejectionKind::Other => CloseReason::VenueRule,
    }
}
