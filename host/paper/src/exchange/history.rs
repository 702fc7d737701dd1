//! What queries can still find: closed orders and executions.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::{Event, Execution, Order, OrderKey};

/// Most closed orders kept. At the demo's limit of 5,000 orders an hour, four hours; the names of older ones may be used again.
const ORDERS_MAX: usize = 20_000;
/// Most executions kept.
const EXECUTIONS_MAX: usize = 40_000;

/// Closed orders by number and executions by age.
#[derive(Debug, Default)]
pub(crate) struct History {
    orders: BTreeMap<OrderKey, Order>,
    executions: VecDeque<Execution>,
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
}
