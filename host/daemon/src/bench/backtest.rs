//! The reference strategy over the head-to-head series, in its sandbox and without it, with its orders and without.

use std::sync::Arc;

use anyhow::anyhow;
use ema_cross::EmaCross;
use portcullis_cell::{CellEngine, Guest as CellGuest, Program, compile, component_digest};
use portcullis_core::{Amount, BENCH_LIMITS, Digest, InstrumentSpec, Limits, Mandate, Rate, StrategyName};
use portcullis_gateway::Stream;
use portcullis_lab::{
    Candidate, Frames, Guest, Latency, Outcome, Settings, backtest_made, h1_instrument, h1_trades,
};
use serde_json::json;

use super::native::Native;
use super::{Figures, guest, ratio};
use crate::failure::Failure;

const TRADES: u64 = 1_000_000;
const REPETITIONS: usize = 5;

/// What every engine must find in a million trades.
const CROSSES: u64 = 45_607;

/// Taker fee of the head-to-head, in units of 1e-12: 5.5 ten-thousandths.
const TAKER_FEE: Rate = Rate(550_000_000);

/// Measures the `backtest_*` figures: medians of several runs, interleaved.
pub(super) fn measure(figures: &mut Figures) -> Result<(), Failure> {
    let component = guest::ema_cross()?;
    let bench = Bench::new(&component)?;
    let (mut signal, mut native, mut orders) = (Vec::new(), Vec::new(), Vec::new());
    let mut root = None;
    for _ in 0..REPETITIONS {
        signal.push(bench.signal(bench.sandboxed("false")?)?);
        native.push(bench.signal(bench.native("false")?)?);
        let outcome = bench.orders(bench.sandboxed("true")?)?;
        if *root.get_or_insert(outcome.journal_root) != outcome.journal_root {
            return Err(Failure::finding("NOT_DETERMINISTIC", "two runs wrote different journals"));
        }
        orders.push(nanos(&outcome));
    }
    let (signal, native, orders) = (median(signal), median(native), median(orders));
    figures.insert("backtest_signal_per_s".to_owned(), per_second(signal));
    figures.insert("backtest_orders_per_s".to_owned(), per_second(orders));
    figures.insert("backtest_native_ratio".to_owned(), ratio(native, signal));
    figures.insert("backtest_native_per_s".to_owned(), per_second(native));
    Ok(())
}

struct Bench {
    program: Program,
    digest: Digest,
    spec: InstrumentSpec,
    limits: Limits,
    capital: Amount,
    name: StrategyName,
}

impl Bench {
    fn new(component: &[u8]) -> Result<Self, Failure> {
        let engine = Arc::new(CellEngine::new().map_err(anyhow::Error::new)?);
        let artifact = compile(component).map_err(anyhow::Error::new)?;
        Ok(Self {
            program: Program::load(&engine, &artifact).map_err(anyhow::Error::new)?,
            digest: component_digest(component),
            spec: h1_instrument(TAKER_FEE).ok_or_else(|| anyhow!("no rules for the series' instrument"))?,
            limits: Limits::parse(BENCH_LIMITS)
                .map_err(|error| anyhow!("the limits of the series: {error}"))?,
            capital: Amount::parse("10000000").map_err(anyhow::Error::new)?,
            name: "ema-cross".parse().map_err(anyhow::Error::new)?,
        })
    }

    fn sandboxed(&self, orders: &str) -> Result<CellGuest, Failure> {
        let mut guest = CellGuest::start(self.program.clone(), guest::LIMITS)
            .map_err(|failed| Failure::Environment(anyhow::Error::new(failed.1)))?;
        let parameters = [("fast", "10"), ("slow", "20"), ("size", "0.01"), ("orders", orders)];
        guest.init(&guest::setup(&parameters)?).map_err(anyhow::Error::new)?.map_err(anyhow::Error::new)?;
        Ok(guest)
    }

    fn native(&self, orders: &str) -> Result<Native<EmaCross>, Failure> {
        let instrument = portcullis_sdk::testing::instrument("linear:BTCUSDT");
        let setup = portcullis_sdk::testing::setup::<EmaCross>(&[instrument], &[("orders", orders)]);
        let setup = setup.map_err(|error| anyhow!("{error:?}"))?;
        Ok(Native::new(&setup).map_err(|error| anyhow!("{error:?}"))?)
    }

    /// Without orders: how long it took, once every cross was found.
    fn signal(&self, guest: impl Guest) -> Result<u64, Failure> {
        let outcome = self.run(guest)?;
        let crosses = outcome.strategies.first().and_then(|strategy| strategy.gauges.get("crosses").copied());
        if crosses != Some(f64::from(u32::try_from(CROSSES).unwrap_or(0))) || outcome.intents != 0 {
            return Err(Failure::finding(
                "WRONG_CROSSES",
                format!("{crosses:?} crosses instead of {CROSSES}"),
            ));
        }
        Ok(nanos(&outcome))
    }

    /// With a market order on every cross.
    fn orders(&self, guest: impl Guest) -> Result<Outcome, Failure> {
        let outcome = self.run(guest)?;
        if (outcome.orders, outcome.fills) != (CROSSES, CROSSES) {
            let detail = format!(
                "{} orders and {} fills instead of {CROSSES}; refused {}",
                outcome.orders,
                outcome.fills,
                json!(outcome.refused)
            );
            return Err(Failure::finding("WRONG_ORDERS", detail));
        }
        Ok(outcome)
    }

    fn run(&self, guest: impl Guest) -> Result<Outcome, Failure> {
        let settings = Settings {
            instruments: vec![self.spec.clone()],
            limits: self.limits.clone(),
            capital: self.capital,
            latency: Latency::default(),
            frames: Frames::Adaptive,
        };
        let candidate = Candidate {
            name: self.name.clone(),
            digest: self.digest,
            instruments: vec![self.spec.id],
            subscriptions: vec![(self.spec.id, Stream::Trades)],
            budget: self.capital,
            mandate: Mandate::ALL,
            guest,
        };
        let events = h1_trades(self.spec.id, TRADES);
        Ok(backtest_made(&settings, vec![candidate], events).map_err(anyhow::Error::new)?)
    }
}

fn nanos(outcome: &Outcome) -> u64 {
    u64::try_from(outcome.took.as_nanos()).unwrap_or(u64::MAX)
}

fn median(mut samples: Vec<u64>) -> u64 {
    samples.sort_unstable();
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}

fn per_second(nanos: u64) -> serde_json::Value {
    json!(TRADES.saturating_mul(1_000_000_000).checked_div(nanos))
}
