//! The growing end of the chain, in memory: gives out sequences and leaves, and lays entries out for the disk.

use std::borrow::Cow;
use std::io;

use portcullis_core::{Digest, Environment, LinkNumber, Sequence, Timestamp};

use crate::bytes::{index, len_u64};
use crate::checkpoint::Checkpoint;
use crate::config::{LogConfig, SaltSource};
use crate::draft::{Bundles, Draft};
use crate::entry::{ENTRY_FIXED, Entry, leaf_of};
use crate::segment::{HEADER_BYTES, Header, entry_of, frame_room, frames, push_frame};
use crate::storage::Storage;
use crate::walk::{Active, Stored};
use crate::{Epoch, JournalError, Receipt};

/// Capacity of the batch buffer that is kept between batches, in bytes.
const BUFFER_BYTES_KEPT: usize = 1024 * 1024;

/// The end of the chain. Everything in `pending` has its sequence and leaf, but is not on the disk.
#[derive(Debug)]
pub(crate) struct Chain {
    config: LogConfig,
    salts: SaltSource,
    bundles: Bundles,
    active: Active,
    next: u64,
    head: Digest,
    durable: u64,
    pending: Batch,
    /// Whether the segment after the active one was asked for ahead of time.
    prepared: bool,
}

/// What one write and one sync put on the disk; more only where a segment ends.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Ends of segments that were filled, oldest first.
    filled: Vec<Extent>,
    last: Extent,
    /// Entries in the journal once this is durable.
    size: u64,
    /// A segment to prepare afterwards, and its length.
    prepare: Option<(u32, u64)>,
    /// What the checkpoint says once this is durable; written where a segment ends.
    checkpoint: Option<Checkpoint>,
}

#[derive(Debug)]
struct Extent {
    segment: u32,
    offset: u64,
    bytes: Vec<u8>,
    /// Length of the segment file, when the segment has yet to be created.
    creates: Option<u64>,
}

impl Batch {
    fn after(active: &Active, size: u64, buffer: Vec<u8>) -> Self {
        let last = Extent { segment: active.segment, offset: active.end, bytes: buffer, creates: None };
        Self { filled: Vec::new(), last, size, prepare: None, checkpoint: None }
    }

    /// Entries in the journal once this is durable.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The frames of its entries, oldest first.
    pub(crate) fn frames(&self) -> impl Iterator<Item = &[u8]> {
        self.filled.iter().chain([&self.last]).flat_map(|extent| {
            let header = if extent.creates.is_some() { HEADER_BYTES } else { 0 };
            frames(extent.bytes.get(header..).unwrap_or_default())
        })
    }

    /// Writes the batch and makes it durable.
    pub(crate) fn write<S: Storage>(&self, storage: &S) -> io::Result<()> {
        for extent in self.filled.iter().chain([&self.last]) {
            if let Some(bytes) = extent.creates {
                storage.create(extent.segment, bytes)?;
            }
            // A segment is durable to its end before the next is begun: a reader relies on it.
            if !extent.bytes.is_empty() {
                storage.write_at(extent.segment, extent.offset, &extent.bytes)?;
                storage.sync(extent.segment)?;
            }
        }
        if let Some(checkpoint) = &self.checkpoint {
            storage.replace_checkpoint(checkpoint.encode().as_bytes())?;
        }
        if let Some((segment, bytes)) = self.prepare {
            storage.prepare(segment, bytes);
        }
        Ok(())
    }

    /// The buffer, emptied, for the next batch.
    pub(crate) fn recycle(self) -> Vec<u8> {
        let mut buffer = self.last.bytes;
        buffer.clear();
        // One huge batch must not keep its memory for ever.
        buffer.shrink_to(BUFFER_BYTES_KEPT);
        buffer
    }
}

/// The extent that begins a segment, and the segment as it stands after it.
pub(crate) fn begin(
    config: &LogConfig,
    epoch: Epoch,
    segment: u32,
    first: u64,
    previous: Digest,
) -> (Batch, Active) {
    let bytes = config.segment_bytes;
    let header = Header { environment: config.environment, epoch, segment, bytes, first, previous };
    let active =
        Active { environment: config.environment, epoch, segment, bytes, end: len_u64(HEADER_BYTES) };
    let last = Extent { segment, offset: 0, bytes: header.encode(), creates: Some(bytes) };
    (Batch { filled: Vec::new(), last, size: first, prepare: None, checkpoint: None }, active)
}

impl Chain {
    pub(crate) fn new(
        config: LogConfig,
        salts: SaltSource,
        bundles: Bundles,
        active: Active,
        end: (u64, Digest),
    ) -> Self {
        let (next, head) = end;
        let pending = Batch::after(&active, next, Vec::new());
        Self { config, salts, bundles, active, next, head, durable: next, pending, prepared: false }
    }

    pub(crate) fn environment(&self) -> Environment {
        self.config.environment
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.active.epoch
    }

    /// Number of entries, durable or not.
    pub(crate) fn size(&self) -> u64 {
        self.next
    }

    pub(crate) fn durable(&self) -> u64 {
        self.durable
    }

    pub(crate) fn head(&self) -> Digest {
        self.head
    }

