//! Fee and funding rates.

use serde::{Deserialize, Serialize};

use super::decimal::{self, DecimalError};

/// Decimals of a rate.
const DECIMALS: u8 = 12;

/// A fee or funding rate in units of 1e-12; 0.055 % is 550,000,000. Negative is a rebate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Rate(pub i64);

impl Rate {
    /// Reads a plain fraction such as `0.00055`; digits beyond 12 decimals must be 0.
    ///
    /// # Errors
    ///
    /// [`DecimalError`] names what is wrong.
    pub fn parse(text: &str) -> Result<Self, DecimalError> {
        decimal::parse_i64(text, DECIMALS).map(Self)
    }
}
