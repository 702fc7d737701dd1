//! Frames of a public stream to market events.

use std::collections::HashMap;

use portcullis_core::{
    Amount, Bar, Category, InstrumentId, InstrumentSpec, Level, MarketBody, MarketEvent, Price, Qty, Rate,
    Side, Timestamp,
};
use portcullis_wire as wire;
use portcullis_wire::{
    BookFrame, FrameKind, Inbound, KlineData, PublicFrame, TickerData, Topic, TradeData, amount, mantissa,
    rate,
};

use crate::book::{BookFault, DEPTH, LocalBook};
use crate::config::Wanted;

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
    /// A value is malformed or does not fit the decimals; the rest of the frame was delivered.
    #[error("{symbol}: {member} is malformed or does not fit the decimals")]
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

/// One instrument of the stream.
#[derive(Debug)]
struct Followed {
    id: InstrumentId,
    price_decimals: u8,
    quantity_decimals: u8,
    book_depth: usize,
    bars: Vec<(String, u32)>,
    book: LocalBook,
    quote: Option<(Level, Level)>,
    /// Whether the book broke and was not whole since.
    has_gap: bool,
    ticker: Ticker,
}

/// What the ticker last said; deltas leave out what did not change.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Ticker {
    mark: Option<Amount>,
    index: Option<Amount>,
    funding: Option<Rate>,
    next: Option<Timestamp>,
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
            followed.book.clear();
            followed.quote = None;
            followed.ticker = Ticker::default();
            if std::mem::take(&mut followed.has_gap) {
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
        match name {
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
        }
    }
}

impl Followed {
    fn new(spec: &InstrumentSpec) -> Self {
        Self {
            id: spec.id,
            price_decimals: spec.price_decimals,
            quantity_decimals: spec.quantity_decimals,
            book_depth: 0,
            bars: Vec::new(),
            book: LocalBook::new(spec.price_decimals, spec.quantity_decimals),
            quote: None,
            has_gap: false,
            ticker: Ticker::default(),
        }
    }

    fn event(&self, now: Timestamp, venue_time: Timestamp, body: MarketBody) -> MarketEvent {
        MarketEvent { instrument: self.id, time: now.max(venue_time), venue_time, body }
    }

    fn trades(
        &mut self,
        symbol: &str,
        frame: &PublicFrame<'_, Vec<TradeData<'_>>>,
        now: Timestamp,
        emit: &mut impl FnMut(MarketEvent),
    ) -> Result<(), FrameFault> {
        let mut result = Ok(());
        for trade in &frame.data {
            match self.trade(symbol, trade) {
                Ok(body) => emit(self.event(now, Timestamp::from_millis(trade.time), body)),
                Err(fault) => result = Err(fault),
            }
        }
        result
    }

    fn trade(&self, symbol: &str, trade: &TradeData<'_>) -> Result<MarketBody, FrameFault> {
        let fault = |member| FrameFault::Value { symbol: symbol.to_owned(), member };
        let taker = match trade.side {
            wire::Side::Buy => Side::Buy,
            wire::Side::Sell => Side::Sell,
            wire::Side::Flat | wire::Side::Other(_) => return Err(fault("S")),
        };
        Ok(MarketBody::Trade {
            price: Price(mantissa(&trade.p, self.price_decimals).map_err(|_| fault("p"))?),
            quantity: Qty(mantissa(&trade.v, self.quantity_decimals).map_err(|_| fault("v"))?),
            taker,
        })
    }

