//! `portcullis bench`: this machine's figures, as one flat JSON object. Every ratio comes from one run.

mod backtest;
mod cell;
mod cell_process;
mod crowd;
mod feed;
mod gate;
mod guest;
mod journal;
mod native;
mod order;
mod paper;
mod place;
mod signer;

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::cli::{Bench, Measure};
use crate::failure::Failure;
use crate::output;

/// Figures by their names.
type Figures = Map<String, Value>;

/// Measures what was asked for, everything when nothing was named.
pub(crate) fn run(bench: &Bench, as_json: bool) -> Result<ExitCode, Failure> {
    let all = [
        Measure::Gate,
        Measure::Journal,
        Measure::Cell,
        Measure::Feed,
        Measure::Order,
        Measure::Backtest,
        Measure::Paper,
    ];
    let wanted = if bench.what.is_empty() { all.as_slice() } else { bench.what.as_slice() };
    let mut figures = Figures::new();
    for measure in wanted {
        output::remark(format!("measuring {measure:?}"));
        match measure {
            Measure::Gate => gate::measure(&mut figures)?,
            Measure::Journal => journal::measure(&mut figures)?,
            Measure::Cell => cell::measure(&mut figures)?,
            Measure::Feed => feed::measure(&mut figures)?,
            Measure::Order => {
                order::measure(&mut figures)?;
                signer::measure(&mut figures)?;
            }
            Measure::Backtest => backtest::measure(&mut figures)?,
            Measure::Paper => paper::measure(&mut figures)?,
        }
    }
    if as_json {
        output::json(&figures);
    } else {
        for (name, value) in &figures {
            output::text(format!("{name:<32} {value}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Durations, to be read by rank.
#[derive(Debug, Default)]
struct Samples(Vec<u64>);

impl Samples {
    /// Takes one in.
    fn push(&mut self, took: Duration) {
        self.0.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// The duration that `per_mille` of a thousand stay below, in nanoseconds; 0 without samples.
    fn rank(&mut self, per_mille: usize) -> u64 {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        self.0.get(last.saturating_mul(per_mille) / 1_000).copied().unwrap_or_default()
    }
}

/// A figure in nanoseconds, microseconds or milliseconds with three decimals.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a figure for people, rounded to print"
)]
fn scaled(nanos: u64, unit: u64) -> Value {
    json!((nanos as f64 / unit as f64 * 1_000.0).round() / 1_000.0)
}

/// A ratio with three decimals; `null` when there is nothing to compare with.
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a figure for people, rounded to print"
)]
fn ratio(ours: u64, theirs: u64) -> Value {
    if theirs == 0 { Value::Null } else { json!((ours as f64 / theirs as f64 * 1_000.0).round() / 1_000.0) }
}
