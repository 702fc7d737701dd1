//! One instrument's book, kept from the frames of a public stream of Bybit, recorded or live.

use std::cmp::Ordering;

use portcullis_core::{BOOK_DEPTH_MAX, Book, Level, Price, Qty};
use portcullis_wire::{BookData, FrameKind, Text, mantissa};

/// So many times more levels a side than the topic shows, and the deltas no longer fit the book.
const SPARE: usize = 4;

/// Why a book is no longer what the exchange has; only its next snapshot helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DepthFault {
    #[error("update {got} follows {last}")]
    Gap { last: u64, got: u64 },
    #[error("bid and ask cross")]
    Crossed,
    #[error("more than {most} levels on a side")]
    TooDeep { most: usize },
    #[error("an update before any snapshot")]
    NoSnapshot,
    #[error("{text:?} is no {what} on our scale ({reason})")]
    Level { what: &'static str, text: String, reason: &'static str },
}

/// A book. After a fault it holds nothing until the next snapshot.
#[derive(Debug)]
pub(super) struct Depth {
    price_decimals: u8,
    quantity_decimals: u8,
    most: usize,
    update: Option<u64>,
    /// Best first.
    bids: Vec<Level>,
    asks: Vec<Level>,
}

impl Depth {
    /// A book of a topic that shows so many levels a side.
    pub(super) const fn new(depth: u16, price_decimals: u8, quantity_decimals: u8) -> Self {
        let most = (depth as usize).saturating_mul(SPARE);
        Self { price_decimals, quantity_decimals, most, update: None, bids: Vec::new(), asks: Vec::new() }
    }

    /// Applies a frame. Says whether any of the levels that are passed on changed.
    pub(super) fn apply(&mut self, kind: FrameKind, data: &BookData<'_>) -> Result<bool, DepthFault> {
        let result = self.try_apply(kind, data);
        if result.is_err() {
            self.clear();
        }
        result
    }

    /// Whether the book stands.
    pub(super) const fn is_known(&self) -> bool {
        self.update.is_some()
    }

    /// Forgets everything. Says whether there was anything to forget.
    pub(super) fn clear(&mut self) -> bool {
        self.bids.clear();
        self.asks.clear();
        self.update.take().is_some()
    }

    /// The best levels.
    pub(super) fn book(&self) -> Book {
        let best = |side: &[Level]| side.get(..BOOK_DEPTH_MAX).unwrap_or(side).to_vec();
        Book { update: self.update.unwrap_or_default(), bids: best(&self.bids), asks: best(&self.asks) }
    }

    fn try_apply(&mut self, kind: FrameKind, data: &BookData<'_>) -> Result<bool, DepthFault> {
        // Number 1 is the first after a restart of the service, and whole.
        let whole = kind == FrameKind::Snapshot || data.u == 1;
        if whole {
            self.clear();
        } else {
            let last = self.update.ok_or(DepthFault::NoSnapshot)?;
            if last.checked_add(1) != Some(data.u) {
                return Err(DepthFault::Gap { last, got: data.u });
            }
        }
        let mut changed = whole;
        for level in &data.b {
            let level = self.level(level)?;
            changed |= place(&mut self.bids, level, |bid| level.price.cmp(&bid.price));
        }
        for level in &data.a {
            let level = self.level(level)?;
            changed |= place(&mut self.asks, level, |ask| ask.price.cmp(&level.price));
        }
        if self.bids.len().max(self.asks.len()) > self.most {
            return Err(DepthFault::TooDeep { most: self.most });
        }
        if let (Some(bid), Some(ask)) = (self.bids.first(), self.asks.first())
            && bid.price >= ask.price
        {
            return Err(DepthFault::Crossed);
        }
        self.update = Some(data.u);
        Ok(changed)
    }

    fn level(&self, [price, quantity]: &[Text<'_>; 2]) -> Result<Level, DepthFault> {
        let number = |text: &Text<'_>, decimals, what, least: i64| {
            let fault = |reason| DepthFault::Level { what, text: cut(text), reason };
            match mantissa(text, decimals) {
                Ok(number) if number >= least => Ok(number),
                Ok(_) => Err(fault("too small")),
                Err(portcullis_wire::DecimalError::TooFine) => Err(fault("too many decimals")),
                Err(portcullis_wire::DecimalError::Overflow) => Err(fault("out of range")),
                Err(portcullis_wire::DecimalError::Malformed) => Err(fault("not a decimal number")),
            }
        };
        Ok(Level {
            price: Price(number(price, self.price_decimals, "price", 1)?),
            quantity: Qty(number(quantity, self.quantity_decimals, "quantity", 0)?),
        })
    }
}

