//! What can be traded, and the one place where numbers are rounded.

use crate::{Amount, NumberError, Price, Qty, Rate, decimal};

/// Index of an instrument in [`Setup::instruments`](crate::Setup), stable for the life of the deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentId(pub u32);

impl InstrumentId {
    /// The id as an index, to keep one state per instrument in a `Vec`.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The trading rules of one instrument.
///
/// Every rounding names its direction. The host refuses a price off the tick or a quantity off the step; it never rounds for you.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Its index; events and orders carry it.
    pub id: InstrumentId,
    /// `category:SYMBOL`, for example `linear:BTCUSDT`.
    pub symbol: String,
    /// Decimals of every price of this instrument, 0 to 18; never changes.
    pub price_decimals: u8,
    /// Decimals of every quantity of this instrument, 0 to 18; never changes.
    pub quantity_decimals: u8,
    /// Smallest price step.
    pub tick: Price,
    /// Smallest quantity step.
    pub step: Qty,
    /// Smallest quantity of an order.
    pub min_quantity: Qty,
    /// Largest quantity of a limit order.
    pub max_quantity: Qty,
    /// Largest quantity of a market order.
    pub max_market_quantity: Qty,
    /// Smallest price × quantity of an order.
    pub min_notional: Amount,
    /// Fee rate of an order that takes liquidity.
    pub taker_fee: Rate,
    /// Fee rate of an order that rests first.
    pub maker_fee: Rate,
    /// Whether the venue trades it now.
    pub trading: bool,
}

impl Instrument {
    /// The highest price on the tick at or below `price`.
    #[must_use]
    pub fn round_down_to_tick(&self, price: Price) -> Price {
        Price::from_mantissa(floor(price.mantissa(), self.tick.mantissa()))
    }

    /// The lowest price on the tick at or above `price`.
    #[must_use]
    pub fn round_up_to_tick(&self, price: Price) -> Price {
        Price::from_mantissa(ceil(price.mantissa(), self.tick.mantissa()))
    }

    /// The largest quantity on the step at or below `quantity`. May be zero, which the host refuses.
    #[must_use]
    pub fn round_down_to_step(&self, quantity: Qty) -> Qty {
        Qty::from_mantissa(floor(quantity.mantissa(), self.step.mantissa()))
    }

    /// The smallest quantity on the step at or above `quantity`.
    #[must_use]
    pub fn round_up_to_step(&self, quantity: Qty) -> Qty {
        Qty::from_mantissa(ceil(quantity.mantissa(), self.step.mantissa()))
    }

    /// The price as a float, for indicators.
    #[must_use]
    pub fn price_to_f64(&self, price: Price) -> f64 {
        price.mantissa() as f64 / power_of_ten(self.price_decimals)
    }

    /// The quantity as a float, for indicators.
    #[must_use]
    pub fn quantity_to_f64(&self, quantity: Qty) -> f64 {
        quantity.mantissa() as f64 / power_of_ten(self.quantity_decimals)
    }

    /// The highest price on the tick at or below the float, or none if it is not finite or does not fit.
    ///
    /// Floats carry rounding errors of their own: 0.29 may come out one tick lower when computed as 0.3 − 0.01.
    #[must_use]
    pub fn price_from_f64_rounded_down(&self, price: f64) -> Option<Price> {
        let mantissa = to_i64((price * power_of_ten(self.price_decimals)).floor())?;
        Some(self.round_down_to_tick(Price::from_mantissa(mantissa)))
    }

    /// The lowest price on the tick at or above the float, or none if it is not finite or does not fit.
    #[must_use]
    pub fn price_from_f64_rounded_up(&self, price: f64) -> Option<Price> {
        let mantissa = to_i64((price * power_of_ten(self.price_decimals)).ceil())?;
        Some(self.round_up_to_tick(Price::from_mantissa(mantissa)))
    }

    /// The largest quantity on the step at or below the float, or none if it is not finite or does not fit.
    #[must_use]
    pub fn quantity_from_f64_rounded_down(&self, quantity: f64) -> Option<Qty> {
        let mantissa = to_i64((quantity * power_of_ten(self.quantity_decimals)).floor())?;
        Some(self.round_down_to_step(Qty::from_mantissa(mantissa)))
    }

    /// Reads a price such as `60123.45`, exactly.
    ///
    /// # Errors
    ///
    /// [`NumberError`] if the text is no decimal, has too many decimals or does not fit.
    pub fn parse_price(&self, text: &str) -> Result<Price, NumberError> {
        parse_i64(text, self.price_decimals).map(Price::from_mantissa)
    }

    /// Reads a quantity such as `0.01`, exactly.
    ///
    /// # Errors
    ///
    /// [`NumberError`] if the text is no decimal, has too many decimals or does not fit.
    pub fn parse_quantity(&self, text: &str) -> Result<Qty, NumberError> {
        parse_i64(text, self.quantity_decimals).map(Qty::from_mantissa)
    }

