//! `limits set` and `limits override`: what loosens takes two steps.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use portcullis_core::{LimitChange, Limits};
use portcullis_role::{
    CONTROL_LINE_BYTES_MAX, ControlReply, ControlRequest, OverrideRequest, SetLimitsRequest,
};
use serde_json::json;

use super::read;
use super::table::columns;
use crate::cli::OverrideLimit;
use crate::command::operate;
use crate::failure::Failure;
use crate::output;
use crate::places::Places;

/// Bytes of a request beside the file's text.
const RESERVE_BYTES: usize = 2 * 1024;

/// Puts another file in force.
pub(super) fn set(
    file: &Path,
    reason: &str,
    code: Option<&str>,
    places: &Places,
    as_json: bool,
) -> Result<(), Failure> {
    let limits = read(file)?;
    let text = limits.text().to_owned();
    let written = serde_json::to_string(&text).map_or(usize::MAX, |text| text.len());
    if written > CONTROL_LINE_BYTES_MAX.saturating_sub(RESERVE_BYTES) {
        let most = CONTROL_LINE_BYTES_MAX.saturating_sub(RESERVE_BYTES);
        let detail =
            format!("{} is longer than the {most} bytes that a running gateway takes", file.display());
        return Err(Failure::finding("LIMITS_REFUSED", detail));
    }
    let changes = changes(&limits, places)?;
    if !as_json && code.is_none() {
        print(changes.as_deref());
    }
    let request = |code: Option<String>| {
        ControlRequest::SetLimits(SetLimitsRequest {
            toml: text.clone(),
            reason: reason.to_owned(),
            code,
            actor: None,
        })
    };
    let command = format!("limits set {} --reason {}", quoted(&file.display().to_string()), quoted(reason));
    let detail = two_steps(request, code, &command, places, as_json)?;
    if let (Some(detail), true) = (detail, as_json) {
        let changes: Vec<_> = changes.iter().flatten().map(change_json).collect();
        output::json(&json!({"reply": "done", "detail": detail, "changes": changes}));
    }
    Ok(())
}

/// Lets one order pass a bound.
pub(super) fn grant_override(
    arguments: &OverrideLimit,
    places: &Places,
    as_json: bool,
) -> Result<(), Failure> {
    let seconds = arguments.r#for.as_secs();
    let request = |code: Option<String>| {
        ControlRequest::Override(OverrideRequest {
            strategy: arguments.strategy.clone(),
            check: arguments.check.clone(),
            limit: arguments.limit.clone(),
            seconds,
            reason: arguments.reason.clone(),
            code,
            actor: None,
        })
    };
    let command = format!(
        "limits override --strategy {} --check {} --limit {} --for {seconds}s --reason {}",
        quoted(&arguments.strategy),
        quoted(&arguments.check),
        quoted(&arguments.limit),
        quoted(&arguments.reason)
    );
    let detail = two_steps(request, arguments.code.as_deref(), &command, places, as_json)?;
    if let (Some(detail), true) = (detail, as_json) {
        output::json(&json!({"reply": "done", "detail": detail}));
    }
    Ok(())
}

/// Asks; where the gateway wants a second step, says how to take it, or takes it when a person at the terminal types the code. What was done,
/// or `None` when the second step is still to come.
fn two_steps(
    request: impl Fn(Option<String>) -> ControlRequest,
    code: Option<&str>,
    command: &str,
    places: &Places,
    as_json: bool,
) -> Result<Option<String>, Failure> {
    let reply = operate::ask_patiently(places, &request(code.map(str::to_owned)))?;
    let ControlReply::Confirm { code, detail } = reply else { return done(reply, as_json).map(Some) };
    if as_json {
        output::json(&json!({"reply": "confirm", "code": code, "detail": detail}));
        return Ok(None);
    }
    output::text(&detail);
    let [dir_option, dir, run_dir_option, run_dir] = places.arguments();
    output::text(format!(
        "To go ahead: portcullis {command} --code {code} {dir_option} {} {run_dir_option} {}",
        quoted(&dir),
        quoted(&run_dir)
    ));
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        return Ok(None);
    }
    match typed(&code)? {
        true => done(operate::ask_patiently(places, &request(Some(code)))?, as_json).map(Some),
        false => Ok(None),
    }
}

fn done(reply: ControlReply, as_json: bool) -> Result<String, Failure> {
    if let ControlReply::Error { code, detail } = reply {
        return Err(Failure::Finding { code, detail });
    }
    let ControlReply::Done { detail } = reply else {
        return Err(Failure::Environment(anyhow::anyhow!("the gateway answered something else")));
    };
    if !as_json {
        output::text(&detail);
    }
    Ok(detail)
}

/// Whether the person at the terminal types the code.
fn typed(code: &str) -> Result<bool, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::Environment(anyhow::Error::new(error).context("no answer"));
    let mut out = std::io::stdout();
    write!(out, "or type {code} here to go ahead now, anything else to leave it: ").map_err(unreadable)?;
    out.flush().map_err(unreadable)?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(unreadable)?;
    Ok(line.trim() == code)
}

/// What differs from the limits in force; `None` when those are not known.
fn changes(new: &Limits, places: &Places) -> Result<Option<Vec<LimitChange>>, Failure> {
    let ControlReply::Limits(report) = operate::ask(places, &ControlRequest::Limits {})? else {
        return Ok(None);
    };
    let old = report.toml.as_deref().and_then(|toml| Limits::parse(toml).ok());
    Ok(old.map(|old| old.changes_to(new)))
}

fn print(changes: Option<&[LimitChange]>) {
    let Some(changes) = changes else {
        return output::text("the limits in force are not known here, so what changes is not shown");
    };
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    let rows: Vec<[String; 4]> = changes
        .iter()
        .map(|change| {
            let mark = if change.loosens { "looser" } else { "tighter" };
            [change.key.clone(), side(&change.from), format!("-> {}", side(&change.to)), mark.to_owned()]
        })
        .collect();
    for line in columns(&rows, [false, true, false, false]) {
        output::text(line);
    }
}

fn change_json(change: &LimitChange) -> serde_json::Value {
    json!({"key": change.key, "from": change.from, "to": change.to, "loosens": change.loosens})
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(quoted("./limits.toml"), "./limits.toml");
        assert_eq!(quoted("it's late"), "'it'\\''s late'");
        assert_eq!(quoted(""), "''");
    }
}
