//! What one run is made of, all of it a function of the seed and the switches of the command line.

use portcullis_core::{DEMO_LIMITS, Limits};

use crate::clock::SECOND;
use crate::faults::FaultSet;
use crate::rng::Rng;

/// An error put into the world on purpose, to prove that the watch sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// A create is put on the wire a second time.
    SendTwice,
    /// The disk says it has synced when it has not.
    LyingSync,
    /// The gateway never hears of some executions, by no way at all.
    HideFills,
    /// The venue takes ten times the quantity it was asked for.
    TenTimes,
    /// The gateway's own time stands still for the market's age: every event is stamped an hour ahead.
    FreshForEver,
    /// A query that finds an order says that it does not exist.
    LyingQuery,
    /// A crash takes synced entries with it.
    ForgetTail,
}

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) without: FaultSet,
    pub(crate) sabotage: Option<Sabotage>,
    /// Most events; the run stops after them.
    pub(crate) steps: u64,
    pub(crate) limits: String,
    /// How long strategies, operators and faults are at it.
    pub(crate) busy: u64,
    /// Typical pause between two turns of a strategy, in milliseconds.
    pub(crate) pause_ms: i64,
    /// Typical pause between two faults, in seconds.
    pub(crate) fault_every_s: i64,
    /// Typical pause between two turns of an operator, in seconds.
    pub(crate) operator_every_s: i64,
    /// Typical pause between two moves of a market, in milliseconds.
    pub(crate) move_ms: i64,
}

impl Plan {
    pub(crate) fn new(seed: u64, without: FaultSet, steps: u64, sabotage: Option<Sabotage>) -> Self {
        let mut rng = Rng::new(seed, "plan");
        let foreign = if rng.chance(300) { "halt" } else { "count" };
        let limits = DEMO_LIMITS
            .replace("foreign_orders = \"count\"", &format!("foreign_orders = \"{foreign}\""))
            .replace("position_notional_max = \"40000\"", "position_notional_max = \"32000\"");
        debug_assert!(Limits::parse(&limits).is_ok());
        Self {
            seed,
            without,
            sabotage,
            steps,
            limits,
            busy: rng.between(20, 240) as u64 * SECOND,
            pause_ms: *rng.pick(&[300, 900, 2_500]),
            fault_every_s: rng.between(2, 20),
            operator_every_s: *rng.pick(&[10, 30, 90, 400]),
            move_ms: *rng.pick(&[150, 400, 1_000]),
        }
    }
}
