//! A live session: the demo trades, one of its cells is taken over in the middle of it, and the gateway trades on.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use portcullis_cell::{
    Artifact, CellEngine, CellLimits, CellReply, CellRequest, Guest, Program, RUNNER_ROLE, RoleError,
    cell_role, confine_cell,
};
use portcullis_role::{FIRST_DESCRIPTOR, RoleCommand, inherited};
use serde_json::Value;

use crate::demo::{Demo, json, kill, portcullis};
use crate::payload::greeted;

/// The strategy whose cells are taken over.
const VICTIM: &str = "market-maker";

/// Frames that a taken cell answers as it should.
const PATIENCE: u32 = 3;

const LIMITS: CellLimits = CellLimits {
    memory_bytes_max: 64 << 20,
    fuel_per_event: 10_000_000,
    deadline_ms: 1_000,
    actions_per_event_max: 32,
    log_bytes_max: 4_096,
};

/// What a taken cell does; the name of the binary says which, because nothing else can be handed to a cell.
#[derive(Debug, Clone, Copy)]
enum Escape {
    /// Opens a file.
    Opens,
    /// Sends what is no message.
    Babbles,
    /// Announces a message longer than any.
    Boasts,
    /// Sends replies nobody asked for, as fast as the socket takes them.
    Floods,
    /// Never answers again.
    Hangs,
}

const ESCAPES: [Escape; 5] = [Escape::Opens, Escape::Babbles, Escape::Boasts, Escape::Floods, Escape::Hangs];

pub fn trials() -> Vec<Trial> {
    vec![Trial::test("live::the_gateway_trades_on", trades_on)]
}

/// In place of a cell of a live session.
pub fn cell(arguments: &[OsString]) -> Result<(), RoleError> {
    if arguments[0].to_str() == Some(VICTIM) { taken() } else { cell_role(arguments) }
}

fn taken() -> Result<(), RoleError> {
    let binary = std::env::current_exe().unwrap();
    let name = binary.file_name().unwrap().to_str().unwrap().to_owned();
    let escape = ESCAPES.into_iter().find(|escape| name.ends_with(&format!("{escape:?}"))).unwrap();
    let socket = inherited(FIRST_DESCRIPTOR).unwrap();
    let artifact = inherited(FIRST_DESCRIPTOR + 1).unwrap();
    let confined = confine_cell(LIMITS.memory_bytes_max)?;
    let artifact = Artifact::receive(artifact).unwrap();
    let program = Program::load(&Arc::new(CellEngine::new().unwrap()), &artifact).unwrap();
    confined.settle().unwrap();
    let mut guest = Guest::start(program, LIMITS).unwrap();
    let mut link = greeted(socket);
    let mut frames = 0;
    loop {
        let reply = match link.receive::<CellRequest<'_>>()? {
            CellRequest::Describe => CellReply::Described(guest.describe().unwrap()),
            CellRequest::Init(setup) => {
                guest.init(&setup).unwrap().unwrap();
                CellReply::Ready
            }
            CellRequest::Frame(_) if frames == PATIENCE => break,
            CellRequest::Frame(frame) => {
                frames += 1;
                CellReply::Outcome(guest.on_frame(frame).unwrap())
            }
            CellRequest::Snapshot => CellReply::Snapshot(guest.snapshot().unwrap()),
            CellRequest::Restore { version, bytes } => {
                guest.restore(version, bytes).unwrap().unwrap();
                CellReply::Ready
            }
            CellRequest::Reset => {
                guest.restart().unwrap();
                CellReply::Ready
            }
        };
        link.send(&reply)?;
    }
    escape.happen()
}

impl Escape {
    /// What the operator is told.
    fn told(self) -> &'static str {
        match self {
            Self::Opens => "CRASH (guest): the cell's process ended with signal 31",
            Self::Babbles => "PROTOCOL (guest): the cell: malformed message",
            Self::Boasts => "PROTOCOL (guest): the cell: a message of 4294967295 bytes",
            Self::Floods => "PROTOCOL (guest): the cell answered out of turn",
            Self::Hangs => "HOST (host): the cell did not answer within 6 s",
        }
    }

    fn happen(self) -> ! {
        let send = |bytes: &[u8]| unsafe {
            libc::sendto(3, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL, std::ptr::null(), 0)
        };
        match self {
            Self::Opens => {
                unsafe { libc::open(c"/etc/passwd".as_ptr(), libc::O_RDONLY) };
            }
            Self::Babbles => {
                send(&[16, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
                send(&[0xff; 16]);
            }
            Self::Boasts => {
                send(&u32::MAX.to_le_bytes());
            }
            // The shortest message there is: `Ready`.
            Self::Floods => while send(&[1, 0, 0, 0, 1].repeat(10_000)) > 0 {},
            Self::Hangs => {}
        }
        loop {
            std::thread::sleep(Duration::from_secs(60));
        }
    }
}

/// A runner of this binary, in place of the demo's.
struct Runner(Child);

impl Runner {
    fn start(demo: &Demo, escape: Escape) -> Self {
        let socket = demo.dir.join("runner/runner.sock");
        std::fs::remove_file(&socket).unwrap();
        let binary = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("taken-{escape:?}"));
        let _there_already = std::fs::remove_file(&binary);
        std::fs::hard_link(std::env::current_exe().unwrap(), &binary).unwrap();
        let child = RoleCommand::of(binary, RUNNER_ROLE).argument(&socket).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while !socket.exists() {
            assert!(Instant::now() < deadline, "the runner does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Self(child)
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _already_dead = self.0.kill();
        let _buried = self.0.wait();
    }
}

fn strategy<'a>(status: &'a Value, name: &str) -> &'a Value {
    let all = status["strategies"].as_array().unwrap();
    all.iter().find(|line| line["name"] == name).unwrap_or(&Value::Null)
}

fn trades_on() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), &["--speed", "20"]);
    demo.wait_for("trading", &["status"], |status| status["journal"]["records"].as_u64() > Some(40));
    let mut gateway = demo.pid("gateway");
    for escape in ESCAPES {
        let _runner = Runner::start(&demo, escape);
        // A new gateway finds the new runner, and has no strategy in quarantine.
        kill(gateway, "KILL");
        let restarted = demo.line("restarted");
        gateway = restarted["pids"]["gateway"].as_u64().unwrap().try_into().unwrap();
        let fallen = demo.wait_for("the cell's fall", &["status"], |status| {
            strategy(status, VICTIM)["last_fault"].as_str().is_some_and(|last| last.contains(escape.told()))
        });
        println!("{escape:?}: {}", strategy(&fallen, VICTIM));
        let records = fallen["journal"]["records"].as_u64().unwrap();
        let events = strategy(&fallen, "ema-cross")["events"].as_u64().unwrap();
        let after = demo.wait_for("trading beside it", &["status"], |status| {
            strategy(status, "ema-cross")["events"].as_u64() > Some(events + 100)
                && status["journal"]["records"].as_u64() > Some(records)
        });
        assert_eq!(strategy(&after, "ema-cross")["state"], "running", "{escape:?}: {after}");
        assert_eq!(after["trading_state"], "active", "{escape:?}: {after}");
    }
    let verified = json(&portcullis(dir.path(), &["journal", "verify"]));
    assert_eq!(verified["ok"], true, "{verified}");
    Ok(())
}
