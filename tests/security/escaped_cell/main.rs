//! A cell that has been taken over. The payload here is native code that runs in place of a cell: started by the production runner,
//! under the production sandbox, with exactly a cell's descriptors. It tries everything else there is, one attempt a process, and
//! each has to fail in the way that the table says (RULES Q4).
//!
//! This binary is the roles too: started the way roles are, it is one; otherwise it runs the tests.

#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::undocumented_unsafe_blocks,
    reason = "test code, and that of an attacker"
)]

#[path = "../../support/demo.rs"]
mod demo;

mod attempts;
mod documented;
mod fixture;
mod live;
mod payload;
mod trials;
mod world;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::Arguments;
use portcullis_cell::{CELL_ROLE, COMPILE_ROLE, RUNNER_ROLE, RunnerConfig, compile_role, runner_role};

/// The role in which an attempt runs in a child split off from its process, as backtests do.
pub const LAB_ROLE: &str = "lab";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    if arguments.next().as_deref() != Some(OsStr::new("portcullis")) {
        return libtest_mimic::run(&Arguments::from_args(), trials::all()).exit_code();
    }
    let role = arguments.next().unwrap();
    let arguments: Vec<OsString> = arguments.collect();
    let ended = match role.to_str() {
        Some(CELL_ROLE) => payload::cell(&arguments),
        Some(LAB_ROLE) => payload::lab(),
        Some(COMPILE_ROLE) => compile_role(&arguments),
        Some(RUNNER_ROLE) => runner_role(&RunnerConfig {
            handed_over: false,
            socket: PathBuf::from(&arguments[0]),
            executable: "/proc/self/exe".into(),
            wasi_executable: None,
            require_sandbox: std::env::var_os("CI").is_some(),
        }),
        _ => panic!("{role:?} is no role"),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
