//! The roles as real processes. This binary is the roles too: started the way roles are, it is one; otherwise it runs the
//! tests.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod common;

use std::ffi::{OsStr, OsString};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode};
use std::time::{Duration, Instant};

use common::{IDLE, LIMITS, Source, artifact, component, frame, setup};
use libtest_mimic::{Arguments, Failed, Trial};
use portcullis_cell::{
    Artifact, CELL_PROTOCOL, CELL_ROLE, COMPILE_ROLE, CellExit, CellId, CellLimits, CellLink, CellPlace,
    CellReply, CellRequest, CompileLimits, ExitStatus, FaultKind, FrameOutcome, LinkError, RUNNER_PROTOCOL,
    RUNNER_ROLE, RunnerClient, RunnerConfig, RunnerError, StartedCell, cell_role, compile_role,
    component_digest, runner_role,
};
use portcullis_core::StrategyName;
use portcullis_role::{MessageError, MessageLink, Party, Protocol, RoleCommand, sealed_memory_file};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    // The name a role is started under; a filter of the harness may well be called `cell`.
    if arguments.next().as_deref() != Some(OsStr::new("portcullis")) {
        return libtest_mimic::run(&Arguments::from_args(), trials()).exit_code();
    }
    let role = arguments.next().unwrap();
    let arguments: Vec<OsString> = arguments.collect();
    let ended = match role.to_str() {
        Some(CELL_ROLE) => cell_role(&arguments),
        Some(COMPILE_ROLE) => compile_role(&arguments),
        Some(RUNNER_ROLE) => {
            let config = RunnerConfig {
                socket: PathBuf::from(&arguments[0]),
                handed_over: false,
                executable: "/proc/self/exe".into(),
                wasi_executable: None,
                require_sandbox: false,
            };
            runner_role(&config)
        }
        _ => panic!("{role:?} is no role"),
    };
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn trials() -> Vec<Trial> {
    macro_rules! trials {
        ($($name:ident),* $(,)?) => {
            vec![$(Trial::test(stringify!($name), || { $name(); Ok::<(), Failed>(()) })),*]
        };
    }
    trials![
        two_cell_processes_answer_byte_for_byte_alike,
        the_runner_compiles_what_a_compiler_here_compiles,
        a_component_that_does_not_compile_is_refused_with_its_reason,
        a_compiler_beyond_its_limits_is_ended,
        cells_start_and_stop_while_a_compilation_runs,
        a_faulted_cell_answers_only_a_reset,
        a_cell_reports_a_program_it_cannot_load,
        requests_out_of_turn_are_refused,
        a_cell_that_dies_is_reported,
        a_stopped_cell_is_gone_and_not_reported,
        cells_end_with_the_session_and_the_next_session_is_served,
        cells_end_with_a_runner_that_is_killed,
        one_request_at_a_time,
        a_reply_nobody_asked_for_ends_the_link,
        a_cell_is_small,
        strategies_share_a_process_and_nothing_else,
        others_join_and_leave_a_shared_cell,
        without_a_name_every_strategy_has_its_own_process,
        a_shared_process_that_dies_is_reported_for_each_and_started_anew,
        a_stuck_process_is_killed_with_all_that_share_it,
        a_runner_of_another_release_is_refused,
        a_gateway_of_another_release_is_refused_and_the_next_one_served,
    ]
}

/// The cell's end of a link.
const CELL: Party = Party { protocol: CELL_PROTOCOL, us: "cell", them: "gateway" };

/// A runner process with a session.
struct Fixture {
    _directory: tempfile::TempDir,
    socket: PathBuf,
    process: Child,
    /// `None` while there is no session.
    runner: Option<RunnerClient>,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("runner.sock");
        let process = RoleCommand::new(RUNNER_ROLE).argument(&socket).spawn().unwrap();
        let runner = Some(connect(&socket));
        Self { _directory: directory, socket, process, runner }
    }

    fn runner(&mut self) -> &mut RunnerClient {
        self.runner.as_mut().unwrap()
    }

    /// Starts a cell in the process called `shared`.
    fn start_shared(&mut self, shared: &str, cell: u32, source: &Source, limits: CellLimits) -> StartedCell {
        let shared = CellPlace::Shared(shared.parse().unwrap());
        let artifact = artifact(source).seal().unwrap();
        self.runner().start_in(&shared, CellId(cell), &name(), limits, &artifact).unwrap()
    }

    fn start(&mut self, cell: u32, source: &Source, limits: CellLimits) -> StartedCell {
        self.start_artifact(cell, &artifact(source), limits)
    }

    fn start_artifact(&mut self, cell: u32, artifact: &Artifact, limits: CellLimits) -> StartedCell {
        self.runner().start(CellId(cell), &name(), limits, &artifact.seal().unwrap()).unwrap()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _already_dead = self.process.kill();
        self.process.wait().unwrap();
    }
}

