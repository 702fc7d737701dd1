//! The clock of the deadlines: a thread that advances the engine's epoch once a millisecond while guest code runs, and sleeps
//! while none does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use wasmtime::EngineWeak;

/// Length of a tick in milliseconds.
pub(crate) const TICK_MS: u64 = 1;

const TICK: Duration = Duration::from_millis(TICK_MS);

/// Most ticks counted after one sleep: no call may take longer, so more would change nothing.
const TICKS_AT_ONCE_MAX: u128 = 1_001;

/// Ticks without guest code after which the thread goes to sleep. Waking it costs a system call, so it stays up between the
/// frames of a lively market.
const IDLE_TICKS: u32 = 16;

/// Handle on the thread, which ends with it.
#[derive(Debug)]
pub(crate) struct Ticker {
    state: Arc<State>,
    thread: Thread,
    handle: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    /// Entries into guest code so far.
    entries: AtomicU64,
    /// Guest code runs now.
    inside: AtomicBool,
    /// The thread sleeps, or is about to.
    asleep: AtomicBool,
    stop: AtomicBool,
}

impl Ticker {
    pub(crate) fn start(engine: EngineWeak) -> std::io::Result<Self> {
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let (started, wait) = sync_channel(1);
        let body = move || {
            // Its owner is there until it has heard this; it takes no harm from one that is not.
            let _heard = started.send(());
            run(&shared, &engine);
        };
        let handle = std::thread::Builder::new().name("epoch".to_owned()).spawn(body)?;
        // A thread makes calls before its first line that a cell has given up soon after.
        wait.recv().map_err(std::io::Error::other)?;
        Ok(Self { state, thread: handle.thread().clone(), handle: Some(handle) })
    }

    /// Makes sure that ticks come until the guard is dropped.
    pub(crate) fn enter(&self) -> Inside<'_> {
        self.state.inside.store(true, Ordering::SeqCst);
        self.state.entries.fetch_add(1, Ordering::SeqCst);
        // Sequential consistency on both sides: either the thread sees the entry before it sleeps, or we see it asleep.
        if self.state.asleep.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
        Inside(&self.state)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
        if let Some(handle) = self.handle.take()
            && handle.join().is_err()
        {
            tracing::error!("the epoch thread panicked");
        }
    }
}

/// Guest code runs while this lives.
pub(crate) struct Inside<'a>(&'a State);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.store(false, Ordering::SeqCst);
    }
}

fn run(state: &State, engine: &EngineWeak) {
    let mut idle = 0_u32;
    let mut entries = 0;
    let mut counted = Instant::now();
    while !state.stop.load(Ordering::SeqCst) {
        std::thread::sleep(TICK);
        let now = state.entries.load(Ordering::SeqCst);
        let entered = now != entries;
        entries = now;
        let Some(engine) = engine.upgrade() else { return };
        for _ in 0..ticks(counted.elapsed(), entered) {
            engine.increment_epoch();
        }
        drop(engine);
        counted = Instant::now();
        let busy = entered || state.inside.load(Ordering::SeqCst);
        idle = if busy { 0 } else { idle.saturating_add(1) };
        if idle >= IDLE_TICKS {
            state.asleep.store(true, Ordering::SeqCst);
            if state.entries.load(Ordering::SeqCst) == entries && !state.stop.load(Ordering::SeqCst) {
                std::thread::park();
            }
            state.asleep.store(false, Ordering::SeqCst);
            idle = 0;
            counted = Instant::now();
        }
    }
}

/// Ticks to count after a sleep. On a busy machine it was a long one; a call that ran all the while is charged for all of it,
/// so that its deadline is late by one delay and not by one a tick. A call that began meanwhile is charged for one.
fn ticks(slept: Duration, entered: bool) -> u128 {
    let whole = slept.as_nanos().checked_div(TICK.as_nanos()).unwrap_or(1);
    if entered { 1 } else { whole.clamp(1, TICKS_AT_ONCE_MAX) }
}
