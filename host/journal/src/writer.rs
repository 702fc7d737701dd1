//! The journal shared between threads, with group commit (RULES J3).
//!
//! Who waits for the disk does the work: the first waiter takes everything pending, writes and syncs it for all, and an idle
//! system pays no thread hop. Only a wait with a bound goes through a helper thread, because nobody can leave a sync half way.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portcullis_core::{Digest, Environment, Sequence, Timestamp};

use crate::chain::Chain;
use crate::draft::Draft;
use crate::journaled::Identity;
use crate::{Epoch, JournalError, Log, Receipt, Storage, Wait};

/// Pending bytes at which the helper starts writing though nobody waits.
const PENDING_BYTES_SOFT: usize = 256 * 1024;

/// Pending bytes at which appends are refused: the disk has not answered for a long time.
const PENDING_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A handle to the journal; clones share it. Dropping the last one without [`close`](Self::close) leaves the journal as a crash
/// would: sound, but without the seal.
pub struct Writer<S: Storage> {
    owner: Arc<Owner<S>>,
}

/// Stops the helper when the last handle goes.
struct Owner<S: Storage> {
    shared: Arc<Shared<S>>,
    helper: Option<JoinHandle<()>>,
}

struct Shared<S: Storage> {
    storage: S,
    state: Mutex<State>,
    /// Told when a batch is durable or the journal fails.
    done: Condvar,
    /// Told when there is something for the helper.
    work: Condvar,
}

struct State {
    chain: Chain,
    /// Whether someone writes and syncs a batch.
    leading: bool,
    /// Whether the helper is asked to lead.
    helper_wanted: bool,
    /// Whether the helper is to end.
    stop: bool,
    failed: Option<String>,
    spare: Vec<u8>,
    /// When the oldest entry that is not durable was appended.
    pending_since: Option<Instant>,
}

