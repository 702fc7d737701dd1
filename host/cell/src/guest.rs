//! One strategy's instance and the calls into it.
//!
//! Fuel and deadline are set before every entry, instantiation included, because start functions and allocation run guest
//! code too. The first fault drops the store, whose instance could not be entered again anyway; [`Guest::restart`] makes a
//! new one.

use std::sync::Arc;

use portcullis_core::Outcome;
use wasmtime::{Store, Trap, WasmBacktrace};

use crate::bindings::{self, ACTION_BYTES, CallError, Instance};
use crate::engine::CellEngine;
use crate::imports::{Imports, StoreData, append_lines};
use crate::limiter::Limiter;
use crate::protocol::{
    ACTIONS_PER_FRAME_MAX, CellFault, CellLimits, Description, FaultKind, FrameOutcome, InitRefusal,
    MemoryUse, RestoreRefusal, SNAPSHOT_BYTES_MAX, Setup, Snapshot,
};
use crate::ticker::TICK_MS;
use crate::{Artifact, ArtifactError, contract, frame};

/// Fuel for `describe`, which returns constants.
const DESCRIBE_FUEL: u64 = 10_000_000;

/// Fuel for instantiation, `init`, `snapshot` and `restore`: seldom, and off the hot path. Spent well within the deadline
/// below, so that it is fuel that decides.
const LIFECYCLE_FUEL: u64 = 250_000_000;

/// Wall time for everything but a frame, in milliseconds.
const LIFECYCLE_DEADLINE_MS: u64 = 1_000;

/// Bytes a guest may hand over in one call, besides the plain size of its actions.
const HOSTCALL_BYTES: usize = 256 * 1024;

/// What wasmtime says when a guest hands over more. Its type is not public; a test holds the words.
const HOSTCALL_EXHAUSTED: &str = "fuel allocated for hostcalls has been exhausted";

/// Lines of a backtrace that a fault's detail quotes.
const BACKTRACE_LINES: usize = 8;

/// Most handles of components; a strategy needs none.
const HANDLES_MAX: usize = 64;

/// Why a component cannot run here at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The artifact is not for this engine.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The code does not load, or the component does not fit the version of the contract it names.
    #[error("the component does not fit the contract ({served} served here): {0:#}", served = bindings::CONTRACTS.join(", "))]
    Unfit(#[source] wasmtime::Error),
}

/// A strategy's code, ready to be instantiated with the imports `I`.
pub struct Program<I: Imports = ()> {
    engine: Arc<CellEngine>,
    program: Arc<bindings::Program<StoreData<I>>>,
}

impl Program {
    /// Loads an artifact into the process's engine.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; a component with an import, or without one of the contract's functions, is unfit.
    pub fn load(engine: &Arc<CellEngine>, artifact: &Artifact) -> Result<Self, LoadError> {
        Self::load_with_imports(engine, artifact)
    }
}

impl<I: Imports> Program<I> {
    /// Loads an artifact that may import what `I` offers.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; a component with any other import, or without one of the contract's functions, is unfit.
    pub fn load_with_imports(engine: &Arc<CellEngine>, artifact: &Artifact) -> Result<Self, LoadError> {
        artifact.check_engine(engine.digest())?;
        let component = deserialize(engine, artifact).map_err(LoadError::Unfit)?;
        // Now, and not at the first instance: a cell has given up what it takes by then.
        component.initialize_copy_on_write_image().map_err(LoadError::Unfit)?;
        let program =
            bindings::Program::new(&engine.engine, &component, I::link).map_err(LoadError::Unfit)?;
        Ok(Self { engine: Arc::clone(engine), program: Arc::new(program) })
    }

    /// Whether another strategy, or anybody else, holds the same loaded program.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.program) > 1
    }
}

impl<I: Imports> Clone for Program<I> {
    fn clone(&self) -> Self {
        Self { engine: Arc::clone(&self.engine), program: Arc::clone(&self.program) }
    }
}

