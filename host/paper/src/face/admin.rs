//! The port of those who run the exchange: faults on demand. It is for loopback, and only for requests that say so themselves,
//! so that a page in somebody's browser cannot reach it.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::App;
use crate::faults::{Faults, FaultsError, Rule};

/// Longest body, in bytes.
const BODY_MAX: usize = 64 << 10;

/// `POST /faults` takes the place of all faults, `POST /faults?add` adds to them, `POST /fault` is one that strikes now or the
/// next time, `GET /faults` counts how often each struck. Bodies are TOML or JSON, as in the faults file.
pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new().fallback(answer).with_state(Arc::clone(app))
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if !matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
        return error(StatusCode::FORBIDDEN, "the Host must be 127.0.0.1, localhost or [::1]");
    }
    let Ok(body) = to_bytes(body, BODY_MAX).await else {
        return error(StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 64 KiB");
    };
    let Ok(text) = std::str::from_utf8(&body) else {
        return error(StatusCode::BAD_REQUEST, "the body is not UTF-8");
    };
    let done = match (parts.method, parts.uri.path(), parts.uri.query()) {
        (Method::GET, "/faults", _) => {
            return Json(json!({"faults": app.desk().faults.counts()})).into_response();
        }
        (Method::POST, "/faults", None) => {
            Faults::parse(text).map(|faults| app.desk().faults.replace(faults))
        }
        (Method::POST, "/faults", Some("add")) => {
            Faults::parse(text).and_then(|faults| app.desk().faults.extend(faults))
        }
        (Method::POST, "/fault", _) => now(&app, text),
        _ => return error(StatusCode::NOT_FOUND, "there are GET and POST /faults and POST /fault"),
    };
    match done {
        Ok(()) => Json(json!({"ok": true})).into_response(),
        Err(refused) => error(StatusCode::BAD_REQUEST, &refused.to_string()),
    }
}

/// One fault: what befalls a whole stream or the exchange happens at once, anything else the next time.
fn now(app: &App, text: &str) -> Result<(), FaultsError> {
    let rule = Rule::parse(text)?;
    let time = app.clock.now();
    match rule.at_once() {
        Some(strike) => {
            app.befall(strike, time, || app.desk().exchange.forget_closed(time));
            Ok(())
        }
        None => app.desk().faults.arm(rule),
    }
}

fn error(status: StatusCode, words: &str) -> Response {
    (status, Json(json!({"error": words}))).into_response()
}
