//! Order prices.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::Amount;
use super::decimal::{self, DECIMALS_MAX, Decimal, DecimalError, power_of_ten};

/// Parts in a whole, for the collar's distances.
const MILLION: i128 = 1_000_000;

/// A price as a mantissa with its instrument's price decimals. Order prices only: mark, index and averages are [`Amount`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Price(pub i64);

impl Price {
    /// Reads a plain decimal such as `60123.45`; digits beyond `decimals` (0 to 18) must be 0.
    ///
    /// # Errors
    ///
    /// [`DecimalError`] names what is wrong.
    pub fn parse(text: &str, decimals: u8) -> Result<Self, DecimalError> {
        decimal::parse_i64(text, decimals).map(Self)
    }

    /// The exact text with all `decimals`, as venues take it.
    pub fn display(self, decimals: u8) -> impl fmt::Display {
        Decimal { value: i128::from(self.0), decimals, trim: false }
    }

    /// The price in units of 1e-18; `None` for more than 18 decimals.
    pub fn to_amount(self, decimals: u8) -> Option<Amount> {
        let scale = power_of_ten(DECIMALS_MAX.checked_sub(decimals)?)?;
        i128::from(self.0).checked_mul(i128::from(scale)).map(Amount)
    }

    /// The sum; `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(mantissa) => Some(Self(mantissa)),
            None => None,
        }
    }

    /// The difference; `None` on overflow.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(mantissa) => Some(Self(mantissa)),
            None => None,
        }
    }

    /// Whether it lies on a tick; never for a tick that is not positive.
    pub fn is_multiple_of(self, tick: Self) -> bool {
        tick.0 > 0 && self.0.checked_rem(tick.0) == Some(0)
    }

    /// The highest tick not above it. `None` for a tick that is not positive, or on overflow.
    pub fn round_down_to_tick(self, tick: Self) -> Option<Self> {
        multiple_below(self.0, tick.0).map(Self)
    }

    /// The lowest tick not below it. `None` for a tick that is not positive, or on overflow.
    pub fn round_up_to_tick(self, tick: Self) -> Option<Self> {
        let below = multiple_below(self.0, tick.0)?;
        if below == self.0 { Some(self) } else { below.checked_add(tick.0).map(Self) }
    }

    /// This price plus `ppm` parts per million of it, rounded up to the next mantissa. `None` for a negative price, whose
    /// "above" would be ambiguous, or on overflow.
    pub fn plus_ppm_rounded_up(self, ppm: u32) -> Option<Self> {
        let scaled = self.times(MILLION.checked_add(i128::from(ppm))?)?;
        let rounded_up = scaled.checked_add(MILLION.checked_sub(1)?)?.checked_div(MILLION)?;
        i64::try_from(rounded_up).ok().map(Self)
    }

    /// This price minus `ppm` parts per million of it, rounded down to the mantissa below. `None` for a negative price, or
    /// above 1,000,000 ppm, which would leave less than nothing.
    pub fn minus_ppm_rounded_down(self, ppm: u32) -> Option<Self> {
        let factor = MILLION.checked_sub(i128::from(ppm)).filter(|factor| *factor >= 0)?;
        i64::try_from(self.times(factor)?.checked_div(MILLION)?).ok().map(Self)
    }

    fn times(self, factor: i128) -> Option<i128> {
        if self.0 < 0 { None } else { i128::from(self.0).checked_mul(factor) }
    }
}

/// The largest multiple of a positive `step` that is not above `value`.
pub(super) fn multiple_below(value: i64, step: i64) -> Option<i64> {
    if step <= 0 {
        return None;
    }
    value.checked_sub(value.checked_rem_euclid(step)?)
}
