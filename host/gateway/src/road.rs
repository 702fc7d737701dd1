//! From an intent to a request, and no other way: decide, commit, release, submit.
//!
//! ```text
//! intents ─▶ decide (validate, review) ─▶ commit (journal) ─▶ release (asked once more) ─▶ submit ─▶ venue
//! ```
//!
//! Live, in the lab and in the simulator it is this very code. Nothing here reads a clock, a socket or a disk except through the
//! things it was built from. What strategies are to be told is collected for the driver, which knows when they may see it.

use portcullis_core::{
    ActionBody, Ask, Gate, Input, LinkChange, MarketEvent, Notice, RawIntent, Record, Release, Reply, Span,
    StrategyChange, StrategyId, Submission, Timestamp,
};
use portcullis_journal::{Health, Journal, JournalError, JournaledCommand, Wait, Withheld};

use crate::batch::{Batch, Run};
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::step::Step;
use crate::venue::Venue;

/// The gate, its journal and a venue, joined.
#[derive(Debug)]
pub struct Road<V, J, K> {
    gate: Gate,
    journal: J,
    venue: V,
    clock: K,
    lookahead: Span,
    /// What strategies are to be told, each with the time before which it may not be seen.
    told: Vec<(Timestamp, Notice)>,
    /// Strategies that flooded the gate.
    floods: Vec<StrategyId>,
    /// Whether facts wait for the disk.
    unflushed: bool,
    /// Orders that add risk and wait for the disk. While they do, the gate holds back others.
    withheld: Vec<Withheld>,
    /// Whether the gate was told that the journal can be relied on.
    journal_up: bool,
    /// Whether the journal refused what it must never refuse; nothing that adds risk leaves until the daemon is started again.
    journal_broken: bool,
    metrics: Metrics,
}

impl<V: Venue, J: Journal, K: Clock> Road<V, J, K> {
    /// Joins a gate, already folded from the journal, with the world. `lookahead` is L (RULES T2).
    pub fn new(gate: Gate, journal: J, venue: V, clock: K, lookahead: Span) -> Self {
        Self {
            gate,
            journal,
            venue,
            clock,
            lookahead,
            told: Vec::new(),
            floods: Vec::new(),
            unflushed: false,
            withheld: Vec::new(),
            journal_up: true,
            journal_broken: false,
            metrics: Metrics::default(),
        }
    }

