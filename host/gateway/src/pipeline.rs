//! From a market event to an order, and back. Read this first, then `road.rs`.
//!
//! ```text
//! venue ─▶ hear ─▶ frame ─▶ cell ─▶ listen ─▶ act ─▶ road (decide, commit, release, submit) ─▶ venue
//! ```
//!
//! One thread walks it, one step at a time. This driver is for strategies that live in cells and for events that come when they
//! please; the lab has a driver of its own, in virtual time, and both send everything down the same road.

use std::collections::{BTreeMap, VecDeque};

use portcullis_core::{
    ActionBody, Digest, FaultCode, Gate, Gauge, Input, InstrumentSpec, LinkChange, MarketEvent, Profit,
    Reply, Sequence, Span, StrategyChange, StrategyId, Timestamp,
};
use portcullis_journal::Journal;

use crate::cells::{CellEvent, Cells, Fault};
use crate::clock::Clock;
use crate::deployment::Deployment;
use crate::event::{Event, EventBody};
use crate::evidence::Evidence;
use crate::metrics::Metrics;
use crate::resync;
use crate::road::Road;
use crate::session::{Answer, Answered, Fate, Session};
use crate::step::Step;
use crate::venue::{Venue, VenueEvent};

/// How often the gate is told that time passes.
const TICK: Span = Span::from_millis(100);

/// How soon it is looked again whether the disk has answered, while an order waits for it.
const DISK_PAUSE: Span = Span::from_millis(1);

/// Most events taken from the venue in one turn, so that a flood of data cannot keep answers of cells waiting.
const EVENTS_PER_TURN: usize = 1_024;

/// Most failures whose evidence waits to be taken away; that of further ones is not kept.
const EVIDENCE_MAX: usize = 8;

/// The road to the venue, and the strategies that use it.
#[derive(Debug)]
pub struct Pipeline<V, C, J, K> {
    road: Road<V, J, K>,
    cells: C,
    lookahead: Span,
    sessions: BTreeMap<StrategyId, Session>,
    evidence: VecDeque<Evidence>,
    ticked: Timestamp,
}

impl<V: Venue, C: Cells, J: Journal, K: Clock> Pipeline<V, C, J, K> {
    /// Joins a gate, already folded from the journal, with the world. `lookahead` is L (RULES T2).
    pub fn new(gate: Gate, journal: J, venue: V, cells: C, clock: K, lookahead: Span) -> Self {
        Self {
            road: Road::new(gate, journal, venue, clock, lookahead),
            cells,
            lookahead,
            sessions: BTreeMap::new(),
            evidence: VecDeque::new(),
            ticked: Timestamp::default(),
        }
    }

    /// One turn: takes what the venue and the cells have, decides, sends, and hands out the next frames. Returns when it wants
    /// to be called again even if nothing arrives.
    pub fn turn(&mut self) -> Timestamp {
        for _ in 0..EVENTS_PER_TURN {
            let Some(event) = self.road.venue_mut().poll() else { break };
            self.hear(event);
        }
        while let Some((strategy, event)) = self.cells.poll() {
            self.listen(strategy, event);
        }
        self.tick();
        self.hand_out();
        self.road.flush();
        self.next_due()
    }

    /// Something came from the venue.
    fn hear(&mut self, event: VenueEvent) {
        match event {
            VenueEvent::Market(event) => self.market(&event),
            VenueEvent::Submission { of, outcome } => self.step(Input::Submission { of, outcome }),
            VenueEvent::Report(report) => self.step(Input::Report(report)),
            VenueEvent::Snapshot(snapshot) => self.step(Input::Snapshot(snapshot)),
            VenueEvent::Evidence { order, finding, venue_time } => {
                self.step(Input::Evidence { order, finding, venue_time });
            }
            VenueEvent::Link(change) => self.link(change),
            VenueEvent::Alarm(alarm) => self.step(Input::Alarm(alarm)),
            VenueEvent::Instrument(spec) => self.instrument(spec),
            VenueEvent::PriceLimit(limit) => self.step(Input::PriceLimit(limit)),
        }
    }

    fn market(&mut self, event: &MarketEvent) {
        self.road.market(event);
        for session in self.sessions.values_mut() {
            session.market(event);
        }
    }

    fn link(&mut self, change: LinkChange) {
        self.step(Input::Link(change));
        if change == (LinkChange::Public { up: false }) {
            let now = self.road.now();
            for session in self.sessions.values_mut() {
                session.disconnected(now);
            }
        }
    }

