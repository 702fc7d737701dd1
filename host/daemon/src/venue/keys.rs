//! Which environment each key was used in. A key that turns up in a second one was pasted into the wrong place, and the next order
//! would go where nobody meant it to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use portcullis_bybit::shared_keys;
use portcullis_core::Environment;
use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

/// Where they are kept, in the data directory.
const SEEN: &str = "keys/seen.json";

/// Keys by environment, as hashes: a key is no secret, but nobody needs to read it here.
type Seen = BTreeMap<String, BTreeSet<String>>;

/// Notes keys as those of an environment; refuses one that another environment used.
pub(crate) fn remember(dir: &Path, environment: Environment, keys: &[&str]) -> Result<(), Failure> {
    let file = dir.join(SEEN);
    let (mut seen, hashes) = look_up(&file, environment, keys)?;
    let of = seen.entry(environment.to_string()).or_default();
    let before = of.len();
    of.extend(hashes);
    if of.len() == before {
        return Ok(());
    }
    let new = file.with_extension("json.new");
    let text = serde_json::to_vec(&seen).context("cannot write down which keys were used")?;
    fs::create_dir_all(dir.join("keys")).context("cannot make the folder of the keys")?;
    fs::write(&new, text)
        .and_then(|()| fs::rename(&new, &file))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}

/// Refuses a key that another environment used, and notes nothing: for a role that may not write there.
pub(crate) fn recognise(dir: &Path, environment: Environment, keys: &[&str]) -> Result<(), Failure> {
    look_up(&dir.join(SEEN), environment, keys).map(|_| ())
}

/// The keys seen so far, and the hashes of these.
fn look_up(file: &Path, environment: Environment, keys: &[&str]) -> Result<(Seen, Vec<String>), Failure> {
    let seen: Seen = match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?,
        Err(error) if error.kind() == ErrorKind::NotFound => Seen::new(),
        Err(error) => return Err(Failure::Usage(format!("cannot read {}: {error}", file.display()))),
    };
    let hashes: Vec<String> = keys.iter().map(|key| hex::encode(Sha256::digest(key.as_bytes()))).collect();
    let known = seen.iter().filter_map(|(name, keys)| Some((name.parse().ok()?, keys)));
    let mut uses: Vec<(Environment, &str)> = known
        .flat_map(|(environment, keys)| keys.iter().map(move |key| (environment, key.as_str())))
        .collect();
    uses.extend(hashes.iter().map(|key| (environment, key.as_str())));
    if let Some(shared) = shared_keys(&uses).first() {
        return Err(Failure::finding(
            shared.rule.as_str(),
            format!(
                "{}: each environment has keys of its own ({} remembers them)",
                shared.detail,
                file.display()
            ),
        ));
    }
    Ok((seen, hashes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use super::*;

    #[test]
    fn a_key_belongs_to_one_environment() {
        let dir = tempfile::tempdir().unwrap();
        remember(dir.path(), Environment::Testnet, &["read-1", "trade-1"]).unwrap();
        remember(dir.path(), Environment::Testnet, &["read-1", "trade-2"]).unwrap();
        remember(dir.path(), Environment::Live, &["read-3", "trade-3"]).unwrap();
        let error = remember(dir.path(), Environment::Live, &["read-3", "trade-1"]).unwrap_err().to_string();
        assert!(error.contains("testnet and live use the same key"), "{error}");
        let text = fs::read_to_string(dir.path().join("keys/seen.json")).unwrap();
        assert!(!text.contains("trade-1"), "{text}");
    }
}
