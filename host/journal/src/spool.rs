//! Where the chain goes on when the journal cannot be written: in the reserve, and failing that in the system's log (RULES G7).
//!
//! Entries keep the sequence, leaf and client id that the chain gave them, and return to the journal byte for byte at the next
//! start; see `takeover.rs`. The reserve has the form of a segment: a header, numbered 0, then framed entries.

use std::io;

use portcullis_core::{Record, Sequence};

use crate::bytes::len_u64;
use crate::chain::{Batch, Chain};
use crate::draft::is_essential;
use crate::entry::{Entry, leaf_of};
use crate::journaled::Identity;
use crate::link::link_id;
use crate::segment::{HEADER_BYTES, Header, entry_of, frames};
use crate::storage::Reserve;
use crate::{Receipt, Storage};

/// What was made of entries, as far as a bounded wait could tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// They are durable in the journal.
    Journal,
    /// They are durable in the reserve, or the system's log has what matters of them.
    Aside,
    /// Nobody has answered yet.
    Nowhere,
}

/// How far the chain was put aside.
#[derive(Debug)]
pub(crate) struct Spool {
    /// Length of the reserve, in bytes; zero without one.
    capacity: u64,
    /// Entries below this are in the journal, in the reserve or told to the system's log.
    reached: u64,
    /// Where the next frame goes; zero before the first.
    end: u64,
    full: bool,
    /// Whether a write failed. It is never tried again, as with the journal.
    failed: bool,
}

impl Spool {
    /// For the reserve of a storage, which holds nothing that is still needed.
    pub(crate) fn of(storage: &impl Storage) -> Self {
        let capacity = storage.reserve().map_or(0, Reserve::bytes);
        Self { capacity, reached: 0, end: 0, full: false, failed: false }
    }

    /// Whether entries below `size` are taken care of.
    pub(crate) fn reaches(&self, size: u64) -> bool {
        self.reached >= size
    }

    /// Whether what room there is must be kept for essential entries; `waiting` bytes are still to come.
    pub(crate) fn is_tight(&self, waiting: usize) -> bool {
        self.full || self.failed || self.end.saturating_add(len_u64(waiting)) > self.capacity / 2
    }

    /// Lays out what neither the journal nor the reserve has: of the batch that the disk was given last, and of what came since.
    pub(crate) fn portion(&mut self, chain: &Chain, in_flight: Option<&Batch>) -> Option<Portion> {
        let durable = chain.durable();
        // What was put aside before is in the journal by now, so the reserve begins anew.
        let anew = self.end == 0 || self.reached <= durable;
        let from = if anew { durable } else { self.reached };
        let identity = Identity { environment: chain.environment(), epoch: chain.epoch() };
        let mut portion = Portion {
            identity,
            offset: self.end,
            bytes: Vec::new(),
            header: 0,
            beyond: Vec::new(),
            size: from,
        };
        if anew {
            self.full = false;
            portion.offset = 0;
            portion.header = HEADER_BYTES;
            portion.bytes = self.header(identity, from);
        }
        for frame in in_flight.into_iter().chain([chain.pending()]).flat_map(Batch::frames) {
            let Some(entry) = Entry::decode(entry_of(frame)).filter(|entry| entry.sequence.0 >= portion.size)
            else {
                continue;
            };
            let end = portion.end().saturating_add(len_u64(frame.len()));
            self.full |= end > self.capacity;
            // Never with a hole: what comes after something that did not fit could not be taken over.
            let fits = !self.full && !self.failed;
            if fits { &mut portion.bytes } else { &mut portion.beyond }.extend_from_slice(frame);
            portion.size = entry.sequence.0.saturating_add(1);
        }
        if portion.size == from {
            return None;
        }
        self.end = portion.end();
        Some(portion)
    }

    /// Notes what came of a portion.
    pub(crate) fn settle(&mut self, portion: &Portion, written: bool) {
        self.failed |= !written;
        self.reached = portion.size;
    }

    fn header(&self, identity: Identity, first: u64) -> Vec<u8> {
        let Identity { environment, epoch } = identity;
        let previous = portcullis_core::Digest::default();
        Header { environment, epoch, segment: 0, bytes: self.capacity, first, previous }.encode()
    }
}

/// What one write puts into the reserve.
#[derive(Debug)]
pub(crate) struct Portion {
    identity: Identity,
    offset: u64,
    bytes: Vec<u8>,
    /// Bytes before the first frame.
    header: usize,
    /// Frames that the reserve does not take.
    beyond: Vec<u8>,
    /// Entries below this are taken care of afterwards.
    size: u64,
}

impl Portion {
    fn end(&self) -> u64 {
        self.offset.saturating_add(len_u64(self.bytes.len()))
    }

    /// Writes it and makes it durable. Whatever is not durable then is told to the system's log. False when the reserve failed.
    pub(crate) fn write(&self, reserve: Option<&dyn Reserve>) -> bool {
        let aside = self.bytes.get(self.header..).unwrap_or_default();
        let result = match reserve {
            _ if aside.is_empty() => Ok(()),
            Some(reserve) => reserve.write_at(self.offset, &self.bytes).and_then(|()| reserve.sync()),
            None => Err(io::ErrorKind::NotFound.into()),
        };
        if let Err(error) = &result {
            tracing::error!(%error, "the reserve failed too; the system's log is the last witness");
            tell(self.identity, aside);
        }
        tell(self.identity, &self.beyond);
        result.is_ok()
    }
}

/// Makes the reserve hold nothing.
pub(crate) fn clear(reserve: &dyn Reserve) -> io::Result<()> {
    // Without its header nothing after it is read, and what is written next does not chain to it.
    reserve.write_at(0, &[0; HEADER_BYTES])?;
    reserve.sync()
}

/// Tells the system's log of the essential entries among frames.
fn tell(identity: Identity, bytes: &[u8]) {
    for bytes in frames(bytes).map(entry_of) {
        let Some(entry) = Entry::decode(bytes) else { continue };
        let Ok(record) = Record::decode(entry.kind, &entry.body) else { continue };
        witness(identity, Receipt { sequence: entry.sequence, leaf: leaf_of(bytes) }, &record);
    }
}

/// Writes an essential entry to the system's log, because nothing else is known to have it.
pub(crate) fn witness(identity: Identity, receipt: Receipt, record: &Record) {
    if !is_essential(record) {
        return;
    }
    let mut record = record.clone();
    if let Record::Intent(intent) = &mut record {
        // The frame's hash stands in the cause; its bytes would only make the line long.
        intent.frame.clear();
    }
    let Receipt { sequence: Sequence(sequence), leaf } = receipt;
    let link = link_id(identity.environment, identity.epoch, receipt.sequence, &leaf);
    tracing::error!(
        sequence,
        %leaf,
        link = link.as_ref().map(portcullis_core::LinkId::as_str),
        kind = record.kind(),
        name = record.name(),
        body = hex::encode(record.encode()),
        "neither the journal nor the reserve is known to hold this entry"
    );
}