#[expect(unsafe_code, reason = "native code becomes callable exactly here")]
fn deserialize(engine: &CellEngine, artifact: &Artifact) -> wasmtime::Result<wasmtime::component::Component> {
    // SAFETY: the bytes must come from `Engine::precompile_component`, unchanged. An `Artifact` is only ever made by `compile`
    // itself, from a sealed memory file of the parent process, or after its HMAC was verified; and its engine digest, checked by
    // the caller, says that a compiler of this very version and settings made it. The bytes are copied before they are used.
    unsafe { wasmtime::component::Component::deserialize(&engine.engine, artifact.code()) }
}

impl<I: Imports> std::fmt::Debug for Program<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("engine", &self.engine).finish_non_exhaustive()
    }
}

/// One running strategy.
pub struct Guest<I: Imports = ()> {
    program: Program<I>,
    limits: CellLimits,
    live: Option<Live<I>>,
}

/// The part of a guest that a fault takes away.
struct Live<I: Imports> {
    store: Store<StoreData<I>>,
    instance: Instance,
    /// Known after the first `describe`; a snapshot is labelled with it.
    snapshot_version: Option<u32>,
}

impl<I: Imports> Guest<I> {
    /// Instantiates a program. Call it, and everything after it, on a thread with a stack of 4 MiB or more.
    ///
    /// # Errors
    ///
    /// The fault, with the guest to try again with.
    pub fn start(program: Program<I>, limits: CellLimits) -> Result<Self, Box<(Self, CellFault)>> {
        let mut guest = Self { program, limits, live: None };
        match guest.restart() {
            Ok(()) => Ok(guest),
            Err(fault) => Err(Box::new((guest, fault))),
        }
    }

    /// Throws the instance away, if there is one, and makes a new one from the same code.
    ///
    /// # Errors
    ///
    /// When the start function traps, or the component wants more than its limits.
    pub fn restart(&mut self) -> Result<(), CellFault> {
        self.live = None;
        let data = StoreData { limiter: Limiter::new(self.limits.memory_bytes_max), imports: I::new() };
        let mut store = Store::new(&self.program.engine.engine, data);
        store.limiter(|data| &mut data.limiter);
        store.set_max_component_handles(HANDLES_MAX);
        let budget = Budget::LIFECYCLE;
        let instance = {
            let _inside = self.program.engine.ticker.enter();
            arm(&mut store, &budget).and_then(|()| self.program.program.instantiate(&mut store))
        };
        match instance {
            Ok(instance) => {
                self.live = Some(Live { store, instance, snapshot_version: None });
                Ok(())
            }
            Err(error) => Err(diagnose(CallError::Wasm(error), &store, &budget, FaultKind::Host)),
        }
    }

    /// Whether there is an instance to call.
    pub fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// Bytes of the guest's linear memories now.
    pub fn memory_bytes(&self) -> usize {
        self.live.as_ref().map_or(0, |live| live.store.data().limiter.memory_bytes())
    }

    /// What the strategy is.
    ///
    /// # Errors
    ///
    /// A fault; a description out of the contract's bounds is [`FaultKind::Protocol`].
    pub fn describe(&mut self) -> Result<Description, CellFault> {
        let budget = Budget { fuel: DESCRIBE_FUEL, ..Budget::LIFECYCLE };
        let (description, _) = self.call(&budget, |instance, store| instance.describe(store))?;
        if let Some(live) = &mut self.live {
            live.snapshot_version = Some(description.snapshot_version);
        }
        Ok(description)
    }

    /// Prepares the strategy. The inner error is its own answer and no fault.
    ///
    /// # Errors
    ///
    /// A fault.
    pub fn init(&mut self, setup: &Setup) -> Result<Result<(), InitRefusal>, CellFault> {
        if let Some(live) = &mut self.live {
            let imports = &mut live.store.data_mut().imports;
            imports.prepare(setup);
            imports.enter(setup.start_time);
        }
        Ok(self.call(&Budget::LIFECYCLE, |instance, store| instance.init(store, setup))?.0)
    }

