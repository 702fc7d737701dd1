//! The gateway's store of compiled components: kept under an HMAC, verified at every start, never loaded here (RULES C5).

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use portcullis_bundle::VerifiedBundle;
use portcullis_cell::{Artifact, ArtifactKey, engine_digest};

/// The store in a data directory.
pub(crate) struct Artifacts {
    folder: PathBuf,
    key: ArtifactKey,
}

impl Artifacts {
    /// Opens the store, making its key at the first start.
    pub(crate) fn open(dir: &Path) -> anyhow::Result<Self> {
        let file = dir.join("keys/artifact.key");
        if !file.exists() {
            let mut key = [0; 32];
            getrandom::fill(&mut key)
                .map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
            fs::create_dir_all(dir.join("keys")).context("cannot make the directory of keys")?;
            let mut options = fs::OpenOptions::new();
            let mut out = options
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&file)
                .with_context(|| format!("cannot write {}", file.display()))?;
            std::io::Write::write_all(&mut out, &key).context("cannot write the artifact key")?;
        }
        let key = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let key: [u8; 32] = key.try_into().map_err(|_| {
            anyhow::anyhow!("{} is damaged; delete it and {}/artifacts", file.display(), dir.display())
        })?;
        let folder = dir.join("artifacts");
        fs::create_dir_all(&folder).context("cannot make the directory of artifacts")?;
        Ok(Self { folder, key: ArtifactKey::new(key) })
    }

    /// The stored artifact of a bundle. One that does not verify counts as missing, so that an upgrade or a damaged disk costs a
    /// compilation and nothing else.
    pub(crate) fn find(&self, bundle: &VerifiedBundle) -> anyhow::Result<Option<Artifact>> {
        let component = bundle.component_digest();
        let Ok(stored) = fs::read(self.file(component)) else { return Ok(None) };
        match Artifact::open(&self.key, &stored, engine_digest()?, component) {
            Ok(artifact) => Ok(Some(artifact)),
            Err(error) => {
                tracing::warn!(%component, %error, "a stored artifact is of no use; compiling anew");
                Ok(None)
            }
        }
    }

    /// Stores an artifact.
    pub(crate) fn keep(&self, artifact: &Artifact) -> anyhow::Result<()> {
        let file = self.file(artifact.component());
        let unfinished = file.with_extension("tmp");
        fs::write(&unfinished, artifact.protect(&self.key)?)
            .and_then(|()| fs::rename(&unfinished, &file))
            .with_context(|| format!("cannot write {}", file.display()))
    }

    fn file(&self, component: portcullis_core::Digest) -> PathBuf {
        self.folder.join(format!("{component}.artifact"))
    }
}
