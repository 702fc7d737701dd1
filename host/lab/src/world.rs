//! Everything but the strategies, moved through virtual time: market, venue, gate, journal.
//!
//! What is due at one moment comes in this order: arrivals at either end of the venue's wires, the gate's tick, and last the market
//! event of that moment. So a consequence at t + L precedes an event at t + L, as the stop rule has it (RULES T3).

use portcullis_core::{
    Amount, Input, InstrumentId, MarketBody, MarketEvent, Notice, Quiet, Span, StrategyId, Timestamp,
};
use portcullis_gateway::{Clock as _, Road, Step, Venue as _, VenueEvent};
use portcullis_journal::Log;

use crate::clock::VirtualClock;
use crate::curve::Curve;
use crate::storage::Discard;
use crate::tape::Tape;
use crate::venue::LabVenue;

/// How often the gate is told that time passes, in virtual time.
const TICK: Span = Span::from_secs(1);

pub(crate) type LabRoad = Road<LabVenue, Log<Discard>, VirtualClock>;

/// The world of a run.
#[derive(Debug)]
pub(crate) struct World<'d> {
    road: LabRoad,
    clock: VirtualClock,
    tape: Tape<'d>,
    passed: u64,
    /// The next tick that may do something.
    tick: Timestamp,
    ticked: Timestamp,
    /// Between which valuations no tick before that does anything; see [`Quiet`].
    bands: Vec<(InstrumentId, Amount, Amount)>,
    /// Whether `tick` and `bands` are still to be worked out.
    stale: bool,
    curve: Curve,
    instruments: Vec<InstrumentId>,
}

impl<'d> World<'d> {
    pub(crate) fn new(road: LabRoad, clock: VirtualClock, tape: Tape<'d>) -> Self {
        let ticked = clock.now();
        let instruments = road.venue().engine().instruments().map(|spec| spec.id).collect();
        Self {
            instruments,
            road,
            clock,
            tape,
            passed: 0,
            tick: ticked,
            ticked,
            bands: Vec::new(),
            stale: true,
            curve: Curve::default(),
        }
    }

    pub(crate) fn road(&self) -> &LabRoad {
        &self.road
    }

    /// Ends the run: what is in flight arrives, the journal is flushed.
    pub(crate) fn finish(mut self) -> (LabRoad, u64, Amount) {
        while let Some(due) = self.road.venue().due() {
            self.clock.set(due.max(self.clock.now()));
            self.hear();
        }
        self.curve.refresh(self.road.venue().engine());
        self.road.flush();
        (self.road, self.passed, self.curve.drawdown())
    }

    /// The market events in sight.
    pub(crate) fn ahead(&mut self) -> &[MarketEvent] {
        self.tape.ahead()
    }

    /// When something other than the market next happens.
    pub(crate) fn due(&mut self) -> Timestamp {
        if self.stale {
            self.look_at_clock();
        }
        self.road.venue().due().map_or(self.tick, |due| due.min(self.tick))
    }

    /// Of the next `most` market events, those up to and with the first that may touch anything of ours.
    pub(crate) fn clear(&mut self, most: usize) -> usize {
        if self.stale {
            self.look_at_clock();
        }
        let engine = self.road.venue_mut().engine_mut();
        engine.brace();
        let ahead = self.tape.ahead();
        let ahead = ahead.get(..most).unwrap_or(ahead);
        let untouched = engine.untouched(ahead);
        let clear = untouched.saturating_add(1).min(ahead.len());
        let inside = ahead.get(..clear).unwrap_or_default();
        leaving(&self.bands, engine, inside).map_or(clear, |place| place.saturating_add(1))
    }

    /// Lets everything happen that is due by a moment before the next market event.
    pub(crate) fn settle(&mut self, until: Timestamp) {
        while self.due() <= until {
            self.proceed();
        }
    }

    /// Lets the next thing that is due happen.
    pub(crate) fn proceed(&mut self) {
        let due = self.due();
        self.clock.set(due.max(self.clock.now()));
        if self.road.venue().due().is_some_and(|venue| venue <= due) {
            self.hear();
        } else {
            self.ticked = due;
            self.road.step(Input::Tick);
        }
        self.stale = true;
    }

