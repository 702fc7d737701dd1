//! Looking.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use portcullis_role::{ControlReply, ControlRequest, StatusReport};
use serde::Serialize;
use utoipa::ToSchema;

use super::answers::{Denials, Deployment, Journal, Orders, Positions, Status};
use crate::app::{App, Shared};
use crate::caller::Reader;
use crate::error::{ApiError, Problem};

/// The console is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always true.
    ok: bool,
}

/// Where everything stands
#[utoipa::path(get, path = "/api/status", tag = "trading", security(("token" = []), ("session" = [])), responses(
    (status = 200, description = "Trading state, strategies, profit, the journal's head", body = Status),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 503, description = "The gateway does not answer", body = Problem),
))]
pub(crate) async fn status(State(app): State<Shared>, _: Reader) -> Result<Json<Status>, ApiError> {
    Ok(Json((*report(&app).await?).into()))
}

/// Orders that are not finished
#[utoipa::path(get, path = "/api/orders", tag = "trading", security(("token" = []), ("session" = [])), responses(
    (status = 200, description = "Open and unknown orders", body = Orders),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 503, description = "The gateway does not answer", body = Problem),
))]
pub(crate) async fn orders(State(app): State<Shared>, _: Reader) -> Result<Json<Orders>, ApiError> {
    let ControlReply::Orders { orders, omitted } = app.gateway.ask(ControlRequest::Orders {}).await? else {
        return Err(ApiError::GatewayNonsense);
    };
    Ok(Json(Orders { orders: orders.into_iter().map(Into::into).collect(), omitted }))
}

/// Positions that are not zero
#[utoipa::path(get, path = "/api/positions", tag = "trading", security(("token" = []), ("session" = [])), responses(
    (status = 200, description = "One a strategy and instrument", body = Positions),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 503, description = "The gateway does not answer", body = Problem),
))]
pub(crate) async fn positions(State(app): State<Shared>, _: Reader) -> Result<Json<Positions>, ApiError> {
    let ControlReply::Positions { positions } = app.gateway.ask(ControlRequest::Positions {}).await? else {
        return Err(ApiError::GatewayNonsense);
    };
    Ok(Json(Positions { positions: positions.into_iter().map(Into::into).collect() }))
}

/// Refused intents
#[utoipa::path(get, path = "/api/denials", tag = "trading", security(("token" = []), ("session" = [])), responses(
    (status = 200, description = "Counts by code, and the newest", body = Denials),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 503, description = "The gateway does not answer", body = Problem),
))]
pub(crate) async fn denials(State(app): State<Shared>, _: Reader) -> Result<Json<Denials>, ApiError> {
    let ControlReply::Denials { refused, recent } = app.gateway.ask(ControlRequest::Denials {}).await? else {
        return Err(ApiError::GatewayNonsense);
    };
    Ok(Json(Denials { refused, recent: recent.into_iter().map(Into::into).collect() }))
}

/// The journal's head
///
/// `portcullis journal verify` and `tail` on the machine read the journal itself.
#[utoipa::path(get, path = "/api/journal", tag = "trading", security(("token" = []), ("session" = [])), responses(
    (status = 200, description = "Entries so far and the head hash", body = Journal),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 503, description = "The gateway does not answer", body = Problem),
))]
pub(crate) async fn journal(State(app): State<Shared>, _: Reader) -> Result<Json<Journal>, ApiError> {
    Ok(Json(report(&app).await?.journal.into()))
}

/// How far a deployment is
#[utoipa::path(get, path = "/api/deployments/{id}", tag = "bundles", security(("token" = []), ("session" = [])), params(
    ("id" = u64, Path, description = "The number that `POST /api/bundles` answered with"),
), responses(
    (status = 200, description = "Its state, and why it failed if it did", body = Deployment),
    (status = 401, description = "Not logged in", body = Problem),
    (status = 404, description = "No such deployment since the gateway started", body = Problem),
    (status = 503, description = "The gateway does not answer", body = Problem),
))]
pub(crate) async fn deployment(
    State(app): State<Shared>,
    _: Reader,
    Path(id): Path<String>,
) -> Result<Json<Deployment>, ApiError> {
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    let ControlReply::Deployment(line) = app.gateway.ask(ControlRequest::Deployment { id }).await? else {
        return Err(ApiError::GatewayNonsense);
    };
    Ok(Json(line.into()))
}

/// This description
#[utoipa::path(get, path = "/api/openapi.json", tag = "about", responses(
    (status = 200, description = "OpenAPI 3.1", body = Object),
))]
pub(crate) async fn description(State(app): State<Shared>) -> Response {
    let body: Bytes = app.openapi.clone();
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}

/// Whether the console is there
///
/// Says nothing about the gateway.
#[utoipa::path(get, path = "/healthz", tag = "about", responses(
    (status = 200, description = "It is", body = Health),
))]
pub(crate) async fn health() -> Json<Health> {
    Json(Health { ok: true })
}

async fn report(app: &App) -> Result<Box<StatusReport>, ApiError> {
    let ControlReply::Status(report) = app.gateway.ask(ControlRequest::Status {}).await? else {
        return Err(ApiError::GatewayNonsense);
    };
    Ok(report)
}
