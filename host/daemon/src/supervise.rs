//! Children: the roles of an all-in-one daemon, started in order, started again when they fail, ended in order.
//!
//! The sockets that roles listen on are made and kept here and handed to each new child, so that whoever asks a role while it is being
//! started again waits in the queue and need not find out that it was gone.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use portcullis_role::RoleCommand;

/// Pause before a role that ended is started again; doubled with every failure in a row.
const PAUSE_FIRST: Duration = Duration::from_millis(500);

/// Longest such pause.
const PAUSE_LAST: Duration = Duration::from_secs(30);

/// A role that ran for this long had no failure in a row.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

/// How long a role may take to become ready before it is killed: compiling strategies on a busy machine takes minutes.
const READY_WITHIN: Duration = Duration::from_secs(900);

/// How long a role may take to end in order before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// Tells a role to take its sockets from its parent.
const HANDED_OVER: &str = "--handed-over";

/// How to start a role.
#[derive(Debug, Clone)]
pub(crate) struct RoleSpec {
    /// The role, which is also its subcommand.
    pub(crate) role: &'static str,
    /// Arguments after it.
    pub(crate) arguments: Vec<String>,
    /// Unix sockets it listens on, in the order in which it takes them over.
    pub(crate) sockets: Vec<PathBuf>,
}

/// A role and its life.
#[derive(Debug)]
struct Running {
    spec: RoleSpec,
    listeners: Vec<UnixListener>,
    life: Life,
    /// Failures in a row.
    failures: u32,
}

#[derive(Debug)]
enum Life {
    /// Started, and not ready yet.
    Starting { child: Child, since: Instant, ready: Receiver<anyhow::Result<serde_json::Value>> },
    /// At work.
    Ready { child: Child, since: Instant },
    /// Ended, and to be started again.
    Pausing { until: Instant },
}

/// The roles that run, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Supervisor {
    running: Vec<Running>,
}

impl Supervisor {
    /// Starts a role and waits for its ready line, which is returned.
    pub(crate) fn start(&mut self, spec: RoleSpec) -> anyhow::Result<serde_json::Value> {
        let listeners = listen(&spec.sockets)?;
        let (mut child, said) = spawn(&spec, &listeners)?;
        let ready = said.recv_timeout(READY_WITHIN).context("it did not become ready in time");
        match ready.and_then(|ready| ready) {
            Ok(ready) => {
                let life = Life::Ready { child, since: Instant::now() };
                self.running.push(Running { spec, listeners, life, failures: 0 });
                Ok(ready)
            }
            Err(error) => {
                end(&mut child);
                remove(&spec.sockets);
                Err(error.context(format!("the role {} did not become ready; its log says why", spec.role)))
            }
        }
    }

    /// Process ids by role, of those that have a process.
    pub(crate) fn pids(&self) -> BTreeMap<String, u32> {
        let pids = self.running.iter().filter_map(|running| {
            let (Life::Starting { child, .. } | Life::Ready { child, .. }) = &running.life else {
                return None;
            };
            Some((running.spec.role.to_owned(), child.id()))
        });
        pids.collect()
    }

    /// Looks after every role, without waiting for any; says which became ready again. A role that ended is started again after a pause
    /// of its own.
    pub(crate) fn tend(&mut self) -> Vec<&'static str> {
        self.running.iter_mut().filter_map(Running::tend).collect()
    }

    /// Ends every role in order, the newest first: SIGTERM, then SIGKILL after a grace period. Returns the roles that had to be killed.
    pub(crate) fn stop(mut self) -> Vec<&'static str> {
        let mut killed = Vec::new();
        while let Some(running) = self.running.pop() {
            let (Life::Starting { mut child, .. } | Life::Ready { mut child, .. }) = running.life else {
                remove(&running.spec.sockets);
                continue;
            };
            if !end(&mut child) {
                killed.push(running.spec.role);
            }
            remove(&running.spec.sockets);
        }
        killed
    }
}

