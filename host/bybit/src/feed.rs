//! Frames of a public stream to market events.

mod instrument;

use std::collections::HashMap;

use portcullis_core::{Category, InstrumentId, InstrumentSpec, MarketEvent, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{Inbound, Topic};

use crate::book::{BookFault, DEPTH};
use crate::config::Wanted;

use instrument::{Followed, read};

/// What was wrong with a frame. The stream goes on; the caller counts and logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// No frame of a topic we know.
    #[error("not a frame of a topic we know: {0}")]
    Malformed(String),
    /// A book broke; only a new snapshot helps, so its topic must be subscribed anew.
    #[error("{topic}: {fault}")]
    Book {
        /// The topic.
        topic: String,
        /// How it broke.
        fault: BookFault,
    },
    /// A value is malformed, does not fit the decimals, or is none that the member can have; the rest of the frame was delivered.
    #[error("{symbol}: {member} is malformed, out of its range or does not fit the decimals")]
    Value {
        /// Instrument.
        symbol: String,
        /// The member of the frame.
        member: &'static str,
    },
}

/// Decodes the public stream of one market, and keeps its books.
#[derive(Debug)]
pub struct Feed {
    category: Category,
    followed: HashMap<String, Followed>,
    /// Books that broke or became whole since the last time they were asked about.
    books: Vec<(InstrumentId, bool)>,
}

impl Feed {
    /// A feed of the wanted instruments of one market that are listed.
    pub fn new(category: Category, wanted: &[Wanted], specs: &[InstrumentSpec]) -> Self {
        let mut feed = Self { category, followed: HashMap::new(), books: Vec::new() };
        feed.follow(wanted, specs);
        feed
    }

    /// Takes on what it does not follow yet of the wanted instruments that are listed. Returns the topics that are new, those of
    /// each instrument together.
    pub fn follow(&mut self, wanted: &[Wanted], specs: &[InstrumentSpec]) -> Vec<Vec<String>> {
        let mut new = Vec::new();
        for one in wanted.iter().filter(|one| one.category == self.category) {
            let Some(spec) = specs.iter().find(|spec| spec.id == one.id) else { continue };
            let symbol = one.symbol.as_str();
            let before = self.topics_of(symbol);
            let followed = self.followed.entry(symbol.to_owned()).or_insert_with(|| Followed::new(spec));
            followed.book_depth = followed.book_depth.max(usize::from(one.book_depth).min(DEPTH));
            for &seconds in &one.bars_s {
                if let Some(interval) = interval(seconds)
                    && !followed.bars.iter().any(|(_, known)| *known == seconds)
                {
                    followed.bars.push((interval.to_owned(), seconds));
                }
            }
            let mut topics = self.topics_of(symbol);
            topics.retain(|topic| !before.contains(topic));
            if !topics.is_empty() {
                new.push(topics);
            }
        }
        new
    }

    /// The topics of each instrument, to be subscribed one instrument at a time: one bad topic fails its whole request.
    pub fn topics(&self) -> Vec<Vec<String>> {
        self.followed.keys().map(|symbol| self.topics_of(symbol)).collect()
    }

    fn topics_of(&self, symbol: &str) -> Vec<String> {
        let Some(followed) = self.followed.get(symbol) else { return Vec::new() };
        let symbol = symbol.to_owned();
        let mut topics =
            vec![Topic::Trade { symbol: symbol.clone() }, Topic::Book { depth: 50, symbol: symbol.clone() }];
        if self.category == Category::Linear {
            topics.push(Topic::Ticker { symbol: symbol.clone() });
        }
        let bars = followed.bars.iter().map(|(interval, _)| interval.clone());
        topics.extend(bars.map(|interval| Topic::Kline { interval, symbol: symbol.clone() }));
        topics.iter().map(Topic::to_string).collect()
    }

    /// Forgets books and tickers, as after a disconnect.
    pub fn reset(&mut self) {
        for followed in self.followed.values_mut() {
            if followed.reset() {
                // A stream that comes back starts with whole books.
                self.books.push((followed.id, true));
            }
        }
    }

    /// Books that broke (`false`) or became whole (`true`) since the last call, in order.
    pub fn take_books(&mut self) -> impl Iterator<Item = (InstrumentId, bool)> {
        std::mem::take(&mut self.books).into_iter()
    }

    /// Decodes one data frame received at `now` and hands its events to `emit`, in the frame's order.
    ///
    /// # Errors
    /// When something in the frame was left out; see [`FrameFault`].
    pub fn frame(
        &mut self,
        text: &str,
        now: Timestamp,
        emit: &mut impl FnMut(MarketEvent),
    ) -> Result<(), FrameFault> {
        match wire::topic_of(text) {
            Some(topic) => self.dispatch(topic, text, now, emit),
            None => {
                let head: Inbound<'_> = read(text)?;
                let topic = head.topic.ok_or_else(|| FrameFault::Malformed("no topic".to_owned()))?;
                self.dispatch(&topic, text, now, emit)
            }
        }
    }

    fn dispatch(
        &mut self,
        topic: &str,
        text: &str,
        now: Timestamp,
        emit: &mut impl FnMut(MarketEvent),
    ) -> Result<(), FrameFault> {
        let (name, symbol) = topic.rsplit_once('.').unwrap_or((topic, ""));
        let followed = self
            .followed
            .get_mut(symbol)
            .ok_or_else(|| FrameFault::Malformed(format!("topic {}", clip(topic))))?;
        let result = match name {
            "publicTrade" => followed.trades(symbol, &read(text)?, now, emit),
            "orderbook.50" => {
                let had_gap = followed.has_gap;
                let result = followed.book(topic, &read(text)?, now, emit);
                if followed.has_gap != had_gap {
                    self.books.push((followed.id, had_gap));
                }
                result
            }
            "tickers" => followed.ticker(symbol, &read(text)?, now, emit),
            _ if name.starts_with("kline.") => followed.klines(symbol, &read(text)?, now, emit),
            _ => Err(FrameFault::Malformed(format!("topic {}", clip(topic)))),
        };
        if let Err(fault) = followed.check_book(now) {
            self.books.push((followed.id, false));
            let topic = Topic::Book { depth: 50, symbol: symbol.to_owned() }.to_string();
            return Err(FrameFault::Book { topic, fault });
        }
        result
    }
}

fn clip(text: &str) -> &str {
    text.get(..text.floor_char_boundary(64)).unwrap_or_default()
}

/// The venue's name of a bar length; `None` for lengths it does not have.
pub(crate) fn interval(seconds: u32) -> Option<&'static str> {
    Some(match seconds {
        60 => "1",
        180 => "3",
        300 => "5",
        900 => "15",
        1_800 => "30",
        3_600 => "60",
        7_200 => "120",
        14_400 => "240",
        21_600 => "360",
        43_200 => "720",
        86_400 => "D",
        604_800 => "W",
        _ => return None,
    })
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
