//! Decimal text to mantissas and back, exactly. Nothing here rounds: what does not fit is an error.

use portcullis_core::{Amount, Rate, Timestamp};

/// Decimals of an [`Amount`].
const AMOUNT_DECIMALS: u8 = 18;
/// Decimals of a [`Rate`].
const RATE_DECIMALS: u8 = 12;
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

/// A price or quantity as a mantissa of `decimals` decimals. Zeros beyond the scale are accepted.
///
/// # Errors
/// When the text is no decimal number or does not fit exactly.
pub fn mantissa(text: &str, decimals: u8) -> Result<i64, DecimalError> {
    parse(text, decimals)
}

/// Money in units of 1e-18.
///
/// # Errors
/// As [`mantissa`].
pub fn amount(text: &str) -> Result<Amount, DecimalError> {
    parse(text, AMOUNT_DECIMALS).map(Amount)
}

/// A fee or funding rate in units of 1e-12.
///
/// # Errors
/// As [`mantissa`].
pub fn rate(text: &str) -> Result<Rate, DecimalError> {
    parse(text, RATE_DECIMALS).map(Rate)
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
    format_amount_at(i128::from(mantissa), decimals)
}

/// The shortest exact text of an amount.
pub fn format_amount(amount: Amount) -> String {
    format_amount_at(amount.0, AMOUNT_DECIMALS)
}

fn format_amount_at(mantissa: i128, decimals: u8) -> String {
    let scale = usize::from(decimals);
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
    let fraction = fraction.trim_end_matches('0');
    let sign = if mantissa < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// A mantissa that can take one more digit.
trait Mantissa: Copy {
    const ZERO: Self;
    fn push(self, digit: u8) -> Option<Self>;
    fn negate(self) -> Self;
}

impl Mantissa for i64 {
    const ZERO: Self = 0;

    fn push(self, digit: u8) -> Option<Self> {
        self.checked_mul(10)?.checked_add(Self::from(digit))
    }

    fn negate(self) -> Self {
        self.wrapping_neg()
    }
}

impl Mantissa for i128 {
    const ZERO: Self = 0;

    fn push(self, digit: u8) -> Option<Self> {
        self.checked_mul(10)?.checked_add(Self::from(digit))
    }

    fn negate(self) -> Self {
        self.wrapping_neg()
    }
}

fn parse<M: Mantissa>(text: &str, decimals: u8) -> Result<M, DecimalError> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, bytes),
    };
    if digits.len() > TEXT_MAX || !digits.first().is_some_and(u8::is_ascii_digit) {
        return Err(DecimalError::Malformed);
    }
    let mut mantissa = M::ZERO;
    let mut room = None;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        match (byte, room) {
            (b'.', None) => room = Some(decimals),
            (b'0', Some(0)) => {}
            (b'1'..=b'9', Some(0)) => return Err(DecimalError::TooFine),
            (b'0'..=b'9', _) => {
                room = room.map(|left| left.saturating_sub(1));
                mantissa = mantissa.push(digit).ok_or(DecimalError::Overflow)?;
            }
            _ => return Err(DecimalError::Malformed),
        }
    }
    if digits.last() == Some(&b'.') {
        return Err(DecimalError::Malformed);
    }
    for _ in 0..room.unwrap_or(decimals) {
        mantissa = mantissa.push(0).ok_or(DecimalError::Overflow)?;
    }
    Ok(if negative { mantissa.negate() } else { mantissa })
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
        fn no_text_panics(text in "\\PC{0,80}", decimals in 0_u8..=18) {
            let _ = mantissa(&text, decimals);
            let _ = amount(&text);
        }
    }
}
