//! The command line.

mod console;
mod limits;
mod run;
mod strategy;
mod values;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use portcullis_role::ScopeName;

pub(crate) use console::{Console, ConsoleCommand, ServeConsole, Tokens, Users};
pub(crate) use limits::{Limits, OverrideLimit, SimulateLimits};
pub(crate) use run::{AcceptLimits, Gateway, Named, Run, Runner, Signer, Sockets};
pub(crate) use strategy::{Author, StartStrategy, Strategy};
pub(crate) use values::Since;

use values::{duration, key_value, short_duration};

/// Runs trading strategies that nobody has to trust.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, propagate_version = true)]
pub(crate) struct Cli {
    /// Print the result as JSON; the last line on stdout is one object.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Data directory [default: ./portcullis-demo for `demo`, /var/lib/portcullis otherwise].
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Where the sockets of gateway and runner lie [default: the data directory; /run/portcullis when none is named].
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) run_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build, sign and run the reference strategies on the paper exchange.
    Demo(Demo),
    /// Run the daemon.
    Run(Run),
    /// Role: the gate, the journal and the streams.
    #[command(hide = true)]
    Gateway(Gateway),
    /// Role: starts and stops cells.
    #[command(hide = true)]
    Runner(Runner),
    /// Role: holds the trade key, and signs a closed list of requests within a cap of its own.
    #[command(hide = true)]
    Signer(Signer),
    /// Role: one strategy.
    #[command(hide = true)]
    Cell {
        /// What the runner passes on.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Role: turns one component into machine code, once.
    #[command(hide = true)]
    Compile {
        /// What the runner passes on.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Role: the watchdog, which cancels entries when the gateway dies or stalls.
    #[command(hide = true)]
    Sentinel(Gateway),
    /// Run the Bybit-compatible paper exchange by itself.
    Paper(Paper),
    /// Serve the operators' page and the HTTP API; with a command, change who may use them.
    Console(Console),
    /// Show trading state, strategies, positions and the journal's head.
    Status,
    /// Stop entries: cancels every entry order, keeps the protection of positions.
    Halt(HaltNow),
    /// Lower the trading state again, in two steps.
    Rearm(Rearm),
    /// Close every position: halts, then reduces to zero.
    Flatten(Halt),
    /// Cancel every entry order now, without changing the state.
    CancelEntries(Halt),
    /// Compare the books with the venue now, and say what came of it.
    Reconcile(Reconcile),
    /// Show open orders.
    Orders,
    /// Show positions.
    Positions,
    /// Show refused intents, by code.
    Denials,
    /// Build, sign and check strategy bundles.
    #[command(subcommand)]
    Strategy(Strategy),
    /// Make signing keys.
    #[command(subcommand)]
    Keys(Keys),
    /// Show, explain, try out and change the limits.
    #[command(subcommand)]
    Limits(Limits),
    /// Verify, follow and index the journal.
    #[command(subcommand)]
    Journal(Journal),
    /// Run a strategy over recorded or synthetic markets.
    Backtest(Backtest),
    /// Measure this machine.
    Bench(Bench),
}

impl Command {
    /// Whether this is a long-running role, which logs what it does.
    pub(crate) fn is_role(&self) -> bool {
        matches!(
            self,
            Self::Run(_)
                | Self::Gateway(_)
                | Self::Runner(_)
                | Self::Signer(_)
                | Self::Cell { .. }
                | Self::Compile { .. }
                | Self::Sentinel(_)
                | Self::Paper(_)
                | Self::Console(Console { command: None, .. })
        )
    }
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Recorded market data; may be given several times. Without it, a seeded synthetic market.
    #[arg(long, value_name = "F")]
    pub(crate) data: Vec<PathBuf>,
    /// How much faster than recorded the market runs.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub(crate) speed: f64,
    /// Stop this long after the ready line, for example 20s or 2m.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) exit_after: Option<std::time::Duration>,
    /// Port of the console; 0 picks a free one [default: 8000, or a free one when that is taken].
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Faults for the paper exchange to inject: lost answers, doubled or late messages, broken streams.
    #[arg(long, value_name = "F")]
    pub(crate) faults: Option<PathBuf>,
    /// Start from an empty directory: deletes what an earlier demo left there.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Use this signed bundle instead of building a reference strategy; the first for ema-cross, the second for the market maker.
    #[arg(long, value_name = "FILE")]
    pub(crate) strategy: Vec<PathBuf>,
}

/// Options of `backtest`.
#[derive(Debug, Args)]
pub(crate) struct Backtest {
    /// The strategy: a signed bundle, a component, or the folder of a crate with its strategy.toml.
    #[arg(long, value_name = "B")]
    pub(crate) strategy: PathBuf,
    /// Recorded market data, may be given several times; or synthetic:h1:N, N trades of the series that engines are compared on.
    #[arg(long, value_name = "F", required = true)]
    pub(crate) data: Vec<PathBuf>,
    /// Limits to trade under; the synthetic series brings wide ones of its own.
    #[arg(long, value_name = "FILE")]
    pub(crate) limits: Option<PathBuf>,
    /// USDT in the account, all of which the strategy may use.
    #[arg(long, value_name = "USDT", default_value = "10000000")]
    pub(crate) capital: String,
    /// From a decision to its first consequence, for example 500us or 20ms; half of it on the way there.
    #[arg(long, value_name = "TIME", value_parser = short_duration, default_value = "0ns")]
    pub(crate) latency: std::time::Duration,
    /// Taker fee in ten-thousandths.
    #[arg(long, value_name = "B", default_value = "5.5")]
    pub(crate) taker_bps: String,
    /// Show the strategy events of one timestamp at a time, so that it cannot see the future.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Take files of bars in which some are missing.
    #[arg(long)]
    pub(crate) allow_gaps: bool,
    /// A parameter of the strategy, as name=value; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
}

/// Options of `paper`.
#[derive(Debug, Args)]
pub(crate) struct Paper {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:9000")]
    pub(crate) listen: SocketAddr,
    /// Recorded market data, may be given several times; or live:BTCUSDT,spot/ETHUSDT for Bybit's public streams. Without it, a
    /// seeded synthetic market.
    #[arg(long, value_name = "F")]
    pub(crate) data: Vec<PathBuf>,
    /// Where the public streams of live: are, without a path; ws:// for another paper exchange on this machine.
    #[arg(long, value_name = "URL", default_value = "wss://stream.bybit.com")]
    pub(crate) live_url: String,
    /// How much faster than recorded the market runs.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub(crate) speed: f64,
    /// Stop at the end of the data instead of starting over.
    #[arg(long)]
    pub(crate) no_loop: bool,
    /// Faults to inject.
    #[arg(long, value_name = "F")]
    pub(crate) faults: Option<PathBuf>,
    /// Loopback address of the endpoint that takes more faults while the exchange runs: POST /faults, POST /fault, GET /faults.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin: Option<SocketAddr>,
    /// Lift the venue's rate limits. For measuring only.
    #[arg(long)]
    pub(crate) no_limits: bool,
    /// Keys of the account, instead of --key and --secret: [[account]] tables with key, secret and read_only.
    #[arg(long, value_name = "F", conflicts_with_all = ["key", "secret"])]
    pub(crate) key_file: Option<PathBuf>,
    /// API key clients must use.
    #[arg(long, default_value = "paper-key")]
    pub(crate) key: String,
    /// API secret clients must sign with.
    #[arg(long, default_value = "paper-secret")]
    pub(crate) secret: String,
}

/// Options of `halt`.
#[derive(Debug, Args)]
pub(crate) struct HaltNow {
    /// Go past the gateway: the sentinel cancels entries at the venue by itself, and the gateway takes the halt when it can.
    #[arg(long, conflicts_with_all = ["strategy", "instrument"])]
    pub(crate) emergency: bool,
    #[command(flatten)]
    pub(crate) halt: Halt,
}

/// Options of `reconcile`.
#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// Do not wait for the comparison that is made once a minute anyway.
    #[arg(long, required = true)]
    pub(crate) now: bool,
}

