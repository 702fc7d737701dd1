//! Bodies of requests: bounded in size and time, of the type that was said.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::config::Bounds;
use crate::error::ApiError;

/// Largest body of a request that is no upload, in bytes.
const BODY_BYTES_MAX: u64 = 8 * 1024;

/// A body on its way in.
pub(crate) struct Incoming {
    stream: BodyDataStream,
    received: u64,
    bytes_max: u64,
    started: Instant,
    within: Duration,
    /// Time before the rate counts, and the least bytes a second.
    rate: Option<(Duration, u64)>,
}

impl Incoming {
    /// A bundle.
    pub(crate) fn upload(body: Body, bytes_max: u64, bounds: &Bounds) -> Result<Self, ApiError> {
        let rate = Some((bounds.body, bounds.upload_bytes_per_s_min.max(1)));
        Self::new(body, bytes_max, bounds.upload, rate)
    }

    fn new(
        body: Body,
        bytes_max: u64,
        within: Duration,
        rate: Option<(Duration, u64)>,
    ) -> Result<Self, ApiError> {
        // What is said to be too large need not be read.
        if body.size_hint().lower() > bytes_max {
            return Err(ApiError::TooLarge(bytes_max));
        }
        let stream = body.into_data_stream();
        Ok(Self { stream, received: 0, bytes_max, started: Instant::now(), within, rate })
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let piece = match timeout_at(self.deadline(), self.stream.next()).await {
            Err(_) => return Err(ApiError::TooSlow),
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(ApiError::BrokeOff),
            Ok(Some(Ok(piece))) => piece,
        };
        self.received = self.received.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if self.received > self.bytes_max {
            return Err(ApiError::TooLarge(self.bytes_max));
        }
        Ok(Some(piece))
    }

    /// Until when the next piece must be there: the end of all, or when what has come so far is too little.
    fn deadline(&self) -> Instant {
        let within = match self.rate {
            None => self.within,
            Some((before, bytes_per_s)) => {
                let paid = self.received.checked_div(bytes_per_s).unwrap_or(0);
                self.within.min(before.saturating_add(Duration::from_secs(paid)))
            }
        };
        self.started.checked_add(within).unwrap_or(self.started)
    }
}

/// Reads a JSON body. Fields that are not known are refused by name.
pub(crate) async fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    bounds: &Bounds,
) -> Result<T, ApiError> {
    json_within(headers, body, BODY_BYTES_MAX, bounds).await
}

/// The same for a body that may be longer than most.
pub(crate) async fn json_within<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    bytes_max: u64,
    bounds: &Bounds,
) -> Result<T, ApiError> {
    let bytes = whole(headers, "application/json", body, bytes_max, bounds).await?;
    serde_json::from_slice(&bytes).map_err(|error| refuse(&error))
}

/// Reads the body of a form, as the page sends it.
pub(crate) async fn form<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    bounds: &Bounds,
) -> Result<T, ApiError> {
    let bytes = whole(headers, "application/x-www-form-urlencoded", body, BODY_BYTES_MAX, bounds).await?;
    serde_urlencoded::from_bytes(&bytes).map_err(|error| refuse(&error))
}

/// Refuses a body that is not said to be of this type.
pub(crate) fn check_type(headers: &HeaderMap, expected: &'static str) -> Result<(), ApiError> {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(expected) { Ok(()) } else { Err(ApiError::WrongMediaType(expected)) }
}

async fn whole(
    headers: &HeaderMap,
    expected: &'static str,
    body: Body,
    bytes_max: u64,
    bounds: &Bounds,
) -> Result<Vec<u8>, ApiError> {
    check_type(headers, expected)?;
    let mut incoming = Incoming::new(body, bytes_max, bounds.body, None)?;
    let mut bytes = Vec::new();
    while let Some(piece) = incoming.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn refuse(error: &impl std::fmt::Display) -> ApiError {
    let detail = error.to_string();
    if detail.starts_with("unknown field") {
        ApiError::UnknownField(detail)
    } else {
        ApiError::Malformed(detail)
    }
}
