//! `portcullis backtest`: a strategy over recorded or synthetic markets, in a child of this process that can do nothing else (RULES C4).

mod data;
mod subject;
mod work;

use std::process::ExitCode;

use portcullis_core::{Amount, BENCH_LIMITS, Limits, Span};
use portcullis_lab::Latency;
use portcullis_role::{Confinement, Profile, in_child};
use serde_json::{Value, json};

use crate::cli::Backtest;
use crate::failure::Failure;
use crate::output;

use data::Data;
pub(crate) use subject::Subject;

/// Longest report of the child, in bytes.
const REPORT_BYTES_MAX: u64 = 1 << 20;

/// Descriptors the child may have: the standard ones, the pipe, and a few the system's own libraries want.
const OPEN_FILES: u64 = 16;

/// What a run is made of, everything read and checked as far as that can be done without the strategy's own code.
struct Plan {
    subject: Subject,
    data: Data,
    limits: Limits,
    capital: Amount,
    latency: Latency,
    strict: bool,
    parameters: std::collections::BTreeMap<String, String>,
}

/// Runs the command.
pub(crate) fn run(arguments: &Backtest, as_json: bool) -> Result<ExitCode, Failure> {
    let plan = plan(arguments)?;
    let confinement = Confinement::nothing(Profile::Lab, OPEN_FILES);
    let report = in_child(&confinement, REPORT_BYTES_MAX, |confined| work::report(&plan, confined)).map_err(
        |error| Failure::Environment(anyhow::Error::new(error).context("the backtest's own process")),
    )?;
    let mut report: Value = serde_json::from_slice(&report).map_err(anyhow::Error::new)?;
    if let Some(code) = report.get("code").and_then(Value::as_str) {
        let detail = report.get("detail").and_then(Value::as_str).unwrap_or_default();
        return Err(Failure::finding(code, detail));
    }
    if let Value::Object(report) = &mut report {
        report.insert("capital".to_owned(), json!(plan.capital.to_string()));
        report.insert("latency_ns".to_owned(), json!(plan.latency.lookahead().0));
        report.insert("strict".to_owned(), json!(plan.strict));
        report.insert("rows_skipped".to_owned(), json!(plan.data.skipped()));
        report.insert("limits".to_owned(), limits_json(&plan.limits));
    }
    if as_json {
        output::json(&report);
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

fn plan(arguments: &Backtest) -> Result<Plan, Failure> {
    let subject = Subject::load(&arguments.strategy)?;
    let taker_fee = data::fee(&arguments.taker_bps)?;
    let data = Data::load(&arguments.data, taker_fee, arguments.allow_gaps)?;
    let text = match (&arguments.limits, data.is_synthetic()) {
        (Some(file), _) => std::fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("cannot read limits {}: {error}", file.display())))?,
        (None, true) => BENCH_LIMITS.to_owned(),
        (None, false) => {
            return Err(Failure::Usage(
                "--limits FILE is missing: recorded data is traded under limits of yours, as a live account is; \
                 `portcullis limits template` writes some to begin with"
                    .to_owned(),
            ));
        }
    };
    let limits = Limits::parse(&text).map_err(|error| Failure::Usage(format!("limits: {error}")))?;
    let capital = Amount::parse(&arguments.capital)
        .ok()
        .filter(|capital| *capital > Amount::ZERO)
        .ok_or_else(|| Failure::Usage(format!("--capital {}: must be USDT above 0", arguments.capital)))?;
    Ok(Plan {
        subject,
        data,
        limits,
        capital,
        latency: Latency::round_trip(Span(u64::try_from(arguments.latency.as_nanos()).unwrap_or(u64::MAX))),
        strict: arguments.strict,
        parameters: arguments.set.iter().cloned().collect(),
    })
}

/// The limits as they were written, for whoever reads the result.
fn limits_json(limits: &Limits) -> Value {
    let table: Option<toml::Table> = toml::from_str(limits.text()).ok();
    json!({"hash": limits.hash().to_string(), "table": table})
}

fn print(report: &Value) {
    let text = |key: &str| match report.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    output::text(format!(
        "{} events in {} s ({} a second)",
        text("events"),
        text("seconds"),
        text("events_per_second")
    ));
    output::text(format!(
        "{} intents, {} orders, {} filled, {} executions, refused {}",
        text("intents"),
        text("orders"),
        text("fills"),
        text("executions"),
        text("refused")
    ));
    output::text(format!(
        "net {} USDT after {} of fees, largest drawdown {}",
        text("net_pnl"),
        text("fees"),
        text("max_drawdown")
    ));
    output::text(format!("journal {} records, root {}", text("records"), text("journal_root")));
}
