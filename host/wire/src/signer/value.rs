//! Positive decimals and their product, exactly: what an order is worth.

use core::cmp::Ordering;

/// Most digits of a number, so that the product of two fits.
const DIGITS_MAX: usize = 18;

/// A positive decimal: `digits` × 10^-`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value {
    digits: u128,
    scale: u32,
}

impl Value {
    /// Reads plain decimal text; `None` for zero, a sign, an exponent, or more than 18 digits.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let length = whole.len().checked_add(part.len())?;
        if whole.is_empty() || !is_plain(whole) || !is_plain(part) || length > DIGITS_MAX {
            return None;
        }
        let digits: u128 = format!("{whole}{part}").parse().ok()?;
        (digits > 0).then_some(Self { digits, scale: u32::try_from(part.len()).ok()? })
    }

    /// The exact product.
    pub(super) fn times(self, other: Self) -> Self {
        // Two numbers of 18 digits make one of 36, and 38 fit.
        Self {
            digits: self.digits.saturating_mul(other.digits),
            scale: self.scale.saturating_add(other.scale),
        }
    }

    /// The larger one.
    pub(super) fn max(self, other: Self) -> Self {
        if self.is_above(other) { self } else { other }
    }

    /// Whether it is above another.
    pub(super) fn is_above(self, other: Self) -> bool {
        match self.scale.cmp(&other.scale) {
            Ordering::Equal => self.digits > other.digits,
            // What does not fit when it is brought to the finer scale is above everything that does.
            Ordering::Greater => {
                other.raised(self.scale.saturating_sub(other.scale)).is_some_and(|other| self.digits > other)
            }
            Ordering::Less => {
                self.raised(other.scale.saturating_sub(self.scale)).is_none_or(|own| own > other.digits)
            }
        }
    }

    fn raised(self, by: u32) -> Option<u128> {
        self.digits.checked_mul(10_u128.checked_pow(by)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        Value::read(text).unwrap()
    }

    #[test]
    fn only_positive_plain_decimals_are_numbers() {
        for text in ["", "0", "0.000", "-1", "+1", "1e3", ".5", "1,5", " 1", "1234567890123456789", "NaN"] {
            assert_eq!(Value::read(text), None, "{text}");
        }
        assert_eq!(Value::read("60000.10"), Some(Value { digits: 6_000_010, scale: 2 }));
        assert_eq!(Value::read("5."), Some(Value { digits: 5, scale: 0 }));
    }

    #[test]
    fn products_are_compared_exactly() {
        let worth = value("60000.1").times(value("0.01"));
        assert!(worth.is_above(value("600")));
        assert!(!worth.is_above(value("600.001")));
        assert!(worth.is_above(value("600.0009")));
        let huge = value("999999999999999999").times(value("999999999999999999"));
        assert!(huge.is_above(value("1000000")) && !value("1000000").is_above(huge));
        let tiny = value("0.00000000000000001").times(value("0.00000000000000001"));
        assert!(!tiny.is_above(value("1")) && value("999999999999999999").is_above(tiny));
        assert_eq!(value("2").max(value("3")), value("3"));
    }
}
