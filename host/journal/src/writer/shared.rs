//! What the handles and the two helper threads of a writer share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portcullis_core::Timestamp;

use crate::chain::{Batch, Chain};
use crate::draft::Draft;
use crate::spool::{Kept, Portion, Spool};
use crate::{Health, JournalError, Receipt, Storage, Wait};

pub(super) struct Shared<S: Storage> {
    pub(super) storage: S,
    state: Mutex<State>,
    /// Told when a batch is durable or put aside, or the journal fails.
    done: Condvar,
    /// Told when there is something for the journal's helper.
    work: Condvar,
    /// Told when there is something for the reserve's helper.
    aside: Condvar,
}

pub(super) struct State {
    pub(super) chain: Chain,
    standing: Standing,
    /// The batch that someone writes and syncs; after a failure, the one that failed.
    in_flight: Option<Arc<Batch>>,
    /// Since when someone writes and syncs a batch.
    leading: Option<Instant>,
    /// Whether the helper is asked to lead.
    helper_wanted: bool,
    spool: Spool,
    /// Since when the reserve is being written.
    spooling: Option<Instant>,
    /// Whether the reserve's helper is asked to put aside what is not durable.
    spool_wanted: bool,
    /// Whether the helpers are to end.
    stop: bool,
    spare: Vec<u8>,
    /// When the oldest entry that is not durable was appended.
    pending_since: Option<Instant>,
}

/// Whether the journal takes entries.
enum Standing {
    Sound,
    /// It cannot be written; entries are put aside.
    Failed(String),
    /// It was closed in order.
    Shut,
}

