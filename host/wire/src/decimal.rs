//! Decimal text to mantissas and back, exactly. Nothing here rounds: what does not fit is an error.

use portcullis_core::{Amount, Price, Rate, Timestamp};

/// Longest decimal text looked at, in bytes.
const TEXT_MAX: usize = 64;

/// Why a text is not the number asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Empty, too long, or a character that does not belong.
    #[error("not a decimal number")]
    Malformed,
    /// More significant decimals than the scale holds.
    #[error("more decimals than the scale holds")]
    TooFine,
    /// Outside the range of the mantissa.
    #[error("number out of range")]
    Overflow,
}

impl From<portcullis_core::DecimalError> for DecimalError {
    fn from(error: portcullis_core::DecimalError) -> Self {
        use portcullis_core::DecimalError as Core;
        match error {
            Core::TooPrecise { .. } => Self::TooFine,
            Core::OutOfRange => Self::Overflow,
            Core::Empty
            | Core::TooLong
            | Core::Malformed
            | Core::Negative
            | Core::UnsupportedDecimals { .. } => Self::Malformed,
        }
    }
}

/// A price or quantity as a mantissa of `decimals` decimals. Zeros beyond the scale are accepted.
///
/// Reads the same language as core's [`Price::parse`], in 64 bits: a book frame holds two dozen numbers, and this is where its
/// time goes.
///
/// # Errors
/// When the text is no decimal number or does not fit exactly.
pub fn mantissa(text: &str, decimals: u8) -> Result<i64, DecimalError> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    if bytes.len() > TEXT_MAX
        || !digits.first().is_some_and(u8::is_ascii_digit)
        || digits.last() == Some(&b'.')
    {
        return Err(DecimalError::Malformed);
    }
    let mut mantissa = 0_i64;
    let mut room = None;
    for &byte in digits {
        match (byte, room) {
            (b'.', None) => room = Some(decimals),
            (b'0', Some(0)) => {}
            (b'1'..=b'9', Some(0)) => return Err(DecimalError::TooFine),
            (b'0'..=b'9', _) => {
                room = room.map(|left| left.saturating_sub(1));
                mantissa = push(mantissa, byte.wrapping_sub(b'0'))?;
            }
            _ => return Err(DecimalError::Malformed),
        }
    }
    for _ in 0..room.unwrap_or(decimals) {
        mantissa = push(mantissa, 0)?;
    }
    Ok(if negative { mantissa.wrapping_neg() } else { mantissa })
}

fn push(mantissa: i64, digit: u8) -> Result<i64, DecimalError> {
    mantissa.checked_mul(10).and_then(|tens| tens.checked_add(digit.into())).ok_or(DecimalError::Overflow)
}

/// Money in units of 1e-18.
///
/// # Errors
/// As [`mantissa`].
pub fn amount(text: &str) -> Result<Amount, DecimalError> {
    Ok(Amount::parse(text)?)
}

/// A fee or funding rate in units of 1e-12.
///
/// # Errors
/// As [`mantissa`].
pub fn rate(text: &str) -> Result<Rate, DecimalError> {
    Ok(Rate::parse(text)?)
}

/// The moment of a millisecond text; `None` when it is no whole number.
pub fn millis(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_millis)
}

/// How many decimals a step such as `0.10` needs: 1.
///
/// # Errors
/// When the text is no decimal number, or needs more than 18.
pub fn decimals_of(step: &str) -> Result<u8, DecimalError> {
    amount(step)?;
    let digits = step.split_once('.').map_or(0, |(_, fraction)| fraction.trim_end_matches('0').len());
    u8::try_from(digits).map_err(|_| DecimalError::TooFine)
}

/// The shortest exact text of a mantissa: `60000.10` with two decimals is written `60000.1`.
pub fn format_mantissa(mantissa: i64, decimals: u8) -> String {
    let mut text = Price(mantissa).display(decimals).to_string();
    if decimals > 0 {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text
}

/// The shortest exact text of an amount.
pub fn format_amount(amount: Amount) -> String {
    amount.to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_the_venue_writes() {
        assert_eq!(mantissa("340.82", 2), Ok(34_082));
        assert_eq!(mantissa("16578.50", 1), Ok(165_785));
        assert_eq!(mantissa("-0.5", 3), Ok(-500));
        assert_eq!(mantissa("0", 8), Ok(0));
        assert_eq!(amount("27464.50441675"), Ok(Amount(27_464_504_416_750_000_000_000)));
        assert_eq!(rate("0.00055"), Ok(Rate(550_000_000)));
    }

    #[test]
    fn refuses_what_is_not_exact_or_not_a_number() {
        assert_eq!(mantissa("0.05", 1), Err(DecimalError::TooFine));
        assert_eq!(mantissa("9223372036854775808", 0), Err(DecimalError::Overflow));
        for text in ["", "-", ".", ".5", "5.", "1e5", "+1", " 1", "1.2.3", "--1", "0x1", "NaN"] {
            assert_eq!(mantissa(text, 2), Err(DecimalError::Malformed), "{text}");
        }
    }

    #[test]
    fn steps_say_their_decimals() {
        assert_eq!(decimals_of("0.10"), Ok(1));
        assert_eq!(decimals_of("0.0000001"), Ok(7));
        assert_eq!(decimals_of("100"), Ok(0));
        assert!(decimals_of("0.0000000000000000001").is_err());
    }

    proptest! {
        #[test]
        fn text_and_mantissa_are_inverse(value in (i64::MIN + 1)..=i64::MAX, decimals in 0_u8..=18) {
            prop_assert_eq!(mantissa(&format_mantissa(value, decimals), decimals), Ok(value));
        }

        #[test]
        fn the_fast_reading_is_cores(text in "-?[0-9]{0,12}(\\.[0-9]{0,8}0{0,3})?", decimals in 0_u8..=18) {
            let core = Price::parse(&text, decimals).map(|price| price.0).map_err(DecimalError::from);
            // Both errors may apply to one text; which is named first does not matter.
            prop_assert_eq!(mantissa(&text, decimals).ok(), core.ok());
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}", decimals in 0_u8..=18) {
            let _ = mantissa(&text, decimals);
            let _ = amount(&text);
        }
    }
}
