//! What a request can be answered with instead of what it asked for: `{code, detail}`, the code stable.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::names::Right;
use crate::store::StoreError;

/// Longest detail in bytes; parts of it may be the client's own words.
const DETAIL_BYTES_MAX: usize = 512;

/// When to ask again what could not be answered now, in seconds.
const TRY_AGAIN_S: u64 = 2;

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Stable: upper case with underscores. The gateway's own codes are passed on.
    #[schema(example = "NOT_AUTHENTICATED")]
    pub(crate) code: String,
    /// What is wrong and what to do, for people.
    pub(crate) detail: String,
}

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("the proxy must name its client in exactly one X-Real-IP header")]
    NoClientAddress,
    #[error("the console does not answer under this host name; its --origin names those it does")]
    ForeignHost,
    #[error("the request comes from another site")]
    ForeignOrigin,
    #[error(
        "a request that changes something with a session must carry Origin, as browsers do; programs use a token"
    )]
    NoOrigin,
    #[error("there is nothing here; GET /api/openapi.json lists what there is")]
    NotFound,
    #[error("this address does not take that method; GET /api/openapi.json lists what it takes")]
    WrongMethod,
    #[error("log in, or send a valid token as `Authorization: Bearer TOKEN`")]
    NotAuthenticated,
    #[error("the user or the password is wrong")]
    WrongPassword,
    #[error("too many failed attempts; try again in {} minutes", minutes(*.seconds))]
    LockedOut { seconds: u64 },
    #[error("the token has the right `{}`, this takes `{}`", has.as_str(), takes.as_str())]
    Forbidden { has: Right, takes: Right },
    #[error("the body must be {0}; say so in Content-Type")]
    WrongMediaType(&'static str),
    #[error("the body is larger than {0} bytes")]
    TooLarge(u64),
    #[error("the body came too slowly")]
    TooSlow,
    #[error("the body broke off")]
    BrokeOff,
    #[error("{0}")]
    UnknownField(String),
    #[error("{0}")]
    Malformed(String),
    #[error("too many {0} at once; try again in a moment")]
    Busy(&'static str),
    #[error("the gateway does not run; the console goes on by itself once it does")]
    GatewayAway,
    #[error("the gateway did not answer in time")]
    GatewaySilent,
    #[error("the gateway gave an answer that this console does not understand; both must be of one version")]
    GatewayNonsense,
    #[error("{detail}")]
    Gateway { code: String, detail: String },
    #[error("the upload could not be kept; the console's log says why")]
    Disk,
    #[error("the console failed; its log says why")]
    Failed,
}

impl ApiError {
    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::NoClientAddress => "NO_CLIENT_ADDRESS",
            Self::ForeignHost => "FOREIGN_HOST",
            Self::ForeignOrigin => "FOREIGN_ORIGIN",
            Self::NoOrigin => "NO_ORIGIN",
            Self::NotFound => "NOT_FOUND",
            Self::WrongMethod => "WRONG_METHOD",
            Self::NotAuthenticated => "NOT_AUTHENTICATED",
            Self::WrongPassword => "WRONG_PASSWORD",
            Self::LockedOut { .. } => "LOCKED_OUT",
            Self::Forbidden { .. } => "FORBIDDEN",
            Self::WrongMediaType(_) => "WRONG_MEDIA_TYPE",
            Self::TooLarge(_) => "TOO_LARGE",
            Self::TooSlow => "TOO_SLOW",
            Self::BrokeOff => "BROKE_OFF",
            Self::UnknownField(_) => "UNKNOWN_FIELD",
            Self::Malformed(_) => "MALFORMED",
            Self::Busy(_) => "BUSY",
            Self::GatewayAway => "GATEWAY_AWAY",
            Self::GatewaySilent => "GATEWAY_SILENT",
            Self::GatewayNonsense => "GATEWAY_NONSENSE",
            Self::Gateway { code, .. } => code,
            Self::Disk => "UPLOAD_NOT_KEPT",
            Self::Failed => "CONSOLE_FAILED",
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoClientAddress | Self::BrokeOff | Self::UnknownField(_) | Self::Malformed(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::ForeignOrigin | Self::NoOrigin | Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAuthenticated | Self::WrongPassword => StatusCode::UNAUTHORIZED,
            Self::LockedOut { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::WrongMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy(_) | Self::GatewayAway | Self::GatewaySilent => StatusCode::SERVICE_UNAVAILABLE,
            Self::GatewayNonsense => StatusCode::BAD_GATEWAY,
            Self::Gateway { code, .. } => gateway_status(code),
            Self::Disk => StatusCode::INSUFFICIENT_STORAGE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What is wrong, at bounded length.
    pub(crate) fn detail(&self) -> String {
        let mut detail = self.to_string();
        if let Some((end, _)) = detail.char_indices().find(|(at, _)| *at >= DETAIL_BYTES_MAX) {
            detail.truncate(end);
        }
        detail
    }

    fn retry_after_s(&self) -> Option<u64> {
        if let Self::LockedOut { seconds } = self {
            return Some(*seconds);
        }
        (self.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(TRY_AGAIN_S)
    }
}

/// The gateway refuses with codes of its own; HTTP wants to know what kind they are.
fn gateway_status(code: &str) -> StatusCode {
    match code {
        "STRATEGY_EXISTS" | "SYMBOL_OWNED" | "REFUSED" => StatusCode::CONFLICT,
        "UNKNOWN_STRATEGY" | "UNKNOWN_DEPLOYMENT" => StatusCode::NOT_FOUND,
        "BUSY" | "STOPPING" | "NO_ANSWER" => StatusCode::SERVICE_UNAVAILABLE,
        "BAD_REQUEST" | "REPLY_TOO_LONG" => StatusCode::BAD_GATEWAY,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn minutes(seconds: u64) -> u64 {
    seconds.div_ceil(60)
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the console's database failed");
        Self::Failed
    }
}

impl From<getrandom::Error> for ApiError {
    fn from(error: getrandom::Error) -> Self {
        tracing::error!(%error, "no randomness from the system");
        Self::Failed
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Problem { code: self.code().to_owned(), detail: self.detail() };
        let mut response = (self.status(), Json(problem)).into_response();
        if matches!(self, Self::NotAuthenticated) {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s() {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
