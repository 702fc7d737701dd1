//! `run` and the roles that trading takes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Options of `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Configuration file.
    #[arg(long, value_name = "F")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) named: Named,
    /// Start every role as a child of this process. Never with real money.
    #[arg(long)]
    pub(crate) all_in_one: bool,
    /// The signer's own file, with its cap and its key [default: keys/signer.toml in the data directory].
    #[arg(long, value_name = "F", requires = "all_in_one")]
    pub(crate) signer: Option<PathBuf>,
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
    /// Do not start on a kernel that cannot put files out of a cell's reach.
    #[arg(long)]
    pub(crate) require_sandbox: bool,
    #[command(flatten)]
    pub(crate) sockets: Sockets,
}

/// Options of the gateway role, and of the sentinel's.
#[derive(Debug, Args)]
pub(crate) struct Gateway {
    /// Configuration file.
    #[arg(long, value_name = "F")]
    pub(crate) config: PathBuf,
    #[command(flatten)]
    pub(crate) named: Named,
    #[command(flatten)]
    pub(crate) sockets: Sockets,
    #[command(flatten)]
    pub(crate) accept: AcceptLimits,
}

/// Options of the signer role.
#[derive(Debug, Args)]
pub(crate) struct Signer {
    /// The signer's own file [default: keys/signer.toml in the data directory].
    #[arg(long, value_name = "F")]
    pub(crate) config: Option<PathBuf>,
    /// Name the environment a second time; required for live.
    #[arg(long, value_name = "ENV")]
    pub(crate) env: Option<String>,
    /// A user whose processes may ask for signatures, besides the signer's own and root's: a name, or a number.
    #[arg(long, value_name = "USER")]
    pub(crate) peer: Vec<String>,
    #[command(flatten)]
    pub(crate) sockets: Sockets,
}

/// What is typed a second time, so that real money takes more than a file.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Named {
    /// Name the environment a second time; required for live.
    #[arg(long, value_name = "ENV")]
    pub(crate) env: Option<String>,
    /// Type the number of the account that is to be traded, as account.uid has it; required for live.
    #[arg(long, value_name = "UID")]
    pub(crate) confirm_account: Option<String>,
}

/// Where a role's sockets come from.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Sockets {
    /// The parent listens already, and hands the sockets over from descriptor 3 on.
    #[arg(long, hide = true)]
    pub(crate) handed_over: bool,
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
