//! `limits show`.

use portcullis_core::Limits;
use portcullis_role::{GaugeLine, LimitsReport};
use serde_json::json;

use super::table::columns;
use super::{FILE, ask, read};
use crate::failure::Failure;
use crate::output;
use crate::places::Places;

/// Shows every limit: with its value where a gateway runs, else as the file has it.
pub(super) fn run(places: &Places, as_json: bool) -> Result<(), Failure> {
    match ask(places)? {
        Some(report) => {
            if as_json {
                output::json(&json!({
                    "online": true,
                    "hash": report.hash,
                    "gauges": report.gauges,
                    "omitted": report.omitted,
                    "overrides": report.overrides,
                    "toml": report.toml,
                }));
            } else {
                print(&report);
            }
        }
        None => {
            let limits = read(&places.data().join(FILE))?;
            if as_json {
                let entries: Vec<_> = limits
                    .entries()
                    .into_iter()
                    .map(|entry| json!({"key": entry.key, "value": entry.value, "unit": entry.words.unit}))
                    .collect();
                let hash = limits.hash().to_string();
                output::json(
                    &json!({"online": false, "hash": hash, "limits": entries, "toml": limits.text()}),
                );
            } else {
                print_file(&limits);
            }
        }
    }
    Ok(())
}

fn print(report: &LimitsReport) {
    let mut rows = vec![["LIMIT", "OF", "NOW", "LIMIT IS", "USED"].map(str::to_owned)];
    rows.extend(report.gauges.iter().map(row));
    for line in columns(&rows, [false, false, true, true, true]) {
        output::text(line);
    }
    if report.omitted > 0 {
        output::text(format!("… and {} more", report.omitted));
    }
    if report.hash.is_empty() {
        output::text("no limits are in force: nothing that adds risk passes");
    } else {
        output::text(format!("limits {}", report.hash));
    }
    for row in &report.overrides {
        output::text(format!(
            "one order of {} may pass {} up to {}: granted by {}, {}",
            row.strategy, row.check, row.limit, row.actor, row.reason
        ));
    }
}

fn row(gauge: &GaugeLine) -> [String; 5] {
    let now =
        gauge.seen.clone().or_else(|| gauge.why.as_ref().map(|why| format!("({why})"))).unwrap_or_default();
    let used = gauge.used_percent.map(|percent| format!("{percent} %")).unwrap_or_default();
    [gauge.key.clone(), gauge.scope.clone(), now, gauge.limit.clone(), used]
}

fn print_file(limits: &Limits) {
    let rows: Vec<[String; 3]> = limits
        .entries()
        .into_iter()
        .map(|entry| [entry.key, entry.value, entry.words.unit.to_owned()])
        .collect();
    for line in columns(&rows, [false, true, false]) {
        output::text(line);
    }
    output::text(format!("limits {}", limits.hash()));
}
