//! The file in which the sentinel remembers its lease and the halt it owes.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

use super::watch::Memory;

/// Longest file read, in bytes.
const BYTES_MAX: u64 = 64 * 1024;

/// Written anew when its content changes, and replaced whole, so that it is never half a file.
#[derive(Debug)]
pub(crate) struct MemoryFile {
    path: PathBuf,
    kept: Memory,
}

impl MemoryFile {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { path: dir.join("sentinel/memory.json"), kept: Memory::default() }
    }

    /// What an earlier process left.
    pub(crate) fn load(&self) -> Result<Memory, Failure> {
        let named = |why: String| {
            Failure::Usage(format!("{}: {why}; look what it holds, then delete it", self.path.display()))
        };
        let bytes = match fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Memory::default()),
            Err(error) => return Err(named(error.to_string())),
            Ok(metadata) if metadata.len() > BYTES_MAX => {
                return Err(named(format!("{} bytes, at most {BYTES_MAX}", metadata.len())));
            }
            Ok(_) => fs::read(&self.path).map_err(|error| named(error.to_string()))?,
        };
        serde_json::from_slice(&bytes).map_err(|error| named(error.to_string()))
    }

    /// Keeps it durably, unless it is what was kept last.
    pub(crate) fn keep(&mut self, memory: &Memory) -> io::Result<()> {
        if *memory == self.kept {
            return Ok(());
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = self.path.with_extension("json.new");
        let mut file = fs::File::create(&new)?;
        file.write_all(&serde_json::to_vec(memory)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        self.kept = memory.clone();
        Ok(())
    }
}
