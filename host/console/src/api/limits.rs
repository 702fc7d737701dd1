//! Limits: how far away they are, and other ones in two steps.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use portcullis_role::{
    CONTROL_LINE_BYTES_MAX, ControlReply, ControlRequest, GaugeLine, LimitsReport, OverrideLine,
    OverrideRequest, SetLimitsRequest,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answers::Done;
use super::operate::checked_reason;
use crate::app::{App, Shared};
use crate::body;
use crate::caller::{Operator, Reader};
use crate::error::{ApiError, Problem};

/// The limits in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Limits {
    /// SHA-256 of the text in hex; empty when no limits are in force.
    hash: String,
    /// The text of `limits.toml` in force; absent when it is very long.
    #[serde(skip_serializing_if = "Option::is_none")]
    toml: Option<String>,
    /// Every numeric limit, the nearest first; those without a value last.
    gauges: Vec<Gauge>,
    /// How many more there are.
    omitted: u64,
    /// Bounds that one order may pass.
    overrides: Vec<Override>,
}

/// One limit and the value it is held against.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gauge {
    /// Its place in the file.
    #[schema(example = "account.daily_loss_max")]
    key: String,
    /// Of what: `account`, a strategy's name, or `category:SYMBOL`.
    scope: String,
    /// The value now; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
    /// The limit, in the same unit.
    limit: String,
    /// What is left until the limit; negative when it is passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<String>,
    /// How much of the limit is used, in per cent rounded down.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_percent: Option<u64>,
    /// Why there is no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// A bound that one order may pass.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Override {
    /// The strategy's name.
    strategy: String,
    /// The check.
    check: String,
    /// The bound for that one order.
    limit: String,
    /// When it expires unused, nanoseconds since 1970-01-01 UTC.
    until_ns: u64,
    /// Who granted it.
    actor: String,
    /// Why.
    reason: String,
}

/// Other limits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLimits {
    /// The whole new `limits.toml`.
    toml: String,
    /// Why; journaled. 1 to 200 characters.
    reason: String,
    /// The code that the first step answered with.
    code: Option<String>,
}

/// One order past a bound.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOverride {
    /// The strategy's name.
    strategy: String,
    /// The check whose bound is lifted.
    #[schema(example = "order-notional")]
    check: String,
    /// The bound for that one order, as text.
    #[schema(example = "6000")]
    limit: String,
    /// When it expires unused, in seconds; at most 3600.
    #[schema(example = 300)]
    seconds: u64,
    /// Why; journaled. 1 to 200 characters.
    reason: String,
    /// The code that the first step answered with.
    code: Option<String>,
}

/// The first step is taken: ask again with the code, within a minute.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Confirm {
    /// Good for one use.
    code: String,
    /// What would happen.
    detail: String,
}

/// The limits and how far away they are
#[utoipa::path(get, path = "/api/limits", tag = "limits", security(("token" = []), ("session" = [])), responses(
    (status = 200, description = "Every numeric limit with its value now, the nearest first", body = Limits),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 503, description = "The gateway does not answer", body = Problem),
))]
pub(crate) async fn limits(State(app): State<Shared>, _: Reader) -> Result<Json<Limits>, ApiError> {
    let ControlReply::Limits(report) = app.gateway.ask(ControlRequest::Limits {}).await? else {
        return Err(ApiError::GatewayNonsense);
    };
    Ok(Json((*report).into()))
}

/// Put other limits in force
///
/// Tighter limits are in force at once. Where anything becomes looser the answer is 202 with a code; the same request with that code puts
/// them in force.
#[utoipa::path(post, path = "/api/limits", tag = "limits", security(("token" = []), ("session" = [])), request_body = NewLimits, responses(
    (status = 200, description = "In force, journaled and written to limits.toml", body = Done),
    (status = 202, description = "Something becomes looser: ask again with the code", body = Confirm),
    (status = 400, description = "Not the body that is expected, or an unknown field", body = Problem),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 403, description = "The token may only read, or the request comes from another site", body = Problem),
    (status = 408, description = "The body came too slowly", body = Problem),
    (status = 409, description = "The code belongs to another request, or is no longer valid", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not said to be JSON", body = Problem),
    (status = 422, description = "`LIMITS_REFUSED`: what is wrong with the text", body = Problem),
    (status = 503, description = "The gateway does not answer", body = Problem),
))]
pub(crate) async fn set(
    State(app): State<Shared>,
    Operator(caller): Operator,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let bytes_max = u64::try_from(CONTROL_LINE_BYTES_MAX).unwrap_or(u64::MAX);
    let NewLimits { toml, reason, code } = body::json_within(&headers, body, bytes_max, &app.bounds).await?;
    let reason = checked_reason(&reason)?;
    change(&app, ControlRequest::SetLimits(SetLimitsRequest { toml, reason, code, actor: caller.actor() }))
        .await
}

