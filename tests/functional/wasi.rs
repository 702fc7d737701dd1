//! A strategy of the tier `wasi`, in the binary of its own: only where the operator says so.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "../support/demo.rs"]
mod support;
#[path = "../support/tools.rs"]
mod tools;

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Failed};

use support::{BINARY, Demo, json};

type Tested = Result<(), Failed>;

const WASI_CELL: &str = "portcullis-wasi-cell";

fn main() {
    // `cargo test --workspace` builds the other binary too; a run of this suite alone may not have.
    let built = Path::new(BINARY).with_file_name(WASI_CELL).exists();
    let trial = |name, test| tools::trial(name, (!built).then_some(WASI_CELL), test);
    let trials = vec![
        trial("a_strategy_that_insists_on_wasi_trades_on_paper", trade),
        trial("nothing_of_it_starts_without_the_operators_leave", refuse),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn portcullis(arguments: &[&str]) -> Result<serde_json::Value, Failed> {
    let output = Command::new(BINARY).arg("--json").args(arguments).output()?;
    if output.status.success() { Ok(json(&output)) } else { Err(format!("{output:?}").into()) }
}

/// The lesson, signed by an author whom `dir` trusts.
fn bundle(scratch: &Path, dir: &str) -> Result<String, Failed> {
    let path = |name: &str| scratch.join(name).display().to_string();
    let folder = repository().join("plugins/dice");
    portcullis(&["keys", "generate", "author", "--out", &path("")])?;
    portcullis(&["--dir", dir, "keys", "trust", &path("author.pub"), "--owner", "a", "--env", "paper"])?;
    portcullis(&["strategy", "build", &folder.display().to_string(), "--out", &path("dice.wasm")])?;
    let manifest = folder.join("strategy.toml").display().to_string();
    portcullis(&[
        "strategy",
        "sign",
        &path("dice.wasm"),
        "--manifest",
        &manifest,
        "--key",
        &path("author.key"),
        "--out",
        &path("dice.strategy"),
    ])?;
    Ok(path("dice.strategy"))
}

fn trade() -> Tested {
    let scratch = tempfile::tempdir()?;
    let dir = scratch.path().join("demo");
    let bundle = bundle(scratch.path(), &dir.display().to_string())?;
    let demo = Demo::start(&dir, &["--speed", "20", "--strategy", &bundle]);
    let status =
        demo.wait_for("the strategy", &["status"], |status| status["strategies"][0]["state"] == "running");
    assert_eq!(status["strategies"][0]["bundle"], "dice-0.1.0", "{status}");
    // Its process is the other binary, and nothing else is.
    let cell = std::fs::read_dir("/proc")?
        .filter_map(Result::ok)
        .filter_map(|entry| std::fs::read_link(entry.path().join("exe")).ok())
        .filter(|binary| binary.file_name().is_some_and(|name| name == WASI_CELL))
        .count();
    assert!(cell >= 1, "no wasi cell runs");
    demo.wait_for("a position", &["positions"], |answer| {
        answer["positions"].as_array().unwrap().iter().any(|position| position["symbol"] == "linear:BTCUSDT")
    });
    let (summary, exit) = demo.end();
    assert_eq!((exit, &summary["journal"]["verified"]), (0, &true.into()), "{summary}");
    assert_eq!(summary["strategies"][0]["faults"], 0, "{summary}");
    Ok(())
}

fn refuse() -> Tested {
    let scratch = tempfile::tempdir()?;
    let dir = scratch.path().join("demo");
    let bundle = bundle(scratch.path(), &dir.display().to_string())?;
    // The demo's own strategies: nobody named one of this tier.
    let demo = Demo::start(&dir, &[]);
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let url = format!("{}/api/bundles?name=dice&budget=1000", demo.ready["console"].as_str().unwrap());
    let upload = reqwest::Client::builder()
        .no_proxy()
        .build()?
        .post(url)
        .bearer_auth(demo.ready["token"].as_str().unwrap())
        .header("Content-Type", "application/octet-stream")
        .body(std::fs::read(bundle)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let said = runtime.block_on(async { upload.send().await?.text().await })?;
    assert!(said.contains("WASI_NOT_ALLOWED"), "{said}");
    let (summary, exit) = demo.end();
    assert_eq!(exit, 0, "{summary}");
    Ok(())
}