    fn book(
        &mut self,
        topic: &str,
        frame: &BookFrame<'_>,
        now: Timestamp,
        emit: &mut impl FnMut(MarketEvent),
    ) -> Result<(), FrameFault> {
        let was_known = self.book.is_known();
        match self.book.apply(frame.kind, &frame.data) {
            Ok(()) => self.has_gap = false,
            // Deltas that were on their way while a new snapshot is asked for.
            Err(BookFault::NoSnapshot) if !was_known => return Ok(()),
            Err(fault) => {
                self.quote = None;
                self.has_gap = true;
                return Err(FrameFault::Book { topic: topic.to_owned(), fault });
            }
        }
        let venue_time = Timestamp::from_millis(frame.cts.unwrap_or(frame.ts));
        let quote = self.book.quote();
        if self.quote != Some(quote) || frame.kind == FrameKind::Snapshot {
            self.quote = Some(quote);
            emit(self.event(now, venue_time, MarketBody::Quote { bid: quote.0, ask: quote.1 }));
        }
        if self.book_depth > 0 {
            emit(self.event(now, venue_time, MarketBody::Book(Box::new(self.book.top(self.book_depth)))));
        }
        Ok(())
    }

    fn ticker(
        &mut self,
        symbol: &str,
        frame: &PublicFrame<'_, TickerData<'_>>,
        now: Timestamp,
        emit: &mut impl FnMut(MarketEvent),
    ) -> Result<(), FrameFault> {
        let fault = |member| FrameFault::Value { symbol: symbol.to_owned(), member };
        let before = self.ticker;
        let data = &frame.data;
        if let Some(text) = &data.mark_price {
            self.ticker.mark = Some(amount(text).map_err(|_| fault("markPrice"))?);
        }
        if let Some(text) = &data.index_price {
            self.ticker.index = Some(amount(text).map_err(|_| fault("indexPrice"))?);
        }
        if let Some(text) = data.funding_rate.as_ref().filter(|text| !text.is_empty()) {
            self.ticker.funding = Some(rate(text).map_err(|_| fault("fundingRate"))?);
        }
        if let Some(text) = data.next_funding_time.as_ref().filter(|text| !text.is_empty()) {
            self.ticker.next = Some(wire::millis(text).ok_or_else(|| fault("nextFundingTime"))?);
        }
        let venue_time = Timestamp::from_millis(frame.ts);
        let said = self.ticker;
        if let Some(mark) = said.mark.filter(|_| (said.mark, said.index) != (before.mark, before.index)) {
            let index = said.index.unwrap_or_default();
            emit(self.event(now, venue_time, MarketBody::Mark { mark, index }));
        }
        if let (Some(rate), Some(next)) = (said.funding, said.next)
            && (said.funding, said.next) != (before.funding, before.next)
        {
            emit(self.event(now, venue_time, MarketBody::Funding { rate, next }));
        }
        Ok(())
    }

    fn klines(
        &mut self,
        symbol: &str,
        frame: &PublicFrame<'_, Vec<KlineData<'_>>>,
        now: Timestamp,
        emit: &mut impl FnMut(MarketEvent),
    ) -> Result<(), FrameFault> {
        for candle in frame.data.iter().filter(|candle| candle.confirm) {
            let fault = |member| FrameFault::Value { symbol: symbol.to_owned(), member };
            let price = |member, text: &str| {
                mantissa(text, self.price_decimals).map(Price).map_err(|_| fault(member))
            };
            let interval = self.bars.iter().find(|(name, _)| *name == *candle.interval);
            let bar = Bar {
                open_time: Timestamp::from_millis(candle.start),
                interval_s: interval.ok_or_else(|| fault("interval"))?.1,
                open: price("open", &candle.open)?,
                high: price("high", &candle.high)?,
                low: price("low", &candle.low)?,
                close: price("close", &candle.close)?,
                volume: Qty(mantissa(&candle.volume, self.quantity_decimals).map_err(|_| fault("volume"))?),
            };
            let closed = Timestamp::from_millis(candle.end.saturating_add(1));
            emit(self.event(now, closed, MarketBody::Bar(bar)));
        }
        Ok(())
    }
}

fn read<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, FrameFault> {
    serde_json::from_str(text).map_err(|error| FrameFault::Malformed(wire::redact(&error.to_string(), "")))
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
