//! `portcullis-wasi-cell`: the role `cell` for components of the `wasi` tier.
//!
//! A binary of its own, because `wasmtime-wasi` switches on wasmtime's async code in everything it is built with; the runner starts it
//! in the place of `portcullis cell` for strategies whose manifest says `tier = "wasi"` and whose operator allows it. What it offers is
//! in `imports.rs`; everything else is the cell of `portcullis-cell`, under the same sandbox and the same limits.

mod clock;
mod imports;
mod output;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::process::ExitCode;

use portcullis_cell::{CELL_ROLE, cell_role_with};

use crate::imports::WasiImports;

/// As of `portcullis` itself: what was asked for makes no sense.
const USAGE: u8 = 2;

/// As of `portcullis` itself: the surroundings are not what they should be.
const ENVIRONMENT: u8 = 3;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let Some((role, arguments)) = arguments.split_first().filter(|(role, _)| *role == CELL_ROLE) else {
        tracing::error!("portcullis-wasi-cell has one role, `cell`, and is started by `portcullis runner`");
        return ExitCode::from(USAGE);
    };
    // Host functions of WASI may be written with await; nothing of ours ever waits, so the executor has neither a reactor nor a timer,
    // and no thread of its own.
    let executor = match tokio::runtime::Builder::new_current_thread().build() {
        Ok(executor) => executor,
        Err(error) => {
            tracing::error!(%error, "no executor");
            return ExitCode::from(ENVIRONMENT);
        }
    };
    let _entered = executor.enter();
    match cell_role_with::<WasiImports>(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(role = %role.display(), %error, "ended");
            ExitCode::from(ENVIRONMENT)
        }
    }
}