    /// Hands over one frame.
    ///
    /// # Errors
    ///
    /// A fault. [`FaultKind::Protocol`] for an outcome that breaks the contract whatever the events were; the stop rule
    /// itself is checked by the gateway, which knows the timers.
    pub fn on_frame(&mut self, frame: &[u8]) -> Result<FrameOutcome, CellFault> {
        let (Some(records), Some(at)) = (frame::records(frame), frame::first_time(frame)) else {
            return Err(CellFault::new(FaultKind::Host, "the frame's header is damaged", 0));
        };
        if let Some(live) = &mut self.live {
            live.store.data_mut().imports.enter(at);
        }
        let limits = self.limits;
        let log_bytes_max = usize::try_from(limits.log_bytes_max).unwrap_or(usize::MAX);
        let budget = Budget::frame(&limits, records);
        let (outcome, fuel) = self.call(&budget, |instance, store| {
            let outcome = instance.on_frame(store, frame, log_bytes_max)?;
            contract::check(&outcome, records, &limits).map_err(CallError::Contract)?;
            Ok(outcome)
        })?;
        let outcome = self.with_output(outcome, log_bytes_max);
        Ok(FrameOutcome { outcome, fuel })
    }

    /// The outcome with what the guest wrote as log lines. Only guests with imports can write.
    fn with_output(&mut self, mut outcome: Outcome, log_bytes_max: usize) -> Outcome {
        let Some(live) = &mut self.live else { return outcome };
        let lines = live.store.data_mut().imports.take_lines();
        if !lines.is_empty() {
            let cause = outcome.consumed.saturating_sub(1);
            let of_cause = outcome.actions.iter().filter(|action| action.cause == cause);
            let most = usize::try_from(self.limits.actions_per_event_max).unwrap_or(usize::MAX);
            let left = most.saturating_sub(of_cause.count());
            append_lines(lines, &mut outcome.actions, cause, left, log_bytes_max);
        }
        outcome
    }

    /// The strategy's state.
    ///
    /// # Errors
    ///
    /// A fault; a snapshot above [`SNAPSHOT_BYTES_MAX`] is [`FaultKind::Protocol`].
    pub fn snapshot(&mut self) -> Result<Snapshot, CellFault> {
        let version = match self.live.as_ref().and_then(|live| live.snapshot_version) {
            Some(version) => version,
            None => self.describe()?.snapshot_version,
        };
        let (bytes, _) = self.call(&Budget::LIFECYCLE, |instance, store| {
            let bytes = instance.snapshot(store)?;
            if bytes.len() > SNAPSHOT_BYTES_MAX {
                let detail = format!("a snapshot of {} bytes, at most {SNAPSHOT_BYTES_MAX}", bytes.len());
                return Err(CallError::Contract(detail));
            }
            Ok(bytes)
        })?;
        Ok(Snapshot { version, bytes })
    }

    /// Takes over a state. The inner error is the strategy's own answer and no fault.
    ///
    /// # Errors
    ///
    /// A fault.
    pub fn restore(&mut self, version: u32, bytes: &[u8]) -> Result<Result<(), RestoreRefusal>, CellFault> {
        Ok(self.call(&Budget::LIFECYCLE, |instance, store| instance.restore(store, version, bytes))?.0)
    }

    /// One entry into the guest; returns the result and the fuel it took.
    fn call<R>(
        &mut self,
        budget: &Budget,
        call: impl FnOnce(&Instance, &mut Store<StoreData<I>>) -> Result<R, CallError>,
    ) -> Result<(R, u64), CellFault> {
        let Some(live) = &mut self.live else {
            return Err(CellFault::new(FaultKind::Host, "called after a fault and before a restart", 0));
        };
        let result = {
            let _inside = self.program.engine.ticker.enter();
            match arm(&mut live.store, budget) {
                Ok(()) => call(&live.instance, &mut live.store),
                Err(error) => Err(CallError::Wasm(error)),
            }
        };
        match result {
            Ok(value) => {
                let left = live.store.get_fuel().unwrap_or_default();
                Ok((value, budget.fuel.saturating_sub(left)))
            }
            Err(error) => {
                // A returned value that does not lift, without a trap: the guest broke the contract's types.
                let fault = diagnose(error, &live.store, budget, FaultKind::Protocol);
                self.live = None;
                Err(fault)
            }
        }
    }
}

impl<I: Imports> std::fmt::Debug for Guest<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest")
            .field("limits", &self.limits)
            .field("live", &self.is_live())
            .finish_non_exhaustive()
    }
}

