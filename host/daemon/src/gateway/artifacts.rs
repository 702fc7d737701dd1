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
        let failures = CompileFailures::new(data, key.clone())
            .context("cannot make the directory of failed compilations")?;
        Ok(Self { folder, key, failures })
    }

    /// The stored artifact of a bundle. One that does not verify counts as missing, so that an upgrade or a damaged disk costs a
    /// compilation and nothing else.
    pub(crate) fn find(&self, bundle: &VerifiedBundle) -> anyhow::Result<Option<Artifact>> {
        self.stored(bundle.component_digest())
    }

    fn stored(&self, component: Digest) -> anyhow::Result<Option<Artifact>> {
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

fn file(component: Digest) -> String {
    format!("{component}.artifact")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod tests {
    use portcullis_role::sealed_memory_file;

    use super::*;

    const COMPONENT: Digest = Digest([1; 32]);

    fn store(data: &tempfile::TempDir) -> Artifacts {
        Artifacts::open(&Folder::open(data.path()).unwrap()).unwrap()
    }

    /// An artifact that says of itself what it is told to.
    fn artifact(engine: Digest, component: Digest) -> Artifact {
        let bytes = [b"PCARTIF1".as_slice(), &engine.0, &component.0, b"code"].concat();
        Artifact::receive(sealed_memory_file("artifact", &bytes).unwrap()).unwrap()
    }

    #[test]
    fn what_was_kept_is_found_again() {
        let data = tempfile::tempdir().unwrap();
        let kept = artifact(engine_digest().unwrap(), COMPONENT);
        assert_eq!(store(&data).stored(COMPONENT).unwrap(), None);
        store(&data).keep(&kept).unwrap();
        assert_eq!(store(&data).stored(COMPONENT).unwrap(), Some(kept));
    }

    #[test]
    fn an_artifact_of_another_engine_is_a_miss() {
        let data = tempfile::tempdir().unwrap();
        store(&data).keep(&artifact(Digest([9; 32]), COMPONENT)).unwrap();
        assert_eq!(store(&data).stored(COMPONENT).unwrap(), None);
    }

    #[test]
    fn an_artifact_of_another_component_is_a_miss() {
        let data = tempfile::tempdir().unwrap();
        let other = Digest([2; 32]);
        store(&data).keep(&artifact(engine_digest().unwrap(), other)).unwrap();
        let folder = data.path().join("artifacts");
        std::fs::rename(folder.join(file(other)), folder.join(file(COMPONENT))).unwrap();
        assert_eq!(store(&data).stored(COMPONENT).unwrap(), None);
    }

    #[test]
    fn an_artifact_of_another_store_is_a_miss() {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        store(&theirs).keep(&artifact(engine_digest().unwrap(), COMPONENT)).unwrap();
        store(&ours);
        let path = |data: &tempfile::TempDir| data.path().join("artifacts").join(file(COMPONENT));
        std::fs::copy(path(&theirs), path(&ours)).unwrap();
        assert_eq!(store(&ours).stored(COMPONENT).unwrap(), None);
    }

    #[test]
    fn a_damaged_or_truncated_artifact_is_a_miss() {
        let data = tempfile::tempdir().unwrap();
        let store = store(&data);
        store.keep(&artifact(engine_digest().unwrap(), COMPONENT)).unwrap();
        let path = data.path().join("artifacts").join(file(COMPONENT));
        let good = std::fs::read(&path).unwrap();
        for index in 0..good.len() {
            let mut damaged = good.clone();
            damaged[index] ^= 1;
            std::fs::write(&path, &damaged).unwrap();
            assert_eq!(store.stored(COMPONENT).unwrap(), None, "byte {index}");
            std::fs::write(&path, &good[..index]).unwrap();
            assert_eq!(store.stored(COMPONENT).unwrap(), None, "cut at {index}");
        }
    }
}
