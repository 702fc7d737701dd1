//! The instruments' rules and the venue's clock: read at the start, and again from time to time.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use portcullis_core::{InstrumentId, InstrumentSpec, LinkChange};
use portcullis_gateway::VenueEvent;
use tokio::time::sleep;

use crate::config::{Config, Decimals, Wanted};
use crate::listing::{InstrumentError, listing};
use crate::private_stream::backfill_from;
use crate::rest::{QueryError, RestClient};
use crate::shared::Shared;
use crate::snapshot;
use crate::table::Listing;
use crate::venue::{ConnectError, query};

/// How often the venue's clock is read.
const CLOCK_EVERY: Duration = Duration::from_secs(10);

/// How often the instruments' rules are read: the venue changes maxima twice a month and ticks now and then.
const RULES_EVERY: Duration = Duration::from_secs(3_600);

/// The rules and fees of every wanted instrument.
pub(crate) async fn listings(rest: &RestClient, config: &Config) -> Result<Vec<Listing>, ConnectError> {
    let mut listings = Vec::with_capacity(config.instruments.len());
    for wanted in &config.instruments {
        listings.push(read_listing(rest, wanted).await?);
    }
    Ok(listings)
}

/// The rules and fees of one instrument.
pub(crate) async fn read_listing(rest: &RestClient, wanted: &Wanted) -> Result<Listing, ConnectError> {
    let symbol = &wanted.symbol;
    let failed = |error| query(symbol.as_str(), error);
    let row = rest.instrument(wanted.category, symbol.as_str()).await.map_err(failed)?;
    let row = row.ok_or_else(|| InstrumentError::NotListed { symbol: symbol.clone() })?;
    let fees = rest.fee_rate(wanted.category, symbol.as_str()).await.map_err(failed)?;
    let fees = fees.ok_or_else(|| query(symbol.as_str(), QueryError::Malformed("no fee rate".to_owned())))?;
    Ok(listing(wanted, &row, &fees)?)
}

/// Reads the venue's clock, for ever; every other answer is a measurement too, but may not come.
pub(crate) async fn clock(shared: Arc<Shared>) {
    loop {
        sleep(CLOCK_EVERY).await;
        if let Err(error) = shared.rest.server_time().await {
            tracing::warn!(%error, "the venue's clock cannot be read");
        }
        shared.rest.skew.check();
    }
}

/// Tells when the venue turned the address away, and when that is over: the gate keeps its cancels until then.
pub(crate) async fn bans(shared: Arc<Shared>) {
    let mut bans = shared.rest.budget.bans();
    loop {
        // The sender lives as long as this task.
        if bans.changed().await.is_err() {
            return;
        }
        shared.events.push(VenueEvent::Link(LinkChange::RateBudget { up: false }));
        tracing::error!("turned away by the venue (HTTP 403): nothing is sent for ten minutes");
        while let Some(until) = shared.rest.budget.banned_until(Instant::now()) {
            tokio::time::sleep_until(until.into()).await;
        }
        shared.events.push(VenueEvent::Link(LinkChange::RateBudget { up: true }));
    }
}

/// Compares the account with the books at once when an order was refused for the position mode.
pub(crate) async fn modes(shared: Arc<Shared>) {
    loop {
        shared.modes.doubted.notified().await;
        match snapshot::take(&shared, backfill_from(&shared)).await {
            Ok(snapshot) => shared.events.push(VenueEvent::Snapshot(snapshot)),
            Err(error) => {
                tracing::warn!(%error, "the position mode cannot be read; the next comparison will")
            }
        }
    }
}

/// Tells changed rules, for ever. Rules that no longer fit stop the instrument (RULES G10).
pub(crate) async fn rules(shared: Arc<Shared>) {
    let mut told: HashMap<InstrumentId, InstrumentSpec> = HashMap::new();
    loop {
        sleep(RULES_EVERY).await;
        let followed = shared.followed();
        for wanted in &followed.wanted {
            let Some(listing) = followed.table().by_id(wanted.id) else { continue };
            let old = told.entry(wanted.id).or_insert_with(|| listing.spec.clone());
            let decimals = Decimals { price: old.price_decimals, quantity: old.quantity_decimals };
            let frozen = Wanted { decimals: Some(decimals), ..wanted.clone() };
            let new = match read_listing(&shared.rest, &frozen).await {
                Ok(listing) => listing.spec,
                Err(ConnectError::Instrument(error)) => {
                    tracing::error!(%error, "the instrument's new rules do not fit: it stops trading here");
                    InstrumentSpec { trading: false, ..old.clone() }
                }
                Err(error) => {
                    tracing::warn!(%error, "instrument rules cannot be read");
                    continue;
                }
            };
            if new != *old {
                *old = new.clone();
                shared.events.push(VenueEvent::Instrument(new));
            }
        }
    }
}
