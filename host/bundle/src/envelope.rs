//! The DSSE envelope: a payload and who signed it.
//!
//! Signatures cover the payload's bytes as they are, so nothing is canonicalised before a check. The envelope around them is
//! not signed; it is held to one spelling instead (RULES O2): strict base64, signatures sorted by key, and the same bytes
//! when it is encoded again. So a changed byte anywhere is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::untrusted_text::shown;
use crate::{Fingerprint, Refusal, SecretKey, TrustRoot, TrustedKey};

/// The payload type of an in-toto statement.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Largest payload, in bytes before base64.
pub const PAYLOAD_BYTES_MAX: u64 = 64 << 10;

/// Most signatures one envelope may carry.
pub const SIGNATURES_MAX: usize = 16;

/// A parsed envelope. Nothing in it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    payload: Vec<u8>,
    signatures: Vec<KeyedSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct KeyedSignature {
    key: Fingerprint,
    bytes: [u8; 64],
}

impl Envelope {
    pub(crate) fn unsigned(payload: Vec<u8>) -> Self {
        Self { payload, signatures: Vec::new() }
    }

    pub(crate) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        let text: EnvelopeJson = serde_json::from_slice(json)
            .map_err(|error| Refusal::EnvelopeMalformed { detail: shown(&error.to_string()) })?;
        if text.payload_type != PAYLOAD_TYPE {
            return Err(Refusal::PayloadTypeUnknown {
                found: shown(&text.payload_type),
                expected: PAYLOAD_TYPE,
            });
        }
        if text.signatures.is_empty() {
            return Err(Refusal::Unsigned);
        }
        if text.signatures.len() > SIGNATURES_MAX {
            return Err(Refusal::TooManySignatures {
                signatures: text.signatures.len(),
                limit: SIGNATURES_MAX,
            });
        }
        let payload = decode(&text.payload, "payload")?;
        if payload.len() as u64 > PAYLOAD_BYTES_MAX {
            return Err(Refusal::PayloadTooLarge { bytes: payload.len() as u64, limit: PAYLOAD_BYTES_MAX });
        }
        let signatures = text.signatures.iter().map(KeyedSignature::parse).collect::<Result<Vec<_>, _>>()?;
        if !signatures.is_sorted_by(|a, b| a.key < b.key) {
            return Err(Refusal::SignaturesUnsorted);
        }
        let envelope = Self { payload, signatures };
        if envelope.encode() != json {
            return Err(Refusal::EnvelopeNotCanonical);
        }
        Ok(envelope)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let text = EnvelopeJson {
            payload: STANDARD.encode(&self.payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: self.signatures.iter().map(KeyedSignature::to_json).collect(),
        };
        // Strings in structs always encode; the empty vector would fail every comparison and every parse.
        serde_json::to_vec(&text).unwrap_or_default()
    }

    /// The payload, not verified.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The names of the keys that claim to have signed, sorted.
    pub(crate) fn key_names(&self) -> impl Iterator<Item = Fingerprint> {
        self.signatures.iter().map(|signature| signature.key)
    }

    /// Adds the signature of `key`, in its sorted place; `false` if the key has signed already.
    pub(crate) fn add_signature(&mut self, key: &SecretKey) -> bool {
        let name = key.public().fingerprint();
        let Err(place) = self.signatures.binary_search_by_key(&name, |signature| signature.key) else {
            return false;
        };
        let bytes = key.sign(&pre_authentication_encoding(&self.payload));
        self.signatures.insert(place, KeyedSignature { key: name, bytes });
        true
    }

    /// Checks every signature and returns the keys that made them.
    ///
    /// A signature that does not count is not ignored but refused: otherwise its bytes could be changed unseen.
    pub(crate) fn verify<'t>(&self, trust: &'t TrustRoot) -> Result<Vec<&'t TrustedKey>, Refusal> {
        let message = pre_authentication_encoding(&self.payload);
        self.signatures.iter().map(|signature| signature.verify(&message, trust)).collect()
    }
}

impl KeyedSignature {
    fn parse(text: &SignatureJson) -> Result<Self, Refusal> {
        let key = text.keyid.parse().map_err(|_| Refusal::KeyIdMalformed { found: shown(&text.keyid) })?;
        let bytes = decode(&text.sig, "signature")?;
        let bytes = bytes
            .as_slice()
            .try_into()
            .map_err(|_| Refusal::SignatureLength { bytes: bytes.len() as u64 })?;
        Ok(Self { key, bytes })
    }

    fn to_json(&self) -> SignatureJson {
        SignatureJson { keyid: self.key.to_string(), sig: STANDARD.encode(self.bytes) }
    }

    fn verify<'t>(&self, message: &[u8], trust: &'t TrustRoot) -> Result<&'t TrustedKey, Refusal> {
        let named = trust.key(&self.key);
        if let Some(named) = named
            && named.public.verifies(message, &self.bytes)
        {
            return Ok(named);
        }
        // Refused in any case; what follows only finds the most helpful reason.
        match trust.keys().iter().find(|key| key.public.verifies(message, &self.bytes)) {
            Some(signer) => Err(Refusal::KeyIdMismatch { found: self.key, signer: signer.fingerprint }),
            None if named.is_some() => Err(Refusal::SignatureInvalid { key: self.key }),
            None => Err(Refusal::SignerUnknown { key: self.key }),
        }
    }
}

/// DSSE's pre-authentication encoding: what is signed. The lengths keep type and payload apart.
fn pre_authentication_encoding(payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

fn decode(text: &str, part: &'static str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| Refusal::Base64NotStrict { part })
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeJson {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<SignatureJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureJson {
    keyid: String,
    sig: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_bytes_follow_dsse() {
        let expected = b"DSSEv1 28 application/vnd.in-toto+json 5 hello";
        assert_eq!(pre_authentication_encoding(b"hello"), expected);
    }
}
