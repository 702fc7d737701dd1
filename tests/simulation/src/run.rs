//! One seed, and many seeds over all cores.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde::Serialize;

use crate::faults::FaultSet;
use crate::plan::{Plan, Sabotage};
use crate::watch::Violation;
use crate::world::World;

/// Most events of a run; none comes near.
const STEPS_MAX: u64 = 2_000_000;

/// What is to be run.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The seed.
    pub seed: u64,
    /// The run ends after this many events.
    pub steps: u64,
    /// Faults that do not strike.
    pub without: FaultSet,
    /// An error put in on purpose.
    pub sabotage: Option<Sabotage>,
}

impl Case {
    /// A whole run of this seed, with all its faults.
    pub fn of(seed: u64) -> Self {
        Self { seed, steps: STEPS_MAX, without: FaultSet::default(), sabotage: None }
    }
}

/// What came of one run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The first invariant that did not hold.
    pub violation: Option<Violation>,
    /// Hash over everything that happened: the same for the same case.
    pub trace: u64,
    /// Events until the end or the violation.
    pub steps: u64,
    /// Simulated seconds.
    pub seconds: u64,
    /// Creates that left.
    pub orders: u64,
    /// Faults injected, by class.
    pub faults: BTreeMap<&'static str, u64>,
    /// Which classes the seed has.
    pub classes: FaultSet,
    /// The last events in words, where they were wanted.
    pub story: Vec<String>,
}

/// Runs one case. Of its story the last `kept` lines are kept.
pub fn run(case: &Case, kept: usize) -> Outcome {
    let plan = Plan::new(case.seed, case.without, case.steps, case.sabotage);
    let classes = crate::faults::Faults::new(case.seed, case.without).classes();
    let ended = World::new(plan, kept).run();
    let outside = ended.outside;
    let (seconds, trace) = (outside.seconds(), outside.story.hash());
    Outcome {
        violation: outside.watch.violation,
        trace,
        steps: ended.steps,
        seconds,
        orders: outside.orders,
        faults: outside.faults.struck,
        classes,
        story: outside.story.into_lines(),
    }
}

/// What came of many runs.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Seeds run.
    pub seeds: u64,
    /// Seeds with a violation.
    pub violations: u64,
    /// Simulated time.
    pub simulated_hours: f64,
    /// Creates that left.
    pub orders: u64,
    /// Faults injected.
    pub faults: u64,
    /// The same by class.
    pub faults_by_kind: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    seconds: u64,
    /// Seeds with a violation and which it was, lowest first.
    #[serde(skip)]
    pub failed: BTreeMap<u64, Violation>,
}

/// Runs `count` seeds from `first` on, over all cores. `progress` is called now and then with how many are done.
pub fn run_many(
    first: u64,
    count: u64,
    sabotage: Option<Sabotage>,
    progress: impl Fn(u64) + Sync,
) -> Summary {
    let (next, done) = (AtomicU64::new(first), AtomicU64::new(0));
    let total = Mutex::new(Summary::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return;
            }
            let outcome = run(&Case { sabotage, ..Case::of(seed) }, 0);
            let mut total = total.lock().unwrap();
            total.add(seed, outcome);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    total.into_inner().unwrap().finish()
}

impl Summary {
    /// The summary of a single run.
    pub fn of(seed: u64, outcome: Outcome) -> Self {
        let mut summary = Self::default();
        summary.add(seed, outcome);
        summary.finish()
    }

    fn finish(mut self) -> Self {
        self.simulated_hours = self.seconds as f64 / 3_600.0;
        self
    }

    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.seeds += 1;
        self.seconds += outcome.seconds;
        self.orders += outcome.orders;
        for (kind, count) in outcome.faults {
            self.faults += count;
            *self.faults_by_kind.entry(kind).or_default() += count;
        }
        if let Some(violation) = outcome.violation {
            self.violations += 1;
            self.failed.insert(seed, violation);
        }
    }
}
