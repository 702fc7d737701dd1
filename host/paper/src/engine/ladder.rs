//! One recorded side of a book, and what of it our orders have used up.

use portcullis_core::{Level, Price, Qty, Side};

/// A level that never runs out: the two sides of a market of which only trades are known (RULES P3).
pub const UNBOUNDED: Qty = Qty(i64::MAX);

/// One side of the recorded book, best level first.
#[derive(Debug, Clone)]
pub(crate) struct Ladder {
    side: Side,
    levels: Vec<Level>,
    /// Quantity taken per price. The recording does not know that we took it, so it stays taken for as long as the level is
    /// shown: the same liquidity never fills twice. What the level grows by is new.
    taken: Vec<Level>,
    /// Whether the recording shows more than the best level.
    deep: bool,
}

impl Ladder {
    pub(super) fn new(side: Side) -> Self {
        Self {
            side,
            levels: Vec::with_capacity(portcullis_core::BOOK_DEPTH_MAX),
            taken: Vec::new(),
            deep: false,
        }
    }

    pub(crate) fn levels(&self) -> &[Level] {
        &self.levels
    }

    pub(crate) fn best(&self) -> Option<Level> {
        self.levels.first().copied()
    }

    /// Whether `price` is better for the side than `other`: higher for bids, lower for asks.
    pub(super) fn better(&self, price: Price, other: Price) -> bool {
        better(self.side, price, other)
    }

    /// Replaces all levels.
    pub(super) fn replace(&mut self, levels: &[Level]) {
        self.levels.clear();
        self.levels
            .extend(levels.iter().filter(|level| level.quantity.0 > 0).take(portcullis_core::BOOK_DEPTH_MAX));
        self.deep = self.levels.len() > 1;
        self.forget_gone();
    }

    /// Puts the best level, dropping those that were better.
    pub(super) fn put_best(&mut self, best: Level) {
        if best.quantity.0 <= 0 {
            self.levels.clear();
            self.taken.clear();
            return;
        }
        let stale = self.levels.iter().take_while(|level| self.better(level.price, best.price)).count();
        self.levels.drain(..stale);
        match self.levels.first_mut() {
            Some(first) if first.price == best.price => *first = best,
            // A level that is only known as the best says nothing once a better one covers it.
            Some(first) if !self.deep => *first = best,
            _ => {
                self.levels.truncate(portcullis_core::BOOK_DEPTH_MAX.saturating_sub(1));
                self.levels.insert(0, best);
            }
        }
        self.forget_gone();
    }

    /// Makes the side one unbounded level.
    pub(super) fn put_unbounded(&mut self, price: Price) {
        let level = Level { price, quantity: UNBOUNDED };
        match self.levels.as_mut_slice() {
            [only] => *only = level,
            _ => {
                self.levels.clear();
                self.levels.push(level);
            }
        }
    }

    /// What can still be taken of a level.
    fn available(&self, level: Level) -> Qty {
        if level.quantity == UNBOUNDED || self.taken.is_empty() {
            return level.quantity;
        }
        let taken =
            self.taken.iter().find(|taken| taken.price == level.price).map_or(0, |taken| taken.quantity.0);
        Qty(level.quantity.0.saturating_sub(taken).max(0))
    }

    /// The best level with something to take, not worse than `bound`.
    pub(super) fn offer(&self, bound: Price) -> Option<Level> {
        self.levels
            .iter()
            .take_while(|level| !self.better(bound, level.price))
            .map(|level| Level { price: level.price, quantity: self.available(*level) })
            .find(|level| level.quantity.0 > 0)
    }

    /// Everything there is to take down to `bound`.
    pub(super) fn offered(&self, bound: Price) -> Qty {
        let levels = self.levels.iter().take_while(|level| !self.better(bound, level.price));
        Qty(levels.fold(0_i64, |sum, level| sum.saturating_add(self.available(*level).0)))
    }

    /// Uses up part of a level.
    pub(super) fn take(&mut self, price: Price, quantity: Qty) {
        if self.levels.first().is_some_and(|level| level.quantity == UNBOUNDED) {
            return;
        }
        match self.taken.iter_mut().find(|taken| taken.price == price) {
            Some(taken) => taken.quantity = Qty(taken.quantity.0.saturating_add(quantity.0)),
            None => self.taken.push(Level { price, quantity }),
        }
    }

    /// The recorded quantity at `price`, if the recording shows that price: zero between and before the levels shown, `None`
    /// beyond them.
    pub(super) fn shown(&self, price: Price) -> Option<Qty> {
        for level in &self.levels {
            if level.price == price {
                return Some(level.quantity);
            }
            if self.better(price, level.price) {
                return Some(Qty(0));
            }
        }
        None
    }

    fn forget_gone(&mut self) {
        if !self.taken.is_empty() {
            let levels = &self.levels;
            self.taken.retain(|taken| levels.iter().any(|level| level.price == taken.price));
        }
    }
}

/// Whether `price` is better for `side` than `other`: higher for buyers, lower for sellers.
pub(super) fn better(side: Side, price: Price, other: Price) -> bool {
    match side {
        Side::Buy => price > other,
        Side::Sell => price < other,
    }
}

/// The other side.
pub(crate) const fn opposite(side: Side) -> Side {
    match side {
        Side::Buy => Side::Sell,
        Side::Sell => Side::Buy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(price: i64, quantity: i64) -> Level {
        Level { price: Price(price), quantity: Qty(quantity) }
    }

    #[test]
    fn taken_liquidity_stays_taken_until_the_level_goes() {
        let mut asks = Ladder::new(Side::Sell);
        asks.replace(&[level(100, 5), level(101, 5)]);
        asks.take(Price(100), Qty(4));
        asks.replace(&[level(100, 5), level(101, 5)]);
        assert_eq!(asks.offer(Price(101)), Some(level(100, 1)));
        asks.replace(&[level(100, 7), level(101, 5)]);
        assert_eq!(asks.offered(Price(101)), Qty(8), "growth is new liquidity");
        asks.replace(&[level(101, 5)]);
        asks.replace(&[level(100, 5), level(101, 5)]);
        assert_eq!(asks.offer(Price(100)), Some(level(100, 5)), "a level that went and came back is new");
    }

    #[test]
    fn a_quote_drops_better_levels_and_keeps_worse_ones() {
        let mut bids = Ladder::new(Side::Buy);
        bids.replace(&[level(100, 5), level(99, 4), level(98, 3)]);
        bids.put_best(level(99, 2));
        assert_eq!(bids.levels(), [level(99, 2), level(98, 3)]);
        bids.put_best(level(101, 1));
        assert_eq!(bids.levels(), [level(101, 1), level(99, 2), level(98, 3)]);
        assert_eq!(bids.shown(Price(100)), Some(Qty(0)));
        assert_eq!(bids.shown(Price(97)), None);
    }

    #[test]
    fn quotes_alone_show_only_the_best() {
        let mut bids = Ladder::new(Side::Buy);
        bids.put_best(level(100, 5));
        bids.put_best(level(101, 3));
        assert_eq!(bids.levels(), [level(101, 3)]);
        assert_eq!(bids.shown(Price(100)), None);
    }
}
