//! HTTP, bounded: one connection pool, no redirects, no proxies, no silent retries, answers of limited size.

use core::time::Duration;
use std::sync::Arc;

use portcullis_wire::RECV_WINDOW_MS;
use reqwest::{RequestBuilder, Response};

use crate::budget::RateHeaders;

/// Largest answer read, in bytes. A page of 1,000 instruments has about 1 MiB.
const BODY_MAX: usize = 8 * 1024 * 1024;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) rate: RateHeaders,
    /// The venue's time as a header names it, ms.
    pub(crate) time_ms: Option<u64>,
}

/// Why there is no answer. Whether the request was acted upon is unknown in every case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection, a broken one, or no answer in time.
    #[error("{0}")]
    Connection(String),
    /// The answer is larger than 8 MiB.
    #[error("the answer is too large")]
    TooLarge,
}

/// The client for one venue.
pub(crate) fn client(
    tls: &Arc<rustls::ClientConfig>,
    plain: bool,
) -> Result<reqwest::Client, TransportError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls.as_ref().clone())
        .https_only(!plain)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(Duration::from_secs(3))
        .pool_idle_timeout(Duration::from_secs(60))
        .user_agent("portcullis")
        .build()
        .map_err(|error| connection(&error))
}

/// Adds the headers that authenticate a request.
pub(crate) fn authenticated(
    request: RequestBuilder,
    key: &str,
    timestamp_ms: u64,
    signature: &str,
) -> RequestBuilder {
    request
        .header("X-BAPI-API-KEY", key)
        .header("X-BAPI-TIMESTAMP", timestamp_ms)
        .header("X-BAPI-RECV-WINDOW", RECV_WINDOW_MS)
        .header("X-BAPI-SIGN", signature)
}

/// Sends a request and reads its answer.
pub(crate) async fn send(request: RequestBuilder, timeout: Duration) -> Result<Answer, TransportError> {
    let mut response = request.timeout(timeout).send().await.map_err(|error| connection(&error))?;
    let status = response.status().as_u16();
    let rate = RateHeaders {
        limit: header(&response, "X-Bapi-Limit"),
        left: header(&response, "X-Bapi-Limit-Status"),
        reset_ms: header(&response, "X-Bapi-Limit-Reset-Timestamp"),
    };
    let time_ms = header(&response, "Timenow");
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| connection(&error))? {
        if body.len().saturating_add(chunk.len()) > BODY_MAX {
            return Err(TransportError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, body, rate, time_ms })
}

fn header<T: core::str::FromStr>(response: &Response, name: &str) -> Option<T> {
    response.headers().get(name)?.to_str().ok()?.parse().ok()
}

/// The causes without the address, which may hold parameters.
fn connection(error: &reqwest::Error) -> TransportError {
    let mut text = if error.is_timeout() { "timeout".to_owned() } else { "connection failed".to_owned() };
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        text.push_str(": ");
        text.push_str(&deeper.to_string());
        cause = deeper.source();
    }
    text.truncate(text.floor_char_boundary(200));
    TransportError::Connection(text)
}
