//! What the pipeline asks of a journal, whoever's thread does the work.

use portcullis_core::{ApprovedCommand, Digest, Record, Sequence, Timestamp};

use crate::draft::Draft;
use crate::journaled::{Identity, mint};
use crate::{Committed, JournalError, Log, Receipt, Storage, Wait, Writer};

/// An append-only, hash-chained log of records.
///
/// After the first error of kind [`JournalError::Storage`] every call fails with [`JournalError::Closed`]: the caller stops adding
/// risk until it is started again.
pub trait Journal {
    /// Appends records and returns at once. They are durable with the next commit or flush.
    ///
    /// # Errors
    ///
    /// [`JournalError::RecordTooLong`], [`JournalError::Backlog`] or [`JournalError::Closed`]; nothing is appended then.
    fn append(&mut self, now: Timestamp, records: &[Record]) -> Result<Vec<Receipt>, JournalError>;

    /// Appends records, waits for the disk, and mints the commands approved with them. Each command comes with the index of its
    /// record, which must be the intent of the very same command; indices rise, so that no entry gives two.
    ///
    /// Entries appended before are durable too when this returns durable.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append), and [`JournalError::NoRecord`] when a command's record is not its own; nothing is appended
    /// then. [`JournalError::Storage`] when the disk failed. No command is minted on any error.
    fn commit(
        &mut self,
        now: Timestamp,
        records: &[Record],
        commands: Vec<(usize, ApprovedCommand)>,
        wait: Wait,
    ) -> Result<Committed, JournalError>;

    /// Waits until everything appended is durable.
    ///
    /// # Errors
    ///
    /// [`JournalError::Storage`] or [`JournalError::Closed`].
    fn flush(&mut self) -> Result<(), JournalError>;

    /// Number of entries, durable or not, and the leaf of the last one (zero in an empty journal).
    fn head(&self) -> (Sequence, Digest);
}

impl<S: Storage> Journal for Log<S> {
    fn append(&mut self, now: Timestamp, records: &[Record]) -> Result<Vec<Receipt>, JournalError> {
        self.append_drafts(now, &drafts(records))
    }

    /// Waits for the disk in any case: there is no other thread to do it.
    fn commit(
        &mut self,
        now: Timestamp,
        records: &[Record],
        commands: Vec<(usize, ApprovedCommand)>,
        _wait: Wait,
    ) -> Result<Committed, JournalError> {
        check_commands(records, &commands)?;
        let receipts = self.append_drafts(now, &drafts(records))?;
        Log::flush(self)?;
        mint(Identity { environment: self.environment(), epoch: self.epoch() }, receipts, commands, true)
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        Log::flush(self)
    }

    fn head(&self) -> (Sequence, Digest) {
        Log::head(self)
    }
}

impl<S: Storage> Journal for Writer<S> {
    fn append(&mut self, now: Timestamp, records: &[Record]) -> Result<Vec<Receipt>, JournalError> {
        self.write(now, &drafts(records), None).map(|(receipts, _)| receipts)
    }

    fn commit(
        &mut self,
        now: Timestamp,
        records: &[Record],
        commands: Vec<(usize, ApprovedCommand)>,
        wait: Wait,
    ) -> Result<Committed, JournalError> {
        check_commands(records, &commands)?;
        let (receipts, durable) = self.write(now, &drafts(records), Some(wait))?;
        mint(self.identity(), receipts, commands, durable)
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        self.write(Timestamp(0), &[], Some(Wait::Durable)).map(|_| ())
    }

    fn head(&self) -> (Sequence, Digest) {
        self.chain_head()
    }
}

fn drafts(records: &[Record]) -> Vec<Draft<'static>> {
    records.iter().map(Draft::of).collect()
}

/// Checks that each command's record is its own intent.
fn check_commands(records: &[Record], commands: &[(usize, ApprovedCommand)]) -> Result<(), JournalError> {
    let mut unused = 0;
    for (record, approved) in commands {
        let own = match records.get(*record) {
            Some(Record::Intent(intent)) => {
                intent.command == *approved.command() && intent.class == approved.class()
            }
            _ => false,
        };
        if !own || *record < unused {
            return Err(JournalError::NoRecord { record: *record });
        }
        unused = record.saturating_add(1);
    }
    Ok(())
}
