//! A bundle on its way to the gateway: a file in `incoming/` that is gone again unless the gateway takes it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use portcullis_role::{Folder, UploadName};
use tokio::fs::File;
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
    folder: Arc<Folder>,
}

impl Upload {
    /// Writes what comes in to a new file of the folder under a random name.
    pub(super) async fn receive(folder: &Arc<Folder>, incoming: Incoming) -> Result<Self, ApiError> {
        let text = format!("{PREFIX}{}.strategy", random_hex::<16>()?);
        let name: UploadName = text.parse().map_err(|_| ApiError::Failed)?;
        let (made, own) = (Arc::clone(folder), name.clone());
        let file = blocking(move || made.create_new(own.as_str(), 0o600)).await?;
        let upload = Self { name, folder: Arc::clone(folder) };
        upload.fill(File::from_std(file), incoming).await?;
        Ok(upload)
    }

    /// What the gateway knows it by.
    pub(super) fn name(&self) -> &UploadName {
        &self.name
    }

    async fn fill(&self, mut file: File, mut incoming: Incoming) -> Result<(), ApiError> {
        while let Some(piece) = incoming.next().await? {
            file.write_all(&piece).await.map_err(disk)?;
        }
        file.sync_all().await.map_err(disk)?;
        let folder = Arc::clone(&self.folder);
        blocking(move || folder.sync()).await
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        match self.folder.remove(self.name.as_str()) {
            Ok(()) => {}
            // The gateway has taken it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, "an upload could not be removed"),
        }
    }
}

/// Opens the folder for uploads, making it if it is missing, and removes what a killed console left there long ago.
pub(crate) fn prepare(dir: &Path) -> io::Result<Folder> {
    use std::os::unix::fs::DirBuilderExt as _;

    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let folder = Folder::open(dir)?.sub("incoming", 0o700)?;
    for file in folder.files()? {
        let old = file.modified.elapsed().is_ok_and(|age| age > ABANDONED);
        if old && file.name.starts_with(PREFIX) {
            folder.remove(&file.name)?;
        }
    }
    Ok(folder)
}

/// Work on the disk, off the threads that serve.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ApiError::Failed)?.map_err(disk)
}

fn disk(error: io::Error) -> ApiError {
    tracing::error!(%error, "an upload cannot be written");
    ApiError::Disk
}
