//! Money through its public interface: exact text, exact products, named rounding.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "test code; the model stays inside its ranges"
)]

use portcullis_core::{
    Amount, DecimalError, Price, Qty, Rate, Rounding, Side, SignedQty, notional, notional_of,
};
use proptest::prelude::*;

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

#[test]
fn text_is_read_exactly() {
    assert_eq!(Price::parse("60123.45", 2), Ok(Price(6_012_345)));
    assert_eq!(Price::parse("60123.4", 2), Ok(Price(6_012_340)));
    assert_eq!(Price::parse("60123", 2), Ok(Price(6_012_300)));
    assert_eq!(Price::parse("0060123.450000", 2), Ok(Price(6_012_345)));
    assert_eq!(Price::parse("-0.01", 2), Ok(Price(-1)));
    assert_eq!(Price::parse("-0", 2), Ok(Price(0)));
    assert_eq!(Qty::parse("0.010", 3), Ok(Qty(10)));
    assert_eq!(SignedQty::parse("-0.010", 3), Ok(SignedQty(-10)));
    assert_eq!(Rate::parse("0.00055"), Ok(Rate(550_000_000)));
    assert_eq!(Rate::parse("-0.0001"), Ok(Rate(-100_000_000)));
    assert_eq!(Amount::parse("12.5"), Ok(Amount(12_500_000_000_000_000_000)));
    assert_eq!(Amount::parse("0.0000000000000000010"), Ok(Amount(1)));
}

#[test]
fn what_is_not_a_number_is_named() {
    for text in [
        "-", ".", "1.", ".5", "-.5", "+1", "1e5", "1E5", " 1", "1 ", "1,000", "1.2.3", "--1", "٣", "NaN",
        "inf",
    ] {
        assert_eq!(Amount::parse(text), Err(DecimalError::Malformed), "{text}");
    }
    assert_eq!(Amount::parse(""), Err(DecimalError::Empty));
    assert_eq!(Amount::parse(&"0".repeat(64)), Ok(Amount::ZERO));
    assert_eq!(Amount::parse(&"0".repeat(65)), Err(DecimalError::TooLong));
    assert_eq!(Price::parse("1.001", 2), Err(DecimalError::TooPrecise { decimals: 2 }));
    assert_eq!(Price::parse("1.1", 0), Err(DecimalError::TooPrecise { decimals: 0 }));
    assert_eq!(Amount::parse("0.0000000000000000001"), Err(DecimalError::TooPrecise { decimals: 18 }));
    assert_eq!(Price::parse("1", 19), Err(DecimalError::UnsupportedDecimals { decimals: 19 }));
    assert_eq!(Qty::parse("-1", 0), Err(DecimalError::Negative));
}

#[test]
fn the_ends_of_the_ranges_are_read_and_nothing_beyond() {
    assert_eq!(Price::parse("9223372036854775807", 0), Ok(Price(i64::MAX)));
    assert_eq!(Price::parse("-9223372036854775808", 0), Ok(Price(i64::MIN)));
    assert_eq!(Price::parse("9223372036854775808", 0), Err(DecimalError::OutOfRange));
    assert_eq!(Price::parse("922337203685477580.8", 2), Err(DecimalError::OutOfRange));
    assert_eq!(Amount::parse("170141183460469231731.687303715884105727"), Ok(Amount(i128::MAX)));
    assert_eq!(Amount::parse("-170141183460469231731.687303715884105728"), Ok(Amount(i128::MIN)));
    assert_eq!(Amount::parse("170141183460469231731.687303715884105728"), Err(DecimalError::OutOfRange));
    assert_eq!(Amount::parse(&"9".repeat(64)), Err(DecimalError::OutOfRange));
}

#[test]
fn text_is_written_exactly() {
    assert_eq!(Price(6_012_345).display(2).to_string(), "60123.45");
    assert_eq!(Price(6_012_300).display(2).to_string(), "60123.00");
    assert_eq!(Price(5).display(0).to_string(), "5");
    assert_eq!(Price(-5).display(3).to_string(), "-0.005");
    assert_eq!(Qty(10).display(3).to_string(), "0.010");
    assert_eq!(SignedQty(i64::MIN).display(18).to_string(), "-9.223372036854775808");
    assert_eq!(Amount::ZERO.to_string(), "0");
    assert_eq!(amount("-12.50").to_string(), "-12.5");
    assert_eq!(amount("100").to_string(), "100");
    assert_eq!(amount("-0.000000000000000001").to_string(), "-0.000000000000000001");
}

