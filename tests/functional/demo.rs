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

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

/// Long enough for a first build of the strategies on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

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
        Trial::test("a_second_daemon_on_the_directory_is_refused", second_daemon),
    ];
    libtest_mimic::run(&arguments, tests).exit();
}

/// A running demo, killed when dropped.
struct Demo {
    child: Child,
    lines: Receiver<Value>,
    dir: PathBuf,
    ready: Value,
}

impl Demo {
    fn start(dir: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .args(["demo", "--json", "--dir"])
            .arg(dir)
            .args(options)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                if send.send(value).is_err() {
                    return;
                }
            }
        });
        let mut demo = Self { child, lines, dir: dir.to_owned(), ready: Value::Null };
        demo.ready = demo.line("ready");
        demo
    }

    /// The next line of this type.
    fn line(&self, kind: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line["type"] == kind => return line,
                Ok(line) if line["ok"] == false => panic!("the demo failed: {line}"),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("no {kind} line within {PATIENCE:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the demo ended without a {kind} line"),
            }
        }
    }

    fn ask(&self, command: &[&str]) -> Value {
        json(&portcullis(&self.dir, command))
    }

    /// Asks until the answer satisfies; the system works on its own time.
    fn wait_for(&self, what: &str, command: &[&str], holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let answer = self.ask(command);
            if holds(&answer) {
                return answer;
            }
            assert!(Instant::now() < deadline, "{what} did not come about: {answer}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Interrupts the demo and returns its summary and exit code.
    fn end(mut self) -> (Value, i32) {
        kill(self.child.id(), "TERM");
        let summary = self.line("summary");
        (summary, self.child.wait().unwrap().code().unwrap())
    }

    fn pid(&self, role: &str) -> u32 {
        u32::try_from(self.ready["pids"][role].as_u64().unwrap()).unwrap()
    }

    fn exchange(&self) -> Exchange {
        Exchange::new(&self.dir, self.ready["paper"]["rest"].as_str().unwrap())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the exchange itself says, asked with the gateway's read key.
struct Exchange {
    base: String,
    credentials: portcullis_wire::Credentials,
}

impl Exchange {
    fn new(dir: &Path, base: &str) -> Self {
        let text = std::fs::read_to_string(dir.join("keys/read.toml")).unwrap();
        let keys: BTreeMap<String, String> = toml::from_str(&text).unwrap();
        let credentials = portcullis_wire::Credentials::new(&keys["key"], &keys["secret"].clone().into());
        Self { base: base.to_owned(), credentials }
    }

    fn get(&self, path: &str, query: &str) -> Value {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
        let timestamp = u64::try_from(now).unwrap();
        let signature = self.credentials.sign_request(timestamp, 5_000, query.as_bytes());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer: Value = runtime.block_on(async {
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            reqwest::Client::new()
                .get(format!("{}{path}?{query}", self.base))
                .header("X-BAPI-API-KEY", self.credentials.key())
                .header("X-BAPI-TIMESTAMP", timestamp)
                .header("X-BAPI-RECV-WINDOW", 5_000)
                .header("X-BAPI-SIGN", signature.as_str())
                .send()
                .await
                .unwrap()
                .json()
                .await
                .unwrap()
        });
        assert_eq!(answer["retCode"], 0, "{answer}");
        answer
    }

    /// Size of each position, negative when short, as text without trailing zeros.
    fn positions(&self) -> BTreeMap<String, f64> {
        let answer = self.get("/v5/position/list", "category=linear&settleCoin=USDT");
        answer["result"]["list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let size: f64 = row["size"].as_str().unwrap().parse().unwrap();
                let signed = if row["side"] == "Sell" { -size } else { size };
                (format!("linear:{}", row["symbol"].as_str().unwrap()), signed)
            })
            .filter(|(_, size)| *size != 0.0)
            .collect()
    }

    fn open_links(&self) -> BTreeSet<String> {
        let answer = self.get("/v5/order/realtime", "category=linear&settleCoin=USDT&limit=50");
        let rows = answer["result"]["list"].as_array().unwrap();
        rows.iter().map(|row| row["orderLinkId"].as_str().unwrap().to_owned()).collect()
    }
}

fn portcullis(dir: &Path, command: &[&str]) -> Output {
    Command::new(BINARY).arg("--json").arg("--dir").arg(dir).args(command).output().unwrap()
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text
        .lines()
        .last()
        .unwrap_or_else(|| panic!("no output; stderr: {}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(last).unwrap()
}

fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([format!("-{signal}"), pid.to_string()]).status().unwrap().success());
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
    let exchange = demo.exchange();
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
    let history = demo.exchange().get("/v5/order/history", "category=linear&limit=50");
    let rows = history["result"]["list"].as_array().unwrap();
    let links: Vec<&str> = rows.iter().map(|row| row["orderLinkId"].as_str().unwrap()).collect();
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
    assert_eq!(demo.exchange().open_links(), BTreeSet::new());
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
