//! The engine's settings, all of them here, each with its reason.
//!
//! What decides how code is generated goes into [`CellEngine::digest`], which every artifact and the journal's first entry
//! carry: the same artifact gives the same actions on every machine it may run on (RULES T9).

use std::hash::{Hash, Hasher};
use std::num::NonZeroUsize;

use portcullis_core::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OperatorCost, OptLevel, PoolingAllocationConfig,
    Strategy, VariableOperatorCost, WasmBacktraceDetails, WasmFeatures,
};

use crate::ticker::Ticker;

/// Largest linear memory a guest can be allowed, in bytes. It also bounds one `memory.copy`, during which the epoch is not
/// looked at, to a few milliseconds.
pub(crate) const MEMORY_BYTES_CEILING: u64 = 64 << 20;

/// Instances of core modules in one component. One of Python links three dozen modules. This is a count: it costs nothing until it is used.
pub(crate) const CORE_INSTANCES_MAX: u32 = 64;

/// Linear memories of one component.
pub(crate) const MEMORIES_MAX: u32 = 4;

/// Tables of one component.
pub(crate) const TABLES_MAX: u32 = 8;

/// Elements of one table, and of all tables of a guest together; a table is only ever as long as a list of functions.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 20_000;

/// Stack for guest code in bytes. The thread that calls a guest needs a multiple of it, because a thread whose own stack
/// overflows takes the process with it: 4 MiB or more; a main thread has 8.
const WASM_STACK_BYTES: usize = 512 << 10;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// x86-64-v3 as Cranelift names it. Named, never detected: code must not depend on where it was compiled. A host without
/// them fails to make an engine.
const CPU_FLAGS: [&str; 12] = [
    "has_sse3",
    "has_ssse3",
    "has_sse41",
    "has_sse42",
    "has_popcnt",
    "has_cmpxchg16b",
    "has_avx",
    "has_avx2",
    "has_fma",
    "has_bmi1",
    "has_bmi2",
    "has_lzcnt",
];

/// The proposals a guest may use: the smallest set that today's compilers emit, and the one admission validates with. What is
/// missing has its reason: tail calls and function references had faults in how they are metered, 64-bit memories lose the
/// guard pages, relaxed instructions differ between processors, and threads, exceptions, garbage collection, stack switching,
/// several memories a module, small pages, wide arithmetic and the unfinished parts of the component model, async above all,
/// are used by none of our guests.
pub(crate) const PROPOSALS: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::COMPONENT_MODEL);

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Most likely a processor below x86-64-v3, or too little address space.
    #[error("this machine cannot run strategies: {0:#}")]
    Unsupported(#[source] wasmtime::Error),
    /// The thread that watches the clock did not start.
    #[error("no thread for the clock: {0}")]
    Thread(#[from] std::io::Error),
}

/// The engine of a process that runs guests. One a process: types of two engines must not meet.
#[derive(Debug)]
pub struct CellEngine {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    digest: Digest,
}

impl CellEngine {
    /// Makes the engine of a process with one strategy, and starts the thread that advances its epoch.
    ///
    /// # Errors
    ///
    /// On a machine that cannot run our code.
    pub fn new() -> Result<Self, EngineError> {
        Self::for_strategies(1)
    }

    /// Makes the engine of a process that several strategies share: `strategies` of those compiled from Rust or C fit, and fewer that
    /// carry a language runtime.
    ///
    /// # Errors
    ///
    /// On a machine that cannot run our code, or has no address space for so many: 8 GiB each are reserved, and none of it used.
    pub fn for_strategies(strategies: u32) -> Result<Self, EngineError> {
        let mut config = code_config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(strategies)));
        let engine = Engine::new(&config).map_err(EngineError::Unsupported)?;
        let digest = digest(&engine);
        let ticker = Ticker::start(engine.weak())?;
        Ok(Self { engine, ticker, digest })
    }

    /// What decides how code is generated: wasmtime's version, target, processor flags and settings.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// The digest of this binary's engine, without the cost of one that can run guests.
///
/// # Errors
///
/// As [`CellEngine::new`].
pub fn engine_digest() -> Result<Digest, EngineError> {
    Ok(digest(&compiling_engine()?))
}

/// The engine of the compile child: it generates the code a [`CellEngine`] loads, and has no pool, whose address space would
/// not fit the child's limit.
pub(crate) fn compiling_engine() -> Result<Engine, EngineError> {
    Engine::new(&code_config()).map_err(EngineError::Unsupported)
}

