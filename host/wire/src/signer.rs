//! The signer: the only process that holds the trade key (RULES S1, S2). It signs a closed list of requests that it serialises itself,
//! stamps with its own clock, and holds against a cap of its own; callers reach it over a Unix socket and never see the secret.

mod cap;
mod client;
mod key;
mod message;
mod order;
mod risk;
mod serve;
#[cfg(test)]
#[path = "signer/socket_tests.rs"]
mod tests;
mod value;

use sha2::{Digest as _, Sha256};

pub use cap::{Cap, InvalidCap};
pub use client::{CheckKey, RemoteSigner, SignerState, SignerWatch};
pub use key::{
    LocalSigner, OrderSigner, SignError, SignedRequest, SignedStream, SignerReadiness, TellReadiness,
};
pub use message::{
    InvalidRequest, RefusalKind, SIGNER_MESSAGE_BYTES_MAX, SIGNER_PROTOCOL, SignerReply, SignerRequest,
    SignerStatus, decode_signer_reply, decode_signer_request,
};
pub use order::{OrderKind, OrderRequest, OtherRequest};
pub use serve::{SignerConfig, serve_signer};

/// Longest text of a refusal, in bytes.
const DETAIL_BYTES_MAX: usize = 512;

/// SHA-256 of an API key, under which its holders know each other.
pub fn key_hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}
