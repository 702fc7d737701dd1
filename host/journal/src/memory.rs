//! A disk in memory that can be broken on purpose: for tests, the lab and the simulator.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::bytes::{index, len_u64};
use crate::storage::{CHECKPOINT_BYTES_MAX, RESERVE_BYTES, Reserve, Storage};

/// A crash keeps or loses un-synced bytes in pieces of this size.
const PIECE_BYTES: usize = 64;

/// A disk in memory. Clones share it, so that a test can break it, crash it and open what is left.
#[derive(Debug, Clone, Default)]
pub struct MemStorage {
    disk: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<Disk>,
    stall_over: Condvar,
}

#[derive(Debug)]
struct Disk {
    segments: BTreeMap<u32, Segment>,
    /// Grows as it is written, so that a disk in memory stays small.
    reserve: Segment,
    reserve_bytes: u64,
    checkpoint: Option<Vec<u8>>,
    faults: Faults,
    syncs: u64,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            segments: BTreeMap::new(),
            reserve: Segment::default(),
            reserve_bytes: RESERVE_BYTES,
            checkpoint: None,
            faults: Faults::default(),
            syncs: 0,
        }
    }
}

#[derive(Debug, Default)]
struct Segment {
    /// As a reader sees it: un-synced writes included.
    bytes: Vec<u8>,
    /// What un-synced writes replaced, oldest first.
    replaced: Vec<(usize, Vec<u8>)>,
}

/// What goes wrong from now on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Every sync fails after this many more; what was written since the last good one stays in doubt.
    pub syncs_until_failure: Option<u32>,
    /// Every write, and every creation of a segment, finds the disk full.
    pub disk_full: bool,
    /// Syncs wait until this is lifted.
    pub sync_stalls: bool,
    /// Every write to the reserve fails.
    pub reserve_fails: bool,
    /// Syncs of the reserve wait until this is lifted.
    pub reserve_stalls: bool,
}

impl MemStorage {
    /// An empty disk without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what goes wrong from now on; lifting a stall lets waiting syncs go on.
    pub fn set_faults(&self, faults: Faults) {
        self.disk().faults = faults;
        self.disk.stall_over.notify_all();
    }

    /// Makes the reserve that long, in bytes; 4 MiB otherwise.
    pub fn set_reserve_bytes(&self, bytes: u64) {
        self.disk().reserve_bytes = bytes;
    }

    /// How many syncs of segments were made.
    pub fn syncs(&self) -> u64 {
        self.disk().syncs
    }

    /// What a power cut leaves: a disk of its own with everything synced, and of the rest each piece of 64 bytes as `survives`
    /// decides. Faults do not carry over.
    pub fn after_crash(&self, mut survives: impl FnMut() -> bool) -> Self {
        let disk = self.disk();
        let mut left = Disk {
            checkpoint: disk.checkpoint.clone(),
            reserve: disk.reserve.after_crash(&mut survives),
            reserve_bytes: disk.reserve_bytes,
            ..Disk::default()
        };
        for (&number, segment) in &disk.segments {
            left.segments.insert(number, segment.after_crash(&mut survives));
        }
        Self { disk: Arc::new(Shared { state: Mutex::new(left), stall_over: Condvar::new() }) }
    }

    /// Changes a segment behind the journal's back, as an attacker or a bad disk does: `change` gets its bytes.
    pub fn tamper(&self, number: u32, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(segment) = self.disk().segments.get_mut(&number) {
            change(&mut segment.bytes);
        }
    }

