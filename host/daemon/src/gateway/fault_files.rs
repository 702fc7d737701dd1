//! `DIR/faults`: the evidence of strategies' failures, written by a thread of its own and bounded in number and size.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use portcullis_cell::{
    CellLimits, FaultFile, FaultedCall, MemoryUse, PastFrame, Setup, Snapshot, outcome_digest,
};
use portcullis_core::{Digest, StrategyId};
use portcullis_gateway::{Evidence, FailedCall};
use portcullis_role::{Folder, FolderEntry};

use super::start::Live;

/// The folder in the data directory.
pub(super) const FAULTS: &str = "faults";

/// Most files of one strategy.
const FILES_PER_STRATEGY_MAX: usize = 8;

/// Most files.
const FILES_MAX: usize = 64;

/// Most bytes of all files.
const BYTES_MAX: u64 = 128 << 20;

/// Most files waiting to be written; the pipeline keeps the rest back, and when that is too much, cites no file.
const WAITING_MAX: usize = 2;

/// What a strategy runs on, as far as its evidence needs it.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) bundle: Digest,
    pub(crate) component: Digest,
    pub(crate) limits: CellLimits,
    pub(crate) setup: Setup,
}

/// A failure to be written down. Boxed, because it is large and travels.
type Job = Box<(Evidence, Arc<Origin>)>;

/// The folder's only writer.
#[derive(Debug)]
pub(crate) struct FaultFiles {
    origins: BTreeMap<StrategyId, Arc<Origin>>,
    /// `None` once it is closed.
    jobs: Option<Sender<Job>>,
    waiting: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl FaultFiles {
    /// Opens the folder, making it at the first start, and starts the thread.
    pub(crate) fn open(data: &Folder, engine: Digest) -> io::Result<Self> {
        let folder = open(data)?;
        let (jobs, evidence) = channel::<Job>();
        let waiting = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&waiting);
        let thread = std::thread::Builder::new().name("faults".to_owned()).spawn(move || {
            for job in evidence {
                let (evidence, origin) = *job;
                let name = evidence.file.clone();
                match keep(&folder, evidence, &origin, engine) {
                    Ok(()) => tracing::warn!(file = name, "the evidence of a fault is kept"),
                    Err(error) => tracing::error!(file = name, %error, "the evidence of a fault is not kept"),
                }
                left.fetch_sub(1, Ordering::Relaxed);
            }
        })?;
        Ok(Self { origins: BTreeMap::new(), jobs: Some(jobs), waiting, thread: Some(thread) })
    }

    /// Notes what a strategy runs on.
    pub(crate) fn know(&mut self, strategy: StrategyId, origin: Origin) {
        self.origins.insert(strategy, Arc::new(origin));
    }

    /// Takes evidence from the pipeline as far as the thread keeps up.
    pub(crate) fn turn(&mut self, pipeline: &mut Live) {
        while self.waiting.load(Ordering::Relaxed) < WAITING_MAX {
            let Some(evidence) = pipeline.take_evidence() else { return };
            self.give(evidence);
        }
    }

    /// Writes what is left, and ends the thread.
    pub(crate) fn close(mut self, pipeline: &mut Live) {
        while let Some(evidence) = pipeline.take_evidence() {
            self.give(evidence);
        }
        self.jobs = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that keeps the evidence of faults panicked");
        }
    }

    fn give(&self, evidence: Evidence) {
        let origin = self.origins.get(&evidence.strategy).map(Arc::clone);
        let (Some(origin), Some(jobs)) = (origin, &self.jobs) else {
            tracing::error!(file = evidence.file, "a fault of a strategy that nobody started");
            return;
        };
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if jobs.send(Box::new((evidence, origin))).is_err() {
            tracing::error!("the thread that keeps the evidence of faults is gone");
        }
    }
}

/// The folder; for its owner alone, because a snapshot is a strategy's secret.
fn open(data: &Folder) -> io::Result<Folder> {
    let folder = data.sub(FAULTS, 0o700)?;
    folder.remove_unfinished()?;
    Ok(folder)
}

