//! Bad input at the command line: each a clear error with a stable code and the right exit code, and nothing is changed.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Exit code and the last line on stdout.
fn portcullis(dir: &Path, arguments: &[&str]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .arg("--json")
        .arg("--dir")
        .arg(dir)
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let last = text
        .lines()
        .last()
        .unwrap_or_else(|| panic!("no output; {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), serde_json::from_str(last).unwrap())
}

fn code(answer: &Value) -> &str {
    answer["code"].as_str().unwrap()
}

#[test]
fn a_bundle_that_is_none_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.strategy");
    std::fs::write(&file, b"not a bundle").unwrap();
    std::fs::write(dir.path().join("root.json"), br#"{"format":1,"keys":[]}"#).unwrap();
    let (exit, answer) = portcullis(dir.path(), &["strategy", "check", file.to_str().unwrap()]);
    assert_eq!(exit, 1, "{answer}");
    assert_eq!(answer["ok"], false);
    assert!(!code(&answer).is_empty());
}

#[test]
fn a_host_without_a_trust_root_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.strategy");
    std::fs::write(&file, b"PCS1").unwrap();
    let (exit, answer) = portcullis(dir.path(), &["strategy", "check", file.to_str().unwrap()]);
    assert_eq!(exit, 1, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("root.json"), "{answer}");
}

#[test]
fn a_key_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_str().unwrap();
    let (exit, answer) = portcullis(dir.path(), &["keys", "generate", "alice", "--out", out]);
    assert_eq!((exit, &answer["ok"]), (0, &Value::Bool(true)));
    let before = std::fs::read(dir.path().join("alice.key")).unwrap();
    let (exit, answer) = portcullis(dir.path(), &["keys", "generate", "alice", "--out", out]);
    assert_eq!(exit, 1, "{answer}");
    assert_eq!(std::fs::read(dir.path().join("alice.key")).unwrap(), before);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let (exit, answer) = portcullis(dir.path(), &["paper", "--listen", &address]);
    assert_eq!(exit, 3, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains(&address), "{answer}");
}

#[test]
fn a_broken_data_file_is_named_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("trades.csv");
    let text = "market,symbol,local_recv_ns,event_ms,trade_ms,trade_id,price,qty,taker_side,order_type\n\
                usdm,BTCUSDT,1723161254087896568,1723161255343,1723161255342,1,61837.6,0.02,sell,\n\
                usdm,BTCUSDT,1723161254087896568,1723161255343,1723161255342,2,sixty,0.02,sell,\n";
    std::fs::write(&file, text).unwrap();
    let arguments = ["paper", "--listen", "127.0.0.1:0", "--data", file.to_str().unwrap()];
    let (exit, answer) = portcullis(dir.path(), &arguments);
    assert_eq!(exit, 3, "{answer}");
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains("trades.csv") && detail.contains('3') && detail.contains("sixty"), "{answer}");
}

#[test]
fn nobody_answers_without_a_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let (exit, answer) = portcullis(dir.path(), &["status"]);
    assert_eq!(exit, 3, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("portcullis demo"), "{answer}");
}

#[test]
fn a_configuration_reports_everything_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("portcullis.toml");
    let text = "environment = \"live\"\n[venue]\nread_key = \"a\"\nlookahead_us = 99999999\n\
                [[strategy]]\nname = \"Bad Name\"\nbundle = \"x\"\nbudget = \"much\"\n";
    std::fs::write(&file, text).unwrap();
    let (exit, answer) = portcullis(dir.path(), &["gateway", "--config", file.to_str().unwrap()]);
    assert_eq!(exit, 2, "{answer}");
    let detail = answer["detail"].as_str().unwrap();
    for word in ["--env live", "lookahead_us", "Bad Name", "much"] {
        assert!(detail.contains(word), "{word} is missing in {detail}");
    }
}

#[test]
fn limits_are_never_assumed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("portcullis.toml");
    let text = "environment = \"paper\"\n[venue]\nrest = \"http://127.0.0.1:1\"\nws = \"ws://127.0.0.1:1\"\n\
                read_key = \"a\"\nlookahead_us = 1000\n";
    std::fs::write(&file, text).unwrap();
    let (exit, answer) = portcullis(dir.path(), &["gateway", "--config", file.to_str().unwrap()]);
    assert_eq!(exit, 2, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("limits.toml"), "{answer}");
}

#[test]
fn a_broken_file_of_deployments_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("portcullis.toml");
    let text = "environment = \"paper\"\n[venue]\nrest = \"http://127.0.0.1:1\"\nws = \"ws://127.0.0.1:1\"\n\
                read_key = \"a\"\nlookahead_us = 1000\n";
    std::fs::write(&file, text).unwrap();
    std::fs::write(dir.path().join("deployments.toml"), "[[strategy]]\nname = \"half a").unwrap();
    let (exit, answer) = portcullis(dir.path(), &["gateway", "--config", file.to_str().unwrap()]);
    assert_eq!(exit, 2, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("deployments.toml"), "{answer}");
}

#[test]
fn a_strategy_is_started_in_a_running_gateway_only() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.strategy");
    std::fs::write(&file, b"PCS1").unwrap();
    let (exit, answer) = portcullis(dir.path(), &["strategy", "start", file.to_str().unwrap()]);
    assert_eq!(exit, 3, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("no gateway answers"), "{answer}");
    assert_eq!(std::fs::read_dir(dir.path().join("incoming")).unwrap().count(), 0);
    let (exit, _) = portcullis(dir.path(), &["strategy", "list"]);
    assert_eq!(exit, 3);
}
