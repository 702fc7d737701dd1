//! One strategy in a backtest: what it is to be told, its timers, and its frames.

use std::collections::BTreeMap;

use portcullis_core::frame::Timers;
use portcullis_core::{
    ActionBody, Cause, Digest, InstrumentId, MarketEvent, Notice, Outcome, StrategyId, Timestamp,
};
use portcullis_gateway::{Event, EventBody, Packer, Step, Stream};

use crate::frames::Size;
use crate::guest::{Guest, GuestFault};

/// Events a strategy may see at one moment before it counts as stuck: a timer that sets itself again to the same time never ends.
const AT_ONCE_MOST: u32 = 65_536;

/// Most gauges of a strategy (RULES C7).
const GAUGES_MOST: usize = 32;

/// A strategy under way.
#[derive(Debug)]
pub(crate) struct Lane<G> {
    pub(crate) id: StrategyId,
    guest: G,
    packer: Packer,
    wanted: Vec<(InstrumentId, Stream)>,
    /// What it is to be told, by the time it may see it.
    pending: BTreeMap<(Timestamp, u64), Event>,
    told: u64,
    timers: Timers,
    pub(crate) size: Size,
    /// Its gauges, each at its latest value.
    gauges: BTreeMap<String, f64>,
    /// Events consumed so far.
    delivered: u64,
    /// When the last of them was, and how many there were at that moment.
    last: (Timestamp, u32),
    /// Number of the event that ends the resync.
    resync_ends: Option<u64>,
    /// The frame under way.
    own: Vec<Own>,
    /// Places, among the market events in sight, of those in the frame.
    places: Vec<usize>,
    /// Market events in sight that the frame covers, those the strategy did not subscribe to included.
    span: usize,
}

/// A record of the strategy's own in a frame.
#[derive(Debug, Clone)]
struct Own {
    time: Timestamp,
    what: OwnWhat,
}

#[derive(Debug, Clone, Copy)]
enum OwnWhat {
    /// What waits under this number.
    Pending(u64),
    /// A timer that fires.
    Timer,
}

/// What a strategy did because of one event.
#[derive(Debug)]
pub(crate) struct Deed {
    /// The event's place in the frame.
    index: usize,
    /// When the event was.
    pub(crate) time: Timestamp,
    /// The place of the event among the market events handed over; `None` for an event of the strategy's own, which comes before market
    /// events of its moment.
    pub(crate) place: Option<usize>,
    /// What it did, in order.
    pub(crate) steps: Vec<Step>,
}

impl Deed {
    /// The same, with its place counted from `passed` market events earlier.
    pub(crate) fn moved(self, passed: usize) -> Self {
        Self { place: self.place.map(|place| place.saturating_add(passed)), ..self }
    }
}

impl<G: Guest> Lane<G> {
    pub(crate) fn new(
        id: StrategyId,
        guest: G,
        packer: Packer,
        wanted: Vec<(InstrumentId, Stream)>,
        size: Size,
    ) -> Self {
        Self {
            id,
            guest,
            packer,
            wanted,
            pending: BTreeMap::new(),
            told: 0,
            timers: Timers::default(),
            size,
            gauges: BTreeMap::new(),
            delivered: 0,
            last: (Timestamp(0), 0),
            resync_ends: None,
            own: Vec::new(),
            places: Vec::new(),
            span: 0,
        }
    }

    /// Events consumed so far.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Its gauges, each at its latest value.
    pub(crate) fn gauges(&self) -> &BTreeMap<String, f64> {
        &self.gauges
    }

    /// Tells the strategy its whole state; it may add risk once it has seen it.
    pub(crate) fn start(&mut self, events: Vec<Event>) {
        for event in events {
            self.push(event);
        }
        self.resync_ends = Some(self.told.saturating_sub(1));
    }

    /// Takes in what the strategy is to be told.
    pub(crate) fn tell(&mut self, due: Timestamp, notice: Notice) {
        self.push(Event { time: due, venue_time: notice.venue_time, body: EventBody::Notice(notice.body) });
    }

