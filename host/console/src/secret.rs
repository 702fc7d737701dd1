//! Secrets that we make: session ids and API tokens, 256 random bits each.
//!
//! Only their SHA-256 is kept. A slow hash is for secrets that can be guessed; nobody guesses 256 bits. For the same reason they may
//! be looked up by that hash: the time a lookup takes tells about the hash of what was sent, which the sender cannot steer.

use std::fmt;

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

/// Longest secret worth hashing, in bytes; ours have 64 or 68.
const SECRET_BYTES_MAX: usize = 128;

/// What every API token begins with, so that scanners of repositories know one.
pub(crate) const TOKEN_PREFIX: &str = "pct_";

/// The kept half of a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecretHash([u8; 32]);

impl SecretHash {
    /// Of what a client sent; `None` for what cannot be a secret of ours.
    pub(crate) fn of(sent: &str) -> Option<Self> {
        (sent.len() <= SECRET_BYTES_MAX).then(|| Self(Sha256::digest(sent.as_bytes()).into()))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash")
    }
}

/// A new secret and its hash.
pub(crate) fn mint(prefix: &str) -> Result<(SecretString, SecretHash), getrandom::Error> {
    let text = format!("{prefix}{}", random_hex::<32>()?);
    let hash = SecretHash(Sha256::digest(text.as_bytes()).into());
    Ok((text.into(), hash))
}

/// `N` random bytes in hex.
pub(crate) fn random_hex<const N: usize>() -> Result<String, getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}
