//! REST: who asks, whether they may, and the envelope of the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use portcullis_core::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::auth::{Unauthenticated, authenticate};
use super::damage::damaged;
use super::quota::Quota;
use super::refusal::Refusal;
use super::request::{self, Answer, Answered};
use super::{App, MESSAGE_MAX, market_queries};
use crate::faults::{Does, Strike};

/// How long a request whose answer is lost keeps its client waiting.
const LOST_FOR: Duration = Duration::from_secs(30);
/// The page of a proxy that cannot reach what is behind it.
const BAD_GATEWAY: &str =
    "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>";

pub(super) async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let now = app.clock.now();
    if app.outage.is_down(now) {
        return (StatusCode::SERVICE_UNAVAILABLE, BAD_GATEWAY).into_response();
    }
    if app.limits && !app.desk().crowd.admits(now) {
        return (StatusCode::FORBIDDEN, "access too frequent").into_response();
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MESSAGE_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path();
    match parts.method {
        Method::GET if !body.is_empty() => StatusCode::FORBIDDEN.into_response(),
        Method::GET => match request::query_path(path) {
            Some(path) => query(&app, &parts, path).await,
            None => public(&app, &parts).await,
        },
        Method::POST => match request::command_path(path) {
            Some(path) => command(&app, &parts, path, &body).await,
            None => StatusCode::NOT_FOUND.into_response(),
        },
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// A query that needs no key.
async fn public(app: &App, parts: &axum::http::request::Parts) -> Response {
    let now = app.clock.now();
    let (outcome, strike) = {
        let mut desk = app.desk();
        let Some(outcome) = market_queries::answer(&desk.exchange, &parts.uri, app.clock.shown(now)) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        (outcome, app.strike(&mut desk, parts.uri.path(), now))
    };
    let outcome = match strike {
        Some(strike) if strike.does == Does::RateLimit => Err(request::too_many()),
        Some(_) | None => outcome,
    };
    send(app, outcome, None, strike, now).await
}

async fn query(app: &App, parts: &axum::http::request::Parts, path: &'static str) -> Response {
    let now = app.clock.now();
    let payload = parts.uri.query().unwrap_or_default().as_bytes();
    let place = match authenticate(&app.keys, &parts.headers, payload, app.clock.shown(now)) {
        Ok(place) => place,
        Err(error) => return unauthenticated(app, error, now),
    };
    let Some(key) = app.keys.get(place) else { return StatusCode::UNAUTHORIZED.into_response() };
    let Answered { outcome, quota, strike } = request::query(app, (place, key), path, &parts.uri, now);
    send(app, outcome, Some(quota), strike, now).await
}

async fn command(app: &App, parts: &axum::http::request::Parts, path: &'static str, body: &[u8]) -> Response {
    let now = app.clock.now();
    let place = match authenticate(&app.keys, &parts.headers, body, app.clock.shown(now)) {
        Ok(place) => place,
        Err(error) => return unauthenticated(app, error, now),
    };
    let Answered { outcome, quota, strike } = request::command(app, place, path, body, now);
    tokio::time::sleep(Duration::from_nanos(app.ack_delay.0)).await;
    send(app, outcome, Some(quota), strike, now).await
}

/// Sends an answer as far as a fault lets it.
async fn send(
    app: &App,
    outcome: Result<Answer, Refusal>,
    quota: Option<Quota>,
    strike: Option<Strike>,
    now: Timestamp,
) -> Response {
    match strike.map(|strike| (strike.does, strike.for_ms)) {
        Some((Does::TimeoutBeforeAccept | Does::TimeoutAfterAccept, _)) => {
            tokio::time::sleep(LOST_FOR).await;
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        Some((Does::Forbidden, _)) => return (StatusCode::FORBIDDEN, "access too frequent").into_response(),
        Some((Does::ServerError, _)) => return (StatusCode::BAD_GATEWAY, BAD_GATEWAY).into_response(),
        Some((Does::DelayReply, for_ms)) => tokio::time::sleep(Duration::from_millis(for_ms)).await,
        Some(_) | None => {}
    }
    reply(app, outcome, now, quota, strike.map(|strike| strike.does))
}

fn unauthenticated(app: &App, error: Unauthenticated, now: Timestamp) -> Response {
    match error {
        Unauthenticated::NoCredentials => {
            let mut response = reply(app, Err(Refusal::new(10_003, "API key is missing.")), now, None, None);
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response
        }
        Unauthenticated::Refused(refusal) => reply(app, Err(refusal), now, None, None),
    }
}

/// The envelope of every answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    ret_code: i32,
    ret_msg: &'a str,
    result: Value,
    ret_ext_info: Value,
    time: u64,
}

fn reply(
    app: &App,
    outcome: Result<Answer, Refusal>,
    now: Timestamp,
    quota: Option<Quota>,
    does: Option<Does>,
) -> Response {
    let time = app.clock.shown(now).millis();
    let text = match outcome {
        Ok(Answer { result, detail, message }) => serde_json::to_string(&Envelope {
            ret_code: 0,
            ret_msg: message,
            result,
            ret_ext_info: detail,
            time,
        }),
        Err(refusal) => serde_json::to_string(&Envelope {
            ret_code: refusal.code,
            ret_msg: &refusal.message,
            result: json!({}),
            ret_ext_info: json!({}),
            time,
        }),
    };
    let Ok(text) = text else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut response = Response::new(Body::from(damaged(text, does)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("timenow", time.to_string());
    set("traceid", app.trace());
    if let Some(quota) = quota {
        set("x-bapi-limit", quota.limit.to_string());
        set("x-bapi-limit-status", quota.left.to_string());
        set("x-bapi-limit-reset-timestamp", quota.reset.millis().to_string());
    }
    response
}
