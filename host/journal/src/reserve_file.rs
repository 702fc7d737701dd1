//! The reserve as a file: `DIR/journal/reserve.seg`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::bytes::index;
use crate::file::{checked_length, create_zeros};
use crate::storage::{RESERVE_BYTES, Reserve, SEGMENT_BYTES_MAX};

const NAME: &str = "reserve.seg";

/// The reserve: allocated, and open as long as this lives, so that nothing but the disk itself can fail it.
#[derive(Debug)]
pub(crate) struct ReserveFile {
    file: File,
    bytes: u64,
}

impl ReserveFile {
    /// Opens it for writing, and creates it where there is none.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        if !folder.join(NAME).try_exists()? {
            create_zeros(folder, NAME, RESERVE_BYTES)?;
        }
        let reserve = Self::of(OpenOptions::new().read(true).write(true).open(folder.join(NAME))?)?;
        if reserve.bytes == RESERVE_BYTES {
            return Ok(reserve);
        }
        let why = format!(
            "{NAME} has {} bytes instead of {RESERVE_BYTES}; move it away, and it is made anew",
            reserve.bytes
        );
        Err(io::Error::new(io::ErrorKind::InvalidData, why))
    }

    /// Opens it for reading. A directory without one has a journal of an earlier version, or none, which other reads tell.
    pub(crate) fn read_only(folder: &Path) -> Option<Self> {
        File::open(folder.join(NAME)).and_then(Self::of).ok()
    }

    fn of(file: File) -> io::Result<Self> {
        let bytes = checked_length(&file, SEGMENT_BYTES_MAX)?;
        Ok(Self { file, bytes })
    }
}

impl Reserve for ReserveFile {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read(&self, into: &mut Vec<u8>) -> io::Result<()> {
        into.resize(index(self.bytes), 0);
        self.file.read_exact_at(into, 0)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        rustix::fs::fdatasync(&self.file).map_err(io::Error::from)
    }
}
