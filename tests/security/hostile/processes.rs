//! The confined roles: what is meant for the compiler goes through `compile`, and a choice of guests lives in a `cell`.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use portcullis_cell::{
    Artifact, CellId, CellLimits, CellReply, CellRequest, CompileLimits, FaultKind, RUNNER_ROLE,
    RunnerClient, RunnerError, StartedCell,
};
use portcullis_core::StrategyName;
use portcullis_role::RoleCommand;

use crate::common::{Entry, FOREVER, IDLE, LIMITS, Source, artifact, frame, setup};

pub(crate) fn trials() -> Vec<Trial> {
    let frame = |on_frame| Source { on_frame, ..Source::default() };
    let recursion = "(func $deeper (result i32) (i32.add (call $deeper) (i32.const 1)))";
    let cases = [
        ("endless_loop", frame(FOREVER), FaultKind::OutOfFuel),
        ("trap", frame("(unreachable)"), FaultKind::Trap),
        ("wild_pointer", frame("(i32.load (i32.const -4))"), FaultKind::Trap),
        ("beyond_four_gigabytes", frame("(i32.load offset=0xfffffffc (i32.const -4))"), FaultKind::Trap),
        (
            "endless_recursion",
            Source { extra: recursion, ..frame("(drop (call $deeper)) (unreachable)") },
            FaultKind::Trap,
        ),
        (
            "memory_bomb",
            frame(
                "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (unreachable)",
            ),
            FaultKind::OutOfMemory,
        ),
        (
            "a_million_actions",
            frame("(call $outcome (i32.const 1) (i32.const 1000000))"),
            FaultKind::Protocol,
        ),
        ("an_outcome_outside_memory", frame("(i32.const -8)"), FaultKind::Protocol),
    ];
    cases
        .into_iter()
        .map(|(name, source, kind)| {
            Trial::test(format!("processes::cell::{name}"), move || {
                survives(&source, kind);
                Ok(())
            })
        })
        .chain([
            Trial::test("processes::cell::a_start_function_that_spins", || {
                spinning_start();
                Ok(())
            }),
            Trial::test("processes::cell::a_neighbour_trades_on", || {
                neighbour();
                Ok(())
            }),
        ])
        .collect()
}

/// A runner process with a session.
pub(crate) struct Fixture {
    _directory: tempfile::TempDir,
    process: Child,
    runner: RunnerClient,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("runner.sock");
        let process = RoleCommand::new(RUNNER_ROLE).argument(&socket).spawn().unwrap();
        let runner = connect(&socket);
        Self { _directory: directory, process, runner }
    }

    /// Compiles in the confined child.
    pub(crate) fn compile(&mut self, component: &[u8]) -> Result<Artifact, RunnerError> {
        self.runner.compile(component, CompileLimits::NATIVE)
    }

    fn start(&mut self, cell: u32, source: &Source, limits: CellLimits) -> StartedCell {
        let name: StrategyName = "test-guest".parse().unwrap();
        self.runner.start(CellId(cell), &name, limits, &artifact(source).seal().unwrap()).unwrap()
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

fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
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
    eventually("a reply", || {
        if cell.link.wants_write() {
            cell.link.flush().unwrap();
        }
        cell.link.try_receive().unwrap()
    })
}

/// The cell reports the fault and is there for the next instance, as often as it takes.
fn survives(source: &Source, kind: FaultKind) {
    let limits = CellLimits { fuel_per_event: 100_000_000, deadline_ms: 1_000, ..LIMITS };
    let mut fixture = Fixture::new();
    let mut cell = fixture.start(1, source, limits);
    for _ in 0..3 {
        assert_eq!(ask(&mut cell, &CellRequest::Init(setup())), CellReply::Ready);
        let CellReply::Fault(fault) = ask(&mut cell, &CellRequest::Frame(&frame(1))) else {
            panic!("no fault")
        };
        // A machine that has no time for it says so instead.
        let late = fault.kind == FaultKind::Deadline || !fault.kind.is_guests();
        let overloaded = kind == FaultKind::OutOfFuel && late;
        assert!(fault.kind == kind || overloaded, "{fault}");
        assert_eq!(fault.fuel_charged, Entry::Frame.fuel(&limits, 1));
        assert_eq!(
            ask(&mut cell, &CellRequest::Snapshot),
            CellReply::Fault(fault),
            "the first cause is kept"
        );
        assert_eq!(ask(&mut cell, &CellRequest::Reset), CellReply::Ready);
    }
}

fn spinning_start() {
    let mut fixture = Fixture::new();
    let mut cell = fixture.start(1, &Entry::Instantiate.doing("(loop $again (br $again))"), LIMITS);
    for request in [CellRequest::Describe, CellRequest::Reset, CellRequest::Describe] {
        let CellReply::Fault(fault) = ask(&mut cell, &request) else { panic!("no fault") };
        assert!(matches!(fault.kind, FaultKind::OutOfFuel | FaultKind::Deadline), "{fault}");
        assert_eq!(fault.fuel_charged, 250_000_000);
    }
}

/// Two cells of one runner: the one burns all it may, the other answers frame after frame.
fn neighbour() {
    let mut fixture = Fixture::new();
    let limits = CellLimits { fuel_per_event: 10_000_000_000, deadline_ms: 200, ..LIMITS };
    let mut hostile = fixture.start(1, &Source { on_frame: FOREVER, ..Source::default() }, limits);
    let mut good = fixture.start(2, &Source { on_frame: IDLE, ..Source::default() }, LIMITS);
    assert_eq!(ask(&mut hostile, &CellRequest::Init(setup())), CellReply::Ready);
    assert_eq!(ask(&mut good, &CellRequest::Init(setup())), CellReply::Ready);
    hostile.link.send(&CellRequest::Frame(&frame(1))).unwrap();
    for _ in 0..50 {
        assert!(matches!(ask(&mut good, &CellRequest::Frame(&frame(16))), CellReply::Outcome(_)));
    }
    let reply = eventually("the hostile cell is stopped", || hostile.link.try_receive().unwrap());
    let CellReply::Fault(fault) = reply else { panic!("{reply:?}") };
    // A machine that had no time for it is blamed instead.
    assert!(fault.kind == FaultKind::Deadline || !fault.kind.is_guests(), "{fault}");
}
