//! One instrument of a public stream: its frames to market events.

use portcullis_core::{
    Amount, Bar, InstrumentId, InstrumentSpec, Level, MarketBody, MarketEvent, Price, Qty, Rate, Side, Span,
    Timestamp,
};
use portcullis_wire as wire;
use portcullis_wire::{
    BookFrame, FrameKind, KlineData, PublicFrame, TickerData, TradeData, amount, mantissa, rate,
};

use super::FrameFault;
use crate::book::{BookFault, LocalBook};

/// A trade changes the book. Trades that go on for this long while the book stays as it is mean that its stream is dead.
const STALE_AFTER: Span = Span::from_secs(5);

/// The venue's clock and ours are never further apart than this while anything is traded. A later stamp would make old prices look
/// fresh for as long as it lies ahead.
const AHEAD_MAX: Span = Span::from_secs(60);

/// Nobody pays more than the whole position as funding.
const FUNDING_MAX: i64 = 1_000_000_000_000;

/// One instrument of the stream.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) id: InstrumentId,
    price_decimals: u8,
    quantity_decimals: u8,
    pub(super) book_depth: usize,
    pub(super) bars: Vec<(String, u32)>,
    pub(super) book: LocalBook,
    pub(super) quote: Option<(Level, Level)>,
    /// Whether the book broke and was not whole since.
    pub(super) has_gap: bool,
    pub(super) ticker: Ticker,
    /// The first trade since the book last changed.
    traded_at: Option<Timestamp>,
}

/// What the ticker last said; deltas leave out what did not change.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticker {
    mark: Option<Amount>,
    index: Option<Amount>,
    funding: Option<Rate>,
    next: Option<Timestamp>,
}

