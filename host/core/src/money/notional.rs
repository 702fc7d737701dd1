//! Price × quantity.

use super::decimal::{DECIMALS_MAX, power_of_ten};
use super::wide::mul_div;
use super::{Amount, Price, Qty, Rounding};

/// The value of `quantity` at an order price, in the quote coin. Exact when the decimals add up to at most 18, else rounded.
///
/// `None` on overflow, or when either has more than 18 decimals.
pub fn notional(
    price: Price,
    price_decimals: u8,
    quantity: Qty,
    quantity_decimals: u8,
    rounding: Rounding,
) -> Option<Amount> {
    if price_decimals > DECIMALS_MAX || quantity_decimals > DECIMALS_MAX {
        return None;
    }
    let decimals = price_decimals.checked_add(quantity_decimals)?;
    let (price, quantity) = (i128::from(price.0), i128::from(quantity.0));
    let units = match decimals.checked_sub(DECIMALS_MAX) {
        Some(excess) => mul_div(price, quantity, power_of_ten(excess)?, rounding)?,
        None => {
            let scale = power_of_ten(DECIMALS_MAX.checked_sub(decimals)?)?;
            price.checked_mul(quantity)?.checked_mul(i128::from(scale))?
        }
    };
    Some(Amount(units))
}

/// The value of `quantity` at a price in units of 1e-18, such as the mark price.
///
/// `None` on overflow of the result, or for more than 18 decimals; the intermediate never overflows.
pub fn notional_of(
    price: Amount,
    quantity: Qty,
    quantity_decimals: u8,
    rounding: Rounding,
) -> Option<Amount> {
    if quantity_decimals > DECIMALS_MAX {
        return None;
    }
    mul_div(price.0, i128::from(quantity.0), power_of_ten(quantity_decimals)?, rounding).map(Amount)
}
