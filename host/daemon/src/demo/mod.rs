//! `portcullis demo`: the whole system on this machine, with the reference strategies on the paper exchange.

mod operator;
mod port;
mod prepare;
mod summary;

pub(crate) use prepare::plugin;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::cli::Demo;
use crate::failure::Failure;
use crate::output;
use crate::places::Places;
use crate::supervise::{RoleSpec, Supervisor};

/// The console's port unless another is asked for.
const CONSOLE_PORT: u16 = 8000;

/// How often the supervisor looks after its children.
const TEND_EVERY: Duration = Duration::from_millis(100);

/// Runs the demo until it is interrupted, or for as long as asked.
pub(crate) fn run(demo: &Demo, dir: Option<&Path>, as_json: bool) -> Result<ExitCode, Failure> {
    let dir = dir.map_or_else(|| PathBuf::from("portcullis-demo"), Path::to_owned);
    if !(demo.speed.is_finite() && demo.speed > 0.0 && demo.speed <= 1_000.0) {
        return Err(Failure::Usage(format!("--speed {}: must be above 0 and at most 1000", demo.speed)));
    }
    if demo.fresh && dir.exists() {
        prepare::clear(&dir)?;
    }
    let stop = stop_flag()?;
    let prepared = prepare::prepare(&dir, &demo.strategy)?;

    let access = operator::access(&dir)?;
    let address = console_address(demo.port)?;

    let mut supervisor = Supervisor::default();
    let started = start(&mut supervisor, demo, &dir, &prepared, address).and_then(|paper| {
        operator::upload(&format!("http://{address}"), &access.token, &prepared.upload)?;
        Ok(paper)
    });
    let paper = match started {
        Ok(paper) => paper,
        Err(error) => {
            supervisor.stop();
            return Err(Failure::Environment(error));
        }
    };
    let mut pids = supervisor.pids();
    pids.insert("supervisor".to_owned(), std::process::id());
    announce(
        &json!({
            "type": "ready",
            "console": format!("http://{address}"),
            "user": access.user,
            "password": access.password.expose_secret(),
            "token": access.token.expose_secret(),
            "paper": paper,
            "dir": dir,
            "pids": pids,
        }),
        as_json,
    );

    let announced = Instant::now();
    while !stop.load(Ordering::Relaxed) && demo.exit_after.is_none_or(|after| announced.elapsed() < after) {
        std::thread::sleep(TEND_EVERY);
        for role in supervisor.tend() {
            announce(&json!({"type": "restarted", "role": role, "pids": supervisor.pids()}), as_json);
        }
    }
    let summary = summary::close(supervisor, &dir)?;
    let ok = summary.ok();
    if as_json {
        output::json(&summary);
    } else {
        output::text(summary.to_string());
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Starts the exchange, then the signer, the runner, the sentinel, the gateway and the console. Returns the exchange's ready line.
fn start(
    supervisor: &mut Supervisor,
    demo: &Demo,
    dir: &Path,
    prepared: &prepare::Prepared,
    console: SocketAddr,
) -> anyhow::Result<serde_json::Value> {
    let dir_text = dir.to_str().context("the data directory's name is not UTF-8")?.to_owned();
    let mut arguments = vec![
        "--dir".to_owned(),
        dir_text.clone(),
        "--listen".to_owned(),
        prepared.paper_address.to_string(),
        "--speed".to_owned(),
        demo.speed.to_string(),
        "--key-file".to_owned(),
        dir.join("keys/paper.toml").display().to_string(),
    ];
    for file in &demo.data {
        arguments.extend(["--data".to_owned(), file.display().to_string()]);
    }
    if let Some(faults) = &demo.faults {
        arguments.extend(["--faults".to_owned(), faults.display().to_string()]);
    }
    let paper = supervisor.start(RoleSpec { role: "paper", arguments, sockets: Vec::new() })?;
    let places = Places::new(Some(dir), None);
    let here = vec!["--dir".to_owned(), dir_text];
    let (mut configured, mut listening) = (here.clone(), here.clone());
    configured.extend(["--config".to_owned(), dir.join("portcullis.toml").display().to_string()]);
    listening.extend(["--listen".to_owned(), console.to_string()]);
    let mut runner = here.clone();
    if let Some(cell) = &prepared.wasi_cell {
        runner.extend(["--wasi-cell".to_owned(), cell.display().to_string()]);
    }
    for spec in [
        RoleSpec { role: "signer", arguments: here, sockets: places.signer_sockets().into() },
        RoleSpec { role: "runner", arguments: runner, sockets: vec![places.runner_socket()] },
        RoleSpec { role: "sentinel", arguments: configured.clone(), sockets: vec![places.sentinel_socket()] },
        RoleSpec { role: "gateway", arguments: configured, sockets: vec![places.control_socket()] },
        RoleSpec { role: "console", arguments: listening, sockets: Vec::new() },
    ] {
        supervisor.start(spec)?;
    }
    Ok(paper)
}

/// Where the console is to listen: on the port that was asked for, or on the usual one unless that is taken. Fixed before the start,
/// so that a console that is started again is found where it was.
fn console_address(port: Option<u16>) -> Result<SocketAddr, Failure> {
    Ok(match port {
        Some(0) => port::any()?,
        Some(port) => port::this(port)
            .with_context(|| format!("port {port} is not free; name another with --port, or 0 for any"))?,
        None => port::this(CONSOLE_PORT).or_else(|_| port::any())?,
    })
}

fn announce(line: &serde_json::Value, as_json: bool) {
    if as_json {
        output::json(line);
    } else {
        output::text(format!(
            "{}: {}",
            line.get("type").and_then(|kind| kind.as_str()).unwrap_or_default(),
            serde_json::to_string_pretty(line).unwrap_or_default()
        ));
    }
}

/// Set when the process is asked to stop.
pub(crate) fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot catch signals")?;
    }
    Ok(stop)
}
