//! The numbers of checks and limits as people read and write them.

use crate::{Amount, InstrumentSpec, Price, Qty, Rate, Unit};

/// Nanoseconds in a millisecond.
const MILLI_NS: u64 = 1_000_000;

impl Unit {
    /// A number in this unit, as text. Prices and quantities take their decimals from `spec`; without it the mantissa is shown.
    pub fn display(self, value: i128, spec: Option<&InstrumentSpec>) -> String {
        let mantissa = i64::try_from(value).ok().zip(spec);
        match (self, mantissa) {
            (Self::Amount, _) => Amount(value).to_string(),
            (Self::Price, Some((mantissa, spec))) => Price(mantissa).display(spec.price_decimals).to_string(),
            (Self::Quantity, Some((mantissa, spec))) => {
                Qty(mantissa).display(spec.quantity_decimals).to_string()
            }
            // A rate has 12 decimals, an amount 18.
            (Self::Rate, _) => value
                .checked_mul(1_000_000)
                .map_or_else(|| "beyond all bounds".to_owned(), |value| Amount(value).to_string()),
            (Self::Nanoseconds, _) => millis(value),
            (Self::Price | Self::Quantity | Self::Flag | Self::Count, _) => value.to_string(),
        }
    }

    /// Reads what a person wrote for a number in this unit: the opposite of [`Unit::display`], except that spans are whole
    /// milliseconds without their unit. `None` when it is no such number, or a price or quantity without `spec`.
    pub fn parse(self, text: &str, spec: Option<&InstrumentSpec>) -> Option<i128> {
        match self {
            Self::Amount => Amount::parse(text).ok().map(|amount| amount.0),
            Self::Price => Price::parse(text, spec?.price_decimals).ok().map(|price| price.0.into()),
            Self::Quantity => {
                Qty::parse(text, spec?.quantity_decimals).ok().map(|quantity| quantity.0.into())
            }
            Self::Rate => Rate::parse(text).ok().map(|rate| rate.0.into()),
            Self::Nanoseconds => text.parse::<u64>().ok()?.checked_mul(MILLI_NS).map(i128::from),
            Self::Count => text.parse::<u64>().ok().map(i128::from),
            Self::Flag => None,
        }
    }
}

/// A span in milliseconds, rounded down to a microsecond.
fn millis(nanoseconds: i128) -> String {
    let micros = nanoseconds.unsigned_abs() / 1_000;
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let (whole, rest) = (micros / 1_000, micros % 1_000);
    let fraction = if rest == 0 { String::new() } else { format!(".{rest:03}") };
    format!("{sign}{whole}{} ms", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for (unit, text) in [(Unit::Amount, "6000.5"), (Unit::Rate, "2.25"), (Unit::Count, "50")] {
            assert_eq!(unit.display(unit.parse(text, None).unwrap(), None), text);
        }
        assert_eq!(
            Unit::Nanoseconds.display(Unit::Nanoseconds.parse("5000", None).unwrap(), None),
            "5000 ms"
        );
        assert_eq!(Unit::Nanoseconds.display(240_367_924, None), "240.367 ms");
        assert_eq!(Unit::Nanoseconds.display(-1_500_000, None), "-1.5 ms");
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "much", "1e3", "99999999999999999999999999999999999999999"] {
            for unit in [Unit::Amount, Unit::Rate, Unit::Count, Unit::Nanoseconds, Unit::Flag, Unit::Quantity]
            {
                assert_eq!(unit.parse(text, None), None, "{unit:?} {text}");
            }
        }
    }
}