    /// The venue stated an instrument's rules. Strategies are told once the gate has taken a change over; rules that do not fit
    /// the books it refuses, and then nobody is told.
    fn instrument(&mut self, spec: InstrumentSpec) {
        let known = |gate: &Gate| gate.state().instrument(spec.id).map(|instrument| instrument.spec.clone());
        let before = known(self.gate());
        self.step(Input::Instrument(spec.clone()));
        if known(self.gate()) != before {
            let now = self.road.now();
            for session in self.sessions.values_mut() {
                session.instrument(&spec, now);
            }
        }
    }

    /// Something came from a cell.
    fn listen(&mut self, strategy: StrategyId, event: CellEvent) {
        let now = self.road.now();
        let Some(session) = self.sessions.get_mut(&strategy) else { return };
        match event {
            CellEvent::Ready => {
                if session.ready(&mut self.cells) {
                    self.resync(strategy);
                }
            }
            CellEvent::Outcome { outcome, .. } => match session.answer(outcome, now, &mut self.cells) {
                Ok(Answered::Live(answer)) => self.act(strategy, answer),
                Ok(Answered::Replayed { same, done }) => {
                    if !same {
                        tracing::warn!(?strategy, "a replayed frame caused other actions than it did before");
                    }
                    if done {
                        self.resync(strategy);
                    }
                }
                Err(fault) => self.fault(strategy, fault),
            },
            CellEvent::Snapshot(snapshot) => session.snapshotted(snapshot, now),
            CellEvent::Fault(fault) => self.fault(strategy, fault),
        }
    }

    /// Takes a strategy's answer: what it wrote to its log goes there, the rest goes down the road.
    fn act(&mut self, strategy: StrategyId, answer: Answer) {
        let now = self.road.now();
        let mut session = self.sessions.get_mut(&strategy);
        let asking = answer.steps.into_iter().filter(|step| match step {
            Step::Action(_, ActionBody::Log { level, message }) => {
                if let Some(session) = &mut session {
                    session.log(now, *level, message);
                }
                false
            }
            Step::Warm | Step::Resynced | Step::Action(..) => true,
        });
        self.road.act(strategy, asking, &answer.evidence);
        self.tell();
    }

    /// Lets the gate decide about one input.
    fn step(&mut self, input: Input<'_>) {
        self.road.step(input);
        self.tell();
    }

    /// Passes on what the gate wants strategies to know, and counts floods against those that caused them.
    fn tell(&mut self) {
        for (due, notice) in self.road.take_told() {
            if let Some(session) = self.sessions.get_mut(&notice.strategy) {
                session.tell(Event {
                    time: due,
                    venue_time: notice.venue_time,
                    body: EventBody::Notice(notice.body),
                });
            }
        }
        for strategy in self.road.take_floods() {
            let detail = "more intents than its bucket holds, for a whole second";
            self.fault(strategy, Fault::new(FaultCode::Flood, detail));
        }
    }

    /// A cell failed: the strategy comes back, or stays down.
    fn fault(&mut self, strategy: StrategyId, fault: Fault) {
        let now = self.road.now();
        let Some(session) = self.sessions.get_mut(&strategy) else { return };
        let keep = self.evidence.len() < EVIDENCE_MAX;
        let aftermath = session.fault(fault, keep, now, &mut self.cells);
        self.evidence.extend(aftermath.evidence);
        let failure = aftermath.failure;
        let (code, blame, detail) = (failure.code, failure.code.blame(), &failure.detail);
        let change = match aftermath.fate {
            Fate::Restarting { strikes } => {
                tracing::warn!(?strategy, %code, %blame, strikes, detail, "a strategy failed and is brought back");
                StrategyChange::Faulted { strategy, failure }
            }
            Fate::Quarantined { first } => {
                tracing::error!(?strategy, %code, %blame, detail, "a strategy failed too often and is quarantined");
                StrategyChange::Quarantined { strategy, failure, first }
            }
        };
        self.step(Input::Strategy(change));
    }

    /// Tells a strategy its whole state.
    fn resync(&mut self, strategy: StrategyId) {
        let now = self.road.now();
        let Some(session) = self.sessions.get_mut(&strategy) else { return };
        session.resync(resync::events(self.road.gate(), strategy, now), now);
    }

