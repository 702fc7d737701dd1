//! From a market event to a signed request: gate, journal without a disk, a strategy in its own process, encoding, signing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use portcullis_bybit::{LocalSigner, OrderSigner, Slippage, encode};
use portcullis_cell::{CellReply, CellRequest};
use portcullis_core::{
    Amount, BENCH_LIMITS, Digest, Environment, FaultCode, Gate, Input, InstrumentId, InstrumentSpec, Limits,
    LinkChange, Mandate, Query, RejectionKind, SessionStart, Span, StrategyId, Submission, Timestamp,
    VenueRejection, VenueSnapshot,
};
use portcullis_gateway::{
    CellEvent, Cells, Deployment, Fault, Pipeline, Snapshot, Stream, Venue, VenueEvent,
};
use portcullis_journal::{JournaledCommand, Log, LogConfig, MemStorage};
use portcullis_role::stay_awake_for;
use portcullis_wire::Credentials;
use rustix::event::{PollFd, PollFlags};

use super::cell_process::CellProcess;
use super::{Figures, Samples, guest, place, scaled};
use crate::clock;
use crate::failure::Failure;

const EVENTS: u64 = 4_000;
const SIGNATURES: u64 = 20_000;

/// Between events: 2,000 a second.
const PACE: Duration = Duration::from_micros(500);

/// With these, every trade of an alternating price is a cross, and so an order.
const EVERY_TRADE: [(&str, &str); 4] = [("fast", "1"), ("slow", "2"), ("size", "0.01"), ("orders", "true")];

/// Measures `order_encode_sign_p50_ns`, `pipeline_p50_us` and `pipeline_p99_us`.
pub(super) fn measure(figures: &mut Figures) -> Result<(), Failure> {
    let component = guest::ema_cross()?;
    let mut bench = PipelineBench::new(&component)?;
    let mut samples = Samples::default();
    for number in 0..EVENTS {
        std::thread::sleep(PACE);
        if let Some(took) = bench.event(number)? {
            samples.push(took);
        }
    }
    if samples.0.len() < usize::try_from(EVENTS / 2).unwrap_or(usize::MAX) {
        return Err(Failure::Environment(anyhow!(
            "only {} of {EVENTS} events led to an order",
            samples.0.len()
        )));
    }
    figures.insert("order_encode_sign_p50_ns".to_owned(), encode_and_sign(bench.last_command())?.into());
    figures.insert("pipeline_p50_us".to_owned(), scaled(samples.rank(500), 1_000));
    figures.insert("pipeline_p99_us".to_owned(), scaled(samples.rank(990), 1_000));
    Ok(())
}

fn encode_and_sign(command: Option<JournaledCommand>) -> Result<u64, Failure> {
    let mut signer = Signer::new()?;
    let command = command.ok_or_else(|| anyhow!("no order left the pipeline"))?;
    let mut samples = Samples::default();
    for _ in 0..SIGNATURES {
        let started = Instant::now();
        signer.sign(&command)?;
        samples.push(started.elapsed());
    }
    Ok(samples.rank(500))
}

/// Encodes and signs like the live client does.
struct Signer {
    signer: LocalSigner,
    spec: InstrumentSpec,
}

impl Signer {
    fn new() -> Result<Self, Failure> {
        let credentials = Credentials::new("bench-key", &"bench-secret".to_owned().into());
        Ok(Self { signer: LocalSigner::new(credentials, clock::now), spec: place::instrument()? })
    }

    fn sign(&mut self, command: &JournaledCommand) -> anyhow::Result<usize> {
        let slippage = Slippage::new(100).ok_or_else(|| anyhow!("the slippage bound"))?;
        let request = encode(command, &self.spec, slippage)?;
        Ok(self.signer.sign(&request)?.body.len())
    }
}

/// A venue that signs what it is given, and takes the time.
struct BenchVenue {
    events: VecDeque<VenueEvent>,
    signer: Signer,
    signed_at: Option<Instant>,
    last: Option<JournaledCommand>,
}

impl Venue for BenchVenue {
    fn submit(&mut self, command: JournaledCommand) {
        let signed = self.signer.sign(&command);
        self.signed_at = signed.is_ok().then(Instant::now);
        // Over at once: an order that stays open, or unknown, would be met by the next one.
        let rejection = VenueRejection { kind: RejectionKind::Other, code: 1, message: String::new() };
        let outcome = Submission::Rejected(rejection);
        self.events.push_back(VenueEvent::Submission { of: command.sequence(), outcome });
        self.last = Some(command);
    }

    fn query(&mut self, _query: Query) {}

    fn poll(&mut self) -> Option<VenueEvent> {
        self.events.pop_front()
    }
}

/// One cell in its own process.
struct BenchCells {
    process: CellProcess,
    ready: bool,
}

impl Cells for BenchCells {
    fn frame(&mut self, _strategy: StrategyId, frame: &[u8]) {
        // A failure shows as an answer that never comes.
        let _ = self.process.link.send(&CellRequest::Frame(frame));
    }

