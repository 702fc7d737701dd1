//! `run` and the gateway role.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Options of `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Configuration file.
    #[arg(long, value_name = "F")]
    pub(crate) config: PathBuf,
    /// Name the environment a second time; required for live.
    #[arg(long, value_name = "ENV")]
    pub(crate) env: Option<String>,
    /// Start every role as a child of this process.
    #[arg(long)]
    pub(crate) all_in_one: bool,
    /// Start the console too, on this address of the loopback.
    #[arg(long, value_name = "ADDR", requires = "all_in_one")]
    pub(crate) console: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) accept: AcceptLimits,
}

/// Options of the runner role.
#[derive(Debug, Args)]
pub(crate) struct Runner {
    /// The binary for strategies of tier wasi, portcullis-wasi-cell; without it none of them starts.
    #[arg(long, value_name = "FILE")]
    pub(crate) wasi_cell: Option<PathBuf>,
}

/// Options of the gateway role.
#[derive(Debug, Args)]
pub(crate) struct Gateway {
    /// Configuration file.
    #[arg(long, value_name = "F")]
    pub(crate) config: PathBuf,
    /// Name the environment a second time; required for live.
    #[arg(long, value_name = "ENV")]
    pub(crate) env: Option<String>,
    #[command(flatten)]
    pub(crate) accept: AcceptLimits,
}

/// How looser limits are accepted at the start.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AcceptLimits {
    /// Start although limits.toml is looser than the limits in force: the beginning of its hash, as the refusal names it.
    #[arg(long, value_name = "HASH", requires = "accept_reason")]
    pub(crate) accept_limits: Option<String>,
    /// Why looser limits are accepted, for the journal.
    #[arg(long, value_name = "TEXT", requires = "accept_limits")]
    pub(crate) accept_reason: Option<String>,
}
