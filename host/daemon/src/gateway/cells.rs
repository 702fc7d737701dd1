//! The pipeline's cells, live: processes behind sockets, started by the runner.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

use portcullis_cell::{
    CellFault, CellId, CellLimits, CellLink, CellPlace, CellReply, CellRequest, CompileLimits,
    CompiledArtifact, ExitStatus, LinkError, RunnerClient, RunnerError, SealedArtifact, Setup, StartedCell,
};
use portcullis_core::{FaultCode, StrategyId, StrategyName};
use portcullis_gateway::{CellEvent, Cells, Fault, Snapshot, Trace};
use portcullis_role::MessageError;
use signal_hook::consts::{SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};

/// Longest wait for an answer. A guest is stopped at its own deadline, a second at most, in its cell; a cell that is silent for this long is
/// stuck or in other hands, and is killed before its strategy counts as left behind (RULES C1).
const ANSWER_MAX: Duration = Duration::from_secs(6);

/// The same where more is done before the answer: a process that loads its artifact, or others of its strategies first.
const LATE_ANSWER_MAX: Duration = Duration::from_secs(15);

/// Longest wait for the runner's word on how a process ended whose socket is closed.
const BURIAL: Duration = Duration::from_secs(2);

/// Everything needed to start a strategy's cell, and to start it again.
#[derive(Debug)]
pub(crate) struct CellSpec {
    pub(crate) name: StrategyName,
    pub(crate) artifact: SealedArtifact,
    pub(crate) limits: CellLimits,
    /// The process it runs in.
    pub(crate) place: CellPlace,
    pub(crate) setup: Setup,
}

/// One cell.
#[derive(Debug)]
struct Cell {
    spec: CellSpec,
    id: CellId,
    /// `None` once the process is gone.
    link: Option<CellLink>,
    pid: u32,
    /// When it was last asked something.
    asked: Instant,
    /// Whether its process has answered before.
    answered: bool,
    /// Since when its socket is closed; the runner will say how its process ended.
    closed: Option<Instant>,
    /// Whether the instance has been used: a fresh one needs no reset.
    used: bool,
    /// What is left to do before the instance is ready.
    reviving: VecDeque<Step>,
}

impl Cell {
    /// How long to wait for its answer.
    fn patience(&self) -> Duration {
        match self.spec.place {
            CellPlace::Own | CellPlace::Wasi if self.answered => ANSWER_MAX,
            CellPlace::Own | CellPlace::Wasi | CellPlace::Shared(_) => LATE_ANSWER_MAX,
        }
    }

    fn is_stuck(&self) -> bool {
        self.link.as_ref().is_some_and(CellLink::is_busy) && self.asked.elapsed() > self.patience()
    }
}

#[derive(Debug)]
enum Step {
    Reset,
    Init,
    Restore(Snapshot),
}

/// Between two attempts to find a runner.
const RUNNER_AGAIN: Duration = Duration::from_millis(250);

/// The session with the runner.
#[derive(Debug)]
enum Runner {
    Up(RunnerClient),
    /// Being connected to, on a thread of its own.
    Coming(Receiver<Result<RunnerClient, RunnerError>>),
    Gone {
        again: Instant,
    },
}

impl Runner {
    fn gone() -> Self {
        let now = Instant::now();
        Self::Gone { again: now.checked_add(RUNNER_AGAIN).unwrap_or(now) }
    }
}

/// The cells of this gateway's session with the runner.
#[derive(Debug)]
pub(crate) struct LiveCells {
    runner: Runner,
    socket: PathBuf,
    cells: BTreeMap<StrategyId, Cell>,
    events: VecDeque<(StrategyId, CellEvent)>,
    next_id: u32,
}

impl LiveCells {
    /// The cells of a new session with the runner, which listens on `socket`: none yet.
    pub(crate) fn new(runner: RunnerClient, socket: PathBuf) -> Self {
        let runner = Runner::Up(runner);
        Self { runner, socket, cells: BTreeMap::new(), events: VecDeque::new(), next_id: 0 }
    }

