//! Orders over the trade stream, where the operator switched it on: after its authentication orders need no signature, so the signer
//! caps nothing any more (RULES S1). What an answer proves is the same as by REST, and so is what silence proves: nothing.

use core::convert::Infallible;
use core::fmt;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use portcullis_core::{Category, Sequence, Submission, Timestamp};
use portcullis_wire::{
    Ack, Operation, OrderIds, RECV_WINDOW_MS, TradeHeader, TradeReply, TradeReplyHeader, TradeRequest, path,
    redact,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use crate::backoff::Backoff;
use crate::budget::RateHeaders;
use crate::post::{accepted, settled, unknown};
use crate::shared::Shared;
use crate::socket::{Socket, SocketError};
use portcullis_wire::OrderRequest;

/// Requests that may wait for the socket; more than the venue takes in a second.
const QUEUE: usize = 64;

/// How long the answer to the authentication may take.
const ANSWER_WITHIN: core::time::Duration = core::time::Duration::from_secs(10);

/// The venue's trade service restarts: nothing more may be asked of this connection.
const RESTARTING: i32 = 10_019;

/// The trade stream, as those who send see it.
#[derive(Debug, Default)]
pub(crate) struct TradeSocket {
    open: Mutex<Option<Open>>,
}

/// An authenticated socket.
#[derive(Clone)]
struct Open {
    queue: mpsc::Sender<Request>,
    /// The key it was authenticated with, to be kept out of what the venue says.
    key: Arc<str>,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").finish_non_exhaustive()
    }
}

/// What came of a request.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Its outcome, which may be that nothing is known.
    Answered(Submission),
    /// Not a byte of it went out, so it may go another way.
    NotSent,
}

/// A request on its way to the socket.
#[derive(Debug)]
struct Request {
    id: String,
    text: String,
    /// Set before the first byte goes out.
    leaves: Arc<AtomicBool>,
    reply: oneshot::Sender<TradeReply>,
}

impl TradeSocket {
    /// Whether a request would go this way now.
    pub(crate) fn takes(&self, request: &OrderRequest) -> bool {
        request.operation().is_some() && self.open().is_some()
    }

    /// Sends a request and waits for its answer, found by the request's name: answers come in any order.
    pub(crate) async fn ask(
        &self,
        shared: &Shared,
        of: Sequence,
        request: &OrderRequest,
        market: Category,
    ) -> Asked {
        let (Some(operation), Some(open)) = (request.operation(), self.open()) else {
            return Asked::NotSent;
        };
        let sent = shared.now();
        let Some(text) = text_of(of, operation, request, sent) else { return Asked::NotSent };
        let leaves = Arc::new(AtomicBool::new(false));
        let (reply, answer) = oneshot::channel();
        let asked = Request { id: id_of(of), text, leaves: Arc::clone(&leaves), reply };
        if open.queue.try_send(asked).is_err() {
            return Asked::NotSent;
        }
        match timeout(shared.config.command_timeout, answer).await {
            Ok(Ok(reply)) => {
                let submission = read(request.path(), &reply, &open.key);
                let (rate, time) = headers(reply.header.as_ref());
                shared.rest.heed(request.path(), market, &submission, rate, (sent, time));
                Asked::Answered(submission)
            }
            Ok(Err(_)) if !leaves.load(Ordering::Acquire) => Asked::NotSent,
            Ok(Err(_)) => Asked::Answered(unknown("the trade stream was cut before an answer came")),
            Err(_) => Asked::Answered(unknown("no answer on the trade stream in time")),
        }
    }

    /// Whether it is authenticated and open.
    #[cfg(test)]
    pub(crate) fn is_up(&self) -> bool {
        self.open().is_some()
    }

    fn open(&self) -> Option<Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, open: Option<Open>) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }
}

