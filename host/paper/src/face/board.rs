//! Public topics as they were last published: what a new subscriber is told, and what the others are told next.

use std::collections::BTreeMap;

use axum::extract::ws::Utf8Bytes;
use portcullis_core::{Category, InstrumentSpec, Level, Side, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{
    BookData, FrameKind, KlineData, PublicFrame, Text, TickerData, Topic, format_amount, format_mantissa,
};
use serde::Serialize;

use super::bounds::price_limit;
use super::market_queries::{size_text, ticker};
use crate::exchange::{Candle, Exchange, INTERVALS, PublicNews, price_text, side};

/// Depths of the book topics. More levels than 50 are never known.
const DEPTHS: [u16; 4] = [1, 50, 200, 1_000];

/// A public message.
#[derive(Debug, Clone)]
pub(super) struct PublicMessage {
    pub(super) category: Category,
    pub(super) topic: String,
    /// Shared by all who are told.
    pub(super) text: Utf8Bytes,
    /// Running number: a subscriber whose snapshot is as new or newer leaves the message out.
    pub(super) number: u64,
}

/// All public topics.
#[derive(Debug, Default)]
pub(super) struct Board {
    books: BTreeMap<(u32, u16), PublishedBook>,
    tickers: BTreeMap<u32, wire::TickerRow>,
    pub(super) published: u64,
}

/// A book as it was last told.
#[derive(Debug, Clone, Default)]
struct PublishedBook {
    bids: Vec<Level>,
    asks: Vec<Level>,
    update: u64,
    at: Timestamp,
}

impl Board {
    /// The message of a public event.
    pub(super) fn news(
        &mut self,
        exchange: &Exchange,
        spec: &InstrumentSpec,
        news: PublicNews,
    ) -> Option<PublicMessage> {
        match news {
            PublicNews::Trade(trade) => {
                let row = wire::TradeData {
                    time: trade.time.millis(),
                    s: spec.symbol.as_str().into(),
                    side: side(trade.taker),
                    v: format_mantissa(trade.quantity.0, spec.quantity_decimals).into(),
                    p: price_text(spec, trade.price).into(),
                    direction: (spec.category == Category::Linear).then(|| match trade.taker {
                        Side::Buy => "PlusTick".into(),
                        Side::Sell => "MinusTick".into(),
                    }),
                    i: exchange.names.trade(trade.number).into(),
                    block: false,
                    rpi: false,
                    seq: trade.sequence,
                };
                let topic = Topic::Trade { symbol: spec.symbol.to_string() };
                self.message(spec, &topic, FrameKind::Snapshot, trade.time, [row], None)
            }
            PublicNews::Closed(interval, candle) => self.candle(spec, interval, candle, true, candle.last),
        }
    }

    /// Whether a topic exists.
    pub(super) fn offers(exchange: &Exchange, category: Category, topic: &Topic) -> bool {
        let (symbol, known) = match topic {
            Topic::Book { depth, symbol } => (symbol, DEPTHS.contains(depth)),
            Topic::Trade { symbol }
            | Topic::Ticker { symbol }
            | Topic::PriceLimit { symbol }
            | Topic::Liquidation { symbol } => (symbol, true),
            Topic::Kline { interval, symbol } => (symbol, INTERVALS.iter().any(|(name, _)| name == interval)),
        };
        known && exchange.listing.find(category, symbol).is_some()
    }

    /// What a new subscriber is told first; trades have no snapshot.
    pub(super) fn snapshot(
        &mut self,
        exchange: &Exchange,
        category: Category,
        topic: &Topic,
        now: Timestamp,
    ) -> Option<PublicMessage> {
        let (Topic::Book { symbol, .. }
        | Topic::Trade { symbol }
        | Topic::Ticker { symbol }
        | Topic::PriceLimit { symbol }
        | Topic::Liquidation { symbol }
        | Topic::Kline { symbol, .. }) = topic;
        let spec = exchange.listing.find(category, symbol)?;
        match topic {
            Topic::Book { depth, .. } => {
                let book = match self.books.get(&(spec.id.0, *depth)) {
                    Some(book) => book.clone(),
                    None => self.start(exchange, spec, *depth, now),
                };
                let data = book_data(spec, &book.bids, &book.asks, book.update, exchange.sequence);
                self.message(spec, topic, FrameKind::Snapshot, now, data, Some(now))
            }
            Topic::Ticker { .. } => {
                let row = self.tickers.get(&spec.id.0).cloned().or_else(|| ticker(exchange, spec))?;
                let data = ticker_data(&row, None);
                self.message(spec, topic, FrameKind::Snapshot, now, data, None)
            }
            Topic::Kline { interval, .. } => {
                let place = INTERVALS.iter().position(|(name, _)| name == interval)?;
                let candle = *exchange.tape(spec.id)?.candles(place).next_back()?;
                self.candle(spec, place, candle, false, now)
            }
            Topic::PriceLimit { .. } => self.price_limit(exchange, spec, now),
            Topic::Trade { .. } | Topic::Liquidation { .. } => None,
        }
    }

    /// Messages of the prices within which orders are taken.
    pub(super) fn price_limits(&mut self, exchange: &Exchange, now: Timestamp) -> Vec<PublicMessage> {
        let specs = exchange.listing.specs().iter();
        specs.filter_map(|spec| self.price_limit(exchange, spec, now)).collect()
    }

    /// These messages have no type.
    fn price_limit(
        &mut self,
        exchange: &Exchange,
        spec: &InstrumentSpec,
        now: Timestamp,
    ) -> Option<PublicMessage> {
        let (buy, sell) = price_limit(exchange, spec)?;
        let topic = Topic::PriceLimit { symbol: spec.symbol.to_string() }.to_string();
        let text = serde_json::json!({
            "topic": topic, "ts": now.millis(),
            "data": {"symbol": spec.symbol.as_str(), "buyLmt": buy, "sellLmt": sell},
        });
        self.published = self.published.saturating_add(1);
        let text = Utf8Bytes::from(text.to_string());
        Some(PublicMessage { category: spec.category, topic, text, number: self.published })
    }

    /// Messages of the books that changed since they were last told.
    pub(super) fn books(&mut self, exchange: &Exchange, now: Timestamp) -> Vec<PublicMessage> {
        let keys: Vec<_> = self.books.keys().copied().collect();
        keys.into_iter().filter_map(|key| self.book(exchange, key, now)).collect()
    }

    fn book(
        &mut self,
        exchange: &Exchange,
        (id, depth): (u32, u16),
        now: Timestamp,
    ) -> Option<PublicMessage> {
        let spec = exchange.listing.get(portcullis_core::InstrumentId(id))?;
        let view = exchange.engine.view(spec.id)?;
        let most = usize::from(depth);
        let (bids, asks) = (cut(view.bids, most), cut(view.asks, most));
        let book = self.books.get_mut(&(id, depth))?;
        let changed = book.bids != bids || book.asks != asks;
        let topic = Topic::Book { depth, symbol: spec.symbol.to_string() };
        if depth == 1 {
            // Level 1 is told whole, and repeated with the same number after three quiet seconds.
            if !changed && now.since(book.at).0 < 3_000_000_000 {
                return None;
            }
            book.update = book.update.saturating_add(u64::from(changed));
        } else if changed {
            book.update = book.update.saturating_add(1);
        } else {
            return None;
        }
        let update = book.update;
        let (old_bids, old_asks) = (
            std::mem::replace(&mut book.bids, bids.to_vec()),
            std::mem::replace(&mut book.asks, asks.to_vec()),
        );
        book.at = now;
        if depth == 1 {
            let data = book_data(spec, bids, asks, update, exchange.sequence);
            return self.message(spec, &topic, FrameKind::Snapshot, now, data, Some(now));
        }
        let (bids, asks) = (difference(&old_bids, bids), difference(&old_asks, asks));
        let data = book_data(spec, &bids, &asks, update, exchange.sequence);
        self.message(spec, &topic, FrameKind::Delta, now, data, Some(now))
    }

    /// Starts to follow a book that somebody subscribed to.
    fn start(
        &mut self,
        exchange: &Exchange,
        spec: &InstrumentSpec,
        depth: u16,
        now: Timestamp,
    ) -> PublishedBook {
        let view = exchange.engine.view(spec.id);
        let most = usize::from(depth);
        let book = PublishedBook {
            bids: view.map_or_else(Vec::new, |view| cut(view.bids, most).to_vec()),
            asks: view.map_or_else(Vec::new, |view| cut(view.asks, most).to_vec()),
            // 1 would announce a restart of the service.
            update: 2,
            at: now,
        };
        self.books.insert((spec.id.0, depth), book.clone());
        book
    }

    /// Messages of the tickers that changed since they were last told: only what changed is named.
    pub(super) fn tickers(&mut self, exchange: &Exchange, now: Timestamp) -> Vec<PublicMessage> {
        let mut messages = Vec::new();
        for spec in exchange.listing.specs() {
            let Some(row) = ticker(exchange, spec) else { continue };
            let old = self.tickers.insert(spec.id.0, row.clone());
            if old.as_ref() == Some(&row) {
                continue;
            }
            let topic = Topic::Ticker { symbol: spec.symbol.to_string() };
            // Spot tickers have no deltas.
            let (kind, base) = match (spec.category, &old) {
                (Category::Linear, Some(old)) => (FrameKind::Delta, Some(old)),
                (Category::Linear | Category::Spot, _) => (FrameKind::Snapshot, None),
            };
            messages.extend(self.message(spec, &topic, kind, now, ticker_data(&row, base), None));
        }
        messages
    }

    /// Messages of the open candles that changed since they were last told.
    pub(super) fn candles(&mut self, exchange: &mut Exchange, now: Timestamp) -> Vec<PublicMessage> {
        let mut messages = Vec::new();
        for spec in exchange.listing.specs().to_vec() {
            let Some(tape) = exchange.tape_mut(spec.id).filter(|tape| tape.moved) else { continue };
            tape.moved = false;
            for place in 0..INTERVALS.len() {
                if let Some(candle) = tape.candles(place).next_back().copied() {
                    messages.extend(self.candle(&spec, place, candle, false, now));
                }
            }
        }
        messages
    }

    fn candle(
        &mut self,
        spec: &InstrumentSpec,
        place: usize,
        candle: Candle,
        confirm: bool,
        now: Timestamp,
    ) -> Option<PublicMessage> {
        let (interval, minutes) = INTERVALS.get(place).copied()?;
        let text = |price| -> Text<'_> { price_text(spec, price).into() };
        let start = candle.start.millis();
        let data = KlineData {
            start,
            end: start.saturating_add(minutes.saturating_mul(60_000)).saturating_sub(1),
            interval: interval.into(),
            open: text(candle.open),
            close: text(candle.close),
            high: text(candle.high),
            low: text(candle.low),
            volume: format_mantissa(candle.volume.0, spec.quantity_decimals).into(),
            turnover: format_amount(candle.turnover).into(),
            confirm,
            timestamp: candle.last.millis(),
        };
        let topic = Topic::Kline { interval: interval.to_owned(), symbol: spec.symbol.to_string() };
        self.message(spec, &topic, FrameKind::Snapshot, now, [data], None)
    }

    fn message<D: Serialize>(
        &mut self,
        spec: &InstrumentSpec,
        topic: &Topic,
        kind: FrameKind,
        now: Timestamp,
        data: D,
        cts: Option<Timestamp>,
    ) -> Option<PublicMessage> {
        let topic = topic.to_string();
        let cts = cts.map(Timestamp::millis);
        let frame = PublicFrame { topic: topic.as_str().into(), kind, ts: now.millis(), data, cts, cs: None };
        let text = Utf8Bytes::from(serde_json::to_string(&frame).ok()?);
        self.published = self.published.saturating_add(1);
        Some(PublicMessage { category: spec.category, topic, text, number: self.published })
    }
}

fn cut(levels: &[Level], most: usize) -> &[Level] {
    levels.get(..most).unwrap_or(levels)
}

/// What turns the old side into the new: changed and new levels, and quantity zero for those that went.
fn difference(old: &[Level], new: &[Level]) -> Vec<Level> {
    let gone = old.iter().filter(|level| !new.iter().any(|other| other.price == level.price));
    let gone = gone.map(|level| Level { price: level.price, quantity: portcullis_core::Qty(0) });
    let changed = new.iter().filter(|level| !old.contains(level)).copied();
    gone.chain(changed).collect()
}

fn book_data<'a>(spec: &'a InstrumentSpec, bids: &[Level], asks: &[Level], u: u64, seq: u64) -> BookData<'a> {
    let side = |levels: &[Level]| -> Vec<[Text<'a>; 2]> {
        let level =
            |level: &Level| [price_text(spec, level.price).into(), size_text(spec, level.quantity).into()];
        levels.iter().map(level).collect()
    };
    BookData { s: spec.symbol.as_str().into(), b: side(bids), a: side(asks), u, seq }
}