    /// Prints a price exactly, such as `60123.45`.
    #[must_use]
    pub fn format_price(&self, price: Price) -> String {
        decimal::format(i128::from(price.mantissa()), self.price_decimals)
    }

    /// Prints a quantity exactly, such as `0.01`.
    #[must_use]
    pub fn format_quantity(&self, quantity: Qty) -> String {
        decimal::format(i128::from(quantity.mantissa()), self.quantity_decimals)
    }

    /// Price × quantity in the quote coin, exact; none if it does not fit or the decimals add up to more than 18.
    #[must_use]
    pub fn notional(&self, price: Price, quantity: Qty) -> Option<Amount> {
        let decimals = self.price_decimals.checked_add(self.quantity_decimals)?;
        let scale = 10_i128.checked_pow(u32::from(Amount::DECIMALS.checked_sub(decimals)?))?;
        let product = i128::from(price.mantissa()).checked_mul(i128::from(quantity.mantissa()))?;
        product.checked_mul(scale).map(Amount::from_units)
    }
}

/// The largest multiple of `unit` at or below `value`; `value` itself if the unit is not positive or the multiple does not fit.
fn floor(value: i64, unit: i64) -> i64 {
    value.checked_rem_euclid(unit.max(1)).and_then(|rest| value.checked_sub(rest)).unwrap_or(value)
}

/// The smallest multiple of `unit` at or above `value`; `value` itself if the unit is not positive or the multiple does not fit.
fn ceil(value: i64, unit: i64) -> i64 {
    match value.checked_rem_euclid(unit.max(1)) {
        Some(0) | None => value,
        Some(rest) => unit.checked_sub(rest).and_then(|gap| value.checked_add(gap)).unwrap_or(value),
    }
}

/// 10^`decimals` for 0 to 18 decimals; every one of them is an exact float.
fn power_of_ten(decimals: u8) -> f64 {
    const POWERS: [f64; 19] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18,
    ];
    POWERS.get(usize::from(decimals)).copied().unwrap_or(f64::NAN)
}

fn to_i64(value: f64) -> Option<i64> {
    // 2^63 is a float and one above i64::MAX, so the open bound is exact; NaN is in no range.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked in the same expression")]
    (-BOUND..BOUND).contains(&value).then_some(value as i64)
}

fn parse_i64(text: &str, decimals: u8) -> Result<i64, NumberError> {
    i64::try_from(decimal::parse(text, decimals)?).map_err(|_| NumberError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn price(mantissa: i64) -> Price {
        Price::from_mantissa(mantissa)
    }

    #[test]
    fn rounding_goes_the_way_it_says_on_both_sides_of_zero() {
        let btc = Instrument { tick: price(5), ..testing::instrument("linear:BTCUSDT") };
        assert_eq!(btc.round_down_to_tick(price(14)), price(10));
        assert_eq!(btc.round_up_to_tick(price(11)), price(15));
        assert_eq!(btc.round_down_to_tick(price(-1)), price(-5));
        assert_eq!(btc.round_up_to_tick(price(-1)), price(0));
        assert_eq!(btc.round_up_to_tick(price(10)), price(10));
        assert_eq!(btc.round_up_to_tick(price(i64::MAX)), price(i64::MAX));
        let broken = Instrument { step: Qty::ZERO, ..btc };
        assert_eq!(broken.round_down_to_step(Qty::from_mantissa(7)), Qty::from_mantissa(7));
    }

    #[test]
    fn floats_convert_with_a_direction_or_not_at_all() {
        let btc = testing::instrument("linear:BTCUSDT");
        assert_eq!(btc.price_to_f64(price(600_001)), 60_000.1);
        assert_eq!(btc.price_from_f64_rounded_down(60_000.19), Some(price(600_001)));
        assert_eq!(btc.price_from_f64_rounded_up(60_000.11), Some(price(600_002)));
        for bad in [f64::NAN, f64::INFINITY, 1e300, -1e300] {
            assert_eq!(btc.price_from_f64_rounded_down(bad), None);
            assert_eq!(btc.quantity_from_f64_rounded_down(bad), None);
        }
    }

    #[test]
    fn notional_is_exact() {
        let btc = testing::instrument("linear:BTCUSDT");
        let value = btc.notional(btc.parse_price("60000.1").unwrap(), btc.parse_quantity("0.01").unwrap());
        assert_eq!(value.unwrap().to_string(), "600.001");
        assert_eq!(btc.format_price(price(600_001)), "60000.1");
        assert_eq!(btc.notional(price(i64::MAX), Qty::from_mantissa(i64::MAX)), None);
    }
}
