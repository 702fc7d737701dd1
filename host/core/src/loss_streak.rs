//! Losing trades in a row (row 22). A trade is over when the position is flat again, or has turned.

use std::collections::BTreeMap;

use crate::{Amount, InstrumentId, Position, Timestamp};

/// How many trades in a row ended in a loss, over all instruments of a strategy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LossStreak {
    losses: u64,
    last: Timestamp,
    /// What had been earned in an instrument when its last trade ended.
    settled: BTreeMap<InstrumentId, Amount>,
}

impl LossStreak {
    /// Takes in what an execution made of a position.
    pub(crate) fn update(
        &mut self,
        instrument: InstrumentId,
        before: &Position,
        after: &Position,
        at: Timestamp,
    ) {
        let turned = (before.quantity.is_long() && after.quantity.is_short())
            || (before.quantity.is_short() && after.quantity.is_long());
        let over = !before.quantity.is_flat() && (after.quantity.is_flat() || turned);
        if !over {
            return;
        }
        // What cannot be computed ends no row: it is the ledger's to say that the books are unsound.
        let Some(earned) = after.closed_profit() else { return };
        let settled = self.settled.insert(instrument, earned).unwrap_or_default();
        if earned < settled {
            self.losses = self.losses.saturating_add(1);
            self.last = self.last.max(at);
        } else {
            self.losses = 0;
        }
    }

    /// Losses in a row.
    pub(crate) fn losses(&self) -> u64 {
        self.losses
    }

    /// When the last trade was lost.
    pub(crate) fn last(&self) -> Timestamp {
        self.last
    }

    /// What had been earned in an instrument before its open trade.
    pub(crate) fn settled(&self, instrument: InstrumentId) -> Amount {
        self.settled.get(&instrument).copied().unwrap_or_default()
    }
}
