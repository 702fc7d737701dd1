//! Cells of comma-separated lines: plain text without quotes, as every exchange's own files are.

use portcullis_core::{Amount, InstrumentSpec, MarketBody, MarketEvent, Price, Qty, Rate, Side, Timestamp};
use portcullis_wire::{DecimalError, amount, mantissa};

use super::{DataError, Lines};

/// A line cut at its commas.
pub(super) struct Row<'a> {
    lines: &'a Lines,
    cells: Vec<&'a str>,
}

impl<'a> Row<'a> {
    /// Cuts a line that must have at least as many cells as the header names.
    pub(super) fn new(lines: &'a Lines, line: &'a str, columns: usize) -> Result<Self, DataError> {
        let cells: Vec<_> = line.split(',').collect();
        if cells.len() < columns {
            return Err(lines.bad("line", format!("{} columns, expected {columns}", cells.len())));
        }
        Ok(Self { lines, cells })
    }

    pub(super) fn text(&self, at: usize) -> &'a str {
        self.cells.get(at).copied().unwrap_or_default()
    }

    pub(super) fn bad(&self, column: &'static str, reason: impl Into<String>) -> DataError {
        self.lines.bad(column, reason)
    }

    pub(super) fn millis(&self, at: usize, column: &'static str) -> Result<Timestamp, DataError> {
        let text = self.text(at);
        let millis: u64 = text
            .parse()
            .map_err(|_| self.bad(column, format!("{text:?} is no whole number of milliseconds")))?;
        // A stamp in another unit would move the whole file by centuries.
        if !(1_000_000_000_000..10_000_000_000_000).contains(&millis) {
            return Err(self.bad(column, format!("{text} is no time in milliseconds since 1970")));
        }
        Ok(Timestamp::from_millis(millis))
    }

    pub(super) fn price(
        &self,
        at: usize,
        column: &'static str,
        spec: &InstrumentSpec,
    ) -> Result<Price, DataError> {
        let text = self.text(at);
        price(text, spec).map_err(|reason| self.bad(column, format!("{text:?}: {reason}")))
    }

    pub(super) fn quantity(
        &self,
        at: usize,
        column: &'static str,
        spec: &InstrumentSpec,
    ) -> Result<Qty, DataError> {
        let text = self.text(at);
        quantity(text, spec).map_err(|reason| self.bad(column, format!("{text:?}: {reason}")))
    }

    pub(super) fn side(&self, at: usize, column: &'static str) -> Result<Side, DataError> {
        let text = self.text(at);
        match text {
            "buy" | "Buy" => Ok(Side::Buy),
            "sell" | "Sell" => Ok(Side::Sell),
            _ => Err(self.bad(column, format!("{text:?} is neither buy nor sell"))),
        }
    }

    pub(super) fn rate(&self, at: usize, column: &'static str) -> Result<Rate, DataError> {
        let text = self.text(at);
        rate(text).ok_or_else(|| self.bad(column, format!("{text:?} is no rate")))
    }

    pub(super) fn amount(&self, at: usize, column: &'static str) -> Result<Amount, DataError> {
        let text = self.text(at);
        amount(text).map_err(|reason| self.bad(column, format!("{text:?}: {reason}")))
    }
}

/// A recorded price on our tick: recordings of other venues may be finer, then the nearest tick counts.
pub(super) fn price(text: &str, spec: &InstrumentSpec) -> Result<Price, &'static str> {
    let price = nearest(text, spec.price_decimals, spec.tick.0)?;
    if price > 0 { Ok(Price(price)) } else { Err("must be above zero") }
}

/// A recorded quantity on our step; at least one step, so that no trade vanishes.
pub(super) fn quantity(text: &str, spec: &InstrumentSpec) -> Result<Qty, &'static str> {
    if text.starts_with('-') {
        return Err("must not be negative");
    }
    let quantity = nearest(text, spec.quantity_decimals, spec.step.0)?;
    Ok(Qty(quantity.max(spec.step.0)))
}

fn nearest(text: &str, decimals: u8, step: i64) -> Result<i64, &'static str> {
    let mantissa = match mantissa(text, decimals) {
        Ok(mantissa) => mantissa,
        Err(DecimalError::TooFine) => {
            let fine = amount(text).map_err(|_| "not a decimal number")?.0;
            let unit = 10_i128.checked_pow(18_u32.saturating_sub(u32::from(decimals))).unwrap_or(1);
            let half = unit.checked_div(2).unwrap_or(0);
            let rounded = fine.saturating_add(half).checked_div(unit).unwrap_or(0);
            i64::try_from(rounded).map_err(|_| "number out of range")?
        }
        Err(DecimalError::Malformed) => return Err("not a decimal number"),
        Err(DecimalError::Overflow) => return Err("number out of range"),
    };
    let rest = mantissa.checked_rem(step).unwrap_or(0);
    let down = mantissa.saturating_sub(rest);
    Ok(if rest.saturating_mul(2) >= step { down.saturating_add(step) } else { down })
}

/// A rate, also in scientific notation (`1.004e-05`), as tools that keep floats write it.
pub(super) fn rate(text: &str) -> Option<Rate> {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
    let value = amount(digits).ok()?.0;
    let value = if exponent < 0 { value.checked_div(power)? } else { value.checked_mul(power)? };
    i64::try_from(value.checked_div(1_000_000)?).ok().map(Rate)
}

/// A trade of a recording.
pub(super) fn trade(
    spec: &InstrumentSpec,
    time: Timestamp,
    price: Price,
    quantity: Qty,
    taker: Side,
) -> MarketEvent {
    event(spec, time, MarketBody::Trade { price, quantity, taker })
}

/// An event of a recording.
pub(super) fn event(spec: &InstrumentSpec, time: Timestamp, body: MarketBody) -> MarketEvent {
    MarketEvent { instrument: spec.id, time, venue_time: time, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finer_numbers_go_to_the_nearest_step() {
        assert_eq!(nearest("61837.63000000", 1, 1), Ok(618_376));
        assert_eq!(nearest("61837.65", 1, 1), Ok(618_377));
        assert_eq!(nearest("7", 0, 5), Ok(5));
        assert_eq!(nearest("8", 0, 5), Ok(10));
        assert_eq!(nearest("0x1", 1, 1), Err("not a decimal number"));
    }

    #[test]
    fn rates_come_in_scientific_notation_too() {
        assert_eq!(rate("1.004e-05"), Some(Rate(10_040_000)));
        assert_eq!(rate("-3.74e-06"), Some(Rate(-3_740_000)));
        assert_eq!(rate("0.0001"), Some(Rate(100_000_000)));
        assert_eq!(rate("1e99"), None);
        assert_eq!(rate("x"), None);
    }
}
