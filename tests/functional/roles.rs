//! Roles that die one at a time while the demo trades, and what each of them can see of the trade key.

#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "test code"
)]

#[path = "roles/confined.rs"]
mod confined;
#[path = "../support/exchange.rs"]
mod exchange;
#[path = "roles/secrets.rs"]
mod secrets;
#[path = "roles/strangers.rs"]
mod strangers;
#[path = "../support/demo.rs"]
mod support;
#[path = "../support/tools.rs"]
mod tools;

use std::path::Path;
use std::time::{Duration, Instant};

use exchange::Exchange;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

use support::{Demo, json, kill, portcullis};

fn main() {
    if strangers::is_asked_to_knock() {
        return strangers::knock();
    }
    if confined::is_asked_to_try() {
        return confined::attempt();
    }
    let arguments = Arguments::from_args();
    let mut tests = vec![
        Trial::test("the_signer_dies_and_comes_back", signer),
        Trial::test("a_latched_signer_cancels_and_adds_nothing", latched),
        Trial::test("the_runner_dies_and_cells_come_back", runner),
        Trial::test("the_watchdog_and_the_console_die", sentinel_and_console),
        Trial::test("the_trade_key_is_the_signers_alone", secrets::the_trade_key_is_the_signers_alone),
    ];
    tests.extend(confined::tests());
    tests.extend(strangers::tests());
    libtest_mimic::run(&arguments, tests).exit();
}

/// A demo that trades.
fn trading(dir: &Path) -> Demo {
    let demo = Demo::start(dir, &["--speed", "5"]);
    demo.wait_for("trading", &["status"], |status| {
        status["inhibits"].as_array().is_some_and(Vec::is_empty) && status["open_orders"].as_u64() > Some(0)
    });
    demo
}

fn until(what: &str, within: Duration, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + within;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come about within {within:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Orders that strategies were approved so far.
fn places(dir: &Path) -> usize {
    let journal = String::from_utf8(portcullis(dir, &["journal", "tail"]).stdout).unwrap();
    journal.lines().filter(|line| line.contains("\"Place\"") && line.contains("\"Intent\"")).count()
}

fn inhibits(status: &Value, inhibit: &str) -> bool {
    status["inhibits"].as_array().is_some_and(|all| all.iter().any(|one| one == inhibit))
}

/// The role's process once it was started again.
fn restarted(demo: &Demo, role: &str) -> u32 {
    loop {
        let line = demo.line("restarted");
        if line["role"] == role {
            return u32::try_from(line["pids"][role].as_u64().unwrap()).unwrap();
        }
    }
}

/// Ends in order, with a journal that verifies.
fn ends_well(demo: Demo) {
    let (summary, exit) = demo.end();
    assert_eq!((exit, &summary["journal"]["verified"]), (0, &true.into()), "{summary}");
}

fn signer() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let demo = trading(dir.path());
    let exchange = Exchange::of(dir.path(), &demo.ready);
    let gateway = demo.ask(&["status"]);
    assert_eq!(gateway["signer"]["state"], "up", "{gateway}");

    // One that hangs is as good as none, and nobody waits for it: the gateway answers at once.
    kill(demo.pid("signer"), "STOP");
    demo.wait_for("a signer that is missed", &["status"], |status| {
        status["signer"]["state"] == "down" && inhibits(status, "signer")
    });
    let before = places(dir.path());
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(places(dir.path()), before, "nothing is added without a signer");
    kill(demo.pid("signer"), "CONT");
    demo.wait_for("a signer that answers again", &["status"], |status| {
        status["signer"]["state"] == "up" && !inhibits(status, "signer")
    });
    until("orders again", Duration::from_secs(60), || places(dir.path()) > before);

    // One that dies again and again is started again after pauses that grow.
    let mut pid = demo.pid("signer");
    for _ in 0..4 {
        kill(pid, "KILL");
        pid = restarted(&demo, "signer");
    }
    until("entries at the exchange", Duration::from_secs(60), || exchange.entries() > 0);
    kill(pid, "KILL");
    demo.wait_for("a signer that is missed", &["status"], |status| inhibits(status, "signer"));
    // A halt is taken at once, and what it asks for waits for a signature.
    let halted = portcullis(dir.path(), &["halt", "--reason", "no signer"]);
    assert_eq!(halted.status.code(), Some(0), "{halted:?}");
    assert_eq!(demo.ask(&["status"])["trading_state"], "entries-cancelled");
    assert!(exchange.entries() > 0, "nobody signed a cancel");
    restarted(&demo, "signer");
    until("no entries", Duration::from_secs(20), || exchange.entries() == 0);
    let status = demo.ask(&["status"]);
    assert_eq!(status["signer"]["state"], "up", "{status}");
    assert_eq!(status["signer"]["violations"], 0, "{status}");
    ends_well(demo);
    Ok(())
}

/// A signer whose own file allows less than the gateway's limits stops what adds risk, and nothing else.
fn latched() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let demo = trading(dir.path());
    let exchange = Exchange::of(dir.path(), &demo.ready);
    let file = dir.path().join("keys/signer.toml");
    let tight = std::fs::read_to_string(&file)?
        .replace("notional_max = \"25000\"", "notional_max = \"1\"")
        .replace("violations_max = 20", "violations_max = 3");
    std::fs::write(&file, tight)?;
    until("entries at the exchange", Duration::from_secs(60), || exchange.entries() > 0);
    kill(demo.pid("signer"), "KILL");
    restarted(&demo, "signer");
    let status = demo.wait_for("a latched signer", &["status"], |status| {
        status["signer"]["state"] == "latched" && inhibits(status, "signer-latched")
    });
    assert_eq!(status["signer"]["violations"], 3, "{status}");
    assert!(status["signer"]["detail"].as_str().unwrap().contains("worth more than 1 USDT"), "{status}");
    let before = places(dir.path());
    let halted = portcullis(dir.path(), &["halt", "--reason", "latched"]);
    assert_eq!(halted.status.code(), Some(0), "{halted:?}");
    until("no entries", Duration::from_secs(20), || exchange.entries() == 0);
    assert_eq!(places(dir.path()), before, "nothing was added");
    // What is held can be closed.
    let flattened = portcullis(dir.path(), &["flatten", "--reason", "latched"]);
    assert_eq!(flattened.status.code(), Some(0), "{flattened:?}");
    until("no positions", Duration::from_secs(30), || exchange.positions().is_empty());
    ends_well(demo);
    Ok(())
}

