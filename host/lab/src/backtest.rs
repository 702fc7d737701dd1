//! A backtest from its parts to its result.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use portcullis_core::{
    Amount, Digest, Environment, Gate, Input, InstrumentId, InstrumentSpec, Limits, LinkChange, Mandate,
    MarketEvent, Reply, SessionStart, StrategyChange, StrategyName, StrategyStarted, Timestamp,
};
use portcullis_gateway::{Event, EventBody, Packer, Road, Stream, resync_events};
use portcullis_journal::{Log, LogConfig};
use portcullis_paper::engine::{Engine, EngineConfig};

use crate::clock::VirtualClock;
use crate::frames::{Frames, Size};
use crate::guest::{Guest, GuestFault};
use crate::lane::Lane;
use crate::latency::Latency;
use crate::run::{Finished, Run};
use crate::storage::Discard;
use crate::tape::Tape;
use crate::world::World;

/// The number of the first strategy.
const FIRST_STRATEGY: u16 = 0;

/// What a backtest runs under.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The instruments of the data, their numbers those of the events.
    pub instruments: Vec<InstrumentSpec>,
    /// The limits the gate holds intents against.
    pub limits: Limits,
    /// USDT in the account at the start.
    pub capital: Amount,
    /// How long things take.
    pub latency: Latency,
    /// How strategies get their events.
    pub frames: Frames,
}

/// A strategy to be tested.
#[derive(Debug)]
pub struct Candidate<G> {
    /// Its name.
    pub name: StrategyName,
    /// Digest of its bundle or component, cited by every entry about it.
    pub digest: Digest,
    /// Its instruments, in its own order.
    pub instruments: Vec<InstrumentId>,
    /// The streams it reads.
    pub subscriptions: Vec<(InstrumentId, Stream)>,
    /// USDT it may use.
    pub budget: Amount,
    /// What its signed bundle allows.
    pub mandate: Mandate,
    /// Its code, initialised.
    pub guest: G,
}

/// What one strategy did besides trading.
#[derive(Debug, Clone, PartialEq)]
pub struct Strategy {
    /// Events it consumed.
    pub events: u64,
    /// Its gauges, each at its latest value.
    pub gauges: BTreeMap<String, f64>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Market events that passed.
    pub events: u64,
    /// How long the run took; loading and compiling are not counted.
    pub took: Duration,
    /// The strategies, in the order of the candidates.
    pub strategies: Vec<Strategy>,
    /// Intents handed to the gate.
    pub intents: u64,
    /// Creates that the venue acknowledged.
    pub orders: u64,
    /// Orders with any execution.
    pub fills: u64,
    /// Executions.
    pub executions: u64,
    /// Fees paid, in USDT.
    pub fees: Amount,
    /// Profit after fees and funding, open profit included; `None` when a position could not be valued.
    pub net_pnl: Option<Amount>,
    /// Largest fall of equity from a peak.
    pub max_drawdown: Amount,
    /// Refusals by code.
    pub refused: BTreeMap<String, u64>,
    /// Entries of the journal.
    pub records: u64,
    /// Its head: what happened, byte for byte.
    pub journal_root: Digest,
}

impl Outcome {
    /// Whether another run saw the same happen, however long it took.
    pub fn same_as(&self, other: &Self) -> bool {
        Self { took: other.took, ..self.clone() } == *other
    }

    /// Compares with a run of the same strategy whose frames were cut at random. A packed frame shows the future to a strategy that looks;
    /// one that does is given away by doing other things when frames end elsewhere (RULES T8).
    ///
    /// # Errors
    ///
    /// [`BacktestError::LookaheadDetected`].
    pub fn check_lookahead(&self, cut_at_random: &Self) -> Result<(), BacktestError> {
        if self.same_as(cut_at_random) {
            return Ok(());
        }
        Err(BacktestError::LookaheadDetected { first: self.orders, second: cut_at_random.orders })
    }
}

/// Why there is no outcome.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// There is no market event.
    #[error("the data holds no market event")]
    NoEvents,
    /// The engine cannot trade an instrument.
    #[error(transparent)]
    Instrument(#[from] portcullis_paper::engine::TooFine),
    /// The journal cannot be begun.
    #[error("the journal of the run: {0}")]
    Journal(#[from] portcullis_journal::JournalError),
    /// The gate does not let a strategy start.
    #[error("strategy {strategy} may not start: {why}")]
    StartRefused {
        /// Which.
        strategy: StrategyName,
        /// Why: a stable code, and what to do.
        why: String,
    },
    /// A strategy failed; a backtest ends there (RULES T6).
    #[error("{0}")]
    Guest(#[from] GuestFault),
    /// A strategy does other things when it is shown other stretches of the same events (RULES T8).
    #[error(
        "the strategy did other things when the same events were shown in other stretches ({first} orders, then {second}): it reads \
         events before their time. Run it strictly, so that it sees no future, or mend it"
    )]
    LookaheadDetected {
        /// Orders of the first run.
        first: u64,
        /// Orders of the second.
        second: u64,
    },
}

impl BacktestError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoEvents => "DATA_EMPTY",
            Self::Instrument(_) => "INSTRUMENT",
            Self::Journal(_) => "JOURNAL",
            Self::StartRefused { .. } => "START_REFUSED",
            Self::Guest(fault) => fault.code,
            Self::LookaheadDetected { .. } => "LOOKAHEAD_DETECTED",
        }
    }
}

