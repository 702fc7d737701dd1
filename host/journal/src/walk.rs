//! Reading a journal from its first byte to its last, believing nothing: the one loop behind open, verify and the index.

use portcullis_core::{Digest, Environment, LinkId, Sequence};

use crate::bytes::{first_set, index, len_u64};
use crate::checkpoint::Checkpoint;
use crate::entry::{Entry, leaf_of};
use crate::error::{Fault, FaultCause, JournalError};
use crate::link::{Epoch, link_id};
use crate::segment::{Frame, HEADER_BYTES, Header, frame_at, proves_durable};
use crate::storage::{SEGMENT_BYTES_MAX, Storage};

/// An entry as it lies in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<'a> {
    /// The entry.
    pub entry: Entry<'a>,
    /// Its leaf.
    pub leaf: Digest,
    /// Which environment the journal belongs to.
    pub environment: Environment,
    /// Life of the journal it was written in.
    pub epoch: Epoch,
}

impl Stored<'_> {
    /// The client id of the order that this entry asks for, if it asks for one; see [`link_id`].
    pub fn link_id(&self) -> Option<LinkId> {
        link_id(self.environment, self.epoch, self.entry.sequence, &self.leaf)
    }
}

/// What a walk found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Walk {
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The newest segment with a header; `None` in a journal that was never written.
    pub(crate) active: Option<Active>,
    /// A segment after it without a header: prepared, or its first write was torn.
    pub(crate) prepared: Option<u32>,
    /// Number of entries.
    pub(crate) next: u64,
    /// Leaf of the last one; zero when there is none.
    pub(crate) head: Digest,
    /// Bytes after the last entry that a crash left half written.
    pub(crate) torn_bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Active {
    pub(crate) environment: Environment,
    pub(crate) epoch: Epoch,
    pub(crate) segment: u32,
    /// Length of the segment file.
    pub(crate) bytes: u64,
    /// Where the next frame goes.
    pub(crate) end: u64,
}

/// Walks the whole journal, hands every sound entry to `visit` in order, and checks chain, checksums, lengths and checkpoint.
///
/// # Errors
///
/// [`JournalError::Corrupt`] at the first place that no crash explains; the entries visited until then are sound.
pub(crate) fn walk(storage: &dyn Storage, visit: &mut dyn FnMut(&Stored<'_>)) -> Result<Walk, JournalError> {
    // The checkpoint first: while a writer is live it can only promise less than the segments hold.
    let checkpoint =
        match storage.read_checkpoint().map_err(JournalError::storage("read the journal's checkpoint"))? {
            Some(bytes) => {
                Some(Checkpoint::decode(&bytes).ok_or_else(|| fault(0, 0, 0, FaultCause::Checkpoint))?)
            }
            None => None,
        };
    let numbers = storage.segments().map_err(JournalError::storage("list the journal's segments"))?;
    let mut walker = Walker {
        visit,
        promised: checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size),
        promised_head: checkpoint.as_ref().map(|checkpoint| checkpoint.head).unwrap_or_default(),
        walk: Walk {
            checkpoint,
            active: None,
            prepared: None,
            next: 0,
            head: Digest::default(),
            torn_bytes: 0,
        },
    };
    let mut bytes = Vec::new();
    for number in numbers {
        storage
            .read(number, 0, SEGMENT_BYTES_MAX, &mut bytes)
            .map_err(JournalError::storage("read a journal segment"))?;
        walker.segment(number, &bytes)?;
    }
    walker.finish()
}

struct Walker<'v> {
    visit: &'v mut dyn FnMut(&Stored<'_>),
    promised: u64,
    promised_head: Digest,
    walk: Walk,
}

