//! `run --all-in-one`: runner, gateway and, where asked for, console as children of one process.

use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use crate::cli::{Gateway, Run};
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
            env: arguments.env.clone(),
            accept: arguments.accept.clone(),
        };
        return gateway::run(&role, places);
    }
    let config = Config::load(&arguments.config, arguments.env.as_deref())?;
    let stop = stop_flag()?;
    let mut supervisor = Supervisor::default();
    let mut runner = places.arguments().to_vec();
    if let Some(cell) = config.wasi.as_ref().and_then(|wasi| wasi.cell.as_ref()) {
        runner.extend(["--wasi-cell".to_owned(), cell.display().to_string()]);
    }
    let mut gateway = places.arguments().to_vec();
    gateway.extend(["--config".to_owned(), arguments.config.display().to_string()]);
    if let Some(environment) = &arguments.env {
        gateway.extend(["--env".to_owned(), environment.clone()]);
    }
    let sentinel = config.sentinel.is_some().then(|| gateway.clone());
    if let (Some(hash), Some(reason)) = (&arguments.accept.accept_limits, &arguments.accept.accept_reason) {
        let accept = ["--accept-limits", hash, "--accept-reason", reason];
        gateway.extend(accept.map(str::to_owned));
    }
    let started = supervisor
        .start(RoleSpec { role: "runner", arguments: runner })
        .and_then(|_| match sentinel {
            None => Ok(serde_json::Value::Null),
            Some(arguments) => supervisor.start(RoleSpec { role: "sentinel", arguments }),
        })
        .and_then(|_| supervisor.start(RoleSpec { role: "gateway", arguments: gateway }))
        .and_then(|_| match arguments.console {
            None => Ok(serde_json::Value::Null),
            Some(address) => {
                let mut console = places.arguments().to_vec();
                console.extend(["--listen".to_owned(), address.to_string()]);
                supervisor.start(RoleSpec { role: "console", arguments: console })
            }
        });
    if let Err(error) = started {
        supervisor.stop();
        return Err(Failure::Environment(error));
    }
    output::json(&json!({"type": "ready", "dir": places.data(), "pids": supervisor.pids()}));
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(TEND_EVERY);
        for role in supervisor.tend()? {
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
