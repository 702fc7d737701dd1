//! Many strategies at once: how soon they are up, and what they take.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Context as _;
use portcullis_cell::{CellPlace, CellRequest, StartedCell};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::cell_process::{Runner, answer};
use super::{Figures, guest, scaled};
use crate::failure::Failure;

/// Strategies with a process of their own.
const OWN: usize = 100;

/// Strategies in shared processes.
const SHARED: usize = 1_000;

/// Frames each of them handles before its memory is looked at, with this many trades each.
const FRAMES: usize = 30;
const TRADES: u64 = 16;

const PARAMETERS: [(&str, &str); 4] = [("fast", "10"), ("slow", "20"), ("size", "0.01"), ("orders", "true")];

/// Measures `cells_own_100_*` and `cells_shared_1000_*`: milliseconds until all of them are initialised, and memory of each once they
/// have worked. A page that several processes have is counted in equal parts (PSS).
pub(super) fn measure(figures: &mut Figures, component: &[u8]) -> Result<(), Failure> {
    let shared = CellPlace::Shared("bench".parse().map_err(anyhow::Error::new)?);
    more_descriptors()?;
    for (name, count, place) in
        [("cells_own_100", OWN, &CellPlace::Own), ("cells_shared_1000", SHARED, &shared)]
    {
        let mut runner = Runner::start(component)?;
        let started = Instant::now();
        let mut cells = Vec::with_capacity(count);
        for _ in 0..count {
            cells.push(runner.cell(place)?);
        }
        all(&mut cells, &CellRequest::Init(guest::setup(&PARAMETERS)?))?;
        let up = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        figures.insert(format!("{name}_up_ms"), scaled(up, 1_000_000));
        let frame = guest::trades(TRADES)?;
        for _ in 0..FRAMES {
            all(&mut cells, &CellRequest::Frame(&frame))?;
        }
        let pids: BTreeSet<u32> = cells.iter().map(|cell| cell.pid).collect();
        let kib = pids.iter().map(|pid| proportional_kib(*pid)).sum::<anyhow::Result<u64>>()?;
        let each = kib.saturating_mul(1_000).checked_div(u64::try_from(count).unwrap_or(u64::MAX));
        figures.insert(format!("{name}_kib_each"), scaled(each.unwrap_or_default(), 1_000));
    }
    Ok(())
}

/// Asks all of them, and waits for all answers.
fn all(cells: &mut [StartedCell], request: &CellRequest<'_>) -> anyhow::Result<()> {
    for cell in &mut *cells {
        cell.link.send(request)?;
    }
    for cell in cells {
        answer(&mut cell.link)?;
    }
    Ok(())
}

/// What a process takes of the memory. Cells keep others of their user from looking closer than at what is theirs alone, so
/// whoever is not root gets that.
fn proportional_kib(pid: u32) -> anyhow::Result<u64> {
    let fields = |file: &str, wanted: &[&str]| -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
        let field = |name: &&str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        };
        wanted.iter().map(field).sum()
    };
    fields("smaps_rollup", &["Pss:"])
        .or_else(|| fields("status", &["RssAnon:", "RssShmem:"]))
        .context("the memory of a cell")
}

/// A socket for every strategy.
fn more_descriptors() -> Result<(), Failure> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    Ok(setrlimit(Resource::Nofile, raised).context("cannot have more descriptors")?)
}
