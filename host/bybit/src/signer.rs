//! The trade key's seam: whoever holds it serialises and signs a closed list of requests, so that it cannot be made to sign
//! anything else (RULES S1). Today it is in this process; the signer role takes its place behind the same trait.

use core::fmt;

use portcullis_wire::{
    AmendOrder, Batch, CancelAll, CancelOrder, CreateOrder, Credentials, RECV_WINDOW_MS, Signature,
    TradingStop, path,
};

use crate::Clock;

/// What the trade key may be used for.
#[expect(
    clippy::large_enum_variant,
    reason = "made, signed and dropped at once; a box is one more allocation per order"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderRequest {
    /// A new order.
    Create(CreateOrder),
    /// A change.
    Amend(AmendOrder),
    /// A cancel.
    Cancel(CancelOrder),
    /// Cancels of many.
    CancelAll(CancelAll),
    /// Protection of a position.
    TradingStop(TradingStop),
    /// Cancels of several orders, each with an outcome of its own.
    CancelBatch(Batch<CancelOrder>),
}

impl OrderRequest {
    /// Where it is posted.
    pub fn path(&self) -> &'static str {
        match self {
            Self::Create(_) => path::CREATE,
            Self::Amend(_) => path::AMEND,
            Self::Cancel(_) => path::CANCEL,
            Self::CancelAll(_) => path::CANCEL_ALL,
            Self::TradingStop(_) => path::TRADING_STOP,
            Self::CancelBatch(_) => path::CANCEL_BATCH,
        }
    }

    /// The request as the trade stream takes it: the body without a signature, and the operation. `None` for what goes by REST only.
    pub(crate) fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Create(_) => Some("order.create"),
            Self::Amend(_) => Some("order.amend"),
            Self::Cancel(_) => Some("order.cancel"),
            Self::CancelAll(_) | Self::TradingStop(_) | Self::CancelBatch(_) => None,
        }
    }

    pub(crate) fn body(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::Create(request) => serde_json::to_vec(request),
            Self::Amend(request) => serde_json::to_vec(request),
            Self::Cancel(request) => serde_json::to_vec(request),
            Self::CancelAll(request) => serde_json::to_vec(request),
            Self::TradingStop(request) => serde_json::to_vec(request),
            Self::CancelBatch(request) => serde_json::to_vec(request),
        }
    }
}

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

/// Why a request was not signed; it was not sent either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The signer refused.
    #[error("the signer refused: {reason}")]
    Refused {
        /// Its reason.
        reason: String,
    },
    /// The signer cannot be reached.
    #[error("the signer cannot be reached")]
    Unreachable,
}

/// Holds the trade key.
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
        Err(SignError::Refused { reason: "the trade stream is not switched on".to_owned() })
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

/// How far in the future the authentication of a stream expires.
pub(crate) const STREAM_AUTH_FOR_MS: u64 = 10_000;

/// A signer in this process.
#[derive(Debug)]
pub struct LocalSigner {
    credentials: Credentials,
    clock: Clock,
    trade_socket: bool,
}

impl LocalSigner {
    /// Takes the trade key.
    pub fn new(credentials: Credentials, clock: Clock) -> Self {
        Self { credentials, clock, trade_socket: false }
    }

    /// Also signs the authentication of the trade stream: the second cap is off.
    #[must_use]
    pub fn with_trade_socket(self) -> Self {
        Self { trade_socket: true, ..self }
    }

    fn signed(&self, path: &'static str, body: Vec<u8>) -> SignedRequest {
        let timestamp_ms = (self.clock)().millis();
        let signature = self.credentials.sign_request(timestamp_ms, RECV_WINDOW_MS, &body);
        SignedRequest { path, body, key: self.credentials.key().into(), timestamp_ms, signature }
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
            return Err(SignError::Refused { reason: "the trade stream is not switched on".to_owned() });
        }
        let expires_ms = (self.clock)().millis().saturating_add(STREAM_AUTH_FOR_MS);
        let signature = self.credentials.sign_stream(expires_ms);
        Ok(SignedStream { key: self.credentials.key().into(), expires_ms, signature })
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::Timestamp;
    use portcullis_wire::Category;

    use super::*;

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
        let mut signer =
            LocalSigner::new(credentials.clone(), || Timestamp::from_millis(1)).with_trade_socket();
        let signed = signer.sign(&OrderRequest::Cancel(CancelOrder::default())).unwrap();
        let (query, stream) = (signer.sign_key_query().unwrap(), signer.sign_stream().unwrap());
        let mut config = crate::Config::new(
            portcullis_core::Environment::Paper,
            crate::Endpoints::paper("http://127.0.0.1:9", "ws://127.0.0.1:9"),
            credentials,
            || Timestamp::from_millis(1),
        );
        config.trade_socket = true;
        let shown = format!("{signer:?} {signed:?} {query:?} {stream:?} {config:?}");
        for hidden in ["EfGh1234567890", "TopSecret", signed.signature.as_str(), stream.signature.as_str()] {
            assert!(!shown.contains(hidden), "{hidden} in {shown}");
        }
    }

    #[test]
    fn the_second_cap_stays_on_unless_switched_off() {
        let credentials = Credentials::new("key", &"secret".to_owned().into());
        let clock: Clock = || Timestamp::from_millis(1_764_000_000_000);
        let mut signer = LocalSigner::new(credentials.clone(), clock);
        assert!(matches!(signer.sign_stream(), Err(SignError::Refused { .. })));
        let mut signer = LocalSigner::new(credentials.clone(), clock).with_trade_socket();
        let signed = signer.sign_stream().unwrap();
        assert_eq!(signed.expires_ms, 1_764_000_010_000);
        credentials.verify_stream("1764000010000", signed.signature.as_str()).unwrap();
    }
}
