//! Calls into a strategy: in this process, in a cell process, after a fault, and one that never comes back. Then many of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use portcullis_cell::{CellEngine, CellLimits, CellRequest, Guest, Program, compile};

use super::cell_process::CellProcess;
use super::{Figures, Samples, crowd, guest, scaled};
use crate::failure::Failure;

const ROUNDS: usize = 10;
const ROUND_TRIPS: usize = 5_000;
const RESTARTS: usize = 200;
const RUNAWAYS: usize = 20;
const RUNAWAY_DEADLINE_MS: u32 = 5;
const DEFAULTS: [(&str, &str); 4] = [("fast", "10"), ("slow", "20"), ("size", "0.01"), ("orders", "true")];

/// Measures the `cell_*` figures.
pub(super) fn measure(figures: &mut Figures) -> Result<(), Failure> {
    let component = guest::ema_cross()?;
    let engine = Arc::new(CellEngine::new().map_err(anyhow::Error::new)?);
    calls(figures, &engine, &component)?;
    runaway(figures, &engine)?;
    process(figures, &component)?;
    crowd::measure(figures, &component)
}

fn calls(figures: &mut Figures, engine: &Arc<CellEngine>, component: &[u8]) -> Result<(), Failure> {
    let mut guest = start(engine, component, guest::LIMITS)?;
    guest.init(&guest::setup(&DEFAULTS)?).map_err(anyhow::Error::new)?.map_err(anyhow::Error::new)?;
    for (name, size, calls) in
        [("cell_event_ns_1", 1, 40_000_u32), ("cell_event_ns_16", 16, 2_500), ("cell_event_ns_256", 256, 160)]
    {
        let frame = guest::trades(size)?;
        let mut samples = Samples::default();
        // Rounds, of which the least counts, in time of the processor: on a busy machine another process takes it, and the caches, in
        // most of them.
        for _ in 0..ROUNDS {
            let started = processor_time();
            for _ in 0..calls {
                guest.on_frame(&frame).map_err(anyhow::Error::new)?;
            }
            samples.push(processor_time().saturating_sub(started));
        }
        let events = u64::from(calls).saturating_mul(size);
        figures.insert(name.to_owned(), scaled(samples.rank(0), events));
    }
    Ok(())
}

/// What this thread has had of the processor so far.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn runaway(figures: &mut Figures, engine: &Arc<CellEngine>) -> Result<(), Failure> {
    let limits =
        CellLimits { fuel_per_event: 10_000_000_000, deadline_ms: RUNAWAY_DEADLINE_MS, ..guest::LIMITS };
    let mut guest = start(engine, &guest::runaway()?, limits)?;
    let frame = guest::trades(1)?;
    let mut samples = Samples::default();
    for _ in 0..RUNAWAYS {
        let started = Instant::now();
        if guest.on_frame(&frame).is_ok() {
            return Err(Failure::Environment(anyhow!("the runaway came back by itself")));
        }
        samples.push(started.elapsed().saturating_sub(Duration::from_millis(RUNAWAY_DEADLINE_MS.into())));
        guest.restart().map_err(anyhow::Error::new)?;
    }
    figures.insert("cell_runaway_stop_ms".to_owned(), scaled(samples.rank(990), 1_000_000));
    Ok(())
}

fn start(engine: &Arc<CellEngine>, component: &[u8], limits: CellLimits) -> Result<Guest, Failure> {
    let artifact = compile(component).map_err(anyhow::Error::new)?;
    let program = Program::load(engine, &artifact).map_err(anyhow::Error::new)?;
    Guest::start(program, limits).map_err(|failed| Failure::Environment(anyhow::Error::new(failed.1)))
}

fn process(figures: &mut Figures, component: &[u8]) -> Result<(), Failure> {
    let mut process = CellProcess::start(component, &DEFAULTS)?;
    let frame = guest::trades(1)?;
    let mut samples = Samples::default();
    for _ in 0..ROUND_TRIPS {
        let started = Instant::now();
        process.ask(&CellRequest::Frame(&frame))?;
        samples.push(started.elapsed());
    }
    figures.insert("cell_process_p50_us".to_owned(), scaled(samples.rank(500), 1_000));

    let setup = guest::setup(&DEFAULTS)?;
    let mut samples = Samples::default();
    for _ in 0..RESTARTS {
        let started = Instant::now();
        process.ask(&CellRequest::Reset)?;
        process.ask(&CellRequest::Init(setup.clone()))?;
        samples.push(started.elapsed());
    }
    figures.insert("cell_restart_ms".to_owned(), scaled(samples.rank(500), 1_000_000));
    Ok(())
}
