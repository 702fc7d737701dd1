//! What the gate knows that need not survive a restart.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::bucket::Bucket;
use crate::by_instrument::ByInstrument;
use crate::checks::Totals;
use crate::market_view::MarketView;
use crate::{
    AccountMode, Cause, Class, Inhibit, Inhibits, InstrumentId, MarketEvent, OrderId, OrderNumber, Origin,
    PriceLimit, Sequence, SignedQty, State, StrategyId, Timestamp,
};

use super::alerts::Alerts;
use super::confirm::FirstStep;
use super::foreign::Foreign;
use super::protection::Stop;

/// Everything volatile.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) markets: ByInstrument<MarketView>,
    /// Each inhibit that holds, and since when.
    pub(super) holding: BTreeMap<Inhibit, Timestamp>,
    pub(super) live: BTreeMap<StrategyId, Live>,
    /// Journaled commands without an outcome.
    pub(super) flights: BTreeMap<Sequence, Flight>,
    /// Orders to cancel as soon as they can be.
    pub(super) wanted: BTreeMap<OrderId, Wanted>,
    /// How often in a row the venue refused to cancel an order that is still open.
    pub(super) refused_cancels: BTreeMap<OrderId, u32>,
    /// Closing orders that the venue refused, and when the next one may go.
    pub(super) refused_closings: BTreeMap<InstrumentId, Refusals>,
    /// The last entry of the journal that this session starts from.
    pub(super) journal_head: Sequence,
    /// Queries about single orders.
    pub(super) asked: BTreeMap<OrderId, Asked>,
    /// Instruments whose entries are being cancelled by a halt.
    pub(super) halts: BTreeMap<InstrumentId, Halt>,
    /// Positions being closed because a strategy asked for it.
    pub(super) flattens: BTreeSet<InstrumentId>,
    pub(super) reconciliation: Reconciliation,
    /// What waits for its second step.
    pub(super) first_step: Option<FirstStep>,
    pub(super) foreign: Foreign,
    /// Sums over the account, as of the last review.
    pub(super) totals: Totals,
    /// The stops of positions, where the limits want them.
    pub(super) stops: BTreeMap<InstrumentId, Stop>,
    /// When inhibits came up in the last hour, the oldest first.
    pub(super) recurrences: BTreeMap<Inhibit, VecDeque<Timestamp>>,
    /// Whether entries were cancelled because a stream is down.
    pub(super) disconnected: bool,
    /// Instruments whose book is being rebuilt.
    pub(super) gaps: BTreeSet<InstrumentId>,
    /// How the account is set up, from when the venue told.
    pub(super) mode: Option<AccountMode>,
    /// Limits that were told to be near or reached.
    pub(super) alerts: Alerts,
    /// While nothing is signed: when halts, closings and stops are tried next.
    pub(super) unsigned: Unsigned,
    /// When the once-a-second work was last done.
    pub(super) swept_at: Timestamp,
}

/// A strategy in this session.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) warm: bool,
    pub(super) resynced: bool,
    pub(super) entries: Option<Bucket>,
    pub(super) exits: Option<Bucket>,
    /// The last order number used up, refused places included.
    pub(super) last_number: u64,
    /// Intents beyond the bucket since the last summary.
    pub(super) overflow: u64,
    /// The last order number among those; 0 when none was a place.
    pub(super) overflow_number: u64,
}

/// A journaled command without an outcome.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flight {
    /// The order; `None` for cancel-all.
    pub(super) order: Option<OrderId>,
    pub(super) class: Class,
    pub(super) is_place: bool,
    pub(super) approved_at: Timestamp,
    /// When the bytes were let go.
    pub(super) released_at: Option<Timestamp>,
}

/// An order to cancel as soon as it can be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) origin: Origin,
    pub(super) cause: Option<Cause>,
    pub(super) since: Timestamp,
    /// Not tried before this time: the venue refused it a moment ago.
    pub(super) not_before: Timestamp,
}

/// Refusals in a row by the venue.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Refusals {
    pub(super) times: u32,
    /// Not tried before this time.
    pub(super) not_before: Timestamp,
}

