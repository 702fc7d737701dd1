//! Public market data and trading rules.

use crate::action::Side;
use crate::book::Levels;
use crate::{Amount, InstrumentId, Price, Qty, Rate, Time};

/// A public trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue says it happened.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// The price.
    pub price: Price,
    /// The quantity.
    pub quantity: Qty,
    /// Side of the order that took liquidity.
    pub taker: Side,
}

/// The best bid and ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue says it was so.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// Best bid; meaningless when `bid_quantity` is zero.
    pub bid: Price,
    /// Quantity at the best bid; zero when nobody bids.
    pub bid_quantity: Qty,
    /// Best ask; meaningless when `ask_quantity` is zero.
    pub ask: Price,
    /// Quantity at the best ask; zero when nobody asks.
    pub ask_quantity: Qty,
}

impl Quote {
    /// Whether both sides are there.
    #[must_use]
    pub const fn is_two_sided(&self) -> bool {
        self.bid_quantity.is_positive() && self.ask_quantity.is_positive()
    }
}

/// The best levels of the book.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Book<'a> {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue says it was so.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// The venue's number of this state of the book.
    pub update: u64,
    /// Bids, best first.
    pub bids: Levels<'a>,
    /// Asks, best first.
    pub asks: Levels<'a>,
}

/// A closed bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// When the strategy sees it.
    pub time: Time,
    /// When it closed.
    pub venue_time: Time,
    /// When it opened.
    pub open_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// Its length.
    pub interval_seconds: u32,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Quantity traded, in the base coin.
    pub volume: Qty,
}

/// A funding rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Funding {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue published it.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// The rate; positive means that long positions pay.
    pub rate: Rate,
    /// When it is next settled.
    pub next_time: Time,
}

/// Mark and index price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue published it.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// Mark price in the quote coin, exact.
    pub mark: Amount,
    /// Index price in the quote coin, exact; zero when unknown.
    pub index: Amount,
}

/// New trading rules of an instrument. [`Context::instrument`](crate::Context::instrument) has them already when the handler runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstrumentUpdate {
    /// When the strategy sees it.
    pub time: Time,
    /// When the venue published it.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// Whether the venue trades it now.
    pub trading: bool,
    /// Decimals of every price; as before.
    pub price_decimals: u8,
    /// Decimals of every quantity; as before.
    pub quantity_decimals: u8,
    /// Smallest price step.
    pub tick: Price,
    /// Smallest quantity step.
    pub step: Qty,
    /// Smallest quantity of an order.
    pub min_quantity: Qty,
    /// Largest quantity of a limit order.
    pub max_quantity: Qty,
    /// Largest quantity of a market order.
    pub max_market_quantity: Qty,
    /// Smallest price × quantity of an order.
    pub min_notional: Amount,
    /// Fee rate of an order that takes liquidity.
    pub taker_fee: Rate,
    /// Fee rate of an order that rests first.
    pub maker_fee: Rate,
}
