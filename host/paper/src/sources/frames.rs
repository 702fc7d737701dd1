//! Frames of Bybit's public streams, turned into market events: order books, trades and tickers of one market, recorded or live.

use std::borrow::Cow;
use std::collections::BTreeMap;

use portcullis_core::{Amount, Book, Category, InstrumentId, InstrumentSpec, MarketBody, Rate, Side};
use portcullis_wire::{
    BookFrame, FrameKind, Inbound, PublicFrame, Text, TickerData, Topic, TradeData, amount, topic_of,
};

use super::csv::{price, quantity, rate};
use super::depth::{Depth, DepthFault};

/// What a frame says about an instrument.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct News {
    pub(super) instrument: InstrumentId,
    /// When it happened at the exchange, in ms: for books by the matching engine where the frame says so.
    pub(super) at_ms: u64,
    pub(super) said: Said,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    Market(MarketBody),
    /// The funding to come; who reads the frames knows when it is paid.
    Funding {
        rate: Rate,
        next_ms: u64,
    },
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is of an instrument that is followed.
    Data,
    /// An answer, a topic of another kind, or a second book of the same instrument.
    Other,
}

/// Why a frame cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("no frame of a public stream: {0}")]
    Json(String),
    #[error("{0:?} is not followed")]
    NotFollowed(String),
    #[error("{member}: {reason}")]
    Value { member: &'static str, reason: String },
    /// The book of a topic is gone until its next snapshot. Its followers have been told of an empty one.
    #[error("{topic}: {fault}")]
    Book { topic: String, instrument: InstrumentId, fault: DepthFault },
}

/// The instruments of one market and what the frames said about them so far.
#[derive(Debug)]
pub(super) struct Frames {
    category: Category,
    markets: BTreeMap<String, Market>,
}

#[derive(Debug)]
struct Market {
    spec: InstrumentSpec,
    /// The book and the number of levels of its topic.
    depth: Option<(u16, Depth)>,
    mark: Option<Amount>,
    index: Option<Amount>,
    rate: Option<Rate>,
    next_ms: Option<u64>,
}

impl Frames {
    pub(super) const fn new(category: Category) -> Self {
        Self { category, markets: BTreeMap::new() }
    }

    pub(super) const fn category(&self) -> Category {
        self.category
    }

    /// Follows an instrument from now on.
    pub(super) fn follow(&mut self, spec: InstrumentSpec) {
        let market = Market { spec, depth: None, mark: None, index: None, rate: None, next_ms: None };
        self.markets.insert(market.spec.symbol.to_string(), market);
    }

    /// The instruments that are followed.
    pub(super) fn specs(&self) -> impl Iterator<Item = &InstrumentSpec> {
        self.markets.values().map(|market| &market.spec)
    }

    /// Forgets all that was heard, as after a lost connection. Those whose book was known are told of an empty one.
    pub(super) fn forget(&mut self, at_ms: u64, out: &mut Vec<News>) {
        for market in self.markets.values_mut() {
            if market.depth.take().is_some_and(|(_, mut depth)| depth.clear()) {
                out.push(market.news(at_ms, MarketBody::Book(Box::default())));
            }
            (market.mark, market.index, market.rate, market.next_ms) = (None, None, None, None);
        }
    }

    /// Gives up the book of an instrument until its next snapshot.
    pub(super) fn forget_book(&mut self, instrument: InstrumentId, at_ms: u64, out: &mut Vec<News>) {
        let market = self.markets.values_mut().find(|market| market.spec.id == instrument);
        let Some(market) = market else { return };
        if market.depth.as_mut().is_some_and(|(_, depth)| depth.clear()) {
            out.push(market.news(at_ms, MarketBody::Book(Box::default())));
        }
    }