    /// Whether there is a runner; where there was none, looks for the next one, without waiting for it.
    pub(crate) fn find_runner(&mut self) -> bool {
        match &mut self.runner {
            Runner::Up(_) => return true,
            Runner::Coming(connecting) => match connecting.try_recv() {
                Ok(Ok(session)) => {
                    tracing::info!("a runner is there again");
                    self.runner = Runner::Up(session);
                    return true;
                }
                Err(TryRecvError::Empty) => {}
                Ok(Err(error)) => {
                    tracing::debug!(%error, "no runner yet");
                    self.runner = Runner::gone();
                }
                Err(TryRecvError::Disconnected) => self.runner = Runner::gone(),
            },
            Runner::Gone { again } if Instant::now() >= *again => {
                let (tell, connecting) = channel();
                let socket = self.socket.clone();
                // A runner that is being started greets in its own time; the pipeline does not wait for it.
                let started = std::thread::Builder::new()
                    .name("runner".to_owned())
                    .spawn(move || tell.send(RunnerClient::connect(&socket)).unwrap_or_default());
                self.runner = if started.is_ok() { Runner::Coming(connecting) } else { Runner::gone() };
            }
            Runner::Gone { .. } => {}
        }
        false
    }

    /// The runner is gone, and every cell with it: strategies come back, from their snapshots, with the next one.
    pub(crate) fn runner_lost(&mut self) {
        self.runner = Runner::gone();
        let strategies: Vec<StrategyId> = self.cells.keys().copied().collect();
        for strategy in strategies {
            self.lost(
                strategy,
                Fault::new(FaultCode::Host, "the runner ended, and the cell with it".to_owned()),
            );
        }
    }

    fn session(&mut self) -> Result<&mut RunnerClient, RunnerError> {
        match &mut self.runner {
            Runner::Up(session) => Ok(session),
            Runner::Coming(_) | Runner::Gone { .. } => Err(RunnerError::Message(MessageError::Closed)),
        }
    }

    /// Has a component compiled; one at a time. [`try_compiled`](Self::try_compiled) answers.
    pub(crate) fn begin_compile(
        &mut self,
        component: BorrowedFd<'_>,
        limits: CompileLimits,
    ) -> Result<(), RunnerError> {
        self.session()?.begin_compile(component, limits)
    }

    /// What came of the compilation, once that is known.
    pub(crate) fn try_compiled(&mut self) -> Result<Option<CompiledArtifact>, RunnerError> {
        self.session()?.try_compiled()
    }

    /// Starts a cell that belongs to no strategy yet.
    pub(crate) fn launch(
        &mut self,
        name: &StrategyName,
        limits: CellLimits,
        place: &CellPlace,
        artifact: &SealedArtifact,
    ) -> Result<(CellId, StartedCell), RunnerError> {
        let id = CellId(self.next_id);
        self.next_id = self.next_id.saturating_add(1);
        Ok((id, self.session()?.start_in(place, id, name, limits, artifact)?))
    }

    /// Ends a cell that belongs to no strategy.
    pub(crate) fn abandon(&mut self, id: CellId) {
        self.stop_process(id);
    }

    /// Has the runner end a cell's process; without a runner there is none.
    fn stop_process(&mut self, id: CellId) {
        if let Runner::Up(runner) = &mut self.runner
            && let Err(error) = runner.stop(id)
        {
            tracing::warn!(%error, "the runner did not confirm the end of a cell");
        }
    }

    /// Takes over a started cell that has described itself.
    pub(crate) fn insert(
        &mut self,
        strategy: StrategyId,
        spec: CellSpec,
        id: CellId,
        link: CellLink,
        pid: u32,
    ) {
        let cell = Cell {
            spec,
            id,
            link: Some(link),
            pid,
            asked: Instant::now(),
            answered: true,
            closed: None,
            used: false,
            reviving: VecDeque::new(),
        };
        self.cells.insert(strategy, cell);
    }

    /// Process of a strategy's cell, while there is one.
    pub(crate) fn pid(&self, strategy: StrategyId) -> Option<u32> {
        self.cells.get(&strategy).filter(|cell| cell.link.is_some()).map(|cell| cell.pid)
    }

