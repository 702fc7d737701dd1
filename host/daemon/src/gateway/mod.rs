//! The gateway role: puts the pipeline together from journal, venue and cells, and turns it until it is told to stop.

mod answers;
mod artifacts;
pub(crate) mod candidate;
mod cells;
mod compile_failures;
mod control;
mod deployments;
mod fault_files;
mod hand_over;
mod instruments;
mod launch;
mod launch_error;
mod launcher;
mod lease;
mod limits;
mod limits_at_start;
pub(crate) mod parameters;
mod scope;
mod snapshots;
mod start;
mod uploading;
mod uploads;
mod wake;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use portcullis_core::Timestamp;
use portcullis_journal::Indexer;
use portcullis_role::{Folder, Profile, Tcp, stay_awake_for};
use rustix::event::{PollFd, PollFlags, Timespec};
use serde_json::json;

use crate::cli::Gateway;
use crate::config::Config;
use crate::confine::{Own, confine_role};
use crate::demo::stop_flag;
use crate::failure::Failure;
use crate::places::Places;
use crate::{clock, output};

pub(crate) use uploads::{BUNDLE_BYTES_MAX, INCOMING};

use control::Control;
use deployments::Deployments;
use launcher::Launcher;
use lease::LeaseKeeper;
use limits::LimitsDesk;
use limits_at_start::Accepted;
use start::{Running, start};
use wake::Wake;

/// Longest sleep of the pipeline's thread.
const SLEEP_MAX: Duration = Duration::from_millis(100);

/// How often snapshots taken meanwhile are written to disk.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// Runs the gateway until SIGTERM, SIGINT or the operator's shutdown.
pub(crate) fn run(arguments: &Gateway, places: &Places) -> Result<ExitCode, Failure> {
    let config = Config::load(&arguments.config, &arguments.named)?;
    let dir = places.data();
    let stop = stop_flag()?;
    let wake = Wake::new().context("cannot make an event descriptor")?;
    let environment = config.environment().context("the environment was checked before")?;
    // Opened once: from here on, what the gateway reads and writes there is where it was at the start.
    let data = Folder::open(dir).map_err(|error| {
        Failure::Usage(format!("cannot open the data directory {}: {error}", dir.display()))
    })?;
    // The configuration may name bundles that lie elsewhere.
    let bundles: Vec<PathBuf> = config.strategies.iter().map(|strategy| dir.join(&strategy.bundle)).collect();
    let own =
        Own { read: bundles.iter().map(PathBuf::as_path).collect(), write: vec![dir, places.sockets()] };
    confine_role(Profile::Gateway, &own, Tcp::Connect(Vec::new()))?;
    let data = Arc::new(data);
    let deployments = Deployments::load(&data, &config.strategies)?;
    let accepted = Accepted::new(&arguments.accept)?;
    let mut running = start(&config, places, &data, accepted.as_ref(), &wake)?;
    let mut lease = match &config.sentinel {
        None => None,
        Some(_) => Some(
            LeaseKeeper::start(places.sentinel_socket(), &mut running, wake.clone())
                .context("cannot start a thread")?,
        ),
    };
    let mut launcher = Launcher::start(dir, &data, environment, &config, deployments, wake.clone())?;
    let mut limits = LimitsDesk::start(&data, wake.clone()).context("cannot start a thread")?;
    let control = Control::start(arguments.sockets, &places.control_socket(), wake.clone())?;
    let indexer = Indexer::spawn(dir).map_err(|error| Failure::finding(error.code(), error))?;

    let started = Instant::now();
    let mut kept = started;
    let mut ready = false;
    while !stop.load(Ordering::Relaxed) {
        let due = running.pipeline.turn();
        running.keep_faults();
        if let Some(lease) = &mut lease {
            lease.turn(&mut running);
        }
        limits.turn();
        let watched = lease.as_ref().map(LeaseKeeper::is_held);
        if control.answer(&mut running, &mut launcher, &mut limits, watched, started) {
            break;
        }
        if running.pipeline.cells_mut().find_runner() {
            let session =
                launcher.turn(&mut running).and_then(|()| running.pipeline.cells_mut().check_exits());
            match session {
                Ok(()) => {}
                // The supervisor starts the gateway again, which starts the strategies again.
                Err(error) if !ready => {
                    return Err(Failure::Environment(
                        anyhow::Error::new(error).context("the runner is gone"),
                    ));
                }
                Err(error) => {
                    tracing::error!(%error, "the runner is gone; strategies come back with the next one");
                    launcher.runner_lost();
                    running.pipeline.cells_mut().runner_lost();
                }
            }
        }
        if !ready && !launcher.is_busy() {
            if let Some(failure) = launcher.configured_failure() {
                running.finish()?;
                return Err(failure);
            }
            ready = true;
            output::json(&json!({"type": "ready", "role": "gateway", "strategies": running.bundles.len()}));
        }
        if kept.elapsed() >= KEEP_EVERY {
            kept = Instant::now();
            running.keep_snapshots();
        }
        wait(&running, &launcher, &wake, due)?;
    }
    running.finish()?;
    drop(lease);
    drop(indexer);
    Ok(ExitCode::SUCCESS)
}

/// Sleeps until something arrives or is due.
fn wait(running: &Running, launcher: &Launcher, wake: &Wake, due: Timestamp) -> Result<(), Failure> {
    let until_due = Duration::from_nanos(due.since(clock::now()).0);
    let timeout = Timespec::try_from(until_due.min(SLEEP_MAX)).unwrap_or_default();
    let mut descriptors = vec![PollFd::new(wake, PollFlags::IN)];
    for (descriptor, writing) in running.pipeline.cells().descriptors().chain(launcher.descriptors()) {
        let flags = if writing { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        descriptors.push(PollFd::from_borrowed_fd(descriptor, flags));
    }
    if running.pipeline.cells().awaits_answers() {
        stay_awake_for(&mut descriptors);
    }
    match rustix::event::poll(&mut descriptors, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(errno) => {
            return Err(Failure::Environment(anyhow::Error::new(errno).context("cannot wait for events")));
        }
    }
    wake.clear();
    Ok(())
}