/// A ticker's members, or only those that differ from `old`.
fn ticker_data<'a>(row: &'a wire::TickerRow, old: Option<&wire::TickerRow>) -> TickerData<'a> {
    let text = |now: &'a str, before: Option<&str>| (before != Some(now)).then(|| Text::from(now));
    macro_rules! member {
        ($name:ident) => {
            text(&row.$name, old.map(|old| old.$name.as_str()))
        };
        ($name:ident?) => {
            row.$name.as_deref().and_then(|now| text(now, old.and_then(|old| old.$name.as_deref())))
        };
    }
    let linear = row.mark_price.is_some();
    // The spot stream has no best bid and ask.
    let best = |text: Option<Text<'a>>| text.filter(|text| linear && !text.is_empty());
    TickerData {
        symbol: row.symbol.as_str().into(),
        tick_direction: None,
        price24h_pcnt: member!(price24h_pcnt),
        last_price: member!(last_price),
        prev_price24h: member!(prev_price24h),
        high_price24h: member!(high_price24h),
        low_price24h: member!(low_price24h),
        prev_price1h: member!(prev_price1h?),
        mark_price: member!(mark_price?),
        index_price: member!(index_price?),
        open_interest: member!(open_interest?),
        open_interest_value: member!(open_interest_value?),
        turnover24h: member!(turnover24h),
        volume24h: member!(volume24h),
        funding_interval_hour: member!(funding_interval_hour?),
        funding_cap: member!(funding_cap?),
        next_funding_time: member!(next_funding_time?),
        funding_rate: member!(funding_rate?),
        bid1_price: best(member!(bid1_price)),
        bid1_size: best(member!(bid1_size)),
        ask1_price: best(member!(ask1_price)),
        ask1_size: best(member!(ask1_size)),
        usd_index_price: member!(usd_index_price?),
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{Price, Qty};

    use super::*;

    #[test]
    fn a_difference_turns_the_old_side_into_the_new() {
        let level = |price, quantity| Level { price: Price(price), quantity: Qty(quantity) };
        let old = [level(100, 1), level(99, 2), level(98, 3)];
        let new = [level(101, 5), level(100, 1), level(98, 4)];
        assert_eq!(difference(&old, &new), [level(99, 0), level(101, 5), level(98, 4)]);
        assert!(difference(&new, &new).is_empty());
    }
}
