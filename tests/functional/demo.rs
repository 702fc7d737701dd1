//! The whole system, as a user meets it: `portcullis demo` on the paper exchange, killed in the middle, started again.
//!
//! Each test runs real processes on a free port of the loopback: exchange, runner, cells, gateway.

#![allow(
    missing_docs,
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

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

use exchange::Exchange;
use support::{Demo, json, kill, portcullis};

fn main() {
    let arguments = Arguments::from_args();
    let data =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/market/binance-trades-all.csv.gz");
    let recorded = if data.exists() {
        let data = data.to_str().unwrap().to_owned();
        Trial::test("recorded_market_trades_and_ends_in_order", move || {
            trades_and_ends_in_order(&["--data", &data])
        })
    } else {
        Trial::test("recorded_market_trades_and_ends_in_order (ignored: no shared data)", || Ok(()))
            .with_ignored_flag(true)
    };
    let tests = vec![
        recorded,
        Trial::test("synthetic_market_trades_and_ends_in_order", || trades_and_ends_in_order(&[])),
        Trial::test("a_killed_gateway_comes_back_without_losing_or_doubling", killed_gateway),
        Trial::test("a_killed_demo_starts_again_where_it_was", killed_demo),
        Trial::test("halt_cancels_entries_and_survives", halt),
        Trial::test("the_console_uploads_shows_and_halts", console),
        Trial::test("a_second_daemon_on_the_directory_is_refused", second_daemon),
    ];
    libtest_mimic::run(&arguments, tests).exit();
}

/// The books' positions, from `portcullis positions`.
fn book_positions(answer: &Value) -> BTreeMap<String, f64> {
    let rows = answer["positions"].as_array().unwrap();
    rows.iter()
        .map(|row| {
            let quantity: f64 = row["quantity"].as_str().unwrap().parse().unwrap();
            (row["symbol"].as_str().unwrap().to_owned(), quantity)
        })
        .collect()
}

fn book_links(answer: &Value) -> BTreeSet<String> {
    let rows = answer["orders"].as_array().unwrap();
    rows.iter().filter_map(|row| row["link_id"].as_str().map(str::to_owned)).collect()
}

/// Waits until books and exchange agree on positions and open orders, both quiet.
fn assert_agreement(demo: &Demo) {
    let exchange = Exchange::of(&demo.dir, &demo.ready);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let before = (exchange.positions(), exchange.open_links());
        let books = (book_positions(&demo.ask(&["positions"])), book_links(&demo.ask(&["orders"])));
        let after = (exchange.positions(), exchange.open_links());
        if before == after && before == books {
            return;
        }
        assert!(Instant::now() < deadline, "the exchange has {after:?}, the books have {books:?}");
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// No two creates of the journal became one id, and no id of the exchange's history occurs twice.
fn assert_no_duplicates(demo: &Demo) {
    let history = Exchange::of(&demo.dir, &demo.ready).get("/v5/order/history", "category=linear&limit=50");
    let rows = history["result"]["list"].as_array().unwrap();
    // The stops of positions are the exchange's own orders and have no id of ours.
    let links: Vec<&str> =
        rows.iter().map(|row| row["orderLinkId"].as_str().unwrap()).filter(|link| !link.is_empty()).collect();
    let unique: BTreeSet<&str> = links.iter().copied().collect();
    assert_eq!(unique.len(), links.len(), "an order id occurs twice: {links:?}");
}

fn traded(status: &Value) -> bool {
    status["journal"]["records"].as_u64().unwrap() > 40
}

type Tested = Result<(), libtest_mimic::Failed>;

fn trades_and_ends_in_order(options: &[&str]) -> Tested {
    let dir = tempfile::tempdir()?;
    let options: Vec<&str> =
        options.iter().copied().chain(["--exit-after", "25s", "--speed", "20"]).collect();
    let mut demo = Demo::start(dir.path(), &options);
    let summary = demo.line("summary");
    assert_eq!(demo.child.wait()?.code(), Some(0), "{summary}");
    assert_eq!(summary["exit"], 0);
    assert_eq!(summary["journal"]["verified"], true);
    assert!(summary["orders"].as_u64().unwrap() > 0, "{summary}");
    assert!(summary["fills"].as_u64().unwrap() > 0, "{summary}");
    assert_eq!(summary["strategies"].as_array().unwrap().len(), 2);
    for strategy in summary["strategies"].as_array().unwrap() {
        assert_eq!(strategy["state"], "running", "{summary}");
        assert!(strategy["events"].as_u64().unwrap() > 0, "{summary}");
    }
    let verified = json(&portcullis(dir.path(), &["journal", "verify"]));
    assert_eq!(verified["ok"], true);
    assert_eq!(verified["root"], summary["journal"]["root"]);
    Ok(())
}

fn killed_gateway() -> Tested {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), &["--speed", "20"]);
    demo.wait_for("trading", &["status"], traded);
    kill(demo.pid("gateway"), "KILL");
    let restarted = demo.line("restarted");
    assert_eq!(restarted["role"], "gateway");
    let before = demo
        .wait_for("the gateway's return", &["status"], |status| status["inhibits"] == serde_json::json!([]));
    demo.wait_for("trading after the kill", &["status"], |status| {
        status["journal"]["records"].as_u64()
            > before["journal"]["records"].as_u64().map(|records| records + 20)
    });
    demo.ask(&["halt", "--reason", "test"]);
    assert_agreement(&demo);
    assert_no_duplicates(&demo);
    let (summary, code) = demo.end();
    assert_eq!(code, 0, "{summary}");
    assert_eq!(summary["journal"]["verified"], true);
    Ok(())
}

