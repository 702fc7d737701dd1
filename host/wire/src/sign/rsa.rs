//! RSA: PKCS#1 v1.5 over SHA-256, in base64, with a private key that never left its owner.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;

use super::{SecretError, SignatureError};

/// A private key; its memory is wiped when it goes.
pub(super) struct RsaKey(KeyPair);

impl RsaKey {
    /// Reads PEM: PKCS#8 or PKCS#1.
    pub(super) fn read(pem: &str) -> Result<Self, SecretError> {
        let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| SecretError::NotPem)?;
        let pair = match &der {
            PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()),
            PrivateKeyDer::Sec1(_) | _ => return Err(SecretError::NotPem),
        };
        pair.map(Self).map_err(|_| SecretError::NotRsa)
    }

    /// The signature in base64. It cannot fail with a key that was read; should it, the text is empty and the venue refuses it.
    pub(super) fn sign(&self, message: &[u8]) -> String {
        let mut signature = vec![0; self.0.public_modulus_len()];
        match self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
            Ok(()) => STANDARD.encode(&signature),
            Err(_) => String::new(),
        }
    }

    /// Checks a signature in base64 against the public half.
    pub(super) fn verify(&self, message: &[u8], signature: &str) -> Result<(), SignatureError> {
        let raw = STANDARD.decode(signature).map_err(|_| SignatureError)?;
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.0.public_key().as_ref());
        public.verify(message, &raw).map_err(|_| SignatureError)
    }
}
