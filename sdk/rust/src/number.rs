//! Prices, quantities, money and rates as whole numbers.

use core::fmt;

use crate::decimal;

/// A price as a whole number of the instrument's smallest decimal (a *mantissa*).
///
/// With two price decimals, 6012345 is 60123.45. [`Instrument`](crate::Instrument) knows the decimals: it parses, prints,
/// rounds and converts prices. Two prices compare only if they belong to the same instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

/// A quantity of the base coin as a whole number of the instrument's smallest decimal (a *mantissa*).
///
/// Orders carry positive quantities; a position's quantity is negative when short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Qty(i64);

macro_rules! mantissa {
    ($name:ident) => {
        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0);

            /// Takes a mantissa, in the instrument's decimals.
            #[must_use]
            pub const fn from_mantissa(mantissa: i64) -> Self {
                Self(mantissa)
            }

            /// The mantissa, in the instrument's decimals.
            #[must_use]
            pub const fn mantissa(self) -> i64 {
                self.0
            }

            /// `self + other`; stays at the largest or smallest value instead of overflowing.
            ///
            /// A value that ran into the end is refused by the host, so it never trades.
            #[must_use]
            pub const fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }

            /// `self - other`; stays at the largest or smallest value instead of overflowing.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// `self × factor`; stays at the largest or smallest value instead of overflowing.
            #[must_use]
            pub const fn saturating_mul(self, factor: i64) -> Self {
                Self(self.0.saturating_mul(factor))
            }

            /// The value without its sign.
            #[must_use]
            pub const fn abs(self) -> Self {
                Self(self.0.saturating_abs())
            }

            /// Whether the value is above zero.
            #[must_use]
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }

            /// Whether the value is zero.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
        }
    };
}

mantissa!(Price);
mantissa!(Qty);

/// A sum of money in the quote coin, exact to 1e-18.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

impl Amount {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// Decimals of the unit: 18.
    pub const DECIMALS: u8 = 18;

    /// Takes a number of units of 1e-18.
    #[must_use]
    pub const fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// The number of units of 1e-18.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.0
    }

    /// `self + other`, or none if it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// `self - other`, or none if it does not fit.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The amount as a float, for indicators and metrics; it rounds.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e18
    }
}

/// Prints the exact decimal, such as `-12.5`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal::format(self.0, Self::DECIMALS))
    }
}

/// Reads an exact decimal, such as `100000` or `0.5`.
impl core::str::FromStr for Amount {
    type Err = crate::NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        decimal::parse(text, Self::DECIMALS).map(Self)
    }
}

/// A fee or funding rate in units of 1e-12: 0.055 % is 550,000,000. A negative fee rate is a rebate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(i64);

impl Rate {
    /// Takes a number of units of 1e-12.
    #[must_use]
    pub const fn from_units(units: i64) -> Self {
        Self(units)
    }

    /// The number of units of 1e-12.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// The rate as a float (0.00055 for 0.055 %), for indicators; it rounds.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e12
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mantissas_stop_at_the_ends() {
        let top = Price::from_mantissa(i64::MAX);
        assert_eq!(top.saturating_add(Price::from_mantissa(1)), top);
        assert_eq!(Qty::from_mantissa(i64::MIN).abs(), Qty::from_mantissa(i64::MAX));
        assert_eq!(Qty::from_mantissa(-3).saturating_mul(2), Qty::from_mantissa(-6));
    }

    #[test]
    fn amounts_read_and_print_exactly() {
        for text in ["0", "1", "-12.5", "0.000000000000000001", "170141183460469231731.687303715884105727"] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
        }
        assert!("170141183460469231731.687303715884105728".parse::<Amount>().is_err());
        assert!("0.0000000000000000001".parse::<Amount>().is_err());
    }
}
