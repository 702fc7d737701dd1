//! Children: the roles of an all-in-one daemon, started in order, started again when they fail, ended in order.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use portcullis_role::RoleCommand;

/// Shortest time between two starts of one role; a role that dies at once is not started in a tight loop.
const RESTART_AFTER: Duration = Duration::from_millis(500);

/// How long a role may take to end in order before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// How to start a role.
#[derive(Debug, Clone)]
pub(crate) struct RoleSpec {
    /// The role, which is also its subcommand.
    pub(crate) role: &'static str,
    /// Arguments after it.
    pub(crate) arguments: Vec<String>,
}

/// A running role.
#[derive(Debug)]
struct Running {
    spec: RoleSpec,
    child: Child,
    started: Instant,
}

/// The roles that run, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    running: Vec<Running>,
}

impl Supervisor {
    /// Starts a role and waits for its ready line, which is returned.
    pub(crate) fn start(&mut self, spec: RoleSpec) -> anyhow::Result<serde_json::Value> {
        let (child, ready) = spawn(&spec)?;
        self.running.push(Running { spec, child, started: Instant::now() });
        Ok(ready)
    }

    /// Process ids by role.
    pub(crate) fn pids(&self) -> BTreeMap<String, u32> {
        self.running.iter().map(|running| (running.spec.role.to_owned(), running.child.id())).collect()
    }

    /// Starts every role again that has died; says which.
    pub(crate) fn tend(&mut self) -> anyhow::Result<Vec<&'static str>> {
        let mut restarted = Vec::new();
        for running in &mut self.running {
            let Some(status) = running.child.try_wait().context("cannot wait for a child")? else { continue };
            tracing::warn!(role = running.spec.role, %status, "a role ended; starting it again");
            let wait = RESTART_AFTER.saturating_sub(running.started.elapsed());
            std::thread::sleep(wait);
            let (child, _) = spawn(&running.spec)?;
            running.child = child;
            running.started = Instant::now();
            restarted.push(running.spec.role);
        }
        Ok(restarted)
    }

    /// Ends every role in order, the newest first: SIGTERM, then SIGKILL after a grace period. Returns the roles that had to be killed.
    pub(crate) fn stop(mut self) -> Vec<&'static str> {
        let mut killed = Vec::new();
        while let Some(mut running) = self.running.pop() {
            if !end(&mut running.child) {
                killed.push(running.spec.role);
            }
        }
        killed
    }
}

fn spawn(spec: &RoleSpec) -> anyhow::Result<(Child, serde_json::Value)> {
    let mut command = RoleCommand::new(spec.role).stdout(Stdio::piped());
    for argument in &spec.arguments {
        command = command.argument(argument);
    }
    let mut child = command.spawn().with_context(|| format!("cannot start the role {}", spec.role))?;
    let stdout = child.stdout.take().context("a child without its output")?;
    match ready_line(stdout) {
        Ok(ready) => Ok((child, ready)),
        Err(error) => {
            end(&mut child);
            Err(error.context(format!("the role {} did not become ready; its log says why", spec.role)))
        }
    }
}

fn ready_line(stdout: ChildStdout) -> anyhow::Result<serde_json::Value> {
    let mut reader = BufReader::new(stdout);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let ready: serde_json::Value =
        serde_json::from_str(&line).with_context(|| format!("it said {line:?}"))?;
    // Keep reading, so that the child never blocks on a full pipe.
    std::thread::Builder::new().name("child-output".to_owned()).spawn(move || {
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
    })?;
    Ok(ready)
}

/// True when the child ended by itself.
fn end(child: &mut Child) -> bool {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    let asked = Instant::now();
    while asked.elapsed() < GRACE {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}
