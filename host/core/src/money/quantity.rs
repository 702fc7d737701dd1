//! Quantities of orders and positions.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::decimal::{self, Decimal, DecimalError};
use super::price::multiple_below;
use crate::Side;

/// A quantity of an order, as a mantissa with its instrument's quantity decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Qty(pub i64);

impl Qty {
    /// None.
    pub const ZERO: Self = Self(0);

    /// Reads a plain decimal such as `0.010`; digits beyond `decimals` (0 to 18) must be 0, and it must not be negative.
    ///
    /// # Errors
    ///
    /// [`DecimalError`] names what is wrong.
    pub fn parse(text: &str, decimals: u8) -> Result<Self, DecimalError> {
        let mantissa = decimal::parse_i64(text, decimals)?;
        if mantissa < 0 { Err(DecimalError::Negative) } else { Ok(Self(mantissa)) }
    }

    /// The exact text with all `decimals`, as venues take it.
    pub fn display(self, decimals: u8) -> impl fmt::Display {
        Decimal { value: i128::from(self.0), decimals, trim: false }
    }

    /// Whether there is any.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The sum; `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(mantissa) => Some(Self(mantissa)),
            None => None,
        }
    }

    /// The difference, which may be negative; `None` on overflow.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(mantissa) => Some(Self(mantissa)),
            None => None,
        }
    }

    /// Whether it is a whole number of steps; never for a step that is not positive.
    pub fn is_multiple_of(self, step: Self) -> bool {
        step.0 > 0 && self.0.checked_rem(step.0) == Some(0)
    }

    /// The most whole steps not above it. `None` for a step that is not positive, or on overflow.
    pub fn round_down_to_step(self, step: Self) -> Option<Self> {
        multiple_below(self.0, step.0).map(Self)
    }

    /// What an execution of this quantity does to a position: a buy adds, a sell takes away.
    pub const fn signed(self, side: Side) -> SignedQty {
        match side {
            Side::Buy => SignedQty(self.0),
            Side::Sell => SignedQty(self.0.saturating_neg()),
        }
    }
}

/// A position's quantity: negative when short. Same scale as [`Qty`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct SignedQty(pub i64);

impl SignedQty {
    /// Flat.
    pub const ZERO: Self = Self(0);

    /// Reads a plain decimal such as `-0.010`; digits beyond `decimals` (0 to 18) must be 0.
    ///
    /// # Errors
    ///
    /// [`DecimalError`] names what is wrong.
    pub fn parse(text: &str, decimals: u8) -> Result<Self, DecimalError> {
        decimal::parse_i64(text, decimals).map(Self)
    }

    /// The exact text with all `decimals`.
    pub fn display(self, decimals: u8) -> impl fmt::Display {
        Decimal { value: i128::from(self.0), decimals, trim: false }
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

    /// The size without the direction. The one value that has no positive twin becomes the largest quantity.
    pub const fn abs(self) -> Qty {
        Qty(self.0.saturating_abs())
    }

    /// Whether it gains when the price rises.
    pub const fn is_long(self) -> bool {
        self.0 > 0
    }

    /// Whether it gains when the price falls.
    pub const fn is_short(self) -> bool {
        self.0 < 0
    }

    /// Whether there is no position.
    pub const fn is_flat(self) -> bool {
        self.0 == 0
    }
}
