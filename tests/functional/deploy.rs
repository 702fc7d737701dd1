//! What a server is set up with: units that systemd takes and that expose little, a site that nginx takes and that holds back
//! what it should, and a script that installs everything and, run again, changes nothing.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "deploy/installer.rs"]
mod installer;
#[path = "deploy/site.rs"]
mod site;
#[path = "../support/tools.rs"]
mod tools;
#[path = "deploy/units.rs"]
mod units;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");

fn main() {
    let arguments = Arguments::from_args();
    let mut tests = units::tests();
    tests.extend(site::tests());
    tests.extend(installer::tests());
    libtest_mimic::run(&arguments, tests).exit();
}

/// The folder under test.
fn deploy() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy").canonicalize().unwrap()
}

/// A test that needs tools of the system.
fn trial(name: &str, tools: &[&'static str], test: fn() -> Result<(), Failed>) -> Trial {
    tools::trial(name, tools.iter().copied().find(|tool| !there(tool)), test)
}

/// `root` stands for running as root.
fn there(tool: &str) -> bool {
    if tool == "root" {
        return rustix::process::geteuid().is_root();
    }
    let looked_for = format!("command -v {tool}");
    let found = Command::new("sh").args(["-c", &looked_for]).stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// Runs a command to its end; its exit code and everything it said.
fn run(command: &mut Command) -> (i32, String) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}
