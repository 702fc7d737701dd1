//! The daemon's configuration file. Everything that bounds money stands in `limits.toml` instead.
//!
//! ```toml
//! environment = "paper"                    # paper, testnet, demo or live; live must be named again with --env live
//!
//! [venue]
//! rest = "http://127.0.0.1:9000"           # paper only; the other environments know their hosts
//! ws = "ws://127.0.0.1:9000"
//! read_key = "keys/read.toml"              # key and secret, mode 0600; relative to the data directory
//! trade_key = "keys/trade.toml"
//! lookahead_us = 1000                      # nothing an action causes is seen earlier than this after its cause
//!
//! [[strategy]]
//! name = "ema-btc"
//! bundle = "bundles/ema-cross-0.1.0-0a1b2c3d.strategy"
//! budget = "10000"                         # USDT
//! [strategy.parameters]
//! fast = "10"
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portcullis_core::{Amount, Environment, Span, StrategyName};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Longest configuration file read, in bytes.
const BYTES_MAX: u64 = 256 * 1024;

/// The file as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// `paper`, `testnet`, `demo` or `live`.
    pub(crate) environment: String,
    pub(crate) venue: VenueConfig,
    #[serde(default, rename = "strategy")]
    pub(crate) strategies: Vec<StrategyConfig>,
}

/// How to reach the venue.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VenueConfig {
    /// Base URL of the paper exchange's REST face.
    pub(crate) rest: Option<String>,
    /// Base URL of the paper exchange's WebSocket face.
    pub(crate) ws: Option<String>,
    /// Credentials for queries and private streams.
    pub(crate) read_key: PathBuf,
    /// Credentials for orders.
    pub(crate) trade_key: PathBuf,
    /// The lookahead L in microseconds (RULES T2).
    pub(crate) lookahead_us: u64,
}

/// One deployment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StrategyConfig {
    pub(crate) name: String,
    pub(crate) bundle: PathBuf,
    /// USDT, as decimal text.
    pub(crate) budget: String,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Config {
    /// Reads and checks the file, reporting everything that is wrong at once.
    pub(crate) fn load(file: &Path, confirmed: Option<&str>) -> Result<Self, Failure> {
        let text = read(file)?;
        let config: Self =
            toml::from_str(&text).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
        let wrong = config.violations(confirmed);
        if wrong.is_empty() {
            Ok(config)
        } else {
            Err(Failure::Usage(format!("{}: {}", file.display(), wrong.join("; "))))
        }
    }

    /// The environment.
    pub(crate) fn environment(&self) -> Option<Environment> {
        self.environment.parse().ok()
    }

    /// The lookahead.
    pub(crate) fn lookahead(&self) -> Span {
        Span(self.venue.lookahead_us.saturating_mul(1_000))
    }

    fn violations(&self, confirmed: Option<&str>) -> Vec<String> {
        let mut wrong = Vec::new();
        match self.environment() {
            None => wrong
                .push(format!("environment = {:?}: must be paper, testnet, demo or live", self.environment)),
            Some(Environment::Live) if confirmed != Some("live") => {
                wrong.push("environment = \"live\" must be confirmed with --env live".to_owned());
            }
            Some(_) if confirmed.is_some_and(|named| named != self.environment) => {
                wrong.push(format!(
                    "--env {} contradicts environment = {:?}",
                    confirmed.unwrap_or(""),
                    self.environment
                ));
            }
            Some(Environment::Paper) if self.venue.rest.is_none() || self.venue.ws.is_none() => {
                wrong.push("venue.rest and venue.ws must name the paper exchange".to_owned());
            }
            Some(_) => {}
        }
        if self.venue.lookahead_us > 1_000_000 {
            wrong.push(format!("venue.lookahead_us = {}: at most 1000000 (1 s)", self.venue.lookahead_us));
        }
        let mut names = std::collections::BTreeSet::new();
        for strategy in &self.strategies {
            if let Err(error) = strategy.name.parse::<StrategyName>() {
                wrong.push(format!("strategy.name = {:?}: {error}", strategy.name));
            }
            if !names.insert(&strategy.name) {
                wrong.push(format!("strategy.name = {:?} stands there twice", strategy.name));
            }
            if let Err(error) = Amount::parse(&strategy.budget) {
                wrong.push(format!("strategy.budget = {:?} of {}: {error}", strategy.budget, strategy.name));
            }
        }
        wrong
    }
}

/// A key and its secret, from a file only its owner can read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialsFile {
    pub(crate) key: String,
    pub(crate) secret: secrecy::SecretString,
}

impl CredentialsFile {
    /// Reads the file; refuses one that others can read.
    pub(crate) fn load(file: &Path) -> Result<Self, Failure> {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = std::fs::metadata(file).map_err(|error| {
            Failure::Usage(format!("cannot read credentials {}: {error}", file.display()))
        })?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Failure::Usage(format!(
                "{} is open to others (mode {mode:o}); run chmod 600 on it",
                file.display()
            )));
        }
        // The parser's message would quote the line, and with it the secret.
        toml::from_str(&read(file)?).map_err(|_| {
            Failure::Usage(format!(
                "{} must hold key = \"…\" and secret = \"…\", nothing else",
                file.display()
            ))
        })
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let size = std::fs::metadata(file).map(|metadata| metadata.len());
    match size {
        Err(error) => Err(Failure::Usage(format!("cannot read {}: {error}", file.display()))),
        Ok(size) if size > BYTES_MAX => {
            Err(Failure::Usage(format!("{} has {size} bytes, at most {BYTES_MAX}", file.display())))
        }
        Ok(_) => std::fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", file.display()))),
    }
}