/// Let one order pass a bound
///
/// Takes two steps, as loosening does. The bound is lifted for the next order of the strategy that needs it, within the time given.
#[utoipa::path(post, path = "/api/limits/override", tag = "limits", security(("token" = []), ("session" = [])), request_body = NewOverride, responses(
    (status = 200, description = "Granted", body = Done),
    (status = 202, description = "Ask again with the code", body = Confirm),
    (status = 400, description = "Not the body that is expected, or an unknown field", body = Problem),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 403, description = "The token may only read, or the request comes from another site", body = Problem),
    (status = 404, description = "No such strategy", body = Problem),
    (status = 408, description = "The body came too slowly", body = Problem),
    (status = 409, description = "The gateway refuses", body = Problem),
    (status = 413, description = "The body is too large", body = Problem),
    (status = 415, description = "The body is not said to be JSON", body = Problem),
    (status = 422, description = "No such check, or no bound of it", body = Problem),
    (status = 503, description = "The gateway does not answer", body = Problem),
))]
pub(crate) async fn grant_override(
    State(app): State<Shared>,
    Operator(caller): Operator,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let NewOverride { strategy, check, limit, seconds, reason, code } =
        body::json(&headers, body, &app.bounds).await?;
    let reason = checked_reason(&reason)?;
    let actor = caller.actor();
    let request = OverrideRequest { strategy, check, limit, seconds, reason, code, actor };
    change(&app, ControlRequest::Override(request)).await
}

async fn change(app: &App, request: ControlRequest) -> Result<Response, ApiError> {
    let reply = app.gateway.ask(request).await?;
    if let ControlReply::Confirm { code, detail } = reply {
        return Ok((StatusCode::ACCEPTED, Json(Confirm { code, detail })).into_response());
    }
    let ControlReply::Done { detail } = reply else { return Err(ApiError::GatewayNonsense) };
    Ok(Json(Done { detail }).into_response())
}

impl From<LimitsReport> for Limits {
    fn from(report: LimitsReport) -> Self {
        Self {
            hash: report.hash,
            toml: report.toml,
            gauges: report.gauges.into_iter().map(Into::into).collect(),
            omitted: report.omitted,
            overrides: report.overrides.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<GaugeLine> for Gauge {
    fn from(line: GaugeLine) -> Self {
        Self {
            key: line.key,
            scope: line.scope,
            seen: line.seen,
            limit: line.limit,
            left: line.left,
            used_percent: line.used_percent,
            why: line.why,
        }
    }
}

impl From<OverrideLine> for Override {
    fn from(line: OverrideLine) -> Self {
        Self {
            strategy: line.strategy,
            check: line.check,
            limit: line.limit,
            until_ns: line.until_ns,
            actor: line.actor,
            reason: line.reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::to_value;

    use super::*;

    /// What the gateway says reaches clients whole: a field added there must be described here.
    #[test]
    fn nothing_the_gateway_says_is_left_out() {
        let gauge = GaugeLine {
            seen: Some("1".into()),
            left: Some("2".into()),
            used_percent: Some(3),
            why: Some("w".into()),
            ..GaugeLine::default()
        };
        let report = LimitsReport {
            toml: Some("t".into()),
            gauges: vec![gauge],
            overrides: vec![OverrideLine::default()],
            ..LimitsReport::default()
        };
        assert_eq!(to_value(Limits::from(report.clone())).unwrap(), to_value(report).unwrap());
    }
}