    fn snapshot(&mut self, _strategy: StrategyId) {
        let _ = self.process.link.send(&CellRequest::Snapshot);
    }

    fn revive(&mut self, _strategy: StrategyId, _snapshot: Option<&Snapshot>) {
        self.ready = true;
    }

    fn stop(&mut self, _strategy: StrategyId) {}

    fn poll(&mut self) -> Option<(StrategyId, CellEvent)> {
        if std::mem::take(&mut self.ready) {
            return Some((StrategyId(0), CellEvent::Ready));
        }
        let event = match self.process.link.try_receive() {
            Ok(None) => return None,
            Ok(Some(CellReply::Outcome(answer))) => {
                CellEvent::Outcome { outcome: answer.outcome, fuel: answer.fuel }
            }
            Ok(Some(CellReply::Snapshot(snapshot))) => {
                CellEvent::Snapshot(Snapshot { version: snapshot.version, bytes: snapshot.bytes })
            }
            other => CellEvent::Fault(Fault::new(FaultCode::Host, format!("{other:?}"))),
        };
        Some((StrategyId(0), event))
    }
}

type BenchPipeline = Pipeline<BenchVenue, BenchCells, Log<MemStorage>, fn() -> Timestamp>;

struct PipelineBench {
    pipeline: BenchPipeline,
}

impl PipelineBench {
    fn new(component: &[u8]) -> Result<Self, Failure> {
        let process = CellProcess::start(component, &EVERY_TRADE)?;
        let log = Log::open(MemStorage::new(), LogConfig::lab(Environment::Paper, [0; 32]), &mut |_| {})
            .map_err(anyhow::Error::new)?;
        let venue =
            BenchVenue { events: VecDeque::new(), signer: Signer::new()?, signed_at: None, last: None };
        let cells = BenchCells { process, ready: false };
        let clock: fn() -> Timestamp = clock::now;
        let mut pipeline = Pipeline::new(Gate::new(), log, venue, cells, clock, Span::from_millis(1));
        let now = clock::now();
        let limits =
            Limits::parse(BENCH_LIMITS).map_err(|error| anyhow!("the limits of the bench: {error}"))?;
        let spec = place::instrument()?;
        let session = SessionStart {
            environment: Environment::Paper,
            epoch: 1,
            software: "bench".to_owned(),
            engine: Digest::default(),
            at: now,
        };
        let snapshot = VenueSnapshot::of_cash(place::equity()?, now);
        for input in [
            Input::Session(session),
            Input::Limits(Box::new(limits)),
            Input::Instrument(spec.clone()),
            Input::Link(LinkChange::Public { up: true }),
            Input::Link(LinkChange::Skew { millis: 0 }),
            Input::Snapshot(snapshot),
            Input::Link(LinkChange::Private { up: true }),
        ] {
            pipeline.hand_in(input);
        }
        let deployment = Deployment {
            name: "bench".parse().map_err(anyhow::Error::new)?,
            digest: Digest::default(),
            instruments: vec![spec.id],
            subscriptions: vec![(InstrumentId(0), Stream::Trades)],
            budget: Amount::parse("1000000000").map_err(anyhow::Error::new)?,
            mandate: Mandate::ALL,
            snapshot: None,
            warm_up: Vec::new(),
        };
        pipeline
            .start(deployment, |_, _| {})
            .map_err(|reply| anyhow!("the bench's strategy may not start: {reply:?}"))?;
        let mut bench = Self { pipeline };
        // Its resync, and the mark price.
        bench.pipeline.venue_mut().events.push_back(VenueEvent::Market(place::mark(now, 600_000)?));
        bench.settle()?;
        Ok(bench)
    }

    /// One trade; how long it took to a signed request, if it led to one.
    fn event(&mut self, number: u64) -> Result<Option<Duration>, Failure> {
        let price = if number.is_multiple_of(2) { 600_100 } else { 599_900 };
        let started = Instant::now();
        let venue = self.pipeline.venue_mut();
        venue.signed_at = None;
        venue.events.push_back(VenueEvent::Market(place::trade(clock::now(), price)));
        self.settle()?;
        Ok(self.pipeline.venue_mut().signed_at.map(|signed| signed.saturating_duration_since(started)))
    }

    /// Turns until the cell has answered and nothing is left to do.
    fn settle(&mut self) -> Result<(), Failure> {
        self.pipeline.turn();
        while self.pipeline.cells().process.link.is_busy() {
            let mut ready = [PollFd::new(&self.pipeline.cells().process.link, PollFlags::IN)];
            stay_awake_for(&mut ready);
            rustix::event::poll(&mut ready, None).map_err(anyhow::Error::new)?;
            self.pipeline.turn();
        }
        Ok(())
    }

    fn last_command(mut self) -> Option<JournaledCommand> {
        self.pipeline.venue_mut().last.take()
    }
}
