//! One gateway session: a loop over its socket and its children.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use portcullis_role::{
    MemoryFileError, MessageError, MessageSocket, Party, RoleCommand, create_memory_file, read_sealed, seal,
};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::Signal;

use super::cells::{Home, RunningCells};
use super::children::{Compilation, Supervised};
use crate::protocol::{
    CompileLimits, ExitStatus, RUNNER_MESSAGE_BYTES_MAX, RUNNER_PROTOCOL, RunnerMessage, RunnerRequest,
};
use crate::roles::compile::REASON_BYTES_MAX;
use crate::roles::{COMPILE_ROLE, RoleError, RunnerConfig, compile};
use crate::{ARTIFACT_BYTES_MAX, Artifact};

/// Longest a gateway may take over one message, once it has begun; a half message holds every cell's exit report up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Signals that the system or its operator sends whatever a process does.
const DONE_TO_ANYBODY: [Signal; 5] = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];

pub(super) struct Session {
    gateway: MessageSocket,
    executable: PathBuf,
    cells: RunningCells,
    compilation: Option<Compilation>,
}

/// What happened while the session waited.
#[derive(Default)]
struct Wakeup {
    message: bool,
    compiled: bool,
    ended: Vec<Home>,
}

impl Session {
    /// Opens the session with a gateway of this release.
    pub(super) fn open(stream: UnixStream, config: &RunnerConfig) -> Result<Self, RoleError> {
        let mut gateway = MessageSocket::new(stream, RUNNER_MESSAGE_BYTES_MAX);
        gateway.set_timeout(Some(PATIENCE)).map_err(RoleError::system("set a timeout"))?;
        gateway.greet(&Party { protocol: RUNNER_PROTOCOL, us: "runner", them: "gateway" })?;
        let executable = config.executable.clone();
        let cells = RunningCells::new(executable.clone(), config.wasi_executable.clone());
        Ok(Self { gateway, executable, cells, compilation: None })
    }

    /// Serves until the gateway is gone. The children go with the session.
    pub(super) fn run(mut self) -> Result<(), RoleError> {
        loop {
            let wakeup = self.wait().map_err(RoleError::system("poll"))?;
            let served = self.handle(&wakeup);
            match served {
                Err(MessageError::Closed) => return Ok(()),
                other => other?,
            }
        }
    }

    fn handle(&mut self, wakeup: &Wakeup) -> Result<(), MessageError> {
        for home in &wakeup.ended {
            self.cells.bury(home);
        }
        self.tell_exits()?;
        if wakeup.compiled || self.compilation.as_ref().is_some_and(|running| running.time_left().is_zero()) {
            self.finish_compilation()?;
        }
        if wakeup.message {
            let (request, descriptors) = self.gateway.receive()?;
            self.serve(request, descriptors)?;
        }
        Ok(())
    }

