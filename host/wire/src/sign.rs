//! The string to sign and its HMAC. The API secret is used here and nowhere else.
//!
//! Bybit signs the time, the key, the window and the payload; neither the method nor the path.

use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// The window every request of ours is good for, in milliseconds.
pub const RECV_WINDOW_MS: u64 = 5_000;

/// A signature: 64 lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature(String);

impl Signature {
    /// The digits.
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

/// An API key with its secret, ready to sign and to verify. Shows only the key's first letters when printed; wiped when dropped.
#[derive(Clone)]
pub struct Credentials {
    key: Box<str>,
    mac: Hmac<Sha256>,
}

impl Credentials {
    /// Takes a key and its secret.
    pub fn new(key: &str, secret: &SecretString) -> Self {
        Self { key: key.into(), mac: keyed(secret.expose_secret().as_bytes()) }
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
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        Signature(hex::encode(mac.finalize().into_bytes()))
    }

    fn verify(&self, parts: &[&[u8]], signature: &str) -> Result<(), SignatureError> {
        // Only lower-case digits are a signature, as at the venue.
        if signature.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(SignatureError);
        }
        let mut claimed = [0; 32];
        hex::decode_to_slice(signature, &mut claimed).map_err(|_| SignatureError)?;
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        mac.verify_slice(&claimed).map_err(|_| SignatureError)
    }
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
mod tests {
    use super::*;

    /// RFC 4231's own key and data cannot pass through the string to sign, so these were computed with Python's `hmac`.
    fn credentials() -> Credentials {
        Credentials::new("gateKey7", &"correct horse battery staple".to_owned().into())
    }

    #[test]
    fn known_answers() {
        let credentials = credentials();
        assert_eq!(
            credentials.sign_request(1_764_000_000_123, 5_000, b"").as_str(),
            "5585a6727da3756e1dd5d3a60b0cdbf12cb258a18dcce4928354a532c6d4caa2"
        );
        assert_eq!(
            credentials
                .sign_request(1_764_000_000_123, 5_000, br#"{"category":"linear","qty":"0.5"}"#)
                .as_str(),
            "cdb348b1f81edad37e954e13084e049f883388a084e9c2840d416ffd7beb7377"
        );
        assert_eq!(
            credentials.sign_stream(1_764_000_010_000).as_str(),
            "f54d2b5024be2ebc3c239905fdcb6d19937108fa59a048633fe43b66b05fd59f"
        );
    }

    #[test]
    fn any_change_is_refused() {
        let credentials = credentials();
        let good = credentials.sign_request(1_764_000_000_123, 5_000, b"a=1&b=2");
        let check = |time: &str, window: &str, payload: &[u8], signature: &str| {
            credentials.verify_request(time, window, payload, signature)
        };
        assert_eq!(check("1764000000123", "5000", b"a=1&b=2", good.as_str()), Ok(()));
        assert!(check("1764000000124", "5000", b"a=1&b=2", good.as_str()).is_err());
        assert!(check("1764000000123", "5001", b"a=1&b=2", good.as_str()).is_err());
        assert!(check("1764000000123", "5000", b"b=2&a=1", good.as_str()).is_err());
        assert!(check("1764000000123", "5000", b"a=1&b=2", &good.as_str().to_uppercase()).is_err());
        assert!(check("1764000000123", "5000", b"a=1&b=2", "").is_err());
        assert!(check("1764000000123", "5000", b"a=1&b=2", &good.as_str()[..62]).is_err());
    }

    #[test]
    fn printing_shows_no_secret() {
        let shown = format!("{:?} {:?}", credentials(), credentials().sign_stream(1));
        assert_eq!(shown, "Credentials(gate…) Signature(..)");
    }
}
