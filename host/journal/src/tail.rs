//! Reading entries in order while they are being written, without the lock.

use std::path::Path;
use std::time::Duration;

use portcullis_core::{Digest, Environment, Sequence};

use crate::bytes::len_u64;
use crate::entry::{ENTRY_BYTES_MAX, Entry, leaf_of};
use crate::error::{Fault, FaultCause, JournalError};
use crate::segment::{Frame, HEADER_BYTES, Header, frame_at, frame_room};
use crate::storage::Storage;
use crate::walk::Stored;
use crate::{Epoch, FileStorage};

/// Read at a time: some two hundred entries.
const WINDOW_BYTES: u64 = 64 * 1024;

/// Pause between looks at the end of the journal while following it.
const POLL: Duration = Duration::from_millis(50);

/// An iterator over the entries of a data directory from a sequence on, in order, each checked to chain to the one before.
///
/// Reads what was written, which the last moments of may not be durable yet. Following, it waits for more and never ends by itself;
/// otherwise it ends at the last entry, and calling it again later goes on from there. It ends after an error.
#[derive(Debug)]
pub struct Tail<S: Storage = FileStorage> {
    storage: S,
    follow: bool,
    next: Sequence,
    /// Leaf of the entry before, once one was read.
    head: Option<Digest>,
    place: Option<Place>,
    /// Entries read and not yet handed out, the next one last.
    ready: Vec<Stored<'static>>,
    failed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    segment: u32,
    environment: Environment,
    epoch: Epoch,
    offset: u64,
    /// The sequence at `offset`.
    sequence: Sequence,
}

/// Reads the entries of a data directory from `from` on; with `follow`, also those still to come.
pub fn tail(directory: &Path, from: Sequence, follow: bool) -> Tail {
    Tail::new(FileStorage::read_only(directory), from, follow)
}

impl<S: Storage> Tail<S> {
    /// Reads from any storage; see [`tail`].
    pub fn new(storage: S, from: Sequence, follow: bool) -> Self {
        Self { storage, follow, next: from, head: None, place: None, ready: Vec::new(), failed: false }
    }

    /// Reads on until there is something to hand out, or the end is reached.
    fn refill(&mut self) -> Result<(), JournalError> {
        while self.ready.is_empty() {
            let Some(place) = self.find_place()? else { return Ok(()) };
            if self.read_on(place, WINDOW_BYTES)?
                || self.read_on(place, len_u64(frame_room(ENTRY_BYTES_MAX)))?
            {
                continue;
            }
            match self.next_segment(place)? {
                Some(next) => self.place = Some(next),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Where to read on; `None` while the journal does not reach that far.
    fn find_place(&mut self) -> Result<Option<Place>, JournalError> {
        if self.place.is_none() {
            let numbers =
                self.storage.segments().map_err(JournalError::storage("list the journal's segments"))?;
            for &number in numbers.iter().rev() {
                let place = self.begin(number)?;
                if place.is_some_and(|place| place.sequence <= self.next) {
                    self.place = place;
                    break;
                }
            }
        }
        Ok(self.place)
    }

    /// The place of a segment's first entry; `None` when the segment is not begun.
    fn begin(&self, number: u32) -> Result<Option<Place>, JournalError> {
        let mut bytes = Vec::new();
        match self.storage.read(number, 0, len_u64(HEADER_BYTES), &mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(JournalError::storage("read a journal segment")(error)),
        }
        Ok(Header::decode(&bytes).map(|header| Place {
            segment: number,
            environment: header.environment,
            epoch: header.epoch,
            offset: len_u64(HEADER_BYTES),
            sequence: Sequence(header.first),
        }))
    }

    /// Reads the intact frames of one window; whether there was any.
    fn read_on(&mut self, mut place: Place, window: u64) -> Result<bool, JournalError> {
        let mut bytes = Vec::new();
        self.storage
            .read(place.segment, place.offset, window, &mut bytes)
            .map_err(JournalError::storage("read a journal segment"))?;
        let start = place.offset;
        let mut offset = 0;
        while let Frame::Whole { entry: entry_bytes, next, .. } = frame_at(&bytes, offset) {
            let broken = |cause| {
                let offset = start.saturating_add(len_u64(offset));
                JournalError::Corrupt(Fault {
                    sequence: place.sequence.0,
                    segment: place.segment,
                    offset,
                    cause,
                })
            };
            let entry = Entry::decode(entry_bytes).ok_or_else(|| broken(FaultCause::Entry))?;
            let chained = self.head.is_none_or(|head| head == entry.previous);
            if entry.sequence != place.sequence || !chained {
                return Err(broken(FaultCause::Chain));
            }
            let leaf = leaf_of(entry_bytes);
            self.head = Some(leaf);
            if entry.sequence >= self.next {
                let (environment, epoch) = (place.environment, place.epoch);
                self.ready.push(Stored { entry: entry.into_owned(), leaf, environment, epoch });
            }
            offset = next;
            place.sequence = Sequence(place.sequence.0.saturating_add(1));
            place.offset = start.saturating_add(len_u64(next));
        }
        self.ready.reverse();
        self.place = Some(place);
        Ok(offset > 0)
    }

    /// The segment after this one, when this one is at its end.
    fn next_segment(&mut self, place: Place) -> Result<Option<Place>, JournalError> {
        let Some(next) = place.segment.checked_add(1).map(|number| self.begin(number)).transpose()?.flatten()
        else {
            return Ok(None);
        };
        // The segment before is durable to its end before the next is begun, so a second look shows all of it.
        if next.sequence > place.sequence && !self.read_on(place, len_u64(frame_room(ENTRY_BYTES_MAX)))? {
            let (sequence, segment, offset) = (place.sequence.0, place.segment, place.offset);
            return Err(JournalError::Corrupt(Fault { sequence, segment, offset, cause: FaultCause::Entry }));
        }
        Ok(Some(if next.sequence > place.sequence { self.place.unwrap_or(place) } else { next }))
    }
}

impl<S: Storage> Iterator for Tail<S> {
    type Item = Result<Stored<'static>, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.failed {
                return None;
            }
            if let Some(stored) = self.ready.pop() {
                self.next = Sequence(stored.entry.sequence.0.saturating_add(1));
                return Some(Ok(stored));
            }
            if let Err(error) = self.refill() {
                self.failed = true;
                return Some(Err(error));
            }
            if self.ready.is_empty() {
                if !self.follow {
                    return None;
                }
                std::thread::sleep(POLL);
            }
        }
    }
}
