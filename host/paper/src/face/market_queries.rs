//! Public queries about the market.

use axum::http::Uri;
use portcullis_core::{Category, InstrumentSpec, Level, Qty, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{format_amount, format_mantissa, path, query};
use serde_json::Value;

use super::page::parameters;
use super::refusal::Refusal;
use super::request::Answer;
use super::{bounds, instruments};
use crate::engine::{UNBOUNDED, View};
use crate::exchange::{Day, Exchange, INTERVALS, price_text, side};

/// Answers a public query; `None` when the path is none.
pub(super) fn answer(exchange: &Exchange, uri: &Uri, now: Timestamp) -> Option<Result<Answer, Refusal>> {
    let result = match uri.path() {
        path::TIME => value(&wire::ServerTime {
            time_second: (now.millis() / 1_000).to_string(),
            time_nano: now.0.to_string(),
        }),
        path::INSTRUMENTS => parameters(uri).and_then(|query| instruments::answer(exchange, &query)),
        path::TICKERS => parameters(uri).and_then(|query| tickers(exchange, &query)),
        path::ORDERBOOK => parameters(uri).and_then(|query| orderbook(exchange, &query, now)),
        path::RECENT_TRADES => parameters(uri).and_then(|query| trades(exchange, &query)),
        path::KLINE => parameters(uri).and_then(|query| klines(exchange, &query)),
        path::FUNDING_HISTORY => parameters(uri).and_then(|query| fundings(exchange, &query, now)),
        path::PRICE_LIMIT => parameters(uri).and_then(|query| bounds::price_limits(exchange, &query, now)),
        path::RISK_LIMIT => parameters(uri).and_then(|query| bounds::risk_limits(exchange, &query)),
        _ => return None,
    };
    let message = if uri.path() == path::PRICE_LIMIT { "" } else { "OK" };
    Some(result.map(|result| Answer { message, ..Answer::of(result) }))
}

pub(super) fn value(row: &impl serde::Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(row).map_err(|error| Refusal::new(10_016, error.to_string()))
}

/// The category of a query; one that is not served has no instruments.
pub(super) fn category(category: Option<&wire::Category>) -> Result<Category, Refusal> {
    match category {
        Some(wire::Category::Linear) => Ok(Category::Linear),
        Some(wire::Category::Spot) => Ok(Category::Spot),
        Some(_) => Err(Refusal::parameter("Illegal category")),
        None => Err(Refusal::parameter("params error: category is required")),
    }
}

pub(super) fn listed<'a>(
    exchange: &'a Exchange,
    named: Option<&wire::Category>,
    symbol: Option<&String>,
) -> Result<&'a InstrumentSpec, Refusal> {
    let category = category(named)?;
    let symbol = symbol.ok_or_else(|| Refusal::parameter("params error: symbol is required"))?;
    exchange.listing.find(category, symbol).ok_or_else(|| Refusal::parameter("params error: symbol invalid"))
}

/// Whether a query is of a category in which the paper exchange has no instruments.
pub(super) const fn is_empty(named: Option<&wire::Category>) -> bool {
    matches!(named, Some(wire::Category::Inverse | wire::Category::Option))
}

fn tickers(exchange: &Exchange, query: &query::Tickers) -> Result<Value, Refusal> {
    if is_empty(query.category.as_ref()) {
        return value(&wire::List::<Value> { category: query.category.clone(), list: Vec::new() });
    }
    let asked = category(query.category.as_ref())?;
    let specs: Vec<_> = match &query.symbol {
        Some(_) => vec![listed(exchange, query.category.as_ref(), query.symbol.as_ref())?],
        None => exchange.listing.specs().iter().filter(|spec| spec.category == asked).collect(),
    };
    let list = specs.into_iter().filter_map(|spec| ticker(exchange, spec)).collect();
    value(&wire::List { category: query.category.clone(), list })
}

