//! Who asks: the headers of a signed request, checked over the bytes that came, and the proof of a stream.

use axum::http::HeaderMap;
use portcullis_core::Timestamp;
use portcullis_wire::RECV_WINDOW_MS;
use serde_json::Value;

use super::refusal::Refusal;
use crate::config::PaperKey;

/// How far a client's clock may run ahead, in milliseconds: exclusive, whatever the window.
const AHEAD_MS: u64 = 1_000;

/// Why a request is not authenticated.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unauthenticated {
    /// Headers are missing: HTTP 401.
    NoCredentials,
    /// A code with HTTP 200.
    Refused(Refusal),
}

/// The place in `keys` of the key that signed these bytes: the query string of a GET, the body of a POST.
pub(super) fn authenticate(
    keys: &[PaperKey],
    headers: &HeaderMap,
    payload: &[u8],
    now: Timestamp,
) -> Result<usize, Unauthenticated> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (key, sign) = (header("x-bapi-api-key"), header("x-bapi-sign"));
    let (timestamp, window) = (header("x-bapi-timestamp"), header("x-bapi-recv-window"));
    if key.is_empty() || sign.is_empty() || timestamp.is_empty() {
        return Err(Unauthenticated::NoCredentials);
    }
    let refuse = |code, message: String| Err(Unauthenticated::Refused(Refusal { code, message }));
    let Some((place, known)) = keys.iter().enumerate().find(|(_, known)| known.credentials.key() == key)
    else {
        return refuse(10_003, "API key is invalid.".to_owned());
    };
    check_time(timestamp, window, now).map_err(Unauthenticated::Refused)?;
    // Whether the venue signs an absent window as nothing or as 5000 is not documented: both pass.
    let signed = |window: &str| known.credentials.verify_request(timestamp, window, payload, sign).is_ok();
    if signed(window) || (window.is_empty() && signed("5000")) {
        return Ok(place);
    }
    let payload = String::from_utf8_lossy(payload);
    refuse(10_004, format!("error sign! origin_string[{timestamp}{key}{window}{payload}]"))
}

/// The venue's rule: not older than the window, and not a second ahead, whatever the window. An absent window is 5,000.
pub(super) fn check_time(timestamp: &str, window: &str, now: Timestamp) -> Result<(), Refusal> {
    let window_ms = if window.is_empty() { Some(RECV_WINDOW_MS) } else { window.parse().ok() };
    let server = now.millis();
    if let (Ok(sent), Some(window_ms)) = (timestamp.parse::<u64>(), window_ms)
        && server.saturating_sub(window_ms) <= sent
        && sent < server.saturating_add(AHEAD_MS)
    {
        return Ok(());
    }
    let window = if window.is_empty() { "5000" } else { window };
    Err(Refusal::new(
        10_002,
        format!(
            "invalid request, please check your server timestamp or recv_window param. \
             req_timestamp[{timestamp}],server_timestamp[{server}],recv_window[{window}]"
        ),
    ))
}

/// The place in `keys` of the key that proves itself on a stream with `[key, expires, signature]`; the time may be text or a
/// number and is signed as it was written.
pub(super) fn authenticate_stream(
    keys: &[PaperKey],
    arguments: &[Value],
    now: Timestamp,
) -> Result<usize, Refusal> {
    let incomplete = || Refusal::parameter("auth needs key, expires and signature");
    let [key, expires, signature] = arguments else { return Err(incomplete()) };
    let (Some(key), Some(signature)) = (key.as_str(), signature.as_str()) else {
        return Err(incomplete());
    };
    let expires = expires.as_str().map_or_else(|| expires.to_string(), str::to_owned);
    if !expires.parse::<u64>().is_ok_and(|expires| expires > now.millis()) {
        return Err(Refusal::new(10_004, "auth has expired"));
    }
    let known = keys.iter().enumerate().find(|(_, known)| known.credentials.key() == key);
    let (place, known) = known.ok_or_else(|| Refusal::new(10_003, "API key is invalid."))?;
    match known.credentials.verify_stream(&expires, signature) {
        Ok(()) => Ok(place),
        Err(_) => Err(Refusal::new(10_004, "signature is invalid")),
    }
}

#[cfg(test)]
mod tests {
    use portcullis_wire::Credentials;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_764_000_000_000);

    fn keys() -> Vec<PaperKey> {
        vec![PaperKey { credentials: Credentials::new("key", &"secret".to_owned().into()), read_only: false }]
    }

    fn check(sent: u64, window: u64, change: impl FnOnce(&mut HeaderMap)) -> Result<usize, i32> {
        let sign = keys()[0].credentials.sign_request(sent, window, b"a=1");
        let mut headers = HeaderMap::new();
        headers.insert("x-bapi-api-key", "key".parse().unwrap());
        headers.insert("x-bapi-sign", sign.as_str().parse().unwrap());
        headers.insert("x-bapi-timestamp", sent.to_string().parse().unwrap());
        headers.insert("x-bapi-recv-window", window.to_string().parse().unwrap());
        change(&mut headers);
        authenticate(&keys(), &headers, b"a=1", NOW).map_err(|error| match error {
            Unauthenticated::NoCredentials => 401,
            Unauthenticated::Refused(refusal) => refusal.code,
        })
    }

    #[test]
    fn the_time_window_is_closed_below_and_open_above() {
        let now = NOW.millis();
        assert_eq!(check(now - 5_000, 5_000, |_| {}), Ok(0));
        assert_eq!(check(now - 5_001, 5_000, |_| {}), Err(10_002));
        assert_eq!(check(now + 999, 5_000, |_| {}), Ok(0));
        assert_eq!(
            check(now + 1_000, 60_000, |_| {}),
            Err(10_002),
            "a clock ahead fails whatever the window"
        );
    }

    #[test]
    fn whoever_is_not_known_is_told_how() {
        let now = NOW.millis();
        let set = |name: &'static str, value: &'static str| {
            move |headers: &mut HeaderMap| drop(headers.insert(name, value.parse().unwrap()))
        };
        assert_eq!(check(now, 5_000, set("x-bapi-api-key", "other")), Err(10_003));
        assert_eq!(check(now, 5_000, set("x-bapi-sign", "00")), Err(10_004));
        assert_eq!(check(now, 5_000, set("x-bapi-timestamp", "soon")), Err(10_002));
        assert_eq!(check(now, 5_000, |headers| drop(headers.remove("x-bapi-sign"))), Err(401));
        assert_eq!(check(now, 5_000, |headers| drop(headers.remove("x-bapi-recv-window"))), Ok(0));
    }
}
