//! `reconcile --now`: has the books compared with the venue, and waits for what comes of it.

use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use portcullis_role::{ComparisonLine, ControlReply, ControlRequest, StatusReport};

use crate::command::operate::ask;
use crate::failure::Failure;
use crate::output;
use crate::places::Places;

/// Longest wait for the venue's answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Asks, waits and prints. Exit 1 when the books and the venue differ.
pub(crate) fn run(places: &Places, as_json: bool) -> Result<ExitCode, Failure> {
    let before = status(places)?.comparison.map_or(0, |comparison| comparison.at_ns);
    if let ControlReply::Error { code, detail } = ask(places, &ControlRequest::Reconcile { actor: None })? {
        return Err(Failure::Finding { code, detail });
    }
    let asked = Instant::now();
    loop {
        let status = status(places)?;
        if let Some(comparison) = status.comparison.as_ref().filter(|comparison| comparison.at_ns > before) {
            return Ok(report(comparison, &status, as_json));
        }
        if asked.elapsed() > PATIENCE {
            return Err(Failure::Environment(anyhow::anyhow!(
                "the venue has not told of everything for {} s; the gateway goes on asking",
                PATIENCE.as_secs()
            )));
        }
        sleep(LOOK_EVERY);
    }
}

fn report(comparison: &ComparisonLine, status: &StatusReport, as_json: bool) -> ExitCode {
    if as_json {
        output::json(&serde_json::json!({
            "agree": comparison.differences == 0,
            "comparison": comparison,
            "positions": status.positions,
            "open_orders": status.open_orders,
        }));
    } else if comparison.differences == 0 {
        output::text(format!(
            "the books and the venue agree: {} positions, {} open orders, {} whose fate is not known yet",
            status.positions, status.open_orders, comparison.unsettled
        ));
    } else {
        output::text(format!(
            "{} positions differ; one that differs twice in the same way is taken over from the venue, and entries stop",
            comparison.differences
        ));
    }
    if comparison.differences == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn status(places: &Places) -> Result<StatusReport, Failure> {
    let reply = ask(places, &ControlRequest::Status {})?;
    if let ControlReply::Status(status) = reply {
        return Ok(*status);
    }
    Err(Failure::Environment(anyhow::anyhow!("the gateway answered {reply:?} to a status request")))
}
