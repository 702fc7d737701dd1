//! Who holds the trade key, as the client sees it.

use core::fmt;

use portcullis_core::Timestamp;

use super::order::OrderRequest;
use crate::{Credentials, RECV_WINDOW_MS, Signature, path};

/// How far in the future the authentication of a stream expires, ms.
const STREAM_AUTH_FOR_MS: u64 = 10_000;

/// A request ready to be posted: the bytes that were signed, and what goes into the headers. Shows neither key nor signature when
/// printed.
#[derive(Clone)]
pub struct SignedRequest {
    /// Where it is posted.
    pub path: &'static str,
    /// The body, byte for byte as signed.
    pub body: Vec<u8>,
    /// The API key.
    pub key: Box<str>,
    /// When it was signed, ms.
    pub timestamp_ms: u64,
    /// The signature.
    pub signature: Signature,
}

impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("path", &self.path)
            .field("timestamp_ms", &self.timestamp_ms)
            .finish_non_exhaustive()
    }
}

/// The authentication of a stream. Shows neither key nor signature when printed.
#[derive(Clone)]
pub struct SignedStream {
    /// The API key.
    pub key: Box<str>,
    /// Until when it may be used, ms.
    pub expires_ms: u64,
    /// The signature.
    pub signature: Signature,
}

impl fmt::Debug for SignedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedStream").field("expires_ms", &self.expires_ms).finish_non_exhaustive()
    }
}

/// Why a request was not signed; it was not sent either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The signer refused.
    #[error("the signer refused: {reason}")]
    Refused {
        /// Its reason.
        reason: String,
    },
    /// The signer does not know the order that is to be changed; with price and quantity both it would.
    #[error("the signer does not know the order")]
    UnknownOrder,
    /// The signer cannot be reached.
    #[error("the signer cannot be reached")]
    Unreachable,
}

/// Whether a signer is there, and whether it signs what adds risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignerReadiness {
    /// It answers.
    pub up: bool,
    /// It signs what adds risk.
    pub adds: bool,
}

impl SignerReadiness {
    /// It signs everything.
    pub const FULL: Self = Self { up: true, adds: true };
}

/// Is told when a signer's readiness changes. Called from any thread; must not wait.
pub type TellReadiness = Box<dyn Fn(SignerReadiness) + Send + Sync>;

/// Holds the trade key, or reaches who does.
pub trait OrderSigner: Send {
    /// Serialises and signs one request with the signer's own clock (RULES S2).
    ///
    /// # Errors
    /// When it is not signed; then nothing may be sent.
    fn sign(&mut self, request: &OrderRequest) -> Result<SignedRequest, SignError>;

    /// Signs the question what the trade key may do, for the live gate: a query without parameters, which changes nothing.
    ///
    /// # Errors
    /// When it is not signed.
    fn sign_key_query(&mut self) -> Result<SignedRequest, SignError>;

    /// Signs the authentication of the trade stream, after which orders need no signature: the second cap is off. A signer does
    /// that only where the operator switched the trade stream on (RULES S1).
    ///
    /// # Errors
    /// When it is not signed, which is what a signer does unless told otherwise.
    fn sign_stream(&mut self) -> Result<SignedStream, SignError> {
        Err(stream_is_off())
    }

    /// Has `tell` told how ready the signer is: now, and when that changes. A signer in this process always is.
    fn watch(&mut self, tell: TellReadiness) {
        tell(SignerReadiness::FULL);
    }
}

/// A signer in this process: what the signer role is built on, and for tests and measurements.
#[derive(Debug)]
pub struct LocalSigner {
    credentials: Credentials,
    clock: fn() -> Timestamp,
    trade_socket: bool,
}

impl LocalSigner {
    /// Takes the trade key.
    pub fn new(credentials: Credentials, clock: fn() -> Timestamp) -> Self {
        Self { credentials, clock, trade_socket: false }
    }

