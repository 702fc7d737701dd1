//! What a power cut right now would leave for certain.

use std::io;

use portcullis_journal::Storage;

use crate::disk::{Disk, read};

/// The synced part of a disk, for reading.
#[derive(Debug)]
pub(crate) struct Durable(pub(crate) Disk);

impl Storage for Durable {
    fn segments(&self) -> io::Result<Vec<u32>> {
        self.0.segments()
    }

    fn prepare(&self, _number: u32, _bytes: u64) {}

    fn create(&self, _number: u32, _bytes: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn write_at(&self, _number: u32, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self, _number: u32) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn read(&self, number: u32, offset: u64, bytes_max: u64, into: &mut Vec<u8>) -> io::Result<()> {
        let disk = self.0.platter();
        let segment = disk.segments.get(&number).ok_or(io::ErrorKind::NotFound)?;
        read(&segment.durable, offset, bytes_max, into);
        Ok(())
    }

    fn remove(&self, _number: u32) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn read_checkpoint(&self) -> io::Result<Option<Vec<u8>>> {
        self.0.read_checkpoint()
    }

    fn replace_checkpoint(&self, _bytes: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
