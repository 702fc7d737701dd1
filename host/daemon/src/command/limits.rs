//! `limits template`: the limits an installation starts with.

use std::process::ExitCode;

use portcullis_core::INSTALL_LIMITS;
use serde_json::json;

use crate::cli::Limits;
use crate::failure::Failure;
use crate::output;

/// Runs a `limits` command.
pub(crate) fn run(command: &Limits, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        Limits::Template if as_json => output::json(&json!({"limits": INSTALL_LIMITS})),
        Limits::Template => output::text(INSTALL_LIMITS.trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}
