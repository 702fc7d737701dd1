//! REST: who asks, whether they may, and the envelope of the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use portcullis_core::Timestamp;
use portcullis_wire::Reply;
use serde::Deserialize;
use serde_json::Value;

use super::auth::{Unauthenticated, authenticate};
use super::quota::Quota;
use super::refusal::Refusal;
use super::{App, MESSAGE_MAX, account_queries, commands, market_queries};
use crate::faults::Does;

/// How long a request whose answer is lost keeps its client waiting.
const LOST_FOR: Duration = Duration::from_secs(30);

pub(super) async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MESSAGE_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path();
    match parts.method {
        Method::GET if !body.is_empty() => StatusCode::FORBIDDEN.into_response(),
        Method::GET => {
            let now = app.clock.now();
            if let Some(result) = market_queries::answer(&app.desk().exchange, &parts.uri, now) {
                return reply(result, now, None);
            }
            let Some(path) = known(&account_queries::PATHS, path) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            query(&app, &parts, path)
        }
        Method::POST => {
            let Some(path) = known(&commands::PATHS, path) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            command(&app, &parts, path, &body).await
        }
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn known(paths: &[&'static str], path: &str) -> Option<&'static str> {
    paths.iter().find(|known| **known == path).copied()
}

fn query(app: &App, parts: &axum::http::request::Parts, path: &'static str) -> Response {
    let now = app.clock.now();
    let payload = parts.uri.query().unwrap_or_default().as_bytes();
    let place = match authenticate(&app.keys, &parts.headers, payload, now) {
        Ok(place) => place,
        Err(error) => return unauthenticated(error, now),
    };
    let Some(key) = app.keys.get(place) else { return StatusCode::UNAUTHORIZED.into_response() };
    let category = super::page::parameters::<Named>(&parts.uri).map(Named::category).unwrap_or_default();
    let mut desk = app.desk();
    let quota = desk.quotas.ask(place, path, category, now);
    if quota.exceeded || desk.faults.strike(path) == Some(Does::RateLimit) {
        return reply(Err(too_many()), now, Some(quota));
    }
    let result = account_queries::answer(&desk.exchange, key, &parts.uri, now);
    reply(result.unwrap_or_else(|| Err(Refusal::new(10_017, "route not found"))), now, Some(quota))
}

async fn command(app: &App, parts: &axum::http::request::Parts, path: &'static str, body: &[u8]) -> Response {
    let now = app.clock.now();
    let place = match authenticate(&app.keys, &parts.headers, body, now) {
        Ok(place) => place,
        Err(error) => return unauthenticated(error, now),
    };
    let category = serde_json::from_slice::<Named>(body).map(Named::category).unwrap_or_default();
    let read_only = app.keys.get(place).is_none_or(|key| key.read_only);
    let (result, quota, fault) = {
        let mut desk = app.desk();
        let quota = desk.quotas.ask(place, path, category, now);
        let fault = desk.faults.strike(path);
        let result = if quota.exceeded || fault == Some(Does::RateLimit) {
            Err(too_many())
        } else if read_only {
            Err(Refusal::new(10_005, "Permission denied, please check your API key permissions."))
        } else if desk.exchange.broken.is_some() {
            Err(Refusal::new(10_016, "the paper exchange cannot keep its state"))
        } else {
            let result = commands::answer(&mut desk.exchange, path, body, now);
            result.unwrap_or_else(|| Err(Refusal::new(10_017, "route not found")))
        };
        (result, quota, fault)
    };
    app.wake.notify_one();
    if fault == Some(Does::TimeoutAfterAccept) {
        tokio::time::sleep(LOST_FOR).await;
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    tokio::time::sleep(Duration::from_nanos(app.ack_delay.0)).await;
    reply(result, now, Some(quota))
}

/// The category of a request, for its quota.
#[derive(Deserialize, Default)]
struct Named {
    #[serde(default)]
    category: String,
}

impl Named {
    /// Out of a closed set: quotas are kept by it.
    fn category(self) -> &'static str {
        match self.category.as_str() {
            "linear" => "linear",
            "spot" => "spot",
            "inverse" => "inverse",
            "option" => "option",
            _ => "",
        }
    }
}

fn too_many() -> Refusal {
    Refusal::new(10_006, "Too many visits. Exceeded the API Rate Limit.")
}

fn unauthenticated(error: Unauthenticated, now: Timestamp) -> Response {
    match error {
        Unauthenticated::NoCredentials => {
            let mut response = reply(Err(Refusal::new(10_003, "API key is missing.")), now, None);
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            response
        }
        Unauthenticated::Refused(refusal) => reply(Err(refusal), now, None),
    }
}

fn reply(result: Result<Value, Refusal>, now: Timestamp, quota: Option<Quota>) -> Response {
    let text = match result {
        Ok(result) => serde_json::to_string(&Reply::ok(result, now.millis())),
        Err(refusal) => serde_json::to_string(&Reply::error(refusal.code, refusal.message, now.millis())),
    };
    let Ok(text) = text else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(quota) = quota {
        for (name, value) in [
            ("x-bapi-limit", quota.limit.to_string()),
            ("x-bapi-limit-status", quota.left.to_string()),
            ("x-bapi-limit-reset-timestamp", quota.reset.millis().to_string()),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
    response
}
