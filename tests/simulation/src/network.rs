//! The wires between gateway and venue, on the venue's side: delays, losses, duplicates, disorder.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::{ExecutionReport, MarketBody, Query, Sequence, Timestamp};

use crate::clock::{MS, SECOND};
use crate::faults::Fault;
use crate::queue::{Event, Lookup, Request, Stream, Wanted};
use crate::rng::Rng;
use crate::serve::unknown;
use crate::shared::Outside;
use crate::words::short;

/// The client's patience with a command.
const PATIENCE: u64 = 5 * SECOND;

/// The state of the wires.
#[derive(Debug)]
pub(crate) struct Network {
    rng: Rng,
    /// Which life of the gateway the wires belong to.
    pub(crate) session: u32,
    /// Commands without an outcome yet.
    waiting: BTreeSet<(u32, Sequence)>,
    /// Requests that will reach the venue, by a number of their own.
    pub(crate) flying: BTreeMap<u64, Request>,
    flown: u64,
    pub(crate) private: Line,
    pub(crate) public: Line,
    /// What the private stream said while it was being reconciled.
    pub(crate) held: Option<Vec<ExecutionReport>>,
    /// Until when the venue is down.
    pub(crate) down_until: u64,
}

/// One stream.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) alive: bool,
    /// Rises with every break, so that nothing of an old connection arrives.
    pub(crate) generation: u64,
    /// When its last message arrives: a stream keeps its order.
    last: u64,
}

impl Line {
    pub(crate) fn cut(&mut self) {
        self.alive = false;
        self.generation += 1;
    }
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed, "network"),
            session: 0,
            waiting: BTreeSet::new(),
            flying: BTreeMap::new(),
            flown: 0,
            private: Line::default(),
            public: Line::default(),
            held: None,
            down_until: 0,
        }
    }

    pub(crate) fn line(&mut self, stream: Stream) -> &mut Line {
        match stream {
            Stream::Public => &mut self.public,
            Stream::Private => &mut self.private,
        }
    }

    pub(crate) fn delay(&mut self) -> u64 {
        MS + self.rng.below(30 * MS)
    }

    /// Takes the right to tell this outcome; only the first has it.
    pub(crate) fn settles(&mut self, session: u32, of: Sequence) -> bool {
        self.waiting.remove(&(session, of))
    }
}

impl Outside {
    /// Puts a command on the wire at the gateway's `now`.
    pub(crate) fn send(&mut self, now: u64, mut request: Request) {
        let (session, of) = (request.session, request.of);
        self.network.waiting.insert((session, of));
        let mut arrives = Some(now + self.network.delay());
        let mut patience = PATIENCE;
        if self.faults.strikes(Fault::Timeout, 120) {
            request.answered = false;
            if self.network.rng.chance(500) {
                arrives = None;
            }
            if self.network.rng.chance(500) {
                patience = self.network.delay();
            }
        }
        if self.faults.strikes(Fault::Late, 80) {
            let late = 300 * MS + self.network.rng.below(6_500 * MS);
            arrives = arrives.map(|at| at + late);
        }
        self.queue
            .at(now + patience, Event::Outcome { session, of, outcome: Box::new(unknown("no answer")) });
        let Some(at) = arrives else { return };
        if self.faults.strikes(Fault::Twice, 60) {
            let first = Request { answered: false, ..request.clone() };
            self.fly(at, first);
            let later = at + self.network.delay();
            return self.fly(later, Request { copy: true, ..request });
        }
        self.fly(at, request);
    }

    pub(crate) fn fly(&mut self, at: u64, mut request: Request) {
        request.arrives = at;
        self.network.flown += 1;
        let number = self.network.flown;
        self.network.flying.insert(number, request.clone());
        self.queue.at(at, Event::Arrive { number, request: Box::new(request) });
    }

