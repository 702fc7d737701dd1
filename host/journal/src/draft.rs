//! Records on their way into the journal.

use std::borrow::Cow;
use std::collections::BTreeMap;

use portcullis_core::{Actor, Digest, Record, StrategyId};

use crate::walk::Stored;

/// Number of [`Record::StrategyStarted`].
const STRATEGY_STARTED: u16 = 4;

/// An entry before the journal gives it its place.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) kind: u16,
    pub(crate) actor: Actor,
    /// The strategy it concerns.
    pub(crate) strategy: Option<StrategyId>,
    /// The bundle that the strategy runs from here on.
    pub(crate) bundle: Option<Digest>,
    /// Whether it is kept though there is hardly room for anything; see [`is_essential`].
    pub(crate) essential: bool,
    pub(crate) body: Cow<'a, [u8]>,
}

impl Draft<'static> {
    pub(crate) fn of(record: &Record) -> Self {
        let bundle = if let Record::StrategyStarted(started) = record { Some(started.digest) } else { None };
        Self {
            kind: record.kind(),
            actor: record.actor(),
            strategy: record.strategy(),
            bundle,
            essential: is_essential(record),
            body: Cow::Owned(record.encode()),
        }
    }
}

/// Whether nothing but the journal can tell of it later: what was sent, and the ladder. The venue can be asked for the rest again.
pub(crate) fn is_essential(record: &Record) -> bool {
    matches!(record, Record::Intent(_) | Record::TradingState(_) | Record::Operator(_))
}

/// Which bundle each strategy runs, as far as the journal says: entries carry its digest.
#[derive(Debug, Default)]
pub(crate) struct Bundles(BTreeMap<StrategyId, Digest>);

impl Bundles {
    /// Learns from an entry that is in the journal already.
    pub(crate) fn learn(&mut self, stored: &Stored<'_>) {
        if stored.entry.kind == STRATEGY_STARTED
            && let Ok(Record::StrategyStarted(started)) = Record::decode(STRATEGY_STARTED, &stored.entry.body)
        {
            self.0.insert(started.strategy, started.digest);
        }
    }

    /// The digest for an entry; zero when no strategy is concerned.
    pub(crate) fn digest(&mut self, draft: &Draft<'_>) -> Digest {
        match (draft.strategy, draft.bundle) {
            (None, _) => Digest::default(),
            (Some(strategy), Some(bundle)) => {
                self.0.insert(strategy, bundle);
                bundle
            }
            (Some(strategy), None) => self.0.get(&strategy).copied().unwrap_or_default(),
        }
    }
}
