//! Decimal text and integers of a fixed scale, exactly, in both directions.

use core::fmt;

use super::wide::signed;

/// Most decimals a mantissa may have; also the fixed decimals of an [`Amount`](crate::Amount).
pub const DECIMALS_MAX: u8 = 18;

/// Longest text read. The longest number an i128 holds has 41 characters; venues pad with zeros.
const TEXT_MAX: usize = 64;

/// Why a text is not a number of the wanted scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// No text.
    #[error("a number is missing")]
    Empty,
    /// More than 64 bytes.
    #[error("a number has at most 64 characters")]
    TooLong,
    /// Not `-?[0-9]+(.[0-9]+)?`: also for exponents, a plus sign, spaces and separators.
    #[error("a number is written with digits and at most one point, like -12.5")]
    Malformed,
    /// Digits other than 0 beyond the scale; they are not rounded away.
    #[error("the number has more than {decimals} decimals")]
    TooPrecise {
        /// The decimals of the scale.
        decimals: u8,
    },
    /// Too large for the type that holds it.
    #[error("the number is too large")]
    OutOfRange,
    /// Below zero, where that has no meaning.
    #[error("the number must not be negative")]
    Negative,
    /// The scale itself is not supported.
    #[error("{decimals} decimals are more than the supported 18")]
    UnsupportedDecimals {
        /// The decimals asked for.
        decimals: u8,
    },
}

/// Ten to the power of `exponent`; `None` above 19.
pub(super) fn power_of_ten(exponent: u8) -> Option<u64> {
    10_u64.checked_pow(u32::from(exponent))
}

/// Reads a number as an integer in units of 10^-`decimals`.
pub(super) fn parse(text: &str, decimals: u8) -> Result<i128, DecimalError> {
    if decimals > DECIMALS_MAX {
        return Err(DecimalError::UnsupportedDecimals { decimals });
    }
    if text.is_empty() {
        return Err(DecimalError::Empty);
    }
    if text.len() > TEXT_MAX {
        return Err(DecimalError::TooLong);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err(DecimalError::Malformed),
        Some(parts) => parts,
        None => (digits, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(DecimalError::Malformed);
    }
    let (kept, excess) = fraction.split_at_checked(usize::from(decimals)).unwrap_or((fraction, ""));
    if excess.bytes().any(|byte| byte != b'0') {
        return Err(DecimalError::TooPrecise { decimals });
    }
    let padding = usize::from(decimals).saturating_sub(kept.len());
    let digits = whole.bytes().chain(kept.bytes()).chain(core::iter::repeat_n(b'0', padding));
    magnitude(digits).and_then(|magnitude| signed(negative, magnitude)).ok_or(DecimalError::OutOfRange)
}

/// Reads a number that an i64 must hold.
pub(super) fn parse_i64(text: &str, decimals: u8) -> Result<i64, DecimalError> {
    i64::try_from(parse(text, decimals)?).map_err(|_| DecimalError::OutOfRange)
}

fn magnitude(mut digits: impl Iterator<Item = u8>) -> Option<u128> {
    digits.try_fold(0_u128, |sum, digit| {
        sum.checked_mul(10)?.checked_add(u128::from(digit.saturating_sub(b'0')))
    })
}

/// An integer in units of 10^-`decimals`, shown exactly.
pub(super) struct Decimal {
    pub(super) value: i128,
    pub(super) decimals: u8,
    /// Whether trailing zeros of the fraction are left out.
    pub(super) trim: bool,
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.value.unsigned_abs();
        let sign = if self.value < 0 { "-" } else { "" };
        // A scale above 10^38 is more than any magnitude, which then is all fraction.
        let scale = 10_u128.checked_pow(u32::from(self.decimals));
        let whole = scale.and_then(|scale| magnitude.checked_div(scale)).unwrap_or(0);
        let mut fraction = scale.and_then(|scale| magnitude.checked_rem(scale)).unwrap_or(magnitude);
        let mut width = usize::from(self.decimals);
        if self.trim {
            while width > 0 && fraction % 10 == 0 {
                fraction /= 10;
                width = width.saturating_sub(1);
            }
        }
        if width == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction:0width$}") }
    }
}