/// Cells end with the runner; the gateway lives, and brings them back from their snapshots.
fn runner() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let demo = trading(dir.path());
    let cells = |status: &Value| -> Vec<u64> {
        let lines = status["strategies"].as_array().unwrap();
        lines.iter().filter_map(|one| one["pid"].as_u64()).collect()
    };
    let before = demo.ask(&["status"]);
    let old = cells(&before);
    assert_eq!(old.len(), 2, "{before}");
    kill(demo.pid("runner"), "KILL");
    restarted(&demo, "runner");
    let after = demo.wait_for("cells in new processes", &["status"], |status| {
        let new = cells(status);
        let running = status["strategies"].as_array().unwrap().iter().all(|one| one["state"] == "running");
        running && new.len() == 2 && new.iter().all(|pid| !old.contains(pid))
    });
    assert!(after["uptime_ns"].as_u64() > before["uptime_ns"].as_u64(), "the same gateway: {after}");
    // The host's failure, and none of the strategy's.
    assert!(after["strategies"][0]["host_faults"].as_u64() > Some(0), "{after}");
    assert_eq!(after["strategies"][0]["faults"], 0, "{after}");
    let placed = places(dir.path());
    until("orders again", Duration::from_secs(60), || places(dir.path()) > placed);
    ends_well(demo);
    Ok(())
}

fn sentinel_and_console() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let demo = trading(dir.path());
    // Nobody watches for a while: entries wait, and then they need not any more.
    let mut pid = demo.pid("sentinel");
    for _ in 0..3 {
        kill(pid, "KILL");
        pid = restarted(&demo, "sentinel");
    }
    kill(pid, "KILL");
    demo.wait_for("nobody watching", &["status"], |status| status["protection"]["sentinel"] == "silent");
    restarted(&demo, "sentinel");
    demo.wait_for("the watch", &["status"], |status| {
        status["protection"]["sentinel"] == "holding" && status["inhibits"].as_array().unwrap().is_empty()
    });

    // Without a console trading goes on as if nothing had happened.
    let mut pid = demo.pid("console");
    for _ in 0..4 {
        kill(pid, "KILL");
        pid = restarted(&demo, "console");
    }
    kill(pid, "KILL");
    let events = |status: &Value| -> u64 {
        status["strategies"].as_array().unwrap().iter().map(|one| one["events"].as_u64().unwrap()).sum()
    };
    let (seen, placed) = (events(&demo.ask(&["status"])), places(dir.path()));
    demo.wait_for("events without a console", &["status"], |status| events(status) > seen);
    until("orders without a console", Duration::from_secs(60), || places(dir.path()) > placed);
    let answer = json(&portcullis(dir.path(), &["status"]));
    assert_eq!(answer["trading_state"], "active", "{answer}");
    restarted(&demo, "console");
    ends_well(demo);
    Ok(())
}