    /// Also signs the authentication of the trade stream: the second cap is off.
    #[must_use]
    pub fn with_trade_socket(self) -> Self {
        Self { trade_socket: true, ..self }
    }

    /// The API key.
    pub(super) fn key(&self) -> &str {
        self.credentials.key()
    }

    fn signed(&self, path: &'static str, body: Vec<u8>) -> SignedRequest {
        let timestamp_ms = (self.clock)().millis();
        let signature = self.credentials.sign_request(timestamp_ms, RECV_WINDOW_MS, &body);
        SignedRequest { path, body, key: self.key().into(), timestamp_ms, signature }
    }
}

impl OrderSigner for LocalSigner {
    fn sign(&mut self, request: &OrderRequest) -> Result<SignedRequest, SignError> {
        let body = request.body().map_err(|error| SignError::Refused { reason: error.to_string() })?;
        Ok(self.signed(request.path(), body))
    }

    fn sign_key_query(&mut self) -> Result<SignedRequest, SignError> {
        Ok(self.signed(path::QUERY_API, Vec::new()))
    }

    fn sign_stream(&mut self) -> Result<SignedStream, SignError> {
        if !self.trade_socket {
            return Err(stream_is_off());
        }
        let expires_ms = (self.clock)().millis().saturating_add(STREAM_AUTH_FOR_MS);
        let signature = self.credentials.sign_stream(expires_ms);
        Ok(SignedStream { key: self.key().into(), expires_ms, signature })
    }
}

fn stream_is_off() -> SignError {
    SignError::Refused { reason: "the trade stream is not switched on".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CancelOrder, Category};

    #[test]
    fn what_is_signed_is_what_is_sent() {
        let credentials = Credentials::new("key", &"secret".to_owned().into());
        let mut signer = LocalSigner::new(credentials.clone(), || Timestamp::from_millis(1_764_000_000_000));
        let request = OrderRequest::Cancel(CancelOrder {
            category: Category::Linear,
            symbol: "BTCUSDT".to_owned(),
            order_link_id: Some("p0010".to_owned()),
            ..CancelOrder::default()
        });
        let signed = signer.sign(&request).unwrap();
        assert_eq!((signed.path, signed.timestamp_ms), ("/v5/order/cancel", 1_764_000_000_000));
        credentials.verify_request("1764000000000", "5000", &signed.body, signed.signature.as_str()).unwrap();
    }

    #[test]
    fn printing_shows_neither_key_nor_secret() {
        let credentials = Credentials::new("AbCdEfGh1234567890", &"TopSecretText".to_owned().into());
        let mut signer = LocalSigner::new(credentials, || Timestamp::from_millis(1)).with_trade_socket();
        let signed = signer.sign(&OrderRequest::Cancel(CancelOrder::default())).unwrap();
        let (query, stream) = (signer.sign_key_query().unwrap(), signer.sign_stream().unwrap());
        let shown = format!("{signer:?} {signed:?} {query:?} {stream:?}");
        for hidden in ["EfGh1234567890", "TopSecret", signed.signature.as_str(), stream.signature.as_str()] {
            assert!(!shown.contains(hidden), "{hidden} in {shown}");
        }
    }

    #[test]
    fn the_second_cap_stays_on_unless_switched_off() {
        let credentials = Credentials::new("key", &"secret".to_owned().into());
        let clock = || Timestamp::from_millis(1_764_000_000_000);
        let mut signer = LocalSigner::new(credentials.clone(), clock);
        assert!(matches!(signer.sign_stream(), Err(SignError::Refused { .. })));
        let mut signer = LocalSigner::new(credentials.clone(), clock).with_trade_socket();
        let signed = signer.sign_stream().unwrap();
        assert_eq!(signed.expires_ms, 1_764_000_010_000);
        credentials.verify_stream("1764000010000", signed.signature.as_str()).unwrap();
    }
}
