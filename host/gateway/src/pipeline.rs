//! The road from an event to an order, and back. Read this first.
//!
//! ```text
//! venue ─▶ hear ─▶ frame ─▶ cell ─▶ listen ─▶ decide (validate, review) ─▶ commit ─▶ release ─▶ submit ─▶ venue
//! ```
//!
//! One thread walks it, one step at a time; nothing here reads a clock, a socket or a disk except through the four things it
//! was built from. Live, in the lab and in the simulator it is this very code.

use std::collections::BTreeMap;

use portcullis_core::{
    ActionBody, Ask, Digest, Gate, Input, InstrumentSpec, LinkChange, MarketEvent, Profit, RawIntent, Record,
    Release, Reply, Sequence, Span, StrategyChange, StrategyId, Timestamp,
};
use portcullis_journal::{Journal, JournalError, JournaledCommand, Wait};

use crate::batch::{Batch, Run};
use crate::cells::{Blame, CellEvent, Cells, Fault};
use crate::clock::Clock;
use crate::deployment::Deployment;
use crate::event::{Event, EventBody};
use crate::metrics::Metrics;
use crate::session::{Aftermath, Answer, Answered, Session, Step};
use crate::venue::{Venue, VenueEvent};
use crate::{guest_log, resync};

/// How often the gate is told that time passes.
const TICK: Span = Span::from_millis(100);

/// Most events taken from the venue in one turn, so that a flood of data cannot keep answers of cells waiting.
const EVENTS_PER_TURN: usize = 1_024;

/// The gate, its journal, a venue and the cells, joined.
#[derive(Debug)]
pub struct Pipeline<V, C, J, K> {
    gate: Gate,
    journal: J,
    venue: V,
    cells: C,
    clock: K,
    lookahead: Span,
    sessions: BTreeMap<StrategyId, Session>,
    ticked: Timestamp,
    /// Whether facts wait for the disk.
    unflushed: bool,
    /// Set once the journal failed; from then on nothing is written or sent.
    journal_down: bool,
    metrics: Metrics,
}

impl<V: Venue, C: Cells, J: Journal, K: Clock> Pipeline<V, C, J, K> {
    /// Joins a gate, already folded from the journal, with the world. `lookahead` is L (RULES T2).
    pub fn new(gate: Gate, journal: J, venue: V, cells: C, clock: K, lookahead: Span) -> Self {
        Self {
            gate,
            journal,
            venue,
            cells,
            clock,
            lookahead,
            sessions: BTreeMap::new(),
            ticked: Timestamp::default(),
            unflushed: false,
            journal_down: false,
            metrics: Metrics::default(),
        }
    }

    /// One turn: takes what the venue and the cells have, decides, sends, and hands out the next frames. Returns when it wants
    /// to be called again even if nothing arrives.
    pub fn turn(&mut self) -> Timestamp {
        for _ in 0..EVENTS_PER_TURN {
            let Some(event) = self.venue.poll() else { break };
            self.hear(event);
        }
        while let Some((strategy, event)) = self.cells.poll() {
            self.listen(strategy, event);
        }
        self.tick();
        self.hand_out();
        self.flush();
        self.next_due()
    }

    /// Something came from the venue.
    fn hear(&mut self, event: VenueEvent) {
        match event {
            VenueEvent::Market(event) => self.market(&event),
            VenueEvent::Submission { of, outcome } => self.step(Input::Submission { of, outcome }),
            VenueEvent::Report(report) => self.step(Input::Report(report)),
            VenueEvent::Snapshot(snapshot) => self.step(Input::Snapshot(snapshot)),
            VenueEvent::Evidence { order, finding } => self.step(Input::Evidence { order, finding }),
            VenueEvent::Link(change) => self.link(change),
            VenueEvent::Instrument(spec) => self.instrument(spec),
        }
    }

    fn market(&mut self, event: &MarketEvent) {
        self.metrics.market_events = self.metrics.market_events.saturating_add(1);
        self.step(Input::Market(event));
        for session in self.sessions.values_mut() {
            session.market(event);
        }
    }

    fn link(&mut self, change: LinkChange) {
        self.step(Input::Link(change));
        if change == (LinkChange::Public { up: false }) {
            let now = self.clock.now();
            for session in self.sessions.values_mut() {
                session.disconnected(now);
            }
        }
    }

