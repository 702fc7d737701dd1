//! What the pipeline counts.

use std::collections::BTreeMap;

use portcullis_core::StrategyId;

/// Most gauges a strategy may have (RULES C7).
const GAUGES_MAX: usize = 32;

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
}

impl Metrics {
    /// A strategy's gauges.
    pub fn gauges(&self, strategy: StrategyId) -> impl Iterator<Item = (&str, f64)> {
        self.gauges.get(&strategy).into_iter().flatten().map(|(name, value)| (name.as_str(), *value))
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