/// Everything that shapes code, and with it the digest.
fn code_config() -> Config {
    let mut config = Config::new();
    // An unknown target is the only error there is, and it would show at once in `Engine::new`, whose target then is the
    // host's: the digest differs and nothing loads.
    if config.target(TARGET).is_err() {
        tracing::error!(TARGET, "unknown target");
    }
    // Winch had four of the eleven advisories of 2026-04-09.
    config.strategy(Strategy::Cranelift);
    config.cranelift_opt_level(OptLevel::Speed);
    enable_cpu_flags(&mut config);

    // A call costs 270 ns instead of 720 without the state of concurrent tasks.
    config.concurrency_support(false);

    // A budget that does not depend on the machine; replay decides by it alone.
    config.consume_fuel(true);
    config.operator_cost(operator_cost());
    // The backstop on the wall clock, for code that is slow for its fuel.
    config.epoch_interruption(true);
    // One NaN instead of many: floats are the same on every processor. Money is fixed-point, so only indicators pay.
    config.cranelift_nan_canonicalization(true);

    // Everything that is not on the list is off, also what a later wasmtime may come to have on by default.
    config.wasm_features(PROPOSALS.complement(), false);
    config.wasm_features(PROPOSALS, true);
    // Relaxed instructions may differ between processors: off with the rest, and deterministic should they ever be on.
    config.relaxed_simd_deterministic(true);
    config.gc_support(false);
    config.shared_memory(false);

    // Guard pages and signals: without them bounds checks double the cost, and the mitigation of Spectre goes away.
    config.signals_based_traps(true);
    config.memory_reservation(4 << 30);
    config.memory_guard_size(32 << 20);
    config.guard_before_linear_memory(true);
    config.memory_may_move(false);
    config.max_wasm_stack(WASM_STACK_BYTES);

    // Instances start from a shared image of the first memory: 8 µs instead of copying it.
    config.memory_init_cow(true);
    config.table_lazy_init(true);

    // A fault names its functions. Nothing of ours unwinds through guest code.
    config.wasm_backtrace_max_frames(NonZeroUsize::new(32));
    config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    config.generate_address_map(true);
    config.native_unwind_info(false);
    config
}

#[expect(unsafe_code, reason = "wasmtime marks raw Cranelift flags unsafe")]
fn enable_cpu_flags(config: &mut Config) {
    for flag in CPU_FLAGS {
        // SAFETY: each flag only lets Cranelift use instructions of a processor feature. `Engine::new` and every load of an
        // artifact check the features against the running processor and fail without them.
        unsafe { config.cranelift_flag_enable(flag) };
    }
}

/// One unit an instruction as usual, but memory is not free: by default `memory.grow` costs the same for one page and for all.
fn operator_cost() -> OperatorCost {
    let mut cost = OperatorCost::new();
    cost.variable = VariableOperatorCost { memory_grow_per_page: u8::MAX, ..VariableOperatorCost::new() };
    cost
}

/// A hard ceiling for one process, and a refusal of components that want too much, before anything of theirs runs. One instance
/// more than there are strategies fits, so that a new one can be made while an old one is dropped. Room for the largest component
/// there may be is added once and not for every strategy.
fn pool(strategies: u32) -> PoolingAllocationConfig {
    let each = |most: u32, usual: u32| most.saturating_add(usual.saturating_mul(strategies));
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(each(1, 1));
    pool.max_component_instance_size(1 << 20);
    pool.total_core_instances(each(CORE_INSTANCES_MAX, CORE_INSTANCES_MAX));
    pool.max_core_instances_per_component(CORE_INSTANCES_MAX);
    pool.max_core_instance_size(1 << 20);
    pool.total_memories(each(6, 2));
    pool.max_memories_per_component(MEMORIES_MAX);
    pool.max_memories_per_module(1);
    pool.max_memory_size(usize::try_from(MEMORY_BYTES_CEILING).unwrap_or(usize::MAX));
    pool.total_tables(each(14, 2));
    pool.max_tables_per_component(TABLES_MAX);
    pool.max_tables_per_module(4);
    pool.table_elements(TABLE_ELEMENTS_MAX);
    // Keep the address ranges of the last instance ready for the next, but none of its bytes.
    pool.max_unused_warm_slots(4);
    pool.linear_memory_keep_resident(0);
    pool.table_keep_resident(0);
    // Where wasmtime has its async code, for the binary of the wasi tier, the pool also sets aside stacks for it: a thousand, which a
    // cell's bound on memory does not allow. No call of ours is async.
    #[cfg(feature = "async-built-in")]
    pool.total_stacks(1);
    // Still being evaluated upstream.
    pool.pagemap_scan(Enabled::No);
    pool
}

