//! Child processes with a descriptor to wait on.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

use portcullis_role::RoleCommand;
use rustix::process::{Pid, PidfdFlags};

use crate::protocol::ExitStatus;

/// A child that is killed and reaped when dropped, so that none outlives its owner.
#[derive(Debug)]
pub(super) struct Supervised {
    child: Child,
    /// Readable once the child has ended.
    ended: OwnedFd,
}

impl Supervised {
    pub(super) fn spawn(command: RoleCommand) -> io::Result<Self> {
        let mut child = command.spawn()?;
        let ended = i32::try_from(child.id())
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| io::Error::other("a process number out of range"))
            .and_then(|pid| Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())?));
        match ended {
            Ok(ended) => Ok(Self { child, ended }),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it; how it ended is there a moment later.
    pub(super) fn kill(&mut self) {
        if let Err(error) = self.child.kill() {
            tracing::error!(%error, pid = self.child.id(), "a child was not killed");
        }
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&mut self) -> bool {
        self.status().is_some()
    }

    /// Waits for its end, and says how it was. Only for one that has ended, or was killed.
    pub(super) fn wait(mut self) -> ExitStatus {
        match self.child.wait() {
            Ok(status) => status.into(),
            Err(error) => {
                tracing::error!(%error, pid = self.child.id(), "a child cannot be waited for");
                ExitStatus::Signal(0)
            }
        }
    }

    /// How it ended, if it has.
    pub(super) fn status(&mut self) -> Option<ExitStatus> {
        match self.child.try_wait() {
            Ok(status) => status.map(ExitStatus::from),
            Err(error) => {
                tracing::error!(%error, "a child cannot be waited for");
                None
            }
        }
    }
}

impl AsFd for Supervised {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ended.as_fd()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

fn end(child: &mut Child) {
    // Fails only for a child that was reaped already.
    if let Err(error) = child.kill().and_then(|()| child.wait()) {
        tracing::error!(%error, pid = child.id(), "a child was not buried");
    }
}

/// A compilation under way.
#[derive(Debug)]
pub(super) struct Compilation {
    pub(super) child: Supervised,
    /// Where the artifact, or the reason for there being none, is written.
    pub(super) output: OwnedFd,
    started: Instant,
    wall: Duration,
}

impl Compilation {
    /// A compilation that is killed after so many seconds.
    pub(super) fn new(child: Supervised, output: OwnedFd, wall_s: u32) -> Self {
        Self { child, output, started: Instant::now(), wall: Duration::from_secs(wall_s.into()) }
    }

    /// What is left of its time; zero when it is over.
    pub(super) fn time_left(&self) -> Duration {
        self.wall.saturating_sub(self.started.elapsed())
    }
}
