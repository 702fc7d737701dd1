//! What the pipeline asks of a journal, whoever's thread does the work.

use portcullis_core::{ApprovedCommand, Digest, Record, Sequence, Timestamp};

use crate::draft::Draft;
use crate::journaled::{Committed, Identity, JournaledCommand, Withheld, mint};
use crate::spool::{Kept, witness};
use crate::{JournalError, Log, Receipt, Storage, Wait, Writer};

/// An append-only, hash-chained log of records.
///
/// A journal that cannot be written any more goes on taking records: they go to the reserve, and what the reserve does not take is
/// told to the system's log (RULES G7). Nothing that adds risk is minted then, until the journal is opened again.
pub trait Journal {
    /// Appends records and returns at once. They are durable with the next commit or flush. One receipt each, in order; `None` for a
    /// fact left out, because the journal has failed and the reserve is tight.
    ///
    /// # Errors
    ///
    /// [`JournalError::RecordTooLong`], or [`JournalError::Closed`] after a shutdown; nothing is appended then.
    fn append(&mut self, now: Timestamp, records: &[Record]) -> Result<Vec<Option<Receipt>>, JournalError>;

    /// Appends records, waits for the disk, and mints the commands approved with them. Each command comes with the index of its
    /// record, which must be the intent of the very same command; indices rise, so that no entry gives two.
    ///
    /// Entries appended before are durable too when this returns durable.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append), and [`JournalError::NoRecord`] when a command's record is not its own; nothing is appended
    /// then, and no command is minted. A disk that fails is no error: commands that can add risk are withheld.
    fn commit(
        &mut self,
        now: Timestamp,
        records: &[Record],
        commands: Vec<(usize, ApprovedCommand)>,
        wait: Wait,
    ) -> Result<Committed, JournalError>;

    /// Mints a command that was withheld, now that its entry is durable.
    ///
    /// # Errors
    ///
    /// The command itself when that is not so.
    fn claim(&self, withheld: Withheld) -> Result<JournaledCommand, Withheld>;

    /// Begins to make durable what was appended, without waiting where another thread does the work.
    fn begin_flush(&mut self);

    /// Waits until everything appended is durable.
    ///
    /// # Errors
    ///
    /// [`JournalError::Storage`] or [`JournalError::Closed`].
    fn flush(&mut self) -> Result<(), JournalError>;

    /// Whether orders that add risk may rely on it.
    fn health(&self) -> Health;

    /// Number of entries, durable or not, and the leaf of the last one (zero in an empty journal).
    fn head(&self) -> (Sequence, Digest);
}

/// How a journal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It keeps up.
    Sound,
    /// The disk has not answered for 50 ms.
    Behind,
    /// It cannot be written until it is opened again.
    Failed,
}

impl<S: Storage> Journal for Log<S> {
    fn append(&mut self, now: Timestamp, records: &[Record]) -> Result<Vec<Option<Receipt>>, JournalError> {
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
        let durable = self.keep() == Kept::Journal;
        mint(self.identity(), receipts, commands, durable)
    }

    fn claim(&self, withheld: Withheld) -> Result<JournaledCommand, Withheld> {
        withheld.claim(self.durable())
    }

    fn begin_flush(&mut self) {
        self.keep();
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        Log::flush(self)
    }

    fn health(&self) -> Health {
        if self.has_failed() { Health::Failed } else { Health::Sound }
    }

    fn head(&self) -> (Sequence, Digest) {
        Log::head(self)
    }
}

impl<S: Storage> Journal for Writer<S> {
    fn append(&mut self, now: Timestamp, records: &[Record]) -> Result<Vec<Option<Receipt>>, JournalError> {
        self.write(now, &drafts(records), None).map(|written| written.receipts)
    }

    fn commit(
        &mut self,
        now: Timestamp,
        records: &[Record],
        commands: Vec<(usize, ApprovedCommand)>,
        wait: Wait,
    ) -> Result<Committed, JournalError> {
        check_commands(records, &commands)?;
        let written = self.write(now, &drafts(records), Some(wait))?;
        let identity = self.identity();
        if written.kept == Kept::Nowhere {
            last_witness(identity, records, &written.receipts);
        }
        mint(identity, written.receipts, commands, written.kept == Kept::Journal)
    }

    fn claim(&self, withheld: Withheld) -> Result<JournaledCommand, Withheld> {
        withheld.claim(self.durable())
    }

    fn begin_flush(&mut self) {
        Writer::begin_flush(self);
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        Writer::flush(self)
    }

    fn health(&self) -> Health {
        Writer::health(self)
    }

    fn head(&self) -> (Sequence, Digest) {
        self.chain_head()
    }
}

fn drafts(records: &[Record]) -> Vec<Draft<'static>> {
    records.iter().map(Draft::of).collect()
}

/// Commands are about to leave and nothing has their entries yet but memory, so the system's log gets them.
fn last_witness(identity: Identity, records: &[Record], receipts: &[Option<Receipt>]) {
    for (record, receipt) in records.iter().zip(receipts) {
        if let Some(receipt) = receipt {
            witness(identity, *receipt, record);
        }
    }
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