pub(crate) fn digest(engine: &Engine) -> Digest {
    let mut hasher = Sha256Hasher(Sha256::new());
    hasher.write(b"portcullis engine 1");
    engine.precompile_compatibility_hash().hash(&mut hasher);
    (TARGET, CPU_FLAGS).hash(&mut hasher);
    Digest(hasher.0.finalize().into())
}

/// Feeds what wasmtime hashes into SHA-256 instead of 64 bits.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Only the digest is read.
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_compiled_without_a_pool_fits_the_engine_with_one() {
        assert_eq!(engine_digest().unwrap(), CellEngine::new().unwrap().digest());
    }

    #[test]
    fn the_digest_moves_with_the_settings_that_shape_code() {
        let mut other = code_config();
        other.cranelift_nan_canonicalization(false);
        assert_ne!(digest(&Engine::new(&other).unwrap()), engine_digest().unwrap());
    }

    #[test]
    fn every_proposal_off_the_list_is_off() {
        let config = compiling_engine().unwrap();
        assert_eq!(config.get_wasm_features(), PROPOSALS);
        for (name, proposal) in [
            ("function references", WasmFeatures::FUNCTION_REFERENCES),
            ("tail calls", WasmFeatures::TAIL_CALL),
            ("memory64", WasmFeatures::MEMORY64),
            ("multi-memory", WasmFeatures::MULTI_MEMORY),
            ("exceptions", WasmFeatures::EXCEPTIONS),
            ("legacy exceptions", WasmFeatures::LEGACY_EXCEPTIONS),
            ("relaxed simd", WasmFeatures::RELAXED_SIMD),
            ("threads", WasmFeatures::THREADS),
            ("shared everything", WasmFeatures::SHARED_EVERYTHING_THREADS),
            ("gc", WasmFeatures::GC),
            ("gc types", WasmFeatures::GC_TYPES),
            ("stack switching", WasmFeatures::STACK_SWITCHING),
            ("wide arithmetic", WasmFeatures::WIDE_ARITHMETIC),
            ("custom page sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
            ("component async", WasmFeatures::CM_ASYNC),
            ("component threading", WasmFeatures::CM_THREADING),
            ("component error context", WasmFeatures::CM_ERROR_CONTEXT),
            ("component gc", WasmFeatures::CM_GC),
            ("component maps", WasmFeatures::CM_MAP),
            ("component memory64", WasmFeatures::CM64),
            ("component fixed-length lists", WasmFeatures::CM_FIXED_LENGTH_LISTS),
            ("component values", WasmFeatures::CM_VALUES),
        ] {
            assert!(!config.get_wasm_features().intersects(proposal), "{name}");
        }
    }

    #[test]
    fn every_setting_is_as_documented() {
        let config = compiling_engine().unwrap();
        assert_eq!(config.get_strategy(), Some(Strategy::Cranelift));
        assert_eq!(config.get_cranelift_opt_level(), Some(OptLevel::Speed));
        assert_eq!(config.get_target().as_deref(), Some(TARGET));
        assert!(config.get_consume_fuel() && config.get_epoch_interruption());
        assert!(!config.get_concurrency_support());
        assert_eq!(config.get_cranelift_nan_canonicalization(), Some(true));
        assert!(config.get_relaxed_simd_deterministic() && !config.get_shared_memory());
        assert!(config.get_signals_based_traps());
        assert_eq!(config.get_memory_reservation(), 4 << 30);
        assert_eq!(config.get_memory_guard_size(), 32 << 20);
        assert!(config.get_guard_before_linear_memory() && !config.get_memory_may_move());
        assert!(config.get_memory_init_cow() && config.get_table_lazy_init());
        assert_eq!(config.get_max_wasm_stack(), 512 << 10);
        assert_eq!(config.get_wasm_backtrace_max_frames(), 32);
        assert!(config.get_generate_address_map());
        assert_eq!(config.get_native_unwind_info(), Some(false));
        assert!(!config.get_guest_debug() && !config.get_debug_info());
        assert_eq!(operator_cost().variable.memory_grow_per_page, 255);
    }

    #[test]
    fn the_pool_is_a_ceiling_for_one_component() {
        let pool = pool(1);
        assert_eq!(pool.get_max_memory_size(), 64 << 20);
        assert_eq!(pool.get_max_core_instances_per_component(), 64);
        assert_eq!(pool.get_max_memories_per_component(), 4);
        assert_eq!(pool.get_max_tables_per_component(), 8);
        assert_eq!(pool.get_max_memories_per_module(), 1);
        assert_eq!(pool.get_table_elements(), 20_000);
        assert_eq!(pool.get_memory_keep_resident(), 0);
        assert_eq!(pool.get_pagemap_scan(), Enabled::No);
    }
}
