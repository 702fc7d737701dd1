//! The daemon's configuration file. Everything that bounds money stands in `limits.toml` instead.
//!
//! ```toml
//! environment = "paper"                    # paper, testnet, demo or live; live must be named again with --env live
//!
//! [venue]
//! rest = "http://127.0.0.1:9000"           # paper only; the other environments know their hosts
//! ws = "ws://127.0.0.1:9000"
//! read_key = "keys/read.toml"              # key and secret, mode 0600; relative to the data directory
//!                                          # or "credential:NAME", handed over by systemd; the trade key is the signer's
//! lookahead_us = 1000                      # nothing an action causes is seen earlier than this after its cause
//! region = "global"                        # where a real account was registered; may be left out
//! trade_socket = false                     # orders by WebSocket; a signer's own cap is off then
//!
//! [account]                                # what a real account is held against, at the start and every hour
//! uid = "12345678"                         # the account that the keys must belong to; required for live
//! addresses = ["203.0.113.7"]              # where this machine reaches the venue from; keys must be bound to it
//! allow_main_account = false
//! leverage_max = 10
//!
//! [sentinel]                               # a watchdog beside the gateway; may be left out
//! lease_s = 10                             # it cancels entries when the gateway has been dead or stalled for this long
//!
//! [wasi]                                   # may be left out: then no strategy of tier wasi runs here
//! allow = ["dice"]                         # names of the strategies that may be of that tier
//! cell = "/usr/lib/portcullis/portcullis-wasi-cell"   # for run --all-in-one; a runner of its own is told by --wasi-cell
//!
//! [[strategy]]
//! name = "ema-btc"
//! bundle = "bundles/ema-cross-0.1.0-0a1b2c3d.strategy"
//! budget = "10000"                         # USDT
//! cell = "trusted"                         # a process shared with others that name it too; left out, one of its own
//! [strategy.parameters]
//! fast = "10"
//! ```

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use portcullis_cell::SharedCellName;
use portcullis_core::{Amount, Environment, Span, StrategyName};
use serde::{Deserialize, Serialize};

use crate::cli::Named;
use crate::failure::Failure;

/// Longest configuration file read, in bytes.
pub(crate) const BYTES_MAX: u64 = 256 * 1024;

/// The file as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// `paper`, `testnet`, `demo` or `live`.
    pub(crate) environment: String,
    pub(crate) venue: VenueConfig,
    /// What the account is held against; play money may do without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<AccountConfig>,
    /// The watchdog beside the gateway; none where it is left out.
    pub(crate) sentinel: Option<SentinelConfig>,
    /// Which strategies may be of the tier `wasi`; none where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wasi: Option<WasiConfig>,
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
    /// Credentials for queries and private streams: a file, or `credential:NAME`.
    pub(crate) read_key: PathBuf,
    /// Where the trade key stood before there was a signer. A file that still names it is told where it belongs.
    #[serde(default, skip_serializing)]
    pub(crate) trade_key: Option<PathBuf>,
    /// The lookahead L in microseconds (RULES T2).
    pub(crate) lookahead_us: u64,
    /// Where the account was registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    /// Whether orders go over the trade stream.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) trade_socket: bool,
}

/// What the account is held against.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountConfig {
    /// The account's number, which the keys must belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) uid: Option<String>,
    /// Where this machine reaches the venue from.
    pub(crate) addresses: Vec<IpAddr>,
    /// Whether a main account will do. A sub-account bounds what a key can lose.
    #[serde(default)]
    pub(crate) allow_main_account: bool,
    /// The highest leverage a symbol may be set to.
    pub(crate) leverage_max: Option<u32>,
}

/// The sentinel.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SentinelConfig {
    /// How long the gateway may be silent before its entries are cancelled, in seconds, 5 to 300.
    pub(crate) lease_s: u64,
}

/// The operator's leave for the tier `wasi`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WasiConfig {
    /// Names of strategies.
    pub(crate) allow: std::collections::BTreeSet<String>,
    /// The binary `portcullis-wasi-cell`, where this process starts the runner itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cell: Option<PathBuf>,
}

