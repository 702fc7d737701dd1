//! Decimal text to whole numbers and back, without floats.

use core::fmt;

/// Why a decimal text was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NumberError {
    /// The text is not a decimal like `12`, `-0.5` or `3.25`.
    Malformed,
    /// The text has more decimals than the unit, and the extra ones are not zero.
    TooManyDecimals,
    /// The number does not fit.
    TooLarge,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a decimal number",
            Self::TooManyDecimals => "more decimals than the instrument has",
            Self::TooLarge => "number too large",
        })
    }
}

impl core::error::Error for NumberError {}

/// Reads `text` as a whole number of units of 10^-`decimals`. Takes an optional minus, digits and an optional fraction.
pub(crate) fn parse(text: &str, decimals: u8) -> Result<i128, NumberError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err(NumberError::Malformed),
        Some(parts) => parts,
        None => (digits, ""),
    };
    if whole.is_empty() {
        return Err(NumberError::Malformed);
    }

    let mut value: i128 = 0;
    let mut places: u8 = 0;
    let mut push = |byte: u8| {
        let digit = match byte {
            b'0'..=b'9' => i128::from(byte.wrapping_sub(b'0')),
            _ => return Err(NumberError::Malformed),
        };
        // Counting down keeps the most negative value readable.
        value = value.checked_mul(10).and_then(|v| v.checked_sub(digit)).ok_or(NumberError::TooLarge)?;
        Ok(())
    };
    for byte in whole.bytes() {
        push(byte)?;
    }
    for byte in fraction.bytes() {
        if places < decimals {
            push(byte)?;
            places = places.saturating_add(1);
        } else if byte.is_ascii_digit() && byte != b'0' {
            return Err(NumberError::TooManyDecimals);
        } else if byte != b'0' {
            return Err(NumberError::Malformed);
        }
    }
    while places < decimals {
        push(b'0')?;
        places = places.saturating_add(1);
    }
    if negative { Ok(value) } else { value.checked_neg().ok_or(NumberError::TooLarge) }
}

/// Prints `value` units of 10^-`decimals`, without trailing zeros.
pub(crate) fn format(value: i128, decimals: u8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let width = usize::from(decimals).saturating_add(1);
    let digits = format!("{:0>width$}", value.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(usize::from(decimals)));
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_exact_decimals_only() {
        assert_eq!(parse("60123.45", 2), Ok(6_012_345));
        assert_eq!(parse("-0.5", 3), Ok(-500));
        assert_eq!(parse("7", 0), Ok(7));
        assert_eq!(parse("1.500", 1), Ok(15));
        assert_eq!(parse("1.05", 1), Err(NumberError::TooManyDecimals));
        for text in ["", "-", ".5", "5.", "1e3", "+1", "1.2.3", " 1", "1,0", "0x1", "1.0a"] {
            assert_eq!(parse(text, 1), Err(NumberError::Malformed), "{text:?}");
        }
        assert_eq!(parse(&"9".repeat(40), 0), Err(NumberError::TooLarge));
    }

    #[test]
    fn prints_what_it_reads() {
        for (value, decimals, text) in
            [(6_012_345, 2, "60123.45"), (-500, 3, "-0.5"), (0, 8, "0"), (7, 0, "7"), (100, 2, "1")]
        {
            assert_eq!(format(value, decimals), text);
            assert_eq!(parse(text, decimals), Ok(value));
        }
        assert_eq!(parse(&format(i128::MIN, 18), 18), Ok(i128::MIN));
    }
}