    /// What to wait for: each cell's descriptor and whether something is still to be sent there, and the runner's.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = (BorrowedFd<'_>, bool)> {
        let open = self.cells.values().filter(|cell| cell.closed.is_none());
        let cells = open.filter_map(|cell| cell.link.as_ref());
        let runner = match &self.runner {
            Runner::Up(runner) => Some(runner.as_fd()),
            Runner::Coming(_) | Runner::Gone { .. } => None,
        };
        cells.map(|link| (link.as_fd(), link.wants_write())).chain(runner.map(|runner| (runner, false)))
    }

    /// Whether a cell is at work on something.
    pub(crate) fn awaits_answers(&self) -> bool {
        self.cells.values().any(|cell| cell.link.as_ref().is_some_and(CellLink::is_busy))
    }

    /// Notices cells that ended or do not answer, and whether the runner itself is gone: then every cell is.
    pub(crate) fn check_exits(&mut self) -> Result<(), RunnerError> {
        while let Some(exit) = self.session()?.try_exited()? {
            let Some((&strategy, cell)) = self.cells.iter().find(|(_, cell)| cell.id == exit.cell) else {
                continue;
            };
            // Nobody can tell which of those that share a process has brought it down.
            let code = if matches!(cell.spec.place, CellPlace::Shared(_)) {
                FaultCode::Host
            } else {
                end(exit.status)
            };
            let detail = format!("the cell's process ended with {}", exit.status);
            self.lost(strategy, Fault::new(code, detail));
        }
        let unburied = |cell: &Cell| cell.closed.is_some_and(|since| since.elapsed() > BURIAL);
        let unburied: Vec<StrategyId> =
            self.cells.iter().filter(|(_, cell)| unburied(cell)).map(|(strategy, _)| *strategy).collect();
        for strategy in unburied {
            self.lost(strategy, Fault::new(FaultCode::Host, "the cell closed its socket".to_owned()));
        }
        let stuck: Vec<(StrategyId, CellId, Duration)> = self
            .cells
            .iter()
            .filter(|(_, cell)| cell.is_stuck())
            .map(|(strategy, cell)| (*strategy, cell.id, cell.patience()))
            .collect();
        for (strategy, id, patience) in stuck {
            tracing::error!(?strategy, "a cell does not answer and is killed");
            self.session()?.kill(id)?;
            let detail = format!("the cell did not answer within {} s and was killed", patience.as_secs());
            self.lost(strategy, Fault::new(FaultCode::Host, detail));
        }
        Ok(())
    }

    /// The cell's process is gone, or of no further use.
    fn lost(&mut self, strategy: StrategyId, fault: Fault) {
        let Some(cell) = self.cells.get_mut(&strategy) else { return };
        if cell.link.take().is_none() {
            return;
        }
        cell.reviving.clear();
        cell.closed = None;
        let id = cell.id;
        self.stop_process(id);
        self.events.push_back((strategy, CellEvent::Fault(fault)));
    }

    fn send(&mut self, strategy: StrategyId, request: &CellRequest<'_>) {
        let Some(cell) = self.cells.get_mut(&strategy) else { return };
        let Some(link) = &mut cell.link else { return };
        cell.used = true;
        cell.asked = Instant::now();
        if let Err(error) = link.send(request) {
            self.broken(strategy, &error);
        }
    }

    /// Takes the next step of a revival.
    fn advance(&mut self, strategy: StrategyId) {
        let Some(cell) = self.cells.get_mut(&strategy) else { return };
        let Some(step) = cell.reviving.pop_front() else {
            self.events.push_back((strategy, CellEvent::Ready));
            return;
        };
        match step {
            Step::Reset => self.send(strategy, &CellRequest::Reset),
            Step::Init => {
                let setup = cell.spec.setup.clone();
                self.send(strategy, &CellRequest::Init(setup));
            }
            Step::Restore(snapshot) => {
                self.send(
                    strategy,
                    &CellRequest::Restore { version: snapshot.version, bytes: &snapshot.bytes },
                );
            }
        }
    }

    /// Starts the process again after it was lost.
    fn restart(&mut self, strategy: StrategyId) -> Result<(), RunnerError> {
        let Some(cell) = self.cells.get_mut(&strategy) else { return Ok(()) };
        let id = CellId(self.next_id);
        self.next_id = self.next_id.saturating_add(1);
        let Runner::Up(runner) = &mut self.runner else {
            return Err(RunnerError::Message(MessageError::Closed));
        };
        let CellSpec { name, artifact, limits, place, .. } = &cell.spec;
        let started = runner.start_in(place, id, name, *limits, artifact)?;
        cell.id = id;
        cell.link = Some(started.link);
        cell.pid = started.pid;
        cell.answered = false;
        cell.closed = None;
        cell.used = false;
        Ok(())
    }

    fn receive(&mut self, strategy: StrategyId) {
        let open = self.cells.get_mut(&strategy).filter(|cell| cell.closed.is_none());
        let Some(link) = open.and_then(|cell| cell.link.as_mut()) else { return };
        if link.wants_write()
            && let Err(error) = link.flush()
        {
            return self.broken(strategy, &error);
        }
        match link.try_receive() {
            Ok(None) => {}
            Ok(Some(reply)) => {
                if let Some(cell) = self.cells.get_mut(&strategy) {
                    cell.answered = true;
                }
                self.take(strategy, reply);
            }
            Err(error) => self.broken(strategy, &error),
        }
    }

    /// A link that broke: a dead process, or a cell that does not keep the protocol and must not go on.
    fn broken(&mut self, strategy: StrategyId, error: &LinkError) {
        let code = match error {
            LinkError::Message(MessageError::Closed) => {
                if let Some(cell) = self.cells.get_mut(&strategy) {
                    cell.closed.get_or_insert_with(Instant::now);
                }
                return;
            }
            LinkError::Message(MessageError::Io(_) | MessageError::Greeting(_)) | LinkError::Busy => {
                FaultCode::Host
            }
            // The cell's own code does not say such things.
            LinkError::Message(MessageError::TooLong { .. } | MessageError::Malformed(_))
            | LinkError::OutOfTurn => FaultCode::Protocol,
        };
        self.lost(strategy, Fault::new(code, error.to_string()));
    }

    fn take(&mut self, strategy: StrategyId, reply: CellReply) {
        let refused = |code, detail: String| CellEvent::Fault(Fault::new(code, detail));
        let event = match reply {
            CellReply::Ready => return self.advance(strategy),
            CellReply::Outcome(answer) => CellEvent::Outcome { outcome: answer.outcome, fuel: answer.fuel },
            CellReply::Snapshot(snapshot) => {
                CellEvent::Snapshot(Snapshot { version: snapshot.version, bytes: snapshot.bytes })
            }
            CellReply::InitRefused(refusal) => refused(FaultCode::Init, refusal.to_string()),
            CellReply::RestoreRefused(refusal) => refused(FaultCode::Restore, refusal.to_string()),
            CellReply::Fault(fault) => CellEvent::Fault(describe(fault)),
            // Only asked for before the pipeline has the cell.
            CellReply::Described(_) => return,
        };
        if matches!(event, CellEvent::Fault(_))
            && let Some(cell) = self.cells.get_mut(&strategy)
        {
            cell.reviving.clear();
        }
        self.events.push_back((strategy, event));
    }
}

