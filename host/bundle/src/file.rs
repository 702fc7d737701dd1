//! Reading small files with a bound, and writing new ones without ever replacing one.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is larger than such a file can be.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Most bytes it may have.
        limit: u64,
    },
    /// It cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is there already and is not replaced.
    #[error("{} exists already and is not replaced", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

impl FileError {
    /// A stable code for people and programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "FILE_UNREADABLE",
            Self::TooLarge { .. } => "FILE_TOO_LARGE",
            Self::Write { .. } => "FILE_UNWRITABLE",
            Self::Exists { .. } => "FILE_EXISTS",
        }
    }
}

/// The whole file, if it has at most `limit` bytes. Wiped on drop, since it may be a key.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let unreadable = |source| FileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    // Reserved at once, so that growing does not leave copies of a secret behind.
    let mut bytes = Zeroizing::new(Vec::new());
    let expected = file.metadata().map_err(unreadable)?.len().min(limit).saturating_add(1);
    bytes.reserve_exact(usize::try_from(expected).unwrap_or(usize::MAX));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(FileError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(bytes)
}

/// Creates a file with these permissions and makes it durable; refuses to touch one that exists.
pub(crate) fn write_new(path: &Path, mode: u32, bytes: &[u8]) -> Result<(), FileError> {
    let unwritable = |source| FileError::Write { path: path.to_owned(), source };
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(|source| {
            if source.kind() == io::ErrorKind::AlreadyExists {
                FileError::Exists { path: path.to_owned() }
            } else {
                unwritable(source)
            }
        })?;
    file.write_all(bytes).map_err(unwritable)?;
    file.sync_all().map_err(unwritable)
}