/// What one entry may use.
struct Budget {
    fuel: u64,
    deadline_ms: u64,
    hostcall_bytes: usize,
}

impl Budget {
    const LIFECYCLE: Self =
        Self { fuel: LIFECYCLE_FUEL, deadline_ms: LIFECYCLE_DEADLINE_MS, hostcall_bytes: 2 * HOSTCALL_BYTES };

    /// Fuel and actions grow with the events of the frame, the deadline does not.
    fn frame(limits: &CellLimits, records: u32) -> Self {
        let most = u64::from(records).saturating_mul(limits.actions_per_event_max.into());
        let actions = usize::try_from(most).unwrap_or(usize::MAX).min(ACTIONS_PER_FRAME_MAX);
        Self {
            fuel: limits.fuel_per_event.saturating_mul(records.into()),
            deadline_ms: limits.deadline_ms.into(),
            // One action more than allowed still gets through, to be refused with its number.
            hostcall_bytes: actions
                .saturating_add(1)
                .saturating_mul(ACTION_BYTES)
                .saturating_add(HOSTCALL_BYTES),
        }
    }
}

/// Before every entry, instantiation included: an allowance that was set once would leave the later entries without one.
fn arm<I>(store: &mut Store<StoreData<I>>, budget: &Budget) -> wasmtime::Result<()> {
    store.data_mut().limiter.enter();
    store.set_fuel(budget.fuel)?;
    store.set_hostcall_fuel(budget.hostcall_bytes);
    // The running tick may end at once, hence one more.
    let ticks = budget.deadline_ms.div_ceil(TICK_MS);
    store.set_epoch_deadline(ticks.saturating_add(1));
    Ok(())
}

/// Names the first cause of a failed entry. `untrapped` is what a failure without a trap means here.
fn diagnose<I>(
    error: CallError,
    store: &Store<StoreData<I>>,
    budget: &Budget,
    untrapped: FaultKind,
) -> CellFault {
    let error = match error {
        CallError::Contract(detail) => return CellFault::new(FaultKind::Protocol, detail, budget.fuel),
        CallError::Wasm(error) => error,
    };
    let limiter = &store.data().limiter;
    let trap = error.downcast_ref::<Trap>().copied();
    let refused = limiter.refused();
    let kind = match trap {
        Some(Trap::OutOfFuel) => FaultKind::OutOfFuel,
        Some(Trap::Interrupt) => FaultKind::Deadline,
        _ if limiter.is_host_short() => FaultKind::Host,
        // A guest that is refused memory panics, traps or cannot even start.
        _ if refused.is_some_and(|refusal| refusal.in_this_entry) => FaultKind::OutOfMemory,
        Some(_) => FaultKind::Trap,
        None => untrapped,
    };
    let mut detail = trap.map_or_else(|| error.root_cause().to_string(), |trap| trap.to_string());
    if detail.contains(HOSTCALL_EXHAUSTED) {
        detail = format!("it handed over more than the {} bytes a call may", budget.hostcall_bytes);
    }
    if limiter.is_host_short() {
        detail.push_str("; this machine had no memory for it within its limit");
    } else if let Some(refusal) = refused {
        let when = if refusal.in_this_entry { "likely memory: it had asked" } else { "earlier it had asked" };
        let (asked, allowed) = (refusal.asked, refusal.allowed);
        detail.push_str(&format!("; {when} for {asked} bytes of memory, {allowed} are allowed"));
    }
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::to_string).unwrap_or_default();
    // The first line is a heading; the innermost functions come next, with their names demangled.
    let functions = backtrace.lines().skip(1).map(str::trim);
    for line in functions.clone().take(BACKTRACE_LINES) {
        detail.push_str("; ");
        detail.push_str(line);
    }
    let mut fault = CellFault::new(kind, detail, budget.fuel).within(functions.map(str::to_owned));
    let bytes = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
    fault.memory = MemoryUse {
        bytes: bytes(limiter.memory_bytes()),
        asked_bytes: refused.map(|refusal| bytes(refusal.asked)),
    };
    fault
}