fn connect(socket: &Path) -> RunnerClient {
    eventually("the runner listens", || RunnerClient::connect(socket).ok())
}

fn name() -> StrategyName {
    "test-guest".parse().unwrap()
}

/// Tries until something is there; panics after a time no healthy machine needs.
fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn ask(cell: &mut StartedCell, request: &CellRequest<'_>) -> CellReply {
    cell.link.send(request).unwrap();
    await_reply(&mut cell.link).unwrap()
}

fn await_reply(link: &mut CellLink) -> Result<CellReply, LinkError> {
    eventually("a reply", || {
        if link.wants_write()
            && let Err(error) = link.flush()
        {
            return Some(Err(error));
        }
        link.try_receive().transpose()
    })
}

fn is_alive(pid: u32) -> bool {
    // A zombie is dead, it has only not been buried.
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn two_cell_processes_answer_byte_for_byte_alike() {
    let mut fixture = Fixture::new();
    let artifact = artifact(&Source::default());
    let mut runs = Vec::new();
    for cell in 0..2 {
        let mut cell = fixture.start_artifact(cell, &artifact, LIMITS);
        assert_eq!(ask(&mut cell, &CellRequest::Init(setup())), CellReply::Ready);
        let mut bytes = Vec::new();
        for records in [1, 3, 64, 300] {
            let reply = ask(&mut cell, &CellRequest::Frame(&frame(records)));
            assert!(matches!(reply, CellReply::Outcome(_)), "{reply:?}");
            bytes.extend(postcard::to_allocvec(&reply).unwrap());
        }
        runs.push(bytes);
    }
    assert_eq!(runs[0], runs[1]);
}

fn the_runner_compiles_what_a_compiler_here_compiles() {
    let mut fixture = Fixture::new();
    let bytes = component(&Source::default());
    let compiled = fixture.runner().compile(&bytes, CompileLimits::NATIVE).unwrap();
    assert_eq!(compiled, artifact(&Source::default()));
    let mut cell = fixture.start_artifact(1, &compiled, LIMITS);
    assert!(matches!(ask(&mut cell, &CellRequest::Describe), CellReply::Described(_)));
}

fn a_component_that_does_not_compile_is_refused_with_its_reason() {
    let mut fixture = Fixture::new();
    let Err(RunnerError::CompileFailed(reason)) =
        fixture.runner().compile(b"\0asm nonsense", CompileLimits::NATIVE)
    else {
        panic!("nonsense was compiled");
    };
    assert!(reason.contains("does not compile"), "{reason}");
    // The session is still good.
    fixture.runner().compile(&component(&Source::default()), CompileLimits::NATIVE).unwrap();
}

fn a_compiler_beyond_its_limits_is_ended() {
    let mut fixture = Fixture::new();
    let bytes = component(&Source::default());
    let little = CompileLimits { memory_bytes_max: 1 << 20, cpu_s: 1, wall_s: 30 };
    let refused = fixture.runner().compile(&bytes, little);
    assert!(matches!(refused, Err(RunnerError::CompileFailed(_))), "{refused:?}");
    fixture.runner().compile(&bytes, CompileLimits::NATIVE).unwrap();
}

fn cells_start_and_stop_while_a_compilation_runs() {
    let mut fixture = Fixture::new();
    let sealed = sealed_memory_file("component", &component(&Source::default())).unwrap();
    fixture.runner().begin_compile(sealed.as_fd(), CompileLimits::NATIVE).unwrap();
    let second = fixture.runner().begin_compile(sealed.as_fd(), CompileLimits::NATIVE);
    assert!(matches!(second, Err(RunnerError::Compiling)), "{second:?}");
    // The answer may come in the middle of these calls, and is kept until it is asked for.
    for cell in 0..4 {
        let mut started = fixture.start(cell, &Source::default(), LIMITS);
        assert!(matches!(ask(&mut started, &CellRequest::Describe), CellReply::Described(_)));
        fixture.runner().stop(CellId(cell)).unwrap();
    }
    let compiled = eventually("the compilation", || fixture.runner().try_compiled().unwrap());
    let other = component_digest(b"another component");
    assert!(compiled.receive(other).is_err());
    assert!(fixture.runner().try_compiled().unwrap().is_none(), "it is told once");

    fixture.runner().begin_compile(sealed.as_fd(), CompileLimits::NATIVE).unwrap();
    let compiled = eventually("the compilation", || fixture.runner().try_compiled().unwrap());
    let digest = component_digest(&component(&Source::default()));
    assert_eq!(compiled.receive(digest).unwrap(), artifact(&Source::default()));
}

fn a_faulted_cell_answers_only_a_reset() {
    let mut fixture = Fixture::new();
    let source = Source {
        // Traps on the third event of its life.
        on_frame: "(global.set $events (i32.add (global.get $events) (local.get $records)))
            (if (i32.ge_u (global.get $events) (i32.const 3)) (then unreachable))
            (call $outcome (local.get $records) (i32.const 0))",
        ..Source::default()
    };
    let mut cell = fixture.start(1, &source, LIMITS);
    assert_eq!(ask(&mut cell, &CellRequest::Init(setup())), CellReply::Ready);
    assert!(matches!(ask(&mut cell, &CellRequest::Frame(&frame(2))), CellReply::Outcome(_)));
    let CellReply::Snapshot(snapshot) = ask(&mut cell, &CellRequest::Snapshot) else { panic!("no snapshot") };
    let fault = ask(&mut cell, &CellRequest::Frame(&frame(1)));
    assert!(matches!(&fault, CellReply::Fault(first) if first.kind == FaultKind::Trap), "{fault:?}");
    for request in [
        CellRequest::Frame(&frame(1)),
        CellRequest::Snapshot,
        CellRequest::Init(setup()),
        CellRequest::Restore { version: snapshot.version, bytes: &snapshot.bytes },
        CellRequest::Describe,
    ] {
        assert_eq!(ask(&mut cell, &request), fault, "the first cause is kept");
    }
    assert_eq!(ask(&mut cell, &CellRequest::Reset), CellReply::Ready);
    assert_eq!(ask(&mut cell, &CellRequest::Init(setup())), CellReply::Ready);
    let restore = CellRequest::Restore { version: snapshot.version, bytes: &snapshot.bytes };
    assert_eq!(ask(&mut cell, &restore), CellReply::Ready);
    // The restored state is what the fault came from.
    assert!(matches!(ask(&mut cell, &CellRequest::Frame(&frame(1))), CellReply::Fault(_)));
    assert!(is_alive(cell.pid), "no fault of a guest costs the process");
}

fn a_cell_reports_a_program_it_cannot_load() {
    let mut fixture = Fixture::new();
    let unfit = portcullis_cell::compile(&wat::parse_str("(component)").unwrap()).unwrap();
    let mut cell = fixture.start_artifact(1, &unfit, LIMITS);
    for request in [CellRequest::Describe, CellRequest::Reset] {
        let reply = ask(&mut cell, &request);
        let CellReply::Fault(fault) = reply else { panic!("{reply:?}") };
        assert_eq!(fault.kind, FaultKind::Host);
        assert!(fault.detail.contains("portcullis:strategy"), "{fault}");
    }
}

fn requests_out_of_turn_are_refused() {
    let mut fixture = Fixture::new();
    let mut cell = fixture.start(1, &Source::default(), LIMITS);
    let reply = ask(&mut cell, &CellRequest::Frame(&frame(1)));
    assert!(matches!(&reply, CellReply::Fault(fault) if fault.kind == FaultKind::Host), "{reply:?}");
}

fn a_cell_that_dies_is_reported() {
    let mut fixture = Fixture::new();
    let cell = fixture.start(4, &Source::default(), LIMITS);
    kill(cell.pid);
    let exit = eventually("the exit", || fixture.runner().try_exited().unwrap());
    assert_eq!(exit, CellExit { cell: CellId(4), status: ExitStatus::Signal(9) });
    // Its number is free again, and the link says what happened.
    let mut link = cell.link;
    assert!(link.send(&CellRequest::Describe).is_err() || await_reply(&mut link).is_err());
    fixture.start(4, &Source::default(), LIMITS);
}

fn a_stopped_cell_is_gone_and_not_reported() {
    let mut fixture = Fixture::new();
    let cell = fixture.start(1, &Source::default(), LIMITS);
    let twice =
        fixture.runner().start(CellId(1), &name(), LIMITS, &artifact(&Source::default()).seal().unwrap());
    assert!(matches!(twice, Err(RunnerError::StartFailed(_))), "{twice:?}");
    fixture.runner().stop(CellId(1)).unwrap();
    assert!(!is_alive(cell.pid));
    fixture.runner().stop(CellId(1)).unwrap();
    assert_eq!(fixture.runner().try_exited().unwrap(), None);
}

fn cells_end_with_the_session_and_the_next_session_is_served() {
    let mut fixture = Fixture::new();
    let cell = fixture.start(1, &Source::default(), LIMITS);
    assert!(is_alive(cell.pid));
    let pid = cell.pid;
    // The gateway still holds the cell's socket; only its session ends.
    fixture.runner = None;
    fixture.runner = Some(connect(&fixture.socket));
    eventually("the cell's end", || (!is_alive(pid)).then_some(()));
    let mut next = fixture.start(1, &Source::default(), LIMITS);
    assert!(matches!(ask(&mut next, &CellRequest::Describe), CellReply::Described(_)));
}

fn cells_end_with_a_runner_that_is_killed() {
    let mut fixture = Fixture::new();
    let cell = fixture.start(1, &Source::default(), LIMITS);
    fixture.process.kill().unwrap();
    eventually("the cell's end", || (!is_alive(cell.pid)).then_some(()));
    assert!(fixture.runner().try_exited().is_err());
}

fn one_request_at_a_time() {
    let mut fixture = Fixture::new();
    let mut cell = fixture.start(1, &Source::default(), LIMITS);
    cell.link.send(&CellRequest::Describe).unwrap();
    assert!(matches!(cell.link.send(&CellRequest::Describe), Err(LinkError::Busy)));
    assert!(matches!(await_reply(&mut cell.link), Ok(CellReply::Described(_))));
    assert!(!cell.link.is_busy());
}

fn a_reply_nobody_asked_for_ends_the_link() {
    let pair = || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (CellLink::new(OwnedFd::from(ours)), MessageLink::greeting(OwnedFd::from(theirs), 1 << 20, CELL))
    };
    let (mut link, mut cell) = pair();
    cell.send(&CellReply::Ready).unwrap();
    assert!(matches!(await_reply(&mut link), Err(LinkError::OutOfTurn)));

    let (mut link, mut cell) = pair();
    link.send(&CellRequest::Snapshot).unwrap();
    cell.send(&CellReply::Ready).unwrap();
    assert!(matches!(await_reply(&mut link), Err(LinkError::OutOfTurn)));
    assert!(link.as_fd().try_clone_to_owned().is_ok());
}

