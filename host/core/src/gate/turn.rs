//! One step of the gate while it happens.

use crate::checks::Situation;
use crate::{
    ApprovedCommand, Effects, Finding, FindingKind, InstrumentId, IntentApproved, OrderId, Record, State,
    StrategyId, Timestamp,
};

use super::desk::Desk;

/// One step: the state it changes and the effects it collects.
#[derive(Debug)]
pub(super) struct Turn<'g> {
    pub(super) state: &'g mut State,
    pub(super) desk: &'g mut Desk,
    pub(super) now: Timestamp,
    pub(super) effects: Effects,
}

impl Turn<'_> {
    /// Puts a fact in force and hands it to the journal.
    pub(super) fn record(&mut self, record: Record) {
        if let Some(instrument) = self.state.instrument_of(&record) {
            self.desk.totals.touch(instrument);
        }
        let reached = if let Record::Refused(refused) = &record {
            self.reached(&refused.checks, refused.strategy, refused.instrument)
        } else {
            Vec::new()
        };
        self.state.apply(&record);
        self.effects.records.push(record);
        for level in reached {
            self.tell_level(FindingKind::LimitReached, &level);
        }
    }

    /// Puts an approval in force and hands its command on.
    pub(super) fn approve(&mut self, command: ApprovedCommand, record: Box<IntentApproved>) {
        let index = self.effects.records.len();
        let near = self.approaching(&record.checks, record.strategy, record.command.instrument());
        self.record(Record::Intent(*record));
        self.effects.commands.push((index, command));
        for level in near {
            self.tell_level(FindingKind::LimitNear, &level);
        }
    }

    /// Notes an oddity.
    pub(super) fn finding(&mut self, finding: Finding) {
        self.record(Record::Finding(finding));
    }

    /// Notes an oddity about an order.
    pub(super) fn order_finding(&mut self, kind: FindingKind, order: OrderId, detail: String) {
        let instrument = self.state.orders().get(order).map(|order| order.instrument);
        self.finding(Finding { kind, order: Some(order), instrument, detail, at: self.now });
    }

    /// Notes an oddity about an instrument.
    pub(super) fn instrument_finding(&mut self, kind: FindingKind, instrument: InstrumentId, detail: String) {
        self.finding(Finding { kind, order: None, instrument: Some(instrument), detail, at: self.now });
    }

    /// The world as a review of this strategy's intents sees it; the host's own orders need no resync.
    pub(super) fn situation(&self, strategy: Option<StrategyId>) -> Situation<'_> {
        situation(self.state, self.desk, strategy, self.now)
    }
}

/// The world as a review of this strategy's intents sees it; the host's own orders need no resync.
pub(super) fn situation<'a>(
    state: &'a State,
    desk: &'a Desk,
    strategy: Option<StrategyId>,
    now: Timestamp,
) -> Situation<'a> {
    let resynced = strategy.is_none_or(|id| desk.live.get(&id).is_some_and(|live| live.resynced));
    Situation {
        state,
        market: &desk.markets,
        foreign: desk.foreign.exposures(),
        totals: &desk.totals,
        gaps: &desk.gaps,
        mode: desk.mode,
        inhibits: desk.inhibits(),
        resynced,
        now,
    }
}