    /// The venue stated an instrument's rules. Strategies are told once the gate has taken a change over; rules that do not fit
    /// the books it refuses, and then nobody is told.
    fn instrument(&mut self, spec: InstrumentSpec) {
        let known = |gate: &Gate| gate.state().instrument(spec.id).map(|instrument| instrument.spec.clone());
        let before = known(&self.gate);
        self.step(Input::Instrument(spec.clone()));
        if known(&self.gate) != before {
            let now = self.clock.now();
            for session in self.sessions.values_mut() {
                session.instrument(&spec, now);
            }
        }
    }

    /// Something came from a cell.
    fn listen(&mut self, strategy: StrategyId, event: CellEvent) {
        let now = self.clock.now();
        let Some(session) = self.sessions.get_mut(&strategy) else { return };
        match event {
            CellEvent::Ready => {
                if session.ready(&mut self.cells) {
                    self.resync(strategy);
                }
            }
            CellEvent::Outcome { outcome, .. } => match session.answer(outcome, &mut self.cells) {
                Ok(Answered::Live(answer)) => self.act(strategy, answer),
                Ok(Answered::Replayed { same, done }) => {
                    if !same {
                        tracing::warn!(?strategy, "a replayed frame caused other actions than it did before");
                    }
                    if done {
                        self.resync(strategy);
                    }
                }
                Err(fault) => self.fault(strategy, &fault),
            },
            CellEvent::Snapshot(snapshot) => session.snapshotted(snapshot, now),
            CellEvent::Fault(fault) => self.fault(strategy, &fault),
        }
    }

    /// Takes a strategy's answer: the actions that ask for something go down the road together.
    fn act(&mut self, strategy: StrategyId, answer: Answer) {
        let mut batch = Batch::default();
        for step in answer.steps {
            let now = self.clock.now();
            match step {
                Step::Warm => {
                    batch.add(self.gate.step(now, Input::Strategy(StrategyChange::Warm(strategy))), now);
                }
                Step::Resynced => {
                    batch.add(self.gate.step(now, Input::Strategy(StrategyChange::Resynced(strategy))), now);
                }
                Step::Action(cause, body) => {
                    let Some(ask) = self.asked(strategy, body) else { continue };
                    self.metrics.intents = self.metrics.intents.saturating_add(1);
                    let intent = RawIntent { strategy, cause, ask };
                    let input = Input::Intent { intent, frame: &answer.evidence };
                    batch.add(self.gate.step(now, input), cause.time.after(self.lookahead));
                }
            }
        }
        self.carry_out(batch);
    }

    /// What an action asks of the venue. Those that ask for nothing are done here.
    fn asked(&mut self, strategy: StrategyId, body: ActionBody) -> Option<Ask> {
        match body {
            ActionBody::Place(place) => return Some(Ask::Place(place)),
            ActionBody::Amend(amend) => return Some(Ask::Amend(amend)),
            ActionBody::Cancel(order) => return Some(Ask::Cancel(order)),
            ActionBody::CancelAll(instrument) => return Some(Ask::CancelAll(instrument)),
            ActionBody::Flatten(instrument) => return Some(Ask::Flatten(instrument)),
            // The session took it in with the rest of the answer.
            ActionBody::SetTimer { .. } => {}
            ActionBody::Log { level, message } => {
                guest_log::write(self.sessions.get(&strategy), level, &message)
            }
            ActionBody::Metric { name, value } => self.metrics.set(strategy, name, value),
        }
        None
    }

    /// Lets the gate decide about one input, and does what it decided.
    fn step(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        let effects = self.gate.step(now, input);
        self.carry_out(Batch::of(effects, now));
    }

    /// Does what the gate decided: first the journal, then the venue, then the strategies.
    fn carry_out(&mut self, batch: Batch) {
        for run in batch.runs {
            for command in self.commit(run) {
                self.release(command);
            }
        }
        for (due, notice) in batch.notices {
            if let Some(session) = self.sessions.get_mut(&notice.strategy) {
                session.tell(Event {
                    time: due,
                    venue_time: notice.venue_time,
                    body: EventBody::Notice(notice.body),
                });
            }
        }
        for query in batch.queries {
            self.venue.query(query);
        }
        for strategy in batch.strikes {
            let detail = "more intents than its bucket holds, for a whole second".to_owned();
            self.fault(strategy, &Fault { blame: Blame::Guest, kind: "FLOOD", detail });
        }
    }

