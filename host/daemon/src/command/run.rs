//! `run --all-in-one`: signer, runner, sentinel, gateway and, where asked for, console as children of one process.

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portcullis_core::Environment;
use serde_json::json;

use crate::cli::{Gateway, Run, Sockets};
use crate::config::Config;
use crate::demo::stop_flag;
use crate::failure::Failure;
use crate::places::Places;
use crate::supervise::{RoleSpec, Supervisor};
use crate::{gateway, output};

/// How often the supervisor looks after its children.
const TEND_EVERY: Duration = Duration::from_millis(100);

/// Runs the daemon.
pub(crate) fn run(arguments: &Run, places: &Places) -> Result<ExitCode, Failure> {
    if !arguments.all_in_one {
        // In production each role is a unit of its own; then this is the gateway's.
        let role = Gateway {
            config: arguments.config.clone(),
            named: arguments.named.clone(),
            sockets: Sockets::default(),
            accept: arguments.accept.clone(),
        };
        return gateway::run(&role, places);
    }
    let config = Config::load(&arguments.config, &arguments.named)?;
    if config.environment() == Some(Environment::Live) {
        return Err(Failure::Usage(
            "--all-in-one runs every role as one user, and so beside the trade key: real money takes the units of deploy/, each with a user \
             or a view of its own"
                .to_owned(),
        ));
    }
    let stop = stop_flag()?;
    let mut supervisor = Supervisor::default();
    for spec in roles(arguments, &config, places) {
        if let Err(error) = supervisor.start(spec) {
            supervisor.stop();
            return Err(Failure::Environment(error));
        }
    }
    output::json(&json!({"type": "ready", "dir": places.data(), "pids": supervisor.pids()}));
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(TEND_EVERY);
        for role in supervisor.tend() {
            output::json(&json!({"type": "restarted", "role": role, "pids": supervisor.pids()}));
        }
    }
    let killed = supervisor.stop();
    if killed.is_empty() {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Failure::finding("KILLED", format!("did not end in time: {}", killed.join(", "))))
    }
}

/// The roles in the order of their start: whoever is asked before whoever asks.
fn roles(arguments: &Run, config: &Config, places: &Places) -> Vec<RoleSpec> {
    let here = places.arguments().to_vec();
    let with = |more: &[&str]| {
        let mut arguments = here.clone();
        arguments.extend(more.iter().map(|&text| text.to_owned()));
        arguments
    };
    let file = arguments.config.display().to_string();
    let mut configured = with(&["--config", &file]);
    if let Some(environment) = &arguments.named.env {
        configured.extend(["--env".to_owned(), environment.clone()]);
    }
    let mut signer = here.clone();
    if let Some(file) = &arguments.signer {
        signer.extend(["--config".to_owned(), file.display().to_string()]);
    }
    let mut runner = here.clone();
    if let Some(cell) = config.wasi.as_ref().and_then(|wasi| wasi.cell.as_ref()) {
        runner.extend(["--wasi-cell".to_owned(), cell.display().to_string()]);
    }
    let mut roles = vec![
        RoleSpec { role: "signer", arguments: signer, sockets: places.signer_sockets().into() },
        RoleSpec { role: "runner", arguments: runner, sockets: vec![places.runner_socket()] },
    ];
    if config.sentinel.is_some() {
        let sockets = vec![places.sentinel_socket()];
        roles.push(RoleSpec { role: "sentinel", arguments: configured.clone(), sockets });
    }
    if let (Some(hash), Some(reason)) = (&arguments.accept.accept_limits, &arguments.accept.accept_reason) {
        let accept = ["--accept-limits", hash, "--accept-reason", reason];
        configured.extend(accept.map(str::to_owned));
    }
    roles.push(RoleSpec { role: "gateway", arguments: configured, sockets: vec![places.control_socket()] });
    if let Some(address) = arguments.console {
        let arguments = with(&["--listen", &address.to_string()]);
        roles.push(RoleSpec { role: "console", arguments, sockets: Vec::new() });
    }
    roles
}
