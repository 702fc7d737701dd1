//! The file in which the sentinel remembers its lease and the halt it owes.

use std::io::{self, ErrorKind};
use std::path::Path;

use portcullis_role::Folder;

use crate::failure::Failure;

use super::watch::Memory;

/// Longest file read, in bytes.
const BYTES_MAX: u64 = 64 * 1024;

/// Its folder in the data directory.
pub(crate) const FOLDER: &str = "sentinel";

/// The file in it.
const FILE: &str = "memory.json";

/// Written anew when its content changes, and replaced whole, so that it is never half a file.
#[derive(Debug)]
pub(crate) struct MemoryFile {
    folder: Folder,
    kept: Memory,
}

impl MemoryFile {
    /// Opens the folder, making it at the first start.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let folder = Folder::open(dir)?.sub(FOLDER, 0o700)?;
        Ok(Self { folder, kept: Memory::default() })
    }

    /// What an earlier process left.
    pub(crate) fn load(&self) -> Result<Memory, Failure> {
        let named = |why: String| {
            let file = self.folder.path(FILE);
            Failure::Usage(format!("{}: {why}; look what it holds, then delete it", file.display()))
        };
        let bytes = match self.folder.read(FILE, BYTES_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Memory::default()),
            Err(error) => return Err(named(error.to_string())),
            Ok(None) => return Err(named(format!("more than {BYTES_MAX} bytes"))),
            Ok(Some(bytes)) => bytes,
        };
        serde_json::from_slice(&bytes).map_err(|error| named(error.to_string()))
    }

    /// Keeps it durably, unless it is what was kept last.
    pub(crate) fn keep(&mut self, memory: &Memory) -> io::Result<()> {
        if *memory == self.kept {
            return Ok(());
        }
        self.folder.replace(FILE, &serde_json::to_vec(memory)?)?;
        self.kept = memory.clone();
        Ok(())
    }
}
