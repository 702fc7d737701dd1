//! A feed: market events in venue time, whatever they come from (RULES P1).

use std::str::FromStr;

use portcullis_core::{MarketEvent, Span, Timestamp};
use portcullis_wire::mantissa;

use super::Recording;
use super::synthetic::Synthetic;
use crate::listing::Listing;

/// How much faster than recorded a market runs, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed(u32);

impl Speed {
    /// As recorded.
    pub const REAL_TIME: Self = Self(1_000);

    /// A recorded span as it is played.
    fn played(self, recorded: Span) -> Span {
        let played =
            u128::from(recorded.0).saturating_mul(1_000).checked_div(u128::from(self.0)).unwrap_or(0);
        Span(u64::try_from(played).unwrap_or(u64::MAX))
    }
}

/// A text is no speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a speed is a number from 0.001 to 1000 with at most 3 decimals")]
pub struct InvalidSpeed;

impl FromStr for Speed {
    type Err = InvalidSpeed;

    fn from_str(text: &str) -> Result<Self, InvalidSpeed> {
        let thousandths = mantissa(text, 3).map_err(|_| InvalidSpeed)?;
        let thousandths = u32::try_from(thousandths).map_err(|_| InvalidSpeed)?;
        if (1..=1_000_000).contains(&thousandths) { Ok(Self(thousandths)) } else { Err(InvalidSpeed) }
    }
}

/// Market events, each stamped with the venue time at which it happens.
#[derive(Debug)]
pub struct Feed {
    start: Timestamp,
    speed: Speed,
    origin: Origin,
    next: Option<MarketEvent>,
}

#[derive(Debug)]
enum Origin {
    Recorded {
        events: Vec<MarketEvent>,
        at: usize,
        repeat: bool,
        /// Recorded time that whole laps have taken.
        lapped: Span,
    },
    Synthetic(Synthetic),
}

impl Feed {
    /// A recording, from `start` on; at its end it begins again, re-timed, if `repeat` says so.
    #[must_use]
    pub fn recorded(recording: Recording, start: Timestamp, speed: Speed, repeat: bool) -> Self {
        let origin = Origin::Recorded { events: recording.events, at: 0, repeat, lapped: Span(0) };
        Self::new(origin, start, speed)
    }

    /// The synthetic market of a seed, from `start` on. It lists its instruments itself.
    #[must_use]
    pub fn synthetic(seed: u64, listing: &mut Listing, start: Timestamp, speed: Speed) -> Self {
        Self::new(Origin::Synthetic(Synthetic::new(seed, listing)), start, speed)
    }

    fn new(origin: Origin, start: Timestamp, speed: Speed) -> Self {
        let mut feed = Self { start, speed, origin, next: None };
        feed.advance();
        feed
    }

    /// When the next event is due; `None` at the end.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.next.as_ref().map(|event| event.venue_time)
    }

    /// The next event if it is due at `now`.
    pub fn pop(&mut self, now: Timestamp) -> Option<MarketEvent> {
        let event = self.next.take_if(|event| event.venue_time <= now)?;
        self.advance();
        Some(event)
    }

    fn advance(&mut self) {
        let Some((mut event, elapsed)) = self.origin.next() else { return };
        let time = self.start.after(self.speed.played(elapsed));
        event.time = time;
        event.venue_time = time;
        // A funding that the recording pays is paid when its row is played.
        if let portcullis_core::MarketBody::Funding { next, .. } = &mut event.body {
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
            Self::Recorded { events, at, repeat, lapped } => {
                let first = events.first()?.venue_time;
                if *at >= events.len() {
                    if !*repeat {
                        return None;
                    }
                    let length = events.last()?.venue_time.since(first).0;
                    // The seam is as long as the average gap, and never nothing.
                    let gap =
                        length.checked_div(u64::try_from(events.len()).ok()?).unwrap_or(0).max(1_000_000);
                    *lapped = Span(lapped.0.saturating_add(length).saturating_add(gap));
                    *at = 0;
                }
                let event = events.get(*at)?.clone();
                *at = at.saturating_add(1);
                let elapsed = Span(event.venue_time.since(first).0.saturating_add(lapped.0));
                Some((event, elapsed))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{InstrumentId, MarketBody, Price, Qty, Side};

    use super::*;

    fn recording(times_ms: &[u64]) -> Recording {
        let event = |&ms: &u64| {
            let time = Timestamp::from_millis(ms);
            let body = MarketBody::Trade { price: Price(1), quantity: Qty(1), taker: Side::Buy };
            MarketEvent { instrument: InstrumentId(0), time, venue_time: time, body }
        };
        Recording { events: times_ms.iter().map(event).collect(), skipped: 0 }
    }

    fn play(mut feed: Feed, count: usize) -> Vec<u64> {
        let end = Timestamp(u64::MAX);
        std::iter::from_fn(|| feed.pop(end)).take(count).map(|event| event.venue_time.millis()).collect()
    }

    #[test]
    fn a_recording_is_played_from_the_start_at_its_speed() {
        let start = Timestamp::from_millis(1_000_000);
        let feed = Feed::recorded(recording(&[5_000, 5_600, 6_200]), start, "6".parse().unwrap(), false);
        assert_eq!(play(feed, 9), [1_000_000, 1_000_100, 1_000_200]);
        let slow = Feed::recorded(recording(&[5_000, 5_600]), start, "0.5".parse().unwrap(), false);
        assert_eq!(play(slow, 9), [1_000_000, 1_001_200]);
    }

    #[test]
    fn a_lap_goes_on_where_the_one_before_ended() {
        let start = Timestamp::from_millis(0);
        let feed = Feed::recorded(recording(&[5_000, 5_600, 6_200]), start, Speed::REAL_TIME, true);
        assert_eq!(play(feed, 7), [0, 600, 1_200, 1_600, 2_200, 2_800, 3_200]);
    }

    #[test]
    fn nothing_comes_before_it_is_due() {
        let mut feed = Feed::recorded(recording(&[5_000, 5_600]), Timestamp(0), Speed::REAL_TIME, false);
        assert!(feed.pop(Timestamp(0)).is_some());
        assert!(feed.pop(Timestamp::from_millis(599)).is_none());
        assert_eq!(feed.due(), Some(Timestamp::from_millis(600)));
    }

    #[test]
    fn speeds_have_bounds() {
        for text in ["0", "-1", "1001", "0.0001", "fast", ""] {
            assert_eq!(text.parse::<Speed>(), Err(InvalidSpeed), "{text}");
        }
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
