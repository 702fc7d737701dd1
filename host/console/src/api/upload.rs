//! A bundle on its way to the gateway: a file in `incoming/` that is gone again unless the gateway takes it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcullis_role::UploadName;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt as _;

use crate::body::Incoming;
use crate::error::ApiError;
use crate::secret::random_hex;

/// How the names of uploads begin.
const PREFIX: &str = "upload-";

/// Age at which a file that a killed console left is surely nobody's: longer than any upload may take.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// A whole, durable upload. Removed when dropped, if it is still there.
#[derive(Debug)]
pub(super) struct Upload {
    name: UploadName,
    path: PathBuf,
}

impl Upload {
    /// Writes what comes in to a new file of `dir` under a random name.
    pub(super) async fn receive(dir: &Path, incoming: Incoming) -> Result<Self, ApiError> {
        let text = format!("{PREFIX}{}.strategy", random_hex::<16>()?);
        let name: UploadName = text.parse().map_err(|_| ApiError::Failed)?;
        let path = dir.join(name.as_str());
        // `create_new` neither overwrites nor follows a link.
        let file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).await.map_err(disk)?;
        let upload = Self { name, path };
        upload.fill(dir, file, incoming).await?;
        Ok(upload)
    }

    /// What the gateway knows it by.
    pub(super) fn name(&self) -> &UploadName {
        &self.name
    }

    async fn fill(&self, dir: &Path, mut file: File, mut incoming: Incoming) -> Result<(), ApiError> {
        while let Some(piece) = incoming.next().await? {
            file.write_all(&piece).await.map_err(disk)?;
        }
        file.sync_all().await.map_err(disk)?;
        File::open(dir).await.map_err(disk)?.sync_all().await.map_err(disk)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        match std::fs::remove_file(&self.path) {
            Ok(()) => {}
            // The gateway has taken it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "an upload could not be removed"),
        }
    }
}

/// Makes the folder for uploads and removes what a killed console left there long ago.
pub(crate) fn prepare(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let old = || entry.metadata()?.modified()?.elapsed().map_err(io::Error::other);
        if ours && old().is_ok_and(|age| age > ABANDONED) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn disk(error: io::Error) -> ApiError {
    tracing::error!(%error, "an upload cannot be written");
    ApiError::Disk
}
