//! The gateway's store of compiled components: kept under an HMAC, verified at every start, never loaded here (RULES C5).

use std::io::{ErrorKind, Write as _};

use anyhow::Context as _;
use portcullis_bundle::VerifiedBundle;
use portcullis_cell::{
    ARTIFACT_BYTES_MAX, Artifact, ArtifactKey, CompileAttempt, CompileLimits, engine_digest,
};
use portcullis_core::Digest;
use portcullis_role::Folder;

use super::compile_failures::CompileFailures;

/// Longest stored artifact in bytes: the artifact under its HMAC.
const STORED_BYTES_MAX: u64 = ARTIFACT_BYTES_MAX + 64;

/// The key's file in the folder `keys`.
const KEY: &str = "artifact.key";

/// The store in a data directory.
pub(crate) struct Artifacts {
    folder: Folder,
    key: ArtifactKey,
    failures: CompileFailures,
}

impl Artifacts {
    /// Opens the store, making its key at the first start.
    pub(crate) fn open(data: &Folder) -> anyhow::Result<Self> {
        let keys = data.sub("keys", 0o700).context("cannot make the directory of keys")?;
        let folder = data.sub("artifacts", 0o700).context("cannot make the directory of artifacts")?;
        let file = keys.path(KEY);
        let mut key = [0; 32];
        getrandom::fill(&mut key)
            .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
        match keys.create_new(KEY, 0o600) {
            Ok(mut out) => out.write_all(&key).context("cannot write the artifact key")?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let stored = keys.read(KEY, 32).with_context(|| format!("cannot read {}", file.display()))?;
                key = stored.and_then(|stored| stored.try_into().ok()).with_context(|| {
                    format!(
                        "{} is damaged; delete it and {}",
                        file.display(),
                        data.path("artifacts").display()
                    )
                })?;
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot write {}", file.display()));
            }
        }
        let key = ArtifactKey::new(key);
        let failures = CompileFailures::new(&data.path("artifacts"), key.clone());
        Ok(Self { folder, key, failures })
    }

    /// The stored artifact of a bundle. One that does not verify counts as missing, so that an upgrade or a damaged disk costs a
    /// compilation and nothing else.
    pub(crate) fn find(&self, bundle: &VerifiedBundle) -> anyhow::Result<Option<Artifact>> {
        let component = bundle.component_digest();
        let Ok(Some(stored)) = self.folder.read(&file(component), STORED_BYTES_MAX) else { return Ok(None) };
        match Artifact::open(&self.key, &stored, engine_digest()?, component) {
            Ok(artifact) => Ok(Some(artifact)),
            Err(error) => {
                tracing::warn!(%component, %error, "a stored artifact is of no use; compiling anew");
                Ok(None)
            }
        }
    }

    /// Why a component did not compile when it was tried with this engine and under these limits, if it was.
    pub(crate) fn failure(&self, component: Digest, limits: CompileLimits) -> anyhow::Result<Option<String>> {
        Ok(self.failures.find(&CompileAttempt { component, engine: engine_digest()?, limits }))
    }

    /// Remembers that a component does not compile.
    pub(crate) fn keep_failure(
        &self,
        component: Digest,
        limits: CompileLimits,
        reason: &str,
    ) -> anyhow::Result<()> {
        self.failures.keep(&CompileAttempt { component, engine: engine_digest()?, limits }, reason)
    }

    /// Stores an artifact.
    pub(crate) fn keep(&self, artifact: &Artifact) -> anyhow::Result<()> {
        let file = file(artifact.component());
        self.folder
            .replace(&file, &artifact.protect(&self.key)?)
            .with_context(|| format!("cannot write {}", self.folder.path(&file).display()))
    }
}

fn file(component: portcullis_core::Digest) -> String {
    format!("{component}.artifact")
}
