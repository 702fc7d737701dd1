//! The venue's rules of an instrument, typed. What does not fit is refused, never rounded, but for maxima, which clamp (RULES G10).

use portcullis_core::{Amount, Category, InstrumentSpec, Price, Qty, Rate, Symbol};
use portcullis_wire as wire;
use portcullis_wire::{DecimalError, decimals_of, mantissa};

use crate::config::{Decimals, Wanted};
use crate::table::Listing;

/// Why an instrument cannot be traded here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstrumentError {
    /// The venue does not list it.
    #[error("{symbol} is not listed")]
    NotListed {
        /// Which.
        symbol: Symbol,
    },
    /// Only perpetuals in USDT and spot in USDT are traded.
    #[error("{symbol} is neither a USDT perpetual nor spot in USDT")]
    Unsupported {
        /// Which.
        symbol: Symbol,
    },
    /// A rule is missing or does not fit the decimals.
    #[error("{symbol}: {member}: {error}")]
    Rule {
        /// Which.
        symbol: Symbol,
        /// The rule.
        member: &'static str,
        /// What is wrong with it.
        error: DecimalError,
    },
    /// The tick or step is not positive.
    #[error("{symbol}: {member} is not positive")]
    NotPositive {
        /// Which.
        symbol: Symbol,
        /// The rule.
        member: &'static str,
    },
}

/// Types one row, with the account's fee rates for it.
///
/// # Errors
/// When the instrument is of a kind we do not trade, or a rule does not fit its decimals.
pub fn listing(
    wanted: &Wanted,
    row: &wire::Instrument,
    fees: &wire::FeeRate,
) -> Result<Listing, InstrumentError> {
    let symbol = &wanted.symbol;
    let linear = wanted.category == Category::Linear;
    let perpetual = row.contract_type == Some(wire::ContractType::LinearPerpetual)
        && row.settle_coin.as_deref() == Some("USDT");
    if row.quote_coin != "USDT" || (linear && !perpetual) {
        return Err(InstrumentError::Unsupported { symbol: symbol.clone() });
    }
    let rule = |member, result: Result<i64, DecimalError>| {
        result.map_err(|error| InstrumentError::Rule { symbol: symbol.clone(), member, error })
    };
    let lots = &row.lot_size_filter;
    let step_text = text(if linear { &lots.qty_step } else { &lots.base_precision });
    let tick_text = row.price_filter.tick_size.as_str();
    let decimals = match wanted.decimals {
        Some(frozen) => frozen,
        None => Decimals {
            price: rule("tickSize", decimals_of(tick_text).map(i64::from)).map(narrow)?,
            quantity: rule("qtyStep", decimals_of(step_text).map(i64::from)).map(narrow)?,
        },
    };
    let quantity = |member, text: &str| rule(member, mantissa(text, decimals.quantity)).map(Qty);
    let largest = |member, text: &str| match mantissa(text, decimals.quantity) {
        Err(DecimalError::Overflow) => Ok(Qty(i64::MAX)),
        other => rule(member, other).map(Qty),
    };
    let notional_text = text(if linear { &lots.min_notional_value } else { &lots.min_order_amt });
    let min_notional = wire::amount(notional_text).map_err(|error| InstrumentError::Rule {
        symbol: symbol.clone(),
        member: "minNotional",
        error,
    })?;
    let rate = |member, text: &str| {
        wire::rate(text).map_err(|error| InstrumentError::Rule { symbol: symbol.clone(), member, error })
    };
    let spec = InstrumentSpec {
        id: wanted.id,
        category: wanted.category,
        symbol: symbol.clone(),
        price_decimals: decimals.price,
        quantity_decimals: decimals.quantity,
        tick: Price(rule("tickSize", mantissa(tick_text, decimals.price))?),
        step: quantity("qtyStep", step_text)?,
        min_quantity: quantity("minOrderQty", &lots.min_order_qty)?,
        max_quantity: largest(
            "maxOrderQty",
            if linear { &lots.max_order_qty } else { text(&lots.max_limit_order_qty) },
        )?,
        max_market_quantity: largest(
            "maxMarketOrderQty",
            text(if linear { &lots.max_mkt_order_qty } else { &lots.max_market_order_qty }),
        )?,
        min_notional: Amount(min_notional.0),
        taker_fee: rate("takerFeeRate", &fees.taker_fee_rate)?,
        maker_fee: rate("makerFeeRate", &fees.maker_fee_rate)?,
        trading: row.status == wire::InstrumentStatus::Trading,
        // Every environment of Bybit's answers for contracts and spot, and so does the paper exchange.
        has_price_limits: true,
    };
    for (member, value) in [("tickSize", spec.tick.0), ("qtyStep", spec.step.0)] {
        if value <= 0 {
            return Err(InstrumentError::NotPositive { symbol: symbol.clone(), member });
        }
    }
    // A rule below zero would let anything through that is held against it.
    let sound = [
        ("minOrderQty", spec.min_quantity.0 >= 0),
        ("maxOrderQty", spec.max_quantity >= spec.min_quantity),
        ("maxMarketOrderQty", spec.max_market_quantity.0 >= 0),
        ("minNotional", !spec.min_notional.is_negative()),
        ("takerFeeRate", is_fee(spec.taker_fee)),
        ("makerFeeRate", is_fee(spec.maker_fee)),
    ];
    if let Some((member, _)) = sound.into_iter().find(|(_, sound)| !sound) {
        return Err(InstrumentError::Rule { symbol: symbol.clone(), member, error: DecimalError::Overflow });
    }
    Ok(Listing { spec, base_coin: row.base_coin.clone(), quote_coin: row.quote_coin.clone() })
}

