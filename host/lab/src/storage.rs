//! A journal of which only the chain remains: a backtest needs the root, not the bytes.

use std::io;
use std::sync::Mutex;

use portcullis_journal::Storage;

/// Takes every write and keeps none, except the small checkpoint.
#[derive(Debug, Default)]
pub(crate) struct Discard {
    checkpoint: Mutex<Option<Vec<u8>>>,
}

impl Storage for Discard {
    fn segments(&self) -> io::Result<Vec<u32>> {
        Ok(Vec::new())
    }

    fn prepare(&self, _number: u32, _bytes: u64) {}

    fn create(&self, _number: u32, _bytes: u64) -> io::Result<()> {
        Ok(())
    }

    fn write_at(&self, _number: u32, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self, _number: u32) -> io::Result<()> {
        Ok(())
    }

    fn read(&self, _number: u32, _offset: u64, _bytes_max: u64, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        Ok(())
    }

    fn remove(&self, _number: u32) -> io::Result<()> {
        Ok(())
    }

    fn read_checkpoint(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.checkpoint.lock().map_err(|_| io::Error::other("poisoned"))?.clone())
    }

    fn replace_checkpoint(&self, bytes: &[u8]) -> io::Result<()> {
        *self.checkpoint.lock().map_err(|_| io::Error::other("poisoned"))? = Some(bytes.to_vec());
        Ok(())
    }
}
