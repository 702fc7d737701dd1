//! The command line.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use portcullis_console::{AccountName, Listen, Origin, Right};

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
    Runner,
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
    /// Run the Bybit-compatible paper exchange by itself.
    Paper(Paper),
    /// Serve the operators' page and the HTTP API; with a command, change who may use them.
    Console(Console),
    /// Show trading state, strategies, positions and the journal's head.
    Status,
    /// Stop entries: cancels every entry order, keeps the protection of positions.
    Halt(Halt),
    /// Lower the trading state again, in two steps.
    Rearm(Rearm),
    /// Close every position: halts, then reduces to zero.
    Flatten(Halt),
    /// Cancel every entry order now, without changing the state.
    CancelEntries(Halt),
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
    /// Show the limits an installation starts with.
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
                | Self::Runner
                | Self::Cell { .. }
                | Self::Compile { .. }
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
}

/// Options of `paper`.
#[derive(Debug, Args)]
pub(crate) struct Paper {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:9000")]
    pub(crate) listen: SocketAddr,
    /// Recorded market data; may be given several times. Without it, a seeded synthetic market.
    #[arg(long, value_name = "F")]
    pub(crate) data: Vec<PathBuf>,
    /// How much faster than recorded the market runs.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub(crate) speed: f64,
    /// Stop at the end of the data instead of starting over.
    #[arg(long)]
    pub(crate) no_loop: bool,
    /// Faults to inject.
    #[arg(long, value_name = "F")]
    pub(crate) faults: Option<PathBuf>,
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

/// `console`, as a role or with a command.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Console {
    #[command(flatten)]
    pub(crate) serve: ServeConsole,
    #[command(subcommand)]
    pub(crate) command: Option<ConsoleCommand>,
}

/// Options of the console role.
#[derive(Debug, Args)]
pub(crate) struct ServeConsole {
    /// Where to listen: an address of the loopback, or unix:PATH behind a proxy.
    #[arg(long, value_name = "WHERE", default_value = "127.0.0.1:8000")]
    pub(crate) listen: Listen,
    /// Where browsers reach it, for example https://trade.example.org; may be given several times [default: the address
    /// listened on].
    #[arg(long, value_name = "URL")]
    pub(crate) origin: Vec<Origin>,
    /// A proxy whose X-Real-IP is believed; may be given several times. Over a Unix socket it always is.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) proxy: Vec<IpAddr>,
    /// The gateway's control socket [default: control.sock in --run-dir].
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Option<PathBuf>,
}

/// `console …`
#[derive(Debug, Subcommand)]
pub(crate) enum ConsoleCommand {
    /// Who may log in.
    #[command(subcommand, alias = "user")]
    Users(Users),
    /// API tokens, for programs.
    #[command(subcommand, alias = "token")]
    Tokens(Tokens),
}

/// `console users …`
#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    /// Add a user; the password is asked for, or read from the first line of the standard input.
    Add {
        /// The user's name.
        name: AccountName,
    },
    /// Change a password, read as for `add`, and end the user's sessions.
    Password {
        /// The user's name.
        name: AccountName,
    },
    /// Remove a user and end the user's sessions.
    Remove {
        /// The user's name.
        name: AccountName,
    },
    /// Let a user try again who is locked out after failed attempts.
    Unlock {
        /// The user's name.
        name: AccountName,
    },
    /// List the users.
    List,
}

/// `console tokens …`
#[derive(Debug, Subcommand)]
pub(crate) enum Tokens {
    /// Make a token and print it, once.
    Add {
        /// What it is for.
        name: AccountName,
        /// What it may do: read, or operate (halt, stop and upload as well).
        #[arg(long, default_value = "operate")]
        right: Right,
        /// How many days it is good for.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
    },
    /// Revoke a token at once.
    Revoke {
        /// Its name.
        name: AccountName,
    },
    /// List the tokens, without their secrets.
    List,
}

/// Options of `halt`, `flatten` and `cancel-entries`.
#[derive(Debug, Args)]
pub(crate) struct Halt {
    /// Why, for the journal.
    #[arg(long, default_value = "operator")]
    pub(crate) reason: String,
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
}

/// `strategy …`
#[derive(Debug, Subcommand)]
pub(crate) enum Strategy {
    #[command(flatten)]
    Author(Author),
    /// Start a signed bundle in the running gateway, now and after every restart of it (paper only).
    Start(StartStrategy),
    /// Stop a strategy for good: its entries are cancelled, its position is kept.
    Stop {
        /// The strategy's name.
        name: String,
    },
    /// List the strategies of the running gateway.
    List,
}

/// Options of `strategy start`.
#[derive(Debug, Args)]
pub(crate) struct StartStrategy {
    /// The signed bundle.
    pub(crate) file: PathBuf,
    /// Name of the strategy [default: the bundle's].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The capital it may use, in USDT.
    #[arg(long, value_name = "B", default_value = "1000")]
    pub(crate) budget: String,
    /// A parameter that differs from its default; may be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
}

/// The commands of `strategy` that need no gateway.
#[derive(Debug, Subcommand)]
pub(crate) enum Author {
    /// Compile a strategy crate to a component.
    Build {
        /// The crate's folder.
        #[arg(default_value = ".")]
        path: PathBuf,
        /// Where to write the component [default: target/guest/NAME.component.wasm].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Sign a component and its strategy.toml into a bundle.
    Sign {
        /// The component.
        component: PathBuf,
        /// The crate's strategy.toml: what the bundle asks for.
        #[arg(long, value_name = "FILE")]
        manifest: PathBuf,
        /// A private key file; give it twice to sign for two people.
        #[arg(long, value_name = "FILE", required = true)]
        key: Vec<PathBuf>,
        /// Where to write the bundle [default: NAME-VERSION.strategy].
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Say whether the host would take a bundle or component, and why not.
    Check {
        /// The bundle, or a bare component.
        file: PathBuf,
        /// Trusted keys [default: DIR/root.json].
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
        /// For which environment.
        #[arg(long, default_value = "paper")]
        env: String,
    },
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

/// `limits …`
#[derive(Debug, Subcommand)]
pub(crate) enum Limits {
    /// Print the limits.toml that an installation starts with, for an operator to edit.
    Template,
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
    /// From event to signed request.
    Order,
    /// The reference strategy over a million trades.
    Backtest,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("{text:?} is not KEY=VALUE")),
    }
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| format!("{text:?} is not a time; write 20s, 2m or 1h"))?;
    let seconds = match unit {
        "s" | "" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3_600),
        _ => None,
    };
    seconds
        .map(std::time::Duration::from_secs)
        .ok_or_else(|| format!("{text:?} is not a time; write 20s, 2m or 1h"))
}

fn short_duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let wrong = || format!("{text:?} is not a time; write 500us, 20ms or 1s");
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let nanos = match unit {
        "ns" => Some(number),
        "us" => number.checked_mul(1_000),
        "ms" => number.checked_mul(1_000_000),
        "s" => number.checked_mul(1_000_000_000),
        _ => None,
    };
    nanos
        .filter(|nanos| *nanos <= 60_000_000_000)
        .map(std::time::Duration::from_nanos)
        .ok_or_else(|| format!("{}, at most 60s", wrong()))
}