    /// Bytes laid out and not yet taken.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.pending
            .filled
            .iter()
            .map(|extent| extent.bytes.len())
            .fold(self.pending.last.bytes.len(), usize::saturating_add)
    }

    /// What is laid out and not yet taken.
    pub(crate) fn pending(&self) -> &Batch {
        &self.pending
    }

    /// The last entry among what is pending.
    pub(crate) fn last_pending(&self) -> Option<Stored<'_>> {
        let bytes = entry_of(self.pending.frames().last()?);
        let (environment, epoch) = (self.environment(), self.epoch());
        Some(Stored { entry: Entry::decode(bytes)?, leaf: leaf_of(bytes), environment, epoch })
    }

    /// What a checkpoint would say if everything appended were durable.
    pub(crate) fn checkpoint(&self, clean: bool) -> Checkpoint {
        Checkpoint {
            environment: self.config.environment,
            epoch: self.active.epoch,
            size: self.next,
            head: self.head,
            clean,
        }
    }

    /// Appends in memory, all of the drafts or none; with `essential_only`, those that are not essential are left out.
    pub(crate) fn append(
        &mut self,
        now: Timestamp,
        drafts: &[Draft<'_>],
        essential_only: bool,
    ) -> Result<Vec<Option<Receipt>>, JournalError> {
        for draft in drafts {
            self.check(draft.kind, draft.body.len())?;
        }
        let taken = |draft: &Draft<'_>| draft.essential || !essential_only;
        drafts.iter().map(|draft| taken(draft).then(|| self.push(now, draft)).transpose()).collect()
    }

    /// Whether an entry can be appended at all.
    fn check(&self, kind: u16, body: usize) -> Result<(), JournalError> {
        let max = self.config.body_bytes_max();
        if body > max {
            return Err(JournalError::RecordTooLong { kind, bytes: body, max });
        }
        if self.next > LinkNumber::SEQUENCE_MAX {
            return Err(JournalError::Exhausted("sequence numbers"));
        }
        Ok(())
    }

    /// Appends an entry in memory.
    fn push(&mut self, now: Timestamp, draft: &Draft<'_>) -> Result<Receipt, JournalError> {
        self.check(draft.kind, draft.body.len())?;
        self.make_room(draft.body.len())?;
        let sequence = Sequence(self.next);
        let entry = Entry {
            sequence,
            time: now,
            monotonic_ns: self.config.monotonic.read(now),
            boot: self.config.boot,
            salt: self.salts.salt(sequence),
            previous: self.head,
            strategy: self.bundles.digest(draft),
            kind: draft.kind,
            actor: draft.actor,
            body: Cow::Borrowed(&draft.body),
        };
        let leaf = self.lay_out(&entry);
        Ok(Receipt { sequence, leaf })
    }

    /// Appends an entry that has its place already, byte for byte as the reserve kept it.
    pub(crate) fn restore(&mut self, stored: &Stored<'_>) -> Result<(), JournalError> {
        self.check(stored.entry.kind, stored.entry.body.len())?;
        self.make_room(stored.entry.body.len())?;
        self.bundles.learn(stored);
        self.lay_out(&stored.entry);
        Ok(())
    }

    /// Goes on in the next segment when this one has no room for the entry.
    fn make_room(&mut self, body: usize) -> Result<(), JournalError> {
        if frame_room(ENTRY_FIXED.saturating_add(body)) > self.active.room() {
            self.begin_segment(self.active.epoch)?;
        }
        Ok(())
    }

    /// Lays out the next entry, for which there is room, and gives back its leaf.
    fn lay_out(&mut self, entry: &Entry<'_>) -> Digest {
        let durable = self.durable;
        let bytes = &mut self.pending.last.bytes;
        let range = push_frame(bytes, durable, |out| entry.encode_into(out));
        let room = frame_room(range.len());
        let leaf = leaf_of(bytes.get(range).unwrap_or_default());
        self.active.end = self.active.end.saturating_add(len_u64(room));
        self.next = self.next.saturating_add(1);
        self.head = leaf;
        self.pending.size = self.next;
        if !self.prepared && self.active.room() < index(self.active.bytes / 2) {
            self.prepared = true;
            self.pending.prepare =
                self.active.segment.checked_add(1).map(|next| (next, self.config.segment_bytes));
        }
        leaf
    }

    /// Goes on in the next segment; its header is laid out like an entry.
    pub(crate) fn begin_segment(&mut self, epoch: Epoch) -> Result<(), JournalError> {
        let segment = self.active.segment.checked_add(1).ok_or(JournalError::Exhausted("segment numbers"))?;
        let (begun, active) = begin(&self.config, epoch, segment, self.next, self.head);
        self.active = active;
        self.prepared = false;
        self.pending.prepare = None;
        self.pending.checkpoint = Some(self.checkpoint(false));
        self.pending.filled.push(std::mem::replace(&mut self.pending.last, begun.last));
        Ok(())
    }

    /// Takes what is pending, to be written; later entries go into a new batch, laid out in `buffer`.
    pub(crate) fn take(&mut self, buffer: Vec<u8>) -> Batch {
        std::mem::replace(&mut self.pending, Batch::after(&self.active, self.next, buffer))
    }

    /// Notes that a batch is durable.
    pub(crate) fn made_durable(&mut self, size: u64) {
        self.durable = self.durable.max(size);
    }
}
