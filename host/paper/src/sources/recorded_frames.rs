//! Recorded frames of Bybit's public streams, one a line: the order book archives (`2025-01-01_BTCUSDT_ob500.data.zip`), and what
//! anybody else recorded of them. Linear, unless the file's name says spot.

use portcullis_core::{Category, MarketBody, MarketEvent, Rate, Timestamp};

use super::depth::DepthFault;
use super::frames::{FrameError, Frames, News, Said, Taken};
use super::{DataError, Lines, Recording};
use crate::listing::Listing;

/// Turns frames into events. Frames of other topics are counted and left out, and so are a book's updates between a gap in their
/// numbers and its next snapshot.
pub(super) fn read(
    lines: &mut Lines,
    first: String,
    listing: &mut Listing,
    into: &mut Recording,
) -> Result<(), DataError> {
    let spot = lines.words().any(|word| word.eq_ignore_ascii_case("spot"));
    let mut frames = Frames::new(if spot { Category::Spot } else { Category::Linear });
    let mut clock = Clock::default();
    let mut out = Vec::new();
    let mut line = Some(first);
    while let Some(text) = line {
        let mut taken = frames.frame(&text, &mut out);
        if let Err(FrameError::NotFollowed(symbol)) = &taken {
            follow(lines, &mut frames, listing, symbol)?;
            taken = frames.frame(&text, &mut out);
        }
        match taken {
            Ok(Taken::Data) => {}
            Ok(Taken::Other) => into.skipped = into.skipped.saturating_add(1),
            Err(FrameError::Book { fault: fault @ DepthFault::Level { .. }, .. }) => {
                return Err(lines.bad("data", fault.to_string()));
            }
            Err(FrameError::Book { fault: DepthFault::NoSnapshot, .. }) => {
                // The gap before it is noted already, unless the file starts in the middle.
                if into.gap.is_none() {
                    into.note_gap(lines.place(clock.latest, clock.latest));
                }
                into.skipped = into.skipped.saturating_add(1);
            }
            Err(FrameError::Book { .. }) => {
                let at = out.last().map_or(clock.latest, |news: &News| Timestamp::from_millis(news.at_ms));
                into.note_gap(lines.place(clock.latest, at));
                into.skipped = into.skipped.saturating_add(1);
            }
            Err(FrameError::Value { member, reason }) => return Err(lines.bad(member, reason)),
            Err(error @ (FrameError::Json(_) | FrameError::NotFollowed(_))) => {
                return Err(lines.bad("frame", error.to_string()));
            }
        }
        for news in out.drain(..) {
            if let Some(event) = clock.event(lines, news)? {
                lines.push(into, event)?;
            }
        }
        line = lines.next()?;
    }
    Ok(())
}

fn follow(lines: &Lines, frames: &mut Frames, listing: &mut Listing, symbol: &str) -> Result<(), DataError> {
    let id = listing.list(frames.category(), symbol);
    let spec = id.and_then(|id| listing.get(id));
    let cut = symbol.get(..symbol.floor_char_boundary(40)).unwrap_or_default();
    let spec = spec.ok_or_else(|| lines.bad("topic", format!("no trading rules for {cut:?}")))?;
    frames.follow(spec.clone());
    Ok(())
}

/// The time of a file, and the fundings to come.
#[derive(Default)]
struct Clock {
    latest: Timestamp,
    fundings: Vec<(portcullis_core::InstrumentId, Rate, u64)>,
}

impl Clock {
    /// The event of a piece of news. A recording tells of a funding when its time has come: when the next one is announced.
    fn event(&mut self, lines: &Lines, news: News) -> Result<Option<MarketEvent>, DataError> {
        if !(1_000_000_000_000..10_000_000_000_000).contains(&news.at_ms) {
            return Err(lines.bad("ts", format!("{} is no time in milliseconds since 1970", news.at_ms)));
        }
        // The topics of one file are not in step with each other; time must not run back.
        self.latest = self.latest.max(Timestamp::from_millis(news.at_ms));
        let instrument = news.instrument;
        let body = match news.said {
            Said::Market(body) => body,
            Said::Funding { rate, next_ms } => {
                let known = self.fundings.iter_mut().find(|(id, ..)| *id == instrument);
                let Some((_, due, at)) = known else {
                    self.fundings.push((instrument, rate, next_ms));
                    return Ok(None);
                };
                let (due, at) = (std::mem::replace(due, rate), std::mem::replace(at, next_ms));
                if at == next_ms {
                    return Ok(None);
                }
                MarketBody::Funding { rate: due, next: self.latest }
            }
        };
        Ok(Some(MarketEvent { instrument, time: self.latest, venue_time: self.latest, body }))
    }
}
