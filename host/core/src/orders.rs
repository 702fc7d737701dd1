//! Every order the books know, with the indices that keep decisions independent of how many there are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::exposure::Exposure;
use crate::{
    InstrumentId, InstrumentSpec, LinkId, Order, OrderId, OrderNumber, Sequence, StrategyId, Timestamp,
};

/// Closed orders that are kept, so that late executions and repeated reports still find theirs.
const CLOSED_MAX: usize = 65_536;

/// The orders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Orders {
    orders: BTreeMap<OrderId, Order>,
    by_link: BTreeMap<LinkId, OrderId>,
    by_number: BTreeMap<(StrategyId, OrderNumber), OrderId>,
    /// Creates, and commands in flight, by their entry.
    by_sequence: BTreeMap<Sequence, OrderId>,
    open: BTreeMap<InstrumentId, BTreeSet<OrderId>>,
    unresolved: BTreeSet<OrderId>,
    good_till: BTreeSet<(Timestamp, OrderId)>,
    /// In the order of closing.
    closed: VecDeque<OrderId>,
    exposures: BTreeMap<InstrumentId, Exposure>,
    open_total: u64,
    last: u64,
}

impl Orders {
    /// An order; closed ones are forgotten after 65,536 others closed.
    pub fn get(&self, id: OrderId) -> Option<&Order> {
        self.orders.get(&id)
    }

    /// The order with this client id.
    pub fn by_link(&self, link: &LinkId) -> Option<&Order> {
        self.by_link.get(link).and_then(|id| self.get(*id))
    }

    /// The order with this number of a strategy's.
    pub fn by_number(&self, strategy: StrategyId, number: OrderNumber) -> Option<&Order> {
        self.by_number.get(&(strategy, number)).and_then(|id| self.get(*id))
    }

    /// The order whose create, or whose command in flight, has this entry.
    pub fn by_sequence(&self, sequence: Sequence) -> Option<&Order> {
        self.by_sequence.get(&sequence).and_then(|id| self.get(*id))
    }

    /// Every open order, unknown ones included.
    pub fn open(&self) -> impl Iterator<Item = &Order> {
        self.open.values().flatten().filter_map(|id| self.get(*id))
    }

    /// The open orders of one instrument.
    pub fn open_in(&self, instrument: InstrumentId) -> impl Iterator<Item = &Order> {
        self.open.get(&instrument).into_iter().flatten().filter_map(|id| self.get(*id))
    }

    /// Orders about which something is not known.
    pub fn unresolved(&self) -> impl Iterator<Item = &Order> {
        self.unresolved.iter().filter_map(|id| self.get(*id))
    }

    /// Everything kept, open and closed, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.orders.values()
    }

    /// Number of open orders, unknown ones included.
    pub fn open_count(&self) -> u64 {
        self.open_total
    }

    /// The number the next order gets.
    pub fn next_id(&self) -> OrderId {
        OrderId(self.last.saturating_add(1))
    }

    /// What the orders of one instrument could still do.
    pub fn exposure(&self, instrument: InstrumentId) -> Exposure {
        self.exposures.get(&instrument).copied().unwrap_or_default()
    }

    pub(crate) fn exposures(&self) -> impl Iterator<Item = (InstrumentId, &Exposure)> {
        self.exposures.iter().map(|(id, exposure)| (*id, exposure))
    }

    /// Open orders whose good-till time has come.
    pub(crate) fn due(&self, now: Timestamp) -> impl Iterator<Item = OrderId> {
        self.good_till.iter().take_while(move |(time, _)| *time <= now).map(|(_, id)| *id)
    }

    pub(crate) fn insert(&mut self, order: Order, spec: &InstrumentSpec) {
        self.last = self.last.max(order.id.0);
        if order.number.0 > 0
            && let Some(strategy) = order.strategy
        {
            self.by_number.insert((strategy, order.number), order.id);
        }
        if let Some(good_till) = order.good_till {
            self.good_till.insert((good_till, order.id));
        }
        self.index(&order, spec);
        self.orders.insert(order.id, order);
    }

    /// Changes one order and everything derived from it.
    pub(crate) fn edit(&mut self, id: OrderId, spec: &InstrumentSpec, change: impl FnOnce(&mut Order)) {
        let Some(mut order) = self.orders.remove(&id) else { return };
        let was_open = order.status.is_open();
        self.unindex(&order, spec);
        change(&mut order);
        self.index(&order, spec);
        let is_open = order.status.is_open();
        self.orders.insert(id, order);
        if was_open && !is_open {
            self.retire(id);
        }
    }

    fn index(&mut self, order: &Order, spec: &InstrumentSpec) {
        if let Some(link) = &order.link
            && !self.by_link.contains_key(link)
        {
            self.by_link.insert(link.clone(), order.id);
        }
        for sequence in sequences(order) {
            self.by_sequence.insert(sequence, order.id);
        }
        if order.status.is_open() {
            self.open.entry(order.instrument).or_default().insert(order.id);
            self.open_total = self.open_total.saturating_add(1);
        }
        if order.is_unresolved() {
            self.unresolved.insert(order.id);
        }
        self.exposures.entry(order.instrument).or_default().add(order, spec);
    }

    fn unindex(&mut self, order: &Order, spec: &InstrumentSpec) {
        for sequence in sequences(order) {
            self.by_sequence.remove(&sequence);
        }
        if order.status.is_open() {
            if let Some(open) = self.open.get_mut(&order.instrument) {
                open.remove(&order.id);
            }
            self.open_total = self.open_total.saturating_sub(1);
        }
        self.unresolved.remove(&order.id);
        self.exposures.entry(order.instrument).or_default().remove(order, spec);
    }

    /// Notes that an order closed, and forgets the oldest closed ones.
    fn retire(&mut self, id: OrderId) {
        if let Some(good_till) = self.get(id).and_then(|order| order.good_till) {
            self.good_till.remove(&(good_till, id));
        }
        self.closed.push_back(id);
        if self.closed.len() <= CLOSED_MAX {
            return;
        }
        let Some(oldest) = self.closed.pop_front() else { return };
        // An order that is unresolved, or that evidence brought back, must not be forgotten.
        if self.get(oldest).is_none_or(|order| order.status.is_open() || order.is_unresolved()) {
            return;
        }
        let Some(order) = self.orders.remove(&oldest) else { return };
        if let Some(link) = &order.link {
            self.by_link.remove(link);
        }
        for sequence in sequences(&order) {
            self.by_sequence.remove(&sequence);
        }
        if let Some(strategy) = order.strategy {
            self.by_number.remove(&(strategy, order.number));
        }
    }
}

fn sequences(order: &Order) -> impl Iterator<Item = Sequence> {
    order.sequence.into_iter().chain(order.pending.and_then(|pending| pending.sequence))
}
