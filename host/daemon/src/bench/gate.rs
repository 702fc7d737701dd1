//! One decision of the gate: an intent with every check, beside a thousand open orders.

use std::time::Instant;

use anyhow::anyhow;
use portcullis_core::{
    Amount, BENCH_LIMITS, Command, Digest, Environment, Gate, Input, Limits, LinkChange, LinkId, Mandate,
    Record, RejectionKind, Sequence, SessionStart, StrategyChange, StrategyId, StrategyStarted, Submission,
    Timestamp, VenueRejection, VenueSnapshot,
};

use super::{Figures, Samples, place};
use crate::failure::Failure;

const OPEN_ORDERS: u64 = 1_000;
const INTENTS: u64 = 50_000;
const START: Timestamp = Timestamp(1_700_000_000_000_000_000);

/// Measures `gate_step_p50_ns` and `gate_step_p99_ns`.
pub(super) fn measure(figures: &mut Figures) -> Result<(), Failure> {
    let mut bench = GateBench::new()?;
    for _ in 0..OPEN_ORDERS {
        bench.intent()?;
    }
    let mut samples = Samples::default();
    for _ in 0..INTENTS {
        let started = Instant::now();
        let approved = bench.intent_alone()?;
        samples.push(started.elapsed());
        bench.reject(approved);
    }
    figures.insert("gate_step_p50_ns".to_owned(), samples.rank(500).into());
    figures.insert("gate_step_p99_ns".to_owned(), samples.rank(990).into());
    Ok(())
}

/// A gate with one strategy that may add risk.
pub(super) struct GateBench {
    gate: Gate,
    now: Timestamp,
    sequence: u64,
}

impl GateBench {
    fn new() -> Result<Self, Failure> {
        let mut gate = Gate::new();
        ready(&mut gate, START)?;
        Ok(Self { gate, now: START, sequence: 0 })
    }

    /// An intent, approved, journaled and working.
    fn intent(&mut self) -> Result<(), Failure> {
        let command = self.intent_alone()?;
        let of = self.commit(&command);
        let outcome = Submission::Accepted { venue_order: None };
        let _ = self.gate.step(self.now, Input::Submission { of, outcome });
        Ok(())
    }

    /// The decision alone, which is what is measured.
    fn intent_alone(&mut self) -> Result<Command, Failure> {
        self.now = Timestamp(self.now.0.saturating_add(20_000));
        let intent = place::resting_buy(self.now, self.sequence);
        let effects = self.gate.step(self.now, Input::Intent { intent, frame: &[] });
        match effects.records.into_iter().next() {
            Some(Record::Intent(approved)) => Ok(approved.command),
            other => Err(Failure::Environment(anyhow!("the gate refused a bench intent: {other:?}"))),
        }
    }

    /// Ends an order, so that the next measurement finds as many open as this one.
    fn reject(&mut self, command: Command) {
        let of = self.commit(&command);
        let rejection = VenueRejection { kind: RejectionKind::Other, code: 1, message: String::new() };
        let _ = self.gate.step(self.now, Input::Submission { of, outcome: Submission::Rejected(rejection) });
    }

    fn commit(&mut self, command: &Command) -> Sequence {
        let sequence = Sequence(self.sequence);
        self.sequence = self.sequence.saturating_add(1);
        let link: Option<LinkId> = format!("p000{:09}-bench", sequence.0).parse().ok();
        let _ = self.gate.step(self.now, Input::Committed { command, sequence, link });
        let _ = self.gate.step(self.now, Input::Release(sequence));
        sequence
    }
}

/// Brings a gate to where a strategy may add risk.
fn ready(gate: &mut Gate, now: Timestamp) -> Result<(), Failure> {
    let spec = place::instrument()?;
    let limits = Limits::parse(BENCH_LIMITS).map_err(|error| anyhow!("the limits of the bench: {error}"))?;
    let session = SessionStart {
        environment: Environment::Paper,
        epoch: 1,
        software: "bench".to_owned(),
        engine: Digest::default(),
        at: now,
    };
    let started = StrategyStarted {
        strategy: StrategyId(0),
        name: "bench".parse().map_err(anyhow::Error::new)?,
        digest: Digest::default(),
        instruments: vec![spec.id],
        budget: Amount::parse("100000000000").map_err(anyhow::Error::new)?,
        mandate: Mandate::ALL,
        at: now,
    };
    let snapshot = VenueSnapshot::of_cash(place::equity()?, now);
    let trade = place::trade(now, 600_000);
    let mark = place::mark(now, 600_000)?;
    for input in [
        Input::Session(session),
        Input::Limits(Box::new(limits)),
        Input::Instrument(spec),
        Input::Link(LinkChange::Public { up: true }),
        Input::Link(LinkChange::Skew { millis: 0 }),
        Input::Snapshot(snapshot),
        Input::Link(LinkChange::Private { up: true }),
        Input::Strategy(StrategyChange::Started(started)),
        Input::Strategy(StrategyChange::Warm(StrategyId(0))),
        Input::Strategy(StrategyChange::Resynced(StrategyId(0))),
        Input::Market(&trade),
        Input::Market(&mark),
    ] {
        let _ = gate.step(now, input);
    }
    Ok(())
}