/// The figures of one instrument, as tickers show them.
pub(super) fn ticker(exchange: &Exchange, spec: &InstrumentSpec) -> Option<wire::TickerRow> {
    let view = exchange.engine.view(spec.id)?;
    let day = exchange.tape(spec.id)?.day().unwrap_or_default();
    let price = |price| price_text(spec, price);
    let last = view.last.unwrap_or_default();
    let (bid, ask) = (view.bids.first(), view.asks.first());
    let level = |level: Option<&Level>| match level {
        Some(level) => (price(level.price), size_text(spec, level.quantity)),
        None => (String::new(), String::new()),
    };
    let ((bid1_price, bid1_size), (ask1_price, ask1_size)) = (level(bid), level(ask));
    let linear = spec.category == Category::Linear;
    let only_linear = |text: String| linear.then_some(text);
    let index = if view.index.0 > 0 { view.index } else { view.mark };
    Some(wire::TickerRow {
        symbol: spec.symbol.to_string(),
        last_price: price(last),
        index_price: only_linear(format_amount(index)),
        mark_price: only_linear(format_amount(view.mark)),
        prev_price24h: price(day.first),
        price24h_pcnt: change(day, last.0),
        high_price24h: price(day.high),
        low_price24h: price(day.low),
        prev_price1h: only_linear(price(day.hour_ago)),
        open_interest: only_linear("0".to_owned()),
        open_interest_value: only_linear("0".to_owned()),
        turnover24h: format_amount(day.turnover),
        volume24h: format_mantissa(day.volume.0, spec.quantity_decimals),
        funding_rate: only_linear(format_mantissa(view.funding_rate.0, 12)),
        next_funding_time: only_linear(view.funding_next.map_or(0, Timestamp::millis).to_string()),
        predicted_delivery_price: only_linear(String::new()),
        basis_rate: only_linear(String::new()),
        basis: only_linear(String::new()),
        delivery_fee_rate: only_linear(String::new()),
        delivery_time: only_linear("0".to_owned()),
        bid1_price,
        bid1_size,
        ask1_price,
        ask1_size,
        pre_open_price: only_linear(String::new()),
        pre_qty: only_linear(String::new()),
        cur_pre_listing_phase: only_linear(String::new()),
        funding_interval_hour: only_linear(
            (exchange.engine.config().funding_interval.0 / 3_600_000_000_000).to_string(),
        ),
        funding_cap: only_linear("0.005".to_owned()),
        usd_index_price: (!linear).then(|| price(last)),
    })
}

/// The day's change as a ratio with six decimals.
fn change(day: Day, last: i64) -> String {
    let moved = i128::from(last).saturating_sub(i128::from(day.first.0)).saturating_mul(1_000_000);
    let ratio = moved.checked_div(i128::from(day.first.0)).and_then(|ratio| i64::try_from(ratio).ok());
    format_mantissa(ratio.unwrap_or(0), 6)
}

/// A level's quantity; one that never runs out is shown as the largest order that fits.
pub(super) fn size_text(spec: &InstrumentSpec, quantity: Qty) -> String {
    let shown = if quantity == UNBOUNDED { spec.max_quantity } else { quantity };
    format_mantissa(shown.0, spec.quantity_decimals)
}

fn orderbook(exchange: &Exchange, query: &query::Depth, now: Timestamp) -> Result<Value, Refusal> {
    let spec = listed(exchange, query.category.as_ref(), query.symbol.as_ref())?;
    let default = if spec.category == Category::Linear { 25 } else { 1 };
    let depth = usize::from(query.limit.unwrap_or(default).clamp(1, 1_000));
    let view = exchange.engine.view(spec.id);
    let side = |of: fn(View<'_>) -> &[Level]| {
        let levels = view.map(of).unwrap_or_default();
        levels
            .iter()
            .take(depth)
            .map(|level| [price_text(spec, level.price), size_text(spec, level.quantity)])
            .collect()
    };
    value(&wire::OrderbookResult {
        s: spec.symbol.to_string(),
        b: side(|view| view.bids),
        a: side(|view| view.asks),
        ts: now.millis(),
        u: exchange.sequence,
        seq: exchange.sequence,
        cts: now.millis(),
    })
}

