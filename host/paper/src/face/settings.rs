//! What an account can be set to and asked about, apart from its orders: most of it is fixed on the paper exchange.

use axum::http::Uri;
use portcullis_core::Timestamp;
use portcullis_wire::path;
use serde::Deserialize;
use serde_json::json;

use super::refusal::Refusal;
use super::request::Answer;
use crate::exchange::Exchange;

/// The paths of [`command`].
pub(super) const COMMANDS: [&str; 2] = [path::DISCONNECT_CANCEL, path::SET_MARGIN_MODE];

/// The paths of [`query`].
pub(super) const QUERIES: [&str; 3] = [path::SMP_GROUP, path::DCP_INFO, path::COINS];

/// Carries out a command; `None` when the path is none.
pub(super) fn command(_exchange: &mut Exchange, path: &str, body: &[u8]) -> Option<Result<Answer, Refusal>> {
    match path {
        // Only institutions have it.
        path::DISCONNECT_CANCEL => {
            Some(Err(Refusal::new(10_005, "Permission denied, please check your API key permissions.")))
        }
        path::SET_MARGIN_MODE => Some(set_margin_mode(body)),
        _ => None,
    }
}

/// Answers a query; `None` when the path is none.
pub(super) fn query(_exchange: &Exchange, uri: &Uri, _now: Timestamp) -> Option<Result<Answer, Refusal>> {
    let success = |result| Some(Ok(Answer { message: "success", ..Answer::of(result) }));
    match uri.path() {
        path::SMP_GROUP => success(json!({"smpGroup": 0})),
        path::DCP_INFO => success(json!({"dcpInfos": []})),
        path::COINS => Some(Ok(Answer { message: "", ..Answer::of(json!({"rows": []})) })),
        _ => None,
    }
}

/// `POST /v5/account/set-margin-mode`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MarginMode {
    set_margin_mode: String,
}

/// Cross margin is the only mode there is.
fn set_margin_mode(body: &[u8]) -> Result<Answer, Refusal> {
    let mode: MarginMode =
        serde_json::from_slice(body).map_err(|error| Refusal::parameter(format!("params error: {error}")))?;
    match mode.set_margin_mode.as_str() {
        "REGULAR_MARGIN" => Ok(Answer { message: "Request accepted", ..Answer::of(json!({"reasons": []})) }),
        "ISOLATED_MARGIN" | "PORTFOLIO_MARGIN" => Err(Refusal::new(3_400_045, "Set margin mode failed")),
        _ => Err(Refusal::parameter("params error: setMarginMode invalid")),
    }
}
