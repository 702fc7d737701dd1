//! The gate: the whole decision core behind one function.

mod alarm;
mod alerts;
mod command;
mod comparison;
mod confirm;
mod desk;
mod foreign;
mod gauges;
mod halt;
mod inhibit;
mod intent;
mod limits;
mod losses;
mod operator;
mod profit;
mod protection;
mod quiet;
mod reconcile;
mod report;
mod strategy;
mod tick;
mod told;
mod turn;

pub use comparison::Comparison;
pub use gauges::{Gauge, Unmeasured};
pub use profit::Profit;
pub use quiet::Quiet;
pub use told::Resync;

use desk::Desk;
use turn::Turn;

use crate::{
    Effects, ExecutionReport, Finding, FindingKind, Inhibits, Input, InstrumentId, LinkId, MarketEvent,
    MarketView, OrderNumber, Record, Sequence, State, StrategyId, Timestamp,
};

/// The gate. Pure: it reads no clock, does no I/O, and the same inputs give the same effects.
///
/// What must survive a restart is [`State`], a fold over the records. The rest, such as the markets and which bytes have left,
/// fills again from inputs; until it has, the answer to anything that adds risk is no.
#[derive(Debug, Default)]
pub struct Gate {
    state: State,
    desk: Desk,
}

impl Gate {
    /// A gate that knows nothing: without limits, instruments, links and market data it refuses everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a record of an earlier session, in the order of the journal. `link` is the client id that the journal minted for
    /// a place; `None` for anything else.
    pub fn fold(&mut self, sequence: Sequence, link: Option<LinkId>, record: &Record) {
        self.state.apply(record);
        self.desk.journal_head = self.desk.journal_head.max(sequence);
        if let Record::Intent(intent) = record {
            self.state.committed(&intent.command, sequence, link);
        }
    }

    /// Decides about one input. The records in the answer are already in force here; the caller journals them, in order and
    /// before anything else.
    pub fn step(&mut self, now: Timestamp, input: Input<'_>) -> Effects {
        if let Input::Market(event) = input {
            self.observe(event);
            return Effects::default();
        }
        if let Input::PriceLimit(limit) = input {
            self.desk.price_limit(limit);
            return Effects::default();
        }
        let mut turn =
            Turn { state: &mut self.state, desk: &mut self.desk, now, effects: Effects::default() };
        match input {
            Input::Session(start) => turn.session(start),
            Input::Limits(limits) => turn.limits(&limits),
            Input::Instrument(spec) => turn.instrument(spec),
            Input::Strategy(change) => turn.strategy(change),
            Input::Intent { intent, frame } => turn.intent(&intent, frame),
            Input::Committed { command, sequence, link } => turn.committed(command, sequence, link),
            Input::Release(sequence) => turn.release(sequence),
            Input::Submission { of, outcome } => turn.submission(of, outcome),
            Input::Report(ExecutionReport::Order(report)) => turn.order(report),
            Input::Report(ExecutionReport::Execution(execution)) => turn.execution(execution),
            Input::Report(ExecutionReport::Wallet(wallet)) => turn.record(Record::Wallet(wallet)),
            Input::Report(ExecutionReport::Position(position)) => turn.position(&position),
            Input::Market(_) | Input::PriceLimit(_) => {}
            Input::Snapshot(snapshot) => turn.snapshot(snapshot),
            Input::Evidence { order, finding, venue_time } => turn.evidence(order, finding, venue_time),
            Input::Link(change) => turn.link(change),
            Input::Alarm(alarm) => turn.alarm(alarm),
            Input::Operator { actor, command } => turn.operator(actor, command),
            Input::SetLimits { actor, limits, reason, code } => turn.set_limits(actor, &limits, reason, code),
            Input::Tick => turn.tick(),
        }
        turn.effects
    }

    /// Takes in a market event; the same as a step with [`Input::Market`], which never has effects.
    pub fn observe(&mut self, event: &MarketEvent) {
        self.desk.market(event);
    }

    /// The durable state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The market of an instrument, as last seen.
    pub fn market(&self, instrument: InstrumentId) -> Option<&MarketView> {
        self.desk.markets.get(instrument)
    }

    /// What holds orders that add risk.
    pub fn inhibits(&self) -> Inhibits {
        self.desk.inhibits()
    }

    /// Whether a query has proven that a halt left nothing in an instrument that could add to its position; `None` where none is
    /// under way.
    pub fn halt_is_proven(&self, instrument: InstrumentId) -> Option<bool> {
        self.desk.halts.get(&instrument).map(|halt| halt.confirmed)
    }

    /// How the books compared with the venue when it last told of everything; `None` before it did.
    pub fn comparison(&self) -> Option<Comparison> {
        let reconciliation = &self.desk.reconciliation;
        Some(Comparison {
            at: reconciliation.answered_at?,
            differences: reconciliation.differences.len(),
            unsettled: self.state.orders().unresolved().count(),
        })
    }

    /// Whether the venue told of a stop for an instrument's position that is as near as the limits want it.
    pub fn is_protected(&self, instrument: InstrumentId) -> bool {
        self.desk.stops.get(&instrument).is_some_and(|stop| stop.is_in_place())
    }

    /// The number the next `place` of a strategy gets (RULES T11).
    pub fn next_order_number(&self, strategy: StrategyId) -> OrderNumber {
        self.desk.next_number(&self.state, strategy)
    }
}

impl Turn<'_> {
    fn instrument(&mut self, spec: crate::InstrumentSpec) {
        let misfit = self.state.instrument(spec.id).is_some_and(|known| !known.spec.has_decimals_of(&spec));
        let same = self.state.instrument(spec.id).is_some_and(|known| known.spec == spec);
        if misfit {
            self.finding(Finding {
                kind: FindingKind::InstrumentMisfit,
                order: None,
                instrument: Some(spec.id),
                detail: format!("{}: decimals changed, which the books cannot follow", spec.symbol),
                at: self.now,
            });
        } else if !same {
            self.record(Record::Instrument(spec));
        }
    }
}
