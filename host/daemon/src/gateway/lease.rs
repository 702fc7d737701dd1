//! The gateway's side of the sentinel's lease: renewed as long as the pipeline turns, and not a moment longer.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portcullis_core::{Category, Input, LinkChange, OperatorCommand, Scope, State, TradingState};
use portcullis_role::{ControlError, Lease, OwedHalt, SentinelReply, SentinelRequest, call};

use crate::gateway::start::Running;
use crate::gateway::wake::Wake;

/// Between two renewals.
const RENEW_EVERY: Duration = Duration::from_secs(1);

/// Longest wait for the sentinel. Its own thread waits, never the pipeline's.
const PATIENCE: Duration = Duration::from_millis(500);

/// Without an answer for this long nobody watches over the gateway, and nothing that adds risk is sent.
const SILENT_AFTER: Duration = Duration::from_secs(3);

/// Keeps the lease; dropping it says that the gateway ends in order.
#[derive(Debug)]
pub(crate) struct LeaseKeeper {
    shared: Arc<Shared>,
    told: Receiver<Told>,
    is_held: bool,
    thread: Option<JoinHandle<()>>,
}

/// What the pipeline's thread lets the keeper know.
#[derive(Debug)]
struct Shared {
    socket: PathBuf,
    /// Grows with every turn of the pipeline.
    turns: AtomicU64,
    halted: AtomicBool,
    markets: Mutex<Vec<Category>>,
    stop: AtomicBool,
}

#[derive(Debug)]
enum Told {
    Holding,
    Silent,
    Halt(OwedHalt),
}

impl LeaseKeeper {
    /// Starts to renew. Until the sentinel has answered, the gate holds what adds risk.
    pub(crate) fn start(socket: PathBuf, running: &mut Running, wake: Wake) -> std::io::Result<Self> {
        running.pipeline.hand_in(Input::Link(LinkChange::Watchdog { up: false }));
        let shared = Arc::new(Shared {
            socket,
            turns: AtomicU64::new(0),
            halted: AtomicBool::new(false),
            markets: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let (tell, told) = channel();
        let keeping = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("lease".to_owned())
            .spawn(move || keep(&keeping, &tell, &wake))?;
        Ok(Self { shared, told, is_held: false, thread: Some(thread) })
    }

    /// After each turn of the pipeline: proves that it turns, and takes in what the sentinel said.
    pub(crate) fn turn(&mut self, running: &mut Running) {
        let state = running.pipeline.gate().state();
        let halted = state.ladder().of(Scope::Account) >= TradingState::EntriesCancelled;
        self.shared.halted.store(halted, Ordering::Relaxed);
        let markets = markets(state);
        let told = std::mem::replace(
            &mut *self.shared.markets.lock().unwrap_or_else(PoisonError::into_inner),
            markets.clone(),
        );
        self.shared.turns.fetch_add(1, Ordering::Release);
        if told != markets
            && let Some(thread) = &self.thread
        {
            // Before the first order there.
            thread.thread().unpark();
        }
        while let Ok(told) = self.told.try_recv() {
            let input = match told {
                Told::Holding => Input::Link(LinkChange::Watchdog { up: true }),
                Told::Silent => Input::Link(LinkChange::Watchdog { up: false }),
                Told::Halt(OwedHalt { actor, reason }) => Input::Operator {
                    actor,
                    command: OperatorCommand::Raise {
                        scope: Scope::Account,
                        to: TradingState::EntriesCancelled,
                        reason,
                    },
                },
            };
            if let Input::Link(LinkChange::Watchdog { up }) = &input {
                self.is_held = *up;
            }
            running.pipeline.hand_in(input);
        }
    }

    /// Whether the sentinel holds a lease.
    pub(crate) fn is_held(&self) -> bool {
        self.is_held
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn keep(shared: &Shared, tell: &Sender<Told>, wake: &Wake) {
    let mut turns = 0;
    let mut answered: Option<Instant> = None;
    let mut was_told_halt = false;
    while !shared.stop.load(Ordering::Relaxed) {
        let now = shared.turns.load(Ordering::Acquire);
        if now != turns {
            turns = now;
            let halt = match renew(shared, false) {
                Ok(halt) => halt,
                Err(error) => {
                    tracing::debug!(%error, "the sentinel does not answer");
                    if answered.take_if(|at| at.elapsed() > SILENT_AFTER).is_some() {
                        tracing::warn!(%error, "no sentinel watches over this gateway");
                        let _ = tell.send(Told::Silent);
                        wake.ring();
                    }
                    std::thread::park_timeout(RENEW_EVERY);
                    continue;
                }
            };
            // A halt that is owed comes before the leave to trade.
            if let Some(halt) = halt {
                if !std::mem::replace(&mut was_told_halt, true) {
                    let _ = tell.send(Told::Halt(halt));
                    wake.ring();
                }
            } else {
                was_told_halt = false;
            }
            if answered.replace(Instant::now()).is_none() {
                let _ = tell.send(Told::Holding);
                wake.ring();
            }
        }
        std::thread::park_timeout(RENEW_EVERY);
    }
    if let Err(error) = renew(shared, true) {
        tracing::debug!(%error, "the sentinel was not told of the end");
    }
}

fn renew(shared: &Shared, leaving: bool) -> Result<Option<OwedHalt>, ControlError> {
    let markets = shared.markets.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let halted = shared.halted.load(Ordering::Relaxed);
    let lease = Lease { markets, halted, leaving };
    match call(&shared.socket, &SentinelRequest::Renew(lease), PATIENCE)? {
        SentinelReply::Renewed { halt } => Ok(halt),
        SentinelReply::Status(_) | SentinelReply::Error { .. } => Err(ControlError::Line),
    }
}

/// The markets in which the gateway may have orders.
fn markets(state: &State) -> Vec<Category> {
    let mut markets: Vec<Category> = state.instruments().map(|one| one.spec.category).collect();
    markets.sort_unstable();
    markets.dedup();
    markets
}
