//! What operators are told: views of the pipeline, in words and decimal strings.

use std::collections::BTreeSet;

use portcullis_core::{
    Amount, Category, Gate, InstrumentId, InstrumentSpec, Order, Position, Price, Qty, Refused, Side, State,
    StrategyId, Unit,
};
use portcullis_role::{
    ComparisonLine, ControlReply, DenialLine, DeploymentLine, JournalHead, OrderLine, PositionLine,
    ProtectionReport, SignerReport, StatusReport, StrategyLine,
};
use portcullis_wire::SignerState;

use crate::clock;
use crate::gateway::launcher::Launcher;
use crate::gateway::scope;
use crate::gateway::start::Running;

/// Most orders in one answer; a control line has a limit.
const ORDERS_MAX: usize = 100;

/// Where everything stands.
pub(crate) fn status(
    running: &mut Running,
    launcher: &Launcher,
    watched: Option<bool>,
    uptime_ns: u64,
) -> ControlReply {
    let profit = running.pipeline.profit();
    let now = clock::now();
    let second_cap_off = running.pipeline.venue_mut().second_cap_off();
    let pipeline = &running.pipeline;
    let gate = pipeline.gate();
    let state = gate.state();
    let (records, root) = pipeline.journal_head();
    let sessions = pipeline.strategies().map(|(id, session)| {
        let bundle = running.bundles.get(&id).cloned().unwrap_or_default();
        let faults = session.faults(now);
        StrategyLine {
            name: session.name().to_string(),
            bundle,
            digest: state.strategy(id).map(|strategy| strategy.digest.to_string()).unwrap_or_default(),
            state: session.state().to_owned(),
            symbols: symbols(state, id),
            pid: pipeline.cells().pid(id),
            events: session.events(),
            faults: faults.guest,
            host_faults: faults.host,
            data_gaps: faults.data_gaps,
            strikes: faults.strikes,
            first_fault: faults.first.map(ToString::to_string),
            last_fault: faults.last.map(ToString::to_string),
            fault_file: faults.first.or(faults.last).and_then(|failure| failure.evidence.clone()),
            log_bytes_cut: session.log_bytes_cut(),
        }
    });
    let mut strategies: Vec<StrategyLine> = sessions.collect();
    // One that failed on its way may have got as far as a session, which says more.
    let has_session = |line: &DeploymentLine| strategies.iter().any(|known| known.name == line.strategy);
    let outside: Vec<_> = launcher.outside().filter(|line| !has_session(line)).map(launch_line).collect();
    strategies.extend(outside);
    let positions =
        state.ledger().positions().filter(|(_, _, position)| !position.quantity.is_flat()).count();
    ControlReply::Status(Box::new(StatusReport {
        environment: state.session().map(|session| session.environment.to_string()).unwrap_or_default(),
        trading_state: state.ladder().of(portcullis_core::Scope::Account).to_string(),
        raised: scope::raised(state),
        inhibits: gate.inhibits().iter().map(|inhibit| inhibit.as_str().to_owned()).collect(),
        strategies,
        positions: u64::try_from(positions).unwrap_or(u64::MAX),
        open_orders: state.orders().open_count(),
        unknown_orders: u64::try_from(state.orders().unresolved().count()).unwrap_or(u64::MAX),
        protection: protection(gate, watched),
        signer: signer(&running.signer.state(), second_cap_off),
        comparison: gate.comparison().map(|comparison| ComparisonLine {
            at_ns: comparison.at.0,
            differences: u64::try_from(comparison.differences).unwrap_or(u64::MAX),
            unsettled: u64::try_from(comparison.unsettled).unwrap_or(u64::MAX),
        }),
        journal: JournalHead { records: records.0, root: root.to_string() },
        day_pnl: text(profit.day),
        net_pnl: text(profit.total),
        equity: state.wallet().map(|wallet| wallet.equity.to_string()).unwrap_or_default(),
        uptime_ns,
    }))
}

/// What would protect the account without this process.
fn protection(gate: &Gate, watched: Option<bool>) -> ProtectionReport {
    let held: BTreeSet<InstrumentId> = gate
        .state()
        .ledger()
        .positions()
        .filter(|(_, _, position)| !position.quantity.is_flat())
        .map(|(instrument, ..)| instrument)
        .collect();
    let stopped = held.into_iter().filter(|instrument| gate.is_protected(*instrument)).count();
    ProtectionReport {
        stopped_positions: u64::try_from(stopped).unwrap_or(u64::MAX),
        sentinel: match watched {
            None => "none",
            Some(true) => "holding",
            Some(false) => "silent",
        }
        .to_owned(),
        disconnect_cancel: "unavailable".to_owned(),
    }
}

/// Who signs, and whether it still signs everything.
fn signer(state: &SignerState, second_cap_off: bool) -> SignerReport {
    let status = state.status.clone().unwrap_or_default();
    let word = match (state.up, status.latched) {
        (false, _) => "down",
        (true, true) => "latched",
        (true, false) if second_cap_off => "capless",
        (true, false) => "up",
    };
    let detail = if state.up { &status.last_violation } else { &state.trouble };
    SignerReport {
        state: word.to_owned(),
        violations: status.violations,
        violations_max: status.violations_max,
        detail: detail.clone(),
    }
}

/// Orders that are not finished, the newest first.
pub(crate) fn orders(state: &State) -> ControlReply {
    let mut open: Vec<&Order> = state.orders().open().collect();
    open.sort_by_key(|order| std::cmp::Reverse(order.id));
    let omitted = open.len().saturating_sub(ORDERS_MAX);
    let orders = open.into_iter().take(ORDERS_MAX).filter_map(|order| order_line(state, order)).collect();
    ControlReply::Orders { orders, omitted: u64::try_from(omitted).unwrap_or(u64::MAX) }
}