fn cut(text: &str) -> String {
    text.get(..text.floor_char_boundary(40)).unwrap_or_default().to_owned()
}

/// Sets, replaces or (with quantity 0) removes a level of a sorted side. Says whether one that is passed on changed.
fn place(side: &mut Vec<Level>, level: Level, order: impl Fn(&Level) -> Ordering) -> bool {
    let at = match side.binary_search_by(order) {
        Ok(at) if level.quantity.0 == 0 => {
            side.remove(at);
            at
        }
        Ok(at) => {
            let Some(known) = side.get_mut(at).filter(|known| **known != level) else { return false };
            *known = level;
            at
        }
        Err(_) if level.quantity.0 == 0 => return false,
        Err(at) => {
            side.insert(at, level);
            at
        }
    };
    at < BOOK_DEPTH_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(
        u: u64,
        b: &[(&'static str, &'static str)],
        a: &[(&'static str, &'static str)],
    ) -> BookData<'static> {
        let side = |levels: &[(&'static str, &'static str)]| {
            levels.iter().map(|(price, quantity)| [(*price).into(), (*quantity).into()]).collect()
        };
        BookData { s: "BTCUSDT".into(), b: side(b), a: side(a), u, seq: u }
    }

    fn started() -> Depth {
        let mut depth = Depth::new(500, 1, 3);
        let snapshot = data(7, &[("99.9", "1"), ("99.8", "2")], &[("100.1", "1"), ("100.2", "2")]);
        assert_eq!(depth.apply(FrameKind::Snapshot, &snapshot), Ok(true));
        depth
    }

    #[test]
    fn a_missing_update_empties_the_book_until_the_next_snapshot() {
        let mut depth = started();
        assert_eq!(depth.apply(FrameKind::Delta, &data(8, &[("99.9", "0")], &[])), Ok(true));
        assert_eq!(depth.book().bids.first().map(|bid| bid.price), Some(Price(998)));
        let gap = depth.apply(FrameKind::Delta, &data(10, &[], &[]));
        assert_eq!(gap, Err(DepthFault::Gap { last: 8, got: 10 }));
        assert!(depth.book().bids.is_empty() && depth.book().asks.is_empty());
        assert_eq!(depth.apply(FrameKind::Delta, &data(11, &[], &[])), Err(DepthFault::NoSnapshot));
        assert_eq!(depth.apply(FrameKind::Delta, &data(1, &[("99.9", "1")], &[])), Ok(true), "a restart");
    }

    #[test]
    fn impossible_books_are_faults() {
        assert_eq!(
            started().apply(FrameKind::Delta, &data(8, &[("100.1", "1")], &[])),
            Err(DepthFault::Crossed)
        );
        for (price, quantity) in
            [("-1", "1"), ("0", "1"), ("99.9", "-1"), ("99.95", "1"), ("x", "1"), ("", "")]
        {
            let fault = started().apply(FrameKind::Delta, &data(8, &[(price, quantity)], &[]));
            assert!(matches!(fault, Err(DepthFault::Level { .. })), "{price} {quantity}: {fault:?}");
        }
        let mut depth = Depth::new(1, 1, 3);
        let deep = data(1, &[("9", "1"), ("8", "1"), ("7", "1"), ("6", "1"), ("5", "1")], &[]);
        assert_eq!(depth.apply(FrameKind::Snapshot, &deep), Err(DepthFault::TooDeep { most: 4 }));
    }

    #[test]
    fn changes_below_what_is_passed_on_are_no_news() {
        let mut depth = started();
        let prices: Vec<String> = (1..=60).map(|at| format!("{at}")).collect();
        let mut deep = data(8, &[], &[]);
        deep.b = prices.iter().map(|price| [price.clone().into(), "1".into()]).collect();
        assert_eq!(depth.apply(FrameKind::Delta, &deep), Ok(true));
        assert_eq!(depth.apply(FrameKind::Delta, &data(9, &[("1", "5")], &[])), Ok(false));
        assert_eq!(depth.apply(FrameKind::Delta, &data(10, &[("60", "1")], &[])), Ok(false), "as it was");
        assert_eq!(depth.apply(FrameKind::Delta, &data(11, &[("60", "2")], &[])), Ok(true));
        assert_eq!(depth.book().bids.len(), BOOK_DEPTH_MAX);
    }
}
