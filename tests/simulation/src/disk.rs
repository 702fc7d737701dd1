//! The disk under the journal: what was synced survives a power cut, of the rest any pieces do.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use portcullis_journal::{Reserve, Storage};

use crate::clock::SimClock;
use crate::durable::Durable;
use crate::rng::Rng;

/// A power cut keeps or loses un-synced bytes in pieces of this size.
const PIECE: usize = 64;

/// Length of the reserve.
const RESERVE: usize = 4 * 1024 * 1024;

/// The disk of one life of the gateway. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    platter: Arc<Mutex<Platter>>,
    reserve: ReserveFile,
}

/// The reserve on it, a file of its own.
#[derive(Debug, Clone)]
struct ReserveFile(Arc<Mutex<Platter>>);

#[derive(Debug)]
pub(crate) struct Platter {
    /// By number; the reserve is number 0.
    pub(crate) segments: BTreeMap<u32, Segment>,
    checkpoint: Option<Vec<u8>>,
    clock: SimClock,
    rng: Rng,
    trouble: Trouble,
    /// Whether a sync only says that it has synced: for proving that this is seen.
    lies: bool,
    /// Whether the journal was told of a failure, of its segments and of the reserve.
    failed: bool,
    reserve_failed: bool,
    /// What is left once the crash has come; everything after it did not happen.
    left: Option<BTreeMap<u32, Segment>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Segment {
    /// As a reader sees it.
    bytes: Vec<u8>,
    /// As it is without what was not synced.
    pub(crate) durable: Vec<u8>,
    /// Ranges in which the two may differ.
    dirty: Vec<(usize, usize)>,
}

/// What goes wrong from now on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Trouble {
    /// The next sync takes so long, in nanoseconds.
    pub(crate) stall: u64,
    /// Syncs fail.
    pub(crate) sync_fails: bool,
    /// Writes fail.
    pub(crate) full: bool,
    /// The reserve fails, too.
    pub(crate) reserve_fails: bool,
    /// The crash comes before the operation after so many more.
    pub(crate) crash_in: Option<Crash>,
}

/// A crash to come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crash {
    pub(crate) operations: u32,
    /// Whether the machine lost power, and with it what was not synced.
    pub(crate) power: bool,
}

impl Disk {
    pub(crate) fn new(seed: u64, clock: SimClock, lies: bool) -> Self {
        // It is as long as it says; zeros that were never written are left out here.
        let reserve = Segment::default();
        Self::of(Platter {
            segments: BTreeMap::from([(0, reserve)]),
            checkpoint: None,
            clock,
            rng: Rng::new(seed, "disk"),
            trouble: Trouble::default(),
            lies,
            failed: false,
            reserve_failed: false,
            left: None,
        })
    }

    fn of(platter: Platter) -> Self {
        let platter = Arc::new(Mutex::new(platter));
        Self { reserve: ReserveFile(Arc::clone(&platter)), platter }
    }

    pub(crate) fn trouble(&self, change: impl FnOnce(&mut Trouble)) {
        change(&mut self.platter().trouble);
    }

    /// Whether the journal was told of a failure.
    pub(crate) fn has_failed(&self) -> bool {
        self.platter().failed
    }

    /// Whether what the gateway has flushed is on the disk: in the journal, or in the reserve.
    pub(crate) fn holds(&self) -> bool {
        let platter = self.platter();
        !platter.failed || !platter.reserve_failed
    }

    /// Whether the crash has come.
    pub(crate) fn is_crashed(&self) -> bool {
        self.platter().left.is_some()
    }

    /// The crash comes now, unless it has come already.
    pub(crate) fn crash(&self, power: bool) {
        self.platter().crash(power);
    }

    /// Counts something the gateway does as a place where the crash may come; false when it has come.
    pub(crate) fn lives_on(&self) -> bool {
        self.platter().operates()
    }

    /// The disk as the next life of the gateway finds it, without trouble.
    pub(crate) fn after(&self) -> Self {
        self.crash(true);
        let mut platter = self.platter();
        let rng = Rng::new(platter.rng.next(), "disk");
        Self::of(Platter {
            segments: platter.left.clone().unwrap_or_default(),
            checkpoint: platter.checkpoint.clone(),
            clock: platter.clock.clone(),
            rng,
            trouble: Trouble::default(),
            lies: platter.lies,
            failed: false,
            reserve_failed: false,
            left: None,
        })
    }

    /// Loses the last kilobyte written, synced or not: for proving that this is seen.
    pub(crate) fn forget_tail(&self) {
        let mut platter = self.platter();
        let last = platter.segments.iter_mut().next_back().filter(|(number, _)| **number > 0);
        let Some((_, segment)) = last else { return };
        let end = segment.durable.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        for byte in &mut segment.durable[end.saturating_sub(1_024).max(256).min(end)..end] {
            *byte = 0;
        }
        segment.bytes.clone_from(&segment.durable);
    }

    /// What a power cut right now would leave for certain, to be read.
    pub(crate) fn durable(&self) -> Durable {
        Durable(self.clone())
    }

    pub(crate) fn platter(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().unwrap()
    }
}

