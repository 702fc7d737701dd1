//! The world: one event after the other, each at its time.

mod hear;
mod life;
mod trouble;
mod turns;

use portcullis_core::{
    ExecutionReport, FaultCode, Input, LinkChange, Reply, Sequence, State, StrategyChange, StrategyFailure,
    StrategyId,
};

use crate::clock::{MS, SECOND, START, SimClock};
use crate::disk::Disk;
use crate::exchange::SPECS;
use crate::gateway::SimRoad;
use crate::plan::{Plan, Sabotage};
use crate::queue::Event;
use crate::rng::Rng;
use crate::shared::{Outside, Shared};

/// How often the gateway ticks.
const TICK: u64 = 100 * MS;

/// From the last fault and order to the end: long enough for every query that may be due.
const REST: u64 = 200 * SECOND;

/// A world.
#[derive(Debug)]
pub(crate) struct World {
    plan: Plan,
    clock: SimClock,
    outside: Shared,
    disk: Disk,
    road: Option<SimRoad>,
    session: u32,
    strategies: [Seat; SPECS],
    turns: Rng,
    chaos: Rng,
    /// The head and the state of the last life, when all of it was on the disk.
    last: Option<(Sequence, State)>,
    /// The venue's time of the newest execution heard, for backfills.
    seen: u64,
    calm: bool,
    /// How far ahead the gateway's clock ever was.
    ahead: u64,
    steps: u64,
}

/// A strategy's place.
#[derive(Debug, Clone, Copy, Default)]
struct Seat {
    running: bool,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) outside: Outside,
    pub(crate) steps: u64,
}

impl World {
    pub(crate) fn new(plan: Plan, kept: usize) -> Self {
        let clock = SimClock::new();
        let outside = Shared::new(&plan, kept);
        let disk = Disk::new(plan.seed, clock.clone(), plan.sabotage == Some(Sabotage::LyingSync));
        let (turns, chaos) = (Rng::new(plan.seed, "turns"), Rng::new(plan.seed, "chaos"));
        Self {
            clock,
            outside,
            disk,
            road: None,
            session: 0,
            strategies: [Seat::default(); SPECS],
            turns,
            chaos,
            last: None,
            seen: START,
            calm: false,
            ahead: 0,
            steps: 0,
            plan,
        }
    }

    /// Runs until the end, the first violation, or the last step allowed.
    pub(crate) fn run(mut self) -> Ended {
        {
            let mut outside = self.outside.get();
            for instrument in 0..SPECS {
                outside.after(0, Event::Move(instrument));
                outside.after(SECOND, Event::Strategy(instrument));
            }
            outside.after(0, Event::Restart);
            outside.after(3 * SECOND, Event::Operator);
            outside.after(2 * SECOND, Event::Fault);
            outside.after(self.plan.busy, Event::Calm);
        }
        while self.steps < self.plan.steps {
            let next = self.outside.get().queue.pop();
            let Some((time, event)) = next else { break };
            self.outside.get().now = time;
            self.steps += 1;
            let last = matches!(event, Event::Finish);
            self.happen(time, event);
            if last || self.outside.get().watch.violation.is_some() {
                break;
            }
        }
        let steps = self.steps;
        self.road = None;
        Ended { outside: self.outside.into_inner().unwrap(), steps }
    }

