//! The test's side: a production runner with payloads for cells, and the things that an attacker would like to have.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use portcullis_cell::{
    Artifact, CellId, CellLimits, CellLink, CellReply, CellRequest, ExitStatus, LinkError, RUNNER_ROLE,
    RunnerClient,
};
use portcullis_role::{MessageError, RoleCommand, sealed_memory_file};

use crate::LAB_ROLE;
use crate::payload::PAYLOAD;
use crate::world::{Stage, World};

pub const LIMITS: CellLimits = CellLimits {
    memory_bytes_max: 1 << 20,
    fuel_per_event: 1_000,
    deadline_ms: 100,
    actions_per_event_max: 1,
    log_bytes_max: 0,
};

/// What came of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum Came {
    /// The payload lived to tell.
    Told(String),
    /// The kernel ended it.
    Killed(i32),
    /// It ended otherwise.
    Ended(i32),
    /// The gateway gave its link up, for this reason.
    Broke(String),
}

pub struct Fixture {
    _directory: tempfile::TempDir,
    pub world: World,
    control: UnixListener,
    process: Child,
    runner: RunnerClient,
}

impl Fixture {
    pub fn new(stage: Stage, attempt: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| -> PathBuf { directory.path().join(name) };
        let mut key = std::fs::OpenOptions::new();
        let mut key = key.write(true).create_new(true).mode(0o600).open(path("bybit.key")).unwrap();
        key.write_all(b"secret").unwrap();
        let control = UnixListener::bind(path("control.sock")).unwrap();
        control.set_nonblocking(true).unwrap();
        let socket = path("runner.sock");
        let process = RoleCommand::new(RUNNER_ROLE).argument(&socket).spawn().unwrap();
        let runner = eventually("the runner listens", || RunnerClient::connect(&socket).ok());
        let world = World {
            stage,
            attempt: attempt.to_owned(),
            directory: directory.path().to_owned(),
            key: path("bybit.key"),
            control: path("control.sock"),
            gateway: std::process::id() as i32,
            sibling: 0,
            own: 0,
            parent: 0,
        };
        Self { _directory: directory, world, control, process, runner }
    }

    /// Starts a payload; its process and its link.
    pub fn start(&mut self, cell: u32, world: &World) -> (i32, CellLink) {
        let handed = sealed_memory_file("artifact", &world.to_artifact()).unwrap();
        let artifact = Artifact::receive(handed).unwrap().seal().unwrap();
        let started = self.runner.start(CellId(cell), &PAYLOAD.parse().unwrap(), LIMITS, &artifact).unwrap();
        (started.pid as i32, started.link)
    }

    /// One attempt, and what came of it.
    pub fn attempt(&mut self) -> Came {
        // A sibling that waits to be attacked.
        let idle = World { attempt: "idle".to_owned(), stage: Stage::Work, ..self.world.clone() };
        let (sibling, _link) = self.start(0, &idle);
        let world = World { sibling, ..self.world.clone() };
        let (_, mut link) = self.start(1, &world);
        link.send(&CellRequest::Snapshot).unwrap();
        let told = eventually("an answer or an end", || match link.try_receive() {
            Ok(None) => None,
            Ok(Some(CellReply::Snapshot(snapshot))) => {
                Some(Some(Came::Told(String::from_utf8(snapshot.bytes).unwrap())))
            }
            Ok(Some(other)) => panic!("{other:?}"),
            Err(LinkError::Message(MessageError::Closed)) => Some(None),
            Err(error) => Some(Some(Came::Broke(error.to_string()))),
        });
        let came = match told {
            Some(came) => came,
            None => match self.exit(CellId(1)) {
                ExitStatus::Signal(signal) => Came::Killed(signal),
                ExitStatus::Code(code) => Came::Ended(code),
            },
        };
        self.check(sibling);
        came
    }

    /// How a cell ended, as the runner reports it.
    pub fn exit(&mut self, cell: CellId) -> ExitStatus {
        eventually("the runner's report", || match self.runner.try_exited().unwrap() {
            Some(exit) if exit.cell == cell => Some(exit.status),
            Some(other) => panic!("{other:?}"),
            None => None,
        })
    }

    /// Nothing around the attempt has changed.
    fn check(&mut self, sibling: i32) {
        assert_eq!(std::fs::read(&self.world.key).unwrap(), b"secret");
        let mut names: Vec<String> = std::fs::read_dir(&self.world.directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["bybit.key", "control.sock", "runner.sock"]);
        let nobody = self.control.accept().map(drop).unwrap_err();
        assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock, "somebody came to the control socket");
        let stat = std::fs::read_to_string(format!("/proc/{sibling}/stat")).unwrap();
        assert!(!stat.contains(") Z ") && !stat.contains(") T "), "the sibling was hit: {stat}");
        assert!(self.process.try_wait().unwrap().is_none(), "the runner was hit");
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _already_dead = self.process.kill();
        self.process.wait().unwrap();
    }
}

/// The attempt in a child split off from a process of its own.
pub fn in_the_lab(attempt: &str) -> Came {
    let directory = tempfile::tempdir().unwrap();
    let world = World {
        stage: Stage::Lab,
        attempt: attempt.to_owned(),
        directory: directory.path().to_owned(),
        key: "/etc/shadow".into(),
        control: directory.path().join("control.sock"),
        gateway: std::process::id() as i32,
        sibling: std::process::id() as i32,
        own: 0,
        parent: 0,
    };
    let handed = sealed_memory_file("world", &world.to_artifact()).unwrap();
    let child = RoleCommand::new(LAB_ROLE).descriptor(handed).stdout(Stdio::piped()).spawn().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    match told.strip_prefix("killed ") {
        Some(signal) => Came::Killed(signal.parse().unwrap()),
        None => Came::Told(told),
    }
}

/// Tries until something is there; panics after a time no healthy machine needs.
pub fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