impl Cells for LiveCells {
    fn frame(&mut self, strategy: StrategyId, frame: &[u8]) {
        self.send(strategy, &CellRequest::Frame(frame));
    }

    fn snapshot(&mut self, strategy: StrategyId) {
        self.send(strategy, &CellRequest::Snapshot);
    }

    fn revive(&mut self, strategy: StrategyId, snapshot: Option<&Snapshot>) {
        if self.cells.get(&strategy).is_some_and(|cell| cell.link.is_none())
            && let Err(error) = self.restart(strategy)
        {
            // Only a cell that the runner could not start says something of the strategy.
            let code =
                if matches!(error, RunnerError::StartFailed(_)) { FaultCode::Start } else { FaultCode::Host };
            let fault = Fault::new(code, error.to_string());
            return self.events.push_back((strategy, CellEvent::Fault(fault)));
        }
        let Some(cell) = self.cells.get_mut(&strategy) else { return };
        cell.reviving.clear();
        if cell.used {
            cell.reviving.push_back(Step::Reset);
        }
        cell.reviving.push_back(Step::Init);
        cell.reviving.extend(snapshot.cloned().map(Step::Restore));
        self.advance(strategy);
    }

    fn stop(&mut self, strategy: StrategyId) {
        if let Some(cell) = self.cells.remove(&strategy)
            && cell.link.is_some()
        {
            self.stop_process(cell.id);
        }
        self.events.retain(|(of, _)| *of != strategy);
    }

    fn poll(&mut self) -> Option<(StrategyId, CellEvent)> {
        if self.events.is_empty() {
            let strategies: Vec<StrategyId> = self.cells.keys().copied().collect();
            for strategy in strategies {
                self.receive(strategy);
            }
        }
        self.events.pop_front()
    }
}

/// A cell's fault in the words of the journal.
fn describe(fault: CellFault) -> Fault {
    let code = fault.kind.code();
    let CellFault { detail, backtrace, fuel_charged, memory, .. } = fault;
    let (memory_bytes, memory_asked_bytes) = (memory.bytes, memory.asked_bytes);
    Fault { code, detail, trace: Trace { backtrace, fuel_charged, memory_bytes, memory_asked_bytes } }
}

/// What the end of a cell's process means. Nothing but the strategy's code in it makes a forbidden call or an invalid access; anything
/// else is the doing of the host or its operator.
fn end(status: ExitStatus) -> FaultCode {
    const CRASHES: [i32; 6] = [SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP];
    match status {
        ExitStatus::Signal(signal) if CRASHES.contains(&signal) => FaultCode::Crash,
        ExitStatus::Signal(_) | ExitStatus::Code(_) => FaultCode::Host,
    }
}
