//! Sealed memory files: bytes that pass between processes and can no longer be changed by anyone.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;

/// The seals that make the bytes final: no write, no growth, no shrinking, and no taking the seals off.
const SEALS: SealFlags =
    SealFlags::SEAL.union(SealFlags::WRITE).union(SealFlags::GROW).union(SealFlags::SHRINK);

/// Why a memory file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum MemoryFileError {
    /// Somebody could still change the bytes.
    #[error("the memory file is not sealed")]
    NotSealed,
    /// Above the bound, in bytes.
    #[error("the memory file holds {length} bytes, the bound is {bound}")]
    TooLong {
        /// What it holds.
        length: u64,
        /// What this side takes.
        bound: u64,
    },
    /// The descriptor is no memory file, or the kernel refused.
    #[error("memory file: {0}")]
    Io(#[from] std::io::Error),
}

impl From<Errno> for MemoryFileError {
    fn from(errno: Errno) -> Self {
        Self::Io(errno.into())
    }
}

/// An empty memory file that can be sealed later; never executable.
///
/// # Errors
///
/// When the kernel refuses.
pub fn create_memory_file(name: &str) -> Result<OwnedFd, MemoryFileError> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match rustix::fs::memfd_create(name, flags | MemfdFlags::NOEXEC_SEAL) {
        // Kernels before 6.3 do not know the flag.
        Err(Errno::INVAL) => Ok(rustix::fs::memfd_create(name, flags)?),
        other => Ok(other?),
    }
}

/// Makes the bytes final.
///
/// # Errors
///
/// When a writable mapping of the file is still alive somewhere, or the descriptor is no memory file.
pub fn seal(file: BorrowedFd<'_>) -> Result<(), MemoryFileError> {
    Ok(rustix::fs::fcntl_add_seals(file, SEALS)?)
}

/// A sealed memory file with these bytes.
///
/// # Errors
///
/// When the kernel refuses.
pub fn sealed_memory_file(name: &str, bytes: &[u8]) -> Result<OwnedFd, MemoryFileError> {
    let mut file = File::from(create_memory_file(name)?);
    file.write_all(bytes)?;
    seal(file.as_fd())?;
    Ok(file.into())
}

/// The bytes of a sealed memory file of at most `bound` bytes.
///
/// # Errors
///
/// [`MemoryFileError::NotSealed`] when a single seal is missing: such a file could change between the check and the use.
pub fn read_sealed(file: OwnedFd, bound: u64) -> Result<Vec<u8>, MemoryFileError> {
    match rustix::fs::fcntl_get_seals(&file) {
        Ok(seals) if seals.contains(SEALS) => {}
        // `INVAL`: not a file that can have seals at all.
        Ok(_) | Err(Errno::INVAL) => return Err(MemoryFileError::NotSealed),
        Err(errno) => return Err(errno.into()),
    }
    let file = File::from(file);
    let length = file.metadata()?.len();
    if length > bound {
        return Err(MemoryFileError::TooLong { length, bound });
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    // Never by the descriptor's position: it is shared with whoever wrote the bytes, and with every other process that reads them now.
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}
