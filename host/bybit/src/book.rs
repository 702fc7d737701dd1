//! One instrument's book, kept from a snapshot and its deltas.

use portcullis_core::{Book, Level, Price, Qty};
use portcullis_wire::{BookData, FrameKind, Text, mantissa};

/// Levels a side that the subscribed topic shows.
pub(crate) const DEPTH: usize = 50;

/// More levels a side than this, and the deltas no longer fit the book.
const LEVELS_MAX: usize = 4 * DEPTH;

/// The book is no longer what the venue has; only a new snapshot helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BookFault {
    /// An update is missing or came twice.
    #[error("update {got} follows {last}")]
    Gap {
        /// The update before.
        last: u64,
        /// The update that came.
        got: u64,
    },
    /// A level is malformed or does not fit the decimals.
    #[error("a level is malformed or does not fit the decimals")]
    Level,
    /// Bid and ask cross.
    #[error("bid and ask cross")]
    Crossed,
    /// Four times as many levels as the topic shows.
    #[error("too many levels")]
    TooDeep,
    /// Trades go on and the book stands still.
    #[error("it stands still while trades go on")]
    Stale,
    /// A delta before any snapshot.
    #[error("no snapshot yet")]
    NoSnapshot,
}

/// A book kept from frames. After a fault it holds nothing until the next snapshot.
#[derive(Debug)]
pub(crate) struct LocalBook {
    price_decimals: u8,
    quantity_decimals: u8,
    update: Option<u64>,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

impl LocalBook {
    pub(crate) fn new(price_decimals: u8, quantity_decimals: u8) -> Self {
        let side = || Vec::with_capacity(LEVELS_MAX);
        Self { price_decimals, quantity_decimals, update: None, bids: side(), asks: side() }
    }

    /// Whether the book stands.
    pub(crate) fn is_known(&self) -> bool {
        self.update.is_some()
    }

    /// Applies a frame. On a fault the book is emptied.
    pub(crate) fn apply(&mut self, kind: FrameKind, data: &BookData<'_>) -> Result<(), BookFault> {
        let result = self.try_apply(kind, data);
        if result.is_err() {
            self.clear();
        }
        result
    }

    /// Forgets everything, as after a disconnect.
    pub(crate) fn clear(&mut self) {
        self.update = None;
        self.bids.clear();
        self.asks.clear();
    }

    fn try_apply(&mut self, kind: FrameKind, data: &BookData<'_>) -> Result<(), BookFault> {
        match kind {
            FrameKind::Snapshot => self.clear(),
            FrameKind::Delta => {
                let last = self.update.ok_or(BookFault::NoSnapshot)?;
                if last.checked_add(1) != Some(data.u) {
                    return Err(BookFault::Gap { last, got: data.u });
                }
            }
        }
        for level in &data.b {
            let level = self.level(level)?;
            place(&mut self.bids, level, |bid| level.price.cmp(&bid.price));
        }
        for level in &data.a {
            let level = self.level(level)?;
            place(&mut self.asks, level, |ask| ask.price.cmp(&level.price));
        }
        if self.bids.len().max(self.asks.len()) > LEVELS_MAX {
            return Err(BookFault::TooDeep);
        }
        if let (Some(bid), Some(ask)) = (self.bids.first(), self.asks.first())
            && bid.price >= ask.price
        {
            return Err(BookFault::Crossed);
        }
        self.update = Some(data.u);
        Ok(())
    }

    fn level(&self, [price, quantity]: &[Text<'_>; 2]) -> Result<Level, BookFault> {
        let price = mantissa(price, self.price_decimals).map_err(|_| BookFault::Level)?;
        let quantity = mantissa(quantity, self.quantity_decimals).map_err(|_| BookFault::Level)?;
        if price <= 0 || quantity < 0 {
            return Err(BookFault::Level);
        }
        Ok(Level { price: Price(price), quantity: Qty(quantity) })
    }

    /// Best bid and ask; a side without orders has quantity 0.
    pub(crate) fn quote(&self) -> (Level, Level) {
        (self.bids.first().copied().unwrap_or_default(), self.asks.first().copied().unwrap_or_default())
    }

    /// The best levels, at most `depth` a side.
    pub(crate) fn top(&self, depth: usize) -> Book {
        Book {
            update: self.update.unwrap_or_default(),
            bids: self.bids.iter().take(depth).copied().collect(),
            asks: self.asks.iter().take(depth).copied().collect(),
        }
    }
}

/// Sets, replaces or (with quantity 0) removes a level of a sorted side.
fn place(side: &mut Vec<Level>, level: Level, order: impl Fn(&Level) -> core::cmp::Ordering) {
    match side.binary_search_by(order) {
        Ok(at) if level.quantity.0 == 0 => {
            side.remove(at);
        }
        Ok(at) => {
            if let Some(known) = side.get_mut(at) {
                *known = level;
            }
        }
        Err(_) if level.quantity.0 == 0 => {}
        Err(at) => side.insert(at, level),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "small test numbers")]

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn data(u: u64, b: &[(i64, i64)], a: &[(i64, i64)]) -> BookData<'static> {
        let side = |levels: &[(i64, i64)]| {
            levels
                .iter()
                .map(|(price, quantity)| [price.to_string().into(), quantity.to_string().into()])
                .collect()
        };
        BookData { s: "BTCUSDT".into(), b: side(b), a: side(a), u, seq: u }
    }

