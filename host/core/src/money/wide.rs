//! Multiplication and division whose intermediate needs 256 bits.

use super::Rounding;

/// `left × right ÷ divisor`, exact before the rounding; `None` when the result does not fit or `divisor` is 0.
///
/// An amount near 1e25 units times a quantity near 1e17 is 1e42, above what an i128 holds, though the quotient fits.
pub(super) fn mul_div(left: i128, right: i128, divisor: u64, rounding: Rounding) -> Option<i128> {
    let negative = (left < 0) != (right < 0);
    let (low, high) = left.unsigned_abs().carrying_mul(right.unsigned_abs(), 0);
    let wide_divisor = u128::from(divisor);
    if high >= wide_divisor {
        // The quotient has more than 128 bits, or there is nothing to divide by.
        return None;
    }
    // Schoolbook division by one 64-bit digit. Each partial remainder is below the divisor, so each digit fits.
    let upper = high << 64 | low >> 64;
    let (digit_1, remainder) = (upper.checked_div(wide_divisor)?, upper.checked_rem(wide_divisor)?);
    let lower = remainder << 64 | low & u128::from(u64::MAX);
    let (digit_0, remainder) = (lower.checked_div(wide_divisor)?, lower.checked_rem(wide_divisor)?);
    let quotient = digit_1 << 64 | digit_0;
    let magnitude = rounding.finish(quotient, u64::try_from(remainder).ok()?, divisor)?;
    signed(negative, magnitude)
}

/// A magnitude with its sign; `None` when an i128 does not hold it.
pub(super) fn signed(negative: bool, magnitude: u128) -> Option<i128> {
    if negative { 0_i128.checked_sub_unsigned(magnitude) } else { 0_i128.checked_add_unsigned(magnitude) }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::arithmetic_side_effects,
        reason = "the model computes inside ranges that cannot overflow"
    )]

    use proptest::prelude::*;

    use super::*;

    /// Rounds a small product the obvious way.
    fn model(product: i128, divisor: i128, rounding: Rounding) -> i128 {
        let (quotient, remainder) = (product.abs() / divisor, product.abs() % divisor);
        let away = match rounding {
            Rounding::Up => remainder != 0,
            Rounding::Down => false,
            Rounding::HalfEven => 2 * remainder > divisor || (2 * remainder == divisor && quotient % 2 == 1),
        };
        product.signum() * (quotient + i128::from(away))
    }

    fn roundings() -> impl Strategy<Value = Rounding> {
        prop_oneof![Just(Rounding::Up), Just(Rounding::Down), Just(Rounding::HalfEven)]
    }

    proptest! {
        #[test]
        fn small_products_agree_with_plain_arithmetic(
            left in any::<i64>(),
            right in any::<i64>(),
            divisor in prop_oneof![1..=16_u64, 1..=u64::MAX],
            rounding in roundings(),
        ) {
            let (left, right) = (i128::from(left), i128::from(right));
            let expected = model(left * right, i128::from(divisor), rounding);
            prop_assert_eq!(mul_div(left, right, divisor, rounding), Some(expected));
        }

        #[test]
        fn dividing_what_was_multiplied_gives_it_back(
            value in any::<i128>(),
            factor in 1..=u64::MAX,
            rounding in roundings(),
        ) {
            prop_assert_eq!(mul_div(value, i128::from(factor), factor, rounding), Some(value));
        }

        #[test]
        fn wide_products_split_into_whole_and_rest(
            whole in any::<i64>(),
            divisor in 1..=u64::MAX,
            rest in any::<u64>(),
            factor in any::<u64>(),
        ) {
            // left = whole × divisor + rest, so left × factor ÷ divisor = whole × factor + rest × factor ÷ divisor.
            let rest = rest % divisor;
            let left = u128::from(whole.unsigned_abs()) * u128::from(divisor) + u128::from(rest);
            let part = u128::from(rest) * u128::from(factor) / u128::from(divisor);
            let expected = u128::from(whole.unsigned_abs()) * u128::from(factor) + part;
            if let (Ok(left), Ok(expected)) = (i128::try_from(left), i128::try_from(expected)) {
                let factor = i128::from(factor);
                prop_assert_eq!(mul_div(left, factor, divisor, Rounding::Down), Some(expected));
                prop_assert_eq!(mul_div(-left, factor, divisor, Rounding::Down), Some(-expected));
            }
        }
    }

    #[test]
    fn the_edges_of_the_range_are_kept_and_not_crossed() {
        assert_eq!(mul_div(i128::MIN, 1, 1, Rounding::Up), Some(i128::MIN));
        assert_eq!(mul_div(i128::MIN, -1, 1, Rounding::Up), None);
        assert_eq!(mul_div(i128::MAX, 2, 2, Rounding::Up), Some(i128::MAX));
        assert_eq!(mul_div(i128::MAX, 3, 2, Rounding::Down), None);
        assert_eq!(mul_div(i128::MIN, i128::MIN, u64::MAX, Rounding::Down), None);
        assert_eq!(mul_div(1, 1, 0, Rounding::Down), None);
    }
}