/// Options of `flatten` and `cancel-entries`, and most of `halt`.
#[derive(Debug, Args)]
pub(crate) struct Halt {
    /// Why, for the journal.
    #[arg(long, default_value = "operator")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// What a command is about; the whole account without either.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// This strategy alone.
    #[arg(long, value_name = "NAME", conflicts_with = "instrument")]
    strategy: Option<String>,
    /// This instrument alone, like `linear:BTCUSDT`.
    #[arg(long, value_name = "CATEGORY:SYMBOL")]
    instrument: Option<String>,
}

impl Target {
    /// The name to send; `None` for the account.
    pub(crate) fn scope(&self) -> Option<ScopeName> {
        let strategy = self.strategy.clone().map(ScopeName::Strategy);
        strategy.or_else(|| self.instrument.clone().map(ScopeName::Instrument))
    }
}

/// Options of `rearm`.
#[derive(Debug, Args)]
pub(crate) struct Rearm {
    /// Why, for the journal.
    #[arg(long, default_value = "operator")]
    pub(crate) reason: String,
    /// The confirmation code that the first call printed.
    #[arg(long, value_name = "CODE")]
    pub(crate) confirm: Option<String>,
    /// Count the day's loss and the drawdown from here on.
    #[arg(long)]
    pub(crate) new_baseline: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// `keys …`
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make an Ed25519 signing key: NAME.key (private, mode 0600) and NAME.pub.
    Generate {
        /// Name of the key's files.
        name: String,
        /// Folder to write them to.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
    },
    /// Let the host of a data directory take bundles signed with a key.
    Trust {
        /// The public key file.
        public: PathBuf,
        /// Whose key it is; live needs signatures of two different owners.
        #[arg(long)]
        owner: String,
        /// Environments the key counts in; may be given several times.
        #[arg(long, required = true)]
        env: Vec<String>,
    },
}

/// `journal …`
#[derive(Debug, Subcommand)]
pub(crate) enum Journal {
    /// Check every entry, hash and link of the chain.
    Verify,
    /// Build the query database anew from the journal.
    Reindex,
    /// Print entries as JSON lines.
    Tail {
        /// First entry to print.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Keep printing new entries.
        #[arg(long)]
        follow: bool,
    },
}

/// Options of `bench`.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// What to measure; everything when none is named.
    #[arg(value_enum)]
    pub(crate) what: Vec<Measure>,
}

/// What `bench` can measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// One decision of the gate.
    Gate,
    /// Durable commits.
    Journal,
    /// Calls into a strategy.
    Cell,
    /// A frame of the exchange, from its text to the book.
    Feed,
    /// From event to signed request.
    Order,
    /// The reference strategy over a million trades.
    Backtest,
    /// The paper exchange under load: frames to ten clients, and orders.
    Paper,
}
