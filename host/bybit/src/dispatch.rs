//! One command from the gate to the network: encoded, given room in the rate budget, signed, sent, and its one outcome told.

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use portcullis_core::{
    Category, Class, Command, InstrumentId, LinkId, RejectionKind, Sequence, Submission, VenueRejection,
};
use portcullis_wire::{AmendOrder, Batch, CancelOrder, OrderFilter, OrderRequest, SignError, path};
use tokio::runtime::Runtime;

use crate::budget::Exhausted;
use crate::encode;
use crate::events::Owed;
use crate::shared::Shared;
use crate::table::Listing;
use crate::trade_socket::Asked;

/// Longest wait of a reduction or cancel for the rate budget.
const BUDGET_WAIT: Duration = Duration::from_secs(3);

/// Sends one command; its outcome is told exactly once, whatever happens.
pub(crate) fn send(
    shared: &Arc<Shared>,
    runtime: &Runtime,
    of: Sequence,
    class: Class,
    (command, link): (&Command, &LinkId),
) {
    let owed = Owed::new(of, shared.events.clone());
    let (request, market) = match prepare(shared, command, link) {
        Ok(prepared) => prepared,
        Err(rejection) => return owed.tell(Submission::Rejected(rejection)),
    };
    let room = shared.rest.budget.take(Instant::now(), request.path(), market, class);
    if room.is_err() && class == Class::Adding {
        // Refused and never queued (RULES G4).
        return owed.tell(over_budget());
    }
    let shared = Arc::clone(shared);
    if room.is_ok() && !shared.trade.takes(&request) {
        // Signed on the pipeline's own thread (RULES C6).
        let (signed, request) = match (shared.signing.sign(&request), request) {
            (Ok(signed), request) => (signed, request),
            (Err(SignError::UnknownOrder), OrderRequest::Amend(amend)) => {
                runtime.spawn(async move {
                    let submission = amend_whole(&shared, amend, market).await;
                    owed.tell(outcome(&shared, submission));
                });
                return;
            }
            (Err(error), _) => return owed.tell(unsigned(&error)),
        };
        runtime.spawn(async move {
            let submission = shared.rest.post(signed, market).await;
            let submission = other_filter(&shared, &request, market, submission).await;
            owed.tell(outcome(&shared, submission));
        });
        return;
    }
    runtime.spawn(async move {
        let submission = match wait_for_room(&shared, request, market, class, room).await {
            Some(request) => {
                let submission = by_socket_or_post(&shared, of, &request, market).await;
                other_filter(&shared, &request, market, submission).await
            }
            None => over_budget(),
        };
        owed.tell(outcome(&shared, submission));
    });
}

/// Spot keeps conditional orders apart from the others, and a cancel looks among one of the two: what is not among the others is looked
/// for there. A cancel can be asked twice without harm.
async fn other_filter(
    shared: &Shared,
    request: &OrderRequest,
    market: Category,
    submission: Submission,
) -> Submission {
    let is_nowhere =
        matches!(&submission, Submission::Rejected(VenueRejection { kind: RejectionKind::NoSuchOrder, .. }));
    let (OrderRequest::Cancel(cancel), Category::Spot, true) = (request, market, is_nowhere) else {
        return submission;
    };
    let among = CancelOrder { order_filter: Some(OrderFilter::StopOrder), ..cancel.clone() };
    let request = OrderRequest::Cancel(among);
    let room = shared.rest.budget.take(Instant::now(), request.path(), market, Class::Cancel);
    match (room, shared.signing.sign(&request)) {
        (Ok(()), Ok(signed)) => shared.rest.post(signed, market).await,
        // Nothing is known of the others, so nothing is said of the order: the gate asks.
        (Err(_), _) | (_, Err(_)) => submission,
    }
}

