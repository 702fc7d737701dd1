//! What the journal needs from a disk, and no more: the simulator breaks it under the code that runs in production.

use std::io;

/// Numbered, preallocated segment files and one small file, `checkpoint`, that is replaced whole.
///
/// Methods take `&self`: a sync may be under way on one thread while another reads. The journal itself writes from one thread at
/// a time. Every error closes the journal for writing; none is retried.
pub trait Storage: Send + Sync + 'static {
    /// The numbers of the segments that exist, rising.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read.
    fn segments(&self) -> io::Result<Vec<u32>>;

    /// Tells the storage that [`create`](Self::create) of this segment will follow soon, so that it may do the slow part at leisure.
    fn prepare(&self, number: u32, bytes: u64);

    /// Creates a segment of `bytes` zeros; it and its directory entry are durable on return.
    ///
    /// # Errors
    ///
    /// When it exists already without having been prepared, or the disk is full or failing.
    fn create(&self, number: u32, bytes: u64) -> io::Result<()>;

    /// Writes inside a segment. Durable only after [`sync`](Self::sync); until then a crash may keep any part of it.
    ///
    /// # Errors
    ///
    /// When the segment does not exist, the range leaves it, or the disk fails.
    fn write_at(&self, number: u32, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes every earlier write to the segment durable.
    ///
    /// # Errors
    ///
    /// When the disk fails; what was written is then in doubt for ever.
    fn sync(&self, number: u32) -> io::Result<()>;

    /// Reads a segment from `offset` into `into`, replacing what it held: to its end, or `bytes_max` bytes. Nothing beyond the end.
    ///
    /// # Errors
    ///
    /// When it does not exist, is longer than [`SEGMENT_BYTES_MAX`], or the disk fails.
    fn read(&self, number: u32, offset: u64, bytes_max: u64, into: &mut Vec<u8>) -> io::Result<()>;

    /// Removes a segment that holds no entry.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    fn remove(&self, number: u32) -> io::Result<()>;

    /// The checkpoint file, when there is one.
    ///
    /// # Errors
    ///
    /// When it is larger than 4 KiB, or the disk fails.
    fn read_checkpoint(&self) -> io::Result<Option<Vec<u8>>>;

    /// Replaces the checkpoint file: after a crash the old or the new one is there, and after return the new one.
    ///
    /// # Errors
    ///
    /// When the disk is full or failing.
    fn replace_checkpoint(&self, bytes: &[u8]) -> io::Result<()>;

    /// The reserve that the chain goes on in when segments cannot be written. `None` where there is none: the last witness of a
    /// reduction is then the system's log alone.
    fn reserve(&self) -> Option<&dyn Reserve> {
        None
    }
}

/// A file that was allocated and opened before it is needed, so that neither a full disk nor a lost directory stops it (RULES G7).
/// One thread at a time uses it.
pub trait Reserve: Send + Sync {
    /// Its length, in bytes. It never changes.
    fn bytes(&self) -> u64;

    /// Reads all of it into `into`, replacing what that held.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    fn read(&self, into: &mut Vec<u8>) -> io::Result<()>;

    /// Writes inside it. Durable only after [`sync`](Self::sync); until then a crash may keep any part of it.
    ///
    /// # Errors
    ///
    /// When the range leaves it, or the disk fails.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes every earlier write durable.
    ///
    /// # Errors
    ///
    /// When the disk fails; what was written is then in doubt for ever.
    fn sync(&self) -> io::Result<()>;
}

/// Largest segment, in bytes.
pub const SEGMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Length of the reserve, in bytes: some ten thousand entries.
pub(crate) const RESERVE_BYTES: u64 = 4 * 1024 * 1024;

/// Largest checkpoint file, in bytes.
pub(crate) const CHECKPOINT_BYTES_MAX: u64 = 4096;
