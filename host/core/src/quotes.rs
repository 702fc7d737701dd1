//! Where our own open orders rest, so that none of them is met by another (row 15).

use std::collections::BTreeMap;

use crate::{Order, Price, Side};

/// Prices of the open orders of one instrument, each with how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Quotes {
    buys: BTreeMap<Price, u32>,
    sells: BTreeMap<Price, u32>,
}

/// A side and a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quote {
    side: Side,
    price: Price,
}

impl Quote {
    /// Where an order rests or may come to rest: of all the prices it may have, the one that is met first. `None` for one that is
    /// over, has no price, or still waits for its trigger.
    pub(crate) fn of(order: &Order) -> Option<Self> {
        if !order.status.is_open() || order.is_waiting_for_trigger() {
            return None;
        }
        let price = match order.side {
            Side::Buy => order.reserved_price()?,
            Side::Sell => order.lowest_price()?,
        };
        Some(Self { side: order.side, price })
    }
}

impl Quotes {
    /// The highest buy, or the lowest sale.
    pub(crate) fn best(&self, side: Side) -> Option<Price> {
        match side {
            Side::Buy => self.buys.keys().next_back().copied(),
            Side::Sell => self.sells.keys().next().copied(),
        }
    }

    pub(crate) fn add(&mut self, quote: Quote) {
        let count = self.side(quote.side).entry(quote.price).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn remove(&mut self, quote: Quote) {
        let side = self.side(quote.side);
        let Some(count) = side.get_mut(&quote.price) else { return };
        *count = count.saturating_sub(1);
        if *count == 0 {
            side.remove(&quote.price);
        }
    }

    fn side(&mut self, side: Side) -> &mut BTreeMap<Price, u32> {
        match side {
            Side::Buy => &mut self.buys,
            Side::Sell => &mut self.sells,
        }
    }
}
