//! What the public can ask about one instrument: its last trades, its candles and its fundings.

use std::collections::VecDeque;

use portcullis_core::{Amount, Price, Qty, Rate, Side, Timestamp};

/// Most trades, candles of an interval, and fundings kept.
const KEPT: usize = 1_000;

/// Candle intervals as Bybit names them, with their length in minutes.
pub(crate) const INTERVALS: [(&str, u64); 11] = [
    ("1", 1),
    ("3", 3),
    ("5", 5),
    ("15", 15),
    ("30", 30),
    ("60", 60),
    ("120", 120),
    ("240", 240),
    ("360", 360),
    ("720", 720),
    ("D", 1_440),
];
/// Place in [`INTERVALS`] of the candles that make the day's figures.
const HOURLY: usize = 5;

/// A public trade.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PublicTrade {
    pub(crate) number: u64,
    pub(crate) price: Price,
    pub(crate) quantity: Qty,
    pub(crate) taker: Side,
    pub(crate) time: Timestamp,
    pub(crate) sequence: u64,
}

/// A candle, open or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candle {
    pub(crate) start: Timestamp,
    pub(crate) open: Price,
    pub(crate) high: Price,
    pub(crate) low: Price,
    pub(crate) close: Price,
    pub(crate) volume: Qty,
    pub(crate) turnover: Amount,
    pub(crate) last: Timestamp,
}

/// The figures of the last 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Day {
    pub(crate) first: Price,
    pub(crate) hour_ago: Price,
    pub(crate) high: Price,
    pub(crate) low: Price,
    pub(crate) volume: Qty,
    pub(crate) turnover: Amount,
}

/// One instrument's public record.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    pub(crate) trades: VecDeque<PublicTrade>,
    /// Candles per interval, oldest first; the last one is open.
    candles: [VecDeque<Candle>; INTERVALS.len()],
    /// Fundings paid, oldest first.
    pub(crate) fundings: VecDeque<(Rate, Timestamp)>,
    /// Whether the open candles changed since they were last published.
    pub(crate) moved: bool,
}

impl Tape {
    /// Takes in a trade. Candles that it closes are handed to `closed` with their interval.
    pub(crate) fn trade(&mut self, trade: PublicTrade, value: Amount, closed: impl FnMut(usize, Candle)) {
        self.roll(trade.time, closed);
        keep(&mut self.trades, trade);
        self.moved = true;
        for (candles, (_, minutes)) in self.candles.iter_mut().zip(INTERVALS) {
            match candles.back_mut() {
                Some(open) => open.take(trade, value),
                None => candles.push_back(Candle {
                    start: floor(trade.time, minutes),
                    open: trade.price,
                    high: trade.price,
                    low: trade.price,
                    close: trade.price,
                    volume: trade.quantity,
                    turnover: value,
                    last: trade.time,
                }),
            }
        }
    }

    /// Closes candles whose time is over; the next one opens at the last price, as Bybit's do.
    pub(crate) fn roll(&mut self, now: Timestamp, mut closed: impl FnMut(usize, Candle)) {
        for (place, (candles, (_, minutes))) in self.candles.iter_mut().zip(INTERVALS).enumerate() {
            let Some(open) = candles.back().copied() else { continue };
            let start = floor(now, minutes);
            if start <= open.start {
                continue;
            }
            closed(place, open);
            let price = open.close;
            keep(
                candles,
                Candle {
                    start,
                    open: price,
                    high: price,
                    low: price,
                    close: price,
                    volume: Qty(0),
                    turnover: Amount(0),
                    last: now,
                },
            );
            self.moved = true;
        }
    }

    /// Candles of an interval, oldest first; the last one is open.
    pub(crate) fn candles(&self, interval: usize) -> impl DoubleEndedIterator<Item = &Candle> {
        self.candles.get(interval).into_iter().flatten()
    }

    /// Takes in a funding. One that is announced again, at another rate or an earlier time, replaces itself.
    pub(crate) fn funded(&mut self, rate: Rate, at: Timestamp) {
        if let Some(last) = self.fundings.back_mut().filter(|(_, last)| *last >= at) {
            *last = (rate, at);
            return;
        }
        keep(&mut self.fundings, (rate, at));
    }

    pub(crate) fn day(&self) -> Option<Day> {
        let mut hours = self.candles(HOURLY).rev().take(24);
        let last = hours.next()?;
        let mut day = Day {
            first: last.open,
            hour_ago: last.open,
            high: last.high,
            low: last.low,
            volume: last.volume,
            turnover: last.turnover,
        };
        for candle in hours {
            day.first = candle.open;
            day.high = day.high.max(candle.high);
            day.low = day.low.min(candle.low);
            day.volume = Qty(day.volume.0.saturating_add(candle.volume.0));
            day.turnover = Amount(day.turnover.0.saturating_add(candle.turnover.0));
        }
        Some(day)
    }
}

impl Candle {
    fn take(&mut self, trade: PublicTrade, value: Amount) {
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.close = trade.price;
        self.volume = Qty(self.volume.0.saturating_add(trade.quantity.0));
        self.turnover = Amount(self.turnover.0.saturating_add(value.0));
        self.last = trade.time;
    }
}

fn keep<T>(rows: &mut VecDeque<T>, row: T) {
    if rows.len() >= KEPT {
        rows.pop_front();
    }
    rows.push_back(row);
}

/// The start of the interval a time lies in.
fn floor(time: Timestamp, minutes: u64) -> Timestamp {
    let length = minutes.saturating_mul(60_000_000_000);
    Timestamp(time.0.saturating_sub(time.0.checked_rem(length).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "test code")]

    use super::*;

    fn trade(seconds: u64, price: i64) -> PublicTrade {
        let time = Timestamp(seconds * 1_000_000_000);
        PublicTrade {
            number: seconds,
            price: Price(price),
            quantity: Qty(2),
            taker: Side::Buy,
            time,
            sequence: 0,
        }
    }

    #[test]
    fn candles_follow_the_trades_and_close_on_time() {
        let mut tape = Tape::default();
        let mut closed = Vec::new();
        for (seconds, price) in [(61, 100), (70, 104), (119, 99)] {
            tape.trade(trade(seconds, price), Amount(10), |place, candle| closed.push((place, candle)));
        }
        assert!(closed.is_empty());
        tape.roll(Timestamp(120_000_000_000), |place, candle| closed.push((place, candle)));
        let [(place, candle)] = closed.as_slice() else { unreachable!("{closed:?}") };
        assert_eq!(
            (*place, candle.start.millis(), candle.volume, candle.turnover),
            (0, 60_000, Qty(6), Amount(30))
        );
        assert_eq!(
            (candle.open, candle.high, candle.low, candle.close),
            (Price(100), Price(104), Price(99), Price(99))
        );
        let open = tape.candles(0).next_back().unwrap();
        assert_eq!((open.start.millis(), open.open, open.volume), (120_000, Price(99), Qty(0)));
        assert_eq!(tape.day().unwrap().high, Price(104));
    }
}