impl State {
    pub(super) fn new(chain: Chain, spool: Spool, failed: Option<String>) -> Self {
        Self {
            chain,
            standing: failed.map_or(Standing::Sound, Standing::Failed),
            in_flight: None,
            leading: None,
            helper_wanted: false,
            spool,
            spooling: None,
            spool_wanted: false,
            stop: false,
            spare: Vec::new(),
            pending_since: None,
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        matches!(self.standing, Standing::Sound)
    }

    pub(super) fn failure(&self) -> Option<String> {
        match &self.standing {
            Standing::Sound => None,
            Standing::Failed(cause) => Some(cause.clone()),
            Standing::Shut => Some("it was shut down".to_owned()),
        }
    }

    pub(super) fn check_sound(&self) -> Result<(), JournalError> {
        self.failure().map_or(Ok(()), |cause| Err(JournalError::Closed(cause)))
    }

    pub(super) fn check_not_shut(&self) -> Result<(), JournalError> {
        if matches!(self.standing, Standing::Shut) { self.check_sound() } else { Ok(()) }
    }

    pub(super) fn fail(&mut self, error: &JournalError) {
        tracing::error!(%error, "the journal is closed: nothing that adds risk may be sent");
        self.standing = Standing::Failed(error.to_string());
    }

    pub(super) fn shut_down(&mut self) {
        self.standing = Standing::Shut;
    }

    pub(super) fn lag(&self) -> Duration {
        self.pending_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    pub(super) fn health(&self) -> Health {
        match self.standing {
            Standing::Sound if is_stuck(self.leading, Wait::BOUND) => Health::Behind,
            Standing::Sound => Health::Sound,
            Standing::Failed(_) | Standing::Shut => Health::Failed,
        }
    }

    /// Appends in memory.
    pub(super) fn append(
        &mut self,
        now: Timestamp,
        drafts: &[Draft<'_>],
    ) -> Result<Vec<Option<Receipt>>, JournalError> {
        let tight = !self.is_sound() && self.spool.is_tight(self.chain.pending_bytes());
        let receipts = self.chain.append(now, drafts, tight)?;
        if self.pending_since.is_none() && self.chain.size() > self.chain.durable() {
            self.pending_since = Some(Instant::now());
        }
        Ok(receipts)
    }

    /// What is to be put aside, if there is anything.
    fn portion(&mut self) -> Option<Portion> {
        let portion = self.spool.portion(&self.chain, self.in_flight.as_deref());
        if !self.is_sound() {
            // The journal gets none of it any more.
            self.in_flight = None;
            drop(self.chain.take(Vec::new()));
        }
        portion
    }
}

impl<S: Storage> Shared<S> {
    pub(super) fn new(storage: S, state: State) -> Self {
        let (done, work, aside) = (Condvar::new(), Condvar::new(), Condvar::new());
        Self { storage, state: Mutex::new(state), done, work, aside }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // The state is changed in steps that leave it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the helpers.
    pub(super) fn stop(&self) {
        self.state().stop = true;
        self.work.notify_all();
        self.aside.notify_all();
    }

    /// Has a helper begin with what is appended.
    pub(super) fn begin(&self, state: &mut State) {
        if !state.is_sound() {
            state.spool_wanted = true;
            self.aside.notify_one();
        } else if state.chain.durable() < state.chain.size() {
            state.helper_wanted = true;
            if state.leading.is_none() {
                self.work.notify_one();
            }
        }
    }

    /// Waits until `size` entries are durable, leading whenever nobody else does.
    pub(super) fn wait_durable<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        size: u64,
    ) -> Result<MutexGuard<'a, State>, JournalError> {
        loop {
            if state.chain.durable() >= size {
                return Ok(state);
            }
            state.check_sound()?;
            if state.leading.is_some() {
                state = wait(&self.done, state);
            } else {
                let (after, result) = self.lead(state);
                result?;
                state = after;
            }
        }
    }

    /// Waits at most `span` until `size` entries are durable, or put aside if the journal does not answer in half of that time. Who
    /// has not answered for as long already is not waited for.
    pub(super) fn wait_at_most<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        size: u64,
        span: Duration,
    ) -> (MutexGuard<'a, State>, Kept) {
        let begun = Instant::now();
        let patience = span.checked_div(2).unwrap_or_default();
        let mut asked_aside = false;
        self.begin(&mut state);
        loop {
            if state.chain.durable() >= size {
                return (state, Kept::Journal);
            }
            let waited = begun.elapsed();
            let hopeless = !state.is_sound() || is_stuck(state.leading, span);
            if !asked_aside && (hopeless || waited >= patience) {
                asked_aside = true;
                state.spool_wanted = true;
                self.aside.notify_one();
            }
            if asked_aside && state.spool.reaches(size) {
                return (state, Kept::Aside);
            }
            let left = span.saturating_sub(waited);
            if left.is_zero() || (hopeless && is_stuck(state.spooling, span)) {
                return (state, Kept::Nowhere);
            }
            let pause = if asked_aside { left } else { left.min(patience.saturating_sub(waited)) };
            state = self.done.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writes and syncs everything pending, without holding the lock meanwhile.
    fn lead<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
    ) -> (MutexGuard<'a, State>, Result<(), JournalError>) {
        let begun = Instant::now();
        state.leading = Some(begun);
        let buffer = std::mem::take(&mut state.spare);
        let batch = Arc::new(state.chain.take(buffer));
        state.in_flight = Some(Arc::clone(&batch));
        drop(state);
        let result = batch.write(&self.storage).map_err(JournalError::storage("write the journal"));
        let mut state = self.state();
        state.leading = None;
        match &result {
            Ok(()) => {
                state.in_flight = None;
                state.chain.made_durable(batch.size());
                // What came meanwhile is no older than the write.
                state.pending_since = (state.chain.size() > state.chain.durable()).then_some(begun);
                state.spare = Arc::into_inner(batch).map(Batch::recycle).unwrap_or_default();
            }
            Err(error) => {
                state.fail(error);
                self.begin(&mut state);
            }
        }
        self.done.notify_all();
        if state.helper_wanted {
            self.work.notify_one();
        }
        (state, result)
    }

    /// The loop of the journal's helper: leads when asked to and nobody does.
    pub(super) fn help(&self) {
        let mut state = self.state();
        while !state.stop {
            if !state.helper_wanted || state.leading.is_some() {
                state = wait(&self.work, state);
                continue;
            }
            state.helper_wanted = false;
            if state.is_sound() && state.chain.durable() < state.chain.size() {
                // A failure is kept in the state, for whoever asks next.
                state = self.lead(state).0;
            }
        }
    }

    /// The loop of the reserve's helper.
    pub(super) fn put_aside(&self) {
        let mut state = self.state();
        while !state.stop {
            if !state.spool_wanted {
                state = wait(&self.aside, state);
                continue;
            }
            state.spool_wanted = false;
            let Some(portion) = state.portion() else { continue };
            state.spooling = Some(Instant::now());
            drop(state);
            let written = portion.write(self.storage.reserve());
            state = self.state();
            state.spooling = None;
            state.spool.settle(&portion, written);
            self.done.notify_all();
        }
    }
}

/// Whether something that began then has gone on for longer than anyone waits.
fn is_stuck(since: Option<Instant>, patience: Duration) -> bool {
    since.is_some_and(|since| since.elapsed() >= patience)
}

fn wait<'a>(condvar: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    condvar.wait(state).unwrap_or_else(PoisonError::into_inner)
}