fn trades(exchange: &Exchange, query: &query::Depth) -> Result<Value, Refusal> {
    let spec = listed(exchange, query.category.as_ref(), query.symbol.as_ref())?;
    let (default, most) = if spec.category == Category::Linear { (500, 1_000) } else { (60, 60) };
    let count = usize::from(query.limit.unwrap_or(default).clamp(1, most));
    let tape = exchange.tape(spec.id);
    let rows = tape.into_iter().flat_map(|tape| tape.trades.iter().rev()).take(count);
    let list = rows.map(|trade| wire::RecentTrade {
        exec_id: exchange.names.trade(trade.number),
        symbol: spec.symbol.to_string(),
        price: price_text(spec, trade.price),
        size: format_mantissa(trade.quantity.0, spec.quantity_decimals),
        side: side(trade.taker),
        time: trade.time.millis().to_string(),
        is_block_trade: false,
        is_rpi_trade: false,
        seq: trade.sequence.to_string(),
    });
    value(&wire::List { category: query.category.clone(), list: list.collect() })
}

fn klines(exchange: &Exchange, query: &query::Kline) -> Result<Value, Refusal> {
    let named = query.category.clone().unwrap_or(wire::Category::Linear);
    let spec = listed(exchange, Some(&named), query.symbol.as_ref())?;
    let interval = query.interval.as_deref().unwrap_or_default();
    let place = INTERVALS.iter().position(|(name, _)| *name == interval);
    let place = place.ok_or_else(|| Refusal::parameter("Invalid interval"))?;
    let count = usize::from(query.limit.unwrap_or(200).clamp(1, 1_000));
    let (from, to) = (query.start.unwrap_or(0), query.end.unwrap_or(u64::MAX));
    let rows = exchange.tape(spec.id).into_iter().flat_map(|tape| tape.candles(place).rev());
    let rows = rows.filter(|candle| (from..=to).contains(&candle.start.millis())).take(count);
    let list: Vec<wire::KlineRow> = rows
        .map(|candle| {
            let price = |price| price_text(spec, price);
            [
                candle.start.millis().to_string(),
                price(candle.open),
                price(candle.high),
                price(candle.low),
                price(candle.close),
                format_mantissa(candle.volume.0, spec.quantity_decimals),
                format_amount(candle.turnover),
            ]
        })
        .collect();
    let mut result = value(&wire::List { category: Some(named), list })?;
    if let Some(members) = result.as_object_mut() {
        members.insert("symbol".to_owned(), spec.symbol.as_str().into());
    }
    Ok(result)
}

fn fundings(exchange: &Exchange, query: &query::Kline, now: Timestamp) -> Result<Value, Refusal> {
    let spec = listed(exchange, query.category.as_ref(), query.symbol.as_ref())?;
    if query.start_time.is_some() && query.end_time.is_none() {
        return Err(Refusal::parameter("params error: endTime is required with startTime"));
    }
    // A live market names its next funding beforehand; that one is no history yet.
    let (from, to) = (query.start_time.unwrap_or(0), query.end_time.unwrap_or(u64::MAX).min(now.millis()));
    let count = usize::from(query.limit.unwrap_or(200).clamp(1, 200));
    let rows = exchange.tape(spec.id).into_iter().flat_map(|tape| tape.fundings.iter().rev());
    let rows = rows.filter(|(_, at)| (from..=to).contains(&at.millis())).take(count);
    let list = rows.map(|(rate, at)| wire::FundingRow {
        symbol: spec.symbol.to_string(),
        funding_rate: format_mantissa(rate.0, 12),
        funding_rate_timestamp: at.millis().to_string(),
    });
    value(&wire::List { category: query.category.clone(), list: list.collect() })
}
