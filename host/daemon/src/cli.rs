//! The command line.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use portcullis_console::{AccountName, Listen, Origin, Right};
use portcullis_role::ScopeName;

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
    /// Show every limit in force, the value it is held against, and how much of it is used.
    Show,
    /// Say in words what a limit measures, what it stops and what it does not, and how far away it is.
    Explain {
        /// A key such as daily_loss_max or account.daily_loss_max, or a check such as order-notional [default: all, the nearest
        /// first].
        key: Option<String>,
    },
    /// Hold the decisions in the journal against another limits file, and say which would have been others.
    Simulate(SimulateLimits),
    /// Put another limits file in force. Where it loosens anything it takes a second step.
    Set {
        /// The new limits.toml.
        file: PathBuf,
        /// Why, for the journal.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// The code that the first step printed.
        #[arg(long, value_name = "CODE")]
        code: Option<String>,
    },
    /// Let one order of a strategy pass a bound, in two steps.
    Override(OverrideLimit),
}

/// Options of `limits simulate`.
#[derive(Debug, Args)]
pub(crate) struct SimulateLimits {
    /// The limits file to try out.
    pub(crate) file: PathBuf,
    /// First entry to judge.
    #[arg(long, value_name = "SEQ", conflicts_with = "since")]
    pub(crate) from: Option<u64>,
    /// Judge what was written since then: a time ago such as 24h, or a UTC time such as 2026-11-24 or 2026-11-24T12:30.
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<Since>,
    /// Most changed decisions to list of each kind [default: 20, or 1000 with --json].
    #[arg(long, value_name = "N")]
    pub(crate) lines: Option<usize>,
}

/// Options of `limits override`.
#[derive(Debug, Args)]
pub(crate) struct OverrideLimit {
    /// The strategy's name.
    #[arg(long)]
    pub(crate) strategy: String,
    /// The check whose bound is lifted, such as order-notional.
    #[arg(long)]
    pub(crate) check: String,
    /// The bound for that one order.
    #[arg(long, value_name = "N")]
    pub(crate) limit: String,
    /// How long it is good, at most 1h.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) r#for: std::time::Duration,
    /// Why, for the journal.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// The code that the first step printed.
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<String>,
}

/// A moment to look back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    /// This long ago.
    Ago(std::time::Duration),
    /// Seconds since 1970-01-01 UTC.
    At(u64),
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

fn since(text: &str) -> Result<Since, String> {
    if let Ok(ago) = duration(text) {
        return Ok(Since::Ago(ago));
    }
    utc_seconds(text)
        .map(Since::At)
        .ok_or_else(|| format!("{text:?} is no time; write 24h, 2026-11-24 or 2026-11-24T12:30"))
}

/// Seconds since 1970-01-01 of a UTC date, with or without a time of day.
fn utc_seconds(text: &str) -> Option<u64> {
    let text = text.trim_end_matches('Z');
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next().unwrap_or(Some(0))?);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let index = usize::try_from(month).ok()?.checked_sub(1)?;
    let plausible = (1970..2500).contains(&year) && hour < 24 && minute < 60 && second < 60;
    if !plausible || day == 0 || day > *lengths.get(index)? {
        return None;
    }
    let years: u64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months: u64 = lengths.iter().take(index).sum();
    let days = years.checked_add(months)?.checked_add(day)?.checked_sub(1)?;
    let minutes = days.checked_mul(24)?.checked_add(hour)?.checked_mul(60)?.checked_add(minute)?;
    minutes.checked_mul(60)?.checked_add(second)
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

#[cfg(test)]
mod tests {
    use super::{Since, since};

    #[test]
    fn moments_are_read() {
        let at = |text| since(text).unwrap();
        assert_eq!(at("24h"), Since::Ago(std::time::Duration::from_secs(86_400)));
        assert_eq!(at("1970-01-01"), Since::At(0));
        assert_eq!(at("2024-02-29T12:30"), Since::At(1_709_209_800));
        assert_eq!(at("2026-11-24T00:00:01Z"), Since::At(1_795_478_401));
        for wrong in
            ["", "yesterday", "2026-02-29", "2026-13-01", "2026-11-24T24:00", "1969-01-01", "2026-11"]
        {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