impl Walker<'_> {
    fn segment(&mut self, number: u32, bytes: &[u8]) -> Result<(), JournalError> {
        let expected = self.walk.active.as_ref().map_or(1, |active| active.segment.saturating_add(1));
        if number != expected || self.walk.prepared.is_some() {
            return Err(fault(self.walk.next, expected, 0, FaultCause::SegmentMissing));
        }
        let Some(header) = Header::decode(bytes) else {
            return self.headless(number, bytes);
        };
        self.follows(number, &header)?;
        if header.bytes != len_u64(bytes.len()) {
            return Err(fault(
                self.walk.next,
                number,
                len_u64(bytes.len()).min(header.bytes),
                FaultCause::SegmentLength,
            ));
        }
        let end = self.entries(&header, bytes)?;
        self.walk.active = Some(Active {
            environment: header.environment,
            epoch: header.epoch,
            segment: number,
            bytes: header.bytes,
            end: len_u64(end),
        });
        Ok(())
    }

    /// Checks that a header continues what was read so far.
    fn follows(&self, number: u32, header: &Header) -> Result<(), JournalError> {
        let continues =
            header.segment == number && header.first == self.walk.next && header.previous == self.walk.head;
        let same_journal =
            self.walk.active.as_ref().is_none_or(|before| {
                before.environment == header.environment && before.epoch <= header.epoch
            });
        // The segment before was durable to its end before this one was begun, so nothing of it may be torn.
        if self.walk.torn_bytes > 0 || header.first > self.walk.next {
            let active = self.walk.active.as_ref();
            let (segment, end) = active.map_or((number, 0), |active| (active.segment, active.end));
            let cause = if self.walk.torn_bytes > 0 { FaultCause::Entry } else { FaultCause::Truncated };
            return Err(fault(self.walk.next, segment, end, cause));
        }
        if continues && same_journal {
            Ok(())
        } else {
            Err(fault(self.walk.next, number, 0, FaultCause::SegmentOrder))
        }
    }

    /// A segment that was prepared, or whose first write a crash tore.
    fn headless(&mut self, number: u32, bytes: &[u8]) -> Result<(), JournalError> {
        if bytes.len() < HEADER_BYTES {
            // A segment gets its name only when it has its length.
            return Err(fault(self.walk.next, number, len_u64(bytes.len()), FaultCause::SegmentLength));
        }
        if let Some(at) = first_set(bytes) {
            self.may_be_torn(number, bytes, 0, FaultCause::Header, FaultCause::Header)?;
            self.walk.torn_bytes =
                self.walk.torn_bytes.saturating_add(len_u64(bytes.len().saturating_sub(at)));
        }
        self.walk.prepared = Some(number);
        Ok(())
    }

    /// Reads a segment's entries and returns where they end.
    fn entries(&mut self, header: &Header, bytes: &[u8]) -> Result<usize, JournalError> {
        let number = header.segment;
        let mut offset = HEADER_BYTES;
        loop {
            let (entry_bytes, next) = match frame_at(bytes, offset) {
                Frame::Whole { entry, next, .. } => (entry, next),
                stop @ (Frame::End | Frame::Bad) => {
                    let rest = bytes.get(offset..).unwrap_or_default();
                    if first_set(rest).is_some() {
                        let bad = if stop == Frame::Bad { FaultCause::Entry } else { FaultCause::Leftover };
                        self.may_be_torn(number, bytes, offset, FaultCause::Entry, bad)?;
                        self.walk.torn_bytes = self.walk.torn_bytes.saturating_add(len_u64(rest.len()));
                    }
                    return Ok(offset);
                }
            };
            let here = |cause| fault(self.walk.next, number, len_u64(offset), cause);
            let entry = Entry::decode(entry_bytes).ok_or_else(|| here(FaultCause::Entry))?;
            if entry.sequence != Sequence(self.walk.next) || entry.previous != self.walk.head {
                return Err(here(FaultCause::Chain));
            }
            if self
                .walk
                .checkpoint
                .as_ref()
                .is_some_and(|checkpoint| checkpoint.clean && self.promised <= self.walk.next)
            {
                return Err(here(FaultCause::Added));
            }
            let leaf = leaf_of(entry_bytes);
            self.walk.next = self.walk.next.saturating_add(1);
            self.walk.head = leaf;
            if self.walk.next == self.promised && leaf != self.promised_head {
                return Err(fault(entry.sequence.0, number, len_u64(offset), FaultCause::Head));
            }
            (self.visit)(&Stored { entry, leaf, environment: header.environment, epoch: header.epoch });
            offset = next;
        }
    }

    /// Decides whether bytes that are no entry are what a crash leaves: only beyond everything known to be durable.
    fn may_be_torn(
        &self,
        number: u32,
        bytes: &[u8],
        offset: usize,
        promised: FaultCause,
        otherwise: FaultCause,
    ) -> Result<(), JournalError> {
        let next = self.walk.next;
        let closed = self.walk.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.clean);
        if next < self.promised {
            return Err(fault(next, number, len_u64(offset), promised));
        }
        if closed || proves_durable(bytes, offset, next) {
            return Err(fault(next, number, len_u64(offset), otherwise));
        }
        Ok(())
    }

    fn finish(self) -> Result<Walk, JournalError> {
        let walk = self.walk;
        let (segment, end) = walk.active.as_ref().map_or((1, 0), |active| (active.segment, active.end));
        if walk.next < self.promised {
            return Err(fault(walk.next, segment, end, FaultCause::Truncated));
        }
        match (&walk.checkpoint, &walk.active) {
            (None, Some(_)) => Err(fault(0, segment, 0, FaultCause::CheckpointMissing)),
            (Some(checkpoint), Some(active))
                if checkpoint.environment != active.environment || checkpoint.epoch > active.epoch =>
            {
                Err(fault(walk.next, segment, end, FaultCause::Checkpoint))
            }
            _ => Ok(walk),
        }
    }
}

impl Active {
    /// Room left in the segment file, in bytes.
    pub(crate) fn room(&self) -> usize {
        index(self.bytes.saturating_sub(self.end))
    }
}

fn fault(sequence: u64, segment: u32, offset: u64, cause: FaultCause) -> JournalError {
    JournalError::Corrupt(Fault { sequence, segment, offset, cause })
}
