//! One strategy, as the books have it.

use crate::ledger::DayTotal;
use crate::loss_streak::LossStreak;
use crate::rate_window::OrderRates;
use crate::recent_orders::RecentOrders;
use crate::repeats::Repeats;
use crate::{Amount, Digest, InstrumentId, Mandate, StrategyId, StrategyLimits, StrategyName};

/// One strategy that runs or ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strategy {
    /// Its number in this journal.
    pub id: StrategyId,
    /// The operator's name for it.
    pub name: StrategyName,
    /// SHA-256 of the component that runs, or ran last.
    pub digest: Digest,
    /// Its instruments, in its own order.
    pub instruments: Vec<InstrumentId>,
    /// The capital it may use.
    pub budget: Amount,
    /// Whether it runs, in this session.
    pub running: bool,
    /// What its signed bundle allows.
    pub mandate: Mandate,
    /// What bounds it; `None` without a limits file, which refuses.
    pub limits: Option<StrategyLimits>,
    pub(crate) places: u64,
    pub(crate) rejects_in_a_row: u64,
    pub(crate) rates: OrderRates,
    pub(crate) traded: DayTotal,
    pub(crate) fees: DayTotal,
    /// Profit at the start of the day.
    pub(crate) anchor: Amount,
    /// The highest profit so far, as far as it was written down.
    pub(crate) high: Amount,
    pub(crate) recent: RecentOrders,
    pub(crate) repeats: Repeats,
    pub(crate) losses: LossStreak,
}

impl Strategy {
    /// The instrument at this index of the strategy's own.
    pub fn instrument(&self, index: u32) -> Option<InstrumentId> {
        usize::try_from(index).ok().and_then(|index| self.instruments.get(index)).copied()
    }

    /// Value traded on a day, counted from 1970-01-01 UTC.
    pub fn traded_on(&self, day: u64) -> Amount {
        self.traded.on(day)
    }
}