impl Followed {
    pub(super) fn new(spec: &InstrumentSpec) -> Self {
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
            traded_at: None,
        }
    }

    /// Forgets book and ticker, as after a disconnect. Whether the book had a gap, which a stream that comes back does not have.
    pub(super) fn reset(&mut self) -> bool {
        self.book.clear();
        self.quote = None;
        self.ticker = Ticker::default();
        self.traded_at = None;
        std::mem::take(&mut self.has_gap)
    }

    /// Gives the book up when it stands still although trades go on; only a new snapshot helps.
    pub(super) fn check_book(&mut self, now: Timestamp) -> Result<(), BookFault> {
        let stands = self.book.is_known() && !self.has_gap;
        if stands && self.traded_at.is_some_and(|at| now.since(at) > STALE_AFTER) {
            self.book.clear();
            self.quote = None;
            self.has_gap = true;
            self.traded_at = None;
            return Err(BookFault::Stale);
        }
        Ok(())
    }

    fn event(&self, now: Timestamp, venue_time: Timestamp, body: MarketBody) -> MarketEvent {
        MarketEvent { instrument: self.id, time: now.max(venue_time), venue_time, body }
    }

    pub(super) fn trades(
        &mut self,
        symbol: &str,
        frame: &PublicFrame<'_, Vec<TradeData<'_>>>,
        now: Timestamp,
        emit: &mut impl FnMut(MarketEvent),
    ) -> Result<(), FrameFault> {
        self.traded_at.get_or_insert(now);
        let mut result = Ok(());
        for trade in &frame.data {
            let told = time(symbol, "T", trade.time, now).and_then(|at| Ok((at, self.trade(symbol, trade)?)));
            match told {
                Ok((at, body)) => emit(self.event(now, at, body)),
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
        let price = positive(&trade.p, self.price_decimals).ok_or_else(|| fault("p"))?;
        let quantity = positive(&trade.v, self.quantity_decimals).ok_or_else(|| fault("v"))?;
        Ok(MarketBody::Trade { price: Price(price), quantity: Qty(quantity), taker })
    }

    pub(super) fn book(
        &mut self,
        topic: &str,
        frame: &BookFrame<'_>,
        now: Timestamp,
        emit: &mut impl FnMut(MarketEvent),
    ) -> Result<(), FrameFault> {
        // A frame that is left out shows as a gap with the next one.
        let venue_time = time(topic, "cts", frame.cts.unwrap_or(frame.ts), now)?;
        let was_known = self.book.is_known();
        self.traded_at = None;
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

    pub(super) fn ticker(
        &mut self,
        symbol: &str,
        frame: &PublicFrame<'_, TickerData<'_>>,
        now: Timestamp,
        emit: &mut impl FnMut(MarketEvent),
    ) -> Result<(), FrameFault> {
        let fault = |member| FrameFault::Value { symbol: symbol.to_owned(), member };
        let venue_time = time(symbol, "ts", frame.ts, now)?;
        let before = self.ticker;
        // Taken over whole or not at all.
        let mut said = before;
        let data = &frame.data;
        if let Some(text) = &data.mark_price {
            let mark = amount(text).ok().filter(|mark| *mark > Amount::ZERO);
            said.mark = Some(mark.ok_or_else(|| fault("markPrice"))?);
        }
        if let Some(text) = &data.index_price {
            let index = amount(text).ok().filter(|index| !index.is_negative());
            said.index = Some(index.ok_or_else(|| fault("indexPrice"))?);
        }
        if let Some(text) = data.funding_rate.as_ref().filter(|text| !text.is_empty()) {
            let funding = rate(text).ok().filter(|rate| (-FUNDING_MAX..=FUNDING_MAX).contains(&rate.0));
            said.funding = Some(funding.ok_or_else(|| fault("fundingRate"))?);
        }
        if let Some(text) = data.next_funding_time.as_ref().filter(|text| !text.is_empty()) {
            said.next = Some(wire::millis(text).ok_or_else(|| fault("nextFundingTime"))?);
        }
        self.ticker = said;
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

    pub(super) fn klines(
        &mut self,
        symbol: &str,
        frame: &PublicFrame<'_, Vec<KlineData<'_>>>,
        now: Timestamp,
        emit: &mut impl FnMut(MarketEvent),
    ) -> Result<(), FrameFault> {
        for candle in frame.data.iter().filter(|candle| candle.confirm) {
            let fault = |member| FrameFault::Value { symbol: symbol.to_owned(), member };
            let price = |member, text: &str| {
                positive(text, self.price_decimals).map(Price).ok_or_else(|| fault(member))
            };
            let interval = self.bars.iter().find(|(name, _)| *name == *candle.interval);
            let volume = mantissa(&candle.volume, self.quantity_decimals).ok().filter(|volume| *volume >= 0);
            let bar = Bar {
                open_time: Timestamp::from_millis(candle.start),
                interval_s: interval.ok_or_else(|| fault("interval"))?.1,
                open: price("open", &candle.open)?,
                high: price("high", &candle.high)?,
                low: price("low", &candle.low)?,
                close: price("close", &candle.close)?,
                volume: Qty(volume.ok_or_else(|| fault("volume"))?),
            };
            if bar.low > bar.open.min(bar.close) || bar.high < bar.open.max(bar.close) {
                return Err(fault("low"));
            }
            let closed = time(symbol, "end", candle.end.saturating_add(1), now)?;
            emit(self.event(now, closed, MarketBody::Bar(bar)));
        }
        Ok(())
    }
}

/// The venue's time of a row, unless it lies further ahead of ours than clocks can differ.
fn time(symbol: &str, member: &'static str, millis: u64, now: Timestamp) -> Result<Timestamp, FrameFault> {
    let at = Timestamp::from_millis(millis);
    if at.since(now) > AHEAD_MAX {
        return Err(FrameFault::Value { symbol: symbol.to_owned(), member });
    }
    Ok(at)
}

/// A mantissa of which only positive ones make sense.
fn positive(text: &str, decimals: u8) -> Option<i64> {
    mantissa(text, decimals).ok().filter(|value| *value > 0)
}

pub(super) fn read<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, FrameFault> {
    serde_json::from_str(text).map_err(|error| FrameFault::Malformed(wire::redact(&error.to_string(), "")))
}