fn text(member: &Option<String>) -> &str {
    member.as_deref().unwrap_or_default()
}

/// A fee or rebate is less than what is traded.
fn is_fee(rate: Rate) -> bool {
    rate.0.unsigned_abs() < 1_000_000_000_000
}

/// Decimals are at most 18.
fn narrow(decimals: i64) -> u8 {
    u8::try_from(decimals).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use portcullis_core::InstrumentId;

    use super::*;

    fn wanted(category: Category, decimals: Option<Decimals>) -> Wanted {
        let symbol = "BTCUSDT".parse().unwrap();
        Wanted { id: InstrumentId(4), category, symbol, decimals, book_depth: 0, bars_s: Vec::new() }
    }

    fn linear_row() -> wire::Instrument {
        serde_json::from_str(
            r#"{"symbol":"BTCUSDT","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT",
                "settleCoin":"USDT","priceFilter":{"minPrice":"0.10","maxPrice":"1999999.80","tickSize":"0.10"},
                "lotSizeFilter":{"maxOrderQty":"1190.000","minOrderQty":"0.001","qtyStep":"0.001","maxMktOrderQty":"120.000",
                "minNotionalValue":"5"}}"#,
        )
        .unwrap()
    }

    fn fees() -> wire::FeeRate {
        let (taker_fee_rate, maker_fee_rate) = ("0.00055".to_owned(), "-0.0001".to_owned());
        wire::FeeRate { symbol: "BTCUSDT".to_owned(), taker_fee_rate, maker_fee_rate }
    }

    #[test]
    fn a_perpetual_takes_its_decimals_from_tick_and_step() {
        let spec = listing(&wanted(Category::Linear, None), &linear_row(), &fees()).unwrap().spec;
        assert_eq!((spec.price_decimals, spec.quantity_decimals), (1, 3));
        assert_eq!((spec.tick, spec.step), (Price(1), Qty(1)));
        assert_eq!((spec.max_quantity, spec.max_market_quantity), (Qty(1_190_000), Qty(120_000)));
        assert_eq!((spec.taker_fee, spec.maker_fee), (Rate(550_000_000), Rate(-100_000_000)));
        assert!(spec.trading);
    }

    #[test]
    fn frozen_decimals_stay_and_a_finer_tick_is_refused() {
        let frozen = Some(Decimals { price: 2, quantity: 3 });
        let spec = listing(&wanted(Category::Linear, frozen), &linear_row(), &fees()).unwrap().spec;
        assert_eq!((spec.price_decimals, spec.tick), (2, Price(10)));
        let coarse = Some(Decimals { price: 0, quantity: 3 });
        let error = listing(&wanted(Category::Linear, coarse), &linear_row(), &fees()).unwrap_err();
        assert!(matches!(
            error,
            InstrumentError::Rule { member: "tickSize", error: DecimalError::TooFine, .. }
        ));
    }

    #[test]
    fn maxima_beyond_the_range_clamp() {
        let mut row = linear_row();
        row.lot_size_filter.max_order_qty = "99999999999999999999".to_owned();
        let spec = listing(&wanted(Category::Linear, None), &row, &fees()).unwrap().spec;
        assert_eq!(spec.max_quantity, Qty(i64::MAX));
    }

    #[test]
    fn spot_has_other_members() {
        let row = serde_json::from_str(
            r#"{"symbol":"BTCUSDT","baseCoin":"BTC","quoteCoin":"USDT","status":"Trading","lotSizeFilter":{
                "basePrecision":"0.000001","quotePrecision":"0.00000001","minOrderQty":"0.000001","maxOrderQty":"17000",
                "minOrderAmt":"5","maxLimitOrderQty":"17000","maxMarketOrderQty":"8500"},"priceFilter":{"tickSize":"0.01"}}"#,
        )
        .unwrap();
        let spec = listing(&wanted(Category::Spot, None), &row, &fees()).unwrap().spec;
        assert_eq!((spec.price_decimals, spec.quantity_decimals), (2, 6));
        assert_eq!(spec.max_market_quantity, Qty(8_500_000_000));
    }

    #[test]
    fn other_contracts_are_refused() {
        let mut row = linear_row();
        row.settle_coin = Some("USDC".to_owned());
        assert!(matches!(
            listing(&wanted(Category::Linear, None), &row, &fees()),
            Err(InstrumentError::Unsupported { .. })
        ));
        let mut row = linear_row();
        row.lot_size_filter.qty_step = None;
        assert!(matches!(
            listing(&wanted(Category::Linear, None), &row, &fees()),
            Err(InstrumentError::Rule { .. })
        ));
    }
}
