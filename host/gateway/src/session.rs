//! One running strategy: what it waits for, what its cell is doing, and how it comes back after a fault.

mod alarms;
mod faults;
mod phase;

use portcullis_core::frame::Timers;
use portcullis_core::{
    Cause, Digest, FaultCode, InstrumentId, InstrumentSpec, LogLevel, MarketBody, MarketEvent, Outcome, Span,
    StrategyFailure, StrategyId, StrategyName, Timestamp,
};
use sha2::{Digest as _, Sha256};

use alarms::Alarms;
pub(crate) use faults::Fate;
pub use faults::Faults;
use phase::{InFlight, Phase};

use crate::budget::Budget;
use crate::cells::{Cells, Fault, Snapshot};
use crate::data_gaps::DataGaps;
use crate::deployment::Deployment;
use crate::event::{Event, EventBody, GapCause, Stream};
use crate::guest_log::GuestLog;
use crate::inbox::Inbox;
use crate::pack::Packer;
use crate::recovery::Recovery;
use crate::step::Step;

/// Most events in a frame.
const EVENTS_MAX: usize = 4_096;

/// How far a strategy may lag behind its events before its entries are cancelled (RULES C1), be it that its cell does not answer, does
/// not come back, or answers too slowly to catch up. What it asks for with a shorter lag is refused by the age of its cause, which the
/// limits cannot set above two seconds.
const LAG_MAX: Span = Span::from_secs(10);

/// Bytes of the causing frame kept with an intent's entry (RULES J2).
const FRAME_EVIDENCE_MAX: usize = 4_096;

/// One running strategy.
#[derive(Debug)]
pub struct Session {
    id: StrategyId,
    name: StrategyName,
    subscriptions: Vec<(InstrumentId, Stream)>,
    /// History to be shown at the first start.
    warm_up: Vec<Event>,
    phase: Phase,
    inbox: Inbox,
    alarms: Alarms,
    recovery: Recovery,
    budget: Budget,
    gaps: DataGaps,
    packer: Packer,
    last_time: Timestamp,
    /// Running number of the next event to be consumed.
    delivered: u64,
    /// Number of the event that ends the resync under way.
    resync_ends: Option<u64>,
    guest_faults: u64,
    host_faults: u64,
    last_fault: Option<StrategyFailure>,
    /// Events of the frame it failed on, until it is told.
    skipped: u32,
    /// Whether the gate was told that it lags too far behind.
    behind: bool,
    log: GuestLog,
}

/// What the cell's answer to a frame amounts to.
#[derive(Debug)]
pub(crate) struct Answer {
    /// What happened, in order.
    pub(crate) steps: Vec<Step>,
    /// The frame's first bytes, for the journal.
    pub(crate) evidence: Vec<u8>,
}

/// An answer, sorted by what it was for.
#[derive(Debug)]
pub(crate) enum Answered {
    /// A live frame's.
    Live(Answer),
    /// A replayed frame's.
    Replayed {
        /// Whether the strategy did the same again.
        same: bool,
        /// Whether that was the last one: the strategy is to be told its whole state.
        done: bool,
    },
}

impl Session {
    /// Starts a strategy: makes its instance. Events wait until it is ready.
    pub(crate) fn start(
        id: StrategyId,
        deployment: Deployment,
        lookahead: Span,
        now: Timestamp,
        cells: &mut impl Cells,
    ) -> Self {
        cells.revive(id, deployment.snapshot.as_ref());
        Self {
            id,
            name: deployment.name,
            packer: Packer::new(lookahead, deployment.instruments),
            subscriptions: deployment.subscriptions,
            warm_up: deployment.warm_up,
            phase: Phase::Reviving,
            inbox: Inbox::default(),
            alarms: Alarms::default(),
            recovery: Recovery::new(deployment.snapshot, now),
            budget: Budget::default(),
            gaps: DataGaps::default(),
            last_time: Timestamp::default(),
            delivered: 0,
            resync_ends: None,
            guest_faults: 0,
            host_faults: 0,
            last_fault: None,
            skipped: 0,
            behind: false,
            log: GuestLog::default(),
        }
    }

