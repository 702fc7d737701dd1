//! The signer role: the one process that holds the trade key, and nothing else (RULES S1, S2). Its settings are a file of its own, which
//! is complete or refused:
//!
//! ```toml
//! environment = "paper"                # must be that of the gateway; live must be named again with --env live
//! trade_key = "keys/trade.toml"        # key and secret, mode 0600, relative to the data directory; or "credential:NAME"
//! trade_socket = false                 # true signs the trade stream's authentication, after which nothing is held against the cap
//!
//! [cap]                                # of what adds risk; cancels and reductions are always signed
//! symbols = ["linear:BTCUSDT"]         # what may be traded
//! notional_max = "10000"               # USDT, of one order
//! adding_per_minute = 60               # new orders and amends
//! violations_max = 10                  # so many requests beyond the cap, and nothing adds risk until an operator restarts the signer
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use portcullis_core::Environment;
use portcullis_role::{Confined, Confinement, Profile, confine};
use portcullis_wire::{Cap, SignerConfig, serve_signer};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cli::Signer;
use crate::config::{credential_name, read};
use crate::failure::Failure;
use crate::places::Places;
use crate::{clock, output, sockets, venue};

/// Two sockets, a few connections on each, and the standard descriptors.
const OPEN_FILES: u64 = 64;

/// Far more than it ever needs.
const ADDRESS_SPACE_BYTES: u64 = 1024 * 1024 * 1024;

/// The list of users, where names have their numbers.
const USERS: &str = "/etc/passwd";

/// The signer's file as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignerFile {
    pub(crate) environment: Environment,
    pub(crate) trade_key: PathBuf,
    pub(crate) trade_socket: bool,
    pub(crate) cap: CapFile,
}

/// The cap as written. Every bound must be there: nothing that bounds money has a default.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CapFile {
    pub(crate) symbols: Vec<String>,
    pub(crate) notional_max: String,
    pub(crate) adding_per_minute: u64,
    pub(crate) violations_max: u64,
}

/// Serves until it is killed.
pub(crate) fn run(arguments: &Signer, places: &Places) -> Result<ExitCode, Failure> {
    let file = arguments.config.clone().unwrap_or_else(|| places.signer_config());
    let config = load(&file, arguments.env.as_deref(), places.data(), &arguments.peer)?;
    let [gateway, sentinel] = places.signer_sockets();
    let [gateway, sentinel] = sockets::listeners(arguments.sockets, &[&gateway, &sentinel])?;
    let confinement = Confinement {
        address_space_bytes: Some(ADDRESS_SPACE_BYTES),
        ..Confinement::nothing(Profile::Signer, OPEN_FILES)
    };
    let sandbox =
        confine(&confinement).and_then(Confined::settle).context("the signer could not be confined")?;
    tracing::info!(%sandbox, "confined");
    output::json(&json!({"type": "ready", "role": "signer"}));
    match serve_signer(config, gateway, sentinel) {
        Ok(never) => match never {},
        Err(error) => Err(Failure::Environment(anyhow::Error::new(error).context("the signer's sockets"))),
    }
}

/// Reads the file and the key that it names.
fn load(file: &Path, confirmed: Option<&str>, dir: &Path, peers: &[String]) -> Result<SignerConfig, Failure> {
    let wrong = |detail: String| Failure::Usage(format!("{}: {detail}", file.display()));
    let SignerFile { environment, trade_key, trade_socket, cap } =
        toml::from_str(&read(file)?).map_err(|error| wrong(error.to_string()))?;
    let cap = Cap::new(&cap.symbols, &cap.notional_max, cap.adding_per_minute, cap.violations_max)
        .map_err(|error| wrong(format!("cap.{error}")))?;
    if environment == Environment::Live || confirmed.is_some() {
        if confirmed != Some(environment.as_str()) {
            return Err(wrong(format!(
                "environment = \"{environment}\" must be confirmed with --env {environment}"
            )));
        }
        if environment == Environment::Live && credential_name(&trade_key).is_none() {
            return Err(wrong(format!(
                "trade_key = {:?}: keys of a live account are handed over by systemd, as credential:NAME",
                trade_key.display()
            )));
        }
    }
    let peers = peers.iter().map(|peer| user(peer)).collect::<Result<Vec<u32>, Failure>>()?;
    let trade_key = venue::credentials(environment, dir, &trade_key)?;
    Ok(SignerConfig { environment, trade_key, cap, trade_socket, clock: clock::now, peers })
}

/// The number of a user of this machine.
fn user(name: &str) -> Result<u32, Failure> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let users = read(Path::new(USERS))?;
    number_of(&users, name)
        .ok_or_else(|| Failure::Usage(format!("--peer {name}: there is no such user in {USERS}")))
}

fn number_of(users: &str, name: &str) -> Option<u32> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const FILE: &str = r#"environment = "paper"
trade_key = "trade.toml"
trade_socket = false
[cap]
symbols = ["linear:BTCUSDT"]
notional_max = "10000"
adding_per_minute = 60
violations_max = 10
"#;

    fn loaded(text: &str, confirmed: Option<&str>) -> Result<SignerConfig, Failure> {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("trade.toml");
        std::fs::write(&key, "key = \"paper-trade\"\nsecret = \"TopSecretText\"\n").unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let file = dir.path().join("signer.toml");
        std::fs::write(&file, text).unwrap();
        load(&file, confirmed, dir.path(), &[])
    }

    #[test]
    fn the_file_is_complete_or_refused() {
        let config = loaded(FILE, None).unwrap();
        assert!(!format!("{config:?}").contains("TopSecret"));
        for line in FILE.lines().filter(|line| !line.starts_with('[')) {
            let text = FILE.replace(&format!("{line}\n"), "");
            let name = line.split_once(' ').unwrap().0;
            let error = loaded(&text, None).unwrap_err().to_string();
            assert!(error.contains(name), "{name} is not missed: {error}");
        }
        let more = format!("{FILE}daily_max = 1\n");
        assert!(loaded(&more, None).unwrap_err().to_string().contains("daily_max"));
        let endless = FILE.replace("\"10000\"", "\"unlimited\"");
        assert!(loaded(&endless, None).unwrap_err().to_string().contains("notional_max"));
    }

    #[test]
    fn real_money_is_named_twice_and_has_its_key_handed_over() {
        let live = FILE.replace("\"paper\"", "\"live\"");
        assert!(loaded(&live, None).unwrap_err().to_string().contains("--env live"));
        assert!(loaded(&live, Some("live")).unwrap_err().to_string().contains("credential:NAME"));
        assert!(loaded(FILE, Some("live")).unwrap_err().to_string().contains("--env paper"));
        assert!(loaded(FILE, Some("paper")).is_ok());
    }

    #[test]
    fn users_have_numbers() {
        let users =
            "root:x:0:0:root:/root:/bin/sh\nportcullis:x:997:995::/var/lib/portcullis:/usr/sbin/nologin\n";
        assert_eq!(number_of(users, "portcullis"), Some(997));
        assert_eq!(number_of(users, "port"), None);
        assert_eq!(user("1234").unwrap(), 1_234);
    }
}
