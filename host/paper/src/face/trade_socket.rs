//! One connection to the trade stream: the commands of REST as operations.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Utf8Bytes, WebSocket};
use portcullis_core::{Span, Timestamp};
use portcullis_wire::{TradeReply, TradeReplyHeader, TradeRequest, path};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::App;
use super::auth::{authenticate_stream, check_time};
use super::damage::damaged;
use super::quota::Quota;
use super::refusal::Refusal;
use super::request::{self, Answer, Answered};
use super::socket::{Line, Terms, cut, json};
use crate::faults::{Channel, Does, Strike};

/// Operations and the paths of the requests they are.
const OPERATIONS: [(&str, &str); 6] = [
    ("order.create", path::CREATE),
    ("order.amend", path::AMEND),
    ("order.cancel", path::CANCEL),
    ("order.create-batch", path::CREATE_BATCH),
    ("order.amend-batch", path::AMEND_BATCH),
    ("order.cancel-batch", path::CANCEL_BATCH),
];
/// Longest name of a request.
const NAME_MAX: usize = 36;
/// Names of requests remembered, so that none is taken twice.
const NAMES_KEPT: usize = 10_000;
/// Requests a second from one address.
const REQUESTS_MAX: usize = 3_000;
/// Answers that may wait to be sent.
const WAITING_MAX: usize = 100_000;

/// Serves a connection until either side ends it.
pub(super) async fn serve(app: Arc<App>, socket: WebSocket, terms: Terms) {
    let mut cuts = app.outage.cuts(Channel::Trade);
    let mut closing = app.closing.subscribe();
    let mut client = Client::new(app.connection());
    let mut line = Line::new(socket, Channel::Trade, &terms);
    loop {
        let idle_until = line.idle_until();
        let next = client.waiting.first_key_value().map_or(idle_until, |((due, _), _)| *due);
        tokio::select! {
            text = line.hear() => match text {
                Ok(text) => client.answer(&app, &text),
                Err(_) => return,
            },
            _ = cuts.changed() => return,
            _ = closing.changed() => return,
            () = tokio::time::sleep_until(next) => {}
        }
        let texts = client.due(Instant::now());
        if texts.is_empty() && Instant::now() >= idle_until || client.waiting.len() > WAITING_MAX {
            return;
        }
        if line.tell(&app, texts).await.is_err() {
            return;
        }
    }
}

struct Client {
    name: String,
    /// The place of the key that proved itself.
    place: Option<usize>,
    names: HashSet<String>,
    /// The same names, oldest first.
    named: VecDeque<String>,
    /// When the requests of the last second came.
    came: VecDeque<Timestamp>,
    /// Answers and when they may be sent.
    waiting: BTreeMap<(Instant, u64), Utf8Bytes>,
    number: u64,
}

impl Client {
    fn new(name: String) -> Self {
        Self {
            name,
            place: None,
            names: HashSet::new(),
            named: VecDeque::new(),
            came: VecDeque::new(),
            waiting: BTreeMap::new(),
            number: 0,
        }
    }

    fn answer(&mut self, app: &App, text: &str) {
        let now = app.clock.now();
        let request: TradeRequest = match serde_json::from_str(text) {
            Ok(request) => request,
            Err(error) => {
                let refusal = Refusal::parameter(format!("Failed to decode incoming data:{error}"));
                let request =
                    TradeRequest { req_id: None, header: None, op: String::new(), args: Vec::new() };
                let reply = self.reply(&request, Err(refusal));
                return self.send(&reply, Duration::ZERO, None);
            }
        };
        let at = app.clock.shown(now);
        match request.op.as_str() {
            "ping" => {
                let mut reply = self.reply(&request, Ok(Answer::of(json!([at.millis().to_string()]))));
                "pong".clone_into(&mut reply.op);
                reply.ret_ext_info = None;
                self.send(&reply, Duration::ZERO, None);
            }
            "auth" => {
                let outcome = self.authenticate(app, &request, at);
                let mut reply = self.reply(&request, outcome.map(|()| Answer::of(Value::Null)));
                (reply.data, reply.ret_ext_info) = (None, None);
                self.send(&reply, Duration::ZERO, None);
            }
            _ => self.order(app, &request, now),
        }
    }

    fn authenticate(&mut self, app: &App, request: &TradeRequest, at: Timestamp) -> Result<(), Refusal> {
        if self.place.is_some() {
            return Err(Refusal::new(20_001, "Repeat auth"));
        }
        self.place = Some(authenticate_stream(&app.keys, &request.args, at)?);
        Ok(())
    }