fn keep(folder: &Folder, evidence: Evidence, origin: &Origin, engine: Digest) -> io::Result<()> {
    let name = evidence.file.clone();
    let bytes = file(evidence, origin, engine).encode().map_err(io::Error::other)?;
    make_room(folder, &name, u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    folder.replace(&name, &bytes)
}

/// A failure as its file.
fn file(evidence: Evidence, origin: &Origin, engine: Digest) -> FaultFile {
    let Evidence { name, at, fault, snapshot, frames, call, .. } = evidence;
    let trace = fault.trace;
    FaultFile {
        strategy: name,
        at,
        software: env!("CARGO_PKG_VERSION").to_owned(),
        bundle: origin.bundle,
        component: origin.component,
        engine,
        limits: origin.limits,
        setup: origin.setup.clone(),
        code: fault.code,
        detail: fault.detail,
        backtrace: trace.backtrace,
        fuel_charged: trace.fuel_charged,
        memory: MemoryUse { bytes: trace.memory_bytes, asked_bytes: trace.memory_asked_bytes },
        snapshot: snapshot.map(|snapshot| Snapshot { version: snapshot.version, bytes: snapshot.bytes }),
        frames: frames
            .iter()
            .map(|past| PastFrame { frame: past.frame.clone(), outcome: outcome_digest(&past.outcome) })
            .collect(),
        frames_left_out: 0,
        call: match call {
            FailedCall::Revival => FaultedCall::Revival,
            FailedCall::Frame { frame, timers } => {
                FaultedCall::Frame { frame, timers: timers.iter().collect() }
            }
            FailedCall::Snapshot => FaultedCall::Snapshot,
            FailedCall::None => FaultedCall::None,
        },
    }
}

/// A file of the folder, from its name: `STRATEGY-NANOSECONDS-code.fault`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    at: u64,
    name: String,
    strategy: String,
    bytes: u64,
}

impl Kept {
    fn parse(FolderEntry { name, bytes, .. }: FolderEntry) -> Option<Self> {
        let (strategy, at) = parts(&name)?;
        Some(Self { at, strategy: strategy.to_owned(), name, bytes })
    }
}

/// Strategy and time in a file's name.
fn parts(name: &str) -> Option<(&str, u64)> {
    let mut parts = name.strip_suffix(".fault")?.rsplitn(3, '-');
    let _code = parts.next()?;
    let at = parts.next()?.parse().ok()?;
    Some((parts.next()?, at))
}

