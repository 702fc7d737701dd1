//! Kline files: `start_ms,open,high,low,close,volume`, of trades, mark prices or funding rates. The file's name says which, and
//! of what: `bybit-BTCUSDT-linear-5m.csv.gz`, `…-mark-1h…`, `…-funding-1h…`. And Bybit's own archive of klines, which has no header
//! and starts each line with the minute: `2024.01.31 23:59,open,high,low,close,volume`.

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

/// How a row says when its kline starts.
#[derive(Clone, Copy)]
enum Stamp {
    Millis,
    /// Bybit's archive is made for a terminal whose clock is three hours ahead of UTC.
    Minute,
}

/// How far ahead of UTC the clock of [`Stamp::Minute`] is.
const MINUTE_AHEAD_MS: u64 = 3 * 3_600_000;

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
    rows(lines, None, Stamp::Millis, listing, into)
}

/// The same for Bybit's archive of klines, of which `first` is the first line.
pub(super) fn read_minutes(
    lines: &mut Lines,
    first: String,
    listing: &mut Listing,
    into: &mut Recording,
) -> Result<(), DataError> {
    rows(lines, Some(first), Stamp::Minute, listing, into)
}

/// Whether a line starts as those of Bybit's archive do.
pub(super) fn is_minute(line: &str) -> bool {
    minute(line.get(..16).unwrap_or_default()).is_some()
}

fn rows(
    lines: &mut Lines,
    first: Option<String>,
    stamp: Stamp,
    listing: &mut Listing,
    into: &mut Recording,
) -> Result<(), DataError> {
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
    let mut next = match first {
        Some(first) => Some(first),
        None => lines.next()?,
    };
    while let Some(line) = next {
        let row = Row::new(lines, &line, 6)?;
        let start = start(&row, stamp)?;
        if previous.as_ref().is_some_and(|(before, _)| start <= *before) {
            return Err(row.bad("start_ms", "not later than the line before"));
        }
        if let Some((before, _)) = &previous {
            let step = start.since(*before);
            if *interval.get_or_insert(step) != step {
                into.note_gap(lines.place(*before, start));
            }
        }
        let mut kline = Kline::default();
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
                kline = Kline::read(&row, spec)?;
                if let Some((before, kline)) = previous {
                    length = start.since(before);
                    kline.path(spec, before, length, lines, into)?;
                }
            }
        }
        previous = Some((start, kline));
        next = lines.next()?;
    }
    match (content, previous) {
        (Content::Trades, Some((start, kline))) => kline.path(spec, start, length, lines, into),
        _ => Ok(()),
    }
}

fn start(row: &Row<'_>, stamp: Stamp) -> Result<Timestamp, DataError> {
    match stamp {
        Stamp::Millis => row.millis(0, "start_ms"),
        Stamp::Minute => {
            let text = row.text(0);
            let start = minute(text).and_then(|ms| ms.checked_sub(MINUTE_AHEAD_MS));
            start
                .map(Timestamp::from_millis)
                .ok_or_else(|| row.bad("start_ms", format!("{text:?} is no minute such as 2024.01.31 23:59")))
        }
    }
}

/// Milliseconds from 1970 to `YYYY.MM.DD HH:MM` of the years 2000 to 2099.
fn minute(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(' ')?;
    let number = |text: &str, length: usize| {
        let plain = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        if plain { text.parse::<u64>().ok() } else { None }
    };
    let mut parts = date.split('.');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let (hour, minute) = time.split_once(':')?;
    let year = number(year, 4).filter(|year| (2000..2100).contains(year))?;
    let month = number(month, 2).filter(|month| (1..=12).contains(month))?;
    let leap = year % 4 == 0;
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month).ok()?.checked_sub(1)?;
    let day =
        number(day, 2).filter(|day| lengths.get(before).is_some_and(|most| (1..=*most).contains(day)))?;
    let hour = number(hour, 2).filter(|hour| *hour < 24)?;
    let minute = number(minute, 2).filter(|minute| *minute < 60)?;
    if parts.next().is_some() {
        return None;
    }
    // Every fourth year of these is a leap year, 2000 itself included; 10,957 days lie between 1970 and 2000.
    let years = year.checked_sub(2000)?;
    let leaps = years.checked_add(3)?.checked_div(4)?;
    let months: u64 = lengths.iter().take(before).sum();
    let days = years.checked_mul(365)?.checked_add(leaps)?.checked_add(months)?.checked_add(day)?;
    let days = days.checked_sub(1)?.checked_add(10_957)?;
    let minutes = days.checked_mul(24)?.checked_add(hour)?.checked_mul(60)?.checked_add(minute)?;
    minutes.checked_mul(60_000)
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

#[cfg(test)]
mod tests {
    use super::minute;

    #[test]
    fn minutes_are_counted_from_1970() {
        assert_eq!(minute("2000.01.01 00:00"), Some(946_684_800_000));
        assert_eq!(minute("2024.02.29 23:59"), Some(1_709_251_140_000));
        assert_eq!(minute("2024.03.01 00:00"), Some(1_709_251_200_000));
        for text in
            ["2023.02.29 00:00", "2024.13.01 00:00", "2024.01.01 24:00", "24.01.01 00:00", "2024.01.01", ""]
        {
            assert_eq!(minute(text), None, "{text}");
        }
    }
}
