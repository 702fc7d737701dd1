//! The operator's commands: one question over the control socket, one answer.

use std::io::ErrorKind;
use std::process::ExitCode;
use std::time::Duration;

use portcullis_role::{
    ControlError, ControlReply, ControlRequest, DeploymentLine, OrderLine, PositionLine, StatusReport, call,
};

use crate::failure::Failure;
use crate::output;
use crate::places::Places;

/// Longest wait for the gateway.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The same where a bundle is verified or a file written first; a little more than the gateway itself waits for that.
const LONG_PATIENCE: Duration = Duration::from_secs(70);

/// Asks the running gateway and prints its answer.
pub(crate) fn run(request: &ControlRequest, places: &Places, as_json: bool) -> Result<ExitCode, Failure> {
    let reply = ask(places, request)?;
    if let ControlReply::Error { code, detail } = reply {
        return Err(Failure::Finding { code, detail });
    }
    if as_json {
        output::json(&reply);
    } else {
        print(&reply);
    }
    Ok(ExitCode::SUCCESS)
}

/// One question to the running gateway.
pub(crate) fn ask(places: &Places, request: &ControlRequest) -> Result<ControlReply, Failure> {
    ask_within(places, request, PATIENCE)
}

/// One question whose answer waits for a bundle to be verified or a file to be written.
pub(crate) fn ask_patiently(places: &Places, request: &ControlRequest) -> Result<ControlReply, Failure> {
    ask_within(places, request, LONG_PATIENCE)
}

fn ask_within(
    places: &Places,
    request: &ControlRequest,
    patience: Duration,
) -> Result<ControlReply, Failure> {
    let socket = places.control_socket();
    call(&socket, request, patience).map_err(|error| {
        let nobody = matches!(
            &error,
            ControlError::Io(io) if matches!(io.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
        );
        Failure::Environment(if nobody {
            anyhow::anyhow!(
                "no gateway answers at {}: start one with `portcullis demo` or `portcullis run`, or name its directory with --dir or --run-dir",
                socket.display()
            )
        } else {
            anyhow::Error::new(error).context("the gateway did not answer")
        })
    })
}

fn print(reply: &ControlReply) {
    match reply {
        ControlReply::Status(status) => print_status(status),
        ControlReply::Orders { orders, omitted } => print_orders(orders, *omitted),
        ControlReply::Positions { positions } => print_positions(positions),
        ControlReply::Denials { refused, recent } => {
            for (code, count) in refused {
                output::text(format!("{count:>10}  {code}"));
            }
            for line in recent {
                output::text(format!("  {} {}: {}", line.strategy, line.code, line.detail));
            }
            if refused.is_empty() {
                output::text("nothing was refused");
            }
        }
        ControlReply::Confirm { code, detail } => {
            output::text(detail);
            output::text(format!("To go ahead, run the same command again with --confirm {code}"));
        }
        ControlReply::Limits(report) => output::text(format!("limits {}", report.hash)),
        ControlReply::Accepted { deployment, strategy, bundle, .. } => {
            output::text(format!("{strategy} ({bundle}) is accepted as deployment {deployment}"));
        }
        ControlReply::Deployment(line) => print_deployment(line),
        ControlReply::Done { detail } | ControlReply::Error { detail, .. } => output::text(detail),
    }
}

fn print_deployment(line: &DeploymentLine) {
    output::text(format!("{} ({}) is {}", line.strategy, line.bundle, line.state.as_str()));
    if let (Some(code), Some(detail)) = (&line.code, &line.detail) {
        output::text(format!("{code}: {detail}"));
    }
}

fn print_status(status: &StatusReport) {
    output::text(format!("environment     {}", status.environment));
    output::text(format!("trading state   {}", status.trading_state));
    for line in &status.raised {
        output::text(format!("  {}: {}, because of {}", line.scope, line.state, line.cause));
    }
    let inhibits = if status.inhibits.is_empty() { "none".to_owned() } else { status.inhibits.join(", ") };
    output::text(format!("inhibits        {inhibits}"));
    output::text(format!("equity          {} USDT, today {}", status.equity, status.day_pnl));
    output::text(format!(
        "orders          {} open, {} unknown; positions {}",
        status.open_orders, status.unknown_orders, status.positions
    ));
    let protection = &status.protection;
    output::text(format!(
        "protection      {} of {} positions have a stop at the exchange; sentinel {}; cancel on disconnect {}",
        protection.stopped_positions, status.positions, protection.sentinel, protection.disconnect_cancel
    ));
    let signer = &status.signer;
    let detail = if signer.detail.is_empty() { String::new() } else { format!(": {}", signer.detail) };
    output::text(format!(
        "signer          {}, {} of {} violations{detail}",
        signer.state, signer.violations, signer.violations_max
    ));
    if let Some(comparison) = &status.comparison {
        output::text(format!(
            "reconciled      {} positions differ, {} orders unsettled",
            comparison.differences, comparison.unsettled
        ));
    }
    output::text(format!("journal         {} records, head {}", status.journal.records, status.journal.root));
    for strategy in &status.strategies {
        output::text(format!(
            "strategy        {} ({}) {} on {}, {} events, {} faults of its own ({} strikes of 3), {} of the host's, {} gaps in its data",
            strategy.name,
            strategy.bundle,
            strategy.state,
            strategy.symbols.join(" "),
            strategy.events,
            strategy.faults,
            strategy.strikes,
            strategy.host_faults,
            strategy.data_gaps
        ));
        if let Some(cause) = &strategy.first_fault {
            output::text(format!("                first fault: {cause}"));
        }
        if let Some(cause) =
            strategy.last_fault.as_ref().filter(|last| Some(*last) != strategy.first_fault.as_ref())
        {
            output::text(format!("                last fault: {cause}"));
        }
        if let Some(file) = &strategy.fault_file {
            output::text(format!("                evidence: faults/{file}"));
        }
        if strategy.log_bytes_cut > 0 {
            output::text(format!("                log: {} bytes were cut", strategy.log_bytes_cut));
        }
    }
}

fn print_orders(orders: &[OrderLine], omitted: u64) {
    if orders.is_empty() {
        output::text("no open orders");
    }
    for order in orders {
        output::text(format!(
            "{:>8}  {:<14} {:<18} {:<4} {:>14} at {:<14} executed {:<12} {}",
            order.order,
            order.strategy,
            order.symbol,
            order.side,
            order.quantity,
            order.price.as_deref().unwrap_or("market"),
            order.executed,
            order.status
        ));
    }
    if omitted > 0 {
        output::text(format!("… and {omitted} more"));
    }
}

fn print_positions(positions: &[PositionLine]) {
    if positions.is_empty() {
        output::text("no positions");
    }
    for position in positions {
        output::text(format!(
            "{:<14} {:<18} {:>14} at {:<14} realised {} open {} fees {}",
            position.strategy,
            position.symbol,
            position.quantity,
            position.entry_price,
            position.realised_pnl,
            position.open_pnl.as_deref().unwrap_or("no price"),
            position.fees
        ));
    }
}