/// Removes the oldest files until one more of this name and size fits. Anything that is no fault file is somebody else's.
fn make_room(folder: &Folder, name: &str, bytes: u64) -> io::Result<()> {
    let mut kept: Vec<Kept> = folder.files()?.into_iter().filter_map(Kept::parse).collect();
    kept.sort();
    // A strategy that fails often loses files of its own first.
    let strategy = parts(name).map(|(strategy, _)| strategy).unwrap_or_default();
    let own = kept.iter().filter(|file| file.strategy == strategy).count();
    let mut surplus = own.saturating_add(1).saturating_sub(FILES_PER_STRATEGY_MAX);
    let mut rest = Vec::new();
    for file in kept {
        if surplus > 0 && file.strategy == strategy {
            folder.remove(&file.name)?;
            surplus = surplus.saturating_sub(1);
        } else {
            rest.push(file);
        }
    }
    let mut count = rest.len();
    let mut total = rest.iter().map(|file| file.bytes).fold(bytes, u64::saturating_add);
    for file in rest {
        if count < FILES_MAX && total <= BYTES_MAX {
            break;
        }
        folder.remove(&file.name)?;
        count = count.saturating_sub(1);
        total = total.saturating_sub(file.bytes);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use std::path::Path;

    use portcullis_core::{Amount, FaultCode, Timestamp};
    use portcullis_gateway::Fault;

    use super::*;

    fn opened(dir: &Path) -> io::Result<Folder> {
        open(&Folder::open(dir)?)
    }

    fn origin() -> Origin {
        let limits = CellLimits {
            memory_bytes_max: 1 << 20,
            fuel_per_event: 1,
            deadline_ms: 1,
            actions_per_event_max: 1,
            log_bytes_max: 0,
        };
        let setup = Setup {
            parameters: Vec::new(),
            instruments: Vec::new(),
            budget: Amount::ZERO,
            start_time: Timestamp(0),
        };
        Origin { bundle: Digest([1; 32]), component: Digest([2; 32]), limits, setup }
    }

    fn fault(folder: &Folder, strategy: &str, at: u64) {
        let evidence = Evidence {
            file: format!("{strategy}-{at}-trap.fault"),
            strategy: StrategyId(0),
            name: strategy.parse().unwrap(),
            at: Timestamp(at),
            fault: Fault::new(FaultCode::Trap, "unreachable"),
            snapshot: None,
            frames: Vec::new(),
            call: FailedCall::Revival,
        };
        keep(folder, evidence, &origin(), Digest([3; 32])).unwrap();
    }

    /// Times of a strategy's files.
    fn times(dir: &Path, strategy: &str) -> Vec<u64> {
        let names = std::fs::read_dir(dir.join(FAULTS)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut times: Vec<u64> = names
            .filter_map(|name| parts(&name).filter(|(own, _)| *own == strategy).map(|(_, at)| at))
            .collect();
        times.sort_unstable();
        times
    }

    #[test]
    fn a_strategy_that_fails_often_loses_its_own_oldest_files() {
        let dir = tempfile::tempdir().unwrap();
        let folder = opened(dir.path()).unwrap();
        fault(&folder, "calm", 1);
        fault(&folder, "ema", 2);
        for at in 3..20 {
            fault(&folder, "ema-2", at);
        }
        assert_eq!(times(dir.path(), "ema-2"), (12..20).collect::<Vec<_>>());
        assert_eq!((times(dir.path(), "calm"), times(dir.path(), "ema")), (vec![1], vec![2]));
    }

    #[test]
    fn all_files_together_are_bounded_and_the_oldest_go() {
        let dir = tempfile::tempdir().unwrap();
        let folder = opened(dir.path()).unwrap();
        for at in 0..70 {
            fault(&folder, &format!("s{}", at % 10), at);
        }
        let count = std::fs::read_dir(dir.path().join(FAULTS)).unwrap().count();
        assert_eq!(count, FILES_MAX);
        assert_eq!(times(dir.path(), "s0").first(), Some(&10), "the oldest of all");
        // A large one counts by its size.
        folder.create_new("s1-100-trap.fault", 0o600).unwrap().set_len(BYTES_MAX).unwrap();
        fault(&folder, "s2", 101);
        assert_eq!((times(dir.path(), "s1"), times(dir.path(), "s2")), (vec![], vec![101]));
    }

    #[test]
    fn other_files_are_left_alone_and_unfinished_ones_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let folder = opened(dir.path()).unwrap();
        let unfinished = dir.path().join(FAULTS).join("ema-1-trap.fault.tmp");
        std::fs::write(dir.path().join(FAULTS).join("notes.txt"), b"mine").unwrap();
        std::fs::write(&unfinished, b"half").unwrap();
        drop(folder);
        let folder = opened(dir.path()).unwrap();
        assert!(folder.exists("notes.txt") && !unfinished.exists());
        fault(&folder, "ema", 1);
        assert!(folder.exists("notes.txt"));
        let written = folder.read("ema-1-trap.fault", u64::MAX - 1).unwrap().unwrap();
        assert_eq!(FaultFile::decode(&written).unwrap().detail, "unreachable");
    }

    #[test]
    fn a_folder_that_leads_elsewhere_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), dir.path().join(FAULTS)).unwrap();
        assert!(opened(dir.path()).is_err());
    }
}
