//! Kline files: `start_ms,open,high,low,close,volume`, of trades, mark prices or funding rates. The file's name says which, and
//! of what: `bybit-BTCUSDT-linear-5m.csv.gz`, `…-mark-1h…`, `…-funding-1h…`.

use portcullis_core::{Category, InstrumentSpec, MarketBody, Price, Qty, Side, Span, Timestamp};

use super::csv::{Row, event, trade};
use super::{DataError, Lines, Recording};
use crate::listing::Listing;

/// Length of a kline when the file has only one.
const MINUTE: Span = Span::from_secs(60);

enum Content {
    Trades,
    Marks,
    Funding,
}

/// Turns klines into events. A kline of trades becomes four: the open, the extremes, the nearer to the open first, and the close.
pub(super) fn read(
    lines: &mut Lines,
    header: &str,
    listing: &mut Listing,
    into: &mut Recording,
) -> Result<(), DataError> {
    if !header.ends_with("open,high,low,close,volume") {
        return Err(lines.bad("line", "the header must be start_ms,open,high,low,close,volume"));
    }
    let words: Vec<_> = lines.words().collect();
    let has = |word: &str| words.iter().any(|other| other == word);
    let category = if has("spot") { Category::Spot } else { Category::Linear };
    let content = match (has("funding"), has("mark")) {
        (true, _) => Content::Funding,
        (false, true) => Content::Marks,
        (false, false) => Content::Trades,
    };
    let symbol = words.iter().find(|word| Listing::knows(word));
    let id = symbol.and_then(|symbol| listing.list(category, symbol));
    let Some(spec) = id.and_then(|id| listing.get(id)) else {
        return Err(DataError::NoSymbol { file: lines.file.clone() });
    };
    let mut previous: Option<(Timestamp, Kline)> = None;
    let mut length = MINUTE;
    let mut interval = None;
    while let Some(line) = lines.next()? {
        let row = Row::new(lines, &line, 6)?;
        let start = row.millis(0, "start_ms")?;
        if previous.as_ref().is_some_and(|(before, _)| start <= *before) {
            return Err(row.bad("start_ms", "not later than the line before"));
        }
        if let Some((before, _)) = &previous {
            let step = start.since(*before);
            if *interval.get_or_insert(step) != step && into.gap.is_none() {
                into.gap = Some(lines.place(*before, start));
            }
        }
        match content {
            Content::Funding => {
                let rate = row.rate(1, "open")?;
                lines.push(into, event(spec, start, MarketBody::Funding { rate, next: start }))?;
            }
            Content::Marks => {
                let mark = row.amount(1, "open")?;
                if mark.0 <= 0 {
                    return Err(row.bad("open", "must be above zero"));
                }
                lines.push(into, event(spec, start, MarketBody::Mark { mark, index: mark }))?;
            }
            Content::Trades => {
                let kline = Kline::read(&row, spec)?;
                if let Some((before, kline)) = previous {
                    length = start.since(before);
                    kline.path(spec, before, length, lines, into)?;
                }
                previous = Some((start, kline));
                continue;
            }
        }
        previous = Some((start, Kline::default()));
    }
    match (content, previous) {
        (Content::Trades, Some((start, kline))) => kline.path(spec, start, length, lines, into),
        _ => Ok(()),
    }
}

#[derive(Clone, Copy, Default)]
struct Kline {
    open: Price,
    high: Price,
    low: Price,
    close: Price,
    volume: Qty,
}

impl Kline {
    fn read(row: &Row<'_>, spec: &InstrumentSpec) -> Result<Self, DataError> {
        let kline = Self {
            open: row.price(1, "open", spec)?,
            high: row.price(2, "high", spec)?,
            low: row.price(3, "low", spec)?,
            close: row.price(4, "close", spec)?,
            volume: row.quantity(5, "volume", spec)?,
        };
        if kline.high < kline.open.max(kline.close) {
            return Err(row.bad("high", "below the open or the close"));
        }
        if kline.low > kline.open.min(kline.close) {
            return Err(row.bad("low", "above the open or the close"));
        }
        Ok(kline)
    }

    fn path(
        self,
        spec: &InstrumentSpec,
        start: Timestamp,
        length: Span,
        lines: &Lines,
        into: &mut Recording,
    ) -> Result<(), DataError> {
        let up = self.high.0.saturating_sub(self.open.0);
        let down = self.open.0.saturating_sub(self.low.0);
        let (first, second) = if up < down { (self.high, self.low) } else { (self.low, self.high) };
        // A whole number of steps each, and the volume in all.
        let quarter = self.volume.0.checked_div(4).unwrap_or(0);
        let quarter = quarter.saturating_sub(quarter.checked_rem(spec.step.0).unwrap_or(0)).max(spec.step.0);
        let last = self.volume.0.saturating_sub(quarter.saturating_mul(3)).max(spec.step.0);
        let third = length.0.checked_div(3).unwrap_or(0);
        let points = [
            (self.open, 0, quarter),
            (first, third, quarter),
            (second, third.saturating_mul(2), quarter),
            (self.close, length.0.saturating_sub(1_000_000), last),
        ];
        let mut before = self.open;
        for (price, after, quantity) in points {
            let taker = if price >= before { Side::Buy } else { Side::Sell };
            lines.push(into, trade(spec, start.after(Span(after)), price, Qty(quantity), taker))?;
            before = price;
        }
        Ok(())
    }
}
