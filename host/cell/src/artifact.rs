//! Compiled strategies as bytes: native code, and so never taken from anywhere that does not vouch for it.
//!
//! An [`Artifact`] comes out of the compiler, out of a sealed memory file handed over by the parent process, or out of the
//! gateway's store after its HMAC was verified; there is no other way to make one, and loading takes nothing else.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use hmac::{Hmac, KeyInit, Mac};
use portcullis_core::Digest;
use portcullis_role::{MemoryFileError, read_sealed, sealed_memory_file};
use sha2::Sha256;

/// Largest artifact in bytes; a script component of 18 MB compiles to well under it.
pub const ARTIFACT_BYTES_MAX: u64 = 256 << 20;

const MAGIC: [u8; 8] = *b"PCARTIF1";
const DIGEST_BYTES: usize = 32;
const HEADER_BYTES: usize = MAGIC.len() + 2 * DIGEST_BYTES;
const TAG_BYTES: usize = 32;
const DOMAIN: &[u8] = b"portcullis artifact 1";

/// Why an artifact is not taken. None of these is fatal for a store: compile again.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// Not an artifact, or cut short.
    #[error("this is not an artifact")]
    Malformed,
    /// The HMAC does not fit the bytes.
    #[error("the artifact's HMAC is wrong")]
    Forged,
    /// Compiled for another engine, for example by the last release.
    #[error("the artifact is for engine {found}, this one is {expected}")]
    OtherEngine {
        /// What the artifact says.
        found: Digest,
        /// What was expected.
        expected: Digest,
    },
    /// Compiled from another component.
    #[error("the artifact is of component {found}, not of {expected}")]
    OtherComponent {
        /// What the artifact says.
        found: Digest,
        /// What was expected.
        expected: Digest,
    },
    /// The memory file cannot be trusted or read.
    #[error(transparent)]
    MemoryFile(#[from] MemoryFileError),
}

/// The key of the gateway's artifact store. Its `Debug` does not show it.
#[derive(Clone)]
pub struct ArtifactKey([u8; 32]);

impl ArtifactKey {
    /// A key of 32 random bytes.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    pub(crate) fn mac(&self) -> Option<Hmac<Sha256>> {
        Hmac::new_from_slice(&self.0).ok()
    }
}

impl std::fmt::Debug for ArtifactKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ArtifactKey(..)")
    }
}

/// Compiled code with the engine and the component it belongs to.
#[derive(Clone, PartialEq, Eq)]
pub struct Artifact(Vec<u8>);

impl Artifact {
    /// Code fresh from the compiler.
    pub(crate) fn assemble(engine: Digest, component: Digest, code: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(code.len().saturating_add(HEADER_BYTES));
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&engine.0);
        bytes.extend_from_slice(&component.0);
        bytes.extend_from_slice(code);
        Self(bytes)
    }

    /// Takes over an artifact from the process that vouches for it.
    ///
    /// # Errors
    ///
    /// When a seal is missing, or the bytes are no artifact.
    pub fn receive(file: OwnedFd) -> Result<Self, ArtifactError> {
        Self::parse(read_sealed(file, ARTIFACT_BYTES_MAX)?)
    }

    /// Opens what [`protect`](Self::protect) wrote, for this engine and component.
    ///
    /// # Errors
    ///
    /// All of [`ArtifactError`]; the HMAC is checked before anything else is looked at.
    pub fn open(
        key: &ArtifactKey,
        stored: &[u8],
        engine: Digest,
        component: Digest,
    ) -> Result<Self, ArtifactError> {
        let (tag, bytes) = stored.split_first_chunk::<TAG_BYTES>().ok_or(ArtifactError::Malformed)?;
        let mac = key.mac().ok_or(ArtifactError::Forged)?;
        mac.chain_update(DOMAIN).chain_update(bytes).verify_slice(tag).map_err(|_| ArtifactError::Forged)?;
        let artifact = Self::parse(bytes.to_vec())?;
        artifact.check_engine(engine)?;
        artifact.check_component(component)?;
        Ok(artifact)
    }

    /// The bytes for the gateway's store: an HMAC over engine, component and code, then all of them.
    ///
    /// # Errors
    ///
    /// Never with a key made by [`ArtifactKey::new`]; the HMAC's own type allows for it.
    pub fn protect(&self, key: &ArtifactKey) -> Result<Vec<u8>, ArtifactError> {
        let mac = key.mac().ok_or(ArtifactError::Forged)?;
        let tag = mac.chain_update(DOMAIN).chain_update(&self.0).finalize().into_bytes();
        Ok([tag.as_slice(), &self.0].concat())
    }

    /// The artifact as a sealed memory file, to be handed to another process.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn seal(&self) -> Result<SealedArtifact, ArtifactError> {
        Ok(SealedArtifact(sealed_memory_file("artifact", &self.0)?))
    }

    /// The engine it was compiled for.
    pub fn engine(&self) -> Digest {
        self.digest_at(MAGIC.len())
    }

    /// The component it was compiled from.
    pub fn component(&self) -> Digest {
        self.digest_at(MAGIC.len().saturating_add(DIGEST_BYTES))
    }

    /// All of it, header included.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn code(&self) -> &[u8] {
        self.0.get(HEADER_BYTES..).unwrap_or_default()
    }

    pub(crate) fn check_engine(&self, expected: Digest) -> Result<(), ArtifactError> {
        let found = self.engine();
        if found == expected { Ok(()) } else { Err(ArtifactError::OtherEngine { found, expected }) }
    }

    pub(crate) fn check_component(&self, expected: Digest) -> Result<(), ArtifactError> {
        let found = self.component();
        if found == expected { Ok(()) } else { Err(ArtifactError::OtherComponent { found, expected }) }
    }

    fn parse(bytes: Vec<u8>) -> Result<Self, ArtifactError> {
        if bytes.starts_with(&MAGIC) && bytes.len() > HEADER_BYTES {
            Ok(Self(bytes))
        } else {
            Err(ArtifactError::Malformed)
        }
    }

    fn digest_at(&self, offset: usize) -> Digest {
        let digest = self.0.get(offset..).and_then(<[u8]>::first_chunk);
        Digest(digest.copied().unwrap_or_default())
    }
}

/// An artifact in a sealed memory file: as many cells can be started on it as are wanted, without copying it again.
#[derive(Debug)]
pub struct SealedArtifact(OwnedFd);

impl AsFd for SealedArtifact {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What the runner's compiler left: looked at by [`receive`](Self::receive), which copies it and is no work for a thread in a
/// hurry.
#[derive(Debug)]
pub struct CompiledArtifact {
    pub(crate) file: OwnedFd,
    pub(crate) engine: Digest,
}

impl CompiledArtifact {
    /// The artifact, if it is of this component.
    ///
    /// # Errors
    ///
    /// As [`Artifact::receive`], and when it is of another engine or component.
    pub fn receive(self, component: Digest) -> Result<Artifact, ArtifactError> {
        let artifact = Artifact::receive(self.file)?;
        artifact.check_engine(self.engine)?;
        artifact.check_component(component)?;
        Ok(artifact)
    }
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Artifact({} bytes of component {})", self.0.len(), self.component())
    }
}