    /// When the strategy next has something of its own to see.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let told = self.pending.keys().next().map(|(time, _)| *time);
        told.into_iter().chain(self.timers.first().map(|(_, at)| self.fires(at))).min()
    }

    /// When a timer fires: not before what was seen already.
    fn fires(&self, at: Timestamp) -> Timestamp {
        at.max(self.last.0)
    }

    /// Whether it sees an event, and how many levels of a book.
    fn sees(&self, event: &MarketEvent) -> Option<usize> {
        let mut own = self.wanted.iter().filter(|(id, _)| *id == event.instrument);
        own.find(|(_, stream)| stream.carries(&event.body)).map(|(_, stream)| match stream {
            Stream::Book(levels) => usize::from(*levels),
            Stream::Trades | Stream::Quotes | Stream::Bars(_) | Stream::Funding | Stream::Mark => 0,
        })
    }

    /// Packs the next frame, of at most `most` records: what the strategy is to be told, then the first of `ahead`, all before `until`.
    pub(crate) fn pack(&mut self, ahead: &[MarketEvent], until: Timestamp, most: usize) -> Packed {
        self.packer.begin();
        self.own.clear();
        self.places.clear();
        self.span = 0;
        let market = ahead.first().map(|event| event.time);
        let first = self.due().into_iter().chain(market).min().unwrap_or(until);
        let until = self.size.until(first).map_or(until, |end| end.min(until));
        let rest = self.pack_own(market.unwrap_or(until), until, most);
        // What of its own is not in the frame comes before later market events.
        let end = rest.map_or(until, |rest| rest.min(until));
        let mut room = most.saturating_sub(self.own.len());
        for (place, event) in ahead.iter().enumerate() {
            if event.time >= end || room == 0 {
                break;
            }
            if let Some(levels) = self.sees(event) {
                let (time, venue_time) = (event.time, event.venue_time);
                if self.packer.append_market(event.instrument, time, venue_time, &event.body, levels).is_err()
                {
                    break;
                }
                self.places.push(place);
            }
            room = room.saturating_sub(1);
            self.span = place.saturating_add(1);
        }
        Packed { records: self.packer.len(), span: self.span, full: room == 0 }
    }

    /// Appends what is due by `market` and before `until`; returns the time of what is left.
    fn pack_own(&mut self, market: Timestamp, until: Timestamp, most: usize) -> Option<Timestamp> {
        let mut timers: Vec<(Timestamp, u64)> = self.timers.iter().map(|(id, at)| (at, id)).collect();
        timers.sort_unstable();
        let mut timers = timers.into_iter().map(|(at, id)| (at.max(self.last.0), id)).peekable();
        let mut pending = self.pending.iter().peekable();
        loop {
            let told = pending.peek().map(|((time, _), _)| *time);
            let timer = timers.peek().map(|(at, _)| *at);
            let next = told.into_iter().chain(timer).min()?;
            if next > market || next >= until || self.own.len() >= most {
                return Some(next);
            }
            // At one moment, what happened comes before timers.
            let (own, packed) = if told.is_some_and(|told| timer.is_none_or(|timer| told <= timer)) {
                let ((time, number), event) = pending.next()?;
                (Own { time: *time, what: OwnWhat::Pending(*number) }, self.packer.append(event))
            } else {
                let (at, id) = timers.next()?;
                let event = Event::now(at, EventBody::Timer(id));
                (Own { time: at, what: OwnWhat::Timer }, self.packer.append(&event))
            };
            if packed.is_err() {
                return Some(next);
            }
            self.own.push(own);
        }
    }

    /// Hands the frame to the strategy. Returns what it did, event by event, and how many of the market events handed over it is done
    /// with.
    pub(crate) fn call(&mut self) -> Result<(Vec<Deed>, usize), GuestFault> {
        let outcome = self.guest.on_frame(self.packer.frame())?;
        self.timers = self
            .packer
            .check(&self.timers, &outcome)
            .map_err(|broken| GuestFault { code: "PROTOCOL", detail: broken.to_string() })?;
        let consumed = usize::try_from(outcome.consumed).unwrap_or(usize::MAX);
        // Events it does not see are passed with those it sees, but not once it did something: what that causes may come first.
        let unseen_too = consumed >= self.packer.len() && outcome.actions.is_empty();
        let done = match consumed.checked_sub(self.own.len()).and_then(|market| market.checked_sub(1)) {
            _ if unseen_too => self.span,
            None => 0,
            Some(last) => self.places.get(last).map_or(0, |place| place.saturating_add(1)),
        };
        self.note_time(consumed)?;
        let deeds = self.deeds(outcome, consumed);
        for own in self.own.drain(..).take(consumed) {
            if let OwnWhat::Pending(number) = own.what {
                self.pending.remove(&(own.time, number));
            }
        }
        self.delivered = self.delivered.saturating_add(u64::try_from(consumed).unwrap_or(u64::MAX));
        Ok((deeds, done))
    }

    /// Notes when the last event consumed was.
    fn note_time(&mut self, consumed: usize) -> Result<(), GuestFault> {
        let last = consumed.checked_sub(1).and_then(|last| self.packer.time_of(last));
        let Some(last) = last else { return Ok(()) };
        self.last = if last > self.last.0 { (last, 0) } else { (last, self.last.1.saturating_add(1)) };
        if self.last.1 <= AT_ONCE_MOST {
            return Ok(());
        }
        let detail =
            format!("more than {AT_ONCE_MOST} calls at {} ns: does a timer set itself again?", last.0);
        Err(GuestFault { code: "STUCK", detail })
    }

    fn deeds(&mut self, outcome: Outcome, consumed: usize) -> Vec<Deed> {
        let mut deeds = Vec::new();
        let own_count = self.own.len();
        for index in 0..consumed.min(own_count) {
            let Some(own) = self.own.get(index) else { break };
            let steps = self.milestones(index, own);
            if !steps.is_empty() {
                deeds.push(Deed { index, time: own.time, place: None, steps });
            }
        }
        for action in outcome.actions {
            let index = usize::try_from(action.cause).unwrap_or(usize::MAX);
            let Some(time) = self.packer.time_of(index) else { break };
            let Some(step) = self.step(index, time, action.body) else { continue };
            let found = deeds.binary_search_by_key(&index, |deed| deed.index);
            match found {
                Ok(at) => {
                    if let Some(deed) = deeds.get_mut(at) {
                        deed.steps.push(step);
                    }
                }
                Err(at) => {
                    let place =
                        index.checked_sub(own_count).and_then(|place| self.places.get(place).copied());
                    deeds.insert(at, Deed { index, time, place, steps: vec![step] });
                }
            }
        }
        deeds
    }

    /// What it means for the gate that the strategy has seen an event of its own.
    fn milestones(&self, index: usize, own: &Own) -> Vec<Step> {
        let mut steps = Vec::new();
        let OwnWhat::Pending(number) = own.what else { return steps };
        let event = self.pending.get(&(own.time, number));
        if event.is_some_and(|event| event.body == EventBody::WarmUpBoundary) {
            steps.push(Step::Warm);
        }
        if self.resync_ends == Some(self.number(index)) {
            steps.push(Step::Resynced);
        }
        steps
    }

    /// An action that goes down the road; timers are kept here, and log lines are for the author alone.
    fn step(&mut self, index: usize, time: Timestamp, body: ActionBody) -> Option<Step> {
        match body {
            ActionBody::SetTimer { .. } => None,
            ActionBody::Log { message, .. } => {
                tracing::debug!(target: "strategy", at = time.0, message);
                None
            }
            ActionBody::Metric { name, value } => {
                if self.gauges.len() < GAUGES_MOST || self.gauges.contains_key(&name) {
                    self.gauges.insert(name, value);
                }
                None
            }
            body @ (ActionBody::Place(_)
            | ActionBody::Amend(_)
            | ActionBody::Cancel(_)
            | ActionBody::CancelAll(_)
            | ActionBody::Flatten(_)) => {
                // A frame's digest would make the journal depend on where frames were cut (RULES T6).
                let cause = Cause { time, event: self.number(index), frame: Digest::default() };
                Some(Step::Action(cause, body))
            }
        }
    }

    fn number(&self, index: usize) -> u64 {
        self.delivered.saturating_add(u64::try_from(index).unwrap_or(u64::MAX))
    }

    fn push(&mut self, event: Event) {
        self.pending.insert((event.time, self.told), event);
        self.told = self.told.saturating_add(1);
    }
}

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packed {
    /// Records; a frame without any must not be handed over.
    pub(crate) records: usize,
    /// Market events it covers, those the strategy did not subscribe to included.
    pub(crate) span: usize,
    /// Whether its size, and nothing else, ended it.
    pub(crate) full: bool,
}
