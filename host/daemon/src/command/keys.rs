//! `keys generate | trust`: who may sign strategies for this host.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use portcullis_bundle::{
    BundleName, Owner, SecretKey, TrustRoot, TrustedKey, read_public_key, write_key_pair,
};
use portcullis_core::Environment;
use serde_json::json;

use crate::cli::Keys;
use crate::failure::Failure;
use crate::output;

/// Runs a `keys` command.
pub(crate) fn run(command: &Keys, dir: &Path, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        Keys::Generate { name, out } => generate(name, out, as_json),
        Keys::Trust { public, owner, env } => trust(public, owner, env, dir, as_json),
    }
}

fn generate(name: &str, out: &Path, as_json: bool) -> Result<ExitCode, Failure> {
    let name: BundleName = name.parse().map_err(|error| Failure::Usage(format!("{name:?}: {error}")))?;
    let key =
        SecretKey::generate().map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    let files = write_key_pair(out, &name, &key).map_err(|error| Failure::finding(error.code(), &error))?;
    let fingerprint = key.public().fingerprint();
    if as_json {
        output::json(
            &json!({"ok": true, "private": files.private, "public": files.public, "fingerprint": fingerprint.to_string()}),
        );
    } else {
        output::text(format!("{} (keep it secret)", files.private.display()));
        output::text(format!("{} (hand it to operators)", files.public.display()));
        output::text(format!("fingerprint {fingerprint}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn trust(
    public: &Path,
    owner: &str,
    environments: &[String],
    dir: &Path,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let owner: Owner =
        owner.parse().map_err(|error| Failure::Usage(format!("--owner {owner:?}: {error}")))?;
    let environments: Vec<Environment> = environments
        .iter()
        .map(|name| {
            name.parse().map_err(|_| Failure::Usage(format!("--env {name}: paper, testnet, demo or live")))
        })
        .collect::<Result<_, _>>()?;
    let public = read_public_key(public).map_err(|error| Failure::finding(error.code(), &error))?;
    let fingerprint = add_trusted(dir, public, owner, environments)?;
    if as_json {
        output::json(&json!({"ok": true, "fingerprint": fingerprint, "root": dir.join("root.json")}));
    } else {
        output::text(format!("{} now trusts {fingerprint}", dir.join("root.json").display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds a key to `DIR/root.json`, making the file when there is none.
pub(crate) fn add_trusted(
    dir: &Path,
    public: portcullis_bundle::PublicKey,
    owner: Owner,
    environments: Vec<Environment>,
) -> Result<String, Failure> {
    let root = dir.join("root.json");
    let mut keys = if root.exists() {
        TrustRoot::load(&root).map_err(|error| Failure::finding(error.code(), &error))?.keys().to_vec()
    } else {
        Vec::new()
    };
    let fingerprint = public.fingerprint();
    keys.retain(|key| key.fingerprint != fingerprint);
    keys.push(TrustedKey { fingerprint, public, owner, environments });
    let trusted =
        TrustRoot::new(keys).map_err(|violations| Failure::finding("TRUST_ROOT_INVALID", violations))?;
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    std::fs::write(&root, trusted.to_json()).with_context(|| format!("cannot write {}", root.display()))?;
    Ok(fingerprint.to_string())
}
