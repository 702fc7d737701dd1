//! What the gate keeps of a market: a handful of numbers with their ages. Nothing is allocated for an update.

use crate::{Amount, InstrumentSpec, MarketBody, MarketEvent, Price, PriceLimit, Side, Timestamp};

/// Length of a slice of the window that prices are compared over, in nanoseconds: ten seconds.
pub(crate) const SLICE_NS: u64 = 10_000_000_000;

/// Slices kept: a minute, and the one that is not over.
const SLICES: usize = 7;

/// The market of one instrument, as last seen. Not durable: after a restart it fills again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarketView {
    /// Best bid; `None` when there is none.
    pub bid: Option<Price>,
    /// Best ask; `None` when there is none.
    pub ask: Option<Price>,
    /// When best bid and ask were last told; `None` when never.
    pub best_at: Option<Timestamp>,
    /// The last trade and when it came.
    pub last: Option<(Price, Timestamp)>,
    /// The mark price and when it came.
    pub mark: Option<(Amount, Timestamp)>,
    /// The prices at which the venue takes orders, as told last.
    pub limit: Option<PriceLimit>,
    /// The last price of each slice of the window, by slice number modulo their count.
    closes: [Option<(u64, Price)>; SLICES],
}

impl MarketView {
    /// Takes an event in; true when a price that values positions moved.
    pub(crate) fn update(&mut self, event: &MarketEvent) -> bool {
        let best = (self.bid, self.ask);
        match &event.body {
            MarketBody::Trade { price, .. } => {
                let before = self.last.replace((*price, event.time));
                self.close(*price, event.time);
                return before.map(|(price, _)| price) != Some(*price);
            }
            MarketBody::Quote { bid, ask } => {
                self.bid = (bid.quantity.0 > 0).then_some(bid.price);
                self.ask = (ask.quantity.0 > 0).then_some(ask.price);
                self.best_at = Some(event.time);
                self.close_best(event.time);
            }
            MarketBody::Book(book) => {
                self.bid = book.bids.first().map(|level| level.price);
                self.ask = book.asks.first().map(|level| level.price);
                self.best_at = Some(event.time);
                self.close_best(event.time);
            }
            MarketBody::Mark { mark, .. } => {
                let before = self.mark.replace((*mark, event.time));
                return before.map(|(mark, _)| mark) != Some(*mark);
            }
            MarketBody::Bar(_) | MarketBody::Funding { .. } => {}
        }
        best != (self.bid, self.ask)
    }

    /// When the price that orders are compared with was last told: the best prices, or the last trade where there never were any.
    pub(crate) fn fresh_at(&self) -> Option<Timestamp> {
        self.best_at.or(self.last.map(|(_, at)| at))
    }

    /// The price an order of this side would meet: the other side's best, else the last trade.
    pub(crate) fn opposite(&self, side: Side) -> Option<Price> {
        let best = match side {
            Side::Buy => self.ask,
            Side::Sell => self.bid,
        };
        best.or(self.last.map(|(price, _)| price))
    }

    /// The lowest price of the last minute for a buy, the highest for a sale; of each ten seconds the last price counts.
    pub(crate) fn worst_of_window(&self, side: Side, now: Timestamp) -> Option<Price> {
        let newest = now.0 / SLICE_NS;
        let oldest = newest.saturating_sub(6);
        let prices =
            self.closes.iter().flatten().filter(|(slice, _)| *slice >= oldest).map(|(_, price)| *price);
        let prices = prices.chain(self.opposite(side));
        match side {
            Side::Buy => prices.min(),
            Side::Sell => prices.max(),
        }
    }

    fn close_best(&mut self, at: Timestamp) {
        // The bid, or the ask where there is none: which one matters little over a minute.
        if let Some(price) = self.bid.or(self.ask) {
            self.close(price, at);
        }
    }

    fn close(&mut self, price: Price, at: Timestamp) {
        let slice = at.0 / SLICE_NS;
        let index = usize::try_from(slice % 7).unwrap_or(0);
        if let Some(close) = self.closes.get_mut(index) {
            *close = Some((slice, price));
        }
    }

    /// The highest price in sight, for limits.
    pub(crate) fn highest(&self, spec: &InstrumentSpec) -> Option<Amount> {
        let decimals = spec.price_decimals;
        let prices = [self.bid, self.ask, self.last.map(|(price, _)| price)];
        let highest = prices.into_iter().flatten().max().and_then(|price| price.to_amount(decimals));
        highest.max(self.mark.map(|(mark, _)| mark))
    }

    /// The price that values positions: the mark, else the last trade, else the middle of what is there.
    pub fn valuation(&self, spec: &InstrumentSpec) -> Option<Amount> {
        let decimals = spec.price_decimals;
        self.mark.map(|(mark, _)| mark).or_else(|| {
            let price = self.last.map(|(price, _)| price).or(self.bid).or(self.ask)?;
            price.to_amount(decimals)
        })
    }
}
