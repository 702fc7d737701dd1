//! What lies in the reserve, and what of it the journal still has to take over.

use std::io;

use portcullis_core::{Finding, FindingKind, Record, Timestamp};

use crate::JournalError;
use crate::bytes::len_u64;
use crate::entry::{Entry, leaf_of};
use crate::segment::{Frame, HEADER_BYTES, Header, frame_at};
use crate::storage::Reserve;
use crate::walk::{Active, Stored, Walk};

/// The reserve beside a journal that is being walked.
#[derive(Debug, Default)]
pub(crate) struct Takeover {
    /// Intact entries, each chained to the one before. A write that a crash tore ends them.
    entries: Vec<Stored<'static>>,
    /// Whether the journal has another entry in the place of one of them.
    differs: bool,
}

impl Takeover {
    /// Reads the reserve. It has to be read before the journal is, whose writer may be at work.
    pub(crate) fn read(reserve: Option<&dyn Reserve>) -> io::Result<Self> {
        let mut found = Self::default();
        let Some(reserve) = reserve else { return Ok(found) };
        let mut bytes = Vec::new();
        reserve.read(&mut bytes)?;
        let Some(header) = Header::decode(&bytes).filter(|header| header.segment == 0) else {
            return Ok(found);
        };
        let mut offset = HEADER_BYTES;
        while let Frame::Whole { entry: entry_bytes, next, .. } = frame_at(&bytes, offset) {
            let expected = header.first.saturating_add(len_u64(found.entries.len()));
            let Some(entry) = Entry::decode(entry_bytes).filter(|entry| entry.sequence.0 == expected) else {
                break;
            };
            if found.entries.last().is_some_and(|last| last.leaf != entry.previous) {
                break;
            }
            let leaf = leaf_of(entry_bytes);
            let (environment, epoch) = (header.environment, header.epoch);
            found.entries.push(Stored { entry: entry.into_owned(), leaf, environment, epoch });
            offset = next;
        }
        Ok(found)
    }

    /// Whether the reserve holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of entries in the reserve.
    pub(crate) fn len(&self) -> u64 {
        len_u64(self.entries.len())
    }

    /// Takes notice of an entry of the journal.
    pub(crate) fn compare(&mut self, stored: &Stored<'_>) {
        let first = self.entries.first().map(|first| first.entry.sequence.0);
        let Some(place) = first.and_then(|first| stored.entry.sequence.0.checked_sub(first)) else { return };
        let own = usize::try_from(place).ok().and_then(|place| self.entries.get(place));
        self.differs |= own.is_some_and(|own| own.leaf != stored.leaf);
    }

    /// The entries that a walked journal does not have.
    pub(crate) fn waiting(self, walk: &Walk) -> Result<Vec<Stored<'static>>, JournalError> {
        if self.differs {
            return Err(JournalError::Reserve("the journal has other entries in the same places"));
        }
        let waiting: Vec<_> =
            self.entries.into_iter().filter(|stored| stored.entry.sequence.0 >= walk.next).collect();
        let Some(first) = waiting.first() else { return Ok(waiting) };
        if first.entry.sequence.0 != walk.next || first.entry.previous != walk.head {
            return Err(JournalError::Reserve(
                "entries between the journal's last and its first are missing",
            ));
        }
        // Client ids follow from them. A journal without segments was never written, so nothing can be waiting for it.
        let same = |active: &Active| (active.environment, active.epoch) == (first.environment, first.epoch);
        if !walk.active.as_ref().is_some_and(same) {
            return Err(JournalError::Reserve("it belongs to another journal, or another life of this one"));
        }
        Ok(waiting)
    }
}

/// The record that says which entries came back from the reserve.
pub(crate) fn note(waiting: &[Stored<'_>]) -> Option<(Timestamp, Record)> {
    let (first, last) = (waiting.first()?, waiting.last()?);
    let at = last.entry.time;
    let detail = format!(
        "entries {} to {} were written to the reserve, because the journal could not be",
        first.entry.sequence.0, last.entry.sequence.0
    );
    let finding = Finding { kind: FindingKind::ReserveUsed, order: None, instrument: None, detail, at };
    Some((at, Record::Finding(finding)))
}
