//! The gateway's side: the runner it asks for compilations and cells, and its link to each cell.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use portcullis_core::StrategyName;
use portcullis_role::{MessageError, MessageLink, MessageSocket, Party, check_peer, sealed_memory_file};
use rustix::event::{PollFd, PollFlags, Timespec};

use crate::protocol::{
    CELL_PROTOCOL, CELL_REPLY_BYTES_MAX, CellExit, CellId, CellLimits, CellPlace, CellReply, CellRequest,
    CompileLimits, RUNNER_MESSAGE_BYTES_MAX, RUNNER_PROTOCOL, RunnerMessage, RunnerRequest,
};
use crate::{Artifact, ArtifactError, CompiledArtifact, SealedArtifact, component_digest};

/// Longest wait for anything but a compilation.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the runner could not help.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// No runner listens, or it belongs to somebody else.
    #[error("the runner's socket: {0}")]
    Connect(#[source] std::io::Error),
    /// The session is over; all its cells are dead.
    #[error("the runner: {0}")]
    Message(#[from] MessageError),
    /// An answer to another question, or without its descriptor. The session is of no further use.
    #[error("the runner answered out of turn")]
    OutOfTurn,
    /// A second compilation before the first was answered: the caller's mistake, and nothing was sent.
    #[error("a compilation is under way")]
    Compiling,
    /// The component does not compile, or not within its limits, and would not if it was tried again.
    #[error("{0}")]
    CompileFailed(String),
    /// The compilation came to nothing for a reason that is not the component's: it may be tried again.
    #[error("{0}; try again")]
    CompileInterrupted(String),
    /// The cell does not run.
    #[error("{0}")]
    StartFailed(String),
    /// The runner's artifact is not of this component and engine.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}

/// The gateway's session with the runner. While it lives, its cells live; dropping it ends them all.
#[derive(Debug)]
pub struct RunnerClient {
    socket: MessageSocket,
    /// Exits that were reported while another answer was awaited.
    exits: VecDeque<CellExit>,
    compilation: Compilation,
}

/// The one compilation that may be under way.
#[derive(Debug)]
enum Compilation {
    None,
    /// Not answered yet.
    UnderWay,
    /// Answered while something else was awaited.
    Answered(Result<CompiledArtifact, (bool, String)>),
}

/// A cell that has been started.
#[derive(Debug)]
pub struct StartedCell {
    /// Its process.
    pub pid: u32,
    /// The link to it.
    pub link: CellLink,
}

impl RunnerClient {
    /// Opens the session. A runner serves one at a time: a second one waits here to be greeted, and gives up after ten seconds.
    ///
    /// # Errors
    ///
    /// [`RunnerError::Connect`], and [`MessageError::Greeting`] when the runner is of another release.
    pub fn connect(path: &Path) -> Result<Self, RunnerError> {
        let stream = UnixStream::connect(path).map_err(RunnerError::Connect)?;
        check_peer(&stream).map_err(RunnerError::Connect)?;
        let mut socket = MessageSocket::new(stream, RUNNER_MESSAGE_BYTES_MAX);
        socket.set_timeout(Some(PATIENCE)).map_err(MessageError::from)?;
        socket.greet(&Party { protocol: RUNNER_PROTOCOL, us: "gateway", them: "runner" })?;
        Ok(Self { socket, exits: VecDeque::new(), compilation: Compilation::None })
    }

    /// Has a component compiled in a process of its own. `component` is a sealed memory file. The answer is for
    /// [`try_compiled`](Self::try_compiled); cells can be started and stopped meanwhile.
    ///
    /// # Errors
    ///
    /// [`RunnerError::Compiling`] with nothing sent; otherwise the session is over.
    pub fn begin_compile(
        &mut self,
        component: BorrowedFd<'_>,
        limits: CompileLimits,
    ) -> Result<(), RunnerError> {
        if !matches!(self.compilation, Compilation::None) {
            return Err(RunnerError::Compiling);
        }
        self.socket.set_timeout(Some(PATIENCE)).map_err(MessageError::from)?;
        self.socket.send(&RunnerRequest::Compile(limits), &[component])?;
        self.compilation = Compilation::UnderWay;
        Ok(())
    }

    /// What came of the compilation, once that is known. Does not wait for it; poll the descriptor for readability.
    ///
    /// # Errors
    ///
    /// [`RunnerError::CompileFailed`] and [`RunnerError::CompileInterrupted`] leave the session good.
    pub fn try_compiled(&mut self) -> Result<Option<CompiledArtifact>, RunnerError> {
        if matches!(self.compilation, Compilation::UnderWay) {
            self.take_arrived()?;
        }
        match std::mem::replace(&mut self.compilation, Compilation::None) {
            Compilation::Answered(answer) => answer.map(Some).map_err(|(lasting, detail)| {
                if lasting {
                    RunnerError::CompileFailed(detail)
                } else {
                    RunnerError::CompileInterrupted(detail)
                }
            }),
            pending @ (Compilation::None | Compilation::UnderWay) => {
                self.compilation = pending;
                Ok(None)
            }
        }
    }

    /// Has a component compiled, and waits for it.
    ///
    /// # Errors
    ///
    /// [`RunnerError::CompileFailed`] and [`RunnerError::CompileInterrupted`] leave the session good.
    pub fn compile(&mut self, component: &[u8], limits: CompileLimits) -> Result<Artifact, RunnerError> {
        let file = sealed_memory_file("component", component).map_err(ArtifactError::from)?;
        self.begin_compile(file.as_fd(), limits)?;
        let wall = Duration::from_secs(limits.wall_s.into()).saturating_add(PATIENCE);
        self.socket.set_timeout(Some(wall)).map_err(MessageError::from)?;
        loop {
            if let Some(compiled) = self.try_compiled()? {
                return Ok(compiled.receive(component_digest(component))?);
            }
            let (message, descriptor) = self.receive()?;
            if self.aside(message, descriptor)?.is_some() {
                return Err(RunnerError::OutOfTurn);
            }
        }
    }

    /// Starts a cell on an artifact, in a process of its own. It answers its first request once it has loaded the artifact.
    ///
    /// # Errors
    ///
    /// [`RunnerError::StartFailed`] leaves the session good.
    pub fn start(
        &mut self,
        cell: CellId,
        name: &StrategyName,
        limits: CellLimits,
        artifact: &SealedArtifact,
    ) -> Result<StartedCell, RunnerError> {
        self.start_in(&CellPlace::Own, cell, name, limits, artifact)
    }

    /// The same in the process that `place` names.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_in(
        &mut self,
        place: &CellPlace,
        cell: CellId,
        name: &StrategyName,
        limits: CellLimits,
        artifact: &SealedArtifact,
    ) -> Result<StartedCell, RunnerError> {
        let request = RunnerRequest::Start { cell, name: name.clone(), limits, place: place.clone() };
        match self.call(&request, &[artifact.as_fd()])? {
            (RunnerMessage::Started { cell: started, pid }, Some(socket)) if started == cell => {
                Ok(StartedCell { pid, link: CellLink::new(socket) })
            }
            (RunnerMessage::StartFailed { cell: failed, detail }, None) if failed == cell => {
                Err(RunnerError::StartFailed(detail))
            }
            _ => Err(RunnerError::OutOfTurn),
        }
    }

    /// Ends a cell; one that is gone already is as good. One in a shared process is let go once its link is dropped.
    ///
    /// # Errors
    ///
    /// When the session is over, and the cell with it.
    pub fn stop(&mut self, cell: CellId) -> Result<(), RunnerError> {
        self.end(cell, &RunnerRequest::Stop { cell })
    }

    /// Kills the process of a cell that does not answer. Whoever shares it is reported by [`try_exited`](Self::try_exited).
    ///
    /// # Errors
    ///
    /// As [`stop`](Self::stop).
    pub fn kill(&mut self, cell: CellId) -> Result<(), RunnerError> {
        self.end(cell, &RunnerRequest::Kill { cell })
    }

    fn end(&mut self, cell: CellId, request: &RunnerRequest) -> Result<(), RunnerError> {
        match self.call(request, &[])? {
            (RunnerMessage::Stopped { cell: stopped }, None) if stopped == cell => {
                self.exits.retain(|exit| exit.cell != cell);
                Ok(())
            }
            _ => Err(RunnerError::OutOfTurn),
        }
    }

    /// The next cell that ended by itself, if there is one. Does not wait for one; poll the descriptor for readability.
    ///
    /// # Errors
    ///
    /// When the session is over, and all cells with it.
    pub fn try_exited(&mut self) -> Result<Option<CellExit>, RunnerError> {
        if self.exits.is_empty() {
            self.take_arrived()?;
        }
        Ok(self.exits.pop_front())
    }

    fn call(
        &mut self,
        request: &RunnerRequest,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(RunnerMessage, Option<OwnedFd>), RunnerError> {
        self.socket.set_timeout(Some(PATIENCE)).map_err(MessageError::from)?;
        self.socket.send(request, descriptors)?;
        loop {
            let (message, descriptor) = self.receive()?;
            if let Some(answer) = self.aside(message, descriptor)? {
                return Ok(answer);
            }
        }
    }

    /// Takes the messages that are here, none of which may be the answer to a call: no call is under way.
    fn take_arrived(&mut self) -> Result<(), RunnerError> {
        loop {
            let mut ready = [PollFd::new(&self.socket, PollFlags::IN)];
            match rustix::event::poll(&mut ready, Some(&Timespec::default())) {
                Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(()),
                Ok(_) => {}
                Err(errno) => return Err(MessageError::from(errno).into()),
            }
            self.socket.set_timeout(Some(PATIENCE)).map_err(MessageError::from)?;
            let (message, descriptor) = self.receive()?;
            if self.aside(message, descriptor)?.is_some() {
                return Err(RunnerError::OutOfTurn);
            }
        }
    }

    fn receive(&mut self) -> Result<(RunnerMessage, Option<OwnedFd>), RunnerError> {
        let (message, mut descriptors): (RunnerMessage, Vec<OwnedFd>) = self.socket.receive()?;
        if descriptors.len() > 1 {
            return Err(RunnerError::OutOfTurn);
        }
        Ok((message, descriptors.pop()))
    }

    /// Puts aside what no call waits for: a cell's exit, and the answer to a compilation. Gives anything else back.
    fn aside(
        &mut self,
        message: RunnerMessage,
        descriptor: Option<OwnedFd>,
    ) -> Result<Option<(RunnerMessage, Option<OwnedFd>)>, RunnerError> {
        let awaited = matches!(self.compilation, Compilation::UnderWay);
        match (message, descriptor) {
            (RunnerMessage::Exited(exit), None) => self.exits.push_back(exit),
            (RunnerMessage::Compiled { engine }, Some(file)) if awaited => {
                self.compilation = Compilation::Answered(Ok(CompiledArtifact { file, engine }));
            }
            (RunnerMessage::CompileFailed { lasting, detail }, None) if awaited => {
                self.compilation = Compilation::Answered(Err((lasting, detail)));
            }
            (
                RunnerMessage::Exited(_)
                | RunnerMessage::Compiled { .. }
                | RunnerMessage::CompileFailed { .. },
                _,
            ) => return Err(RunnerError::OutOfTurn),
            (
                answer @ (RunnerMessage::Started { .. }
                | RunnerMessage::StartFailed { .. }
                | RunnerMessage::Stopped { .. }),
                descriptor,
            ) => return Ok(Some((answer, descriptor))),
        }
        Ok(None)
    }
}

impl AsFd for RunnerClient {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Why a cell's link is of no further use.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The cell is gone, or sent what is no reply.
    #[error("the cell: {0}")]
    Message(#[from] MessageError),
    /// A second request before the first was answered: the gateway's mistake, and nothing was sent.
    #[error("the cell has not answered the last request yet")]
    Busy,
    /// A reply that nobody asked for, or of a kind that does not answer the request.
    #[error("the cell answered out of turn")]
    OutOfTurn,
}

/// The gateway's link to one cell. No call waits (RULES C1); one request is outstanding at most.
#[derive(Debug)]
pub struct CellLink {
    link: MessageLink,
    awaited: Option<Awaited>,
}

/// The kind of reply that answers the outstanding request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Described,
    Initialised,
    Outcome,
    Snapshot,
    Restored,
    Reset,
}

impl CellLink {
    /// A link over the gateway's end of a cell's socket.
    pub fn new(socket: OwnedFd) -> Self {
        let party = Party { protocol: CELL_PROTOCOL, us: "gateway", them: "cell" };
        Self { link: MessageLink::greeting(socket, CELL_REPLY_BYTES_MAX, party), awaited: None }
    }

    /// Sends a request, as far as the socket takes it.
    ///
    /// # Errors
    ///
    /// [`LinkError::Busy`] with nothing sent; otherwise the cell is gone.
    pub fn send(&mut self, request: &CellRequest<'_>) -> Result<(), LinkError> {
        if self.awaited.is_some() {
            return Err(LinkError::Busy);
        }
        self.link.try_send(request)?;
        self.awaited = Some(match request {
            CellRequest::Describe => Awaited::Described,
            CellRequest::Init(_) => Awaited::Initialised,
            CellRequest::Frame(_) => Awaited::Outcome,
            CellRequest::Snapshot => Awaited::Snapshot,
            CellRequest::Restore { .. } => Awaited::Restored,
            CellRequest::Reset => Awaited::Reset,
        });
        Ok(())
    }

    /// Whether a request awaits its reply.
    pub fn is_busy(&self) -> bool {
        self.awaited.is_some()
    }

    /// Whether a part of the request is still to be sent: poll for writability too, then call [`flush`](Self::flush).
    pub fn wants_write(&self) -> bool {
        self.link.wants_write()
    }

    /// Sends what the socket takes of the rest.
    ///
    /// # Errors
    ///
    /// When the cell is gone.
    pub fn flush(&mut self) -> Result<(), LinkError> {
        Ok(self.link.flush()?)
    }

    /// The reply, if it is here.
    ///
    /// # Errors
    ///
    /// When the cell is gone, or its bytes are not the reply to the request: such a cell is to be stopped.
    pub fn try_receive(&mut self) -> Result<Option<CellReply>, LinkError> {
        let Some(reply) = self.link.try_receive::<CellReply>()? else { return Ok(None) };
        let in_turn = match (self.awaited.take(), &reply) {
            (None, _) => false,
            (Some(_), CellReply::Fault(_)) => true,
            (Some(awaited), CellReply::Described(_)) => awaited == Awaited::Described,
            (Some(awaited), CellReply::Ready) => {
                matches!(awaited, Awaited::Initialised | Awaited::Restored | Awaited::Reset)
            }
            (Some(awaited), CellReply::InitRefused(_)) => awaited == Awaited::Initialised,
            (Some(awaited), CellReply::RestoreRefused(_)) => awaited == Awaited::Restored,
            (Some(awaited), CellReply::Outcome(_)) => awaited == Awaited::Outcome,
            (Some(awaited), CellReply::Snapshot(_)) => awaited == Awaited::Snapshot,
        };
        if in_turn { Ok(Some(reply)) } else { Err(LinkError::OutOfTurn) }
    }
}

impl AsFd for CellLink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }
}
