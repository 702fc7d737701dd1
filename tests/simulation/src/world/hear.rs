//! What reaches the gateway from the venue.

use portcullis_core::{
    Evidence, Execution, ExecutionReport, Input, LinkChange, MarketBody, MarketEvent, Timestamp,
    VenueSnapshot, VenueStatus,
};

use super::World;
use crate::clock::{MS, SECOND};
use crate::exchange::specs;
use crate::faults::Fault;
use crate::plan::Sabotage;
use crate::queue::{Event, Lookup, Stream, Wanted};
use crate::words::{short, tail};

/// How far behind the newest execution a backfill starts.
const OVERLAP: u64 = 600 * SECOND;

impl World {
    pub(super) fn hear_private(&mut self, time: u64, generation: u64, report: ExecutionReport) {
        let current = {
            let outside = self.outside.get();
            outside.network.private.alive && outside.network.private.generation == generation
        };
        if current && self.road.is_some() {
            self.clock.reach(time);
            self.hear(report);
        }
    }

    fn hear(&mut self, report: ExecutionReport) {
        if let ExecutionReport::Execution(execution) = &report
            && !self.hear_execution(execution)
        {
            return;
        }
        self.outside.get().note(&[30], || format!("gateway hears: {}", short(&report)));
        self.input(Input::Report(report));
    }

    /// Notes that the gateway hears of an execution. False when it is hidden from it on purpose.
    fn hear_execution(&mut self, execution: &Execution) -> bool {
        let mut outside = self.outside.get();
        if outside.sabotage == Some(Sabotage::HideFills) && execution.quantity.0 % 3 == 0 {
            return false;
        }
        self.seen = self.seen.max(execution.venue_time.0);
        outside.watch.heard(execution);
        true
    }

    pub(super) fn hear_market(
        &mut self,
        time: u64,
        generation: u64,
        instrument: usize,
        body: MarketBody,
        venue_time: Timestamp,
    ) {
        let spec = &specs()[instrument];
        {
            let mut outside = self.outside.get();
            let line = &outside.network.public;
            if !line.alive || line.generation != generation || self.road.is_none() {
                return;
            }
            self.clock.reach(time);
            let (now, offset) = (self.clock.now(), self.clock.offset());
            outside.watch.told.market(instrument, spec, &body, now, offset);
        }
        let mut stamp = self.clock.local().max(venue_time);
        if self.plan.sabotage == Some(Sabotage::FreshForEver) {
            stamp.0 += 3_600 * SECOND;
        }
        let event = MarketEvent { instrument: spec.id, time: stamp, venue_time, body };
        if let Some(road) = self.road.as_mut() {
            road.market(&event);
        }
    }

    /// The gateway notices that a stream is dead, and connects it again after a while.
    pub(super) fn notice(&mut self, time: u64, stream: Stream, generation: u64) {
        {
            let mut outside = self.outside.get();
            let line = outside.network.line(stream);
            if line.alive || line.generation != generation || self.road.is_none() {
                return;
            }
        }
        self.clock.reach(time);
        self.link(match stream {
            Stream::Public => LinkChange::Public { up: false },
            Stream::Private => LinkChange::Private { up: false },
        });
        self.connect_later(stream);
    }

    fn connect_later(&mut self, stream: Stream) {
        let delay = 200 * MS + self.chaos.below(5 * SECOND);
        let session = self.session;
        self.outside.get().after(delay, Event::Connect { stream, session });
    }

    /// The gateway connects a stream. The private one counts as up only once it is reconciled.
    pub(super) fn connect(&mut self, time: u64, stream: Stream, session: u32) {
        if !self.is_up(session) || self.outside.get().network.line(stream).alive {
            return;
        }
        self.clock.reach(time);
        if self.outside.get().network.down_until > time {
            return self.connect_later(stream);
        }
        let since = Timestamp(self.seen.saturating_sub(OVERLAP));
        let mut outside = self.outside.get();
        let line = outside.network.line(stream);
        line.alive = true;
        let generation = line.generation;
        outside.note(&[31], || format!("{stream:?} stream connects"));
        match stream {
            Stream::Public => {
                drop(outside);
                self.link(LinkChange::Public { up: true });
            }
            Stream::Private => {
                outside.network.held = Some(Vec::new());
                let now = outside.now;
                outside.look_up(now, session, Wanted::Reconnect { generation, since });
            }
        }
    }