fn killed_demo() -> Tested {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), &["--speed", "20"]);
    demo.wait_for("trading", &["status"], traded);
    let records = demo.ask(&["status"])["journal"]["records"].as_u64().unwrap();
    drop(demo);
    let demo = Demo::start(dir.path(), &["--speed", "20"]);
    let status =
        demo.wait_for("reconciliation", &["status"], |status| status["inhibits"] == serde_json::json!([]));
    assert!(status["journal"]["records"].as_u64().unwrap() >= records.saturating_sub(1), "{status}");
    demo.ask(&["halt", "--reason", "test"]);
    assert_agreement(&demo);
    assert_no_duplicates(&demo);
    let (summary, code) = demo.end();
    assert_eq!(code, 0, "{summary}");
    Ok(())
}

fn halt() -> Tested {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), &["--speed", "20"]);
    demo.wait_for("trading", &["status"], traded);
    demo.ask(&["halt", "--reason", "test"]);
    demo.wait_for("the end of all entries", &["orders"], |orders| orders["orders"] == serde_json::json!([]));
    let exchange = Exchange::of(&demo.dir, &demo.ready);
    assert_eq!(exchange.open_links(), BTreeSet::new());
    // A halt takes the entries and leaves every position its stop.
    assert_eq!(exchange.unprotected(), Vec::<String>::new(), "positions: {:?}", exchange.positions());
    kill(demo.pid("gateway"), "KILL");
    demo.line("restarted");
    let status =
        demo.wait_for("the gateway's return", &["status"], |status| status["trading_state"].is_string());
    assert_eq!(status["trading_state"], "entries-cancelled");
    let confirm = demo.ask(&["rearm"]);
    let code = confirm["code"].as_str().unwrap_or_else(|| panic!("{confirm}")).to_owned();
    demo.ask(&["rearm", "--confirm", &code]);
    assert_eq!(demo.ask(&["status"])["trading_state"], "active");
    Ok(())
}

fn second_daemon() -> Tested {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), &[]);
    let config = dir.path().join("portcullis.toml");
    let second = portcullis(dir.path(), &["gateway", "--config", config.to_str().unwrap()]);
    assert!(!second.status.success());
    let answer = json(&second);
    assert_eq!(answer["ok"], false);
    assert!(answer["detail"].as_str().unwrap().contains("lock"), "{answer}");
    let (summary, code) = demo.end();
    assert_eq!(code, 0, "{summary}");
    Ok(())
}

/// What came back over HTTP: status and JSON.
fn http(request: reqwest::RequestBuilder) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    })
}

fn console() -> Tested {
    let dir = tempfile::tempdir()?;
    let demo = Demo::start(dir.path(), &["--speed", "20"]);
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let text = |key: &str| demo.ready[key].as_str().unwrap_or_else(|| panic!("{}", demo.ready)).to_owned();
    let base = text("console");

    let credentials = serde_json::json!({"user": text("user"), "password": text("password")});
    assert_eq!(http(client.post(format!("{base}/api/login")).json(&credentials)).0, 200);
    let get = |path: &str| http(client.get(format!("{base}{path}")).bearer_auth(text("token")));
    let (code, status) = get("/api/status");
    assert_eq!(code, 200);
    let mut running: Vec<&str> = status["strategies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["state"] == "running")
        .map(|line| line["name"].as_str().unwrap())
        .collect();
    running.sort_unstable();
    assert_eq!(running, ["ema-cross", "market-maker"], "{status}");

    // The same bundle again is a second owner of the symbol, and a broken one is none.
    let built = std::fs::read_dir(dir.path().join("built"))?.next().unwrap()?.path();
    let bundle = std::fs::read(built)?;
    let upload = |name: &str, body: Vec<u8>| {
        let url = format!("{base}/api/bundles?budget=1000&name={name}");
        let request = client.post(url).bearer_auth(text("token"));
        let (code, answer) = http(request.header("Content-Type", "application/octet-stream").body(body));
        (code, answer["code"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(upload("market-maker", bundle.clone()), (409, "STRATEGY_EXISTS".to_owned()));
    let mut broken = bundle;
    let last = broken.len() - 1;
    broken[last] ^= 1;
    assert_eq!(upload("another", broken).0, 422);
    assert_eq!(std::fs::read_dir(dir.path().join("incoming"))?.count(), 0, "nothing is left behind");

    let halt = client.post(format!("{base}/api/halt")).bearer_auth(text("token"));
    assert_eq!(http(halt.json(&serde_json::json!({"reason": "over http"}))).0, 200);
    assert_eq!(get("/api/status").1["trading_state"], "entries-cancelled");

    // Started again it is where it was, and everybody's session and token still count.
    kill(demo.pid("console"), "KILL");
    assert_eq!(demo.line("restarted")["role"], "console");
    assert_eq!(get("/api/status").0, 200);

    let (summary, code) = demo.end();
    assert_eq!(code, 0, "{summary}");
    let journal = String::from_utf8(portcullis(dir.path(), &["journal", "tail"]).stdout)?;
    for fact in ["console:token/demo", "over http", "login"] {
        assert!(journal.contains(fact), "{fact} is not journaled");
    }
    Ok(())
}
