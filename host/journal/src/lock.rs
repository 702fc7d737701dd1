//! One writer per data directory.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::JournalError;

/// Longest text read from a lock file: a process id.
const HOLDER_BYTES_MAX: u64 = 16;

/// An advisory lock on a file that names its holder. The kernel releases it when the holder dies, however it dies.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock at `path` without waiting, and writes this process's id into the file.
    ///
    /// # Errors
    ///
    /// [`JournalError::Held`] with the holder's process id when another has it.
    pub fn acquire(path: &Path) -> Result<Self, JournalError> {
        let failed = JournalError::storage("lock the data directory");
        let mut file = match OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(path)
        {
            Ok(file) => file,
            Err(error) => return Err(failed(error)),
        };
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                // Whatever the file says is only for the message.
                drop(file.take(HOLDER_BYTES_MAX).read_to_string(&mut holder));
                return Err(JournalError::Held { path: path.to_owned(), holder: holder.trim().parse().ok() });
            }
            Err(error) => return Err(failed(error.into())),
        }
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(Self { _file: file })
    }
}