    fn wait(&self) -> io::Result<Wakeup> {
        let mut ready = vec![PollFd::new(&self.gateway, PollFlags::IN)];
        ready.extend(
            self.cells.processes().map(|(_, process)| PollFd::from_borrowed_fd(process, PollFlags::IN)),
        );
        // Last, because there may be none.
        ready.extend(self.compilation.as_ref().map(|running| PollFd::new(&running.child, PollFlags::IN)));
        let timeout =
            self.compilation.as_ref().and_then(|running| Timespec::try_from(running.time_left()).ok());
        match rustix::event::poll(&mut ready, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Wakeup::default()),
            Err(errno) => return Err(errno.into()),
        }
        let mut ready = ready.into_iter().map(|descriptor| !descriptor.revents().is_empty());
        let message = ready.next().unwrap_or_default();
        let ended = self
            .cells
            .processes()
            .zip(ready.by_ref())
            .filter(|(_, ended)| *ended)
            .map(|((home, _), _)| home.clone())
            .collect();
        Ok(Wakeup { message, ended, compiled: ready.next().unwrap_or_default() })
    }

    fn serve(&mut self, request: RunnerRequest, descriptors: Vec<OwnedFd>) -> Result<(), MessageError> {
        match request {
            RunnerRequest::Compile(limits) => match self.begin_compilation(limits, descriptors) {
                // The answer follows when the child has ended.
                Ok(running) => {
                    self.compilation = Some(running);
                    Ok(())
                }
                Err(detail) => self.tell(&RunnerMessage::compile_failed(false, detail), &[]),
            },
            RunnerRequest::Start { cell, name, limits, place } => {
                let started = only(descriptors)
                    .and_then(|artifact| self.cells.start(cell, &name, limits, place, artifact));
                self.tell_exits()?;
                match started {
                    Ok((pid, socket)) => {
                        tracing::debug!(cell = cell.0, %name, pid, "strategy started");
                        self.gateway.send(&RunnerMessage::Started { cell, pid }, &[socket.as_fd()])
                    }
                    Err(detail) => self.tell(&RunnerMessage::start_failed(cell, detail), &[]),
                }
            }
            RunnerRequest::Stop { cell } => {
                self.cells.stop(cell);
                self.tell(&RunnerMessage::Stopped { cell }, &[])
            }
            RunnerRequest::Kill { cell } => {
                self.cells.kill(cell);
                self.tell(&RunnerMessage::Stopped { cell }, &[])
            }
        }
    }

    fn begin_compilation(
        &self,
        limits: CompileLimits,
        descriptors: Vec<OwnedFd>,
    ) -> Result<Compilation, String> {
        let component = only(descriptors)?;
        if self.compilation.is_some() {
            return Err("a compilation is under way".to_owned());
        }
        let output = create_memory_file("artifact").map_err(|error| error.to_string())?;
        let theirs = output.try_clone().map_err(|error| error.to_string())?;
        let command = RoleCommand::of(&self.executable, COMPILE_ROLE);
        let command = compile::command(command, limits, component, theirs);
        let child = Supervised::spawn(command).map_err(|error| error.to_string())?;
        Ok(Compilation::new(child, output, limits.wall_s))
    }

    fn finish_compilation(&mut self) -> Result<(), MessageError> {
        let Some(mut running) = self.compilation.take() else { return Ok(()) };
        let status = running.child.status();
        // Kills it if it still runs, so that nobody but us holds the output.
        drop(running.child);
        match conclude(status, running.output) {
            Ok(artifact) => {
                let engine = artifact.engine();
                match artifact.seal() {
                    Ok(file) => self.tell(&RunnerMessage::Compiled { engine }, &[file.as_fd()]),
                    Err(error) => self.tell(&RunnerMessage::compile_failed(false, error.to_string()), &[]),
                }
            }
            Err((lasting, detail)) => self.tell(&RunnerMessage::compile_failed(lasting, detail), &[]),
        }
    }

    /// Reports the cells that ended by themselves.
    fn tell_exits(&mut self) -> Result<(), MessageError> {
        for exit in self.cells.take_exits() {
            self.tell(&RunnerMessage::Exited(exit), &[])?;
        }
        Ok(())
    }

    fn tell(&mut self, message: &RunnerMessage, descriptors: &[BorrowedFd<'_>]) -> Result<(), MessageError> {
        self.gateway.send(message, descriptors)
    }
}

/// The one descriptor that came with a request.
fn only(descriptors: Vec<OwnedFd>) -> Result<OwnedFd, String> {
    let [descriptor] = <[OwnedFd; 1]>::try_from(descriptors)
        .map_err(|all| format!("{} descriptors came with a request that takes one", all.len()))?;
    Ok(descriptor)
}

/// The artifact a compiler has left; or whether it would fail again, and why there is none.
fn conclude(status: Option<ExitStatus>, output: OwnedFd) -> Result<Artifact, (bool, String)> {
    // Processor time is what a component is held to; a machine that is busy otherwise is not its fault.
    let status = status.ok_or_else(|| (false, "the compiler did not come to an end in time".to_owned()))?;
    seal(output.as_fd()).map_err(|error| (false, error.to_string()))?;
    match status {
        ExitStatus::Code(0) => Artifact::receive(output).map_err(|error| (false, error.to_string())),
        ExitStatus::Code(_) | ExitStatus::Signal(_) => Err(reason(status, output)),
    }
}

fn reason(status: ExitStatus, output: OwnedFd) -> (bool, String) {
    let bound = u64::try_from(REASON_BYTES_MAX).unwrap_or(ARTIFACT_BYTES_MAX);
    match read_sealed(output, bound) {
        Ok(bytes) if !bytes.is_empty() => {
            (matches!(status, ExitStatus::Code(_)), String::from_utf8_lossy(&bytes).into_owned())
        }
        Ok(_) | Err(MemoryFileError::TooLong { .. }) => match status {
            // A signal is the kernel's word on a limit: processor time, memory (the allocator gives up) or output.
            ExitStatus::Signal(signal) if !DONE_TO_ANYBODY.iter().any(|one| one.as_raw() == signal) => {
                (true, format!("the compiler ended with {status}, beyond its limits"))
            }
            ExitStatus::Signal(_) | ExitStatus::Code(_) => {
                (false, format!("the compiler ended with {status}"))
            }
        },
        Err(error) => (false, error.to_string()),
    }
}