#[test]
fn a_notional_rounds_as_told_when_it_must() {
    // 0.0000000001 × 0.0000000015 = 1.5e-19, between 0 and 1 unit.
    let at = |mantissa, rounding| notional(Price(mantissa), 10, Qty(15), 10, rounding);
    assert_eq!(at(1, Rounding::Up), Some(Amount(1)));
    assert_eq!(at(1, Rounding::Down), Some(Amount(0)));
    assert_eq!(at(1, Rounding::HalfEven), Some(Amount(0)));
    assert_eq!(at(-1, Rounding::Up), Some(Amount(-1)));
    // 10 × 15 = 150: exactly 1.5 units; 30 × 15 = 450: 4.5 units. Ties go to the even neighbour.
    assert_eq!(at(10, Rounding::HalfEven), Some(Amount(2)));
    assert_eq!(at(30, Rounding::HalfEven), Some(Amount(4)));
    assert_eq!(at(-30, Rounding::HalfEven), Some(Amount(-4)));
    assert_eq!(notional(Price(1), 19, Qty(1), 0, Rounding::Up), None);
    assert_eq!(notional(Price(1), 0, Qty(1), 19, Rounding::Up), None);
}

#[test]
fn an_ordinary_order_has_the_value_one_expects() {
    let value = notional(Price(6_012_345), 2, Qty(10), 3, Rounding::Up).unwrap();
    assert_eq!(value, amount("601.2345"));
    let fee = value.checked_mul_rate(Rate::parse("0.00055").unwrap(), Rounding::Up).unwrap();
    assert_eq!(fee, amount("0.330678975"));
}

#[test]
fn large_mark_prices_and_quantities_do_not_overflow_on_the_way() {
    // 1e7 × 1e9 = 1e16; the intermediate is 1e25 × 1e17 = 1e42.
    let quantity = Qty(1_000_000_000 * 100_000_000);
    assert_eq!(notional_of(amount("10000000"), quantity, 8, Rounding::Up), Some(amount("10000000000000000")));
    let fine = notional_of(Amount(10_i128.pow(25) + 1), quantity, 8, Rounding::Up).unwrap();
    assert_eq!(fine, amount("10000000000000000.000000001"));
    assert_eq!(notional_of(Amount(i128::MAX), Qty(2), 0, Rounding::Up), None);
    assert_eq!(notional_of(amount("1"), Qty(1), 19, Rounding::Up), None);
}

#[test]
fn amounts_stop_at_their_ends() {
    let (least, most) = (Amount(i128::MIN), Amount(i128::MAX));
    assert_eq!(most.checked_add(Amount(1)), None);
    assert_eq!(least.checked_sub(Amount(1)), None);
    assert_eq!(least.checked_neg(), None);
    assert_eq!(least.checked_abs(), None);
    assert_eq!(most.saturating_add(Amount(1)), most);
    assert_eq!(least.saturating_sub(Amount(1)), least);
    assert_eq!(least.saturating_neg(), most);
    assert_eq!(least.saturating_abs(), most);
    assert!(least.is_negative() && !Amount::ZERO.is_negative());
}

#[test]
fn a_portion_of_a_cost_leaves_nothing_behind_when_all_is_closed() {
    let cost = amount("100");
    assert_eq!(cost.checked_portion(Qty(3), Qty(3), Rounding::HalfEven), Some(cost));
    assert_eq!(
        cost.checked_portion(Qty(1), Qty(3), Rounding::HalfEven),
        Some(amount("33.333333333333333333"))
    );
    assert_eq!(cost.checked_portion(Qty(1), Qty(0), Rounding::HalfEven), None);
    assert_eq!(cost.checked_portion(Qty(1), Qty(-3), Rounding::HalfEven), None);
}

#[test]
fn collars_widen_to_the_next_mantissa() {
    assert_eq!(Price(1_000_000).plus_ppm_rounded_up(500), Some(Price(1_000_500)));
    assert_eq!(Price(1_000_001).plus_ppm_rounded_up(500), Some(Price(1_000_502)));
    assert_eq!(Price(1_000_000).minus_ppm_rounded_down(500), Some(Price(999_500)));
    assert_eq!(Price(1_000_001).minus_ppm_rounded_down(500), Some(Price(999_500)));
    assert_eq!(Price(7).minus_ppm_rounded_down(1_000_000), Some(Price(0)));
    assert_eq!(Price(7).minus_ppm_rounded_down(1_000_001), None);
    assert_eq!(Price(-7).plus_ppm_rounded_up(1), None);
    assert_eq!(Price(i64::MAX).plus_ppm_rounded_up(1), None);
}

#[test]
fn a_tick_or_step_that_is_not_positive_answers_nothing() {
    for tick in [0, -1] {
        assert_eq!(Price(5).round_down_to_tick(Price(tick)), None);
        assert_eq!(Price(5).round_up_to_tick(Price(tick)), None);
        assert_eq!(Qty(5).round_down_to_step(Qty(tick)), None);
        assert!(!Price(5).is_multiple_of(Price(tick)) && !Qty(5).is_multiple_of(Qty(tick)));
    }
}

