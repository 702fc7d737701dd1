//! What goes over the signer's sockets: a greeting each way, then postcard behind a length, requests and answers strictly in turn.

use portcullis_core::Environment;
use portcullis_role::{MessageError, Protocol, decode_message};
use serde::{Deserialize, Serialize};

use super::order::{OrderKind, OrderRequest, OtherRequest};

/// The signer's protocol, of which both sides say their version first.
pub const SIGNER_PROTOCOL: Protocol = Protocol { name: "signer", tag: *b"SIGN", version: 2 };

/// Longest message either way, in bytes: a batch of cancels fits several times.
pub const SIGNER_MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// What is asked of the signer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignerRequest {
    /// After the greeting, before anything else: who wants signatures.
    Open {
        /// The environment the caller trades in.
        environment: Environment,
        /// SHA-256 of the API key that it knows from before, when it does: a signer that came back with another one is not its signer.
        key: Option<[u8; 32]>,
    },
    /// Sign an order request. The signer reads the body into its own type and serialises it again.
    Sign {
        /// Which of the closed list.
        kind: OrderKind,
        /// The request as JSON, exactly as the client would post it.
        body: Vec<u8>,
    },
    /// Sign the question what the trade key may do: a query without parameters.
    KeyQuery,
    /// Sign the authentication of the trade stream.
    Stream,
    /// How the signer stands.
    Status,
}

impl SignerRequest {
    /// The order request inside, with its type; `None` for the other requests.
    ///
    /// # Errors
    /// When the body is no request of the closed list.
    pub(super) fn order(&self) -> Result<Option<OrderRequest>, OtherRequest> {
        match self {
            Self::Sign { kind, body } => OrderRequest::read(*kind, body).map(Some),
            Self::Open { .. } | Self::KeyQuery | Self::Stream | Self::Status => Ok(None),
        }
    }
}

/// The signer's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignerReply {
    /// To `Open`.
    Opened {
        /// The signer's environment.
        environment: Environment,
        /// The API key, which is no secret: it goes into the headers.
        key: String,
        /// How the signer stands.
        status: SignerStatus,
    },
    /// To `Sign` and `KeyQuery`.
    Signed {
        /// The signer's own time, ms.
        timestamp_ms: u64,
        /// The bytes that were signed.
        body: Vec<u8>,
        /// The signature.
        signature: String,
    },
    /// To `Stream`.
    StreamSigned {
        /// Until when it may be used, ms.
        expires_ms: u64,
        /// The signature.
        signature: String,
    },
    /// To `Status`.
    Status(SignerStatus),
    /// It was not done.
    Refused {
        /// Why.
        kind: RefusalKind,
        /// Why, in words, at most 512 bytes.
        detail: String,
        /// How the signer stands.
        status: SignerStatus,
    },
}

/// How a signer stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SignerStatus {
    /// Requests beyond the cap since it started.
    pub violations: u64,
    /// From how many on nothing adds risk any more.
    pub violations_max: u64,
    /// Whether that is so: only cancels and reductions are signed.
    pub latched: bool,
    /// The last violation; empty without one.
    pub last_violation: String,
}

/// Why a request is not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalKind {
    /// Another environment or key than the caller's.
    OtherKey,
    /// Not asked in this order, or not on this socket.
    OutOfTurn,
    /// A member that the client never sends.
    NotOurs,
    /// A symbol that the signer's file does not name.
    Symbol,
    /// An order that adds risk without a price.
    NoPrice,
    /// An order worth more than the signer's file allows.
    Notional,
    /// More than the signer's file allows in a minute.
    Rate,
    /// Too many violations: nothing adds risk any more.
    Latched,
    /// An amend of an order that was not signed since the signer started.
    UnknownOrder,
    /// The trade stream is not switched on in the signer's file.
    StreamOff,
    /// Too many cancels, reductions or questions in a minute.
    Busy,
}

/// Why bytes are no request.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRequest {
    /// No message of the protocol.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// No request of the closed list.
    #[error(transparent)]
    Other(#[from] OtherRequest),
}

/// Decodes a message's body, without its length, as the signer does: everything that it ever does with bytes from a socket before they
/// have their type.
///
/// # Errors
/// When the bytes are too many or no request; an order request must be of the closed list, and written as the client writes it.
pub fn decode_signer_request(body: &[u8]) -> Result<(SignerRequest, Option<OrderRequest>), InvalidRequest> {
    let bound = SIGNER_MESSAGE_BYTES_MAX;
    if body.len() > bound {
        return Err(MessageError::TooLong { length: body.len(), bound }.into());
    }
    let request: SignerRequest = decode_message(body)?;
    let order = request.order()?;
    Ok((request, order))
}

/// Decodes a message's body, without its length, as the signer's callers do.
///
/// # Errors
/// When the bytes are too many or no answer.
pub fn decode_signer_reply(body: &[u8]) -> Result<SignerReply, MessageError> {
    let bound = SIGNER_MESSAGE_BYTES_MAX;
    if body.len() > bound {
        return Err(MessageError::TooLong { length: body.len(), bound });
    }
    decode_message(body)
}