impl Platter {
    fn crash(&mut self, power: bool) {
        if self.left.is_some() {
            return;
        }
        let mut left = self.segments.clone();
        for segment in left.values_mut().filter(|_| power) {
            let dirty = std::mem::take(&mut segment.dirty);
            for (from, to) in dirty {
                for at in (from..to).step_by(PIECE) {
                    let end = (at + PIECE).min(to);
                    if self.rng.chance(500) {
                        segment.durable[at..end].copy_from_slice(&segment.bytes[at..end]);
                    }
                }
            }
            segment.bytes.clone_from(&segment.durable);
        }
        self.left = Some(left);
    }

    /// Counts an operation; false when it does not happen any more.
    fn operates(&mut self) -> bool {
        match &mut self.trouble.crash_in {
            Some(crash) if crash.operations == 0 => {
                let power = crash.power;
                self.crash(power);
            }
            Some(crash) => crash.operations -= 1,
            None => {}
        }
        self.left.is_none()
    }

    fn write(&mut self, number: u32, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let segment = self.segments.get_mut(&number).ok_or(io::ErrorKind::NotFound)?;
        let (from, to) = (offset as usize, offset as usize + bytes.len());
        segment.bytes.get_mut(from..to).ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(bytes);
        segment.dirty.push((from, to));
        Ok(())
    }

    fn write_reserve(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset as usize + bytes.len();
        if end > RESERVE {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let reserve = self.segments.entry(0).or_default();
        for image in [&mut reserve.bytes, &mut reserve.durable] {
            image.resize(image.len().max(end), 0);
        }
        self.write(0, offset, bytes)
    }

    fn synced(&mut self, number: u32) -> io::Result<()> {
        if self.lies {
            return Ok(());
        }
        let segment = self.segments.get_mut(&number).ok_or(io::ErrorKind::NotFound)?;
        for (from, to) in std::mem::take(&mut segment.dirty) {
            segment.durable[from..to].copy_from_slice(&segment.bytes[from..to]);
        }
        Ok(())
    }

    fn fail_reserve(&mut self) -> io::Error {
        self.reserve_failed = true;
        io::ErrorKind::Other.into()
    }

    fn fail(&mut self, kind: io::ErrorKind) -> io::Error {
        self.failed = true;
        kind.into()
    }
}

impl Storage for Disk {
    fn segments(&self) -> io::Result<Vec<u32>> {
        Ok(self.platter().segments.keys().copied().filter(|number| *number > 0).collect())
    }

    fn prepare(&self, _number: u32, _bytes: u64) {}

    fn create(&self, number: u32, bytes: u64) -> io::Result<()> {
        let mut disk = self.platter();
        if !disk.operates() {
            return Ok(());
        }
        if disk.trouble.full {
            return Err(disk.fail(io::ErrorKind::StorageFull));
        }
        let zeros = vec![0; bytes as usize];
        disk.segments.insert(number, Segment { bytes: zeros.clone(), durable: zeros, dirty: Vec::new() });
        Ok(())
    }

    fn write_at(&self, number: u32, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.platter();
        if !disk.operates() {
            return Ok(());
        }
        if disk.trouble.full {
            return Err(disk.fail(io::ErrorKind::StorageFull));
        }
        disk.write(number, offset, bytes)
    }

    fn sync(&self, number: u32) -> io::Result<()> {
        let mut disk = self.platter();
        if !disk.operates() {
            return Ok(());
        }
        let stall = std::mem::take(&mut disk.trouble.stall);
        disk.clock.advance(stall);
        if disk.trouble.sync_fails {
            return Err(disk.fail(io::ErrorKind::Other));
        }
        disk.synced(number)
    }

    fn read(&self, number: u32, offset: u64, bytes_max: u64, into: &mut Vec<u8>) -> io::Result<()> {
        let disk = self.platter();
        let segment = disk.segments.get(&number).ok_or(io::ErrorKind::NotFound)?;
        read(&segment.bytes, offset, bytes_max, into);
        Ok(())
    }

    fn remove(&self, number: u32) -> io::Result<()> {
        let mut disk = self.platter();
        if disk.operates() {
            disk.segments.remove(&number);
        }
        Ok(())
    }

    fn read_checkpoint(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.platter().checkpoint.clone())
    }

    fn replace_checkpoint(&self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.platter();
        if !disk.operates() {
            return Ok(());
        }
        if disk.trouble.full {
            return Err(disk.fail(io::ErrorKind::StorageFull));
        }
        disk.checkpoint = Some(bytes.to_vec());
        Ok(())
    }

    fn reserve(&self) -> Option<&dyn Reserve> {
        Some(&self.reserve)
    }
}

impl Reserve for ReserveFile {
    fn bytes(&self) -> u64 {
        RESERVE as u64
    }

    fn read(&self, into: &mut Vec<u8>) -> io::Result<()> {
        into.clone_from(&self.0.lock().unwrap().segments[&0].bytes);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        match disk.operates() {
            false => Ok(()),
            true if disk.trouble.reserve_fails => Err(disk.fail_reserve()),
            true => disk.write_reserve(offset, bytes),
        }
    }

    fn sync(&self) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        match disk.operates() {
            false => Ok(()),
            true if disk.trouble.reserve_fails => Err(disk.fail_reserve()),
            true => disk.synced(0),
        }
    }
}

pub(crate) fn read(bytes: &[u8], offset: u64, bytes_max: u64, into: &mut Vec<u8>) {
    into.clear();
    let rest = bytes.get(offset as usize..).unwrap_or_default();
    into.extend_from_slice(rest.get(..bytes_max as usize).unwrap_or(rest));
}
