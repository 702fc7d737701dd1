//! The private stream: authenticated with the read key, reconciled by query before it counts as up, and watched.

use core::convert::Infallible;
use core::time::Duration;
use std::sync::Arc;

use portcullis_core::{Execution, ExecutionReport, LinkChange, OrderReport, Timestamp, VenueAlarm};
use portcullis_gateway::VenueEvent;
use portcullis_wire::{Ack, Operation, path, redact};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::backoff::Backoff;
use crate::decode::{self, Quarantine};
use crate::public_stream::is_data;
use crate::rest::QueryError;
use crate::shared::Shared;
use crate::socket::{Socket, SocketError};
use crate::{rollback, snapshot};

/// How long an answer to `auth` and `subscribe` may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How far in the future the authentication expires.
const AUTH_FOR_MS: u64 = 10_000;

/// How far behind the last execution seen the backfill starts: streams and queries do not keep one order.
const OVERLAP_MS: u64 = 10 * 60 * 1_000;

/// How far back the canary looks.
const CANARY_LOOKS_BACK_MS: u64 = 2 * 60 * 1_000;

/// Most messages held back while the backfill runs.
const HELD_MAX: usize = 50_000;

const TOPICS: [&str; 4] = ["order", "execution", "position", "wallet"];

/// Runs for ever.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut backoff = Backoff::new();
    loop {
        let started = Instant::now();
        let mut was_up = false;
        let Err(error) = connected(&shared, &mut was_up).await;
        if was_up {
            shared.events.push(VenueEvent::Link(LinkChange::Private { up: false }));
        }
        shared.events.counters.reconnects.count();
        let wait = backoff.wait(started.elapsed());
        tracing::warn!(%error, ?wait, "private stream down");
        sleep(wait).await;
    }
}

async fn connected(shared: &Shared, was_up: &mut bool) -> Result<Infallible, SocketError> {
    let mut socket = Socket::connect(&shared.config.endpoints.private, path::PRIVATE, &shared.tls).await?;
    let mut held = Vec::new();
    let key = &shared.config.read_key;
    let expires = shared.now().millis().saturating_add(AUTH_FOR_MS);
    socket.send(&Operation::auth(key.key(), expires, &key.sign_stream(expires))).await?;
    answered(&mut socket, &mut held, "auth", key.key()).await?;
    socket.send(&Operation::subscribe("private", TOPICS.map(str::to_owned))).await?;
    answered(&mut socket, &mut held, "subscribe", key.key()).await?;

    reconcile(shared, &mut socket, &mut held).await?;
    for text in held {
        deliver(shared, &text);
    }
    *was_up = true;
    tracing::info!("private stream up");
    shared.events.push(VenueEvent::Link(LinkChange::Private { up: true }));
    tokio::select! {
        ended = listen(shared, &mut socket) => ended,
        ended = canary(shared) => ended,
    }
}

/// Waits for the answer to an operation; data that comes first is held back.
async fn answered(
    socket: &mut Socket,
    held: &mut Vec<Utf8Bytes>,
    what: &'static str,
    key: &str,
) -> Result<(), SocketError> {
    let ack = timeout(ANSWER_WITHIN, async {
        loop {
            let text = socket.next().await?;
            match control(socket, text)? {
                Message::Data(text) => held.push(text),
                Message::Answer(ack) if ack.op == what => return Ok::<Ack, SocketError>(ack),
                Message::Answer(_) => {}
            }
        }
    })
    .await
    .map_err(|_| SocketError::NoAnswer { what })??;
    if ack.success == Some(true) {
        return Ok(());
    }
    Err(SocketError::Refused { what, words: redact(ack.ret_msg.as_deref().unwrap_or_default(), key) })
}

enum Message {
    Data(Utf8Bytes),
    Answer(Ack),
}

/// What cannot be read at all ends the connection: something was said about our orders, and the next one begins by asking what.
fn control(socket: &mut Socket, text: Utf8Bytes) -> Result<Message, SocketError> {
    if is_data(&text) {
        return Ok(Message::Data(text));
    }
    let ack: Ack = serde_json::from_str(&text)?;
    socket.heard(&ack);
    Ok(Message::Answer(ack))
}

/// Everything the venue says is ours, asked for while the stream already runs: what it says meanwhile is held back and told
/// after the snapshot.
async fn reconcile(
    shared: &Shared,
    socket: &mut Socket,
    held: &mut Vec<Utf8Bytes>,
) -> Result<(), SocketError> {
    let taking = async {
        // What happens from here on, the stream must tell.
        shared.heard.start(shared.rest.server_time().await?.venue);
        look_for_rollback(shared).await?;
        snapshot::take(shared, backfill_from(shared)).await
    };
    tokio::pin!(taking);
    let taken = loop {
        tokio::select! {
            taken = &mut taking => break taken,
            text = socket.next() => match control(socket, text?)? {
                Message::Data(text) if held.len() < HELD_MAX => held.push(text),
                Message::Data(_) => return Err(SocketError::Backfill("too much happened meanwhile".to_owned())),
                Message::Answer(_) => {}
            },
        }
    };
    let snapshot = taken.map_err(|error| SocketError::Backfill(error.to_string()))?;
    for execution in &snapshot.executions {
        shared.saw_execution(execution.venue_time);
        shared.heard.execution(execution);
    }
    for order in &snapshot.orders {
        shared.heard.order(order);
    }
    shared.events.push(VenueEvent::Snapshot(snapshot));
    Ok(())
}

