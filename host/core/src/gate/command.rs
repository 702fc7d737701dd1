//! What becomes of approved commands: journaled, released, answered.

use crate::checks::{collar_width, inhibit_refusal};
use crate::{
    Class, Command, FindingKind, LinkId, NotSent, Order, OrderId, Origin, PendingKind, Record, RefusalCode,
    RejectionKind, Release, Scope, Sequence, Span, StateCause, Submission, Submitted, Timestamp,
    TradingState,
};

use super::desk::Flight;
use super::halt::doubled;
use super::turn::Turn;

/// How long a cancel waits for the answer to the command before it (RULES G5).
const CANCEL_PATIENCE: Span = Span::from_secs(1);

/// Longest pause between two attempts at a cancel that the venue refuses.
const CANCEL_PAUSE_MAX: Span = Span::from_secs(30);

/// How long a command may be out without an outcome before it counts as unknown. The venue's side reports one much earlier.
const OUTCOME_MAX: Span = Span::from_secs(30);

/// How long after its approval a reduction may still leave while no limits say so.
const WITHOUT_LIMITS: Span = Span::from_secs(60);

impl Turn<'_> {
    /// The journal has a command.
    pub(super) fn committed(&mut self, command: &Command, sequence: Sequence, link: Option<LinkId>) {
        let order = command.order();
        let known = order.and_then(|id| self.state.orders().get(id));
        let approved_at = known.and_then(|order| order.pending).map_or(self.now, |pending| pending.at);
        self.state.committed(command, sequence, link);
        let class = match command {
            Command::Cancel(_) | Command::CancelAll(_) => Class::Cancel,
            Command::Place(place) if place.reduce_only => Class::Reducing,
            Command::Amend(amend) if self.only_shrinks(amend) => Class::Reducing,
            Command::SetProtection(_) => Class::Reducing,
            Command::Place(_) | Command::Amend(_) => Class::Adding,
        };
        self.desk.flights.insert(
            sequence,
            Flight {
                order,
                class,
                is_place: matches!(command, Command::Place(_)),
                approved_at,
                released_at: None,
            },
        );
    }

    /// The bytes are about to leave: is it still right? (RULES G4)
    pub(super) fn release(&mut self, sequence: Sequence) {
        let Some(flight) = self.desk.flights.get(&sequence).copied() else {
            // Not ours to send: the entry is unknown, or already has its outcome.
            self.effects.release = Some(Release::NotSent(RefusalCode::CannotEvaluate));
            return;
        };
        match self.objection(&flight) {
            None => {
                if let Some(flight) = self.desk.flights.get_mut(&sequence) {
                    flight.released_at = Some(self.now);
                }
                self.effects.release = Some(Release::Go);
            }
            Some(reason) => {
                self.desk.flights.remove(&sequence);
                let before = flight.order.and_then(|id| self.visible(id));
                self.record(Record::NotSent(NotSent { of: sequence, reason, at: self.now }));
                if let Some(id) = flight.order {
                    self.desk.wanted.remove(&id);
                    self.tell_order(id, before.as_ref(), self.now);
                }
                self.effects.release = Some(Release::NotSent(reason));
            }
        }
    }

    fn only_shrinks(&self, amend: &crate::AmendOrder) -> bool {
        self.state.orders().get(amend.order).is_some_and(|order| {
            order.reduce_only
                || (amend.price.is_none() && amend.quantity.is_some_and(|new| new < order.quantity))
        })
    }

    fn objection(&self, flight: &Flight) -> Option<RefusalCode> {
        let Some(order) = flight.order.and_then(|id| self.state.orders().get(id)) else {
            // A cancel-all is about an instrument, and always right.
            return flight.order.map(|_| RefusalCode::UnknownOrder);
        };
        if !order.status.is_open() || (flight.is_place && self.desk.wanted.contains_key(&order.id)) {
            return Some(RefusalCode::OrderClosed);
        }
        match flight.class {
            Class::Cancel => None,
            Class::Reducing => {
                let state = self.state.ladder().effective(order.strategy, Some(order.instrument));
                // Evidence counts from the approval, so nothing may be signed long after it; a halt or flatten asks again by itself.
                let late = self.now.since(flight.approved_at) > self.release_age_max();
                if state == TradingState::Locked {
                    return Some(RefusalCode::StateLocked);
                }
                late.then_some(RefusalCode::ReleaseExpired)
            }
            Class::Adding => self.adding_objection(order, flight),
        }
    }

    /// How long after its approval a command may still leave. Without limits nothing that adds risk is approved at all.
    pub(super) fn release_age_max(&self) -> Span {
        self.state.limits().map_or(WITHOUT_LIMITS, |limits| limits.account.release_age_max)
    }

    fn adding_objection(&self, order: &Order, flight: &Flight) -> Option<RefusalCode> {
        match self.state.ladder().effective(order.strategy, Some(order.instrument)) {
            TradingState::Active | TradingState::Caution => {}
            TradingState::ReduceOnly => return Some(RefusalCode::StateReduceOnly),
            TradingState::EntriesCancelled | TradingState::Flattening => {
                return Some(RefusalCode::StateEntriesCancelled);
            }
            TradingState::Locked => return Some(RefusalCode::StateLocked),
        }
        if let Some(code) = inhibit_refusal(self.desk.inhibits()) {
            return Some(code);
        }
        if self.state.limits().is_none() {
            return Some(RefusalCode::LimitMissing);
        }
        let fresh = self.now.since(flight.approved_at) <= self.release_age_max();
        (!fresh || !self.inside_collar(order)).then_some(RefusalCode::ReleaseExpired)
    }

    /// Whether the order's price still is where the market is; no when that cannot be told.
    fn inside_collar(&self, order: &Order) -> bool {
        let price = match order.pending.map(|pending| pending.kind) {
            Some(PendingKind::Amend { price, .. }) => price.or(order.price),
            Some(PendingKind::Place | PendingKind::Cancel(_)) | None => order.price,
        };
        let distance_fits = || {
            let instrument = self.state.instrument(order.instrument)?;
            let (spec, limits) = (&instrument.spec, instrument.limits.as_ref()?);
            let market = self.desk.markets.get(order.instrument)?;
            let fresh = self.now.since(market.fresh_at()?) <= limits.market_data_age_max;
            let reference = match order.trigger {
                Some(trigger) => trigger.price,
                None => market.opposite(order.side)?,
            };
            let reference = reference.to_amount(spec.price_decimals)?;
            let distance = price?.to_amount(spec.price_decimals)?.checked_sub(reference)?.checked_abs()?;
            let is_taken = match spec.has_price_limits && order.trigger.is_none() {
                true => {
                    let limit = market.limit.filter(|limit| limit.is_fresh(self.now))?;
                    limit.allows(order.side, price?)
                }
                false => true,
            };
            Some(fresh && is_taken && distance <= collar_width(reference, limits, spec)?)
        };
        distance_fits().unwrap_or(false)
    }

    /// The outcome of a command.
    pub(super) fn submission(&mut self, of: Sequence, outcome: Submission) {
        let flight = self.desk.flights.remove(&of);
        let order = self.state.orders().by_sequence(of).map(|order| order.id);
        if flight.is_none() && order.is_none() {
            return self.finding(crate::Finding {
                kind: FindingKind::UnknownCommand,
                order: None,
                instrument: None,
                detail: format!("an outcome for entry {}, which has none to wait for", of.0),
                at: self.now,
            });
        }
        let before = order.and_then(|id| self.visible(id));
        let refused = order.and_then(|id| self.refused_cancel(id, of, &outcome));
        let is_refused = matches!(outcome, Submission::Rejected(_));
        let is_unknown = matches!(outcome, Submission::Unknown { .. });
        self.record(Record::Submission(Submitted { of, outcome, at: self.now }));
        let Some(id) = order else { return };
        self.tell_order(id, before.as_ref(), self.now);
        self.check_reject_storm(id);
        let closing = self
            .state
            .orders()
            .get(id)
            .filter(|order| order.origin == Origin::Flatten && order.sequence == Some(of) && !is_unknown);
        if let Some(instrument) = closing.map(|order| order.instrument) {
            self.closing_answered(instrument, is_refused);
        }
        if let Some(origin) = refused {
            self.want_again(id, origin);
        }
        self.retry_cancel(id);
    }

    /// Who asked for the cancel that the venue refuses although the order may be there: over its rate, the address turned away, the
    /// clock or the key wrong. It is no answer that the cancel could be given up for.
    fn refused_cancel(&self, id: OrderId, of: Sequence, outcome: &Submission) -> Option<Origin> {
        let pending = self.state.orders().get(id)?.pending.filter(|pending| pending.sequence == Some(of))?;
        let (PendingKind::Cancel(origin), Submission::Rejected(rejection)) = (pending.kind, outcome) else {
            return None;
        };
        (rejection.kind != RejectionKind::NoSuchOrder).then_some(origin)
    }

    /// Keeps a refused cancel until it can be tried again, after a pause that doubles.
    fn want_again(&mut self, id: OrderId, origin: Origin) {
        if self.state.orders().get(id).is_none_or(|order| !order.status.is_open()) {
            return;
        }
        let times = self.desk.refused_cancels.entry(id).or_default();
        let not_before = self.now.after(doubled(Span::from_secs(1), *times, CANCEL_PAUSE_MAX));
        *times = times.saturating_add(1);
        let wanted = super::desk::Wanted { origin, cause: None, since: self.now, not_before };
        self.desk.wanted.entry(id).or_insert(wanted);
    }

    /// The venue takes requests again: what it refused is tried at once.
    pub(super) fn hurry_cancels(&mut self) {
        for wanted in self.desk.wanted.values_mut() {
            wanted.not_before = self.now;
        }
        self.hurry_halts();
        self.overdue();
    }

    /// Sends the cancels that waited for an answer long enough, and turns commands without an outcome into unknown ones.
    pub(super) fn overdue(&mut self) {
        if !self.desk.refused_cancels.is_empty() {
            let orders = self.state.orders();
            let is_open = |id: &OrderId| orders.get(*id).is_some_and(|order| order.status.is_open());
            self.desk.refused_cancels.retain(|id, _| is_open(id));
        }
        let wanted: Vec<OrderId> = self.desk.wanted.keys().copied().collect();
        for id in wanted {
            self.retry_cancel(id);
        }
        let out = |released: Option<Timestamp>| released.is_some_and(|at| self.now.since(at) > OUTCOME_MAX);
        let lost: Vec<Sequence> = self
            .desk
            .flights
            .iter()
            .filter(|(_, flight)| out(flight.released_at))
            .map(|(of, _)| *of)
            .collect();
        for of in lost {
            self.submission(of, Submission::Unknown { detail: "no outcome in 30 seconds".to_owned() });
        }
    }

    /// Sends a cancel that waited, if it can go now.
    pub(super) fn retry_cancel(&mut self, id: OrderId) {
        let Some(wanted) = self.desk.wanted.get(&id).copied() else { return };
        let Some(order) = self.state.orders().get(id).filter(|order| order.status.is_open()) else {
            self.desk.wanted.remove(&id);
            self.desk.refused_cancels.remove(&id);
            return;
        };
        if self.now < wanted.not_before {
            return;
        }
        let patient = order.is_waiting_for_answer() && self.now.since(wanted.since) < CANCEL_PATIENCE;
        if order.link.is_some() && !order.is_being_cancelled() && !patient {
            self.send_cancel(id, wanted.origin, wanted.cause, &[]);
        }
    }

    fn check_reject_storm(&mut self, id: OrderId) {
        let Some(strategy) = self.state.orders().get(id).and_then(|order| order.strategy) else { return };
        let Some(strategy) = self.state.strategy(strategy) else { return };
        let Some(limits) = &strategy.limits else { return };
        let (count, max) = (strategy.rejects_in_a_row, limits.rejects_in_a_row_max);
        if count >= max {
            let detail = format!("{count} rejections in a row, limit {max}");
            self.raise(
                Scope::Strategy(strategy.id),
                TradingState::ReduceOnly,
                StateCause::RejectStorm,
                detail,
            );
        }
    }
}
