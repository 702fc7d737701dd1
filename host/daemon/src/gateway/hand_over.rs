//! The last step of a launch: the gate is asked, and the pipeline gets the cell.

use portcullis_cell::Setup;
use portcullis_core::{
    Amount, Category, InstrumentId, InstrumentSpec, RefusalCode, Reply, State, StrategyId, StrategyName,
    Symbol,
};
use portcullis_gateway::Deployment;

use crate::clock;
use crate::gateway::candidate::Settled;
use crate::gateway::cells::{CellSpec, LiveCells};
use crate::gateway::fault_files::Origin;
use crate::gateway::launch::{Cell, Launch};
use crate::gateway::launch_error::LaunchError;
use crate::gateway::start::Running;

/// Starts a strategy on a cell that has described itself, and whose instruments are followed. On an error the cell is the caller's
/// to end.
pub(super) fn start(
    running: &mut Running,
    launch: &Launch,
    cell: Cell,
    settled: Settled,
) -> Result<StrategyId, LaunchError> {
    let Cell { checked, artifact, place, id, pid, link, .. } = cell;
    let state = running.pipeline.gate().state();
    let own = specs(state, &checked.markets)?;
    let budget =
        Amount::parse(&launch.config.budget).map_err(|error| LaunchError::new("BUDGET_INVALID", error))?;
    let instruments: Vec<InstrumentId> = own.iter().map(|spec| spec.id).collect();
    let digest = checked.bundle.digest();
    let deployment = Deployment {
        name: launch.name.clone(),
        digest,
        subscriptions: settled
            .streams
            .iter()
            .filter_map(|(market, stream)| Some((*instruments.get(*market)?, *stream)))
            .collect(),
        instruments,
        budget,
        mandate: checked.mandate,
        snapshot: running.snapshots.load(&launch.name, digest),
        warm_up: Vec::new(),
    };
    let setup = Setup { parameters: settled.parameters, instruments: own, budget, start_time: clock::now() };
    let origin = Origin {
        bundle: digest,
        component: checked.bundle.component_digest(),
        limits: checked.limits,
        setup: setup.clone(),
    };
    let spec = CellSpec { name: launch.name.clone(), artifact, limits: checked.limits, place, setup };
    let attach = |cells: &mut LiveCells, strategy| cells.insert(strategy, spec, id, link, pid);
    match running.pipeline.start(deployment, attach) {
        Ok(strategy) => {
            running.bundles.insert(strategy, launch.label.clone());
            running.faults.know(strategy, origin);
            Ok(strategy)
        }
        Err(Reply::StartRefused { code, instrument }) => {
            Err(objection(running.pipeline.gate().state(), code, instrument))
        }
        Err(other) => Err(LaunchError::new("START_REFUSED", format!("{other:?}"))),
    }
}

/// Whether a strategy could own these markets as things stand. The gate is asked again when it starts.
pub(super) fn may_own(
    running: &Running,
    name: &StrategyName,
    markets: &[(Category, Symbol)],
    budget: Amount,
) -> Result<(), LaunchError> {
    let gate = running.pipeline.gate();
    let state = gate.state();
    let strategy = state.strategy_named(name).unwrap_or_else(|| state.next_strategy());
    let known: Vec<InstrumentId> =
        markets.iter().filter_map(|(category, symbol)| state.instrument_named(*category, symbol)).collect();
    match gate.start_objection(strategy, &known, budget) {
        None => Ok(()),
        Some((code, instrument)) => Err(objection(state, code, instrument)),
    }
}

/// The rules of each market, as the books have them.
fn specs(state: &State, markets: &[(Category, Symbol)]) -> Result<Vec<InstrumentSpec>, LaunchError> {
    let spec = |(category, symbol): &(Category, Symbol)| {
        let known = state.instrument_named(*category, symbol).and_then(|id| state.instrument(id));
        known.map(|instrument| instrument.spec.clone()).ok_or_else(|| {
            LaunchError::new(
                "INSTRUMENT_UNAVAILABLE",
                format!("the venue has no rules for {symbol} that fit here"),
            )
        })
    };
    markets.iter().map(spec).collect()
}

fn objection(state: &State, code: RefusalCode, instrument: Option<InstrumentId>) -> LaunchError {
    let market = instrument.and_then(|id| state.instrument(id)).map(|instrument| {
        let category = match instrument.spec.category {
            Category::Linear => "linear",
            Category::Spot => "spot",
        };
        format!("{category}:{}", instrument.spec.symbol)
    });
    let market = market.unwrap_or_else(|| "an instrument".to_owned());
    let owner = instrument.and_then(|id| state.owner(id)).and_then(|id| state.strategy(id));
    let detail = match (code, owner) {
        (RefusalCode::SymbolOwned, Some(owner)) => format!(
            "{market} belongs to {}, which runs or has something open there; stop and flatten it first, or trade the symbol on another sub-account",
            owner.name
        ),
        (RefusalCode::LimitMissing, _) => {
            format!("limits.toml has no [instrument.{market:?}]; without limits nothing trades")
        }
        _ => format!("{market}: {code}"),
    };
    LaunchError::new(code.as_str(), detail)
}
