//! Products and shares of money. Everything saturates, so that a hostile number cannot wrap into a small one.

use portcullis_core::{Amount, Price, Qty, Rate};

/// Units of an [`Amount`] in one coin.
const COIN: i128 = 1_000_000_000_000_000_000;
/// Units of a [`Rate`] in one.
const WHOLE: i128 = 1_000_000_000_000;
/// The grain of fees and funding payments: 1e-8 of a coin, as Bybit books them.
const FEE_GRAIN: i128 = 10_000_000_000;

/// Powers of ten that carry an instrument's mantissas into [`Amount`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scale {
    /// Multiplies price × quantity mantissas.
    value: i128,
    /// Multiplies price mantissas.
    price: i128,
    /// Quantity mantissas in one whole unit.
    units: i128,
}

impl Scale {
    /// For an instrument's decimals; `None` when a product of both would be finer than 1e-18.
    pub(crate) fn new(price_decimals: u8, quantity_decimals: u8) -> Option<Self> {
        let power = |decimals: u32| 10_i128.checked_pow(18_u32.checked_sub(decimals)?);
        Some(Self {
            units: 10_i128.checked_pow(u32::from(quantity_decimals))?,
            value: power(u32::from(price_decimals).saturating_add(u32::from(quantity_decimals)))?,
            price: power(u32::from(price_decimals))?,
        })
    }

    /// Price × quantity, exact unless it saturates.
    pub(crate) fn value(self, price: Price, quantity: Qty) -> Amount {
        let product = i128::from(price.0).saturating_mul(i128::from(quantity.0));
        Amount(product.saturating_mul(self.value))
    }

    /// A quantity as an amount of its own coin.
    pub(crate) fn coin(self, quantity: Qty) -> Amount {
        let unit = COIN.checked_div(self.units).unwrap_or(0);
        Amount(i128::from(quantity.0).saturating_mul(unit))
    }

    /// The whole steps of an instrument that an amount of its own coin holds.
    pub(crate) fn steps_in(self, amount: Amount, step: Qty) -> Qty {
        let one = self.coin(step);
        steps(amount, one, step)
    }

    /// The whole steps that an amount of the quote coin pays at a price.
    pub(crate) fn affordable(self, amount: Amount, price: Price, step: Qty) -> Qty {
        steps(amount, self.value(price, step), step)
    }

    /// A fine price × a signed quantity mantissa.
    pub(crate) fn fine_value(self, price: Amount, quantity: i64) -> Amount {
        portion(price, quantity, self.units)
    }

    /// An order price as money.
    pub(crate) fn fine(self, price: Price) -> Amount {
        Amount(i128::from(price.0).saturating_mul(self.price))
    }

    /// A fine price as an order price, rounded down.
    pub(crate) fn coarse(self, price: Amount) -> Price {
        Price(i64::try_from(div_rem(price.0, self.price).0).unwrap_or(i64::MAX))
    }

    /// cost ÷ quantity: the average price; zero for no quantity.
    pub(crate) fn average(self, cost: Amount, quantity: i64) -> Amount {
        let (whole, rest) = div_rem(cost.0, i128::from(quantity));
        let (rest, _) = div_rem(rest.saturating_mul(self.units), i128::from(quantity));
        Amount(whole.saturating_mul(self.units).saturating_add(rest))
    }
}

/// As many steps as fit into an amount at so much a step.
fn steps(amount: Amount, each: Amount, step: Qty) -> Qty {
    let count = amount.0.max(0).checked_div(each.0).unwrap_or(0);
    Qty(i64::try_from(count.saturating_mul(i128::from(step.0))).unwrap_or(i64::MAX))
}

