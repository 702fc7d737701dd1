//! The cells of a session: which strategy is in which process, and how both end.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_core::StrategyName;
use portcullis_role::{MessageSocket, RoleCommand};

use super::children::Supervised;
use crate::protocol::{
    CellExit, CellId, CellLimits, CellPlace, Join, RUNNER_MESSAGE_BYTES_MAX, SharedCellName,
};
use crate::roles::CELL_ROLE;
use crate::roles::cell::{self, SHARED_STRATEGIES_MAX};

/// Most processes at once.
const PROCESSES_MAX: usize = 256;

/// Longest wait for a shared cell to take in a strategy. The socket holds many such messages, so one that lets it run full is stuck.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a strategy runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// In a process of its own.
    Own(CellId),
    /// In one that several share.
    Shared(SharedCellName),
}

/// A process, and the strategies in it.
#[derive(Debug)]
struct Process {
    child: Supervised,
    members: BTreeSet<CellId>,
    /// Over which strategies join a shared one.
    join: Option<MessageSocket>,
}

/// The processes and strategies of a session. Dropping it ends them all.
#[derive(Debug)]
pub(super) struct RunningCells {
    executable: PathBuf,
    /// The binary of the cells that offer WASI, if this runner may start any.
    wasi_executable: Option<PathBuf>,
    processes: BTreeMap<Home, Process>,
    homes: BTreeMap<CellId, Home>,
    /// Strategies whose end is not reported yet.
    exits: Vec<CellExit>,
}

impl RunningCells {
    pub(super) fn new(executable: PathBuf, wasi_executable: Option<PathBuf>) -> Self {
        Self {
            executable,
            wasi_executable,
            processes: BTreeMap::new(),
            homes: BTreeMap::new(),
            exits: Vec::new(),
        }
    }

    /// Starts a strategy in a process of its own, or has it join the others of the shared cell that is named. Returns the process and
    /// the gateway's end of the strategy's socket.
    pub(super) fn start(
        &mut self,
        cell: CellId,
        name: &StrategyName,
        limits: CellLimits,
        place: CellPlace,
        artifact: OwnedFd,
    ) -> Result<(u32, UnixStream), String> {
        if self.homes.contains_key(&cell) {
            return Err(format!("cell {} runs already", cell.0));
        }
        let (ours, theirs) = UnixStream::pair().map_err(|error| error.to_string())?;
        let pid = match place {
            CellPlace::Own => {
                let command = RoleCommand::of(&self.executable, CELL_ROLE);
                self.start_own(command, cell, name, limits, theirs.into(), artifact)?
            }
            CellPlace::Wasi => {
                let command = RoleCommand::of(self.wasi_executable()?, CELL_ROLE);
                self.start_own(command, cell, name, limits, theirs.into(), artifact)?
            }
            CellPlace::Shared(home) => {
                self.join(cell, name, limits, home, &[theirs.as_fd(), artifact.as_fd()])?
            }
        };
        Ok((pid, ours))
    }

    fn wasi_executable(&self) -> Result<&Path, String> {
        self.wasi_executable.as_deref().ok_or_else(|| {
            "this runner has no cell for the wasi tier; start it with --wasi-cell and the file portcullis-wasi-cell"
                .to_owned()
        })
    }

    fn start_own(
        &mut self,
        command: RoleCommand,
        cell: CellId,
        name: &StrategyName,
        limits: CellLimits,
        socket: OwnedFd,
        artifact: OwnedFd,
    ) -> Result<u32, String> {
        self.check_room()?;
        let command = cell::command(command, name, &limits, socket, artifact);
        let child = Supervised::spawn(command).map_err(|error| error.to_string())?;
        let pid = child.pid();
        tracing::info!(cell = cell.0, %name, pid, "cell started");
        let home = Home::Own(cell);
        self.homes.insert(cell, home.clone());
        self.processes.insert(home, Process { child, members: BTreeSet::from([cell]), join: None });
        Ok(pid)
    }

