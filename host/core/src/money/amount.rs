//! Money in the quote coin.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::decimal::{self, DECIMALS_MAX, Decimal, DecimalError, power_of_ten};
use super::rate::Rate;
use super::wide::mul_div;
use super::{Price, Qty, Rounding};

/// Units of a [`Rate`] in 1.
const RATE_ONE: u64 = 1_000_000_000_000;

/// Money, or a price too fine for ticks, in units of 1e-18.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Amount(pub i128);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads a plain decimal such as `-12.5`; digits beyond 18 decimals must be 0.
    ///
    /// # Errors
    ///
    /// [`DecimalError`] names what is wrong.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        decimal::parse(text, DECIMALS_MAX).map(Self)
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum; `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// The difference; `None` on overflow.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// The negative; `None` on overflow.
    pub const fn checked_neg(self) -> Option<Self> {
        match self.0.checked_neg() {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// The magnitude; `None` on overflow.
    pub const fn checked_abs(self) -> Option<Self> {
        match self.0.checked_abs() {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// The sum, kept at the end of the range. For display and sums that only grow toward a limit.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, kept at the end of the range.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The negative, kept at the end of the range.
    #[must_use]
    pub const fn saturating_neg(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// The magnitude, kept at the end of the range.
    #[must_use]
    pub const fn saturating_abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// This amount times a rate, such as a fee; `None` on overflow.
    pub fn checked_mul_rate(self, rate: Rate, rounding: Rounding) -> Option<Self> {
        mul_div(self.0, i128::from(rate.0), RATE_ONE, rounding).map(Self)
    }

    /// This amount × `part` ÷ `whole`, such as the cost of the part of a position that closes. `None` when `whole` is not
    /// positive, or on overflow.
    pub fn checked_portion(self, part: Qty, whole: Qty, rounding: Rounding) -> Option<Self> {
        let whole = u64::try_from(whole.0).ok()?;
        mul_div(self.0, i128::from(part.0), whole, rounding).map(Self)
    }

    /// This price as a mantissa of `decimals`, 0 to 18; `None` on overflow or for more decimals.
    pub fn to_price(self, decimals: u8, rounding: Rounding) -> Option<Price> {
        let divisor = power_of_ten(DECIMALS_MAX.checked_sub(decimals)?)?;
        let mantissa = mul_div(self.0, 1, divisor, rounding)?;
        i64::try_from(mantissa).ok().map(Price)
    }

    /// This quantity as a mantissa of `decimals`, 0 to 18; `None` on overflow or for more decimals.
    pub fn to_quantity(self, decimals: u8, rounding: Rounding) -> Option<Qty> {
        self.to_price(decimals, rounding).map(|mantissa| Qty(mantissa.0))
    }
}

impl fmt::Display for Amount {
    /// Plain decimal text without trailing zeros: `0`, `-12.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Decimal { value: self.0, decimals: DECIMALS_MAX, trim: true }.fmt(f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({})", self.0)
    }
}
