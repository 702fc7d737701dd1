//! Real Bybit clients against `portcullis paper`: pybit, ccxt and bybit-api at pinned versions, as their users run them.
//!
//! `setup.sh` installs them in a cache folder. Each script tells the parts it has gone through, and ends with an error at the
//! first thing that is not as its client expects.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

#[path = "../support/tools.rs"]
mod tools;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Failed};
use serde_json::Value;

type Tested = Result<(), Failed>;

fn main() {
    let missing = tools::missing(&[tools::PYTHON, tools::NODE, tools::NPM, ("flock", &["flock", "-V"])]);
    let trial = |name, test| tools::trial(name, missing, test);
    let trials = vec![
        trial("pybit", || python("pybit_client.py")),
        trial("ccxt", || python("ccxt_client.py")),
        trial("bybit_api", || {
            let mut command = Command::new("node");
            command.arg("bybit_api_client.mjs").env("NODE_CLIENTS", clients()?.join("node"));
            drive(command)
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance")
}

/// Where the clients are installed.
fn clients() -> Result<&'static PathBuf, Failed> {
    static FOLDER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let output = Command::new(scripts().join("setup.sh")).output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("setup.sh: {}", told(&output)));
        }
        Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
    });
    folder.as_ref().map_err(|error| error.clone().into())
}

fn python(script: &str) -> Tested {
    let mut command = Command::new(clients()?.join("python/bin/python"));
    command.arg("-B").arg(script);
    drive(command)
}

/// Runs a script against an exchange of its own.
fn drive(mut command: Command) -> Tested {
    let exchange = Exchange::start();
    command.current_dir(scripts());
    for (name, member) in [("PAPER_REST", "rest"), ("PAPER_WS", "ws")] {
        command.env(name, exchange.ready[member].as_str().unwrap());
    }
    command.env("PAPER_KEY", "paper-key").env("PAPER_SECRET", "paper-secret");
    let output = command.output()?;
    let went_through = output.status.success() && told(&output).contains("ok all");
    if went_through { Ok(()) } else { Err(told(&output).into()) }
}

fn told(output: &Output) -> String {
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}\n{error}")
}

struct Exchange {
    child: Child,
    ready: Value,
}

impl Exchange {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["paper", "--listen", "127.0.0.1:0", "--key", "paper-key", "--secret", "paper-secret"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["type"], "ready", "{line}");
        Self { child, ready }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
