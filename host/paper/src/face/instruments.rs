//! The trading rules.

use portcullis_core::{Category, InstrumentSpec, Price, Qty};
use portcullis_wire as wire;
use portcullis_wire::{format_amount, format_mantissa, query};
use serde_json::Value;

use super::market_queries::{category, is_empty, value};
use super::page::page;
use super::refusal::Refusal;
use crate::engine::risk_tiers;
use crate::exchange::{Exchange, price_text};
use crate::listing::Listing;

/// `GET /v5/market/instruments-info`: in pages, but spot all at once.
pub(super) fn answer(exchange: &Exchange, query: &query::Instruments) -> Result<Value, Refusal> {
    let named = query.category.clone().unwrap_or_default();
    if is_empty(query.category.as_ref()) {
        let list = Vec::<Value>::new();
        return value(&wire::Page { category: named, list, next_page_cursor: String::new() });
    }
    let asked = category(query.category.as_ref())?;
    let trading = query.status.as_deref().is_none_or(|status| status == "Trading");
    let wanted = |spec: &&InstrumentSpec| {
        trading
            && spec.category == asked
            && query.symbol.as_ref().is_none_or(|symbol| symbol == spec.symbol.as_str())
            && query.base_coin.as_ref().is_none_or(|coin| coin == Listing::base_coin(spec))
    };
    if query.symbol.is_some() && !exchange.listing.specs().iter().any(|spec| wanted(&spec)) && trading {
        return Err(Refusal::parameter("params error: symbol invalid"));
    }
    let rows = exchange.listing.specs().iter().filter(wanted);
    if asked == Category::Spot {
        let list = rows.map(|spec| instrument(exchange, spec)).collect();
        return value(&wire::List { category: Some(named), list });
    }
    // Pages count down.
    let rows = rows.map(|spec| (u64::MAX.saturating_sub(1).saturating_sub(u64::from(spec.id.0)), spec));
    let (rows, next) = page(rows, query.cursor.as_deref(), query.limit, (500, 1_000))?;
    let list = rows.into_iter().map(|spec| instrument(exchange, spec)).collect();
    value(&wire::Page { category: named, list, next_page_cursor: next })
}

fn instrument(exchange: &Exchange, spec: &InstrumentSpec) -> wire::Instrument {
    let quantity = |quantity: Qty| format_mantissa(quantity.0, spec.quantity_decimals);
    let text = |text: &str| Some(text.to_owned());
    let (tick, step) = (price_text(spec, spec.tick), quantity(spec.step));
    let most = risk_tiers(spec.symbol.as_str()).first().map_or(100, |tier| tier.max_leverage);
    let common = wire::Instrument {
        symbol: spec.symbol.to_string(),
        symbol_id: i64::from(spec.id.0).saturating_add(1),
        status: if spec.trading { wire::InstrumentStatus::Trading } else { wire::InstrumentStatus::Closed },
        base_coin: Listing::base_coin(spec).to_owned(),
        quote_coin: "USDT".to_owned(),
        risk_parameters: wire::RiskParameters {
            price_limit_ratio_x: "0.05".to_owned(),
            price_limit_ratio_y: "0.05".to_owned(),
        },
        ..wire::Instrument::default()
    };
    match spec.category {
        Category::Linear => wire::Instrument {
            contract_type: Some(wire::ContractType::LinearPerpetual),
            settle_coin: text("USDT"),
            launch_time: text("1584230400000"),
            delivery_time: text("0"),
            delivery_fee_rate: text(""),
            price_scale: Some(spec.price_decimals.to_string()),
            leverage_filter: Some(wire::LeverageFilter {
                min_leverage: "1".to_owned(),
                max_leverage: Price(most.into()).display(2).to_string(),
                leverage_step: "0.01".to_owned(),
            }),
            price_filter: wire::PriceFilter {
                min_price: Some(tick.clone()),
                max_price: text("1999999.8"),
                tick_size: tick,
            },
            lot_size_filter: wire::LotSizeFilter {
                min_order_qty: quantity(spec.min_quantity),
                max_order_qty: quantity(spec.max_quantity),
                qty_step: Some(step),
                max_mkt_order_qty: Some(quantity(spec.max_market_quantity)),
                min_notional_value: Some(format_amount(spec.min_notional)),
                post_only_max_order_qty: Some(quantity(spec.max_quantity)),
                ..wire::LotSizeFilter::default()
            },
            unified_margin_trade: Some(true),
            funding_interval: i64::try_from(exchange.engine.config().funding_interval.0 / 60_000_000_000)
                .ok(),
            copy_trading: text("none"),
            upper_funding_rate: text("0.005"),
            lower_funding_rate: text("-0.005"),
            is_pre_listing: Some(false),
            display_name: text(""),
            forbid_upl_withdrawal: Some(false),
            ..common
        },
        Category::Spot => wire::Instrument {
            price_filter: wire::PriceFilter { tick_size: tick, ..wire::PriceFilter::default() },
            lot_size_filter: wire::LotSizeFilter {
                min_order_qty: quantity(spec.min_quantity),
                max_order_qty: quantity(spec.max_quantity),
                base_precision: Some(step),
                quote_precision: text("0.00000001"),
                min_order_amt: Some(format_amount(spec.min_notional)),
                max_order_amt: text("8000000"),
                max_limit_order_qty: Some(quantity(spec.max_quantity)),
                max_market_order_qty: Some(quantity(spec.max_market_quantity)),
                post_only_max_limit_order_size: Some(quantity(spec.max_quantity)),
                ..wire::LotSizeFilter::default()
            },
            innovation: text("0"),
            margin_trading: text("none"),
            st_tag: text("0"),
            ..common
        },
    }
}
