//! Money and sizes. No floats; every operation that can overflow says so (RULES G10).

use core::fmt;

use serde::{Deserialize, Serialize};

/// A price as a mantissa with its instrument's price decimals. Order prices only: mark, index and averages are [`Amount`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Price(pub i64);

/// A quantity of an order, as a mantissa with its instrument's quantity decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Qty(pub i64);

/// A position's quantity: negative when short. Same scale as [`Qty`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct SignedQty(pub i64);

/// Money, or a price too fine for ticks, in units of 1e-18.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Amount(pub i128);

/// A fee or funding rate in units of 1e-12; 0.055 % is 550,000,000. Negative is a rebate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Rate(pub i64);

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({})", self.0)
    }
}
