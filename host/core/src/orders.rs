//! Every order the books know, with the indices that keep decisions independent of how many there are.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rustc_hash::FxHashMap;

use crate::by_instrument::ByInstrument;
use crate::exposure::Exposure;
use crate::quotes::{Quote, Quotes};
use crate::{
    Amount, InstrumentId, InstrumentSpec, LinkId, Order, OrderId, OrderNumber, Price, Sequence, Side,
    StrategyId, Timestamp, VenueOrderId,
};

/// Closed orders that are kept, so that late executions and repeated reports still find theirs.
const CLOSED_MAX: usize = 65_536;

/// Parts of split orders that are kept.
const PARTS_MAX: usize = 4_096;

/// The orders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Orders {
    // Looked up; `all` alone walks one, and sorts, so that the order of a hash table cannot show. All keys are made by us, so a plain
    // hash does.
    orders: FxHashMap<OrderId, Order>,
    by_link: FxHashMap<LinkId, OrderId>,
    by_number: FxHashMap<(StrategyId, OrderNumber), OrderId>,
    /// Creates, and commands in flight, by their entry.
    by_sequence: FxHashMap<Sequence, OrderId>,
    open: BTreeMap<InstrumentId, BTreeSet<OrderId>>,
    unresolved: BTreeSet<OrderId>,
    good_till: BTreeSet<(Timestamp, OrderId)>,
    /// In the order of closing.
    closed: VecDeque<OrderId>,
    exposures: ByInstrument<Exposure>,
    /// Value of everything open, in all instruments together.
    open_value: Amount,
    /// Prices at which open orders rest or may come to rest, by side, with how many there are.
    quotes: ByInstrument<Quotes>,
    /// Parts that the venue split orders of ours into, by its names for them.
    parts: FxHashMap<VenueOrderId, OrderId>,
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
        let mut all: Vec<&Order> = self.orders.values().collect();
        all.sort_unstable_by_key(|order| order.id);
        all.into_iter()
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
        self.exposures.get(instrument).copied().unwrap_or_default()
    }

    /// The price at which an own open order of this side would be met first: the highest buy, the lowest sale.
    pub(crate) fn best_quote(&self, instrument: InstrumentId, side: Side) -> Option<Price> {
        self.quotes.get(instrument)?.best(side)
    }

    /// The order that the venue split a part off.
    pub(crate) fn whole_of(&self, part: &VenueOrderId) -> Option<&Order> {
        self.parts.get(part).and_then(|id| self.get(*id))
    }

    /// Notes that a venue's order is a part of ours. Bounded: beyond 4,096 parts nothing more is noted.
    pub(crate) fn add_part(&mut self, part: VenueOrderId, whole: OrderId) {
        if self.parts.len() < PARTS_MAX {
            self.parts.insert(part, whole);
        }
    }

    /// Value of everything open, each order at its highest price.
    pub(crate) fn open_value(&self) -> Amount {
        self.open_value
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
        self.add(&order, spec);
        self.note(order.id, &Traits::of(&order), &Traits::NONE);
        self.orders.insert(order.id, order);
    }

    /// Changes one order and everything derived from it.
    pub(crate) fn edit(&mut self, id: OrderId, spec: &InstrumentSpec, change: impl FnOnce(&mut Order)) {
        let Self { orders, exposures, open_value, .. } = self;
        let Some(order) = orders.get_mut(&id) else { return };
        let Some(exposure) = exposures.entry(order.instrument) else { return };
        let value = exposure.notional;
        exposure.remove(order, spec);
        let before = Traits::of(order);
        change(order);
        let after = Traits::of(order);
        exposure.add(order, spec);
        *open_value = open_value.saturating_sub(value).saturating_add(exposure.notional);
        let link = order.link.clone().filter(|_| !before.linked);
        if let Some(link) = link {
            self.by_link.entry(link).or_insert(id);
        }
        self.note(id, &after, &before);
        if before.open.is_some() && after.open.is_none() {
            self.retire(id);
        }
    }

    fn add(&mut self, order: &Order, spec: &InstrumentSpec) {
        if let Some(link) = &order.link {
            self.by_link.entry(link.clone()).or_insert(order.id);
        }
        if let Some(exposure) = self.exposures.entry(order.instrument) {
            let value = exposure.notional;
            exposure.add(order, spec);
            self.open_value = self.open_value.saturating_sub(value).saturating_add(exposure.notional);
        }
    }

    /// Brings the indices from what an order was to what it is.
    fn note(&mut self, id: OrderId, after: &Traits, before: &Traits) {
        if after.sequences != before.sequences {
            for sequence in before.sequences.iter().flatten() {
                self.by_sequence.remove(sequence);
            }
            for sequence in after.sequences.iter().flatten() {
                self.by_sequence.insert(*sequence, id);
            }
        }
        if after.open != before.open {
            if let Some(open) = before.open.and_then(|instrument| self.open.get_mut(&instrument)) {
                open.remove(&id);
                self.open_total = self.open_total.saturating_sub(1);
            }
            if let Some(instrument) = after.open {
                self.open.entry(instrument).or_default().insert(id);
                self.open_total = self.open_total.saturating_add(1);
            }
        }
        if after.quote != before.quote {
            if let Some((instrument, quote)) = before.quote
                && let Some(quotes) = self.quotes.get_mut(instrument)
            {
                quotes.remove(quote);
            }
            if let Some((instrument, quote)) = after.quote
                && let Some(quotes) = self.quotes.entry(instrument)
            {
                quotes.add(quote);
            }
        }
        match (before.unresolved, after.unresolved) {
            (false, true) => drop(self.unresolved.insert(id)),
            (true, false) => drop(self.unresolved.remove(&id)),
            (true, true) | (false, false) => {}
        }
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
        for sequence in Traits::of(&order).sequences.iter().flatten() {
            self.by_sequence.remove(sequence);
        }
        if let Some(strategy) = order.strategy {
            self.by_number.remove(&(strategy, order.number));
        }
    }
}

/// What the indices have of an order.
#[derive(Debug)]
struct Traits {
    /// Its create's entry, and that of the command in flight.
    sequences: [Option<Sequence>; 2],
    /// The instrument it is open in.
    open: Option<InstrumentId>,
    unresolved: bool,
    linked: bool,
    /// Where it rests, or may come to rest.
    quote: Option<(InstrumentId, Quote)>,
}

impl Traits {
    /// An order that is not there yet.
    const NONE: Self =
        Self { sequences: [None; 2], open: None, unresolved: false, linked: false, quote: None };

    fn of(order: &Order) -> Self {
        Self {
            sequences: [order.sequence, order.pending.and_then(|pending| pending.sequence)],
            open: order.status.is_open().then_some(order.instrument),
            unresolved: order.is_unresolved(),
            linked: order.link.is_some(),
            quote: Quote::of(order).map(|quote| (order.instrument, quote)),
        }
    }
}