    /// Takes what a strategy did down the road. All of it waits for the disk together. `evidence` are the first bytes of the
    /// causing frame, for the journal (RULES J2). Timers and log lines are the driver's affair and are left out here.
    pub fn act(&mut self, strategy: StrategyId, steps: impl IntoIterator<Item = Step>, evidence: &[u8]) {
        let mut batch = Batch::default();
        for step in steps {
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
                    let input = Input::Intent { intent, frame: evidence };
                    batch.add(self.gate.step(now, input), cause.time.after(self.lookahead));
                }
            }
        }
        self.carry_out(batch);
    }

    /// Takes in a market event.
    pub fn market(&mut self, event: &MarketEvent) {
        self.markets(std::slice::from_ref(event));
    }

    /// Takes in market events that nothing came between.
    pub fn markets(&mut self, events: &[MarketEvent]) {
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        self.metrics.market_events = self.metrics.market_events.saturating_add(count);
        let mut events = events.iter().peekable();
        while let Some(event) = events.next() {
            if !events.peek().is_some_and(|next| event.is_replaced_by(next)) {
                self.gate.observe(event);
            }
        }
    }

    /// Lets the gate decide about one input that is no intent, and does what it decided.
    pub fn step(&mut self, input: Input<'_>) -> Option<Reply> {
        let now = self.clock.now();
        let due = match &input {
            // The venue's word has its own delay behind it (RULES T2).
            Input::Report(_)
            | Input::Submission { .. }
            | Input::Evidence { .. }
            | Input::Snapshot(_)
            | Input::PriceLimit(_) => now,
            Input::Session(_)
            | Input::Limits(_)
            | Input::Instrument(_)
            | Input::Strategy(_)
            | Input::Intent { .. }
            | Input::Committed { .. }
            | Input::Release(_)
            | Input::Market(_)
            | Input::Link(_)
            | Input::Alarm(_)
            | Input::Operator { .. }
            | Input::SetLimits { .. }
            | Input::Tick => now.after(self.lookahead),
        };
        let mut effects = self.gate.step(now, input);
        let reply = effects.reply.take();
        self.carry_out(Batch::of(effects, due));
        reply
    }

    /// Begins to make durable what was written since the last wait for the disk, tells the gate how the journal stands, and lets go
    /// what waited for the disk.
    pub fn flush(&mut self) {
        if std::mem::take(&mut self.unflushed) {
            self.journal.begin_flush();
        }
        let health = self.journal.health();
        self.tell_journal(health == Health::Sound && !self.journal_broken);
        self.settle_withheld(health);
    }

    /// Whether something waits for the disk, so that [`flush`](Self::flush) is to be called again soon.
    pub fn is_waiting(&self) -> bool {
        !self.withheld.is_empty()
    }

    /// What strategies are to be told since the last time, each with the time before which it may not be seen (RULES T2).
    pub fn take_told(&mut self) -> Vec<(Timestamp, Notice)> {
        std::mem::take(&mut self.told)
    }

    /// Strategies that sent more intents than their bucket holds for a whole second, since the last time (RULES G9).
    pub fn take_floods(&mut self) -> Vec<StrategyId> {
        std::mem::take(&mut self.floods)
    }

    /// The gate's state, to be shown.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The journal.
    pub fn journal(&self) -> &J {
        &self.journal
    }

    /// The venue.
    pub fn venue(&self) -> &V {
        &self.venue
    }

    /// The venue, to be polled or fed.
    pub fn venue_mut(&mut self) -> &mut V {
        &mut self.venue
    }

    /// The time, as the road sees it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What was counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Ends in order: what still waits for the disk is not sent any more, everything is written, and the journal is handed back to be
    /// closed.
    pub fn finish(mut self) -> J {
        self.tell_journal(false);
        self.settle_withheld(Health::Failed);
        self.journal.begin_flush();
        self.journal
    }

    /// What an action asks of the venue, if it asks for anything.
    fn asked(&mut self, strategy: StrategyId, body: ActionBody) -> Option<Ask> {
        match body {
            ActionBody::Place(place) => return Some(Ask::Place(place)),
            ActionBody::Amend(amend) => return Some(Ask::Amend(amend)),
            ActionBody::Cancel(order) => return Some(Ask::Cancel(order)),
            ActionBody::CancelAll(instrument) => return Some(Ask::CancelAll(instrument)),
            ActionBody::Flatten(instrument) => return Some(Ask::Flatten(instrument)),
            ActionBody::SetTimer { .. } | ActionBody::Log { .. } => {}
            ActionBody::Metric { name, value } => self.metrics.set(strategy, name, value),
        }
        None
    }

    /// Does what the gate decided: first the journal, then the venue; what strategies are told is kept for the driver.
    fn carry_out(&mut self, batch: Batch) {
        // First, so that a strategy is told of an order before it is told what became of it.
        self.told.extend(batch.notices);
        for run in batch.runs {
            for command in self.commit(run) {
                self.release(command);
            }
        }
        if !self.withheld.is_empty() && self.journal.health() == Health::Failed {
            self.settle_withheld(Health::Failed);
        }
        for query in batch.queries {
            self.venue.query(query);
        }
        self.floods.extend(batch.strikes);
    }

    /// Writes facts down. Commands come back only once the facts behind them are durable, or, for those that cannot add risk, after a
    /// bounded wait (RULES G2). A disk that fails or does not answer holds back the others alone, and the gate is told (RULES G7).
    fn commit(&mut self, run: Run) -> Vec<JournaledCommand> {
        for record in &run.records {
            if let Record::Refused(refused) = record {
                self.metrics.refused(refused);
            }
        }
        let now = self.clock.now();
        // A change of the ladder is in force already; who asked for it hears of it when it is safe, or after the same wait.
        let moves_ladder = run.records.iter().any(|record| matches!(record, Record::TradingState(_)));
        if run.adding.is_none() && !moves_ladder {
            self.unflushed = true;
            if let Err(error) = self.journal.append(now, &run.records) {
                self.journal_refused(&error);
            }
            return Vec::new();
        }
        match self.journal.commit(now, &run.records, run.commands, Wait::BOUNDED) {
            Ok(committed) => {
                self.withheld.extend(committed.withheld);
                if committed.durable {
                    self.unflushed = false;
                } else {
                    self.tell_journal(false);
                }
                committed.commands
            }
            Err(error) => {
                self.journal_refused(&error);
                Vec::new()
            }
        }
    }

    /// Tells the gate whether the journal can be relied on, when that changes.
    fn tell_journal(&mut self, up: bool) {
        if std::mem::replace(&mut self.journal_up, up) != up {
            self.step(Input::Link(LinkChange::Journal { up }));
        }
    }

    /// The journal refused a record, which no disk explains.
    fn journal_refused(&mut self, error: &JournalError) {
        tracing::error!(%error, "the journal refused a record; no order that adds risk leaves any more");
        self.journal_broken = true;
        self.tell_journal(false);
    }

    /// Lets go the orders whose entries are durable by now. Where they never will be, the orders are given up.
    fn settle_withheld(&mut self, health: Health) {
        for withheld in std::mem::take(&mut self.withheld) {
            match self.journal.claim(withheld) {
                Ok(command) => self.release(command),
                Err(withheld) if health == Health::Failed => self.give_up(&withheld),
                Err(withheld) => self.withheld.push(withheld),
            }
        }
    }

    /// An order does not leave, because the journal failed: its reservation is freed.
    fn give_up(&mut self, withheld: &Withheld) {
        self.tell_journal(false);
        let (of, command) = (withheld.sequence(), withheld.command());
        let link = command.is_create().then(|| withheld.link().clone());
        self.step(Input::Committed { command, sequence: of, link });
        let now = self.clock.now();
        let effects = self.gate.step(now, Input::Release(of));
        let objected = effects.release != Some(Release::Go);
        self.carry_out(Batch::of(effects, now.after(self.lookahead)));
        if !objected {
            // The gate knows of no reason against it, yet it does not leave: whatever depends on it stays reserved.
            let detail = "withheld, because the journal failed".to_owned();
            self.step(Input::Submission { of, outcome: Submission::Unknown { detail } });
        }
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
        self.carry_out(Batch::of(effects, now.after(self.lookahead)));
    }
}