    /// Takes a frame in. What it says goes to `out`, in order.
    pub(super) fn frame(&mut self, text: &str, out: &mut Vec<News>) -> Result<Taken, FrameError> {
        let topic = match topic_of(text) {
            Some(topic) => Cow::Borrowed(topic),
            None => match json::<Inbound<'_>>(text)?.topic {
                Some(topic) => topic,
                None => return Ok(Taken::Other),
            },
        };
        match topic.parse::<Topic>() {
            Ok(Topic::Book { depth, symbol }) => self.book(&symbol, depth, text, out),
            Ok(Topic::Trade { symbol }) => self.trades(&symbol, text, out),
            Ok(Topic::Ticker { symbol }) => self.ticker(&symbol, text, out),
            Ok(Topic::PriceLimit { .. } | Topic::Liquidation { .. } | Topic::Kline { .. }) | Err(_) => {
                Ok(Taken::Other)
            }
        }
    }

    fn market(&mut self, symbol: &str) -> Result<&mut Market, FrameError> {
        self.markets.get_mut(symbol).ok_or_else(|| FrameError::NotFollowed(symbol.to_owned()))
    }

    fn book(
        &mut self,
        symbol: &str,
        levels: u16,
        text: &str,
        out: &mut Vec<News>,
    ) -> Result<Taken, FrameError> {
        let market = self.market(symbol)?;
        let frame: BookFrame<'_> = json(text)?;
        same(symbol, &frame.data.s)?;
        let (price_decimals, quantity_decimals) = (market.spec.price_decimals, market.spec.quantity_decimals);
        let (of, depth) = market
            .depth
            .get_or_insert_with(|| (levels, Depth::new(levels, price_decimals, quantity_decimals)));
        if *of != levels {
            return Ok(Taken::Other);
        }
        let at_ms = frame.cts.unwrap_or(frame.ts);
        let known = depth.is_known();
        match depth.apply(frame.kind, &frame.data) {
            Ok(false) => {}
            Ok(true) => {
                let book = Box::new(depth.book());
                out.push(market.news(at_ms, MarketBody::Book(book)));
            }
            Err(fault) => {
                if known {
                    out.push(market.news(at_ms, MarketBody::Book(Box::<Book>::default())));
                }
                let instrument = market.spec.id;
                return Err(FrameError::Book { topic: frame.topic.into_owned(), instrument, fault });
            }
        }
        Ok(Taken::Data)
    }

    fn trades(&mut self, symbol: &str, text: &str, out: &mut Vec<News>) -> Result<Taken, FrameError> {
        let market = self.market(symbol)?;
        let frame: PublicFrame<'_, Vec<TradeData<'_>>> = json(text)?;
        for trade in &frame.data {
            same(symbol, &trade.s)?;
            // A block trade is made away from the book and fills nobody in it.
            if trade.block {
                continue;
            }
            let taker = if trade.side == portcullis_wire::Side::Buy {
                Side::Buy
            } else if trade.side == portcullis_wire::Side::Sell {
                Side::Sell
            } else {
                return Err(value("S", "neither Buy nor Sell"));
            };
            let price = price(&trade.p, &market.spec).map_err(|reason| value("p", reason))?;
            let quantity = quantity(&trade.v, &market.spec).map_err(|reason| value("v", reason))?;
            out.push(market.news(trade.time, MarketBody::Trade { price, quantity, taker }));
        }
        Ok(Taken::Data)
    }

    fn ticker(&mut self, symbol: &str, text: &str, out: &mut Vec<News>) -> Result<Taken, FrameError> {
        let market = self.market(symbol)?;
        let frame: PublicFrame<'_, TickerData<'_>> = json(text)?;
        same(symbol, &frame.data.symbol)?;
        let data = &frame.data;
        let amount = |text: &str, member| match amount(text) {
            Ok(amount) if amount.0 > 0 => Ok(amount),
            Ok(_) => Err(value(member, "must be above zero")),
            Err(error) => Err(value(member, error.to_string())),
        };
        let before = (market.mark, market.index, market.rate, market.next_ms);
        if frame.kind == FrameKind::Snapshot {
            (market.mark, market.index, market.rate, market.next_ms) = (None, None, None, None);
        }
        if let Some(text) = set(&data.mark_price) {
            market.mark = Some(amount(text, "markPrice")?);
        }
        if let Some(text) = set(&data.index_price) {
            market.index = Some(amount(text, "indexPrice")?);
        }
        if let Some(text) = set(&data.funding_rate) {
            market.rate = Some(rate(text).ok_or_else(|| value("fundingRate", "no rate"))?);
        }
        if let Some(text) = set(&data.next_funding_time) {
            let next = text.parse().map_err(|_| value("nextFundingTime", "no whole number of ms"))?;
            market.next_ms = Some(next);
        }
        if let Some(mark) = market.mark
            && (market.mark, market.index) != (before.0, before.1)
        {
            let index = market.index.unwrap_or(mark);
            out.push(market.news(frame.ts, MarketBody::Mark { mark, index }));
        }
        if let (Some(rate), Some(next_ms)) = (market.rate, market.next_ms)
            && (market.rate, market.next_ms) != (before.2, before.3)
        {
            let said = Said::Funding { rate, next_ms };
            out.push(News { instrument: market.spec.id, at_ms: frame.ts, said });
        }
        Ok(Taken::Data)
    }
}

impl Market {
    const fn news(&self, at_ms: u64, body: MarketBody) -> News {
        News { instrument: self.spec.id, at_ms, said: Said::Market(body) }
    }
}

/// A member that is there and not empty.
fn set<'a>(member: &'a Option<Text<'_>>) -> Option<&'a str> {
    member.as_ref().map(Text::as_str).filter(|text| !text.is_empty())
}

fn json<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, FrameError> {
    serde_json::from_str(text).map_err(|error| FrameError::Json(error.to_string()))
}

/// The symbol within a frame must be that of its topic.
fn same(topic: &str, data: &str) -> Result<(), FrameError> {
    if topic == data {
        return Ok(());
    }
    let cut = data.get(..data.floor_char_boundary(40)).unwrap_or_default();
    Err(value("symbol", format!("{cut:?} in a frame of {topic}")))
}

fn value(member: &'static str, reason: impl Into<String>) -> FrameError {
    FrameError::Value { member, reason: reason.into() }
}
