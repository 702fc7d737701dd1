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

#[path = "../support/exchange.rs"]
mod exchange;
#[path = "../support/demo.rs"]
mod support;

use std::time::{Duration, Instant};

use exchange::Exchange;
use libtest_mimic::{Arguments, Trial};
use serde_json::json;

use support::{Demo, kill, portcullis};

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

/// An order that will not fill: a gateway that stalls leaves something behind.
fn far_away(exchange: &Exchange) {
    let order = json!({
        "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001",
        "price": "50000", "positionIdx": 0,
    });
    exchange.post("/v5/order/create", &order);
}

fn watched() -> Result<(), libtest_mimic::Failed> {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), &["--speed", "5"]);
    let exchange = Exchange::of(dir.path(), &demo.ready);
    let trading = |demo: &Demo| {
        demo.wait_for("trading", &["status"], |status| {
            status["protection"]["sentinel"] == "holding" && status["open_orders"].as_u64() > Some(0)
        })
    };
    let status = trading(&demo);
    assert_eq!(status["trading_state"], "active", "{status}");
    let agreed = demo.wait_for("agreement", &["reconcile", "--now"], |answer| answer["agree"] == true);
    assert_eq!(agreed["comparison"]["differences"], 0, "{agreed}");

    // A short stall is none of the sentinel's business.
    kill(demo.pid("gateway"), "STOP");
    std::thread::sleep(Duration::from_secs(4));
    kill(demo.pid("gateway"), "CONT");
    trading(&demo);

    // A long one is: entries go, and the stops of positions stay.
    let stalled = Instant::now();
    kill(demo.pid("gateway"), "STOP");
    far_away(&exchange);
    std::thread::sleep(Duration::from_secs(6));
    assert!(exchange.entries() > 0, "they stay as long as the lease lasts");
    until("no entries", Duration::from_secs(30), || exchange.entries() == 0);
    assert!(stalled.elapsed() >= Duration::from_secs(8), "not before the lease lapses");
    assert_eq!(exchange.unprotected(), Vec::<String>::new());

    // An operator does not want to wait that long.
    far_away(&exchange);
    let halted = portcullis(dir.path(), &["halt", "--emergency", "--reason", "no answer"]);
    assert_eq!(halted.status.code(), Some(0), "{halted:?}");
    assert_eq!(support::json(&halted)["halt_owed"], true);
    until("no entries", Duration::from_secs(8), || exchange.entries() == 0);

    // It comes back, and takes the halt before it sends anything.
    kill(demo.pid("gateway"), "CONT");
    demo.wait_for("the halt", &["status"], |status| {
        status["trading_state"] == "entries-cancelled" && status["protection"]["sentinel"] == "holding"
    });
    assert_eq!(exchange.entries(), 0);
    let (summary, exit) = demo.end();
    assert_eq!((exit, &summary["journal"]["verified"]), (0, &true.into()), "{summary}");
    let journal = String::from_utf8(portcullis(dir.path(), &["journal", "tail"]).stdout)?;
    assert!(journal.contains("no answer") && journal.contains("sentinel-socket"));
    Ok(())
}
