//! The watchdog: a gateway that stalls, an operator who halts past it, and a gateway that comes back.

#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "../support/demo.rs"]
mod support;
#[path = "../support/venue.rs"]
mod venue;

use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

use support::{Demo, json, kill, portcullis};
use venue::Venue;

fn main() {
    let arguments = Arguments::from_args();
    let tests = vec![Trial::test("entries_do_not_outlive_the_gateway", watched)];
    libtest_mimic::run(&arguments, tests).exit();
}

fn until(what: &str, within: Duration, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + within;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come about within {within:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Positions at the venue that no stop protects.
fn unprotected(venue: &Venue) -> Vec<Value> {
    let positions = venue.pages("/v5/position/list", "category=linear&settleCoin=USDT&limit=200");
    let open = positions.into_iter().filter(|position| position["size"] != "0");
    open.filter(|position| matches!(position["stopLoss"].as_str(), None | Some("" | "0"))).collect()
}

fn watched() -> Result<(), libtest_mimic::Failed> {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), &["--speed", "5"]);
    let venue = Venue::of(dir.path(), &demo.ready);
    let trading = |demo: &Demo| {
        demo.wait_for("trading", &["status"], |status| {
            status["protection"]["sentinel"] == "holding" && status["open_orders"].as_u64() > Some(0)
        })
    };
    let status = trading(&demo);
    assert_eq!(status["trading_state"], "active", "{status}");
    let agreed = demo.wait_for("agreement", &["reconcile", "--now"], |answer| answer["agree"] == true);
    assert_eq!(agreed["comparison"]["differences"], 0, "{agreed}");

    // The gateway stalls: its entries go, and the stops of its positions stay.
    let stalled = Instant::now();
    kill(demo.pid("gateway"), "STOP");
    std::thread::sleep(Duration::from_secs(1));
    assert!(venue.entries() > 0, "they stay as long as the lease lasts");
    until("no entries", Duration::from_secs(30), || venue.entries() == 0);
    assert!(stalled.elapsed() >= Duration::from_secs(9), "not before the lease lapses");
    assert_eq!(unprotected(&venue), Vec::<Value>::new());

    // It comes back, and trades on.
    kill(demo.pid("gateway"), "CONT");
    until("entries again", Duration::from_secs(60), || venue.entries() > 0);
    trading(&demo);

    // It stalls again, and an operator does not want to wait.
    kill(demo.pid("gateway"), "STOP");
    let halted = portcullis(dir.path(), &["halt", "--emergency", "--reason", "no answer"]);
    assert_eq!(halted.status.code(), Some(0), "{halted:?}");
    assert_eq!(json(&halted)["halt_owed"], true);
    until("no entries", Duration::from_secs(8), || venue.entries() == 0);
    kill(demo.pid("gateway"), "CONT");
    let status =
        demo.wait_for("the halt", &["status"], |status| status["trading_state"] == "entries-cancelled");
    let raised = status["raised"].as_array().unwrap();
    assert!(raised.iter().any(|line| line["scope"] == "account" && line["cause"] == "operator"), "{status}");
    let (summary, exit) = demo.end();
    assert_eq!((exit, &summary["journal"]["verified"]), (0, &true.into()), "{summary}");
    let journal = String::from_utf8(portcullis(dir.path(), &["journal", "tail"]).stdout)?;
    assert!(journal.contains("no answer") && journal.contains("sentinel-socket"));
    Ok(())
}
