//! What the pipeline counts.

use std::collections::{BTreeMap, VecDeque};

use portcullis_core::{Refused, StrategyId};

/// Most gauges a strategy may have (RULES C7).
const GAUGES_MAX: usize = 32;

/// Refusals kept to be shown; all of them are in the journal.
const REFUSALS_MAX: usize = 20;

/// Counters since the pipeline started, and the strategies' gauges.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Market events taken in.
    pub market_events: u64,
    /// Actions that asked for something.
    pub intents: u64,
    /// `metric` actions dropped: more than 32 names.
    pub gauges_dropped: u64,
    gauges: BTreeMap<StrategyId, BTreeMap<String, f64>>,
    refusals: VecDeque<Refused>,
}

impl Metrics {
    /// A strategy's gauges.
    pub fn gauges(&self, strategy: StrategyId) -> impl Iterator<Item = (&str, f64)> {
        self.gauges.get(&strategy).into_iter().flatten().map(|(name, value)| (name.as_str(), *value))
    }

    /// The newest refusals, oldest first.
    pub fn refusals(&self) -> impl Iterator<Item = &Refused> {
        self.refusals.iter()
    }

    /// Keeps a refusal to be shown.
    pub(crate) fn refused(&mut self, refused: &Refused) {
        if self.refusals.len() == REFUSALS_MAX {
            self.refusals.pop_front();
        }
        self.refusals.push_back(refused.clone());
    }

    /// Sets a gauge.
    pub(crate) fn set(&mut self, strategy: StrategyId, name: String, value: f64) {
        let gauges = self.gauges.entry(strategy).or_default();
        if gauges.len() >= GAUGES_MAX && !gauges.contains_key(&name) {
            self.gauges_dropped = self.gauges_dropped.saturating_add(1);
            return;
        }
        gauges.insert(name, value);
    }
}