    fn join(
        &mut self,
        cell: CellId,
        name: &StrategyName,
        limits: CellLimits,
        shared: SharedCellName,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<u32, String> {
        let home = Home::Shared(shared.clone());
        let join = Join { name: name.clone(), limits };
        // Once more in a fresh process when this one turns out to be dead or stuck.
        for _ in 0..2 {
            if !self.processes.contains_key(&home) {
                self.check_room()?;
                self.processes.insert(home.clone(), start_shared(&self.executable, &shared)?);
            }
            let Some(Process { child, members, join: Some(socket) }) = self.processes.get_mut(&home) else {
                break;
            };
            if u32::try_from(members.len()).is_ok_and(|count| count >= SHARED_STRATEGIES_MAX) {
                return Err(format!("{SHARED_STRATEGIES_MAX} strategies share cell {shared} already"));
            }
            match socket.send(&join, descriptors) {
                Ok(()) => {
                    members.insert(cell);
                    let pid = child.pid();
                    self.homes.insert(cell, home);
                    return Ok(pid);
                }
                Err(error) => {
                    tracing::warn!(cell = %shared, %error, "a shared cell takes no strategy in and is ended");
                    child.kill();
                    self.reap(&home);
                }
            }
        }
        Err(format!("cell {shared} takes no strategy in"))
    }

    fn check_room(&self) -> Result<(), String> {
        if self.processes.len() >= PROCESSES_MAX {
            return Err(format!("{PROCESSES_MAX} cells run already"));
        }
        Ok(())
    }

    /// Ends a strategy. Its process is killed and reaped when it was the last one there. In a shared cell the others go on, and what is
    /// left of it there reaches nobody: the gateway closes its end of the socket, which is how the cell learns that it may let go.
    pub(super) fn stop(&mut self, cell: CellId) {
        let Some(home) = self.homes.remove(&cell) else { return };
        let Some(process) = self.processes.get_mut(&home) else { return };
        process.members.remove(&cell);
        if process.members.is_empty() {
            self.processes.remove(&home);
        }
    }

    /// Ends a strategy and its process. The other strategies there are reported when the end is noticed.
    pub(super) fn kill(&mut self, cell: CellId) {
        if let Some(process) = self.homes.get(&cell).and_then(|home| self.processes.get_mut(home)) {
            process.child.kill();
        }
        self.stop(cell);
    }

    /// The processes, to be waited for in this order.
    pub(super) fn processes(&self) -> impl Iterator<Item = (&Home, BorrowedFd<'_>)> {
        self.processes.iter().map(|(home, process)| (home, process.child.as_fd()))
    }

    /// Notes what ended with a process that the wait found ended.
    pub(super) fn bury(&mut self, home: &Home) {
        if self.processes.get_mut(home).is_some_and(|process| process.child.has_ended()) {
            self.reap(home);
        }
    }

    fn reap(&mut self, home: &Home) {
        let Some(process) = self.processes.remove(home) else { return };
        let pid = process.child.pid();
        let status = process.child.wait();
        tracing::warn!(pid, %status, "cell ended");
        for cell in process.members {
            self.homes.remove(&cell);
            self.exits.push(CellExit { cell, status });
        }
    }

    /// The strategies that ended by themselves, or with their process, since the last time.
    pub(super) fn take_exits(&mut self) -> Vec<CellExit> {
        std::mem::take(&mut self.exits)
    }
}

fn start_shared(executable: &Path, name: &SharedCellName) -> Result<Process, String> {
    let (ours, theirs) = UnixStream::pair().map_err(|error| error.to_string())?;
    let command = RoleCommand::of(executable, CELL_ROLE);
    let child = Supervised::spawn(cell::shared_command(command, name, theirs.into()))
        .map_err(|error| error.to_string())?;
    // No greeting here: it is this very binary, even while a newer one lies on the disk.
    let socket = MessageSocket::new(ours, RUNNER_MESSAGE_BYTES_MAX);
    socket.set_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    tracing::info!(cell = %name, pid = child.pid(), "shared cell started");
    Ok(Process { child, members: BTreeSet::new(), join: Some(socket) })
}
