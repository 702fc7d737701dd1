//! A feed: market events in venue time, whatever they come from (RULES P1).

use std::sync::Arc;

use portcullis_core::{Category, MarketBody, MarketEvent, Span, Timestamp};
use portcullis_wire::mantissa;

use super::Recording;
use super::live::LiveQueue;
use super::synthetic::Synthetic;
use crate::listing::Listing;

/// How much faster than recorded a market runs, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed(u32);

impl Speed {
    /// As recorded.
    pub const REAL_TIME: Self = Self(1_000);

    /// A speed from 0.001 to 1,000, to three decimals; `None` for anything else.
    #[must_use]
    pub fn new(times: f64) -> Option<Self> {
        // By way of text: exact, and without a cast that could truncate.
        let thousandths = mantissa(&format!("{times:.3}"), 3).ok()?;
        let thousandths = u32::try_from(thousandths).ok()?;
        (1..=1_000_000).contains(&thousandths).then_some(Self(thousandths))
    }

    /// A recorded span as it is played.
    fn played(self, recorded: Span) -> Span {
        let played =
            u128::from(recorded.0).saturating_mul(1_000).checked_div(u128::from(self.0)).unwrap_or(0);
        Span(u64::try_from(played).unwrap_or(u64::MAX))
    }
}

/// Market events, each stamped with the venue time at which it happens.
#[derive(Debug)]
pub struct Feed {
    start: Timestamp,
    speed: Speed,
    tracks: Vec<Track>,
    live: Option<Arc<LiveQueue>>,
}

/// A source of events and the one that comes next.
#[derive(Debug)]
struct Track {
    origin: Origin,
    next: Option<MarketEvent>,
}

#[derive(Debug)]
enum Origin {
    /// The linear or the spot part of a recording.
    Recorded {
        events: Vec<MarketEvent>,
        /// Time of the whole recording's first event.
        first: Timestamp,
        at: usize,
        repeat: bool,
        /// Recorded time that whole laps have taken.
        lapped: Span,
    },
    Synthetic(Synthetic),
}

impl Feed {
    /// A recording, from `start` on. If `repeat` says so it begins again at its end, re-timed: the linear and the spot part each
    /// at its own, so that a recording of both that stops earlier for one does not leave that one silent.
    #[must_use]
    pub fn recorded(
        recording: Recording,
        listing: &Listing,
        start: Timestamp,
        speed: Speed,
        repeat: bool,
    ) -> Self {
        let first = recording.events.first().map_or(start, |event| event.venue_time);
        let spot = |event: &MarketEvent| {
            listing.get(event.instrument).is_some_and(|spec| spec.category == Category::Spot)
        };
        let (spot, linear) = recording.events.into_iter().partition(spot);
        let origin = |events| Origin::Recorded { events, first, at: 0, repeat, lapped: Span(0) };
        Self::new([linear, spot].into_iter().map(origin), start, speed)
    }

    /// The synthetic market of a seed, from `start` on. It lists its instruments itself.
    #[must_use]
    pub fn synthetic(seed: u64, listing: &mut Listing, start: Timestamp, speed: Speed) -> Self {
        Self::new(std::iter::once(Origin::Synthetic(Synthetic::new(seed, listing))), start, speed)
    }

    fn new(origins: impl Iterator<Item = Origin>, start: Timestamp, speed: Speed) -> Self {
        let tracks = origins.map(|origin| {
            let mut track = Track { origin, next: None };
            track.advance(start, speed);
            track
        });
        Self { start, speed, tracks: tracks.collect(), live: None }
    }

    /// What the live streams put into a queue.
    pub(crate) fn live(queue: Arc<LiveQueue>) -> Self {
        Self { start: Timestamp(0), speed: Speed::REAL_TIME, tracks: Vec::new(), live: Some(queue) }
    }

    /// When the next event is due; `None` at the end, and while a live feed has nothing.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let live = self.live.as_ref().and_then(|queue| queue.due());
        self.tracks.iter().filter_map(Track::due).chain(live).min()
    }

    /// The next event if it is due at `now`.
    pub fn pop(&mut self, now: Timestamp) -> Option<MarketEvent> {
        if let Some(queue) = &self.live {
            return queue.pop(now);
        }
        let due = self.due().filter(|due| *due <= now)?;
        let track = self.tracks.iter_mut().find(|track| track.due() == Some(due))?;
        let event = track.next.take()?;
        track.advance(self.start, self.speed);
        Some(event)
    }
}

impl Track {
    fn due(&self) -> Option<Timestamp> {
        self.next.as_ref().map(|event| event.venue_time)
    }

    fn advance(&mut self, start: Timestamp, speed: Speed) {
        let Some((mut event, elapsed)) = self.origin.next() else { return };
        let time = start.after(speed.played(elapsed));
        event.time = time;
        event.venue_time = time;
        // A funding that the recording pays is paid when its row is played.
        if let MarketBody::Funding { next, .. } = &mut event.body {
            *next = time;
        }
        self.next = Some(event);
    }
}

