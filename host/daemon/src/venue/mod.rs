//! The venue as it is configured: where it is, with which keys, and what the account is held against. Shared by the roles that reach
//! it.

mod keys;

use std::path::Path;

use anyhow::Context as _;
use portcullis_bybit::{AccountPolicy, Config as VenueSettings, Endpoints, Region, key_text};
use portcullis_core::{Environment, MarginMode};
use portcullis_wire::{Credentials, RemoteSigner, key_hash};

use crate::clock;
use crate::config::{Config, CredentialsFile};
use crate::failure::Failure;

pub(crate) use keys::{recognise, remember};

/// Settings of a connection, with the read key.
pub(crate) fn settings(config: &Config, dir: &Path) -> Result<VenueSettings, Failure> {
    let environment = config.environment().context("the environment was checked before")?;
    let region: Region = config
        .venue
        .region
        .as_deref()
        .map_or(Ok(Region::Global), str::parse)
        .map_err(|error| Failure::Usage(format!("venue.region: {error}")))?;
    let endpoints = match (environment, &config.venue.rest, &config.venue.ws) {
        (Environment::Paper, Some(rest), Some(ws)) => Endpoints::paper(rest, ws),
        (Environment::Paper, ..) => {
            return Err(Failure::Usage("venue.rest and venue.ws are missing".to_owned()));
        }
        (Environment::Testnet, ..) => Endpoints::testnet_in(region),
        (Environment::Demo, ..) => Endpoints::demo(),
        (Environment::Live, ..) => Endpoints::live_in(region),
    };
    let read_key = credentials(environment, dir, &config.venue.read_key)?;
    let mut settings = VenueSettings::new(environment, endpoints, read_key, clock::now);
    settings.trade_socket = config.venue.trade_socket;
    Ok(settings)
}

/// A key and its secret, from the file that the configuration names. The venue's own have a shape; those of the paper exchange do not.
pub(crate) fn credentials(
    environment: Environment,
    dir: &Path,
    named: &Path,
) -> Result<Credentials, Failure> {
    let read = CredentialsFile::load(dir, named)?;
    if environment != Environment::Paper {
        let wrong = key_text(&named.display().to_string(), &read.key, &read.secret);
        if let Some(first) = wrong.first() {
            return Err(Failure::finding(first.rule.as_str(), &first.detail));
        }
    }
    Credentials::read(&read.key, &read.secret)
        .map_err(|error| Failure::Usage(format!("the secret in {}: {error}", named.display())))
}

/// The signer behind a socket. Its key is looked at before the first signature: it must be another one than the read key, and one that
/// no other environment used, which `note` looks up.
pub(crate) fn signer(
    config: &Config,
    dir: &Path,
    socket: &Path,
    note: fn(&Path, Environment, &[&str]) -> Result<(), Failure>,
) -> Result<RemoteSigner, Failure> {
    let environment = config.environment().context("the environment was checked before")?;
    let read_key = key_hash(credentials(environment, dir, &config.venue.read_key)?.key());
    let dir = dir.to_owned();
    let check = move |key: &str| {
        if key_hash(key) == read_key {
            return Err("the signer's key is the read key: make one of each kind".to_owned());
        }
        note(&dir, environment, &[key]).map_err(|error| error.to_string())
    };
    let signer = RemoteSigner::start(socket, environment, Vec::new(), Box::new(check));
    Ok(signer.context("cannot start a thread")?)
}

/// What the account is held against at the start and every hour; nothing where the configuration has no `[account]`, which only
/// play money may do without.
pub(crate) fn policy(config: &Config, margin_mode: MarginMode) -> Option<AccountPolicy> {
    let account = config.account.as_ref()?;
    let mut policy = AccountPolicy::strict(account.addresses.clone(), margin_mode);
    policy.allow_main_account = account.allow_main_account;
    policy.leverage_max = account.leverage_max;
    policy.uid.clone_from(&account.uid);
    Some(policy)
}
