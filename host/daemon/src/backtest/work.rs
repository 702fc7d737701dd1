//! What happens in the child: the strategy's own code is made to run, once or twice, and the outcome is written down.

use std::collections::BTreeSet;
use std::sync::Arc;

use portcullis_cell::{CellEngine, CellFault, Description, Guest, Program, Setup};
use portcullis_core::{InstrumentSpec, MarketEvent};
use portcullis_gateway::Stream;
use portcullis_lab::{
    Candidate, Frames, GuestFault, Outcome, Settings, backtest, backtest_made, h1_depth, h1_trades,
};
use portcullis_role::Confined;
use serde_json::{Value, json};

use super::Plan;
use super::data::Data;
use crate::failure::Failure;
use crate::gateway::{candidate, parameters};

/// The report, as JSON: the outcome, or `code` and `detail` of what went wrong.
pub(super) fn report(plan: &Plan, confined: Confined) -> Vec<u8> {
    let report = match work(plan, confined) {
        Ok(report) => report,
        Err(failure) => json!({"code": failure.code(), "detail": failure.to_string()}),
    };
    report.to_string().into_bytes()
}

fn work(plan: &Plan, confined: Confined) -> Result<Value, Failure> {
    let engine = Arc::new(CellEngine::new().map_err(anyhow::Error::new)?);
    let program =
        Program::load(&engine, &plan.subject.artifact).map_err(|error| Failure::finding("UNFIT", error))?;
    // No guest has run yet.
    confined.settle().map_err(anyhow::Error::new)?;
    let trial = Trial { plan, program };
    if plan.strict {
        return Ok(written(plan, &trial.run(Frames::Strict)?));
    }
    let outcome = trial.run(Frames::Adaptive)?;
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    let again = trial.run(Frames::Random(u64::from_le_bytes(seed)))?;
    outcome.check_lookahead(&again).map_err(|error| Failure::finding(error.code(), error))?;
    Ok(written(plan, &outcome))
}

/// One strategy, to be run as often as needed.
struct Trial<'p> {
    plan: &'p Plan,
    program: Program,
}

impl Trial<'_> {
    fn run(&self, frames: Frames) -> Result<Outcome, Failure> {
        let plan = self.plan;
        let mut guest =
            Guest::start(self.program.clone(), plan.subject.limits).map_err(|failed| fault(failed.1))?;
        let description = guest.describe().map_err(fault)?;
        let instruments = self.instruments()?;
        let streams = self.streams(&description, &instruments)?;
        let parameters = parameters::check(&description, &plan.parameters)
            .map_err(|wrong| Failure::finding("PARAMETERS", wrong.join("; ")))?;
        // The limits may give strategies less than the account holds.
        let budget = plan.capital.min(plan.limits.account.capital);
        let setup = Setup {
            parameters,
            instruments: instruments.clone(),
            budget,
            start_time: portcullis_core::Timestamp(0),
        };
        guest.init(&setup).map_err(fault)?.map_err(|refused| Failure::finding("INIT_REFUSED", refused))?;
        let candidate = Candidate {
            name: description.name.parse().map_err(anyhow::Error::new)?,
            digest: plan.subject.digest,
            instruments: instruments.iter().map(|spec| spec.id).collect(),
            subscriptions: streams,
            budget,
            mandate: plan.subject.mandate,
            guest,
        };
        let settings = Settings {
            instruments: plan.data.specs().to_vec(),
            limits: plan.limits.clone(),
            capital: plan.capital,
            latency: plan.latency,
            frames,
        };
        let outcome = match &plan.data {
            Data::H1 { spec, count, depth: false } => {
                backtest_made(&settings, vec![candidate], h1_trades(spec.id, *count))
            }
            Data::H1 { spec, count, depth: true } => {
                backtest_made(&settings, vec![candidate], h1_depth(spec.id, *count))
            }
            Data::Recorded { events, .. } => backtest(&settings, vec![candidate], events),
        };
        outcome.map_err(|error| Failure::finding(error.code(), error))
    }

    /// The strategy's instruments, in its own order.
    fn instruments(&self) -> Result<Vec<InstrumentSpec>, Failure> {
        let specs = self.plan.data.specs();
        let Some(markets) = &self.plan.subject.markets else { return Ok(specs.to_vec()) };
        let find = |market: &String| {
            let spec = candidate::parse_market(market).ok().and_then(|(category, symbol)| {
                specs.iter().find(|s| s.category == category && s.symbol == symbol)
            });
            spec.cloned().ok_or_else(|| {
                let held: Vec<String> = specs.iter().map(|spec| spec.symbol.to_string()).collect();
                Failure::finding(
                    "DATA_LACKS_MARKET",
                    format!("the strategy trades {market}, the data holds {}", held.join(", ")),
                )
            })
        };
        markets.iter().map(find).collect()
    }

    /// What the strategy reads; an error when the data has nothing of it.
    fn streams(
        &self,
        description: &Description,
        instruments: &[InstrumentSpec],
    ) -> Result<Vec<(portcullis_core::InstrumentId, Stream)>, Failure> {
        let markets: Vec<_> = instruments.iter().map(|spec| (spec.category, spec.symbol.clone())).collect();
        let streams = candidate::streams(description, &markets)
            .map_err(|error| Failure::finding("SUBSCRIPTION", error))?;
        let streams: Vec<_> = streams
            .into_iter()
            .filter_map(|(market, stream)| Some((instruments.get(market)?.id, stream)))
            .collect();
        let lacking: BTreeSet<String> = streams
            .iter()
            .filter(|(id, stream)| {
                !self.carries(|event| event.instrument == *id && stream.carries(&event.body))
            })
            .map(|(_, stream)| format!("{stream:?}").to_lowercase())
            .collect();
        if lacking.is_empty() {
            return Ok(streams);
        }
        let lacking: Vec<String> = lacking.into_iter().collect();
        Err(Failure::finding(
            "DATA_LACKS_STREAM",
            format!("the strategy reads {}, of which the data has nothing", lacking.join(", ")),
        ))
    }

    fn carries(&self, wanted: impl Fn(&MarketEvent) -> bool) -> bool {
        match &self.plan.data {
            Data::H1 { spec, depth: false, .. } => h1_trades(spec.id, 1).any(|event| wanted(&event)),
            Data::H1 { spec, depth: true, .. } => h1_depth(spec.id, 1).any(|event| wanted(&event)),
            Data::Recorded { events, .. } => events.iter().any(wanted),
        }
    }
}

fn fault(fault: CellFault) -> Failure {
    let fault = GuestFault::from(fault);
    Failure::finding(fault.code, fault)
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "figures for people; money is text")]
fn written(plan: &Plan, outcome: &Outcome) -> Value {
    let seconds = outcome.took.as_secs_f64();
    json!({
        "events": outcome.events,
        "seconds": (seconds * 1e6).round() / 1e6,
        "events_per_second": (outcome.events as f64 / seconds.max(1e-9)).round(),
        "intents": outcome.intents,
        "orders": outcome.orders,
        "fills": outcome.fills,
        "executions": outcome.executions,
        "fees": outcome.fees.to_string(),
        "net_pnl": outcome.net_pnl.map(|amount| amount.to_string()),
        "max_drawdown": outcome.max_drawdown.to_string(),
        "refused": outcome.refused,
        "metrics": outcome.strategies.first().map(|strategy| &strategy.gauges),
        "records": outcome.records,
        "journal_root": outcome.journal_root.to_string(),
        "strategy_digest": plan.subject.digest.to_string(),
        "peak_memory_kib": portcullis_role::peak_memory_kib(),
    })
}
