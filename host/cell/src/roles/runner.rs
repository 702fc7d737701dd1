//! The `runner` role: starts cells and compilers for one gateway at a time and buries them.
//!
//! It is not in the data path: the gateway gets its end of each cell's socket and talks to the cell itself (RULES C2). When
//! the gateway's session ends, for whatever reason, every child ends with it (RULES C3).

mod cells;
mod children;
mod session;

use std::io;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use portcullis_role::{FIRST_DESCRIPTOR, check_peer, inherited, listen};

use super::RoleError;
use super::sandbox::confine_runner;
use session::Session;

/// What a runner needs to know.
#[derive(Debug, Clone)]
pub struct RunnerConfig {
    /// Where to listen for the gateway.
    pub socket: PathBuf,
    /// Whether the parent listens there already, and handed the socket over as the first descriptor.
    pub handed_over: bool,
    /// The binary whose `cell` and `compile` roles to start; normally `/proc/self/exe`.
    pub executable: PathBuf,
    /// The binary of the cells that offer WASI, `portcullis-wasi-cell`; `None` where no strategy may be of that tier.
    pub wasi_executable: Option<PathBuf>,
    /// Whether to refuse a kernel that cannot put files out of reach.
    pub require_sandbox: bool,
}

/// Runs the `runner` role: serves one gateway session after the other, for ever. Call it on the main thread, because children
/// die with the thread that started them.
///
/// # Errors
///
/// When it cannot listen or accept; a session that ends badly is logged and the next one awaited.
pub fn runner_role(config: &RunnerConfig) -> Result<(), RoleError> {
    let listener = if config.handed_over {
        inherited(FIRST_DESCRIPTOR).map(UnixListener::from)
    } else {
        listen(&config.socket)
    };
    let listener = listener.map_err(RoleError::system("listen"))?;
    let sandbox = confine_runner(config)?;
    tracing::info!(%sandbox, "confined, and with it every cell");
    loop {
        serve_one(&listener, config).map_err(RoleError::system("accept"))?;
    }
}

fn serve_one(listener: &UnixListener, config: &RunnerConfig) -> io::Result<()> {
    let (stream, _) = listener.accept()?;
    if let Err(error) = check_peer(&stream) {
        tracing::warn!(%error, "a stranger asked for a session");
        return Ok(());
    }
    tracing::info!("session opened");
    match Session::open(stream, config).and_then(Session::run) {
        Ok(()) => tracing::info!("session closed"),
        Err(error) => tracing::error!(%error, "session ended"),
    }
    Ok(())
}
