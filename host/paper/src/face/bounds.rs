//! Bounds of orders and positions: the price band and the risk limits.

use portcullis_core::{Amount, Category, InstrumentSpec, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{format_amount, query};
use serde_json::{Value, json};

use super::market_queries::{listed, value};
use super::refusal::Refusal;
use crate::exchange::{Exchange, price_text};

/// How far from the mark a price may lie, in thousandths.
const BAND: i128 = 50;

/// The highest price for a buy and the lowest for a sell; `None` before there is a price.
pub(super) fn price_limit(exchange: &Exchange, spec: &InstrumentSpec) -> Option<(String, String)> {
    let view = exchange.engine.view(spec.id)?;
    let unit = 10_i128.checked_pow(18_u32.saturating_sub(u32::from(spec.price_decimals)))?;
    let mark = match spec.category {
        Category::Linear if view.mark.0 > 0 => view.mark,
        Category::Linear | Category::Spot => Amount(i128::from(view.last?.0).saturating_mul(unit)),
    };
    let off = mark.0.checked_div(1_000)?.saturating_mul(BAND);
    let on_tick = |amount: i128| {
        let price = i64::try_from(amount.checked_div(unit)?).ok()?;
        let price = price.saturating_sub(price.checked_rem(spec.tick.0)?);
        (price > 0).then(|| price_text(spec, portcullis_core::Price(price)))
    };
    Some((on_tick(mark.0.saturating_add(off))?, on_tick(mark.0.saturating_sub(off))?))
}

/// `GET /v5/market/price-limit`; the category is linear when absent.
pub(super) fn price_limits(
    exchange: &Exchange,
    query: &query::Tickers,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let named = query.category.clone().unwrap_or(wire::Category::Linear);
    let spec = listed(exchange, Some(&named), query.symbol.as_ref())?;
    let (buy, sell) =
        price_limit(exchange, spec).ok_or_else(|| Refusal::parameter("there is no price yet"))?;
    Ok(json!({
        "symbol": spec.symbol.as_str(), "buyLmt": buy, "sellLmt": sell, "ts": now.millis().to_string(),
    }))
}

/// `GET /v5/market/risk-limit`.
pub(super) fn risk_limits(exchange: &Exchange, query: &query::Tickers) -> Result<Value, Refusal> {
    let linear = exchange.listing.specs().iter().filter(|spec| spec.category == Category::Linear);
    let specs: Vec<_> = match &query.symbol {
        Some(_) => vec![listed(exchange, query.category.as_ref(), query.symbol.as_ref())?],
        None => linear.collect(),
    };
    let row = |spec: &InstrumentSpec| {
        json!({
            "id": spec.id.0.saturating_add(1), "symbol": spec.symbol.as_str(),
            "riskLimitValue": format_amount(Amount(2_000_000_000_000_000_000_000_000)),
            "maintenanceMargin": "0.005", "initialMargin": "0.01", "isLowestRisk": 1,
            "maxLeverage": "100.00", "mmDeduction": "",
        })
    };
    let list: Vec<_> = specs.into_iter().map(row).collect();
    value(&wire::Page {
        category: query.category.clone().unwrap_or_default(),
        list,
        next_page_cursor: String::new(),
    })
}