/// Once, before anything of the venue's is taken in: is the journal older than the venue? (RULES J5)
async fn look_for_rollback(shared: &Shared) -> Result<(), QueryError> {
    let Some(head) = shared.config.journal_head else { return Ok(()) };
    if shared.lookout.is_over() {
        return Ok(());
    }
    if let Some(link) = rollback::look(shared, head).await? {
        tracing::error!(%link, "the venue has an order of ours that is newer than the journal");
        shared.events.push(VenueEvent::Alarm(VenueAlarm::RolledBack { link }));
    }
    shared.lookout.end();
    Ok(())
}

/// From when on executions are asked for that may have been missed.
pub(crate) fn backfill_from(shared: &Shared) -> Timestamp {
    Timestamp::from_millis(shared.executions_seen_until().millis().saturating_sub(OVERLAP_MS))
}

async fn listen(shared: &Shared, socket: &mut Socket) -> Result<Infallible, SocketError> {
    loop {
        while shared.events.is_congested() {
            sleep(Duration::from_millis(5)).await;
        }
        let text = socket.next().await?;
        if let Message::Data(text) = control(socket, text)? {
            deliver(shared, &text);
        }
    }
}

async fn canary(shared: &Shared) -> Result<Infallible, SocketError> {
    let mut failures = 0_u32;
    loop {
        sleep(shared.config.canary_every).await;
        if shared.rest.budget.banned_until(std::time::Instant::now()).is_some() {
            // Nothing may be asked, and a new session would have to ask: what the stream still tells is better than none.
            continue;
        }
        match missed(shared).await {
            Ok(None) => {}
            Ok(Some(what)) => {
                shared.events.counters.missed.count();
                return Err(SocketError::Deaf(what));
            }
            Err(error) => tracing::warn!(%error, "the private stream cannot be held against a query"),
        }
        let answer = shared.rest.wallet().await;
        let error =
            match answer.map(|(wallet, time)| decode::wallet(shared.followed().table(), &wallet, time)) {
                Ok(Ok(report)) => {
                    failures = 0;
                    shared.events.push(VenueEvent::Report(ExecutionReport::Wallet(report)));
                    continue;
                }
                Ok(Err(quarantine)) => quarantine.to_string(),
                Err(error) => error.to_string(),
            };
        failures = failures.saturating_add(1);
        tracing::warn!(error, failures, "wallet query failed");
        if failures >= 2 {
            return Err(SocketError::Backfill(error));
        }
    }
}

/// What the venue says happened since this connection was made, and the stream never told.
async fn missed(shared: &Shared) -> Result<Option<String>, QueryError> {
    let followed = shared.followed();
    let (rest, table) = (&shared.rest, followed.table());
    let venue_now = rest.server_time().await?.venue;
    let since = venue_now.millis().saturating_sub(CANARY_LOOKS_BACK_MS);
    for category in table.categories() {
        let executions = rest.executions(category, Timestamp::from_millis(since)).await?;
        let orders = rest.open_orders(category).await?;
        // Rows that do not fit are counted where they are taken in.
        let executions: Vec<Execution> =
            executions.iter().filter_map(|row| decode::execution(table, row, Some(category)).ok()).collect();
        let orders: Vec<OrderReport> =
            orders.iter().filter_map(|row| decode::order(table, row, Some(category)).ok()).collect();
        if let Some(what) = shared.heard.missing(&executions, &orders, venue_now) {
            return Ok(Some(what));
        }
    }
    Ok(None)
}

/// Hands on the reports of one data frame. A row that does not fit is counted and told; the others go on.
fn deliver(shared: &Shared, text: &str) {
    let now = shared.now();
    shared.followed().private.frame(text, &mut |report| match report
        .and_then(|report| decode::in_time(report.venue_time(), now).map(|()| report))
    {
        Ok(report) => {
            match &report {
                ExecutionReport::Execution(execution) => {
                    shared.saw_execution(execution.venue_time);
                    shared.heard.execution(execution);
                }
                ExecutionReport::Order(order) => shared.heard.order(order),
                ExecutionReport::Position(_) | ExecutionReport::Wallet(_) => {}
            }
            shared.events.push(VenueEvent::Report(report));
        }
        Err(Quarantine::OtherInstrument) => {
            if shared.events.counters.foreign.count() {
                tracing::warn!("a private row of an instrument we do not follow");
            }
        }
        Err(error) => shared.quarantined(&error),
    });
}