/// Keeps the trade stream, for ever. While it is down orders go by REST.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut backoff = Backoff::new();
    loop {
        let started = Instant::now();
        let Err(error) = connected(&shared).await;
        shared.trade.set(None);
        shared.events.counters.reconnects.count();
        let wait = backoff.wait(started.elapsed());
        tracing::warn!(%error, ?wait, "trade stream down: orders go by REST");
        sleep(wait).await;
    }
}

async fn connected(shared: &Shared) -> Result<Infallible, SocketError> {
    let mut socket = Socket::connect(&shared.config.endpoints.trade, path::TRADE, &shared.tls).await?;
    let refused = |words: String| SocketError::Refused { what: "auth", words };
    let auth = shared.signing.stream().map_err(|error| refused(error.to_string()))?;
    socket.send(&Operation::auth(&auth.key, auth.expires_ms, &auth.signature)).await?;
    let answered = timeout(ANSWER_WITHIN, async {
        loop {
            let reply: TradeReply = serde_json::from_str(&socket.next().await?)?;
            if reply.op == "auth" {
                return Ok::<_, SocketError>(reply);
            }
        }
    });
    let reply = answered.await.map_err(|_| SocketError::NoAnswer { what: "auth" })??;
    if reply.ret_code != 0 {
        return Err(refused(format!("code {}: {}", reply.ret_code, redact(&reply.ret_msg, &auth.key))));
    }
    let (queue, mut asked) = mpsc::channel(QUEUE);
    shared.trade.set(Some(Open { queue, key: auth.key.as_ref().into() }));
    tracing::info!("trade stream up: the signer's cap is off");
    let mut waiting: HashMap<String, oneshot::Sender<TradeReply>> = HashMap::new();
    loop {
        tokio::select! {
            Some(request) = asked.recv() => {
                request.leaves.store(true, Ordering::Release);
                waiting.retain(|_, reply| !reply.is_closed());
                waiting.insert(request.id, request.reply);
                socket.send_text(request.text).await?;
            }
            text = socket.next() => {
                let text = text?;
                if let Ok(ack) = serde_json::from_str::<Ack>(&text) {
                    socket.heard(&ack);
                }
                let Ok(reply) = serde_json::from_str::<TradeReply>(&text) else {
                    shared.events.counters.quarantined.count();
                    continue;
                };
                let restarting = reply.ret_code == RESTARTING;
                if let Some(asker) = reply.req_id.as_ref().and_then(|id| waiting.remove(id)) {
                    // Nobody may be waiting any more.
                    let _ = asker.send(reply);
                }
                if restarting {
                    return Err(SocketError::Closed);
                }
            }
        }
    }
}

/// The request's name on the socket, and a duplicate there is refused: each command is asked at most once.
fn id_of(of: Sequence) -> String {
    of.0.to_string()
}

fn text_of(of: Sequence, operation: &str, request: &OrderRequest, now: Timestamp) -> Option<String> {
    let body = serde_json::from_slice(&request.body().ok()?).ok()?;
    let header = TradeHeader {
        timestamp: Some(now.millis().to_string()),
        recv_window: Some(RECV_WINDOW_MS.to_string()),
    };
    let request = TradeRequest {
        req_id: Some(id_of(of)),
        header: Some(header),
        op: operation.to_owned(),
        args: vec![body],
    };
    serde_json::to_string(&request).ok()
}

/// What an answer proves.
fn read(at: &str, reply: &TradeReply, key: &str) -> Submission {
    settled(at, reply.ret_code, &reply.ret_msg, key).unwrap_or_else(|| {
        let ids = reply.data.clone().and_then(|data| serde_json::from_value::<OrderIds>(data).ok());
        accepted(ids)
    })
}

fn headers(header: Option<&TradeReplyHeader>) -> (RateHeaders, Option<u64>) {
    let Some(header) = header else { return (RateHeaders::default(), None) };
    let rate = RateHeaders {
        limit: header.limit.parse().ok(),
        left: header.limit_status.parse().ok(),
        reset_ms: header.limit_reset.parse().ok(),
    };
    (rate, header.time_now.parse().ok())
}
