//! Taking instruments on while everything runs.

use core::time::Duration;
use std::sync::Arc;

use portcullis_core::{Category, InstrumentSpec};
use portcullis_gateway::VenueEvent;
use tokio::time::sleep;

use crate::backoff::Backoff;
use crate::config::Wanted;
use crate::private_feed::PrivateFeed;
use crate::private_stream::backfill_from;
use crate::shared::{Followed, Shared};
use crate::snapshot;
use crate::table::Listing;
use crate::venue::{ConnectError, keep_public, query};
use crate::watch::read_listing;

/// Attempts at the comparison with the account.
const SNAPSHOT_TRIES: u32 = 3;

/// The answer to [`BybitVenue::follow`](crate::BybitVenue::follow).
#[derive(Debug)]
pub struct FollowOutcome {
    /// The caller's number for its request.
    pub ticket: u64,
    /// The rules of the instruments asked for, in that order, as they were first seen.
    pub result: Result<Vec<InstrumentSpec>, ConnectError>,
}

/// Follows, and answers whatever happens.
pub(crate) async fn run(shared: Arc<Shared>, ticket: u64, wanted: Vec<Wanted>) {
    let following = tokio::spawn(follow(Arc::clone(&shared), wanted));
    let result = following.await.unwrap_or_else(|error| Err(ConnectError::SetUp(error.to_string())));
    shared.events.push_followed(FollowOutcome { ticket, result });
}

async fn follow(shared: Arc<Shared>, wanted: Vec<Wanted>) -> Result<Vec<InstrumentSpec>, ConnectError> {
    let _alone = shared.following.lock().await;
    let before = shared.followed();
    let mut new = Vec::new();
    for one in &wanted {
        one.check_bars()?;
        if before.table().find(one.category, one.symbol.as_str()).is_none() {
            new.push(read_listing(&shared.rest, one).await?);
        }
    }
    let specs: Vec<InstrumentSpec> = new.iter().map(|listing| listing.spec.clone()).collect();
    let after = Arc::new(joined(&before, &wanted, new));
    shared.followed.send_replace(Arc::clone(&after));
    let categories: Vec<Category> =
        after.table().categories().filter(|category| !before.table().has(*category)).collect();
    for category in categories {
        tokio::spawn(keep_public(Arc::clone(&shared), category));
    }
    if !specs.is_empty() {
        for spec in specs {
            shared.events.push(VenueEvent::Instrument(spec));
        }
        compare(&shared).await?;
    }
    let listed = |one: &Wanted| after.table().find(one.category, one.symbol.as_str());
    Ok(wanted.iter().filter_map(listed).map(|listing| listing.spec.clone()).collect())
}

fn joined(before: &Followed, more: &[Wanted], new: Vec<Listing>) -> Followed {
    let mut wanted = before.wanted.clone();
    for one in more {
        match wanted.iter_mut().find(|known| known.is_same(one)) {
            Some(known) => known.take_on(one),
            None => wanted.push(one.clone()),
        }
    }
    let known = before.table().clone().into_listings();
    Followed { wanted, private: PrivateFeed::new(known.chain(new)) }
}

/// What the account holds of the new instruments was left out of every earlier comparison.
async fn compare(shared: &Shared) -> Result<(), ConnectError> {
    let mut backoff = Backoff::new();
    let mut tries = 0_u32;
    loop {
        match snapshot::take(shared, backfill_from(shared)).await {
            Ok(snapshot) => {
                for execution in &snapshot.executions {
                    shared.saw_execution(execution.venue_time);
                }
                shared.events.push(VenueEvent::Snapshot(snapshot));
                return Ok(());
            }
            Err(error) if tries >= SNAPSHOT_TRIES => return Err(query("reconciliation", error)),
            Err(error) => tracing::warn!(%error, "reconciliation failed"),
        }
        tries = tries.saturating_add(1);
        sleep(backoff.wait(Duration::ZERO)).await;
    }
}