    /// The operator's name for it.
    pub fn name(&self) -> &StrategyName {
        &self.name
    }

    /// Events consumed since the session started.
    pub fn events(&self) -> u64 {
        self.delivered
    }

    /// Bytes of its log lines that were cut since the session started, because a minute had too many.
    pub fn log_bytes_cut(&self) -> u64 {
        self.log.cut_in_all()
    }

    /// The last snapshot and when it was taken, for the next session.
    pub fn snapshot(&self) -> Option<(&Snapshot, Timestamp)> {
        self.recovery.snapshot().map(|snapshot| (snapshot, self.recovery.taken_at()))
    }

    /// What it is doing: `starting`, `running`, `recovering` or `quarantined`.
    pub fn state(&self) -> &'static str {
        match self.phase {
            Phase::Waiting { .. } | Phase::Reviving | Phase::Replaying { .. }
                if self.last_fault.is_none() =>
            {
                "starting"
            }
            Phase::Waiting { .. } | Phase::Reviving | Phase::Replaying { .. } => "recovering",
            Phase::Idle | Phase::Busy(_) | Phase::Snapshotting => "running",
            Phase::Quarantined => "quarantined",
        }
    }

    /// Writes one of the strategy's log lines.
    pub(crate) fn log(&mut self, now: Timestamp, level: LogLevel, message: &str) {
        self.log.write(&self.name, now, level, message);
    }

    /// Takes in a public event if the strategy subscribed to it.
    pub(crate) fn market(&mut self, event: &MarketEvent) {
        if self.is_down() {
            return;
        }
        let mut wanted = self.subscriptions.iter().filter(|(id, _)| *id == event.instrument);
        let Some((_, stream)) = wanted.find(|(_, stream)| stream.carries(&event.body)) else { return };
        let mut body = event.body.clone();
        if let (Stream::Book(levels), MarketBody::Book(book)) = (stream, &mut body) {
            book.bids.truncate(usize::from(*levels));
            book.asks.truncate(usize::from(*levels));
        }
        let body = EventBody::Market(event.instrument, body);
        self.inbox.market(Event { time: event.time, venue_time: event.venue_time, body });
    }

    /// Takes in the news that an instrument's rules changed, if it is one of the strategy's.
    pub(crate) fn instrument(&mut self, spec: &InstrumentSpec, now: Timestamp) {
        if !self.is_down() && self.packer.owns(spec.id) {
            self.inbox.push(Event::now(now, EventBody::Instrument(spec.clone())));
        }
    }

    /// Takes in the news that the feed was interrupted: nobody knows how much is missing.
    pub(crate) fn disconnected(&mut self, now: Timestamp) {
        if !self.is_down() {
            let body = EventBody::Gap { dropped: 0, cause: GapCause::Disconnect };
            self.inbox.push(Event::now(now, body));
        }
    }

    /// Takes in an event about the strategy itself, to be seen at its time and not before.
    pub(crate) fn tell(&mut self, event: Event) {
        if !self.is_down() {
            self.inbox.hold(event);
        }
    }

    /// A new instance is ready: replays what it missed. True once the strategy is to be told its whole state with
    /// [`Session::resync`].
    pub(crate) fn ready(&mut self, cells: &mut impl Cells) -> bool {
        match self.phase {
            Phase::Reviving => self.replay(0, cells),
            Phase::Waiting { .. }
            | Phase::Replaying { .. }
            | Phase::Idle
            | Phase::Busy(_)
            | Phase::Snapshotting
            | Phase::Quarantined => false,
        }
    }

    /// Tells the strategy its whole state: everything it had not seen yet is covered by it. The first time, history comes before it.
    pub(crate) fn resync(&mut self, state: Vec<Event>, now: Timestamp) {
        self.inbox.clear();
        self.alarms = Alarms::default();
        let mut events = std::mem::take(&mut self.warm_up);
        if self.delivered == 0 {
            events.push(Event::now(now, EventBody::WarmUpBoundary));
        }
        if self.last_fault.is_some() {
            let dropped = std::mem::take(&mut self.skipped);
            let cause = if dropped > 0 { GapCause::SkippedFrame } else { GapCause::Fault };
            events.push(Event::now(now, EventBody::Gap { dropped, cause }));
        }
        events.extend(state);
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        self.resync_ends = Some(self.delivered.saturating_add(count).saturating_sub(1));
        for event in events {
            self.inbox.push(event);
        }
        self.phase = Phase::Idle;
    }

    /// Hands the next frame, or a request for a snapshot, to an idle cell.
    pub(crate) fn hand_out(&mut self, now: Timestamp, cells: &mut impl Cells) {
        self.revive_when_due(now, cells);
        if !matches!(self.phase, Phase::Idle) {
            return;
        }
        let quiet = self.inbox.is_empty(now) || self.recovery.needs_snapshot();
        if self.recovery.wants_snapshot(now) && quiet {
            self.phase = Phase::Snapshotting;
            return cells.snapshot(self.id);
        }
        for event in self.alarms.fire(now) {
            self.inbox.hold(event);
        }
        let mut events = Vec::new();
        self.inbox.take(now, EVENTS_MAX, &mut events);
        if events.is_empty() {
            return;
        }
        for event in &mut events {
            // A consequence that came due late is seen late, never out of order.
            event.time = event.time.max(self.last_time);
            self.last_time = event.time;
        }
        let (frame, packed) = self.packer.pack(&events);
        if packed == 0 {
            // It can never be packed: it is dropped, so that the others can go on.
            events.remove(0);
        }
        self.inbox.put_back(events.split_off(packed).into_iter());
        if packed == 0 {
            return;
        }
        cells.frame(self.id, &frame);
        self.phase = Phase::Busy(InFlight { events, frame });
    }

    /// Takes the answer to a frame.
    ///
    /// # Errors
    ///
    /// A fault when the answer breaks the stop rule; the instance must then not be used again.
    pub(crate) fn answer(
        &mut self,
        outcome: Outcome,
        now: Timestamp,
        cells: &mut impl Cells,
    ) -> Result<Answered, Fault> {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Busy(flight) => match self.packer.check(self.alarms.timers(), &outcome) {
                Ok(timers) => Ok(Answered::Live(self.accept(flight, outcome, timers, now))),
                Err(why) => {
                    // The frame is still the one it failed on.
                    self.phase = Phase::Busy(flight);
                    Err(protocol(&why.to_string()))
                }
            },
            Phase::Replaying { next } => {
                let same = self.recovery.replay(next).is_some_and(|recorded| recorded.outcome == outcome);
                let done = self.replay(next.saturating_add(1), cells);
                Ok(Answered::Replayed { same, done })
            }
            Phase::Waiting { .. }
            | Phase::Reviving
            | Phase::Idle
            | Phase::Snapshotting
            | Phase::Quarantined => Err(protocol("an answer to a frame nobody sent")),
        }
    }

    /// Takes a snapshot.
    pub(crate) fn snapshotted(&mut self, snapshot: Snapshot, now: Timestamp) {
        if matches!(self.phase, Phase::Snapshotting) {
            self.phase = Phase::Idle;
            self.recovery.snapshotted(snapshot, now);
        }
    }

    /// Whether it has just been found to lag too far behind: true once, until it has caught up.
    pub(crate) fn fell_behind(&mut self, now: Timestamp) -> bool {
        let behind = self.lag(now) > LAG_MAX;
        let fell = behind && !self.behind;
        self.behind = behind;
        fell
    }

    /// How long the oldest event it has not answered has been waiting.
    fn lag(&self, now: Timestamp) -> Span {
        let in_flight = match &self.phase {
            Phase::Busy(flight) => flight.events.first().map(|event| event.time),
            Phase::Waiting { .. }
            | Phase::Reviving
            | Phase::Replaying { .. }
            | Phase::Idle
            | Phase::Snapshotting
            | Phase::Quarantined => None,
        };
        let oldest = in_flight.or_else(|| self.inbox.oldest());
        oldest.map_or(Span(0), |oldest| now.since(oldest))
    }

    /// When this strategy next has something to do without an event from outside.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Idle => {}
            Phase::Waiting { until } => return Some(until),
            Phase::Reviving
            | Phase::Replaying { .. }
            | Phase::Busy(_)
            | Phase::Snapshotting
            | Phase::Quarantined => {
                return None;
            }
        }
        self.alarms.next_due().into_iter().chain(self.inbox.next_due()).min()
    }

    /// Whether the strategy is quarantined.
    pub(crate) fn is_down(&self) -> bool {
        matches!(self.phase, Phase::Quarantined)
    }

    fn revive_when_due(&mut self, now: Timestamp, cells: &mut impl Cells) {
        if let Phase::Waiting { until } = self.phase
            && until <= now
        {
            self.phase = Phase::Reviving;
            cells.revive(self.id, self.recovery.snapshot());
        }
    }

    fn replay(&mut self, next: usize, cells: &mut impl Cells) -> bool {
        let Some(recorded) = self.recovery.replay(next) else { return true };
        cells.frame(self.id, &recorded.frame);
        self.phase = Phase::Replaying { next };
        false
    }

    /// Takes an answer that keeps the stop rule; `timers` are those set after it.
    fn accept(&mut self, flight: InFlight, outcome: Outcome, timers: Timers, now: Timestamp) -> Answer {
        let digest = Digest(Sha256::digest(&flight.frame).into());
        let consumed = usize::try_from(outcome.consumed).unwrap_or(usize::MAX);
        let mut events = flight.events;
        let rest = events.split_off(consumed.min(events.len()));

        let mut steps = Vec::with_capacity(outcome.actions.len());
        let mut actions = outcome.actions.iter().peekable();
        for (index, event) in (0_u32..).zip(&events) {
            let number = self.delivered.saturating_add(u64::from(index));
            if event.body == EventBody::WarmUpBoundary {
                steps.push(Step::Warm);
            }
            if self.resync_ends == Some(number) {
                self.resync_ends = None;
                self.budget.recovered(now);
                steps.push(Step::Resynced);
            }
            while let Some(action) = actions.next_if(|action| action.cause == index) {
                let cause = Cause { time: event.time, event: number, frame: digest };
                steps.push(Step::Action(cause, action.body.clone()));
            }
        }

        for event in &events {
            match event.body {
                EventBody::Timer(id) => self.alarms.seen(id),
                EventBody::Gap { dropped, cause } => self.gaps.note(dropped, cause),
                EventBody::Market(..)
                | EventBody::Instrument(_)
                | EventBody::Notice(_)
                | EventBody::WarmUpBoundary
                | EventBody::Resync { .. } => {}
            }
        }
        self.alarms.set(timers);
        let filled = events.iter().any(Event::is_fill);
        self.last_time = events.last().map_or(self.last_time, |event| event.time);
        self.delivered = self.delivered.saturating_add(u64::from(outcome.consumed));
        self.inbox.put_back(rest.into_iter());
        self.inbox.retain_timers(|id| self.alarms.has_fired(id));
        let evidence = flight.frame.get(..FRAME_EVIDENCE_MAX).unwrap_or(&flight.frame).to_vec();
        self.recovery.record(flight.frame, outcome, filled);
        Answer { steps, evidence }
    }
}

fn protocol(why: &str) -> Fault {
    Fault::new(FaultCode::Protocol, why)
}