    fn prices(levels: &[Level]) -> Vec<(i64, i64)> {
        levels.iter().map(|level| (level.price.0, level.quantity.0)).collect()
    }

    #[test]
    fn deltas_set_replace_and_remove() {
        let mut book = LocalBook::new(0, 0);
        book.apply(FrameKind::Snapshot, &data(7, &[(99, 1), (98, 2)], &[(101, 1), (102, 2)])).unwrap();
        book.apply(FrameKind::Delta, &data(8, &[(100, 5), (98, 0)], &[(101, 3), (105, 0)])).unwrap();
        let top = book.top(50);
        assert_eq!(prices(&top.bids), [(100, 5), (99, 1)]);
        assert_eq!(prices(&top.asks), [(101, 3), (102, 2)]);
        assert_eq!(top.update, 8);
        assert_eq!(book.quote().0, Level { price: Price(100), quantity: Qty(5) });
    }

    #[test]
    fn a_gap_empties_the_book_until_the_next_snapshot() {
        let mut book = LocalBook::new(0, 0);
        book.apply(FrameKind::Snapshot, &data(7, &[(99, 1)], &[(101, 1)])).unwrap();
        assert_eq!(book.apply(FrameKind::Delta, &data(9, &[], &[])), Err(BookFault::Gap { last: 7, got: 9 }));
        assert!(!book.is_known());
        assert_eq!(book.apply(FrameKind::Delta, &data(10, &[(1, 1)], &[])), Err(BookFault::NoSnapshot));
        book.apply(FrameKind::Snapshot, &data(1, &[(99, 1)], &[])).unwrap();
        assert_eq!(book.quote(), (Level { price: Price(99), quantity: Qty(1) }, Level::default()));
    }

    #[test]
    fn a_repeated_update_is_a_gap_too() {
        let mut book = LocalBook::new(0, 0);
        book.apply(FrameKind::Snapshot, &data(7, &[], &[])).unwrap();
        assert!(book.apply(FrameKind::Delta, &data(7, &[], &[])).is_err());
    }

    #[test]
    fn impossible_books_are_faults() {
        let snapshot = |b, a| LocalBook::new(0, 0).apply(FrameKind::Snapshot, &data(1, b, a));
        assert_eq!(snapshot(&[(101, 1)], &[(101, 1)]), Err(BookFault::Crossed));
        assert_eq!(snapshot(&[(-1, 1)], &[]), Err(BookFault::Level));
        assert_eq!(snapshot(&[(1, -1)], &[]), Err(BookFault::Level));
        let deep: Vec<(i64, i64)> = (1..=300).map(|price| (price, 1)).collect();
        assert_eq!(snapshot(&deep, &[]), Err(BookFault::TooDeep));
        let mut fine = data(1, &[], &[]);
        fine.b.push(["1.5".into(), "1".into()]);
        assert_eq!(LocalBook::new(0, 0).apply(FrameKind::Snapshot, &fine), Err(BookFault::Level));
    }

    proptest! {
        /// Whatever comes, the book equals a map kept the slow way, or holds nothing.
        #[test]
        fn equals_a_map(frames in prop::collection::vec(prop::collection::vec((any::<bool>(), 1_i64..40, 0_i64..3), 0..12), 1..40)) {
            let mut book = LocalBook::new(0, 0);
            let (mut bids, mut asks) = (BTreeMap::new(), BTreeMap::new());
            book.apply(FrameKind::Snapshot, &data(0, &[], &[])).unwrap();
            for (at, frame) in frames.iter().enumerate() {
                // Bids below 100 and asks above it never cross.
                let bid: Vec<(i64, i64)> = frame.iter().filter(|l| l.0).map(|l| (l.1, l.2)).collect();
                let ask: Vec<(i64, i64)> = frame.iter().filter(|l| !l.0).map(|l| (l.1 + 100, l.2)).collect();
                book.apply(FrameKind::Delta, &data(at as u64 + 1, &bid, &ask)).unwrap();
                for (map, levels) in [(&mut bids, &bid), (&mut asks, &ask)] {
                    for (price, quantity) in levels {
                        if *quantity == 0 { map.remove(price); } else { map.insert(*price, *quantity); }
                    }
                }
            }
            let top = book.top(usize::MAX);
            prop_assert_eq!(prices(&top.bids), bids.into_iter().rev().collect::<Vec<_>>());
            prop_assert_eq!(prices(&top.asks), asks.into_iter().collect::<Vec<_>>());
        }
    }
}