    /// Says on the private stream what happened at the venue.
    pub(crate) fn speak(&mut self) {
        for report in std::mem::take(&mut self.exchange.out) {
            if let ExecutionReport::Execution(execution) = &report {
                self.watch.happened(execution);
            }
            self.note(&[2], || format!("venue: {}", short(&report)));
            if !self.network.private.alive {
                continue;
            }
            if let Some(held) = &mut self.network.held {
                held.push(report);
                continue;
            }
            self.say(report);
        }
    }

    fn say(&mut self, report: ExecutionReport) {
        let generation = self.network.private.generation;
        if self.faults.strikes(Fault::Lost, 60) {
            return self.note(&[3], || "that message is lost".to_owned());
        }
        let mut at = (self.now + self.network.delay()).max(self.network.private.last);
        if self.faults.strikes(Fault::Reorder, 80) {
            let most = *self.network.rng.pick(&[20 * MS, 500 * MS, 20 * SECOND]);
            at += self.network.rng.below(most);
        } else {
            self.network.private.last = at;
        }
        if self.faults.strikes(Fault::Duplicate, 80) {
            let again = at + self.network.rng.below(5 * SECOND);
            let report = Box::new(report.clone());
            self.queue.at(again, Event::Private { generation, report });
        }
        self.queue.at(at, Event::Private { generation, report: Box::new(report) });
    }

    /// A market moves, and the public streams tell of it.
    pub(crate) fn move_market(&mut self, instrument: usize) {
        let leap = self.faults.strikes(Fault::Leap, 4);
        let now = self.now;
        let told = self.exchange.at(now).move_market(instrument, leap);
        let market = self.exchange.markets[instrument];
        self.story.mark(self.now, &[4, market.bid as u64, market.ask as u64]);
        self.speak();
        for body in told {
            self.publish(instrument, body);
        }
    }

    fn publish(&mut self, instrument: usize, body: MarketBody) {
        if !self.network.public.alive {
            return;
        }
        let at = (self.now + self.network.delay()).max(self.network.public.last);
        self.network.public.last = at;
        let generation = self.network.public.generation;
        let venue_time = Timestamp::from_millis(self.now / MS);
        self.queue.at(at, Event::Market { generation, instrument, body, venue_time });
    }

    /// Puts a query on the wire.
    pub(crate) fn ask(&mut self, now: u64, session: u32, query: Query) {
        let what = match query {
            Query::Order { order, link, .. } => Wanted::Order { order, link },
            Query::Snapshot { since } => Wanted::Everything { since },
        };
        self.look_up(now, session, what);
    }

    pub(crate) fn look_up(&mut self, now: u64, session: u32, what: Wanted) {
        let mut at = now + self.network.delay();
        if self.faults.strikes(Fault::Query, 60) {
            at += self.network.rng.below(25 * SECOND);
        }
        let lookup = Lookup {
            session,
            what,
            stage: 0,
            began: Timestamp::default(),
            orders: Vec::new(),
            executions: Vec::new(),
            finding: None,
            snapshot: None,
        };
        self.queue.at(at, Event::Lookup(Box::new(lookup)));
    }

    pub(crate) fn later(&mut self, lookup: Lookup) {
        let mut delay = self.network.delay();
        if self.faults.strikes(Fault::Query, 30) {
            delay += self.network.rng.below(15 * SECOND);
        }
        self.after(delay, Event::Lookup(Box::new(lookup)));
    }

    /// Breaks a stream; the gateway notices after a while.
    pub(crate) fn cut(&mut self, stream: Stream) {
        let line = self.network.line(stream);
        if !line.alive {
            return;
        }
        line.cut();
        let generation = line.generation;
        if stream == Stream::Private {
            self.network.held = None;
        }
        let unseen = self.network.rng.below(25 * SECOND);
        self.note(&[5], || format!("{stream:?} stream breaks"));
        self.after(unseen, Event::Noticed { stream, generation });
    }

    /// A delay of up to `most`, by the network's own choice.
    pub(crate) fn some_delay(&mut self, most: u64) -> u64 {
        self.network.rng.below(most)
    }
}
