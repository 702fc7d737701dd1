//! A compilation that failed, as bytes for the gateway's store: only the holder of the key can say that a component does not compile.

use hmac::Mac as _;
use portcullis_core::Digest;

use crate::protocol::{CompileLimits, cut};
use crate::{ArtifactError, ArtifactKey};

/// Longest reason kept, in bytes.
const REASON_BYTES_MAX: usize = 1_024;

const TAG_BYTES: usize = 32;
const DOMAIN: &[u8] = b"portcullis compile failure 1";

/// What was tried: another engine or wider limits may succeed where these failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileAttempt {
    /// The component.
    pub component: Digest,
    /// The engine it was compiled for.
    pub engine: Digest,
    /// What the compiler could use.
    pub limits: CompileLimits,
}

impl CompileAttempt {
    /// The bytes for the store: an HMAC over all of it, then the reason, cut to 1 KiB.
    ///
    /// # Errors
    ///
    /// Never with a key made by [`ArtifactKey::new`].
    pub fn protect_failure(&self, key: &ArtifactKey, reason: &str) -> Result<Vec<u8>, ArtifactError> {
        let mut reason = reason.to_owned();
        cut(&mut reason, REASON_BYTES_MAX);
        let mac = self.mac(key)?.chain_update(&reason);
        Ok([mac.finalize().into_bytes().as_slice(), reason.as_bytes()].concat())
    }

    /// The reason out of what [`protect_failure`](Self::protect_failure) wrote.
    ///
    /// # Errors
    ///
    /// [`ArtifactError::Malformed`] and [`ArtifactError::Forged`]: then it is not known whether it fails.
    pub fn open_failure(&self, key: &ArtifactKey, stored: &[u8]) -> Result<String, ArtifactError> {
        let (tag, reason) = stored.split_first_chunk::<TAG_BYTES>().ok_or(ArtifactError::Malformed)?;
        self.mac(key)?.chain_update(reason).verify_slice(tag).map_err(|_| ArtifactError::Forged)?;
        String::from_utf8(reason.to_vec()).map_err(|_| ArtifactError::Malformed)
    }

    fn mac(&self, key: &ArtifactKey) -> Result<hmac::Hmac<sha2::Sha256>, ArtifactError> {
        // Time on the wall clock does not count: failing by it says nothing about the component.
        let CompileLimits { memory_bytes_max, cpu_s, wall_s: _ } = self.limits;
        let mac = key.mac().ok_or(ArtifactError::Forged)?;
        let mac = mac.chain_update(DOMAIN).chain_update(self.engine.0).chain_update(self.component.0);
        Ok(mac.chain_update(memory_bytes_max.to_le_bytes()).chain_update(cpu_s.to_le_bytes()))
    }
}
