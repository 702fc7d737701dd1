//! What queries can still find: closed orders, executions, and what orders closed of positions.

use std::collections::{BTreeMap, HashMap, VecDeque};

use portcullis_core::{Amount, InstrumentId, Price, Qty, Side, Timestamp};

use crate::engine::{Event, Execution, ExecutionKind, Order, OrderKey};

/// Most closed orders kept. At the demo's limit of 5,000 orders an hour, four hours; the names of older ones may be used again.
const ORDERS_MAX: usize = 20_000;
/// Most executions kept.
const EXECUTIONS_MAX: usize = 40_000;

/// Closed orders by number and executions by age.
#[derive(Debug, Default)]
pub(crate) struct History {
    orders: BTreeMap<OrderKey, Order>,
    executions: VecDeque<Execution>,
    /// By the number of the last execution.
    closings: BTreeMap<u64, Closing>,
    /// Where an order's closing is.
    closing_of: HashMap<OrderKey, u64>,
}

/// What one order closed of a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) order: OrderKey,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) kind: ExecutionKind,
    pub(crate) order_quantity: Qty,
    pub(crate) order_price: Option<Price>,
    pub(crate) last_price: Price,
    pub(crate) closed: Qty,
    /// Value at entry.
    pub(crate) entry: Amount,
    /// Value at exit.
    pub(crate) exit: Amount,
    /// Profit, fees aside.
    pub(crate) realised: Amount,
    pub(crate) open_fee: Amount,
    pub(crate) close_fee: Amount,
    pub(crate) executions: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

impl History {
    pub(crate) fn apply(&mut self, event: &Event) {
        match event {
            Event::Order(order) if !order.status.is_open() => {
                self.orders.insert(order.key, order.clone());
                if self.orders.len() > ORDERS_MAX {
                    self.orders.pop_first();
                }
            }
            Event::Execution(execution) => {
                self.close(execution);
                self.executions.push_back(execution.clone());
                if self.executions.len() > EXECUTIONS_MAX {
                    self.executions.pop_front();
                }
            }
            Event::Order(_) | Event::Position(_) | Event::Wallet(_) => {}
        }
    }

    /// Closed orders, oldest first.
    pub(crate) fn orders(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.orders.values()
    }

    pub(crate) fn order(&self, key: OrderKey) -> Option<&Order> {
        self.orders.get(&key)
    }

    /// Executions, oldest first.
    pub(crate) fn executions(&self) -> impl DoubleEndedIterator<Item = &Execution> {
        self.executions.iter()
    }

    /// What orders closed of positions, the last closed from last, each with a number that grows.
    pub(crate) fn closed_pnl(&self) -> impl DoubleEndedIterator<Item = (u64, &Closing)> {
        self.closings.iter().map(|(number, closing)| (*number, closing))
    }

    fn close(&mut self, row: &Execution) {
        let Some(order) = row.order.filter(|_| row.closed.0 > 0) else { return };
        let earlier = self.closing_of.get(&order).and_then(|number| self.closings.remove(number));
        let mut closing = earlier.unwrap_or(Closing {
            order,
            instrument: row.instrument,
            side: row.side,
            kind: row.kind,
            order_quantity: row.order_quantity,
            order_price: row.order_price,
            last_price: row.price,
            closed: Qty(0),
            entry: Amount(0),
            exit: Amount(0),
            realised: Amount(0),
            open_fee: Amount(0),
            close_fee: Amount(0),
            executions: 0,
            created: row.time,
            updated: row.time,
        });
        // The part of the execution that closed, of its value and of its fee.
        let part = |amount: Amount| {
            let (closed, all) = (i128::from(row.closed.0), i128::from(row.quantity.0));
            let whole = amount.0.checked_div(all).unwrap_or(0).saturating_mul(closed);
            let rest = amount.0.checked_rem(all).unwrap_or(0).saturating_mul(closed);
            whole.saturating_add(rest.checked_div(all).unwrap_or(0))
        };
        let exit = part(row.value);
        // A long gains what the exit is above the entry, a short what it is below.
        let entry = match row.side {
            Side::Sell => exit.saturating_sub(row.realised.0),
            Side::Buy => exit.saturating_add(row.realised.0),
        };
        closing.closed = Qty(closing.closed.0.saturating_add(row.closed.0));
        closing.entry = Amount(closing.entry.0.saturating_add(entry));
        closing.exit = Amount(closing.exit.0.saturating_add(exit));
        closing.realised = Amount(closing.realised.0.saturating_add(row.realised.0));
        closing.open_fee = Amount(closing.open_fee.0.saturating_add(row.opening_fee.0));
        closing.close_fee = Amount(closing.close_fee.0.saturating_add(part(row.fee)));
        closing.executions = closing.executions.saturating_add(1);
        closing.order_quantity = row.order_quantity;
        (closing.last_price, closing.updated) = (row.price, row.time);
        self.closings.insert(row.number, closing);
        self.closing_of.insert(order, row.number);
        if self.closings.len() > ORDERS_MAX
            && let Some((_, oldest)) = self.closings.pop_first()
        {
            self.closing_of.remove(&oldest.order);
        }
    }
}
