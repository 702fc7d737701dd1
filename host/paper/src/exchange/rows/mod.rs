//! Engine rows as Bybit writes them, with the full set of members that third-party clients insist on.

mod execution;
mod order;
mod position;
mod wallet;
mod words;

use std::collections::BTreeSet;

use portcullis_core::Category;

use super::{Exchange, PrivateRows};
use crate::engine::Event;

pub(crate) use words::{price_text, side};

impl Exchange {
    /// The rows of a batch by topic. Of positions and the wallet only the newest counts.
    pub(super) fn private_rows(&self, events: &[Event]) -> Vec<PrivateRows> {
        let (mut executions, mut orders, mut moved, mut wallet) =
            (Vec::new(), Vec::new(), BTreeSet::new(), false);
        for event in events {
            match event {
                Event::Execution(row) => executions.extend(self.execution_row(row, true)),
                Event::Order(row) => {
                    orders.extend(self.order_row(row, true));
                    // The venue tells the position with every change of an order, moved or not.
                    moved.insert((row.instrument, row.leg));
                    // What a spot order holds shows in the wallet.
                    let spec = self.listing.get(row.instrument);
                    wallet |= spec.is_some_and(|spec| spec.category == Category::Spot);
                }
                Event::Position(row) => drop(moved.insert((row.instrument, row.leg))),
                Event::Wallet(_) => wallet = true,
            }
        }
        let mut rows = Vec::with_capacity(4);
        if !executions.is_empty() {
            rows.push(PrivateRows::Executions(executions));
        }
        if !orders.is_empty() {
            rows.push(PrivateRows::Orders(orders));
        }
        let positions = self.engine.positions().filter(|row| moved.contains(&(row.instrument, row.leg)));
        let positions: Vec<_> = positions.filter_map(|row| self.position_row(row, true)).collect();
        if !positions.is_empty() {
            rows.push(PrivateRows::Positions(positions));
        }
        if wallet {
            rows.push(PrivateRows::Wallet(Box::new(self.wallet_row())));
        }
        rows
    }
}
