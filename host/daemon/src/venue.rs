//! The venue as it is configured: where it is, and with which keys. Shared by the roles that reach it.

use std::path::Path;

use portcullis_bybit::{Config as VenueSettings, Endpoints};
use portcullis_core::Environment;
use portcullis_wire::Credentials;

use crate::clock;
use crate::config::{Config, CredentialsFile};
use crate::failure::Failure;

/// Settings of a connection, with the read key.
pub(crate) fn settings(config: &Config, dir: &Path) -> Result<VenueSettings, Failure> {
    let environment = config
        .environment()
        .ok_or_else(|| Failure::Usage(format!("environment = {:?} is none", config.environment)))?;
    let endpoints = match (environment, &config.venue.rest, &config.venue.ws) {
        (Environment::Paper, Some(rest), Some(ws)) => Endpoints::paper(rest, ws),
        (Environment::Paper, ..) => {
            return Err(Failure::Usage("venue.rest and venue.ws are missing".to_owned()));
        }
        (Environment::Testnet, ..) => Endpoints::testnet(),
        (Environment::Demo, ..) => Endpoints::demo(),
        (Environment::Live, ..) => {
            return Err(Failure::Usage(
                "live trading is not offered by this version; use paper, testnet or demo".to_owned(),
            ));
        }
    };
    let read_key = credentials(dir, &config.venue.read_key)?;
    Ok(VenueSettings::new(environment, endpoints, read_key, clock::now))
}

/// A key and its secret, from the file that the configuration names.
pub(crate) fn credentials(dir: &Path, named: &Path) -> Result<Credentials, Failure> {
    CredentialsFile::load(dir, named).map(|read| Credentials::new(&read.key, &read.secret))
}
