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
    Strategy, VariableOperatorCost, WasmBacktraceDetails,
};

use crate::ticker::Ticker;

/// Largest linear memory a guest can be allowed, in bytes. It also bounds one `memory.copy`, during which the epoch is not
/// looked at, to a few milliseconds.
pub(crate) const MEMORY_BYTES_CEILING: u64 = 64 << 20;

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

    // The typed boundary, and of the component model nothing that is not finished.
    config.wasm_component_model(true);
    // A call costs 270 ns instead of 720 without the state of concurrent tasks.
    config.concurrency_support(false);

    // A budget that does not depend on the machine; replay decides by it alone.
    config.consume_fuel(true);
    config.operator_cost(operator_cost());
    // The backstop on the wall clock, for code that is slow for its fuel.
    config.epoch_interruption(true);
    // One NaN instead of many: floats are the same on every processor. Money is fixed-point, so only indicators pay.
    config.cranelift_nan_canonicalization(true);

    // The smallest set of proposals that today's compilers emit. Threads, exceptions, function references and the component
    // model's async are not even built in.
    config.wasm_bulk_memory(true);
    config.wasm_multi_value(true);
    config.wasm_extended_const(true);
    config.wasm_simd(true);
    // Relaxed instructions may differ between processors: off, and deterministic should they ever be on.
    config.wasm_relaxed_simd(false);
    config.relaxed_simd_deterministic(true);
    // Tail calls had crashes of their own in 2024.
    config.wasm_tail_call(false);
    // 64-bit memories lose the guard pages.
    config.wasm_memory64(false);
    config.wasm_multi_memory(false);
    config.wasm_gc(false);
    config.gc_support(false);
    config.wasm_stack_switching(false);
    config.wasm_custom_page_sizes(false);
    config.wasm_wide_arithmetic(false);
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
    pool.total_core_instances(each(28, 4));
    pool.max_core_instances_per_component(16);
    pool.max_core_instance_size(1 << 20);
    pool.total_memories(each(6, 2));
    pool.max_memories_per_component(4);
    pool.max_memories_per_module(1);
    pool.max_memory_size(usize::try_from(MEMORY_BYTES_CEILING).unwrap_or(usize::MAX));
    pool.total_tables(each(14, 2));
    pool.max_tables_per_component(8);
    pool.max_tables_per_module(4);
    pool.table_elements(20_000);
    // Keep the address ranges of the last instance ready for the next, but none of its bytes.
    pool.max_unused_warm_slots(4);
    pool.linear_memory_keep_resident(0);
    pool.table_keep_resident(0);
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
}
