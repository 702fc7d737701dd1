//! What must hold once everything is quiet and reconciled: the books are the venue's.

use portcullis_core::{Gate, InstrumentId, TradingState};

use super::Watch;
use crate::exchange::{Exchange, SPECS};
use crate::words::tail;

impl Watch {
    /// The end of a run, two minutes after the last fault and the last order.
    pub(crate) fn at_rest(&mut self, gate: &Gate, exchange: &Exchange) {
        let state = gate.state();
        for (instrument, venue) in exchange.positions.iter().enumerate() {
            let ours = state.ledger().quantity(InstrumentId(instrument as u32)).0;
            if ours != *venue {
                self.violate(
                    "books",
                    format!("instrument {instrument}: {ours} in the books, {venue} at the venue"),
                );
            }
        }
        let (ours, venue) = (state.execution_count(), exchange.executions.len() as u64);
        let missing = exchange.executions.iter().find(|execution| !state.has_execution(&execution.exec));
        if ours != venue || missing.is_some() {
            self.violate("executions", format!("{ours} accounted of {venue}; missing {missing:?}"));
        }
        if let Some(order) = state.orders().unresolved().next() {
            self.violate("unresolved", format!("{order:?} is still not resolved"));
        }
        for order in state.orders().open() {
            let there = order.link.as_ref().and_then(|link| exchange.order_of(link));
            if !there.is_some_and(|there| there.is_open()) {
                self.violate(
                    "open-at-rest",
                    format!("open in the gate only: {order:?}; at the venue {there:?}"),
                );
            }
        }
        for instrument in 0..SPECS {
            let state = self.effective(instrument);
            let entry = exchange.open_in(instrument).find(|order| {
                !order.reduce_only && order.link.as_ref().is_some_and(|link| self.creates.contains_key(link))
            });
            if let Some(order) = entry.filter(|_| state >= TradingState::EntriesCancelled) {
                let link = order.link.as_ref().map_or("", |link| tail(link));
                self.violate("halt-left-over", format!("{link} is still open in state {state}"));
            }
            let protects = self.limits_of(instrument).is_some_and(|limits| limits.protection.is_some());
            let bare =
                exchange.positions[instrument] != 0 && exchange.protection[instrument].stop_loss.is_none();
            if protects && bare && state < TradingState::Flattening && self.told.limits {
                let held = exchange.positions[instrument];
                self.violate("unprotected", format!("instrument {instrument} holds {held} without a stop"));
            }
            if state == TradingState::Flattening && exchange.positions[instrument] != 0 {
                let held = exchange.positions[instrument];
                self.violate("flatten-left-over", format!("instrument {instrument} still holds {held}"));
            }
        }
    }
}
