//! The stream of events that keeps the page up to date.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::app::Shared;
use crate::caller::{Caller, Reader};
use crate::error::{ApiError, Problem};

/// How often a stream that has nothing to say says so.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How often it is checked that the follower may still follow.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// Follow the Overview
///
/// A stream of server-sent events. Each event is named `overview` and carries what the page shows, formatted for people; programs
/// read the other addresses. The first event comes at once, later ones when something has changed. The stream ends with the session or token.
#[utoipa::path(get, path = "/api/events", tag = "trading", security(("token" = []), ("session" = [])), responses(
    (status = 200, description = "The stream", content_type = "text/event-stream", body = String),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 503, description = "Too many follow at once", body = Problem),
))]
pub(crate) async fn events(
    State(app): State<Shared>,
    Reader(caller): Reader,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ApiError> {
    let place = Arc::clone(&app.followers).try_acquire_owned().map_err(|_| ApiError::Busy("followers"))?;
    let follower = Follower { app, caller, checked: Instant::now(), sent: String::new(), _place: place };
    let stream = futures_util::stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

struct Follower {
    app: Shared,
    caller: Caller,
    checked: Instant,
    /// What was sent last.
    sent: String,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    /// The next event; `None` when the stream is to end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.checked.elapsed() >= CHECK_EVERY {
                if !self.caller.is_valid(&self.app).await {
                    return None;
                }
                self.checked = Instant::now();
            }
            let reading = self.app.live.read().await;
            if reading.json != self.sent {
                self.sent.clone_from(&reading.json);
                return Some(Event::default().event("overview").data(&self.sent));
            }
            let mut stopping = self.app.stopping.clone();
            tokio::select! {
                () = tokio::time::sleep(self.app.bounds.poll) => {}
                _ = stopping.wait_for(|stopping| *stopping) => return None,
            }
        }
    }
}
