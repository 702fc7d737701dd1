//! Full reconciliation and evidence about one order, by query.

use portcullis_core::{
    Category, Evidence, ExecutionReport, InstrumentId, LinkId, OrderReport, PositionReport, SignedQty,
    Timestamp, VenueSnapshot, VenueStatus,
};
use portcullis_gateway::VenueEvent;

use crate::decode::{self, Quarantine};
use crate::modes;
use crate::rest::QueryError;
use crate::shared::Shared;
use crate::table::{InstrumentTable, Listing};

/// Everything the venue says is ours. A row of ours that cannot be read fails the whole: an order left out would look closed.
pub(crate) async fn take(shared: &Shared, since: Timestamp) -> Result<VenueSnapshot, QueryError> {
    let followed = shared.followed();
    let (rest, table) = (&shared.rest, followed.table());
    let (mut orders, mut executions, mut positions) = (Vec::new(), Vec::new(), Vec::new());
    for category in table.categories() {
        for row in rest.open_orders(category).await? {
            keep(shared, &mut orders, decode::order(table, &row, Some(category)), |row| row.venue_time)?;
        }
    }
    for category in table.categories() {
        for row in rest.executions(category, since).await? {
            let execution = decode::execution(table, &row, Some(category));
            keep(shared, &mut executions, execution, |row| row.venue_time)?;
        }
    }
    executions.sort_by_key(|execution| execution.venue_time);
    let mut hedged = false;
    if table.has(Category::Linear) {
        hedged = modes::read(shared).await?;
        for row in rest.positions().await? {
            hedged |= row.position_idx != 0;
            let position = decode::position_of_any_mode(table, &row);
            keep(shared, &mut positions, position, |row| row.venue_time)?;
        }
    }
    let (wallet, time) = rest.wallet().await?;
    let wallet = decode::wallet(table, &wallet, time).map_err(malformed)?;
    let mode = decode::mode(&rest.account_info().await?, hedged).map_err(malformed)?;
    let positions = netted(positions).ok_or_else(|| malformed(Quarantine::OutOfRange))?;
    Ok(VenueSnapshot { time: shared.now(), orders, executions, positions, wallet, mode })
}

/// One position for each instrument: in hedge mode the venue has two, which nobody may add to (the account's mode is wrong) and of
/// which the difference is at risk.
fn netted(positions: Vec<PositionReport>) -> Option<Vec<PositionReport>> {
    let mut net: Vec<PositionReport> = Vec::with_capacity(positions.len());
    for position in positions {
        match net.iter_mut().find(|known| known.instrument == position.instrument) {
            Some(known) => known.quantity = SignedQty(known.quantity.0.checked_add(position.quantity.0)?),
            None => net.push(position),
        }
    }
    Some(net)
}

fn keep<T>(
    shared: &Shared,
    rows: &mut Vec<T>,
    row: Result<T, Quarantine>,
    time: impl Fn(&T) -> Timestamp,
) -> Result<(), QueryError> {
    let now = shared.now();
    match row.and_then(|row| decode::in_time(time(&row), now).map(|()| row)) {
        Ok(row) => rows.push(row),
        Err(Quarantine::OtherInstrument) => {
            if shared.events.counters.foreign.count() {
                tracing::warn!(
                    "the account holds orders, executions or positions of instruments we do not follow"
                );
            }
        }
        Err(error) => {
            shared.quarantined(&error);
            return Err(malformed(error));
        }
    }
    Ok(())
}

fn malformed(error: Quarantine) -> QueryError {
    QueryError::Malformed(error.to_string())
}

/// What the venue knows of one order: its executions go out as reports, and then comes the finding. Absent only when open orders,
/// history and executions all answered and none of them has it. With it comes the venue's clock before the first of them was asked.
pub(crate) async fn evidence(
    shared: &Shared,
    instrument: InstrumentId,
    link: &LinkId,
) -> (Evidence, Timestamp) {
    let nothing = (Evidence::Unavailable, Timestamp::default());
    let followed = shared.followed();
    let Some(listing) = followed.table().by_id(instrument) else { return nothing };
    let searched = async {
        let venue_time = shared.rest.server_time().await?.venue;
        Ok::<_, QueryError>((search(shared, followed.table(), listing, link).await?, venue_time))
    };
    searched.await.unwrap_or_else(|error| {
        tracing::warn!(%link, %error, "no evidence to be had");
        nothing
    })
}

async fn search(
    shared: &Shared,
    table: &InstrumentTable,
    listing: &Listing,
    link: &LinkId,
) -> Result<Evidence, QueryError> {
    let (rest, spec) = (&shared.rest, &listing.spec);
    let (symbol, name) = (spec.symbol.as_str(), link.as_str());
    let mut found = rest.realtime(spec.category, symbol, name).await?;
    if found.is_none() {
        found = rest.history(spec.category, symbol, name).await?;
    }
    let found = match found {
        Some(row) => {
            let report = decode::order(table, &row, Some(spec.category)).map_err(malformed)?;
            decode::in_time(report.venue_time, shared.now()).map_err(malformed)?;
            Some(report)
        }
        None => None,
    };
    let mut executed = false;
    if found.as_ref().is_none_or(may_have_executed) {
        for row in rest.executions_of(spec.category, symbol, name).await? {
            let execution = decode::execution(table, &row, Some(spec.category)).map_err(malformed)?;
            decode::in_time(execution.venue_time, shared.now()).map_err(malformed)?;
            executed = true;
            shared.saw_execution(execution.venue_time);
            shared.events.push(VenueEvent::Report(ExecutionReport::Execution(execution)));
        }
    }
    Ok(match found {
        Some(report) => Evidence::Found(report),
        // It executed, so it exists; which state it is in nobody says yet.
        None if executed => Evidence::Unavailable,
        None => Evidence::Absent,
    })
}

fn may_have_executed(report: &OrderReport) -> bool {
    report.executed.0 > 0 || report.status == VenueStatus::Filled
}