/// One deployment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StrategyConfig {
    pub(crate) name: String,
    pub(crate) bundle: PathBuf,
    /// USDT, as decimal text.
    pub(crate) budget: String,
    /// The process to run it in, shared with others that name it too; one of its own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cell: Option<String>,
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Config {
    /// Reads and checks the file, reporting everything that is wrong at once.
    pub(crate) fn load(file: &Path, confirmed: &Named) -> Result<Self, Failure> {
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

    fn violations(&self, named: &Named) -> Vec<String> {
        let mut wrong = Vec::new();
        let confirmed = named.env.as_deref();
        if self.venue.trade_key.is_some() {
            wrong.push(
                "venue.trade_key: the trade key belongs to the signer alone; name it in the signer's own file, keys/signer.toml"
                    .to_owned(),
            );
        }
        match self.environment() {
            None => wrong
                .push(format!("environment = {:?}: must be paper, testnet, demo or live", self.environment)),
            Some(Environment::Live) => wrong.extend(self.live_violations(named)),
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
        if let Some(sentinel) = &self.sentinel
            && !(5..=300).contains(&sentinel.lease_s)
        {
            wrong.push(format!("sentinel.lease_s = {}: must be from 5 to 300", sentinel.lease_s));
        }
        wrong.extend(strategy_violations(&self.strategies.iter().collect::<Vec<_>>()));
        wrong
    }

    /// What real money asks for beyond play money (DESIGN §9); the account itself is looked at when the venue answers.
    fn live_violations(&self, named: &Named) -> Vec<String> {
        let mut wrong = Vec::new();
        if named.env.as_deref() != Some("live") {
            wrong.push("environment = \"live\" must be confirmed with --env live".to_owned());
        }
        match &self.account {
            None => wrong.push("[account] is missing: live trading names its addresses there".to_owned()),
            Some(account) if account.addresses.is_empty() => {
                wrong.push(
                    "account.addresses is empty: name where this machine reaches the venue from".to_owned(),
                );
            }
            Some(_) => {}
        }
        match self.account.as_ref().and_then(|account| account.uid.as_deref()) {
            None => wrong.push("account.uid is missing: live trading names the account it trades".to_owned()),
            Some(uid) if named.confirm_account.as_deref() != Some(uid) => wrong.push(format!(
                "account.uid = {uid:?} must be confirmed by typing it: --confirm-account {uid}"
            )),
            Some(_) => {}
        }
        if self.sentinel.is_none() {
            wrong.push("[sentinel] is missing: live trading needs a watchdog".to_owned());
        }
        if credential_name(&self.venue.read_key).is_none() {
            wrong.push(format!(
                "venue.read_key = {:?}: keys of a live account are handed over by systemd, as credential:NAME",
                self.venue.read_key.display()
            ));
        }
        wrong
    }
}

/// What is wrong with strategies that are to run beside each other.
pub(crate) fn strategy_violations(strategies: &[&StrategyConfig]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut names = std::collections::BTreeSet::new();
    for strategy in strategies {
        if let Err(error) = strategy.name.parse::<StrategyName>() {
            wrong.push(format!("strategy.name = {:?}: {error}", strategy.name));
        }
        if !names.insert(&strategy.name) {
            wrong.push(format!("strategy.name = {:?} stands there twice", strategy.name));
        }
        if let Some(cell) = &strategy.cell
            && let Err(error) = cell.parse::<SharedCellName>()
        {
            wrong.push(format!("strategy.cell = {cell:?} of {}: {error}", strategy.name));
        }
        if let Err(error) = Amount::parse(&strategy.budget) {
            wrong.push(format!("strategy.budget = {:?} of {}: {error}", strategy.budget, strategy.name));
        }
    }
    wrong
}

/// A key and its secret, from a file only its owner can read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredentialsFile {
    pub(crate) key: String,
    pub(crate) secret: secrecy::SecretString,
}

impl CredentialsFile {
    /// Reads the file that the configuration names; refuses one that others can read.
    pub(crate) fn load(dir: &Path, named: &Path) -> Result<Self, Failure> {
        match credential_name(named) {
            // systemd lets the unit's user in with an access list, which shows as a right of the group.
            Some(name) => Self::read(&credential_file(name, credentials_directory().as_deref())?, 0o007),
            None => Self::read(&dir.join(named), 0o077),
        }
    }

    fn read(file: &Path, forbidden: u32) -> Result<Self, Failure> {
        use std::os::unix::fs::PermissionsExt as _;
        let metadata = std::fs::metadata(file).map_err(|error| {
            Failure::Usage(format!("cannot read credentials {}: {error}", file.display()))
        })?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & forbidden != 0 {
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

pub(crate) fn credential_name(named: &Path) -> Option<&str> {
    named.to_str()?.strip_prefix("credential:")
}

/// The directory that the service manager made for this process's credentials.
pub(crate) fn credentials_directory() -> Option<PathBuf> {
    std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from)
}

/// The file of a credential in the directory of credentials.
fn credential_file(name: &str, handed_over: Option<&Path>) -> Result<PathBuf, Failure> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    if name.is_empty() || name.starts_with('.') || !name.bytes().all(plain) {
        return Err(Failure::Usage(format!("credential:{name} is no credential's name")));
    }
    let file = handed_over.map(|dir| dir.join(name)).filter(|file| file.exists());
    file.ok_or_else(|| {
        Failure::Usage(format!(
            "no credential {name} was handed over: encrypt one with systemd-creds --name={name} into /etc/credstore.encrypted"
        ))
    })
}

/// Reads a file of bounded length.
pub(crate) fn read(file: &Path) -> Result<String, Failure> {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn real_money_asks_for_more_than_a_name() {
        let file = |more: &str, key: &str| {
            format!("environment = \"live\"\n[venue]\nread_key = \"{key}\"\nlookahead_us = 0\n{more}")
        };
        let named = |env: Option<&str>, uid: Option<&str>| Named {
            env: env.map(str::to_owned),
            confirm_account: uid.map(str::to_owned),
        };
        let typed = named(Some("live"), Some("12345678"));
        let wrong =
            |text: &str, named: &Named| toml::from_str::<Config>(text).unwrap().violations(named).join("; ");
        let bare = wrong(&file("", "keys/read.toml"), &Named::default());
        for word in ["--env live", "[account]", "account.uid", "[sentinel]", "venue.read_key"] {
            assert!(bare.contains(word), "{word} is not named in {bare}");
        }
        let account =
            "[account]\nuid = \"12345678\"\naddresses = [\"203.0.113.7\"]\n[sentinel]\nlease_s = 10\n";
        let whole = file(account, "credential:portcullis.read");
        assert_eq!(wrong(&whole, &typed), "");
        for (env, uid) in [(None, Some("12345678")), (Some("live"), None), (Some("live"), Some("12345679"))] {
            assert!(wrong(&whole, &named(env, uid)).contains("must be confirmed"), "{env:?} {uid:?}");
        }
        let nowhere = account.replace("\"203.0.113.7\"", "");
        assert!(wrong(&file(&nowhere, "credential:k"), &typed).contains("account.addresses is empty"));
        let hasty = account.replace("lease_s = 10", "lease_s = 1");
        assert!(wrong(&file(&hasty, "credential:k"), &typed).contains("sentinel.lease_s = 1"));
    }

    #[test]
    fn a_trade_key_in_the_gateways_file_is_told_where_it_belongs() {
        let text = "environment = \"paper\"\n[venue]\nrest = \"r\"\nws = \"w\"\nread_key = \"a\"\ntrade_key = \"b\"\nlookahead_us = 0\n";
        let wrong = toml::from_str::<Config>(text).unwrap().violations(&Named::default()).join("; ");
        assert!(wrong.contains("keys/signer.toml"), "{wrong}");
    }

    #[test]
    fn a_credential_comes_from_the_directory_handed_over() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("portcullis.read");
        std::fs::write(&file, "key = \"k\"\nsecret = \"s\"\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o440)).unwrap();
        let name = credential_name(Path::new("credential:portcullis.read")).unwrap();
        assert_eq!(credential_file(name, Some(dir.path())).unwrap(), file);
        let read = CredentialsFile::read(&file, 0o007).unwrap();
        assert_eq!((read.key.as_str(), read.secret.expose_secret()), ("k", "s"));
        assert!(CredentialsFile::read(&file, 0o077).is_err(), "a file of ours is for its owner alone");
    }

    #[test]
    fn a_credential_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for handed_over in [None, Some(dir.path())] {
            let error = credential_file("portcullis.read", handed_over).unwrap_err().to_string();
            assert!(error.contains("systemd-creds --name=portcullis.read"), "{error}");
        }
        for name in ["", "..", "a/b", "/etc/passwd"] {
            assert!(credential_file(name, Some(dir.path())).is_err(), "{name}");
        }
    }
}