    /// One stage of a query. Each part of an answer is true when it is taken, and they are not taken at once.
    pub(super) fn look_up(&mut self, mut lookup: Lookup) {
        let last = match lookup.what {
            Wanted::Order { .. } => 2,
            Wanted::Everything { .. } | Wanted::Reconnect { .. } => 3,
        };
        if lookup.stage == last {
            return self.found(lookup);
        }
        let mut outside = self.outside.get();
        let now = outside.now;
        if lookup.stage == 0 {
            lookup.began = Timestamp::from_millis(now / MS);
        }
        let fails = now < outside.network.down_until || outside.faults.strikes(Fault::Query, 80);
        if fails {
            match lookup.what {
                Wanted::Order { .. } => {
                    lookup.finding = Some(Evidence::Unavailable);
                    lookup.executions.clear();
                    lookup.stage = last;
                    outside.later(lookup);
                }
                Wanted::Everything { .. } => {}
                Wanted::Reconnect { generation, .. } => {
                    if outside.network.private.generation == generation && outside.network.private.alive {
                        outside.network.private.cut();
                        outside.network.held = None;
                        drop(outside);
                        self.connect_later(Stream::Private);
                    }
                }
            }
            return;
        }
        let lie = outside.sabotage == Some(Sabotage::LyingQuery);
        let exchange = outside.exchange.at(now);
        match (&lookup.what, lookup.stage) {
            (Wanted::Order { link, .. }, 0) => {
                lookup.orders.extend(exchange.order_of(link).filter(|_| !lie).map(|order| order.report()));
            }
            (Wanted::Order { link, .. }, _) => {
                let found = lookup.orders.pop();
                let may_have = |report: &portcullis_core::OrderReport| {
                    report.executed.0 > 0 || report.status == VenueStatus::Filled
                };
                if found.as_ref().is_none_or(may_have) && !lie {
                    lookup.executions = exchange.executions_of(link);
                }
                lookup.finding = Some(match found {
                    Some(report) => Evidence::Found(report),
                    None if lookup.executions.is_empty() => Evidence::Absent,
                    None => Evidence::Unavailable,
                });
            }
            (_, 0) => lookup.orders = exchange.open().map(|order| order.report()).collect(),
            (Wanted::Everything { since } | Wanted::Reconnect { since, .. }, 1) => {
                lookup.executions = exchange.executions_since(*since);
            }
            (Wanted::Everything { .. } | Wanted::Reconnect { .. }, _) => {
                let snapshot = VenueSnapshot {
                    time: Timestamp::default(),
                    orders: std::mem::take(&mut lookup.orders),
                    executions: std::mem::take(&mut lookup.executions),
                    positions: exchange.position_reports(),
                    wallet: exchange.wallet(),
                    mode: exchange.mode(),
                };
                lookup.snapshot = Some(Box::new(snapshot));
            }
        }
        lookup.stage += 1;
        outside.later(lookup);
    }

    /// The answer to a query reaches the gateway.
    fn found(&mut self, lookup: Lookup) {
        if !self.is_up(lookup.session) {
            return;
        }
        self.clock.reach(self.outside.get().now);
        match lookup.what {
            Wanted::Order { order, link } => {
                for execution in lookup.executions {
                    self.hear(ExecutionReport::Execution(execution));
                }
                let finding = lookup.finding.unwrap_or(Evidence::Unavailable);
                self.outside
                    .get()
                    .note(&[32, order.0], || format!("gateway finds {}: {finding:?}", tail(&link)));
                self.input(Input::Evidence { order, finding, venue_time: lookup.began });
            }
            Wanted::Everything { .. } => self.compare(lookup.snapshot),
            Wanted::Reconnect { generation, .. } => {
                let current = {
                    let outside = self.outside.get();
                    outside.network.private.alive && outside.network.private.generation == generation
                };
                if !current {
                    return;
                }
                self.compare(lookup.snapshot);
                let held = self.outside.get().network.held.take();
                for report in held.into_iter().flatten() {
                    self.hear(report);
                }
                if self.is_up(lookup.session) {
                    self.link(LinkChange::Private { up: true });
                }
            }
        }
    }

    fn compare(&mut self, snapshot: Option<Box<VenueSnapshot>>) {
        let Some(mut snapshot) = snapshot else { return };
        snapshot.time = self.clock.local();
        let executions = std::mem::take(&mut snapshot.executions);
        snapshot.executions =
            executions.into_iter().filter(|execution| self.hear_execution(execution)).collect();
        {
            let mut outside = self.outside.get();
            outside.watch.told.snapshot();
            outside.note(&[33], || {
                let positions: Vec<i64> =
                    snapshot.positions.iter().map(|position| position.quantity.0).collect();
                format!(
                    "gateway gets a snapshot: {} orders, {} executions, positions {positions:?}",
                    snapshot.orders.len(),
                    snapshot.executions.len()
                )
            });
        }
        self.input(Input::Snapshot(*snapshot));
        if let Some(road) = &self.road {
            let mut outside = self.outside.get();
            let outside = &mut *outside;
            outside.watch.compared(road.gate(), &outside.exchange);
        }
    }
}
