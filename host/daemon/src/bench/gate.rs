//! One decision of the gate: an intent with every check, beside fifty strategies that hold positions and a thousand open orders.

use std::time::Instant;

use anyhow::anyhow;
use portcullis_core::{
    Amount, BENCH_LIMITS, Command, CreatedBy, Digest, Environment, Execution, ExecutionKind, ExecutionReport,
    Gate, Input, InstrumentId, InstrumentSpec, Limits, LinkChange, LinkId, Mandate, Price, Qty, Record,
    RejectionKind, Sequence, SessionStart, Side, StrategyChange, StrategyId, StrategyStarted, Submission,
    Timestamp, VenueRejection, VenueSnapshot,
};

use super::{Figures, Samples, place};
use crate::failure::Failure;

/// Each on an instrument of its own.
const STRATEGIES: u16 = 50;
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

/// A gate whose strategies may all add risk.
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

    /// The decision alone, which is what is measured. The strategies take turns.
    fn intent_alone(&mut self) -> Result<Command, Failure> {
        self.now = Timestamp(self.now.0.saturating_add(20_000));
        let mut intent = place::resting_buy(self.now, self.sequence);
        intent.strategy =
            StrategyId(u16::try_from(self.sequence.checked_rem(STRATEGIES.into()).unwrap_or(0)).unwrap_or(0));
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

/// Brings a gate to where its strategies may add risk.
fn ready(gate: &mut Gate, now: Timestamp) -> Result<(), Failure> {
    let session = SessionStart {
        environment: Environment::Paper,
        epoch: 1,
        software: "bench".to_owned(),
        engine: Digest::default(),
        at: now,
    };
    for input in [
        Input::Session(session),
        Input::Limits(Box::new(limits()?)),
        Input::Link(LinkChange::Public { up: true }),
        Input::Link(LinkChange::Skew { millis: 0 }),
        Input::Snapshot(VenueSnapshot::of_cash(place::equity()?, now)),
        Input::Link(LinkChange::Private { up: true }),
    ] {
        let _ = gate.step(now, input);
    }
    for number in 0..STRATEGIES {
        start(gate, now, number)?;
    }
    Ok(())
}

/// Starts a strategy on an instrument of its own, shows it a market and gives it a position.
fn start(gate: &mut Gate, now: Timestamp, number: u16) -> Result<(), Failure> {
    let (strategy, instrument) = (StrategyId(number), InstrumentId(number.into()));
    let symbol = symbol(number).parse().map_err(anyhow::Error::new)?;
    let started = StrategyStarted {
        strategy,
        name: format!("bench-{number}").parse().map_err(anyhow::Error::new)?,
        digest: Digest::default(),
        instruments: vec![instrument],
        budget: place::budget()?,
        mandate: Mandate::ALL,
        at: now,
    };
    let mut trade = place::trade(now, 600_000);
    let mut mark = place::mark(now, 600_000)?;
    (trade.instrument, mark.instrument) = (instrument, instrument);
    for input in [
        Input::Instrument(InstrumentSpec { id: instrument, symbol, ..place::instrument()? }),
        Input::Strategy(StrategyChange::Started(started)),
        Input::Strategy(StrategyChange::Warm(strategy)),
        Input::Strategy(StrategyChange::Resynced(strategy)),
        Input::Market(&trade),
        Input::Market(&mark),
        Input::Report(ExecutionReport::Execution(bought(instrument, now)?)),
    ] {
        let _ = gate.step(now, input);
    }
    Ok(())
}

/// A position to be valued in every decision.
fn bought(instrument: InstrumentId, now: Timestamp) -> Result<Execution, Failure> {
    Ok(Execution {
        exec: format!("bench-{}", instrument.0).parse().map_err(anyhow::Error::new)?,
        kind: ExecutionKind::Trade,
        link: None,
        venue_order: "bench".parse().map_err(anyhow::Error::new)?,
        instrument,
        side: Side::Buy,
        price: Price(600_000),
        quantity: Qty(7),
        fee: Amount(5),
        fee_quantity: Qty(0),
        maker: false,
        created_by: CreatedBy::Protection,
        venue_time: now,
    })
}

/// The wide limits, with a section for every instrument.
fn limits() -> Result<Limits, Failure> {
    let marker = "[instrument.\"linear:BTCUSDT\"]";
    let (head, section) = BENCH_LIMITS
        .split_once(marker)
        .ok_or_else(|| anyhow!("the limits of the bench have no instrument"))?;
    let sections =
        (0..STRATEGIES).map(|number| format!("[instrument.\"linear:{}\"]{section}", symbol(number)));
    let text = format!("{head}{}", sections.collect::<String>());
    Ok(Limits::parse(&text).map_err(|error| anyhow!("the limits of the bench: {error}"))?)
}

fn symbol(number: u16) -> String {
    format!("S{number}USDT")
}