/// Runs strategies over recorded events, in order of time.
///
/// # Errors
///
/// [`BacktestError`].
pub fn backtest<G: Guest>(
    settings: &Settings,
    candidates: Vec<Candidate<G>>,
    events: &[MarketEvent],
) -> Result<Outcome, BacktestError> {
    run(settings, candidates, Tape::recorded(events))
}

/// Runs strategies over events that are made as they are needed, in order of time.
///
/// # Errors
///
/// [`BacktestError`].
pub fn backtest_made<G: Guest>(
    settings: &Settings,
    candidates: Vec<Candidate<G>>,
    events: impl Iterator<Item = MarketEvent>,
) -> Result<Outcome, BacktestError> {
    run(settings, candidates, Tape::made(events))
}

fn run<G: Guest>(
    settings: &Settings,
    candidates: Vec<Candidate<G>>,
    mut tape: Tape<'_>,
) -> Result<Outcome, BacktestError> {
    let start = tape.ahead().first().map(|event| event.time).ok_or(BacktestError::NoEvents)?;
    let clock = VirtualClock::default();
    clock.set(start);
    let config = EngineConfig { deposit: settings.capital, ..EngineConfig::default() };
    let engine = Engine::new(config, settings.instruments.clone())?;
    let venue = crate::venue::LabVenue::new(engine, settings.latency, clock.clone());
    let log = Log::open(Discard::default(), LogConfig::lab(Environment::Paper, [0; 32]), &mut |_| {})?;
    let lookahead = settings.latency.lookahead();
    let snapshot = venue.snapshot();
    let road = Road::new(Gate::new(), log, venue, clock.clone(), lookahead);
    let mut world = World::new(road, clock, tape);
    let session = SessionStart {
        environment: Environment::Paper,
        epoch: 1,
        software: env!("CARGO_PKG_VERSION").to_owned(),
        // What the code was compiled with must not change what it does, nor what is written about it (invariant 7).
        engine: Digest::default(),
        at: start,
    };
    world.step(Input::Session(session));
    world.step(Input::Limits(Box::new(settings.limits.clone())));
    for spec in &settings.instruments {
        world.step(Input::Instrument(spec.clone()));
    }
    for input in [
        Input::Link(LinkChange::Public { up: true }),
        Input::Link(LinkChange::Skew { millis: 0 }),
        Input::Snapshot(snapshot),
        Input::Link(LinkChange::Private { up: true }),
    ] {
        world.step(input);
    }
    let mut lanes = Vec::with_capacity(candidates.len());
    for (number, candidate) in (FIRST_STRATEGY..).zip(candidates) {
        lanes.push(admit(&mut world, settings, number, candidate, start)?);
    }
    let began = Instant::now();
    let finished = Run { world, lanes, lookahead }.finish()?;
    Ok(outcome(finished, began.elapsed()))
}

/// Starts one strategy in the world.
fn admit<G: Guest>(
    world: &mut World<'_>,
    settings: &Settings,
    number: u16,
    candidate: Candidate<G>,
    start: Timestamp,
) -> Result<Lane<G>, BacktestError> {
    let id = portcullis_core::StrategyId(number);
    let started = StrategyStarted {
        strategy: id,
        name: candidate.name.clone(),
        digest: candidate.digest,
        instruments: candidate.instruments.clone(),
        budget: candidate.budget,
        mandate: candidate.mandate,
        at: start,
    };
    match world.step(Input::Strategy(StrategyChange::Started(started))) {
        None | Some(Reply::Done | Reply::Nothing) => {}
        Some(Reply::StartRefused { code, instrument }) => {
            let of = instrument.and_then(|id| settings.instruments.iter().find(|spec| spec.id == id));
            let of = of.map(|spec| format!(" for {}", spec.symbol)).unwrap_or_default();
            return Err(BacktestError::StartRefused { strategy: candidate.name, why: format!("{code}{of}") });
        }
        Some(other) => {
            return Err(BacktestError::StartRefused { strategy: candidate.name, why: format!("{other:?}") });
        }
    }
    let packer = Packer::new(settings.latency.lookahead(), candidate.instruments);
    let size = Size::new(settings.frames, u64::from(number));
    let mut lane = Lane::new(id, candidate.guest, packer, candidate.subscriptions, size);
    let mut events = vec![Event::now(start, EventBody::WarmUpBoundary)];
    events.extend(resync_events(world.road().gate(), id, start));
    lane.start(events);
    Ok(lane)
}

fn outcome(finished: Finished, took: Duration) -> Outcome {
    let Finished { road, events, drawdown, strategies } = finished;
    let gate = road.gate();
    let counts = road.venue().counts();
    let fees = gate
        .state()
        .ledger()
        .positions()
        .fold(Amount::ZERO, |sum, (_, _, position)| sum.saturating_add(position.fees));
    let (records, root) = road.journal().head();
    Outcome {
        events,
        took,
        strategies: strategies.into_iter().map(|(events, gauges)| Strategy { events, gauges }).collect(),
        intents: road.metrics().intents,
        orders: counts.orders,
        fills: counts.fills,
        executions: counts.executions,
        fees,
        net_pnl: gate.profit(road.now()).total,
        max_drawdown: drawdown,
        refused: gate.state().refused().map(|(code, count)| (code.as_str().to_owned(), count)).collect(),
        records: records.0,
        journal_root: root,
    }
}
