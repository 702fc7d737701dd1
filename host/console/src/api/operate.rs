//! Changing things.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use portcullis_core::StrategyName;
use portcullis_role::{ControlReply, ControlRequest};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answers::Done;
use crate::app::{App, Shared};
use crate::body;
use crate::caller::{Caller, Operator};
use crate::error::{ApiError, Problem};

/// Longest reason in characters.
const REASON_CHARS_MAX: usize = 200;

/// A halt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Halt {
    /// Why; journaled. 1 to 200 characters.
    #[schema(example = "spread looks wrong", min_length = 1, max_length = 200)]
    reason: String,
}

/// Halt
///
/// Raises the trading state to entries-cancelled: every entry order is cancelled and none is taken, the protection of positions stays.
/// Only `portcullis rearm` on the machine lowers the state again.
#[utoipa::path(post, path = "/api/halt", tag = "trading", security(("token" = []), ("session" = [])), request_body = Halt, responses(
    (status = 200, description = "Halted", body = Done),
    (status = 400, description = "Not the body that is expected, or an unknown field", body = Problem),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 403, description = "The token may only read, or the request comes from another site", body = Problem),
    (status = 409, description = "The gateway refuses", body = Problem),
    (status = 408, description = "The body came too slowly", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not said to be JSON", body = Problem),
    (status = 503, description = "The gateway does not answer", body = Problem),
))]
pub(crate) async fn halt(
    State(app): State<Shared>,
    Operator(caller): Operator,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Done>, ApiError> {
    let halt: Halt = body::json(&headers, body, &app.bounds).await?;
    halt_trading(&app, &caller, halt.reason).await.map(Json)
}

/// Stop a strategy
///
/// Its entries are cancelled, its position is kept. One that was uploaded stays away after a restart, too.
#[utoipa::path(post, path = "/api/strategies/{name}/stop", tag = "trading", security(("token" = []), ("session" = [])), params(
    ("name" = String, Path, description = "The strategy's name"),
), responses(
    (status = 200, description = "Stopped", body = Done),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 403, description = "The token may only read, or the request comes from another site", body = Problem),
    (status = 404, description = "No such strategy", body = Problem),
    (status = 503, description = "The gateway does not answer", body = Problem),
))]
pub(crate) async fn stop(
    State(app): State<Shared>,
    Operator(caller): Operator,
    Path(name): Path<String>,
) -> Result<Json<Done>, ApiError> {
    // What can be no strategy's name is none.
    let name: StrategyName = name.parse().map_err(|_| ApiError::NotFound)?;
    let request = ControlRequest::Stop { strategy: name.to_string(), actor: caller.actor() };
    done(&app, request).await.map(Json)
}

/// Halts in the caller's name.
pub(crate) async fn halt_trading(app: &App, caller: &Caller, reason: String) -> Result<Done, ApiError> {
    let reason = checked_reason(&reason)?;
    done(app, ControlRequest::Halt { reason, scope: None, actor: caller.actor() }).await
}

/// A reason, for the journal.
pub(super) fn checked_reason(reason: &str) -> Result<String, ApiError> {
    let reason = reason.trim();
    let chars = reason.chars().count();
    if chars == 0 || chars > REASON_CHARS_MAX || reason.chars().any(char::is_control) {
        let detail = format!("the reason is 1 to {REASON_CHARS_MAX} characters on one line");
        return Err(ApiError::Malformed(detail));
    }
    Ok(reason.to_owned())
}

async fn done(app: &App, request: ControlRequest) -> Result<Done, ApiError> {
    let reply = app.gateway.ask(request).await;
    // Whatever came of it, the page is to show how things are now.
    app.live.forget().await;
    let ControlReply::Done { detail } = reply? else { return Err(ApiError::GatewayNonsense) };
    Ok(Done { detail })
}