    fn tick(&mut self) {
        let now = self.road.now();
        if now.since(self.ticked) >= TICK {
            self.ticked = now;
            self.step(Input::Tick);
            let behind: Vec<StrategyId> = self
                .sessions
                .iter_mut()
                .filter_map(|(id, session)| session.fell_behind(now).then_some(*id))
                .collect();
            for strategy in behind {
                tracing::warn!(?strategy, "a strategy lags too far behind; its entries are cancelled");
                self.step(Input::Strategy(StrategyChange::Unresponsive(strategy)));
            }
            let gaps: Vec<(StrategyId, (u64, u64))> = self
                .sessions
                .iter_mut()
                .filter_map(|(id, session)| session.take_data_gap(now).map(|gap| (*id, gap)))
                .collect();
            for (strategy, (dropped, interruptions)) in gaps {
                let change = StrategyChange::DataGap { strategy, dropped, interruptions };
                self.step(Input::Strategy(change));
            }
        }
    }

    fn hand_out(&mut self) {
        let now = self.road.now();
        for session in self.sessions.values_mut() {
            session.hand_out(now, &mut self.cells);
        }
    }

    fn next_due(&self) -> Timestamp {
        let mut tick = self.ticked.after(TICK);
        if self.road.is_waiting() {
            tick = tick.min(self.road.now().after(DISK_PAUSE));
        }
        self.sessions.values().filter_map(Session::next_due).fold(tick, Timestamp::min)
    }
}

/// What the rest of the daemon asks of a pipeline.
impl<V: Venue, C: Cells, J: Journal, K: Clock> Pipeline<V, C, J, K> {
    /// Deploys a strategy: the gate gives it its instruments, `attach` hands its cell to the cells, and its instance is made.
    ///
    /// # Errors
    ///
    /// The gate's reply when it refuses: an instrument is owned by another strategy, or unknown.
    pub fn start(
        &mut self,
        deployment: Deployment,
        attach: impl FnOnce(&mut C, StrategyId),
    ) -> Result<StrategyId, Reply> {
        let now = self.road.now();
        let started = deployment.started(self.gate().state(), now);
        let strategy = started.strategy;
        let reply = self.hand_in(Input::Strategy(StrategyChange::Started(started)));
        match reply {
            None | Some(Reply::Done | Reply::Nothing) => {}
            Some(refused) => return Err(refused),
        }
        attach(&mut self.cells, strategy);
        let session = Session::start(strategy, deployment, self.lookahead, now, &mut self.cells);
        self.sessions.insert(strategy, session);
        Ok(strategy)
    }

    /// Stops a strategy: its entries are cancelled, its position and protection stay.
    pub fn stop(&mut self, strategy: StrategyId, reason: String) {
        if self.sessions.remove(&strategy).is_some() {
            self.cells.stop(strategy);
            self.step(Input::Strategy(StrategyChange::Stopped { strategy, reason }));
        }
    }

    /// Hands the gate an input of the daemon's own: a session, limits, an instrument, an operator's command.
    pub fn hand_in(&mut self, input: Input<'_>) -> Option<Reply> {
        let reply = self.road.step(input);
        self.tell();
        reply
    }

    /// The gate's state, to be shown.
    pub fn gate(&self) -> &Gate {
        self.road.gate()
    }

    /// What the account earned, at the prices last seen.
    pub fn profit(&self) -> Profit {
        self.gate().profit(self.road.now())
    }

    /// How far away every limit is, at the prices last seen.
    pub fn gauges(&self) -> Vec<Gauge> {
        self.gate().gauges(self.road.now())
    }

    /// What was counted.
    pub fn metrics(&self) -> &Metrics {
        self.road.metrics()
    }

    /// Number of entries in the journal and its head.
    pub fn journal_head(&self) -> (Sequence, Digest) {
        self.road.journal().head()
    }

    /// The venue, for drivers that feed it themselves.
    pub fn venue_mut(&mut self) -> &mut V {
        self.road.venue_mut()
    }

    /// The cells.
    pub fn cells(&self) -> &C {
        &self.cells
    }

    /// The cells, to be looked after between turns.
    pub fn cells_mut(&mut self) -> &mut C {
        &mut self.cells
    }

    /// The strategies that run, with what is known of each.
    pub fn strategies(&self) -> impl Iterator<Item = (StrategyId, &Session)> {
        self.sessions.iter().map(|(id, session)| (*id, session))
    }

    /// The evidence of the oldest failure that nobody has taken yet. The journal already cites its file.
    pub fn take_evidence(&mut self) -> Option<Evidence> {
        self.evidence.pop_front()
    }

    /// Ends the session in order: strategies are told nothing more, and the journal is handed back to be closed.
    pub fn finish(self) -> J {
        self.road.finish()
    }
}