impl<S: Storage> Writer<S> {
    /// Puts the threads around an open log.
    ///
    /// # Errors
    ///
    /// [`JournalError::Storage`] when the system gives no thread.
    pub fn new(log: Log<S>) -> Result<Self, JournalError> {
        let (storage, chain, failed) = log.into_parts();
        let state = State {
            chain,
            leading: false,
            helper_wanted: false,
            stop: false,
            failed,
            spare: Vec::new(),
            pending_since: None,
        };
        let shared = Arc::new(Shared {
            storage,
            state: Mutex::new(state),
            done: Condvar::new(),
            work: Condvar::new(),
        });
        let theirs = Arc::clone(&shared);
        let helper = std::thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || theirs.help())
            .map_err(JournalError::storage("start the journal's thread"))?;
        Ok(Self { owner: Arc::new(Owner { shared, helper: Some(helper) }) })
    }

    /// Flushes, seals length and head in the checkpoint, and refuses whatever other handles ask for afterwards.
    ///
    /// # Errors
    ///
    /// [`JournalError::Storage`] or [`JournalError::Closed`]. The entries are safe also without the seal.
    pub fn close(self) -> Result<(), JournalError> {
        let shared = &self.owner.shared;
        let mut state = shared.state();
        // Until the lock is held with nothing left to write, so that nothing slips between the last batch and the seal.
        while state.chain.durable() < state.chain.size() {
            let size = state.chain.size();
            state = shared.wait_durable(state, size)?;
        }
        state.check_open()?;
        let checkpoint = state.chain.checkpoint(true);
        state.failed = Some("it was shut down".to_owned());
        shared
            .storage
            .replace_checkpoint(checkpoint.encode().as_bytes())
            .map_err(JournalError::storage("write the journal's checkpoint"))
    }

    /// How long the oldest entry that is not durable has waited; zero when all are. For the journal-lag inhibit (RULES G6).
    pub fn lag(&self) -> Duration {
        self.owner.shared.state().pending_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Why the journal is closed, if it is.
    pub fn failure(&self) -> Option<String> {
        self.owner.shared.state().failed.clone()
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

    /// Appends drafts, all or none, and waits as asked. Returns the receipts and whether they are durable.
    pub(crate) fn write(
        &self,
        now: Timestamp,
        drafts: &[Draft<'_>],
        wait: Option<Wait>,
    ) -> Result<(Vec<Receipt>, bool), JournalError> {
        let shared = &self.owner.shared;
        let mut state = shared.state();
        state.check_open()?;
        let pending = state.chain.pending_bytes();
        if pending > PENDING_BYTES_MAX && !drafts.is_empty() {
            return Err(JournalError::Backlog { bytes: pending });
        }
        let receipts = state.chain.append(now, drafts)?;
        let size = state.chain.size();
        if state.pending_since.is_none() && size > state.chain.durable() {
            state.pending_since = Some(Instant::now());
        }
        let durable = match wait {
            None => {
                if pending > PENDING_BYTES_SOFT {
                    shared.wake_helper(&mut state);
                }
                false
            }
            Some(Wait::Durable) => {
                drop(shared.wait_durable(state, size)?);
                true
            }
            Some(Wait::AtMost(span)) => shared.wait_at_most(state, size, span)?,
        };
        Ok((receipts, durable))
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
        self.shared.state().stop = true;
        self.shared.work.notify_all();
        if let Some(helper) = self.helper.take() {
            // It cannot have panicked with anything left to do.
            drop(helper.join());
        }
    }
}

impl State {
    fn check_open(&self) -> Result<(), JournalError> {
        self.failed.as_ref().map_or(Ok(()), |cause| Err(JournalError::Closed(cause.clone())))
    }
}

impl<S: Storage> Shared<S> {
    fn state(&self) -> MutexGuard<'_, State> {
        // The state is changed in steps that leave it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `size` entries are durable, leading whenever nobody else does.
    fn wait_durable<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        size: u64,
    ) -> Result<MutexGuard<'a, State>, JournalError> {
        loop {
            if state.chain.durable() >= size {
                return Ok(state);
            }
            state.check_open()?;
            if state.leading {
                state = wait(&self.done, state);
            } else {
                let (after, result) = self.lead(state);
                result?;
                state = after;
            }
        }
    }

    /// Waits at most `span` until `size` entries are durable; whether they are.
    fn wait_at_most(
        &self,
        mut state: MutexGuard<'_, State>,
        size: u64,
        span: Duration,
    ) -> Result<bool, JournalError> {
        let begun = Instant::now();
        self.wake_helper(&mut state);
        loop {
            if state.chain.durable() >= size {
                return Ok(true);
            }
            state.check_open()?;
            let Some(left) = span.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) else {
                return Ok(false);
            };
            state = self.done.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writes and syncs everything pending, without holding the lock meanwhile.
    fn lead<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> (MutexGuard<'a, State>, Result<(), JournalError>) {
        state.leading = true;
        let buffer = std::mem::take(&mut state.spare);
        let batch = state.chain.take(buffer);
        let begun = Instant::now();
        drop(state);
        let result = batch.write(&self.storage).map_err(JournalError::storage("write the journal"));
        let mut state = self.state();
        state.leading = false;
        match &result {
            Ok(()) => {
                state.chain.made_durable(batch.size());
                // What came meanwhile is no older than the write.
                state.pending_since = (state.chain.size() > state.chain.durable()).then_some(begun);
                state.spare = batch.recycle();
            }
            Err(error) => {
                tracing::error!(%error, "the journal is closed: nothing that adds risk may be sent");
                state.failed = Some(error.to_string());
            }
        }
        self.done.notify_all();
        if state.helper_wanted {
            self.work.notify_one();
        }
        (state, result)
    }

    fn wake_helper(&self, state: &mut State) {
        state.helper_wanted = true;
        if !state.leading {
            self.work.notify_one();
        }
    }

    /// The helper's loop: leads when asked to and nobody does.
    fn help(&self) {
        let mut state = self.state();
        while !state.stop {
            if !state.helper_wanted || state.leading {
                state = wait(&self.work, state);
                continue;
            }
            state.helper_wanted = false;
            if state.failed.is_none() && state.chain.durable() < state.chain.size() {
                // A failure is kept in the state, for whoever asks next.
                state = self.lead(state).0;
            }
        }
    }
}

fn wait<'a>(condvar: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    condvar.wait(state).unwrap_or_else(PoisonError::into_inner)
}
