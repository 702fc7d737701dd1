//! The series of the head-to-head, `synthetic:h1:N`: the same for every engine, bit for bit.
//!
//! Counter based, by splitmix64 with seed 42: with `r` the mixed counter, the price moves by `r % 5 − 2` ticks of 0.1 from 60,000, the
//! size is `1 + (r >> 8) % 1000` thousandths, the taker buys when bit 20 of `r` is set, and trades are 100 ms apart from
//! 2025-01-01 00:00 UTC.

use portcullis_core::{InstrumentId, Level, MarketBody, MarketEvent, Price, Qty, Side, Timestamp};

const SEED: u64 = 42;
const START: u64 = 1_735_689_600_000_000_000;
const STEP: u64 = 100_000_000;
const FIRST_PRICE: i64 = 600_000;

/// Trades of linear BTCUSDT, with price mantissas of one decimal and quantity mantissas of three.
#[derive(Debug, Clone)]
pub(crate) struct H1 {
    instrument: InstrumentId,
    count: u64,
    next: u64,
    price: i64,
}

impl H1 {
    /// The first `count` trades of the series, as trades of this instrument.
    pub(crate) fn new(instrument: InstrumentId, count: u64) -> Self {
        Self { instrument, count, next: 0, price: FIRST_PRICE }
    }
}

impl Iterator for H1 {
    type Item = MarketEvent;

    #[inline]
    fn next(&mut self) -> Option<MarketEvent> {
        if self.next >= self.count {
            return None;
        }
        let time = Timestamp(START.wrapping_add(self.next.wrapping_mul(STEP)));
        self.next = self.next.wrapping_add(1);
        let r = mix(SEED.wrapping_add(self.next.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        self.price = self.price.wrapping_add(small(r % 5)).wrapping_sub(2);
        let taker = if (r >> 20) & 1 == 1 { Side::Buy } else { Side::Sell };
        let body = MarketBody::Trade {
            price: Price(self.price),
            quantity: Qty(small((r >> 8) % 1_000).wrapping_add(1)),
            taker,
        };
        Some(MarketEvent { instrument: self.instrument, time, venue_time: time, body })
    }
}

/// The same trades with the book around them, as depth updates of one level each: before a trade at another price the old bid and ask go
/// and the new ones come, 100 each, the bid one tick below the trade. Every update is a quote; a side that is gone has quantity 0.
#[derive(Debug, Clone)]
pub(crate) struct H1Depth {
    trades: H1,
    /// What still precedes `trade`, last first.
    updates: Vec<MarketBody>,
    trade: Option<MarketEvent>,
    price: Option<Price>,
}

/// Quantity of each level, in thousandths.
const DEPTH: Qty = Qty(100_000);

impl H1Depth {
    /// The book and the first `count` trades of the series.
    pub(crate) fn new(instrument: InstrumentId, count: u64) -> Self {
        Self { trades: H1::new(instrument, count), updates: Vec::new(), trade: None, price: None }
    }

    fn move_to(&mut self, price: Price) {
        let quote = |bid: (Price, Qty), ask: (Price, Qty)| MarketBody::Quote {
            bid: Level { price: Price(bid.0.0.saturating_sub(1)), quantity: bid.1 },
            ask: Level { price: ask.0, quantity: ask.1 },
        };
        let none = Qty(0);
        self.updates.push(quote((price, DEPTH), (price, DEPTH)));
        self.updates.push(quote((price, DEPTH), (price, none)));
        if let Some(old) = self.price.replace(price) {
            self.updates.push(quote((old, none), (old, none)));
            self.updates.push(quote((old, none), (old, DEPTH)));
        }
    }
}

impl Iterator for H1Depth {
    type Item = MarketEvent;

    fn next(&mut self) -> Option<MarketEvent> {
        if self.trade.is_none() {
            let trade = self.trades.next()?;
            if let MarketBody::Trade { price, .. } = trade.body
                && self.price != Some(price)
            {
                self.move_to(price);
            }
            self.trade = Some(trade);
        }
        let Some(body) = self.updates.pop() else { return self.trade.take() };
        let trade = self.trade.as_ref()?;
        Some(MarketEvent {
            body,
            instrument: trade.instrument,
            time: trade.time,
            venue_time: trade.venue_time,
        })
    }
}

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number below 2^63.
fn small(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "test code")]

    use sha2::{Digest as _, Sha256};

    use super::*;

    /// SHA-256 over ticks, sizes, sides and times of a million trades, as the generator of the other engines gives it.
    const SERIES: &str = "c0c5622f482d46cbbcb8fb17456b97c7e186e94f172a7843c6888eefe9004c0f";

    #[test]
    fn the_series_is_that_of_the_other_engines() {
        let (mut ticks, mut sizes, mut sides, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for event in H1::new(InstrumentId(0), 1_000_000) {
            let MarketBody::Trade { price, quantity, taker } = event.body else { panic!("{event:?}") };
            ticks.extend(price.0.to_le_bytes());
            sizes.extend(quantity.0.to_le_bytes());
            sides.push(u8::from(taker == Side::Buy));
            times.extend(event.time.0.to_le_bytes());
        }
        let mut hash = Sha256::new();
        for column in [ticks, sizes, sides, times] {
            hash.update(column);
        }
        assert_eq!(portcullis_core::Digest(hash.finalize().into()).to_string(), SERIES);
    }

    #[test]
    fn the_book_around_it_has_as_many_updates_as_that_of_the_other_engines() {
        let events: Vec<MarketEvent> = H1Depth::new(InstrumentId(0), 1_000).collect();
        assert_eq!(events.len(), 4_302);
        let best = |event: &MarketEvent| {
            if let MarketBody::Quote { bid, ask } = event.body { Some((bid, ask)) } else { None }
        };
        for pair in events.windows(2) {
            // A trade takes the ask, and both sides are there by then.
            let (Some((bid, ask)), MarketBody::Trade { price, .. }) = (best(&pair[0]), &pair[1].body) else {
                continue;
            };
            assert_eq!(
                (bid.price.0 + 1, ask.price, bid.quantity, ask.quantity),
                (price.0, *price, DEPTH, DEPTH)
            );
        }
    }
}
