//! Bounds of orders and positions: the price band and the risk limits.

use portcullis_core::{Category, InstrumentSpec, Price, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{format_amount, format_mantissa, query};
use serde_json::{Value, json};

use super::market_queries::{listed, value};
use super::refusal::Refusal;
use crate::engine::{RiskTier, risk_tiers};
use crate::exchange::{Exchange, price_text};

/// The highest price for a buy and the lowest for a sell; `None` without a band, and before there is a price.
pub(super) fn price_limit(exchange: &Exchange, spec: &InstrumentSpec) -> Option<(String, String)> {
    let (lowest, highest) = exchange.engine.price_limit(spec.id)?;
    Some((price_text(spec, highest), price_text(spec, lowest)))
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
    let list = specs.into_iter().flat_map(tiers).collect();
    value(&wire::Page {
        category: query.category.clone().unwrap_or_default(),
        list,
        next_page_cursor: String::new(),
    })
}

/// The tiers of an instrument, as rows.
fn tiers(spec: &InstrumentSpec) -> Vec<Value> {
    let rows = (1_u64..).zip(risk_tiers(spec.symbol.as_str()));
    let row = |(id, tier): (u64, &RiskTier)| {
        json!({
            "id": id, "symbol": spec.symbol.as_str(), "riskLimitValue": format_amount(tier.limit),
            "maintenanceMargin": format_mantissa(tier.maintenance.0, 12),
            "initialMargin": format_mantissa(tier.initial().0, 12),
            "isLowestRisk": i64::from(id == 1),
            "maxLeverage": Price(i64::from(tier.max_leverage)).display(2).to_string(), "mmDeduction": "",
        })
    };
    rows.map(row).collect()
}
