//! The fixed set: clocks that show event time, randomness from a seed in the journal, output into the strategy's log, no environment,
//! no input. No files, no sockets, no HTTP: that code is not linked, so no guest can reach it.

use portcullis_cell::{Imports, OutputLine, Setup, StoreData};
use portcullis_core::Timestamp;
use rand::SeedableRng as _;
use rand::rngs::ChaCha20Rng;
use sha2::{Digest as _, Sha256};
use wasmtime::component::{HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::p2::bindings::{cli, clocks, random, sync};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::clock::EventClock;
use crate::output::{NoInput, Output, Stream};

/// Most bytes of randomness in one call.
const RANDOM_BYTES_MAX: u64 = 4_096;

/// Most handles a guest may hold; wasmtime's own bound is a million.
const HANDLES_MAX: usize = 1_024;

/// The state of one instance's imports.
pub(crate) struct WasiImports {
    clock: EventClock,
    output: Output,
    context: WasiCtx,
    table: ResourceTable,
}

impl Imports for WasiImports {
    fn new() -> Self {
        let (clock, output) = (EventClock::default(), Output::default());
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        // What a guest draws before it is told anything is the same for all.
        let context = context(&clock, &output, [0; 32]);
        Self { clock, output, context, table }
    }

    fn link(linker: &mut Linker<StoreData<Self>>) -> wasmtime::Result<()> {
        type Data = StoreData<WasiImports>;
        clocks::wall_clock::add_to_linker::<Data, WasiClocks>(linker, |data| data.imports.clocks())?;
        clocks::monotonic_clock::add_to_linker::<Data, HasSelf<EventClock>>(linker, |data| {
            &mut data.imports.clock
        })?;
        random::random::add_to_linker::<Data, WasiRandom>(linker, |data| data.imports.context.random())?;
        random::insecure::add_to_linker::<Data, WasiRandom>(linker, |data| data.imports.context.random())?;
        random::insecure_seed::add_to_linker::<Data, WasiRandom>(linker, |data| {
            data.imports.context.random()
        })?;
        cli::environment::add_to_linker::<Data, WasiCli>(linker, |data| data.imports.cli())?;
        cli::exit::add_to_linker::<Data, WasiCli>(linker, |data| data.imports.cli())?;
        cli::stdin::add_to_linker::<Data, WasiCli>(linker, |data| data.imports.cli())?;
        cli::stdout::add_to_linker::<Data, WasiCli>(linker, |data| data.imports.cli())?;
        cli::stderr::add_to_linker::<Data, WasiCli>(linker, |data| data.imports.cli())?;
        cli::terminal_input::add_to_linker::<Data, WasiCli>(linker, |data| data.imports.cli())?;
        cli::terminal_output::add_to_linker::<Data, WasiCli>(linker, |data| data.imports.cli())?;
        cli::terminal_stdin::add_to_linker::<Data, WasiCli>(linker, |data| data.imports.cli())?;
        cli::terminal_stdout::add_to_linker::<Data, WasiCli>(linker, |data| data.imports.cli())?;
        cli::terminal_stderr::add_to_linker::<Data, WasiCli>(linker, |data| data.imports.cli())?;
        sync::io::error::add_to_linker::<Data, Streams>(linker, |data| &mut data.imports.table)?;
        sync::io::poll::add_to_linker::<Data, Streams>(linker, |data| &mut data.imports.table)?;
        sync::io::streams::add_to_linker::<Data, Streams>(linker, |data| &mut data.imports.table)
    }

    fn prepare(&mut self, setup: &Setup) {
        self.context = context(&self.clock, &self.output, seed(setup));
    }

    fn enter(&mut self, at: Timestamp) {
        self.clock.set(at);
    }

    fn take_lines(&mut self) -> Vec<OutputLine> {
        self.output.take()
    }
}

impl WasiView for WasiImports {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.context, table: &mut self.table }
    }
}

/// Where the streams of a guest are kept.
struct Streams;

impl HasData for Streams {
    type Data<'a> = &'a mut ResourceTable;
}

/// Everything but the seed is the same for all. The builder's own clocks and randomness are the machine's, so each is replaced.
fn context(clock: &EventClock, output: &Output, seed: [u8; 32]) -> WasiCtx {
    let [secure, insecure, fixed] = ["secure", "insecure", "fixed"].map(|name| derived(seed, name));
    let fixed = fixed.first_chunk().copied().map(u128::from_le_bytes).unwrap_or_default();
    WasiCtx::builder()
        .allow_blocking_current_thread(false)
        .wall_clock(clock.clone())
        .monotonic_clock(clock.clone())
        .secure_random(ChaCha20Rng::from_seed(secure))
        .insecure_random(ChaCha20Rng::from_seed(insecure))
        .insecure_random_seed(fixed)
        .max_random_size(RANDOM_BYTES_MAX)
        .stdin(NoInput)
        .stdout(output.stream(Stream::Output))
        .stderr(output.stream(Stream::Errors))
        .build()
}

/// A seed from what the strategy is told at its start, all of which the journal holds: a replay draws the same numbers, and two
/// strategies, or two starts of one, draw different ones.
fn seed(setup: &Setup) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"portcullis wasi seed\0");
    hash.update(setup.start_time.0.to_le_bytes());
    for (name, value) in &setup.parameters {
        for text in [name, value] {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
    }
    for instrument in &setup.instruments {
        let symbol = instrument.symbol.to_string();
        hash.update(symbol.len().to_le_bytes());
        hash.update(symbol);
    }
    hash.finalize().into()
}

fn derived(seed: [u8; 32], name: &str) -> [u8; 32] {
    Sha256::new_with_prefix(seed).chain_update(name).finalize().into()
}
