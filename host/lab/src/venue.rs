//! The exchange of a backtest: the matching engine, with the way there and back in virtual time (RULES T2).

use std::collections::VecDeque;

use portcullis_core::{
    CancelScope, Command, Evidence, LinkId, MarketEvent, PlaceOrder, Query, Sequence, Submission, Timestamp,
};
use portcullis_gateway::{Clock as _, Venue, VenueEvent};
use portcullis_journal::JournaledCommand;
use portcullis_paper::engine::{
    CancelFilter, Change, Condition, Engine, Event, ExecutionKind, NewOrder, Origin, Reject, SelfMatch,
    Slippage, Target, Watched,
};

use crate::clock::VirtualClock;
use crate::latency::Latency;
use crate::report;

/// How far a market order that only reduces may go from the best price, in ten-thousandths (RULES G3).
const SLIPPAGE_BPS: u32 = 100;

/// The engine, what is on its way to it, and what is on its way back. Delays are constant, so both ways keep their order.
#[derive(Debug)]
pub(crate) struct LabVenue {
    engine: Engine,
    latency: Latency,
    clock: VirtualClock,
    there: VecDeque<(Timestamp, Arrival)>,
    back: VecDeque<(Timestamp, VenueEvent)>,
    scratch: Vec<Event>,
    counts: Counts,
}

/// On its way to the venue.
#[derive(Debug)]
enum Arrival {
    Command(JournaledCommand),
    Query(Query),
}

/// What happened at the venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Acknowledged creates.
    pub(crate) orders: u64,
    /// Orders with any execution.
    pub(crate) fills: u64,
    /// Trades of ours.
    pub(crate) executions: u64,
}

