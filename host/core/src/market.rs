//! Market events, parsed: what a feed says about one instrument.

use serde::{Deserialize, Serialize};

use crate::market_view::SLICE_NS;
use crate::{Amount, InstrumentId, Price, Qty, Rate, Side, Timestamp};

/// One event of one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketEvent {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// The gateway's receive stamp live, venue time plus feed delay in a backtest; never before `venue_time` (RULES T1).
    pub time: Timestamp,
    /// The venue's own time.
    pub venue_time: Timestamp,
    /// What happened.
    pub body: MarketBody,
}

impl MarketEvent {
    /// Whether the gate needs only `next` of the two, when nothing came between them: it keeps the latest of each kind, and of the
    /// prices over time one for each slice.
    pub fn is_replaced_by(&self, next: &Self) -> bool {
        next.instrument == self.instrument
            && core::mem::discriminant(&next.body) == core::mem::discriminant(&self.body)
            && next.time.0 / SLICE_NS == self.time.0 / SLICE_NS
    }
}

/// What happened in a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarketBody {
    /// A public trade.
    Trade {
        /// At this price.
        price: Price,
        /// Of this quantity.
        quantity: Qty,
        /// The side of the taker.
        taker: Side,
    },
    /// The best bid and ask changed; a side without orders has quantity 0.
    Quote {
        /// Best bid.
        bid: Level,
        /// Best ask.
        ask: Level,
    },
    /// The best levels, whole; at most [`BOOK_DEPTH_MAX`] a side, best first.
    Book(Box<Book>),
    /// A closed bar.
    Bar(Bar),
    /// The next funding.
    Funding {
        /// Rate paid by longs to shorts.
        rate: Rate,
        /// When it is paid.
        next: Timestamp,
    },
    /// Mark and index price, in units of 1e-18 of the quote coin.
    Mark {
        /// Mark price.
        mark: Amount,
        /// Index price, zero when unknown.
        index: Amount,
    },
}

/// Most levels a side of a [`Book`].
pub const BOOK_DEPTH_MAX: usize = 50;

/// Price and quantity of a book level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Level {
    /// The level's price.
    pub price: Price,
    /// Quantity resting there.
    pub quantity: Qty,
}

/// The best levels of a book.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book {
    /// The venue's update number.
    pub update: u64,
    /// Bids, highest first.
    pub bids: Vec<Level>,
    /// Asks, lowest first.
    pub asks: Vec<Level>,
}

/// A closed bar; the event's venue time is the close time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// When the bar opened.
    pub open_time: Timestamp,
    /// Its length in seconds.
    pub interval_s: u32,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Quantity traded.
    pub volume: Qty,
}
