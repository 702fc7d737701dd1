//! `journal verify | reindex | tail`.

use std::path::Path;
use std::process::ExitCode;

use portcullis_core::Sequence;
use portcullis_journal::EntryLine;
use serde_json::json;

use crate::cli::Journal;
use crate::failure::Failure;
use crate::output;

/// Runs a `journal` command.
pub(crate) fn run(command: &Journal, dir: &Path, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        Journal::Verify => verify(dir, as_json),
        Journal::Reindex => reindex(dir, as_json),
        Journal::Tail { from, follow } => tail(dir, Sequence(*from), *follow, as_json),
    }
}

fn verify(dir: &Path, as_json: bool) -> Result<ExitCode, Failure> {
    let report = portcullis_journal::verify(dir).map_err(|error| Failure::finding(error.code(), &error))?;
    let first_bad = report.first_bad.as_ref().map(ToString::to_string);
    if as_json {
        output::json(&json!({
            "ok": report.ok,
            "records": report.records,
            "root": report.root,
            "checkpoints": report.checkpoints,
            "first_bad": first_bad,
            "reserve": report.reserve,
        }));
    } else {
        output::text(format!("{} records, root {}", report.records, report.root));
        output::text(match &first_bad {
            Some(first_bad) => first_bad.as_str(),
            None if report.ok => "every entry, hash and link is as it was written",
            None => "the reserve does not follow the journal, which therefore cannot be opened",
        });
        if report.reserve.waiting > 0 {
            output::text(format!(
                "{} more in the reserve; the next start takes them over",
                report.reserve.waiting
            ));
        }
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn reindex(dir: &Path, as_json: bool) -> Result<ExitCode, Failure> {
    let entries = portcullis_journal::reindex(dir).map_err(|error| Failure::finding(error.code(), &error))?;
    if as_json {
        output::json(&json!({"ok": true, "records": entries}));
    } else {
        output::text(format!("{entries} records indexed"));
    }
    Ok(ExitCode::SUCCESS)
}

fn tail(dir: &Path, from: Sequence, follow: bool, as_json: bool) -> Result<ExitCode, Failure> {
    for entry in portcullis_journal::tail(dir, from, follow) {
        let stored = entry.map_err(|error| Failure::finding(error.code(), &error))?;
        let line = EntryLine::from(&stored);
        if as_json {
            output::json(&line);
        } else {
            let record = serde_json::to_string(&line.record).unwrap_or_default();
            output::text(format!("{} {} {record}", line.sequence, line.time));
        }
    }
    Ok(ExitCode::SUCCESS)
}