    /// Writes facts down. Commands come back only once the facts behind them are durable, or, for those that cannot add risk, after a
    /// bounded wait (RULES G2). When the disk fails nothing comes back, and the gate is told.
    fn commit(&mut self, run: Run) -> Vec<JournaledCommand> {
        for record in &run.records {
            if let Record::Refused(refused) = record {
                self.metrics.refused(refused);
            }
        }
        if self.journal_down {
            return Vec::new();
        }
        let now = self.clock.now();
        let written = match run.adding {
            None => self.journal.append(now, &run.records).map(|_| Vec::new()),
            Some(adding) => {
                let wait = if adding { Wait::Durable } else { Wait::REDUCTION };
                self.journal.commit(now, &run.records, run.commands, wait).map(|committed| committed.commands)
            }
        };
        self.unflushed = run.adding.is_none();
        written.unwrap_or_else(|error| {
            self.journal_failed(&error);
            Vec::new()
        })
    }

    /// The journal cannot be written any more: nothing that adds risk leaves until the daemon is started again (invariant 10).
    fn journal_failed(&mut self, error: &JournalError) {
        tracing::error!(%error, "the journal failed; no order leaves any more");
        self.journal_down = true;
        self.step(Input::Link(LinkChange::Journal { up: false }));
    }

    /// Asks the gate once more, and hands the command to the venue (RULES G4).
    fn release(&mut self, command: JournaledCommand) {
        let sequence = command.sequence();
        let link = command.command().is_create().then(|| command.link().clone());
        self.step(Input::Committed { command: command.command(), sequence, link });
        let now = self.clock.now();
        let effects = self.gate.step(now, Input::Release(sequence));
        if effects.release == Some(Release::Go) {
            self.venue.submit(command);
        }
        self.carry_out(Batch::of(effects, now));
    }

    /// A cell failed: the strategy comes back, or stays down.
    fn fault(&mut self, strategy: StrategyId, fault: &Fault) {
        let now = self.clock.now();
        let Some(session) = self.sessions.get_mut(&strategy) else { return };
        let detail = format!("{}: {}", fault.kind, fault.detail);
        let change = match session.fault(fault, now, &mut self.cells) {
            Aftermath::Restarting { strikes } => {
                tracing::warn!(?strategy, strikes, detail, "a strategy failed and is brought back");
                StrategyChange::Faulted { strategy, detail }
            }
            Aftermath::Quarantined => {
                tracing::error!(?strategy, detail, "a strategy failed too often and is quarantined");
                StrategyChange::Quarantined { strategy, detail }
            }
        };
        self.step(Input::Strategy(change));
    }

    /// Tells a strategy its whole state.
    fn resync(&mut self, strategy: StrategyId) {
        let now = self.clock.now();
        let Some(session) = self.sessions.get_mut(&strategy) else { return };
        session.resync(resync::events(&mut self.gate, strategy, now), now);
    }

    fn tick(&mut self) {
        let now = self.clock.now();
        if now.since(self.ticked) >= TICK {
            self.ticked = now;
            self.step(Input::Tick);
            let silent: Vec<StrategyId> = self
                .sessions
                .iter_mut()
                .filter_map(|(id, session)| session.turned_unresponsive(now).then_some(*id))
                .collect();
            for strategy in silent {
                tracing::warn!(?strategy, "a cell does not answer; its entries are cancelled");
                self.step(Input::Strategy(StrategyChange::Unresponsive(strategy)));
            }
        }
    }

    fn hand_out(&mut self) {
        let now = self.clock.now();
        for session in self.sessions.values_mut() {
            session.hand_out(now, &mut self.cells);
        }
    }

    fn flush(&mut self) {
        if std::mem::take(&mut self.unflushed)
            && !self.journal_down
            && let Err(error) = self.journal.flush()
        {
            self.journal_failed(&error);
        }
    }

    fn next_due(&self) -> Timestamp {
        let tick = self.ticked.after(TICK);
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
        let now = self.clock.now();
        let started = deployment.started(self.gate.state(), now);
        let strategy = started.strategy;
        let effects = self.gate.step(now, Input::Strategy(StrategyChange::Started(started)));
        let reply = effects.reply.clone();
        self.carry_out(Batch::of(effects, now));
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
        let now = self.clock.now();
        let effects = self.gate.step(now, input);
        let reply = effects.reply.clone();
        self.carry_out(Batch::of(effects, now));
        reply
    }

    /// The gate's state, to be shown.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// What the account earned, at the prices last seen.
    pub fn profit(&mut self) -> Profit {
        let now = self.clock.now();
        self.gate.profit(now)
    }

    /// What was counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Number of entries in the journal and its head.
    pub fn journal_head(&self) -> (Sequence, Digest) {
        self.journal.head()
    }

    /// The venue, for drivers that feed it themselves.
    pub fn venue_mut(&mut self) -> &mut V {
        &mut self.venue
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

    /// Ends the session in order: strategies are told nothing more, and the journal is handed back to be closed.
    pub fn finish(mut self) -> J {
        self.flush();
        self.journal
    }
}