    /// Lets `count` of the market events in sight pass, with everything that is due between them.
    pub(crate) fn advance(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let due = self.due();
            let ahead = self.tape.ahead();
            let Some(first) = ahead.first() else { return };
            if due <= first.time {
                self.proceed();
                continue;
            }
            let ahead = ahead.get(..left).unwrap_or(ahead);
            let before = ahead.partition_point(|event| event.time < due);
            left = left.saturating_sub(self.pass(before));
        }
    }

    /// Sends what a strategy did, because of events at `now`, down the road.
    pub(crate) fn act(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        steps: impl IntoIterator<Item = Step>,
    ) {
        self.clock.set(now.max(self.clock.now()));
        // Backtest entries cite events, never frames (RULES T6).
        self.road.act(strategy, steps, &[]);
        self.stale = true;
    }

    /// Hands the gate an input of the driver's own.
    pub(crate) fn step(&mut self, input: Input<'_>) -> Option<portcullis_core::Reply> {
        self.stale = true;
        self.road.step(input)
    }

    /// What strategies are to be told, and when they may see it.
    pub(crate) fn take_told(&mut self) -> Vec<(Timestamp, Notice)> {
        self.road.take_told()
    }

    /// Strategies that flooded the gate.
    pub(crate) fn take_floods(&mut self) -> Vec<StrategyId> {
        self.road.take_floods()
    }

    fn hear(&mut self) {
        while let Some(event) = self.road.venue_mut().poll() {
            let input = match event {
                VenueEvent::Market(_) => continue,
                VenueEvent::Submission { of, outcome } => Input::Submission { of, outcome },
                VenueEvent::Report(report) => Input::Report(report),
                VenueEvent::Snapshot(snapshot) => Input::Snapshot(snapshot),
                VenueEvent::Evidence { order, finding, venue_time } => {
                    Input::Evidence { order, finding, venue_time }
                }
                VenueEvent::Link(change) => Input::Link(change),
                VenueEvent::Alarm(alarm) => Input::Alarm(alarm),
                VenueEvent::Instrument(spec) => Input::Instrument(spec),
                VenueEvent::PriceLimit(limit) => Input::PriceLimit(limit),
            };
            self.road.step(input);
        }
        self.stale = true;
        self.curve.refresh(self.road.venue().engine());
    }

    /// Lets some of the next `most` market events pass, none of which has anything due before it. Returns how many.
    fn pass(&mut self, most: usize) -> usize {
        let venue = self.road.venue_mut();
        venue.engine_mut().brace();
        let ahead = self.tape.ahead();
        let ahead = ahead.get(..most).unwrap_or(ahead);
        let mut count = venue.engine().untouched(ahead);
        let touches = count == 0;
        count = count.max(1).min(ahead.len());
        let run = ahead.get(..count).unwrap_or_default();
        let leaving = leaving(&self.bands, venue.engine(), run);
        let run = leaving.map_or(run, |place| run.get(..=place).unwrap_or(run));
        let Some(last) = run.last() else { return 0 };
        self.clock.set(last.time.max(self.clock.now()));
        self.curve.pass(venue.engine(), run);
        if touches {
            for event in run {
                venue.market(event);
            }
        } else {
            venue.engine_mut().skim(run);
        }
        self.road.markets(run);
        // Where no marks come, the mark follows the trades; the gate wants to be told (RULES P3).
        for id in &self.instruments {
            let last = run.iter().rfind(|event| event.instrument == *id && is_trade(event));
            if let Some(mark) = last.and_then(|last| followed_mark(self.road.venue().engine(), last)) {
                self.road.market(&mark);
            }
        }
        let count = run.len();
        if leaving.is_some() || touches {
            self.stale = true;
            self.curve.refresh(self.road.venue().engine());
        }
        self.tape.skip(count);
        self.passed = self.passed.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        count
    }

    /// Works out which tick may be the next to do something.
    fn look_at_clock(&mut self) {
        let now = self.clock.now();
        self.stale = false;
        let next = next_tick(now.max(self.ticked.after(Span(1))));
        match self.road.gate().quiet(now) {
            None => {
                self.tick = next;
                self.bands.clear();
            }
            Some(Quiet { until, bands }) => {
                self.tick = next.max(next_tick(until));
                self.bands = bands;
            }
        }
    }
}

fn is_trade(event: &MarketEvent) -> bool {
    matches!(event.body, MarketBody::Trade { .. })
}

/// The first moment of the ticks' grid that is not before `time`.
fn next_tick(time: Timestamp) -> Timestamp {
    Timestamp(time.0.div_ceil(TICK.0).saturating_mul(TICK.0))
}

/// The place of the first event that values an instrument outside its band.
fn leaving(
    bands: &[(InstrumentId, Amount, Amount)],
    engine: &portcullis_paper::engine::Engine,
    events: &[MarketEvent],
) -> Option<usize> {
    if bands.is_empty() {
        return None;
    }
    events.iter().position(|event| {
        let Some((_, low, high)) = bands.iter().find(|(id, ..)| *id == event.instrument) else {
            return false;
        };
        engine.mark_after(event).is_some_and(|mark| mark < *low || mark > *high)
    })
}

/// The mark of an instrument whose data brings no marks, after an event.
fn followed_mark(engine: &portcullis_paper::engine::Engine, event: &MarketEvent) -> Option<MarketEvent> {
    let view = engine.view(event.instrument)?;
    engine.follows_trades(event.instrument).then_some(MarketEvent {
        instrument: event.instrument,
        time: event.time,
        venue_time: event.venue_time,
        body: MarketBody::Mark { mark: view.mark, index: Amount::ZERO },
    })
}