/// `value` × `rate`, rounded up at the last of its 18 decimals: the fee of a spot trade, which Bybit does not round further.
pub(crate) fn exact_fee(value: Amount, rate: Rate) -> Amount {
    let whole = value.0.div_euclid(WHOLE).saturating_mul(i128::from(rate.0));
    let product = value.0.rem_euclid(WHOLE).saturating_mul(i128::from(rate.0));
    let rest = product.div_euclid(WHOLE).saturating_add(i128::from(product.rem_euclid(WHOLE) != 0));
    Amount(whole.saturating_add(rest))
}

/// `value` × `rate`, rounded up to the grain of fees: against the account, for a fee and for a rebate.
pub(crate) fn fee(value: Amount, rate: Rate) -> Amount {
    let exact = value.0.saturating_mul(i128::from(rate.0));
    let grain = WHOLE.saturating_mul(FEE_GRAIN);
    let floor = exact.div_euclid(grain);
    let up = if exact.rem_euclid(grain) == 0 { floor } else { floor.saturating_add(1) };
    Amount(up.saturating_mul(FEE_GRAIN))
}

/// `value` × `rate`, rounded down.
pub(crate) fn share(value: Amount, rate: Rate) -> Amount {
    Amount(value.0.saturating_mul(i128::from(rate.0)).div_euclid(WHOLE))
}

/// `amount` × `part` ÷ `whole`, towards zero; exactly `amount` for part = whole. Divides first, so that nothing overflows.
pub(crate) fn portion(amount: Amount, part: i64, whole: i128) -> Amount {
    let part = i128::from(part);
    let (each, rest) = div_rem(amount.0, whole);
    let (rest, _) = div_rem(rest.saturating_mul(part), whole);
    Amount(each.saturating_mul(part).saturating_add(rest))
}

/// Quotient towards zero and remainder; zeros for a divisor of zero.
fn div_rem(value: i128, by: i128) -> (i128, i128) {
    (value.checked_div(by).unwrap_or(0), value.checked_rem(by).unwrap_or(0))
}

/// The margin a value holds: `value` ÷ leverage, the leverage in hundredths, rounded up.
#[must_use]
pub fn initial_margin(value: Amount, leverage: u32) -> Amount {
    let leverage = i128::from(leverage.max(100));
    let hundredfold = value.0.saturating_mul(100);
    Amount(hundredfold.saturating_add(leverage.saturating_sub(1)).div_euclid(leverage))
}

/// Whole coins as money.
#[must_use]
pub const fn coins(whole: i64) -> Amount {
    // i64::MAX × 1e18 is below i128::MAX.
    Amount((whole as i128).saturating_mul(COIN))
}

/// Adds, saturating.
pub(crate) fn plus(left: Amount, right: Amount) -> Amount {
    Amount(left.0.saturating_add(right.0))
}

/// Subtracts, saturating.
pub(crate) fn minus(left: Amount, right: Amount) -> Amount {
    Amount(left.0.saturating_sub(right.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_exact_and_fees_round_up() {
        let scale = Scale::new(1, 3).unwrap();
        // 60,000.5 × 0.003 = 180.0015
        let value = scale.value(Price(600_005), Qty(3));
        assert_eq!(value, Amount(180_001_500_000_000_000_000));
        // × 0.055 % = 0.0990008250 → 0.09900083
        assert_eq!(fee(value, Rate(550_000_000)), Amount(99_000_830_000_000_000));
        assert_eq!(fee(value, Rate(-550_000_000)), Amount(-99_000_820_000_000_000));
        assert_eq!(scale.average(value, 3), scale.fine(Price(600_005)));
        assert_eq!(scale.fine_value(scale.fine(Price(600_005)), -3), Amount(-value.0));
    }

    #[test]
    fn too_fine_an_instrument_has_no_scale() {
        assert_eq!(Scale::new(10, 9), None);
    }

    #[test]
    fn a_portion_of_all_is_all() {
        assert_eq!(portion(Amount(-1_000_001), 7, 7), Amount(-1_000_001));
        assert_eq!(portion(Amount(10), 1, 3), Amount(3));
    }
}
