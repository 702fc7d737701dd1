//! `portcullis backtest` as an author uses it: the reference strategy over the head-to-head series, and everything that can be wrong with
//! data, each a clear error with a code.

#![allow(
    missing_docs,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test code"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::{Compression, write::GzEncoder};
use portcullis_core::DEMO_LIMITS;
use serde_json::Value;
use tempfile::TempDir;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Runs a backtest of the reference strategy; its exit code and the JSON it printed.
fn backtest(arguments: &[&str]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .current_dir(ROOT)
        .args(["backtest", "--json", "--strategy", "plugins/ema-cross"])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text.lines().last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), serde_json::from_str(last).unwrap())
}

/// The code and the words of a backtest that must fail.
fn refused(arguments: &[&str]) -> (i32, String, String) {
    let (exit, report) = backtest(arguments);
    assert_eq!(report["ok"], false, "{report}");
    let text = |key: &str| report[key].as_str().unwrap().to_owned();
    (exit, text("code"), text("detail"))
}

fn file(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// A backtest on one file, under the demo's limits.
fn on(dir: &TempDir, data: &Path, more: &[&str]) -> (i32, String, String) {
    let limits = file(dir, "limits.toml", DEMO_LIMITS);
    let mut arguments = vec!["--data", data.to_str().unwrap(), "--limits", limits.to_str().unwrap()];
    arguments.extend(more);
    refused(&arguments)
}

const TRADES: &str = "timestamp,symbol,side,size,price\n";

fn trade(seconds: &str, price: &str) -> String {
    format!("{seconds},BTCUSDT,Buy,0.010,{price}\n")
}

#[test]
fn the_same_run_gives_the_same_journal_whatever_it_was_shown_at_once() {
    let (exit, first) = backtest(&["--data", "synthetic:h1:20000"]);
    assert_eq!(exit, 0, "{first}");
    assert_eq!(first["events"], 20_000);
    assert_eq!(first["orders"], first["fills"]);
    assert!(first["orders"].as_u64().unwrap() > 500, "{first}");
    let (_, again) = backtest(&["--data", "synthetic:h1:20000"]);
    assert_eq!(first["journal_root"], again["journal_root"]);
    let (_, strict) = backtest(&["--data", "synthetic:h1:20000", "--strict"]);
    assert_eq!(first["journal_root"], strict["journal_root"]);
    // Another fee is another history.
    let (_, dearer) = backtest(&["--data", "synthetic:h1:20000", "--taker-bps", "6"]);
    assert_ne!(first["journal_root"], dearer["journal_root"]);
}

#[test]
fn the_book_around_the_series_changes_nothing_for_market_orders() {
    let (_, trades) = backtest(&["--data", "synthetic:h1:20000"]);
    let (exit, depth) = backtest(&["--data", "synthetic:h1-depth:20000"]);
    assert_eq!(exit, 0, "{depth}");
    assert!(depth["events"].as_u64().unwrap() > 80_000, "{depth}");
    assert_eq!(trades["orders"], depth["orders"]);
    assert_eq!(trades["net_pnl"], depth["net_pnl"]);
}

#[test]
fn limits_hold_in_a_backtest_too_and_the_report_says_so() {
    let dir = TempDir::new().unwrap();
    let limits = file(&dir, "limits.toml", DEMO_LIMITS);
    let limits = limits.to_str().unwrap();
    // Half a coin is 30,000 USDT, and the demo allows 20,000 an order.
    let data = ["--data", "synthetic:h1:20000", "--limits", limits, "--set", "size=0.5"];
    let (exit, report) = backtest(&data);
    assert_eq!(exit, 0, "{report}");
    assert_eq!(report["orders"], 0, "{report}");
    assert_eq!(report["refused"]["ORDER_NOTIONAL_LIMIT"], report["intents"], "{report}");
    assert!(report["intents"].as_u64().unwrap() > 500, "{report}");
}

#[test]
fn latency_moves_the_fills() {
    let (_, none) = backtest(&["--data", "synthetic:h1:20000"]);
    let (exit, late) = backtest(&["--data", "synthetic:h1:20000", "--latency", "300ms"]);
    assert_eq!(exit, 0, "{late}");
    assert_eq!(late["latency_ns"], 300_000_000);
    assert_ne!(none["net_pnl"], late["net_pnl"]);
}

#[test]
fn recorded_data_needs_limits_of_the_users_own() {
    let dir = TempDir::new().unwrap();
    let data = file(&dir, "trades.csv", &(TRADES.to_owned() + &trade("1735689600.5", "60000")));
    let (exit, code, detail) = refused(&["--data", data.to_str().unwrap()]);
    assert_eq!((exit, code.as_str()), (2, "USAGE"));
    assert!(detail.contains("--limits"), "{detail}");
}

#[test]
fn rows_out_of_order_are_named() {
    let dir = TempDir::new().unwrap();
    let rows = [trade("1735689600", "60000"), trade("1735689602", "60001"), trade("1735689601", "60002")];
    let data = file(&dir, "trades.csv", &(TRADES.to_owned() + &rows.concat()));
    let (exit, code, detail) = on(&dir, &data, &[]);
    assert_eq!((exit, code.as_str()), (1, "DATA_DISORDER"));
    assert!(detail.contains("line 4"), "{detail}");
}

#[test]
fn a_missing_bar_is_named_and_can_be_allowed() {
    let dir = TempDir::new().unwrap();
    let bar = |minute: u64| format!("{},60000,60010,59990,60005,12.5\n", 1_735_689_600_000 + minute * 60_000);
    let bars: String = [0, 1, 2, 4, 5].into_iter().map(bar).collect();
    let data = file(&dir, "BTCUSDT-linear-1m.csv", &format!("start_ms,open,high,low,close,volume\n{bars}"));
    let (exit, code, detail) = on(&dir, &data, &[]);
    assert_eq!((exit, code.as_str()), (1, "DATA_GAP"));
    assert!(detail.contains("line 5") && detail.contains("--allow-gaps"), "{detail}");
    let limits = dir.path().join("limits.toml");
    let (exit, report) =
        backtest(&["--data", data.to_str().unwrap(), "--limits", limits.to_str().unwrap(), "--allow-gaps"]);
    assert_eq!((exit, report["events"].as_u64()), (0, Some(20)), "{report}");
}

#[test]
fn times_in_another_unit_are_named() {
    let dir = TempDir::new().unwrap();
    let data = file(&dir, "trades.csv", &(TRADES.to_owned() + &trade("1735689600000", "60000")));
    let (exit, code, detail) = on(&dir, &data, &[]);
    assert_eq!((exit, code.as_str()), (1, "DATA_LINE"));
    assert!(detail.contains("seconds"), "{detail}");
}

#[test]
fn a_truncated_archive_is_unreadable() {
    let dir = TempDir::new().unwrap();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let rows: String = (0..2_000).map(|n| trade(&format!("{}", 1_735_689_600 + n), "60000")).collect();
    packed.write_all((TRADES.to_owned() + &rows).as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let data = dir.path().join("trades.csv.gz");
    fs::write(&data, &packed[..packed.len() / 2]).unwrap();
    let (exit, code, _) = on(&dir, &data, &[]);
    assert_eq!((exit, code.as_str()), (1, "DATA_UNREADABLE"));
}

#[test]
fn other_data_than_the_strategy_trades_is_named() {
    let dir = TempDir::new().unwrap();
    let row = "1735689600,ETHUSDT,Buy,0.10,2500\n";
    let data = file(&dir, "trades.csv", &(TRADES.to_owned() + row));
    let (exit, code, detail) = on(&dir, &data, &[]);
    assert_eq!((exit, code.as_str()), (1, "DATA_LACKS_MARKET"));
    assert!(detail.contains("BTCUSDT") && detail.contains("ETHUSDT"), "{detail}");
}

#[test]
fn parameters_are_checked_against_the_strategys_own_words() {
    let (exit, code, detail) = refused(&["--data", "synthetic:h1:100", "--set", "fats=3", "--set", "slow=1"]);
    assert_eq!((exit, code.as_str()), (1, "PARAMETERS"));
    assert!(detail.contains("fats") && detail.contains("slow"), "{detail}");
}

#[test]
fn a_series_without_a_length_is_usage() {
    for data in ["synthetic:h1:0", "synthetic:h1:many", "synthetic:h2:100"] {
        let (exit, code, _) = refused(&["--data", data]);
        assert_eq!((exit, code.as_str()), (2, "USAGE"), "{data}");
    }
}