impl Running {
    /// One look at it; its name when it became ready again.
    fn tend(&mut self) -> Option<&'static str> {
        let role = self.spec.role;
        match &mut self.life {
            Life::Ready { child, since } => {
                let ended = has_ended(child)?;
                if since.elapsed() >= HEALTHY_AFTER {
                    self.failures = 0;
                }
                self.pause(&format!("ended ({ended})"));
                None
            }
            Life::Starting { child, since, ready } => match ready.try_recv() {
                Ok(Ok(_)) => {
                    let placeholder = Life::Pausing { until: Instant::now() };
                    let Life::Starting { child, since, .. } = std::mem::replace(&mut self.life, placeholder)
                    else {
                        return None;
                    };
                    self.life = Life::Ready { child, since };
                    Some(role)
                }
                Err(TryRecvError::Empty) if since.elapsed() < READY_WITHIN => None,
                Ok(Err(_)) | Err(TryRecvError::Empty | TryRecvError::Disconnected) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    self.pause("did not become ready");
                    None
                }
            },
            Life::Pausing { until } => {
                if Instant::now() >= *until {
                    match spawn(&self.spec, &self.listeners) {
                        Ok((child, ready)) => {
                            self.life = Life::Starting { child, since: Instant::now(), ready };
                        }
                        Err(error) => self.pause(&format!("could not be started: {error:#}")),
                    }
                }
                None
            }
        }
    }

    fn pause(&mut self, what: &str) {
        let pause = pause_after(self.failures);
        self.failures = self.failures.saturating_add(1);
        tracing::warn!(role = self.spec.role, ?pause, "a role {what}; it is started again");
        let now = Instant::now();
        self.life = Life::Pausing { until: now.checked_add(pause).unwrap_or(now) };
    }
}

/// The pause after so many failures in a row before this one.
fn pause_after(failures: u32) -> Duration {
    PAUSE_FIRST.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(PAUSE_LAST)
}

/// How a child ended; `None` while it runs. One that cannot be asked about has no parent here any more.
fn has_ended(child: &mut Child) -> Option<String> {
    match child.try_wait() {
        Ok(None) => None,
        Ok(Some(status)) => Some(status.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// Makes the sockets, each in a directory that only this user may enter.
fn listen(sockets: &[PathBuf]) -> anyhow::Result<Vec<UnixListener>> {
    let mut listeners = Vec::new();
    for path in sockets {
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("cannot make {}", directory.display()))?;
        }
        let listener = portcullis_role::listen(path);
        listeners.push(listener.with_context(|| format!("cannot listen on {}", path.display()))?);
    }
    Ok(listeners)
}

fn remove(sockets: &[PathBuf]) {
    for path in sockets {
        if let Err(error) = std::fs::remove_file(path) {
            tracing::debug!(%error, path = %path.display(), "a socket was gone already");
        }
    }
}

type Said = Receiver<anyhow::Result<serde_json::Value>>;

/// Starts a role; its ready line comes later.
fn spawn(spec: &RoleSpec, listeners: &[UnixListener]) -> anyhow::Result<(Child, Said)> {
    let mut command = RoleCommand::new(spec.role).stdout(Stdio::piped());
    for argument in &spec.arguments {
        command = command.argument(argument);
    }
    if !listeners.is_empty() {
        command = command.argument(HANDED_OVER);
    }
    for listener in listeners {
        command = command.descriptor(listener.try_clone().context("no descriptors left")?.into());
    }
    let mut child = command.spawn().with_context(|| format!("cannot start the role {}", spec.role))?;
    let stdout = child.stdout.take().context("a child without its output")?;
    let (say, said) = channel();
    std::thread::Builder::new().name("child-output".to_owned()).spawn(move || {
        let mut reader = BufReader::new(stdout);
        // Nobody may wait for it any more.
        let _ = say.send(ready_line(&mut reader));
        // Keep reading, so that the child never blocks on a full pipe.
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
    })?;
    Ok((child, said))
}

fn ready_line(reader: &mut BufReader<ChildStdout>) -> anyhow::Result<serde_json::Value> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    serde_json::from_str(&line).with_context(|| format!("it said {line:?}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<u128> = [0, 1, 2, 5, 6, 40].map(|failures| pause_after(failures).as_millis()).into();
        assert_eq!(pauses, [500, 1_000, 2_000, 16_000, 30_000, 30_000]);
    }
}