/// Over the trade stream when it is up, and by REST when nothing of the command has gone out there: never both.
async fn by_socket_or_post(
    shared: &Shared,
    of: Sequence,
    request: &OrderRequest,
    market: Category,
) -> Submission {
    match shared.trade.ask(shared, of, request, market).await {
        Asked::Answered(submission) => submission,
        Asked::NotSent => match (shared.signing.sign(request), request) {
            (Ok(signed), _) => shared.rest.post(signed, market).await,
            (Err(SignError::UnknownOrder), OrderRequest::Amend(amend)) => {
                amend_whole(shared, amend.clone(), market).await
            }
            (Err(error), _) => unsigned(&error),
        },
    }
}

/// An amend of an order that the signer does not know, because it started after the order was signed: price and quantity are named
/// both, as the venue has them, so that the signer can tell what becomes of the order.
async fn amend_whole(shared: &Shared, mut amend: AmendOrder, market: Category) -> Submission {
    let link = amend.order_link_id.clone().unwrap_or_default();
    match shared.rest.realtime(market, &amend.symbol, &link).await {
        Ok(Some(order)) => {
            amend.price.get_or_insert(order.price);
            amend.qty.get_or_insert(order.qty);
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "an order that is to be amended cannot be asked for"),
    }
    match shared.signing.sign(&OrderRequest::Amend(amend)) {
        Ok(signed) => shared.rest.post(signed, market).await,
        Err(error) => unsigned(&error),
    }
}

/// Waits until the budget has room. A cancel need not wait where the endpoint for batches of cancels has room, because the venue counts
/// that apart. `None` when there will be none in time.
async fn wait_for_room(
    shared: &Shared,
    request: OrderRequest,
    market: Category,
    class: Class,
    mut room: Result<(), Exhausted>,
) -> Option<OrderRequest> {
    let budget = &shared.rest.budget;
    let give_up = Instant::now().checked_add(BUDGET_WAIT)?;
    while let Err(exhausted) = room {
        if let OrderRequest::Cancel(cancel) = &request
            && budget.take(Instant::now(), path::CANCEL_BATCH, market, class).is_ok()
        {
            return Some(batch_of(cancel));
        }
        if exhausted.until > give_up {
            return None;
        }
        tokio::time::sleep_until(exhausted.until.into()).await;
        room = budget.take(Instant::now(), request.path(), market, class);
    }
    Some(request)
}

fn batch_of(cancel: &CancelOrder) -> OrderRequest {
    let category = cancel.category.clone();
    OrderRequest::CancelBatch(Batch { category, request: vec![cancel.clone()] })
}

/// Looks at an outcome for what it says beside itself.
fn outcome(shared: &Shared, submission: Submission) -> Submission {
    if let Submission::Rejected(rejection) = &submission
        && rejection.message.contains("position idx not match position mode")
    {
        shared.modes.doubt();
    }
    submission
}

/// The request for a command, or why there is none.
fn prepare(
    shared: &Shared,
    command: &Command,
    link: &LinkId,
) -> Result<(OrderRequest, Category), VenueRejection> {
    let followed = shared.followed();
    let spec = match followed.table().by_id(instrument_of(command)) {
        Some(Listing { spec, .. }) => spec,
        None => return Err(not_sent(RejectionKind::Invalid, "an instrument we do not follow")),
    };
    let request = encode::request(command, link, spec, shared.config.slippage)
        .map_err(|error| not_sent(RejectionKind::Invalid, &error.to_string()))?;
    Ok((request, spec.category))
}

fn instrument_of(command: &Command) -> InstrumentId {
    match command {
        Command::Place(place) => place.instrument,
        Command::Amend(change) => change.instrument,
        Command::Cancel(order) => order.instrument,
        Command::CancelAll(all) => all.instrument,
        Command::SetProtection(protection) => protection.instrument,
    }
}

fn over_budget() -> Submission {
    Submission::Rejected(not_sent(RejectionKind::RateLimited, "over the rate budget"))
}

fn unsigned(error: &SignError) -> Submission {
    Submission::Rejected(not_sent(RejectionKind::Unauthorised, &error.to_string()))
}

/// A refusal of our own: the command did not leave, so nothing is unknown. Code 0 is none of the venue's.
fn not_sent(kind: RejectionKind, why: &str) -> VenueRejection {
    VenueRejection { kind, code: 0, message: format!("not sent: {why}") }
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
