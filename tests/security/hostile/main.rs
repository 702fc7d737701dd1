//! Hostile guests, each with the exact outcome it must have: refused at admission with its code, not compiled, not loaded, a fault
//! of its kind in its entry with the whole budget charged, or harmless.
//!
//! Admission and guests run in this process; what is meant for the compiler is compiled in the confined `compile` role, and a
//! choice of guests runs in the confined `cell` role too. This binary is those roles: started the way roles are, it is one.
//! `HOSTILE_MUTATIONS=1000000 cargo test -p portcullis-cell --release --test hostile -- mutations` is the long run.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "test code"
)]

#[path = "../../../host/cell/tests/common/mod.rs"]
mod common;

mod bombs;
mod boundary;
mod bytes;
mod expect;
mod mutations;
mod outcomes;
mod processes;
mod shapes;
mod spins;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::Arguments;
use portcullis_cell::{
    CELL_ROLE, COMPILE_ROLE, RUNNER_ROLE, RunnerConfig, cell_role, compile_role, runner_role,
};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    match arguments.next().as_deref().and_then(OsStr::to_str) {
        Some("portcullis") => role(arguments),
        Some(mutations::WORKER) => mutations::work(arguments),
        _ => {
            let trials = [
                bytes::trials(),
                boundary::trials(),
                shapes::trials(),
                spins::trials(),
                outcomes::trials(),
                bombs::trials(),
                processes::trials(),
                mutations::trials(),
            ];
            libtest_mimic::run(&Arguments::from_args(), trials.into_iter().flatten().collect()).exit_code()
        }
    }
}

fn role(mut arguments: std::env::ArgsOs) -> ExitCode {
    let role = arguments.next().unwrap();
    let arguments: Vec<OsString> = arguments.collect();
    let ended = match role.to_str() {
        Some(CELL_ROLE) => cell_role(&arguments),
        Some(COMPILE_ROLE) => compile_role(&arguments),
        Some(RUNNER_ROLE) => {
            let config = RunnerConfig {
                handed_over: false,
                require_sandbox: false,
                socket: PathBuf::from(&arguments[0]),
                executable: "/proc/self/exe".into(),
                wasi_executable: None,
            };
            runner_role(&config)
        }
        _ => panic!("{role:?} is no role"),
    };
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