    /// Carries out an operation on orders. The answer comes after the time an acknowledgement takes.
    fn order(&mut self, app: &App, request: &TradeRequest, now: Timestamp) {
        let shown = app.clock.shown(now);
        let header = |quota: Option<Quota>| TradeReplyHeader {
            limit: quota.map_or_else(String::new, |quota| quota.limit.to_string()),
            limit_status: quota.map_or_else(String::new, |quota| quota.left.to_string()),
            limit_reset: quota.map_or_else(String::new, |quota| quota.reset.millis().to_string()),
            trace_id: app.trace(),
            time_now: shown.millis().to_string(),
        };
        let wait = Duration::from_nanos(app.ack_delay.0);
        match self.admit(app, request, now) {
            Ok((place, path, body)) => {
                let Answered { outcome, quota, strike } = request::command(app, place, path, &body, now);
                let outcome = match strike.map(|strike| strike.does) {
                    Some(Does::Forbidden) => Err(Refusal::new(10_403, "Exceeded the IP rate limit")),
                    Some(Does::ServerError) => Err(Refusal::new(10_016, "Server error")),
                    Some(_) | None => outcome,
                };
                let mut reply = self.reply(request, outcome);
                reply.header = Some(header(Some(quota)));
                self.send(&reply, wait, strike);
            }
            Err(refusal) => {
                let mut reply = self.reply(request, Err(refusal));
                reply.header = Some(header(None));
                self.send(&reply, wait, None);
            }
        }
    }

    /// The key, the path and the body of an operation that may be carried out.
    fn admit(
        &mut self,
        app: &App,
        request: &TradeRequest,
        now: Timestamp,
    ) -> Result<(usize, &'static str, Vec<u8>), Refusal> {
        if app.limits && self.is_too_fast(now) {
            return Err(Refusal::new(10_403, "Exceeded the IP rate limit"));
        }
        let place = self.place.ok_or_else(|| Refusal::new(10_007, "User authentication failed."))?;
        let path = OPERATIONS.iter().find(|(name, _)| *name == request.op).map(|(_, path)| *path);
        let path = path.ok_or_else(|| Refusal::new(10_404, "op type is not found"))?;
        if let Some(name) = &request.req_id {
            if name.len() > NAME_MAX {
                return Err(Refusal::parameter(format!("reqId is longer than {NAME_MAX}: {}", cut(name))));
            }
            if !self.is_new(name) {
                return Err(Refusal::new(20_006, "reqId is duplicated"));
            }
        }
        let header = request.header.clone().unwrap_or_default();
        let timestamp = header.timestamp.ok_or_else(|| Refusal::parameter("X-BAPI-TIMESTAMP is missing"))?;
        check_time(&timestamp, header.recv_window.as_deref().unwrap_or_default(), app.clock.shown(now))?;
        let [body] = request.args.as_slice() else {
            return Err(Refusal::parameter("args must have exactly one element"));
        };
        match body.get("category").and_then(Value::as_str) {
            Some("linear" | "spot") => {}
            Some(_) | None => return Err(Refusal::new(10_404, "category is not correct or not supported")),
        }
        Ok((place, path, body.to_string().into_bytes()))
    }

    fn is_too_fast(&mut self, now: Timestamp) -> bool {
        while self.came.front().is_some_and(|first| now.since(*first) >= Span::from_secs(1)) {
            self.came.pop_front();
        }
        let too_fast = self.came.len() >= REQUESTS_MAX;
        if !too_fast {
            self.came.push_back(now);
        }
        too_fast
    }

    fn is_new(&mut self, name: &str) -> bool {
        if !self.names.insert(name.to_owned()) {
            return false;
        }
        self.named.push_back(name.to_owned());
        if self.named.len() > NAMES_KEPT
            && let Some(oldest) = self.named.pop_front()
        {
            self.names.remove(&oldest);
        }
        true
    }

    fn reply(&self, request: &TradeRequest, outcome: Result<Answer, Refusal>) -> TradeReply {
        let (ret_code, ret_msg, data, detail) = match outcome {
            Ok(Answer { result, detail, message }) => (0, message.to_owned(), result, detail),
            Err(refusal) => (refusal.code, refusal.message, json!({}), json!({})),
        };
        let detail = detail.as_object().into_iter().flatten();
        TradeReply {
            req_id: request.req_id.clone(),
            ret_code,
            ret_msg,
            op: request.op.clone(),
            data: Some(data),
            ret_ext_info: Some(detail.map(|(name, value)| (name.clone(), value.clone())).collect()),
            header: None,
            conn_id: self.name.clone(),
        }
    }

    fn send(&mut self, reply: &TradeReply, wait: Duration, strike: Option<Strike>) {
        let wait = match strike.map(|strike| (strike.does, strike.for_ms)) {
            Some((Does::TimeoutBeforeAccept | Does::TimeoutAfterAccept, _)) => return,
            Some((Does::DelayReply, for_ms)) => wait.saturating_add(Duration::from_millis(for_ms)),
            Some(_) | None => wait,
        };
        let Some(text) = json(reply) else { return };
        let text = match strike {
            Some(strike) => Utf8Bytes::from(damaged(text.to_string(), Some(strike.does))),
            None => text,
        };
        let now = Instant::now();
        self.number = self.number.wrapping_add(1);
        self.waiting.insert((now.checked_add(wait).unwrap_or(now), self.number), text);
    }

    /// Answers that may be sent now.
    fn due(&mut self, now: Instant) -> Vec<Utf8Bytes> {
        let later = self.waiting.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.waiting, later).into_values().collect()
    }
}