/// A query about one order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) at: Timestamp,
    /// How often.
    pub(super) times: u32,
    /// Whether an answer is still out.
    pub(super) waiting: bool,
    /// How often the old values were seen, late enough to prove that a change did not happen.
    pub(super) unchanged: u32,
    /// Whether a finding was made of it.
    pub(super) told: bool,
}

/// A halt under way in one instrument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Halt {
    pub(super) since: Timestamp,
    pub(super) sent_at: Timestamp,
    /// Whether a query has shown that nothing is left.
    pub(super) confirmed: bool,
    /// Whether a finding was made because it takes too long.
    pub(super) told: bool,
    /// Attempts since then.
    pub(super) late_attempts: u32,
}

/// Attempts while the signer is gone: each would be an entry in the journal that nobody signs, so the pause between them grows.
#[derive(Debug, Default)]
pub(super) struct Unsigned {
    /// Not before this.
    pub(super) next: Timestamp,
    /// Attempts so far.
    pub(super) times: u32,
}

/// The comparison of the books with the venue.
#[derive(Debug, Default)]
pub(super) struct Reconciliation {
    /// When a snapshot was last asked for.
    pub(super) asked_at: Timestamp,
    /// Whether its answer is still out.
    pub(super) waiting: bool,
    /// When the last answer was taken in.
    pub(super) answered_at: Option<Timestamp>,
    /// Positions that differed in the last snapshot: ours and theirs.
    pub(super) differences: BTreeMap<InstrumentId, (SignedQty, SignedQty)>,
    /// Whether one is needed although nothing holds.
    pub(super) wanted: bool,
}

impl Default for Desk {
    fn default() -> Self {
        // Nothing is known of the world yet, so everything that can be unknown holds.
        let unknown = [Inhibit::PublicFeed, Inhibit::PrivateStream, Inhibit::Reconciling, Inhibit::ClockSkew];
        Self {
            markets: ByInstrument::default(),
            holding: unknown.into_iter().map(|inhibit| (inhibit, Timestamp::default())).collect(),
            live: BTreeMap::new(),
            flights: BTreeMap::new(),
            wanted: BTreeMap::new(),
            refused_cancels: BTreeMap::new(),
            refused_closings: BTreeMap::new(),
            journal_head: Sequence(0),
            asked: BTreeMap::new(),
            halts: BTreeMap::new(),
            flattens: BTreeSet::new(),
            reconciliation: Reconciliation::default(),
            first_step: None,
            foreign: Foreign::default(),
            totals: Totals::default(),
            stops: BTreeMap::new(),
            recurrences: BTreeMap::new(),
            disconnected: false,
            gaps: BTreeSet::new(),
            mode: None,
            alerts: Alerts::default(),
            unsigned: Unsigned::default(),
            swept_at: Timestamp::default(),
        }
    }
}

impl Desk {
    pub(super) fn market(&mut self, event: &MarketEvent) {
        if let Some(market) = self.markets.entry(event.instrument)
            && market.update(event)
        {
            self.totals.touch(event.instrument);
        }
    }

    pub(super) fn price_limit(&mut self, limit: PriceLimit) {
        if let Some(market) = self.markets.entry(limit.instrument) {
            market.limit = Some(limit);
        }
    }

    pub(super) fn inhibits(&self) -> Inhibits {
        let mut inhibits = Inhibits::default();
        for inhibit in self.holding.keys() {
            inhibits.set(*inhibit, true);
        }
        inhibits
    }

    pub(super) fn hold(&mut self, inhibit: Inhibit, holds: bool, now: Timestamp) {
        if holds {
            if let Entry::Vacant(vacant) = self.holding.entry(inhibit) {
                vacant.insert(now);
                // The venue's rate budget is used up and free again many times an hour; that is no fault.
                if inhibit != Inhibit::RateBudget {
                    self.recurrences.entry(inhibit).or_default().push_back(now);
                }
            }
        } else {
            self.holding.remove(&inhibit);
        }
    }

    pub(super) fn next_number(&self, state: &State, strategy: StrategyId) -> OrderNumber {
        let durable = state.strategy(strategy).map_or(0, |strategy| strategy.places);
        let live = self.live.get(&strategy).map_or(0, |live| live.last_number);
        OrderNumber(durable.max(live).saturating_add(1))
    }
}
