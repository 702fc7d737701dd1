//! Orders of the same kind executed again and again: the mark of a strategy that does not see its own fills (row 13).

use std::collections::BTreeMap;

use crate::{InstrumentId, Qty, Side, Span, Timestamp};

/// The row of like executions in each instrument.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Repeats {
    rows: BTreeMap<InstrumentId, Row>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    side: Side,
    quantity: Qty,
    count: u64,
    at: Timestamp,
}

impl Repeats {
    /// Counts the first execution of an order. Another side, another quantity or a pause starts a new row.
    pub(crate) fn add(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        quantity: Qty,
        at: Timestamp,
        pause: Span,
    ) {
        let new = Row { side, quantity, count: 1, at };
        let row = self.rows.entry(instrument).or_insert_with(|| Row { count: 0, ..new.clone() });
        if row.side == side && row.quantity == quantity && at.since(row.at) < pause {
            row.count = row.count.saturating_add(1);
            row.at = row.at.max(at);
        } else {
            *row = new;
        }
    }

    /// The length of the row in an instrument, as of now.
    pub(crate) fn count(&self, instrument: InstrumentId, now: Timestamp, pause: Span) -> u64 {
        self.rows.get(&instrument).filter(|row| now.since(row.at) < pause).map_or(0, |row| row.count)
    }

    /// The longest row there is.
    pub(crate) fn longest(&self, now: Timestamp, pause: Span) -> u64 {
        self.rows.keys().map(|id| self.count(*id, now, pause)).max().unwrap_or(0)
    }

    /// Starts all rows anew.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
    }
}