impl LabVenue {
    pub(crate) fn new(engine: Engine, latency: Latency, clock: VirtualClock) -> Self {
        Self {
            engine,
            latency,
            clock,
            there: VecDeque::new(),
            back: VecDeque::new(),
            scratch: Vec::new(),
            counts: Counts::default(),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// When something next arrives at either end.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let there = self.there.front().map(|(time, _)| *time);
        let back = self.back.front().map(|(time, _)| *time);
        there.into_iter().chain(back).min()
    }

    /// A market event that may touch something of ours.
    pub(crate) fn market(&mut self, event: &MarketEvent) {
        self.engine.on_market(event, &mut self.scratch);
        self.tell_events(event.venue_time);
    }

    /// Lets what is due now arrive: at the venue, or back from it.
    fn arrive(&mut self, now: Timestamp) -> Option<VenueEvent> {
        loop {
            // What comes back was caused earlier than what only now gets there.
            if self.back.front().is_some_and(|(time, _)| *time <= now) {
                return self.back.pop_front().map(|(_, event)| event);
            }
            if self.there.front().is_none_or(|(time, _)| *time > now) {
                return None;
            }
            match self.there.pop_front() {
                Some((at, Arrival::Command(command))) => self.execute(at, &command),
                Some((at, Arrival::Query(query))) => self.answer(at, query),
                None => return None,
            }
        }
    }

    fn execute(&mut self, now: Timestamp, journaled: &JournaledCommand) {
        let of = journaled.sequence();
        let Self { engine, scratch, .. } = self;
        let done = match journaled.command() {
            Command::Place(place) => {
                engine.submit(now, new_order(place, journaled.link()), scratch).map(Some)
            }
            Command::Amend(amend) => {
                let change = Change { price: amend.price, quantity: amend.quantity, ..Change::default() };
                engine.amend(now, Target::Link(&amend.link), change, scratch).map(Some)
            }
            Command::Cancel(cancel) => engine.cancel(now, Target::Link(&cancel.link), scratch).map(Some),
            Command::CancelAll(all) => {
                let filter = match all.scope {
                    CancelScope::Entries => CancelFilter::Working,
                    CancelScope::Conditional => CancelFilter::ClientConditions,
                };
                engine.cancel_all(now, Some(all.instrument), filter, scratch);
                Ok(None)
            }
            Command::SetProtection(set) => engine
                .set_protection(
                    now,
                    set.instrument,
                    set.take_profit.map(Some),
                    set.stop_loss.map(Some),
                    scratch,
                )
                .map(|()| None),
        };
        if done.is_ok() && journaled.command().is_create() {
            self.counts.orders = self.counts.orders.saturating_add(1);
        }
        self.acknowledge(now, of, done);
        self.tell_events(now);
    }

    fn acknowledge(
        &mut self,
        now: Timestamp,
        of: Sequence,
        done: Result<Option<portcullis_paper::engine::OrderKey>, Reject>,
    ) {
        let outcome = match done {
            Ok(key) => Submission::Accepted { venue_order: key.and_then(report::name) },
            Err(reject) => Submission::Rejected(report::rejection(&reject)),
        };
        self.send_back(now, VenueEvent::Submission { of, outcome });
    }

    fn answer(&mut self, now: Timestamp, query: Query) {
        let event = match query {
            Query::Snapshot { .. } => VenueEvent::Snapshot(report::snapshot(&self.engine, now)),
            Query::Order { order, link, .. } => {
                let found = self.engine.order(Target::Link(&link)).and_then(report::order);
                let finding = found.map_or(Evidence::Absent, Evidence::Found);
                VenueEvent::Evidence { order, finding, venue_time: now }
            }
        };
        self.send_back(now, event);
    }

    fn tell_events(&mut self, now: Timestamp) {
        if self.scratch.is_empty() {
            return;
        }
        let events = std::mem::take(&mut self.scratch);
        for event in &events {
            self.count(event);
        }
        let at = now.after(self.latency.report);
        let told = report::reports(&self.engine, &events);
        self.back.extend(told.map(|report| (at, VenueEvent::Report(report))));
        self.scratch = events;
        self.scratch.clear();
    }

    fn count(&mut self, event: &Event) {
        let Event::Execution(row) = event else { return };
        if row.kind == ExecutionKind::Trade && row.origin == Origin::Client {
            self.counts.executions = self.counts.executions.saturating_add(1);
            let executed = row.order_quantity.0.saturating_sub(row.leaves.0);
            if executed == row.quantity.0 {
                self.counts.fills = self.counts.fills.saturating_add(1);
            }
        }
    }

    fn send_back(&mut self, now: Timestamp, event: VenueEvent) {
        self.back.push_back((now.after(self.latency.report), event));
    }

    fn send_there(&mut self, arrival: Arrival) {
        self.there.push_back((self.clock.now().after(self.latency.entry), arrival));
    }

    /// The first snapshot, which the gate wants before anything may trade.
    pub(crate) fn snapshot(&self) -> portcullis_core::VenueSnapshot {
        report::snapshot(&self.engine, self.clock.now())
    }
}

impl Venue for LabVenue {
    fn submit(&mut self, command: JournaledCommand) {
        self.send_there(Arrival::Command(command));
    }

    fn query(&mut self, query: Query) {
        self.send_there(Arrival::Query(query));
    }

    fn poll(&mut self) -> Option<VenueEvent> {
        self.arrive(self.clock.now())
    }
}

/// What the live client sends for an order, without the detour over text.
fn new_order(place: &PlaceOrder, link: &LinkId) -> NewOrder {
    NewOrder {
        link: Some(link.clone()),
        price: place.price,
        time_in_force: place.time_in_force,
        reduce_only: place.reduce_only,
        trigger: place.trigger.map(|trigger| Condition {
            price: trigger.price,
            rising: trigger.rising,
            watches: Watched::Last,
        }),
        take_profit: place.take_profit,
        stop_loss: place.stop_loss,
        self_match: SelfMatch::CancelTaker,
        slippage: place.price.is_none().then_some(Slippage::BasisPoints(SLIPPAGE_BPS)),
        ..NewOrder::market(place.instrument, place.side, place.quantity)
    }
}
