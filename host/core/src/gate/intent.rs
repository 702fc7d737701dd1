//! Intents: the bucket, validation, review.

use crate::bucket::Bucket;
use crate::review::{Decision, review};
use crate::validate::{self, Invalid, ValidIntent};
use crate::{
    ActionKind, Ask, Cause, CheckOutcome, InstrumentId, NoticeBody, OrderId, OrderNumber, Origin, RawIntent,
    Record, RefusalCode, RefusalNotice, Refused, Strategy, StrategyId,
};

use super::turn::Turn;

/// Intents a second, and at once, of a strategy that has no limits: enough to be told so, too few to fill a journal.
const UNLIMITED: (u64, u64) = (1, 10);

impl Turn<'_> {
    /// Decides about one intent.
    pub(super) fn intent(&mut self, intent: &RawIntent, frame: &[u8]) {
        let id = intent.strategy;
        let Some(strategy) = self.state.strategy(id) else { return };
        let limits =
            strategy.limits.as_ref().map(|limits| (limits.intents_per_second_max, limits.intents_burst_max));
        let (per_second, burst) = limits.unwrap_or(UNLIMITED);
        // The count runs over every place, refused ones included (RULES T11).
        let number = match &intent.ask {
            Ask::Place(_) => self.count_place(id),
            Ask::Amend(amend) => amend.order,
            Ask::Cancel(number) => *number,
            Ask::CancelAll(_) | Ask::Flatten(_) => OrderNumber(0),
        };
        let live = self.desk.live.entry(id).or_default();
        // What takes risk away has a lane of its own, so that a flood of entries cannot hold it up.
        let lane = if takes_away(&intent.ask) { &mut live.exits } else { &mut live.entries };
        let bucket = lane.get_or_insert_with(|| Bucket::full(burst, self.now));
        if !bucket.take(per_second, burst, self.now) {
            live.overflow = live.overflow.saturating_add(1);
            if matches!(intent.ask, Ask::Place(_)) {
                live.overflow_number = number.0;
            }
            return self.tell_refusal(intent, number, None, RefusalCode::IntentRate);
        }
        if let Err(Invalid { code, checks }) = self.decide(intent, number, frame) {
            self.refuse(intent, number, code, checks);
        }
    }

    fn decide(&mut self, intent: &RawIntent, number: OrderNumber, frame: &[u8]) -> Result<(), Invalid> {
        let live = self.desk.live.get(&intent.strategy);
        if !live.is_some_and(|live| live.warm) {
            return Err(RefusalCode::WarmUp.into());
        }
        let strategy = self.state.strategy(intent.strategy).ok_or(RefusalCode::SymbolNotAllowed)?;
        match &intent.ask {
            Ask::Place(place) => {
                let valid = validate::place(place, number, intent.cause, strategy, self.state)?;
                self.review(intent, number, valid, frame);
                Ok(())
            }
            Ask::Amend(amend) => {
                let valid = validate::amend(amend, intent.cause, strategy, self.state)?;
                self.review(intent, number, valid, frame);
                Ok(())
            }
            Ask::Cancel(number) => {
                let order = validate::own_order(*number, strategy, self.state)?;
                let id = order.id;
                if order.is_being_cancelled() || self.desk.wanted.contains_key(&id) {
                    return Err(RefusalCode::OrderBusy.into());
                }
                self.cancel(id, Origin::Strategy, Some(intent.cause), frame);
                Ok(())
            }
            Ask::CancelAll(index) => {
                let only = match index {
                    Some(index) => Some(strategy.instrument(*index).ok_or(RefusalCode::UnknownInstrument)?),
                    None => None,
                };
                for order in self.own_orders(intent.strategy, only, false) {
                    self.cancel(order, Origin::Strategy, Some(intent.cause), frame);
                }
                Ok(())
            }
            Ask::Flatten(index) => {
                let instrument = strategy.instrument(*index).ok_or(RefusalCode::UnknownInstrument)?;
                if self.state.owner(instrument) != Some(intent.strategy) {
                    return Err(RefusalCode::SymbolOwned.into());
                }
                for order in self.own_orders(intent.strategy, Some(instrument), true) {
                    self.cancel(order, Origin::Strategy, Some(intent.cause), frame);
                }
                self.desk.flattens.insert(instrument);
                self.close_position(instrument);
                Ok(())
            }
        }
    }

    fn review(&mut self, intent: &RawIntent, number: OrderNumber, valid: ValidIntent, frame: &[u8]) {
        let (desk, state) = (&mut *self.desk, &*self.state);
        desk.totals.refresh(state, &desk.markets, desk.foreign.exposures());
        match review(valid, &self.situation(Some(intent.strategy)), frame) {
            Decision::Approve(command, record) => {
                let order = command.command().order();
                let before = order.and_then(|id| self.visible(id));
                self.approve(command, record);
                if let Some(id) = order {
                    self.tell_order(id, before.as_ref(), self.now);
                }
            }
            Decision::Refuse(code, checks) => self.refuse(intent, number, code, checks),
        }
    }

    fn refuse(
        &mut self,
        intent: &RawIntent,
        number: OrderNumber,
        code: RefusalCode,
        checks: Vec<CheckOutcome>,
    ) {
        let instrument = self.instrument_of(intent);
        self.tell_refusal(intent, number, instrument, code);
        self.record(Record::Refused(Refused {
            strategy: intent.strategy,
            ask: intent.ask.clone(),
            number,
            tag: self.tag_of(intent, number),
            instrument,
            cause: intent.cause,
            code,
            checks,
            at: self.now,
        }));
    }

    fn tell_refusal(
        &mut self,
        intent: &RawIntent,
        number: OrderNumber,
        instrument: Option<InstrumentId>,
        code: RefusalCode,
    ) {
        let instrument = instrument.or_else(|| self.instrument_of(intent));
        let tag = self.tag_of(intent, number);
        let action = ActionKind::of(&intent.ask);
        let notice = RefusalNotice { instrument, number, tag, code, action };
        self.tell(intent.strategy, self.now, NoticeBody::Refusal(notice));
    }

    fn instrument_of(&self, intent: &RawIntent) -> Option<InstrumentId> {
        let strategy = self.state.strategy(intent.strategy)?;
        validate::instrument_of(&intent.ask, strategy, self.state)
    }

    fn tag_of(&self, intent: &RawIntent, number: OrderNumber) -> u64 {
        match &intent.ask {
            Ask::Place(place) => place.tag,
            Ask::Amend(_) | Ask::Cancel(_) | Ask::CancelAll(_) | Ask::Flatten(_) => {
                self.state.orders().by_number(intent.strategy, number).map_or(0, |order| order.tag)
            }
        }
    }

    fn count_place(&mut self, strategy: StrategyId) -> OrderNumber {
        let number = self.desk.next_number(self.state, strategy);
        self.desk.live.entry(strategy).or_default().last_number = number.0;
        number
    }

    /// Open orders of a strategy, in one of its instruments or in all; with `entries` only those that may add.
    pub(super) fn own_orders(
        &self,
        strategy: StrategyId,
        only: Option<InstrumentId>,
        entries: bool,
    ) -> Vec<OrderId> {
        let instruments =
            self.state.strategy(strategy).map(|s: &Strategy| s.instruments.as_slice()).unwrap_or_default();
        instruments
            .iter()
            .filter(|id| only.is_none_or(|only| only == **id))
            .flat_map(|id| self.state.orders().open_in(*id))
            .filter(|order| order.strategy == Some(strategy) && !(entries && order.reduce_only))
            .map(|order| order.id)
            .collect()
    }

    /// Cancels an order now, or as soon as the command in flight on it has its answer (RULES G5).
    pub(super) fn cancel(&mut self, id: OrderId, origin: Origin, cause: Option<Cause>, frame: &[u8]) {
        let Some(order) = self.state.orders().get(id).filter(|order| order.status.is_open()) else {
            self.desk.wanted.remove(&id);
            return;
        };
        // What the venue refused a moment ago is tried again by itself, each time later.
        let waits = self.desk.wanted.get(&id).is_some_and(|wanted| self.now < wanted.not_before);
        if order.is_being_cancelled() || waits {
            return;
        }
        if order.link.is_none() || order.is_waiting_for_answer() {
            let not_before = self.now;
            let wanted = super::desk::Wanted { origin, cause, since: self.now, not_before };
            self.desk.wanted.entry(id).or_insert(wanted);
            return;
        }
        self.send_cancel(id, origin, cause, frame);
    }

    /// Cancels an order now, whatever is in flight on it.
    pub(super) fn send_cancel(&mut self, id: OrderId, origin: Origin, cause: Option<Cause>, frame: &[u8]) {
        self.desk.wanted.remove(&id);
        let Some(order) = self.state.orders().get(id) else { return };
        let valid = validate::cancel(order, origin, cause);
        if let Decision::Approve(command, record) = review(valid, &self.situation(None), frame) {
            self.approve(command, record);
        }
    }
}

fn takes_away(ask: &Ask) -> bool {
    match ask {
        Ask::Place(place) => place.reduce_only,
        Ask::Amend(_) => false,
        Ask::Cancel(_) | Ask::CancelAll(_) | Ask::Flatten(_) => true,
    }
}