#[test]
fn positions_know_their_direction() {
    let long = SignedQty::ZERO.checked_add(Qty(5).signed(Side::Buy)).unwrap();
    let short = long.checked_add(Qty(8).signed(Side::Sell)).unwrap();
    assert!(long.is_long() && !long.is_short() && !long.is_flat());
    assert!(short.is_short() && !short.is_long());
    assert_eq!(short.abs(), Qty(3));
    assert!(SignedQty::ZERO.is_flat());
    assert_eq!(SignedQty(i64::MIN).abs(), Qty(i64::MAX));
    assert_eq!(SignedQty(i64::MAX).checked_add(SignedQty(1)), None);
}

proptest! {
    #[test]
    fn prices_survive_text(mantissa in any::<i64>(), decimals in 0..=18_u8) {
        let text = Price(mantissa).display(decimals).to_string();
        prop_assert_eq!(Price::parse(&text, decimals), Ok(Price(mantissa)));
        prop_assert_eq!(text.split_once('.').map_or(0, |(_, fraction)| fraction.len()), usize::from(decimals));
    }

    #[test]
    fn amounts_survive_text(units in any::<i128>()) {
        let text = Amount(units).to_string();
        prop_assert!(!text.contains('.') || !text.ends_with('0'));
        prop_assert_eq!(Amount::parse(&text), Ok(Amount(units)));
    }

    #[test]
    fn hostile_text_never_panics(text in ".{0,80}", decimals in any::<u8>()) {
        let _ = Price::parse(&text, decimals);
        let _ = Amount::parse(&text);
    }

    #[test]
    fn notionals_are_exact_up_to_18_decimals(
        price in -1_000_000_000_000_i64..1_000_000_000_000,
        quantity in 0..1_000_000_000_000_i64,
        decimals in (0..=9_u8, 0..=9_u8),
    ) {
        let product = i128::from(price) * i128::from(quantity);
        let exact = product.checked_mul(10_i128.pow(18 - u32::from(decimals.0) - u32::from(decimals.1)));
        for rounding in [Rounding::Up, Rounding::Down, Rounding::HalfEven] {
            let value = notional(Price(price), decimals.0, Qty(quantity), decimals.1, rounding);
            prop_assert_eq!(value, exact.map(Amount));
        }
    }

    #[test]
    fn both_notionals_agree(
        price in any::<i64>(),
        quantity in any::<i64>(),
        decimals in (0..=18_u8, 0..=18_u8),
    ) {
        let fine = Price(price).to_amount(decimals.0).unwrap();
        for rounding in [Rounding::Up, Rounding::Down, Rounding::HalfEven] {
            prop_assert_eq!(
                notional(Price(price), decimals.0, Qty(quantity), decimals.1, rounding),
                notional_of(fine, Qty(quantity), decimals.1, rounding)
            );
        }
    }

    #[test]
    fn up_is_never_smaller_and_at_most_one_unit_more(units in any::<i64>(), rate in any::<i64>()) {
        let value = Amount(i128::from(units));
        let up = value.checked_mul_rate(Rate(rate), Rounding::Up).unwrap().saturating_abs();
        let down = value.checked_mul_rate(Rate(rate), Rounding::Down).unwrap().saturating_abs();
        let near = value.checked_mul_rate(Rate(rate), Rounding::HalfEven).unwrap().saturating_abs();
        prop_assert!(up >= near && near >= down && up.0 - down.0 <= 1);
    }

    #[test]
    fn a_price_survives_the_amount(mantissa in any::<i64>(), decimals in 0..=18_u8) {
        let fine = Price(mantissa).to_amount(decimals).unwrap();
        prop_assert_eq!(fine.to_price(decimals, Rounding::Down), Some(Price(mantissa)));
    }

    #[test]
    fn ticks_enclose_the_price(mantissa in -1_000_000_000_i64..1_000_000_000, tick in 1..100_000_i64) {
        let (price, tick) = (Price(mantissa), Price(tick));
        let (below, above) = (price.round_down_to_tick(tick).unwrap(), price.round_up_to_tick(tick).unwrap());
        prop_assert!(below <= price && price <= above);
        prop_assert!(below.is_multiple_of(tick) && above.is_multiple_of(tick));
        let width = if price.is_multiple_of(tick) { Price(0) } else { tick };
        prop_assert_eq!(above.checked_sub(below), Some(width));
    }

    #[test]
    fn collars_enclose_the_price(mantissa in 0..i64::MAX / 2, ppm in 0..=1_000_000_u32) {
        let price = Price(mantissa);
        let (low, high) = (price.minus_ppm_rounded_down(ppm).unwrap(), price.plus_ppm_rounded_up(ppm).unwrap());
        let distance = i128::from(mantissa) * i128::from(ppm);
        let above = (i128::from(high.0) - i128::from(mantissa)) * 1_000_000 - distance;
        let below = (i128::from(mantissa) - i128::from(low.0)) * 1_000_000 - distance;
        prop_assert!((0..1_000_000).contains(&above) && (0..1_000_000).contains(&below));
    }
}
