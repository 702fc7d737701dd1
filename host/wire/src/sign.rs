//! The string to sign and its signature: HMAC, or RSA with a key pair that the user made. The API secret is used here and nowhere
//! else.
//!
//! Bybit signs the time, the key, the window and the payload; neither the method nor the path.

mod rsa;

use core::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use self::rsa::RsaKey;

/// The window every request of ours is good for, in milliseconds.
pub const RECV_WINDOW_MS: u64 = 5_000;

/// A signature: 64 lower-case hexadecimal digits, or base64 with RSA.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature(String);

/// Longest signature taken from elsewhere, in bytes: RSA with 8,192 bits has 1,368.
const SIGNATURE_BYTES_MAX: usize = 2_048;

impl Signature {
    /// A signature that another process made; `None` for what cannot be one.
    pub(crate) fn from_text(text: String) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
        let fits = (1..=SIGNATURE_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain);
        fits.then_some(Self(text))
    }

    /// The text, as it goes into the header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(..)")
    }
}

/// The signature does not belong to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature does not match")]
pub struct SignatureError;

/// A secret cannot be used. Says nothing of what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It is empty.
    #[error("the secret is empty")]
    Empty,
    /// It says it is a private key, and is none.
    #[error("the private key is neither PKCS#8 nor PKCS#1 in PEM")]
    NotPem,
    /// The private key is no RSA key of 2,048 to 8,192 bits.
    #[error("the private key is no RSA key of 2,048 to 8,192 bits")]
    NotRsa,
}

/// An API key with its secret, ready to sign and to verify. Shows only the key's first letters when printed; wiped when dropped.
#[derive(Clone)]
pub struct Credentials {
    key: Box<str>,
    secret: Secret,
}

/// What signs.
#[derive(Clone)]
enum Secret {
    Hmac(Hmac<Sha256>),
    Rsa(Arc<RsaKey>),
}

impl Credentials {
    /// Takes a key and the secret that the venue made for it.
    pub fn new(key: &str, secret: &SecretString) -> Self {
        Self { key: key.into(), secret: Secret::Hmac(keyed(secret.expose_secret().as_bytes())) }
    }

    /// Takes a key and the RSA private key whose public half the venue was given: PEM, PKCS#8 or PKCS#1.
    ///
    /// # Errors
    /// When it is no such key.
    pub fn rsa(key: &str, pem: &SecretString) -> Result<Self, SecretError> {
        Ok(Self { key: key.into(), secret: Secret::Rsa(Arc::new(RsaKey::read(pem.expose_secret())?)) })
    }

    /// Takes a key and its secret of either kind: one that says `PRIVATE KEY` is RSA.
    ///
    /// # Errors
    /// When the secret is empty, or a private key that cannot be used.
    pub fn read(key: &str, secret: &SecretString) -> Result<Self, SecretError> {
        let text = secret.expose_secret();
        if text.is_empty() {
            Err(SecretError::Empty)
        } else if text.contains("PRIVATE KEY") {
            Self::rsa(key, secret)
        } else {
            Ok(Self::new(key, secret))
        }
    }

    /// Whether it signs with RSA.
    pub fn is_rsa(&self) -> bool {
        matches!(self.secret, Secret::Rsa(_))
    }

    /// The key, which is no secret but is not for logs either.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Signs a REST request: `payload` is the query string without `?`, or the body, byte for byte as sent.
    pub fn sign_request(&self, timestamp_ms: u64, recv_window_ms: u64, payload: &[u8]) -> Signature {
        self.finish(&[
            timestamp_ms.to_string().as_bytes(),
            self.key.as_bytes(),
            recv_window_ms.to_string().as_bytes(),
            payload,
        ])
    }

    /// Signs the authentication of a private or trade stream.
    pub fn sign_stream(&self, expires_ms: u64) -> Signature {
        self.finish(&[b"GET/realtime", expires_ms.to_string().as_bytes()])
    }

    /// Checks a REST request from its headers as they came and its payload, in constant time. An absent window header is
    /// passed as the empty text.
    ///
    /// # Errors
    /// When the signature is not ours over exactly these bytes.
    pub fn verify_request(
        &self,
        timestamp: &str,
        recv_window: &str,
        payload: &[u8],
        signature: &str,
    ) -> Result<(), SignatureError> {
        self.verify(&[timestamp.as_bytes(), self.key.as_bytes(), recv_window.as_bytes(), payload], signature)
    }

    /// Checks the authentication of a stream, in constant time; `expires` as it came.
    ///
    /// # Errors
    /// When the signature is not ours over exactly these bytes.
    pub fn verify_stream(&self, expires: &str, signature: &str) -> Result<(), SignatureError> {
        self.verify(&[b"GET/realtime", expires.as_bytes()], signature)
    }

    fn finish(&self, parts: &[&[u8]]) -> Signature {
        match &self.secret {
            Secret::Hmac(mac) => Signature(hex::encode(fed(mac, parts).finalize().into_bytes())),
            Secret::Rsa(key) => Signature(key.sign(&parts.concat())),
        }
    }

    fn verify(&self, parts: &[&[u8]], signature: &str) -> Result<(), SignatureError> {
        match &self.secret {
            Secret::Hmac(mac) => verify_hmac(mac, parts, signature),
            Secret::Rsa(key) => key.verify(&parts.concat(), signature),
        }
    }
}

fn fed(mac: &Hmac<Sha256>, parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut mac = mac.clone();
    for part in parts {
        mac.update(part);
    }
    mac
}

fn verify_hmac(mac: &Hmac<Sha256>, parts: &[&[u8]], signature: &str) -> Result<(), SignatureError> {
    // Only lower-case digits are a signature, as at the venue.
    if signature.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(SignatureError);
    }
    let mut claimed = [0; 32];
    hex::decode_to_slice(signature, &mut claimed).map_err(|_| SignatureError)?;
    fed(mac, parts).verify_slice(&claimed).map_err(|_| SignatureError)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.key.get(..self.key.floor_char_boundary(4)).unwrap_or_default();
        write!(f, "Credentials({shown}…)")
    }
}

/// An HMAC takes a key of any length, so the error cannot occur; an empty key stands in for it.
fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&Default::default()))
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