    fn happen(&mut self, time: u64, event: Event) {
        match event {
            // At the venue.
            Event::Move(instrument) => self.move_market(instrument),
            Event::Arrive { number, request } => self.outside.get().arrive(number, *request),
            Event::Cancelled(number) => {
                let mut outside = self.outside.get();
                outside.exchange.at(time).cancelled(number);
                outside.speak();
            }
            Event::Lookup(lookup) => self.look_up(*lookup),
            // At the gateway.
            Event::Outcome { session, of, outcome } => {
                let told = self.outside.get().network.settles(session, of);
                if told && self.is_up(session) {
                    self.clock.reach(time);
                    self.outside
                        .get()
                        .note(&[10, of.0], || format!("gateway hears of #{}: {outcome:?}", of.0));
                    self.input(Input::Submission { of, outcome: *outcome });
                }
            }
            Event::Private { generation, report } => self.hear_private(time, generation, *report),
            Event::Market { generation, instrument, body, venue_time } => {
                self.hear_market(time, generation, instrument, body, venue_time);
            }
            Event::Noticed { stream, generation } => self.notice(time, stream, generation),
            Event::Connect { stream, session } => self.connect(time, stream, session),
            Event::Skew { session } => {
                if self.is_up(session) {
                    self.clock.reach(time);
                    let millis = self.clock.offset() / MS as i64;
                    self.link(LinkChange::Skew { millis });
                    let wallet = self.outside.get().exchange.at(time).wallet();
                    self.input(Input::Report(ExecutionReport::Wallet(wallet)));
                    self.outside.get().after(10 * SECOND, Event::Skew { session });
                }
            }
            Event::Neighbour { session, which } => {
                if self.is_up(session) {
                    self.clock.reach(time);
                    self.link(trouble::neighbour(which, true));
                }
            }
            Event::Tick { session } => {
                if self.is_up(session) {
                    self.clock.reach(time);
                    self.input(Input::Tick);
                    let pause = if self.calm { 5 * TICK } else { TICK };
                    let next = self.clock.now().max(time) + pause;
                    self.outside.get().queue.at(next, Event::Tick { session });
                }
            }
            Event::Launch { session, which } => self.launch(time, session, which),
            Event::Strategy(which) => self.strategy(time, which),
            Event::Operator => self.operator(time),
            Event::Confirm { session, scope, code, new_baseline } => {
                if self.is_up(session) {
                    self.clock.reach(time);
                    self.confirm(scope, code, new_baseline);
                }
            }
            Event::Fault => self.fault(time),
            Event::Restart => self.restart(time),
            Event::Calm => self.calm_down(time),
            Event::Finish => self.finish(time),
        }
    }

    fn move_market(&mut self, instrument: usize) {
        if self.calm {
            return;
        }
        let mut outside = self.outside.get();
        outside.move_market(instrument);
        let pause = self.plan.move_ms as u64 * MS;
        let pause = pause / 2 + outside.some_delay(pause);
        outside.after(pause, Event::Move(instrument));
    }

    /// Whether this life of the gateway is the one that runs.
    fn is_up(&self, session: u32) -> bool {
        self.road.is_some() && self.session == session
    }

    fn input(&mut self, input: Input<'_>) -> Option<Reply> {
        self.step(|road| road.step(input)).flatten()
    }

    fn link(&mut self, change: LinkChange) {
        {
            let mut outside = self.outside.get();
            outside.watch.told.link(change);
            outside.note(&[11], || format!("gateway hears {change:?}"));
        }
        self.input(Input::Link(change));
    }

    /// Lets the gateway do something, and looks at what it did. `None` when it is down or the crash came meanwhile.
    fn step<R>(&mut self, act: impl FnOnce(&mut SimRoad) -> R) -> Option<R> {
        let road = self.road.as_mut()?;
        let result = act(road);
        // The pipeline flushes once a turn, and a turn may be many events.
        let flushes = self.calm || self.chaos.chance(800);
        if flushes {
            road.flush();
        }
        if self.disk.is_crashed() {
            self.die();
            return None;
        }
        road.take_told();
        let floods = road.take_floods();
        {
            let mut outside = self.outside.get();
            let outside = &mut *outside;
            outside.watch.stepped(road.gate(), &outside.exchange, &outside.network);
            if flushes && self.disk.holds() {
                outside.watch.flushed();
            }
            let (head, leaf) = portcullis_journal::Journal::head(road.journal());
            let first = u64::from_le_bytes(leaf.0[..8].try_into().unwrap());
            outside.story.mark(outside.now, &[12, head.0, first]);
        }
        for strategy in floods {
            self.flooded(strategy);
        }
        Some(result)
    }

    fn flooded(&mut self, strategy: StrategyId) {
        let failure = StrategyFailure { code: FaultCode::Flood, detail: "flood".to_owned(), evidence: None };
        let change = match self.turns.chance(200) {
            true => {
                self.strategies[usize::from(strategy.0)].running = false;
                StrategyChange::Quarantined { strategy, first: failure.clone(), failure }
            }
            false => StrategyChange::Faulted { strategy, failure },
        };
        self.input(Input::Strategy(change));
        self.come_back(usize::from(strategy.0));
    }

    /// A strategy is launched again after a while.
    fn come_back(&mut self, which: usize) {
        let delay = 200 * MS + self.turns.below(20 * SECOND);
        let session = self.session;
        self.outside.get().after(delay, Event::Launch { session, which });
    }
}
