//! Who watches: the invariants, judged by a model that knows the venue's truth and what the gateway was told.

mod bounds;
mod rest;
mod restart;
mod step;
mod submit;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::{
    ExecId, Execution, ExecutionKind, Gate, InstrumentId, Limits, LinkId, Scope, Side, StrategyId,
    TradingState,
};
use portcullis_journal::{Stored, Tail};

pub(crate) use submit::Submitted;
pub(crate) use told::Told;

use crate::durable::Durable;
use crate::exchange::{Exchange, SPECS};
use crate::network::Network;

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: &'static str,
    /// The numbers.
    pub detail: String,
}

/// A create that left.
#[derive(Debug, Clone)]
pub(crate) struct Create {
    pub(crate) reduce_only: bool,
    /// Whether journal or reserve had its entry: where both failed, the system's log is the last witness, and a restart cannot know.
    pub(crate) witnessed: bool,
    /// Whether nothing can become of it any more that would matter here.
    pub(crate) settled: bool,
}

/// A strategy's means, in units of 1e-18 USDT.
#[derive(Debug, Clone, Copy, Default)]
struct Budget {
    now: i128,
    before: i128,
    since: u64,
}

/// The watch.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) limits: Limits,
    /// The first violation; what comes after it may follow from it.
    pub(crate) violation: Option<Violation>,
    pub(crate) told: Told,
    /// Every create that left, by its client id, over all lives of the gateway.
    pub(crate) creates: BTreeMap<LinkId, Create>,
    /// Which strategy an instrument belongs to, since one has started on it.
    owners: [Option<StrategyId>; SPECS],
    /// The latched states after the last step.
    pub(crate) ladder: BTreeMap<Scope, TradingState>,
    /// The scope of a rearm being confirmed: its state may fall in the course of the step.
    pub(crate) rearming: Option<Scope>,
    /// Scopes rearmed since the journal was last flushed: a crash may keep that or not.
    rearmed: BTreeSet<Scope>,
    /// The latched states that are known to be on the disk.
    durable_ladder: BTreeMap<Scope, TradingState>,
    /// What each strategy was given last, and before that.
    budgets: [Budget; SPECS],
    /// Quantity traded unforeseen that the gateway has not heard of.
    unheard: [i64; SPECS],
    /// The executions behind it.
    unheard_of: BTreeMap<ExecId, usize>,
    /// What a power cut would leave, read as far as it went.
    journal: Option<Tail<Durable>>,
    durable: BTreeMap<u64, Stored<'static>>,
}

impl Watch {
    pub(crate) fn new(limits: &str) -> Self {
        Self {
            limits: Limits::parse(limits).unwrap(),
            violation: None,
            told: Told::default(),
            creates: BTreeMap::new(),
            owners: [None; SPECS],
            ladder: BTreeMap::new(),
            rearming: None,
            rearmed: BTreeSet::new(),
            durable_ladder: BTreeMap::new(),
            budgets: [Budget::default(); SPECS],
            unheard: [0; SPECS],
            unheard_of: BTreeMap::new(),
            journal: None,
            durable: BTreeMap::new(),
        }
    }

    pub(crate) fn violate(&mut self, rule: &'static str, detail: String) {
        if self.violation.is_none() {
            self.violation = Some(Violation { rule, detail });
        }
    }

    /// A strategy starts with so many USDT.
    pub(crate) fn given(&mut self, which: usize, budget: i64, now: u64) {
        let before = self.budgets[which].now;
        self.budgets[which] = Budget { now: i128::from(budget) * 10_i128.pow(18), before, since: now };
    }

    /// An execution happened at the venue.
    pub(crate) fn happened(&mut self, execution: &Execution) {
        let ours = execution.link.as_ref().is_some_and(|link| self.creates.contains_key(link));
        if !ours && execution.kind != ExecutionKind::Funding {
            self.unforeseen(execution);
        }
    }

    /// An execution that the gateway cannot reckon with until it hears of it: of no order of ours, or of one reported closed.
    pub(crate) fn unforeseen(&mut self, execution: &Execution) {
        let instrument = execution.instrument.0 as usize;
        self.unheard[instrument] += change(execution);
        self.unheard_of.insert(execution.exec.clone(), instrument);
    }

    /// The gateway hears of an execution.
    pub(crate) fn heard(&mut self, execution: &Execution) {
        if let Some(instrument) = self.unheard_of.remove(&execution.exec) {
            self.unheard[instrument] -= change(execution);
        }
    }

    /// The books were compared with the venue: where they agree, nothing is unheard any more, in whatever way that came about.
    pub(crate) fn compared(&mut self, gate: &Gate, exchange: &Exchange) {
        for (instrument, venue) in exchange.positions.iter().enumerate() {
            if gate.state().ledger().quantity(InstrumentId(instrument as u32)).0 == *venue {
                self.unheard[instrument] = 0;
                self.unheard_of.retain(|_, of| *of != instrument);
            }
        }
    }

    fn state_of(&self, scope: Scope) -> TradingState {
        if self.rearming == Some(scope) {
            return TradingState::Active;
        }
        self.ladder.get(&scope).copied().unwrap_or_default()
    }
}

fn change(execution: &Execution) -> i64 {
    let quantity = execution.quantity.0;
    if execution.side == Side::Buy { quantity } else { -quantity }
}

/// The largest position, either way, that could come of an instrument: long and short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Worst {
    pub(crate) long: i64,
    pub(crate) short: i64,
}

/// What could still be executed in an instrument: everything open at the venue or on its way there, by side and by whether it only
/// reduces. `more` comes on top.
fn open_sums(
    instrument: usize,
    exchange: &Exchange,
    network: &Network,
    more: &[(Side, i64, bool)],
) -> impl Fn(Side, bool) -> i64 + use<> {
    let mut sums: BTreeMap<(Side, bool), i64> = BTreeMap::new();
    let mut add = |side, quantity: i64, reduces| *sums.entry((side, reduces)).or_default() += quantity;
    for order in exchange.open_in(instrument) {
        let amended = order.link.as_ref().map_or(0, |link| network.amended_to(link));
        add(order.side, order.quantity.max(amended) - order.executed, order.reduce_only);
    }
    for place in network.creates_in(instrument, exchange) {
        add(place.side, place.quantity.0, place.reduce_only);
    }
    for (side, quantity, reduces) in more {
        add(*side, *quantity, *reduces);
    }
    move |side, reduces| sums.get(&(side, reduces)).copied().unwrap_or(0)
}

/// The worst that could come of it.
pub(crate) fn worst(
    instrument: usize,
    position: i64,
    exchange: &Exchange,
    network: &Network,
    more: &[(Side, i64, bool)],
) -> Worst {
    let sum = open_sums(instrument, exchange, network, more);
    // Reductions close a position first where that makes it worse; they never carry it past flat.
    let closed_short = (position + sum(Side::Buy, true)).min(0).max(position);
    let closed_long = (position - sum(Side::Sell, true)).max(0).min(position);
    Worst {
        long: position.max(closed_short) + sum(Side::Buy, false),
        short: -(position.min(closed_long) - sum(Side::Sell, false)),
    }
}

/// Whether everything of one side together, `more` included, only closes what is held: then no fill makes anything larger than it is.
pub(crate) fn only_closes(
    instrument: usize,
    position: i64,
    exchange: &Exchange,
    network: &Network,
    (side, quantity): (Side, i64),
) -> bool {
    let sum = open_sums(instrument, exchange, network, &[(side, quantity, false)]);
    let held = if side == Side::Sell { position } else { -position };
    sum(side, false) + sum(side, true) <= held
}
