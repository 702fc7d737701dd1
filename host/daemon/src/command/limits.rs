//! `limits …`: show, explain, try out and change what bounds trading.

mod change;
mod explain;
mod show;
mod simulate;
mod table;

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use portcullis_core::{INSTALL_LIMITS, Limits};
use portcullis_role::{ControlError, ControlReply, ControlRequest, LimitsReport, call};
use serde_json::json;

use crate::cli::Limits as Command;
use crate::command::operate;
use crate::failure::Failure;
use crate::output;
use crate::places::Places;

/// Longest limits file that is read, in bytes: a little more than is accepted, so that the refusal is the reader's.
const FILE_BYTES_MAX: u64 = 300 * 1024;

/// The file in the data directory.
const FILE: &str = "limits.toml";

/// Runs a `limits` command.
pub(crate) fn run(command: &Command, places: &Places, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        Command::Template if as_json => output::json(&json!({"limits": INSTALL_LIMITS})),
        Command::Template => output::text(INSTALL_LIMITS.trim_end()),
        Command::Show => show::run(places, as_json)?,
        Command::Explain { key } => explain::run(key.as_deref(), places, as_json)?,
        Command::Simulate(arguments) => simulate::run(arguments, places.data(), as_json)?,
        Command::Set { file, reason, code } => change::set(file, reason, code.as_deref(), places, as_json)?,
        Command::Override(arguments) => change::grant_override(arguments, places, as_json)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a limits file; everything wrong with it is named at once.
fn read(file: &Path) -> Result<Limits, Failure> {
    let unreadable = |error| Failure::Usage(format!("cannot read {}: {error}", file.display()));
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
    Limits::parse(&text).map_err(|error| {
        let violations = error.violations.join("\n  ");
        Failure::finding("LIMITS_REFUSED", format!("{} is refused:\n  {violations}", file.display()))
    })
}

/// What the running gateway says; `None` when none runs, and then a person is told so.
fn ask(places: &Places) -> Result<Option<LimitsReport>, Failure> {
    use std::io::ErrorKind;
    match call(&places.control_socket(), &ControlRequest::Limits {}, operate::PATIENCE) {
        Ok(ControlReply::Limits(report)) => Ok(Some(*report)),
        Ok(ControlReply::Error { code, detail }) => Err(Failure::Finding { code, detail }),
        Ok(_) => Err(Failure::Environment(anyhow::anyhow!("the gateway answered something else"))),
        Err(ControlError::Io(error))
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) =>
        {
            output::remark(format!(
                "no gateway answers at {}: this is {} alone, without the values of now",
                places.control_socket().display(),
                places.data().join(FILE).display()
            ));
            Ok(None)
        }
        Err(error) => {
            Err(Failure::Environment(anyhow::Error::new(error).context("the gateway did not answer")))
        }
    }
}
