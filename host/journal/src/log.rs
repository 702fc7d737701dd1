//! The journal on the caller's own thread: opening, appending, making durable, closing.

use portcullis_core::{Digest, Environment, Sequence, Timestamp};

use crate::bytes::{index, len_u64};
use crate::chain::{Batch, Chain, begin};
use crate::checkpoint::Checkpoint;
use crate::config::LogConfig;
use crate::draft::{Bundles, Draft};
use crate::journaled::Identity;
use crate::spool::{self, Kept, Spool};
use crate::storage::{SEGMENT_BYTES_MAX, Storage};
use crate::takeover::{self, Takeover};
use crate::walk::{Active, Stored, Walk, walk};
use crate::{Epoch, JournalError, Receipt};

/// The journal over a storage, written by the thread that calls it. The lab and the simulator use it as it is; the daemon puts a
/// [`Writer`](crate::Writer) around it.
#[derive(Debug)]
pub struct Log<S: Storage> {
    storage: S,
    chain: Chain,
    /// The failure that closed the journal, once there was one.
    failed: Option<String>,
    /// The batch that failed, until it is put aside.
    stranded: Option<Batch>,
    spool: Spool,
    spare: Vec<u8>,
}

impl<S: Storage> Log<S> {
    /// Opens a journal, or begins one where there is none. Walks it from the first entry, handing each to `visit` in order, so that
    /// the caller folds its state while the chain is verified; when this returns an error, what was folded must be thrown away.
    ///
    /// What a crash left half written after the last durable entry is removed. What the reserve holds beyond it is taken over and
    /// visited as well (RULES G7). The epoch stays as it is, unless [`LogConfig::raise_epoch_above`] says otherwise.
    ///
    /// # Errors
    ///
    /// [`JournalError::Corrupt`] when the files are not what the journal wrote, and [`JournalError::Reserve`] when the reserve does
    /// not follow them; nothing is changed then.
    /// [`JournalError::Environment`] when they belong to another environment, [`JournalError::Storage`] when the disk fails.
    pub fn open(
        storage: S,
        config: LogConfig,
        visit: &mut dyn FnMut(&Stored<'_>),
    ) -> Result<Self, JournalError> {
        config.check()?;
        let salts = config.salts.source()?;
        let mut bundles = Bundles::default();
        let mut takeover =
            Takeover::read(storage.reserve()).map_err(JournalError::storage("read the reserve"))?;
        let used = !takeover.is_empty();
        let walk = walk(&storage, &mut |stored| {
            bundles.learn(stored);
            takeover.compare(stored);
            visit(stored);
        })?;
        let found = walk.active.as_ref().map(|active| active.environment);
        if let Some(found) = found.or(walk.checkpoint.as_ref().map(|checkpoint| checkpoint.environment))
            && found != config.environment
        {
            return Err(JournalError::Environment { found, expected: config.environment });
        }
        let waiting = takeover.waiting(&walk)?;
        if let Some(number) = walk.prepared {
            storage.remove(number).map_err(JournalError::storage("remove an unused segment"))?;
        }
        let raised = raised_epoch(&walk, &config)?;
        let active = match &walk.active {
            Some(active) => {
                settle(&storage, &walk, active)?;
                active.clone()
            }
            None => {
                let known = walk.checkpoint.as_ref().map_or(Epoch::FIRST, |checkpoint| checkpoint.epoch);
                begin_journal(&storage, &config, raised.unwrap_or(known))?
            }
        };
        let spool = Spool::of(&storage);
        let chain = Chain::new(config, salts, bundles, active, (walk.next, walk.head));
        let mut log = Self { storage, chain, failed: None, stranded: None, spool, spare: Vec::new() };
        log.take_over(&waiting, visit)?;
        if used && let Some(reserve) = log.storage.reserve() {
            spool::clear(reserve).map_err(JournalError::storage("clear the reserve"))?;
        }
        if let Some(epoch) = raised
            && epoch != log.chain.epoch()
        {
            log.chain.begin_segment(epoch)?;
            log.flush()?;
        }
        log.write_checkpoint(false)?;
        Ok(log)
    }

    /// Writes everything appended and makes it durable.
    ///
    /// # Errors
    ///
    /// [`JournalError::Storage`] when the disk failed; the journal is closed then and every later call gives
    /// [`JournalError::Closed`].
    pub fn flush(&mut self) -> Result<(), JournalError> {
        self.write_pending().inspect_err(|_| self.put_aside())
    }

    /// Flushes and writes the checkpoint that seals the journal's length and head.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush). The entries are safe also without the seal.
    pub fn close(mut self) -> Result<(), JournalError> {
        self.flush()?;
        self.write_checkpoint(true)
    }

    /// Number of entries, and the leaf of the last one (zero in an empty journal).
    pub fn head(&self) -> (Sequence, Digest) {
        (Sequence(self.chain.size()), self.chain.head())
    }

    /// Which environment the journal belongs to.
    pub fn environment(&self) -> Environment {
        self.chain.environment()
    }

    /// Which life of the journal new entries belong to.
    pub fn epoch(&self) -> Epoch {
        self.chain.epoch()
    }

    /// Appends in memory, all of the drafts or none. Once the journal has failed, facts are left out while the reserve is tight.
    pub(crate) fn append_drafts(
        &mut self,
        now: Timestamp,
        drafts: &[Draft<'_>],
    ) -> Result<Vec<Option<Receipt>>, JournalError> {
        let tight = self.failed.is_some() && self.spool.is_tight(self.chain.pending_bytes());
        self.chain.append(now, drafts, tight)
    }

    /// Makes durable what was appended: in the journal, or in the reserve when the journal has failed.
    pub(crate) fn keep(&mut self) -> Kept {
        if self.failed.is_some() {
            self.put_aside();
            return Kept::Aside;
        }
        // A failure is kept, for whoever asks.
        if self.flush().is_ok() { Kept::Journal } else { Kept::Aside }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    pub(crate) fn durable(&self) -> Sequence {
        Sequence(self.chain.durable())
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity { environment: self.environment(), epoch: self.epoch() }
    }

    /// Takes the log apart, for the writer to put its threads around the pieces.
    pub(crate) fn into_parts(self) -> (S, Chain, Spool, Option<String>) {
        (self.storage, self.chain, self.spool, self.failed)
    }

    /// Takes over what the reserve holds beyond the journal's end, and says so in the journal. Entries come back byte for byte, so a
    /// crash in the middle of it leaves the next start nothing to do twice.
    fn take_over(
        &mut self,
        waiting: &[Stored<'_>],
        visit: &mut dyn FnMut(&Stored<'_>),
    ) -> Result<(), JournalError> {
        for stored in waiting {
            self.chain.restore(stored)?;
            visit(stored);
        }
        let Some((at, record)) = takeover::note(waiting) else { return Ok(()) };
        tracing::warn!(
            entries = waiting.len(),
            "taking over from the reserve what the journal could not be given"
        );
        self.chain.append(at, &[Draft::of(&record)], false)?;
        if let Some(noted) = self.chain.last_pending() {
            visit(&noted);
        }
        // If this fails, the reserve must stay as it is.
        self.write_pending()
    }

    /// Gives the journal what it has not got.
    fn write_pending(&mut self) -> Result<(), JournalError> {
        self.check_open()?;
        let batch = self.chain.take(std::mem::take(&mut self.spare));
        let result = batch.write(&self.storage);
        if let Err(error) = self.settle_batch(result, "write the journal") {
            self.stranded = Some(batch);
            return Err(error);
        }
        self.chain.made_durable(batch.size());
        self.spare = batch.recycle();
        Ok(())
    }

    /// Puts aside whatever the failed journal does not have.
    fn put_aside(&mut self) {
        let portion = self.spool.portion(&self.chain, self.stranded.as_ref());
        self.stranded = None;
        drop(self.chain.take(Vec::new()));
        if let Some(portion) = portion {
            let written = portion.write(self.storage.reserve());
            self.spool.settle(&portion, written);
        }
    }

    fn check_open(&self) -> Result<(), JournalError> {
        self.failed.as_ref().map_or(Ok(()), |cause| Err(JournalError::Closed(cause.clone())))
    }

    fn write_checkpoint(&mut self, clean: bool) -> Result<(), JournalError> {
        self.check_open()?;
        let result = self.storage.replace_checkpoint(self.chain.checkpoint(clean).encode().as_bytes());
        self.settle_batch(result, "write the journal's checkpoint")
    }

    /// Closes the journal for good at the first failure.
    fn settle_batch(&mut self, result: std::io::Result<()>, what: &'static str) -> Result<(), JournalError> {
        result.map_err(|source| {
            let error = JournalError::Storage { what, source };
            self.failed = Some(error.to_string());
            error
        })
    }
}

/// The epoch to go on with, when the configuration asks for a new one.
fn raised_epoch(walk: &Walk, config: &LogConfig) -> Result<Option<Epoch>, JournalError> {
    let Some(above) = config.raise_epoch_above else {
        return Ok(None);
    };
    let in_segments = walk.active.as_ref().map(|active| active.epoch);
    let in_checkpoint = walk.checkpoint.as_ref().map(|checkpoint| checkpoint.epoch);
    let highest = [in_segments, in_checkpoint, Some(above)].into_iter().flatten().max().unwrap_or(above);
    highest.next().map(Some).ok_or(JournalError::Exhausted("epochs"))
}

/// Begins a journal: the checkpoint first, because segments without one are damage.
fn begin_journal<S: Storage>(storage: &S, config: &LogConfig, epoch: Epoch) -> Result<Active, JournalError> {
    let checkpoint =
        Checkpoint { environment: config.environment, epoch, size: 0, head: Digest::default(), clean: false };
    let (batch, active) = begin(config, epoch, 1, 0, Digest::default());
    storage
        .replace_checkpoint(checkpoint.encode().as_bytes())
        .and_then(|()| batch.write(storage))
        .map_err(JournalError::storage("begin the journal"))?;
    Ok(active)
}

/// Makes what the walk read the truth on the disk, and zeros what is left of a torn write.
///
/// After a crash of the process alone, or of a disk whose sync failed, entries may be in the page cache and not on the disk, and
/// their pages may count as clean. So the segment is written again, not only synced.
fn settle<S: Storage>(storage: &S, walk: &Walk, active: &Active) -> Result<(), JournalError> {
    if walk.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.clean) {
        return Ok(());
    }
    if walk.torn_bytes > 0 {
        tracing::warn!(
            entries = walk.next,
            segment = active.segment,
            offset = active.end,
            "removing what a crash left half written after the last entry"
        );
    }
    let failed = JournalError::storage("settle the journal's tail");
    let mut bytes = Vec::new();
    storage.read(active.segment, 0, SEGMENT_BYTES_MAX, &mut bytes).map_err(&failed)?;
    if let Some(rest) = bytes.get_mut(index(active.end)..) {
        rest.fill(0);
    }
    let written = if walk.torn_bytes > 0 { len_u64(bytes.len()) } else { active.end };
    storage
        .write_at(active.segment, 0, bytes.get(..index(written)).unwrap_or(&bytes))
        .and_then(|()| storage.sync(active.segment))
        .map_err(failed)
}