/// Positions that are not zero.
pub(crate) fn positions(gate: &Gate) -> ControlReply {
    let state = gate.state();
    let positions = state
        .ledger()
        .positions()
        .filter(|(_, _, position)| !position.quantity.is_flat())
        .filter_map(|(instrument, strategy, position)| position_line(gate, instrument, strategy, position))
        .collect();
    ControlReply::Positions { positions }
}

/// Refusals so far, by code, and the newest with their numbers.
pub(crate) fn denials(running: &Running) -> ControlReply {
    let state = running.pipeline.gate().state();
    let refused = state.refused().map(|(code, count)| (code.as_str().to_owned(), count)).collect();
    let recent = running.pipeline.metrics().refusals().map(|refused| denial_line(state, refused)).collect();
    ControlReply::Denials { refused, recent }
}

/// A strategy that has no session: on its way, or failed on it.
fn launch_line(line: DeploymentLine) -> StrategyLine {
    let failure = line.code.zip(line.detail);
    StrategyLine {
        name: line.strategy,
        bundle: line.bundle,
        digest: line.digest,
        state: line.state.as_str().to_owned(),
        last_fault: failure.map(|(code, detail)| format!("{code}: {detail}")),
        ..StrategyLine::default()
    }
}

fn denial_line(state: &State, refused: &Refused) -> DenialLine {
    let spec = refused.instrument.and_then(|id| spec(state, id));
    let numbers: Vec<String> = refused
        .checks
        .iter()
        .filter(|check| check.verdict.refusal().is_some())
        .map(|check| {
            let number = |value| number(check.check.unit(), value, spec);
            format!("{} {} against {}", check.check, number(check.seen), number(check.limit))
        })
        .collect();
    let market = spec.map(symbol).unwrap_or_default();
    let detail = if numbers.is_empty() { market } else { format!("{market} {}", numbers.join(", ")) };
    DenialLine {
        time_ns: refused.at.0,
        strategy: strategy_name(state, Some(refused.strategy)),
        code: refused.code.as_str().to_owned(),
        detail,
    }
}

/// A check's number, in the unit it was taken in.
fn number(unit: Unit, value: i128, spec: Option<&InstrumentSpec>) -> String {
    let mantissa = i64::try_from(value);
    match (unit, mantissa, spec) {
        (Unit::Amount, ..) => Amount(value).to_string(),
        (Unit::Price, Ok(mantissa), Some(spec)) => Price(mantissa).display(spec.price_decimals).to_string(),
        (Unit::Quantity, Ok(mantissa), Some(spec)) => {
            Qty(mantissa).display(spec.quantity_decimals).to_string()
        }
        (Unit::Nanoseconds, ..) => format!("{value} ns"),
        // A ratio has twelve decimals, an amount eighteen.
        (Unit::Rate, ..) => Amount(value.saturating_mul(1_000_000)).to_string(),
        (Unit::Price | Unit::Quantity | Unit::Flag | Unit::Count, ..) => value.to_string(),
    }
}

fn order_line(state: &State, order: &Order) -> Option<OrderLine> {
    let spec = spec(state, order.instrument)?;
    Some(OrderLine {
        order: order.id.0,
        link_id: order.link.as_ref().map(ToString::to_string),
        strategy: strategy_name(state, order.strategy),
        symbol: symbol(spec),
        side: match order.side {
            Side::Buy => "buy".to_owned(),
            Side::Sell => "sell".to_owned(),
        },
        quantity: order.quantity.display(spec.quantity_decimals).to_string(),
        executed: order.executed().display(spec.quantity_decimals).to_string(),
        price: order.price.map(|price| price.display(spec.price_decimals).to_string()),
        status: order.status.as_str().to_owned(),
        tag: order.tag,
        approved_ns: order.approved_at.0,
    })
}

fn position_line(
    gate: &Gate,
    instrument: InstrumentId,
    strategy: Option<StrategyId>,
    position: &Position,
) -> Option<PositionLine> {
    let state = gate.state();
    let spec = spec(state, instrument)?;
    let entry = position.average_price(spec);
    Some(PositionLine {
        strategy: strategy_name(state, strategy),
        symbol: symbol(spec),
        quantity: position.quantity.display(spec.quantity_decimals).to_string(),
        entry_price: text(entry),
        realised_pnl: position.realised.to_string(),
        open_pnl: gate
            .market(instrument)
            .and_then(|market| position.open_profit(market.valuation(spec)?, spec))
            .map(|open| open.to_string()),
        fees: position.fees.to_string(),
    })
}

fn symbols(state: &State, strategy: StrategyId) -> Vec<String> {
    let instruments =
        state.strategy(strategy).map(|strategy| strategy.instruments.as_slice()).unwrap_or_default();
    instruments.iter().filter_map(|id| spec(state, *id)).map(symbol).collect()
}

fn spec(state: &State, instrument: InstrumentId) -> Option<&InstrumentSpec> {
    state.instrument(instrument).map(|instrument| &instrument.spec)
}

pub(super) fn symbol(spec: &InstrumentSpec) -> String {
    let category = match spec.category {
        Category::Linear => "linear",
        Category::Spot => "spot",
    };
    format!("{category}:{}", spec.symbol)
}

pub(super) fn strategy_name(state: &State, strategy: Option<StrategyId>) -> String {
    strategy.and_then(|id| state.strategy(id)).map(|strategy| strategy.name.to_string()).unwrap_or_default()
}

fn text(amount: Option<Amount>) -> String {
    amount.map_or_else(|| "unknown".to_owned(), |amount| amount.to_string())
}