    /// Changes the reserve behind the journal's back; it holds the bytes written so far, and zeros after them.
    pub fn tamper_reserve(&self, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.disk().reserve.bytes);
    }

    /// Changes or removes the checkpoint behind the journal's back.
    pub fn tamper_checkpoint(&self, change: impl FnOnce(&mut Option<Vec<u8>>)) {
        change(&mut self.disk().checkpoint);
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for MemStorage {
    fn segments(&self) -> io::Result<Vec<u32>> {
        Ok(self.disk().segments.keys().copied().collect())
    }

    fn prepare(&self, _number: u32, _bytes: u64) {}

    fn create(&self, number: u32, bytes: u64) -> io::Result<()> {
        let mut disk = self.disk();
        disk.check_space()?;
        if disk.segments.contains_key(&number) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        disk.segments.insert(number, Segment { bytes: vec![0; index(bytes)], replaced: Vec::new() });
        Ok(())
    }

    fn write_at(&self, number: u32, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk();
        disk.check_space()?;
        disk.segments.get_mut(&number).ok_or(io::ErrorKind::NotFound)?.write_at(offset, bytes)
    }

    fn sync(&self, number: u32) -> io::Result<()> {
        let mut disk = self.disk();
        while disk.faults.sync_stalls {
            disk = self.disk.stall_over.wait(disk).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(left) = disk.faults.syncs_until_failure {
            let left = left.checked_sub(1).ok_or_else(|| io::Error::other("injected sync failure"))?;
            disk.faults.syncs_until_failure = Some(left);
        }
        disk.syncs = disk.syncs.saturating_add(1);
        let segment = disk.segments.get_mut(&number).ok_or(io::ErrorKind::NotFound)?;
        segment.replaced.clear();
        Ok(())
    }

    fn read(&self, number: u32, offset: u64, bytes_max: u64, into: &mut Vec<u8>) -> io::Result<()> {
        let disk = self.disk();
        let segment = disk.segments.get(&number).ok_or(io::ErrorKind::NotFound)?;
        into.clear();
        let rest = segment.bytes.get(index(offset)..).unwrap_or_default();
        into.extend_from_slice(rest.get(..index(bytes_max)).unwrap_or(rest));
        Ok(())
    }

    fn remove(&self, number: u32) -> io::Result<()> {
        self.disk().segments.remove(&number);
        Ok(())
    }

    fn read_checkpoint(&self) -> io::Result<Option<Vec<u8>>> {
        let disk = self.disk();
        match &disk.checkpoint {
            Some(bytes) if len_u64(bytes.len()) > CHECKPOINT_BYTES_MAX => {
                Err(io::ErrorKind::FileTooLarge.into())
            }
            checkpoint => Ok(checkpoint.clone()),
        }
    }

    fn replace_checkpoint(&self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk();
        disk.check_space()?;
        disk.checkpoint = Some(bytes.to_vec());
        Ok(())
    }

    fn reserve(&self) -> Option<&dyn Reserve> {
        Some(self)
    }
}

impl Reserve for MemStorage {
    fn bytes(&self) -> u64 {
        self.disk().reserve_bytes
    }

    fn read(&self, into: &mut Vec<u8>) -> io::Result<()> {
        into.clone_from(&self.disk().reserve.bytes);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk();
        let end = offset.saturating_add(len_u64(bytes.len()));
        if disk.faults.reserve_fails {
            return Err(io::Error::other("injected: the reserve fails"));
        }
        if end > disk.reserve_bytes {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let length = disk.reserve.bytes.len().max(index(end));
        disk.reserve.bytes.resize(length, 0);
        disk.reserve.write_at(offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.disk();
        while disk.faults.reserve_stalls {
            disk = self.disk.stall_over.wait(disk).unwrap_or_else(PoisonError::into_inner);
        }
        disk.reserve.replaced.clear();
        Ok(())
    }
}

impl Segment {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let at = index(offset);
        let place =
            self.bytes.get_mut(at..at.saturating_add(bytes.len())).ok_or(io::ErrorKind::InvalidInput)?;
        self.replaced.push((at, place.to_vec()));
        place.copy_from_slice(bytes);
        Ok(())
    }

    /// With everything synced, and of the rest what survives.
    fn after_crash(&self, survives: &mut impl FnMut() -> bool) -> Self {
        let mut bytes = self.bytes.clone();
        for (offset, old) in self.replaced.iter().rev() {
            for (piece, old) in old.chunks(PIECE_BYTES).enumerate() {
                let at = offset.saturating_add(piece.saturating_mul(PIECE_BYTES));
                if !survives()
                    && let Some(place) = bytes.get_mut(at..at.saturating_add(old.len()))
                {
                    place.copy_from_slice(old);
                }
            }
        }
        Self { bytes, replaced: Vec::new() }
    }
}

impl Disk {
    fn check_space(&self) -> io::Result<()> {
        if self.faults.disk_full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}