fn a_cell_is_small() {
    let mut fixture = Fixture::new();
    let mut cell = fixture.start(1, &Source { on_frame: IDLE, ..Source::default() }, LIMITS);
    ask(&mut cell, &CellRequest::Init(setup()));
    for _ in 0..30 {
        assert!(matches!(ask(&mut cell, &CellRequest::Frame(&frame(16))), CellReply::Outcome(_)));
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", cell.pid)).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(field("NoNewPrivs:"), 1);
    // What is the cell's own, without the binary's pages that all processes share.
    let private = field("RssAnon:") + field("RssShmem:");
    assert!(private <= 8 * 1024, "{private} KiB");
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// Counts its events, and traps once it has seen five.
const TRAPS_AT_FIVE: &str = "(global.set $events (i32.add (global.get $events) (local.get $records)))
    (if (i32.ge_u (global.get $events) (i32.const 5)) (then unreachable))
    (call $outcome (local.get $records) (i32.const 0))";

fn outcome_of(cell: &mut StartedCell, records: u32) -> FrameOutcome {
    let reply = ask(cell, &CellRequest::Frame(&frame(records)));
    let CellReply::Outcome(outcome) = reply else { panic!("{reply:?}") };
    outcome
}

fn strategies_share_a_process_and_nothing_else() {
    let mut fixture = Fixture::new();
    let little = CellLimits { fuel_per_event: 5_000, deadline_ms: 300, ..LIMITS };
    let mut steady = fixture.start_shared("trusted", 1, &Source::default(), LIMITS);
    let mut same = fixture.start_shared("trusted", 2, &Source::default(), LIMITS);
    let traps = Source { on_frame: TRAPS_AT_FIVE, ..Source::default() };
    let mut traps = fixture.start_shared("trusted", 3, &traps, LIMITS);
    let spins = Source { on_frame: "(loop $on (br $on)) unreachable", ..Source::default() };
    let mut spins = fixture.start_shared("trusted", 4, &spins, little);
    let mut alone = fixture.start(5, &Source::default(), LIMITS);
    assert!([same.pid, traps.pid, spins.pid].iter().all(|pid| *pid == steady.pid), "one process");
    assert_ne!(alone.pid, steady.pid);
    for cell in [&mut steady, &mut same, &mut traps, &mut spins, &mut alone] {
        assert_eq!(ask(cell, &CellRequest::Init(setup())), CellReply::Ready);
    }

    // Each has a state of its own, although two of them run the same program: what they do depends on what each has seen.
    let first = outcome_of(&mut steady, 3);
    assert_eq!(outcome_of(&mut alone, 3), first);
    let second = outcome_of(&mut steady, 3);
    assert_ne!(second.outcome, first.outcome);
    assert_eq!(outcome_of(&mut same, 3), first);

    // Faults of each kind are their own; the others go on from where they were, in the same process.
    let kind = |reply: CellReply| {
        let CellReply::Fault(fault) = reply else { panic!("{reply:?}") };
        fault.kind
    };
    assert_eq!(kind(ask(&mut traps, &CellRequest::Frame(&frame(7)))), FaultKind::Trap);
    assert_eq!(kind(ask(&mut spins, &CellRequest::Frame(&frame(1)))), FaultKind::OutOfFuel);
    assert_eq!(outcome_of(&mut same, 3), second);
    assert_eq!(kind(ask(&mut traps, &CellRequest::Snapshot)), FaultKind::Trap, "until it is reset");
    for cell in [&mut traps, &mut spins] {
        assert_eq!(ask(cell, &CellRequest::Reset), CellReply::Ready);
        assert_eq!(ask(cell, &CellRequest::Init(setup())), CellReply::Ready);
    }
    assert_eq!(outcome_of(&mut traps, 2).outcome.consumed, 2, "a new instance has seen nothing");
    assert!(is_alive(steady.pid));
    assert_eq!(fixture.runner().try_exited().unwrap(), None);
}

fn others_join_and_leave_a_shared_cell() {
    let mut fixture = Fixture::new();
    let mut stays = fixture.start_shared("trusted", 1, &Source::default(), LIMITS);
    let leaves = fixture.start_shared("trusted", 2, &Source::default(), LIMITS);
    let pid = stays.pid;
    ask(&mut stays, &CellRequest::Init(setup()));
    outcome_of(&mut stays, 3);

    let sockets = || std::fs::read_dir(format!("/proc/{pid}/fd")).map(Iterator::count).unwrap_or_default();
    let before = sockets();
    drop(leaves.link);
    fixture.runner().stop(CellId(2)).unwrap();
    assert!(is_alive(pid));
    eventually("the one that left is let go", || (sockets() < before || before == 0).then_some(()));
    assert_eq!(outcome_of(&mut stays, 1).outcome.consumed, 1);

    // One that does not even load is its own trouble.
    let unfit = portcullis_cell::compile(&wat::parse_str("(component)").unwrap()).unwrap().seal().unwrap();
    let shared = CellPlace::Shared("trusted".parse().unwrap());
    let mut unfit = fixture.runner().start_in(&shared, CellId(3), &name(), LIMITS, &unfit).unwrap();
    let reply = ask(&mut unfit, &CellRequest::Describe);
    assert!(matches!(&reply, CellReply::Fault(fault) if fault.kind == FaultKind::Host), "{reply:?}");

    let idle = Source { on_frame: IDLE, ..Source::default() };
    let mut joins = fixture.start_shared("trusted", 4, &idle, LIMITS);
    assert_eq!(joins.pid, pid);
    ask(&mut joins, &CellRequest::Init(setup()));
    assert_eq!(outcome_of(&mut joins, 4).outcome.consumed, 4);
    outcome_of(&mut stays, 1);

    for cell in [1, 3, 4] {
        assert!(is_alive(pid));
        fixture.runner().stop(CellId(cell)).unwrap();
    }
    assert!(!is_alive(pid), "the last one takes the process with it");
    assert_eq!(fixture.runner().try_exited().unwrap(), None);
}

fn without_a_name_every_strategy_has_its_own_process() {
    let mut fixture = Fixture::new();
    let cells = [1, 2, 3].map(|cell| fixture.start(cell, &Source::default(), LIMITS).pid);
    let other = fixture.start_shared("other", 4, &Source::default(), LIMITS).pid;
    let shared = fixture.start_shared("shared", 5, &Source::default(), LIMITS).pid;
    let different: std::collections::BTreeSet<u32> = cells.into_iter().chain([other, shared]).collect();
    assert_eq!(different.len(), 5);
}

fn a_shared_process_that_dies_is_reported_for_each_and_started_anew() {
    let mut fixture = Fixture::new();
    let first = fixture.start_shared("trusted", 1, &Source::default(), LIMITS);
    let _second = fixture.start_shared("trusted", 2, &Source::default(), LIMITS);
    let apart = fixture.start(3, &Source::default(), LIMITS);
    kill(first.pid);
    // At once, before the runner needs have noticed.
    let mut third = fixture.start_shared("trusted", 4, &Source::default(), LIMITS);
    let mut ended = Vec::new();
    while ended.len() < 2 {
        ended.push(eventually("both exits", || fixture.runner().try_exited().unwrap()));
    }
    let status = ExitStatus::Signal(9);
    assert_eq!(ended, [1, 2].map(|cell| CellExit { cell: CellId(cell), status }));
    assert!(is_alive(apart.pid));
    // The message may have gone into the socket of the dying process; then that one is reported too, and the next start works.
    if third.link.send(&CellRequest::Describe).is_err() || await_reply(&mut third.link).is_err() {
        eventually("the third's exit", || fixture.runner().try_exited().unwrap());
        third = fixture.start_shared("trusted", 5, &Source::default(), LIMITS);
    }
    assert_ne!(third.pid, first.pid);
    assert_eq!(ask(&mut third, &CellRequest::Init(setup())), CellReply::Ready);
}

fn a_stuck_process_is_killed_with_all_that_share_it() {
    let mut fixture = Fixture::new();
    let stuck = fixture.start_shared("trusted", 1, &Source::default(), LIMITS);
    let other = fixture.start_shared("trusted", 2, &Source::default(), LIMITS);
    let alone = fixture.start(3, &Source::default(), LIMITS);
    fixture.runner().kill(CellId(1)).unwrap();
    let exit = eventually("the exit", || fixture.runner().try_exited().unwrap());
    assert_eq!(exit, CellExit { cell: CellId(2), status: ExitStatus::Signal(9) });
    assert!(!is_alive(stuck.pid) && stuck.pid == other.pid && is_alive(alone.pid));
    fixture.runner().kill(CellId(3)).unwrap();
    assert!(!is_alive(alone.pid));
    assert_eq!(fixture.runner().try_exited().unwrap(), None, "who was asked to be killed is not reported");
}

fn other_release(version: u32) -> [u8; 16] {
    Protocol { version, ..RUNNER_PROTOCOL }.greeting()
}

fn a_runner_of_another_release_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("runner.sock");
    let listener = portcullis_role::listen(&socket).unwrap();
    let version = RUNNER_PROTOCOL.version;
    for (theirs, older) in [(version.wrapping_add(1), "gateway"), (version.wrapping_sub(1), "runner")] {
        let runner = std::thread::spawn({
            let listener = listener.try_clone().unwrap();
            move || listener.accept().unwrap().0.write_all(&other_release(theirs)).unwrap()
        });
        let error = RunnerClient::connect(&socket).unwrap_err();
        assert!(matches!(error, RunnerError::Message(MessageError::Greeting(_))), "{error:?}");
        assert!(error.to_string().ends_with(&format!("upgrade the {older}")), "{error}");
        runner.join().unwrap();
    }
}

fn a_gateway_of_another_release_is_refused_and_the_next_one_served() {
    let mut fixture = Fixture::new();
    fixture.runner = None;
    for hello in [&other_release(RUNNER_PROTOCOL.version + 1)[..], b"\x02\0\0\0\x02\x07"] {
        let mut gateway = UnixStream::connect(&fixture.socket).unwrap();
        gateway.write_all(hello).unwrap();
        let mut told = Vec::new();
        // Ends when the runner hangs up: with a greeting, by which the gateway can tell, and nothing more.
        gateway.read_to_end(&mut told).unwrap();
        assert_eq!(told, RUNNER_PROTOCOL.greeting());
    }
    fixture.runner = Some(connect(&fixture.socket));
    fixture.start(1, &Source::default(), LIMITS);
}
