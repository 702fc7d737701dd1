//! The small roles: their code lives with what they do, in the crate `portcullis-cell`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use portcullis_cell::{RunnerConfig, cell_role, compile_role, runner_role};
use serde_json::json;

use crate::cli::Runner;
use crate::failure::Failure;
use crate::output;
use crate::places::Places;

/// Starts and stops cells for a gateway, until it is killed.
pub(crate) fn runner(arguments: &Runner, places: &Places) -> Result<ExitCode, Failure> {
    let socket = places.runner_socket();
    if let Some(directory) = socket.parent()
        && !arguments.sockets.handed_over
    {
        std::fs::create_dir_all(directory).map_err(anyhow::Error::new)?;
    }
    // A gateway that is faster than the socket tries again.
    output::json(&json!({"type": "ready", "role": "runner"}));
    let config = RunnerConfig {
        socket,
        handed_over: arguments.sockets.handed_over,
        executable: PathBuf::from("/proc/self/exe"),
        wasi_executable: arguments.wasi_cell.clone(),
        require_sandbox: arguments.require_sandbox,
    };
    runner_role(&config).map_err(|error| Failure::Environment(error.into()))?;
    Ok(ExitCode::SUCCESS)
}

/// One strategy.
pub(crate) fn cell(arguments: &[OsString]) -> Result<ExitCode, Failure> {
    cell_role(arguments).map_err(|error| Failure::Environment(error.into()))?;
    Ok(ExitCode::SUCCESS)
}

/// One compilation.
pub(crate) fn compile(arguments: &[OsString]) -> Result<ExitCode, Failure> {
    compile_role(arguments).map_err(|error| Failure::Environment(error.into()))?;
    Ok(ExitCode::SUCCESS)
}
