//! What the pipeline needs to know to run a strategy.

use portcullis_core::{
    Amount, Digest, InstrumentId, Mandate, State, StrategyName, StrategyStarted, Timestamp,
};

use crate::cells::Snapshot;
use crate::event::{Event, Stream};

/// A strategy to be run.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The operator's name for it.
    pub name: StrategyName,
    /// The bundle's digest, cited by every entry about the strategy.
    pub digest: Digest,
    /// Its instruments, in its own order.
    pub instruments: Vec<InstrumentId>,
    /// The streams it reads.
    pub subscriptions: Vec<(InstrumentId, Stream)>,
    /// The capital it may use.
    pub budget: Amount,
    /// What its signed bundle allows.
    pub mandate: Mandate,
    /// Its state from an earlier session.
    pub snapshot: Option<Snapshot>,
    /// History it is shown before its warm-up boundary, oldest first.
    pub warm_up: Vec<Event>,
}

impl Deployment {
    /// The fact that it starts: under its own number if the journal knows its name, else under the next free one.
    pub(crate) fn started(&self, state: &State, now: Timestamp) -> StrategyStarted {
        StrategyStarted {
            strategy: state.strategy_named(&self.name).unwrap_or_else(|| state.next_strategy()),
            name: self.name.clone(),
            digest: self.digest,
            instruments: self.instruments.clone(),
            budget: self.budget,
            mandate: self.mandate,
            at: now,
        }
    }
}
