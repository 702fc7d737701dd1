//! What every request passes first, and every answer last: whom it comes from, whether it is meant for us, the headers that keep
//! browsers from doing more than the page needs, the access log.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::app::{App, Shared};
use crate::caller::{Whois, check_origin};
use crate::client_address::{ClientAddress, Peer};
use crate::error::ApiError;

/// Longest path and query in bytes.
const URI_BYTES_MAX: usize = 4 * 1024;

/// Longest path in the access log, in bytes.
const LOGGED_PATH_BYTES_MAX: usize = 128;

const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The headers of every answer. `Cache-Control` is only for answers that do not say otherwise.
const HEADERS: [(HeaderName, &str); 8] = [
    (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    // Not `no-referrer`: under that browsers send `Origin: null` with our own forms.
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    (CACHE_CONTROL, "no-store"),
];

/// Two years, for browsers that came over TLS.
const STRICT_TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// Lets a request in, or turns it away.
pub(crate) async fn guard(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let uri = request.uri().clone();
    let whois = Whois::default();
    let address = client_address(&app, &request);
    let logged = address.as_ref().copied().unwrap_or(ClientAddress::UNKNOWN);
    let admitted = address.and_then(|address| admit(&app, &request).map(|()| address));
    let mut response = match admitted {
        Err(error) => error.into_response(),
        Ok(address) => {
            request.extensions_mut().insert(address);
            request.extensions_mut().insert(whois.clone());
            next.run(request).await
        }
    };
    protect(&app, response.headers_mut());
    log(&method, &uri, &response, logged, &whois, started);
    response
}

fn client_address(app: &App, request: &Request) -> Result<ClientAddress, ApiError> {
    let peer = request.extensions().get::<Peer>().copied().ok_or(ApiError::Failed)?;
    ClientAddress::of(peer, request.headers(), &app.proxies)
}

fn admit(app: &App, request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(ApiError::ForeignHost) };
    if !app.origins.iter().any(|ours| host.as_bytes().eq_ignore_ascii_case(ours.host().as_bytes())) {
        return Err(ApiError::ForeignHost);
    }
    // A request in absolute form names a host of its own, which nothing here looks at.
    if request.uri().authority().is_some() {
        return Err(ApiError::ForeignHost);
    }
    if request.uri().path_and_query().is_some_and(|path| path.as_str().len() > URI_BYTES_MAX) {
        return Err(ApiError::Malformed(format!("the address is longer than {URI_BYTES_MAX} bytes")));
    }
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    match headers.get(ORIGIN) {
        Some(origin) if changes => check_origin(app, origin),
        _ => Ok(()),
    }
}

fn protect(app: &App, headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if app.is_secure() {
        headers.insert(STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT);
    }
}

/// One line a request: no query, no header, no body, so no secret.
fn log(
    method: &Method,
    uri: &Uri,
    response: &Response,
    address: ClientAddress,
    whois: &Whois,
    started: Instant,
) {
    let path: String = uri.path().chars().take(LOGGED_PATH_BYTES_MAX).collect();
    let actor = whois.0.get().map(|actor| actor.as_str()).unwrap_or_default();
    let status = response.status().as_u16();
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%address, %method, path, status, actor, ms, "request");
}