impl Origin {
    /// The next event and the recorded time since the start.
    fn next(&mut self) -> Option<(MarketEvent, Span)> {
        match self {
            Self::Synthetic(market) => {
                let event = market.next()?;
                let elapsed = event.venue_time.since(Timestamp(0));
                Some((event, elapsed))
            }
            Self::Recorded { events, first, at, repeat, lapped } => {
                if *at >= events.len() {
                    if !*repeat {
                        return None;
                    }
                    let length = events.last()?.venue_time.since(*first).0;
                    // The seam is as long as the average gap, and never nothing.
                    let gap =
                        length.checked_div(u64::try_from(events.len()).ok()?).unwrap_or(0).max(1_000_000);
                    *lapped = Span(lapped.0.saturating_add(length).saturating_add(gap));
                    *at = 0;
                }
                let event = events.get(*at)?.clone();
                *at = at.saturating_add(1);
                let elapsed = Span(event.venue_time.since(*first).0.saturating_add(lapped.0));
                Some((event, elapsed))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{InstrumentId, Price, Qty, Side};

    use super::*;

    fn recording(times_ms: &[u64]) -> Recording {
        let event = |&ms: &u64| {
            let time = Timestamp::from_millis(ms);
            let body = MarketBody::Trade { price: Price(1), quantity: Qty(1), taker: Side::Buy };
            MarketEvent { instrument: InstrumentId(0), time, venue_time: time, body }
        };
        Recording { events: times_ms.iter().map(event).collect(), ..Recording::default() }
    }

    fn recorded(times_ms: &[u64], start: Timestamp, speed: Speed, repeat: bool) -> Feed {
        Feed::recorded(recording(times_ms), &Listing::default(), start, speed, repeat)
    }

    fn play(mut feed: Feed, count: usize) -> Vec<u64> {
        let end = Timestamp(u64::MAX);
        std::iter::from_fn(|| feed.pop(end)).take(count).map(|event| event.venue_time.millis()).collect()
    }

    #[test]
    fn a_recording_is_played_from_the_start_at_its_speed() {
        let start = Timestamp::from_millis(1_000_000);
        let feed = recorded(&[5_000, 5_600, 6_200], start, Speed::new(6.0).unwrap(), false);
        assert_eq!(play(feed, 9), [1_000_000, 1_000_100, 1_000_200]);
        let slow = recorded(&[5_000, 5_600], start, Speed::new(0.5).unwrap(), false);
        assert_eq!(play(slow, 9), [1_000_000, 1_001_200]);
    }

    #[test]
    fn a_lap_goes_on_where_the_one_before_ended() {
        let start = Timestamp::from_millis(0);
        let feed = recorded(&[5_000, 5_600, 6_200], start, Speed::REAL_TIME, true);
        assert_eq!(play(feed, 7), [0, 600, 1_200, 1_600, 2_200, 2_800, 3_200]);
    }

    #[test]
    fn nothing_comes_before_it_is_due() {
        let mut feed = recorded(&[5_000, 5_600], Timestamp(0), Speed::REAL_TIME, false);
        assert!(feed.pop(Timestamp(0)).is_some());
        assert!(feed.pop(Timestamp::from_millis(599)).is_none());
        assert_eq!(feed.due(), Some(Timestamp::from_millis(600)));
    }

    #[test]
    fn speeds_have_bounds() {
        for times in [0.0, -1.0, 1_000.1, 0.000_4, f64::NAN, f64::INFINITY] {
            assert_eq!(Speed::new(times), None, "{times}");
        }
    }

    #[test]
    fn linear_and_spot_go_round_each_at_its_own_end() {
        let mut listing = Listing::default();
        let linear = listing.list(Category::Linear, "BTCUSDT").unwrap();
        let spot = listing.list(Category::Spot, "BTCUSDT").unwrap();
        let mut recording = recording(&[0, 100, 200, 1_000]);
        for (event, instrument) in recording.events.iter_mut().zip([linear, spot, linear, spot]) {
            event.instrument = instrument;
        }
        let mut feed = Feed::recorded(recording, &listing, Timestamp(0), Speed::REAL_TIME, true);
        let end = Timestamp::from_millis(1_000);
        let played: Vec<_> = std::iter::from_fn(|| feed.pop(end)).collect();
        let of = |id| {
            played.iter().filter(move |event| event.instrument == id).map(|event| event.venue_time.millis())
        };
        assert_eq!(of(linear).collect::<Vec<_>>(), [0, 200, 300, 500, 600, 800, 900]);
        assert_eq!(of(spot).collect::<Vec<_>>(), [100, 1_000]);
    }

    #[test]
    fn a_seed_gives_one_market() {
        let run = |seed| {
            let mut listing = Listing::default();
            let mut feed = Feed::synthetic(seed, &mut listing, Timestamp(0), Speed::REAL_TIME);
            std::iter::from_fn(|| feed.pop(Timestamp(u64::MAX))).take(500).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let trades = run(7).iter().filter(|event| matches!(event.body, MarketBody::Trade { .. })).count();
        assert!((200..300).contains(&trades), "about every second event is a trade: {trades}");
    }
}
