//! The journal shared between threads, with group commit (RULES J3).
//!
//! Who waits for the disk without a bound does the work: the first waiter takes everything pending, writes and syncs it for all. A
//! wait with a bound goes through a helper thread, because nobody can leave a sync half way. A second helper writes the reserve, so
//! that a journal's disk that does not answer cannot hold it up (RULES G7).

mod shared;

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use portcullis_core::{Digest, Environment, Sequence, Timestamp};

use crate::draft::Draft;
use crate::journaled::Identity;
use crate::spool::Kept;
use crate::{Epoch, Health, JournalError, Log, Receipt, Storage, Wait};

use shared::{Shared, State};

/// Pending bytes at which the helper starts writing though nobody waits.
const PENDING_BYTES_SOFT: usize = 256 * 1024;

/// Pending bytes at which the journal counts as failed: the disk has not answered for a long time.
const PENDING_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How long a shutdown waits for the reserve, when the journal cannot be written.
const PATIENCE: Duration = Duration::from_secs(5);

/// A handle to the journal; clones share it. Dropping the last one without [`close`](Self::close) leaves the journal as a crash
/// would: sound, but without the seal.
pub struct Writer<S: Storage> {
    owner: Arc<Owner<S>>,
}

/// Stops the helpers when the last handle goes.
struct Owner<S: Storage> {
    shared: Arc<Shared<S>>,
    helpers: Vec<JoinHandle<()>>,
}

/// What came of a write.
pub(crate) struct Written {
    /// One for each draft, in order; `None` for one left out.
    pub(crate) receipts: Vec<Option<Receipt>>,
    pub(crate) kept: Kept,
}

impl<S: Storage> Writer<S> {
    /// Puts the threads around an open log.
    ///
    /// # Errors
    ///
    /// [`JournalError::Storage`] when the system gives no thread.
    pub fn new(log: Log<S>) -> Result<Self, JournalError> {
        let (storage, chain, spool, failed) = log.into_parts();
        let shared = Arc::new(Shared::new(storage, State::new(chain, spool, failed)));
        let helpers =
            [("journal-writer", Shared::help as fn(&Shared<S>)), ("journal-reserve", Shared::put_aside)]
                .into_iter()
                .map(|(name, work)| {
                    let theirs = Arc::clone(&shared);
                    std::thread::Builder::new().name(name.to_owned()).spawn(move || work(&theirs))
                })
                .collect::<Result<_, _>>()
                .map_err(JournalError::storage("start the journal's threads"))?;
        Ok(Self { owner: Arc::new(Owner { shared, helpers }) })
    }

    /// Flushes, seals length and head in the checkpoint, and refuses whatever other handles ask for afterwards.
    ///
    /// # Errors
    ///
    /// [`JournalError::Storage`] or [`JournalError::Closed`]. The entries are safe also without the seal; those of a journal that
    /// failed are in the reserve, if that could be written within five seconds.
    pub fn close(self) -> Result<(), JournalError> {
        let shared = &self.owner.shared;
        let mut state = shared.state();
        // Until the lock is held with nothing left to write, so that nothing slips between the last batch and the seal.
        while state.is_sound() && state.chain.durable() < state.chain.size() {
            let size = state.chain.size();
            state = match shared.wait_durable(state, size) {
                Ok(state) => state,
                Err(_) => shared.state(),
            };
        }
        if !state.is_sound() {
            let size = state.chain.size();
            state = shared.wait_at_most(state, size, PATIENCE).0;
        }
        let sound = state.check_sound();
        let checkpoint = state.chain.checkpoint(true);
        state.shut_down();
        sound?;
        shared
            .storage
            .replace_checkpoint(checkpoint.encode().as_bytes())
            .map_err(JournalError::storage("write the journal's checkpoint"))
    }

    /// How long the oldest entry that is not durable has waited; zero when all are.
    pub fn lag(&self) -> Duration {
        self.owner.shared.state().lag()
    }

    /// Why the journal is closed, if it is.
    pub fn failure(&self) -> Option<String> {
        self.owner.shared.state().failure()
    }

    /// Number of entries known to be durable.
    pub fn durable(&self) -> Sequence {
        Sequence(self.owner.shared.state().chain.durable())
    }

    /// Which environment the journal belongs to.
    pub fn environment(&self) -> Environment {
        self.identity().environment
    }

    /// Which life of the journal new entries belong to.
    pub fn epoch(&self) -> Epoch {
        self.identity().epoch
    }

    pub(crate) fn identity(&self) -> Identity {
        let state = self.owner.shared.state();
        Identity { environment: state.chain.environment(), epoch: state.chain.epoch() }
    }

    pub(crate) fn chain_head(&self) -> (Sequence, Digest) {
        let state = self.owner.shared.state();
        (Sequence(state.chain.size()), state.chain.head())
    }

    pub(crate) fn health(&self) -> Health {
        self.owner.shared.state().health()
    }

    /// Appends drafts, all or none, and waits as asked.
    pub(crate) fn write(
        &self,
        now: Timestamp,
        drafts: &[Draft<'_>],
        wait: Option<Wait>,
    ) -> Result<Written, JournalError> {
        let shared = &self.owner.shared;
        let mut state = shared.state();
        state.check_not_shut()?;
        let pending = state.chain.pending_bytes();
        if pending > PENDING_BYTES_MAX && state.is_sound() && !drafts.is_empty() {
            state.fail(&JournalError::Backlog { bytes: pending });
        }
        let receipts = state.append(now, drafts)?;
        let size = state.chain.size();
        let kept = match wait {
            None => {
                if pending > PENDING_BYTES_SOFT {
                    shared.begin(&mut state);
                }
                Kept::Nowhere
            }
            Some(Wait::Durable) => match shared.wait_durable(state, size) {
                Ok(_) => Kept::Journal,
                Err(_) => shared.wait_at_most(shared.state(), size, Wait::BOUND).1,
            },
            Some(Wait::AtMost(span)) => shared.wait_at_most(state, size, span).1,
        };
        Ok(Written { receipts, kept })
    }

    pub(crate) fn begin_flush(&self) {
        let shared = &self.owner.shared;
        shared.begin(&mut shared.state());
    }

    pub(crate) fn flush(&self) -> Result<(), JournalError> {
        let shared = &self.owner.shared;
        let state = shared.state();
        let size = state.chain.size();
        shared.wait_durable(state, size).map(|_| ())
    }
}

impl<S: Storage> Clone for Writer<S> {
    fn clone(&self) -> Self {
        Self { owner: Arc::clone(&self.owner) }
    }
}

impl<S: Storage> fmt::Debug for Writer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("head", &self.chain_head()).field("failure", &self.failure()).finish()
    }
}

impl<S: Storage> Drop for Owner<S> {
    fn drop(&mut self) {
        self.shared.stop();
        for helper in self.helpers.drain(..) {
            // It cannot have panicked with anything left to do.
            drop(helper.join());
        }
    }
}
