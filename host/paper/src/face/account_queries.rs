//! Queries about the account: orders, executions, positions, wallet, settings, key.

use axum::http::Uri;
use portcullis_core::{Category, InstrumentId, LinkId, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{path, query};
use serde_json::Value;

use super::account_history;
use super::account_state;
use super::market_queries::{category, value};
use super::page::{page, parameters};
use super::refusal::Refusal;
use crate::config::PaperKey;
use crate::engine::{Execution, Order, OrderKey};
use crate::exchange::Exchange;
use crate::listing::Listing;

/// Span of a query that names no times, and the longest it may name: 7 days.
const WEEK_MS: u64 = 7 * 24 * 3_600 * 1_000;
/// Closed orders that a query of open ones can still show.
const JUST_CLOSED: usize = 500;

/// Answers a private query; `None` when the path is none.
pub(super) fn answer(
    exchange: &Exchange,
    key: &PaperKey,
    uri: &Uri,
    now: Timestamp,
) -> Option<Result<Value, Refusal>> {
    match uri.path() {
        path::REALTIME => Some(parameters(uri).and_then(|query| realtime(exchange, &query))),
        path::HISTORY => Some(parameters(uri).and_then(|query| history(exchange, &query, now))),
        path::EXECUTIONS => Some(parameters(uri).and_then(|query| executions(exchange, &query, now))),
        path::POSITIONS => Some(parameters(uri).and_then(|query| account_state::positions(exchange, &query))),
        path::CLOSED_PNL => {
            Some(parameters(uri).and_then(|query| account_history::closed_pnl(exchange, &query, now)))
        }
        path::TRANSACTION_LOG => {
            Some(parameters(uri).and_then(|query| account_history::transactions(exchange, &query, now)))
        }
        path::WALLET => Some(parameters(uri).and_then(|query| account_state::wallet(exchange, &query))),
        path::ACCOUNT_INFO => Some(account_state::account_info()),
        path::FEE_RATE => Some(parameters(uri).and_then(|query| account_state::fee_rate(exchange, &query))),
        path::QUERY_API => Some(account_state::query_api(exchange, key)),
        _ => None,
    }
}

/// The paths of [`answer`], for the quota table.
pub(super) const PATHS: [&str; 10] = [
    path::REALTIME,
    path::HISTORY,
    path::EXECUTIONS,
    path::POSITIONS,
    path::CLOSED_PNL,
    path::WALLET,
    path::ACCOUNT_INFO,
    path::TRANSACTION_LOG,
    path::FEE_RATE,
    path::QUERY_API,
];

/// What the instrument members of a query select.
pub(super) struct Selection<'a> {
    pub(super) category: Category,
    pub(super) symbol: Option<&'a str>,
    base_coin: Option<&'a str>,
    settle_coin: Option<&'a str>,
}

impl<'a> Selection<'a> {
    pub(super) fn new(
        named: Option<&wire::Category>,
        symbol: Option<&'a String>,
        base_coin: Option<&'a String>,
        settle_coin: Option<&'a String>,
    ) -> Result<Self, Refusal> {
        let text = |text: Option<&'a String>| text.map(String::as_str).filter(|text| !text.is_empty());
        Ok(Self {
            category: category(named)?,
            symbol: text(symbol),
            base_coin: text(base_coin),
            settle_coin: text(settle_coin),
        })
    }

    /// Linear queries of what is open must say of what.
    pub(super) fn must_name(&self) -> Result<(), Refusal> {
        let named = self.symbol.is_some() || self.base_coin.is_some() || self.settle_coin.is_some();
        if named || self.category == Category::Spot {
            return Ok(());
        }
        Err(Refusal::parameter(
            "Missing some parameters that must be filled in, symbol or settleCoin or baseCoin",
        ))
    }

    pub(super) fn takes(&self, exchange: &Exchange, instrument: InstrumentId) -> bool {
        exchange.listing.get(instrument).is_some_and(|spec| {
            spec.category == self.category
                && self.symbol.is_none_or(|symbol| symbol == spec.symbol.as_str())
                && self.base_coin.is_none_or(|coin| coin == Listing::base_coin(spec))
                && self.settle_coin.is_none_or(|coin| coin == "USDT")
        })
    }
}

fn selected<'a>(query: &'a query::Orders) -> Result<Selection<'a>, Refusal> {
    Selection::new(
        query.category.as_ref(),
        query.symbol.as_ref(),
        query.base_coin.as_ref(),
        query.settle_coin.as_ref(),
    )
}

/// The one order that a query names, if it names one. The venue's name wins over the client's.
fn named(exchange: &Exchange, id: Option<&String>, link: Option<&String>) -> Option<Option<OrderKey>> {
    let given = |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned();
    if let Some(id) = given(id) {
        return Some(exchange.names.order_key(&id));
    }
    given(link).map(|link| link.parse::<LinkId>().ok().and_then(|link| exchange.key_of_link(&link)))
}

fn passes(order: &Order, filter: Option<&wire::OrderFilter>) -> bool {
    match filter {
        None | Some(wire::OrderFilter::OpenOrder) => true,
        Some(wire::OrderFilter::Order) => order.trigger.is_none() || !order.waits(),
        Some(wire::OrderFilter::StopOrder) => {
            let conditional = order.trigger.is_some() || order.trail.is_some();
            conditional && !order.reserves && (order.waits() || !order.status.is_open())
        }
        Some(wire::OrderFilter::TpslOrder) => order.reserves || order.origin.protects(),
        Some(wire::OrderFilter::Other(_)) => false,
    }
}

fn realtime(exchange: &Exchange, query: &query::Orders) -> Result<Value, Refusal> {
    let selection = selected(query)?;
    let known = |row: &&Order| row.status.is_open() || row.updated > exchange.forgotten;
    if let Some(key) = named(exchange, query.order_id.as_ref(), query.order_link_id.as_ref()) {
        let order = key.and_then(|key| exchange.find(key));
        let order = order.filter(known).filter(|row| selection.takes(exchange, row.instrument));
        return orders(exchange, query, order.into_iter());
    }
    selection.must_name()?;
    let wanted =
        |row: &&Order| selection.takes(exchange, row.instrument) && passes(row, query.order_filter.as_ref());
    if query.open_only == Some(1) {
        orders(
            exchange,
            query,
            exchange.history.orders().rev().filter(known).filter(wanted).take(JUST_CLOSED),
        )
    } else {
        orders(exchange, query, exchange.engine.orders().rev().filter(wanted))
    }
}

fn history(exchange: &Exchange, query: &query::Orders, now: Timestamp) -> Result<Value, Refusal> {
    let selection = selected(query)?;
    if let Some(key) = named(exchange, query.order_id.as_ref(), query.order_link_id.as_ref()) {
        let order = key.and_then(|key| exchange.history.order(key));
        let order = order.filter(|row| selection.takes(exchange, row.instrument));
        return orders(exchange, query, order.into_iter());
    }
    let (from, to) = window(query.start_time, query.end_time, now)?;
    let wanted = |row: &&Order| {
        selection.takes(exchange, row.instrument)
            && passes(row, query.order_filter.as_ref())
            && (from..=to).contains(&row.created.millis())
            && query.order_status.as_ref().is_none_or(|status| {
                exchange.order_row(row, false).is_some_and(|row| row.order_status == *status)
            })
    };
    orders(exchange, query, exchange.history.orders().rev().filter(wanted))
}

fn orders<'a>(
    exchange: &Exchange,
    query: &query::Orders,
    rows: impl Iterator<Item = &'a Order>,
) -> Result<Value, Refusal> {
    let rows = rows.map(|row| (row.key.0, row));
    let (rows, next) = page(rows, query.cursor.as_deref(), query.limit, (20, 50))?;
    let list = rows.into_iter().filter_map(|row| exchange.order_row(row, false)).collect();
    value(&wire::Page { category: query.category.clone().unwrap_or_default(), list, next_page_cursor: next })
}

fn executions(exchange: &Exchange, query: &query::Executions, now: Timestamp) -> Result<Value, Refusal> {
    let selection = Selection::new(
        query.category.as_ref(),
        query.symbol.as_ref(),
        query.base_coin.as_ref(),
        query.settle_coin.as_ref(),
    )?;
    let order = named(exchange, query.order_id.as_ref(), query.order_link_id.as_ref());
    let (from, to) =
        if order.is_some() { (0, u64::MAX) } else { window(query.start_time, query.end_time, now)? };
    let wanted = |row: &&Execution| {
        selection.takes(exchange, row.instrument)
            && (from..=to).contains(&row.time.millis())
            && order.is_none_or(|key| key.is_some() && row.order == key)
            && query.exec_type.as_ref().is_none_or(|kind| {
                exchange.execution_row(row, false).is_some_and(|row| row.exec_type == *kind)
            })
    };
    let rows = exchange.history.executions().rev().filter(wanted).map(|row| (row.number, row));
    let (rows, next) = page(rows, query.cursor.as_deref(), query.limit, (50, 100))?;
    let list = rows.into_iter().filter_map(|row| exchange.execution_row(row, false)).collect();
    value(&wire::Page { category: query.category.clone().unwrap_or_default(), list, next_page_cursor: next })
}

/// The span a query asks about: what it names, 7 days from or to the one time it names, or the last 7 days.
pub(super) fn window(start: Option<u64>, end: Option<u64>, now: Timestamp) -> Result<(u64, u64), Refusal> {
    let (from, to) = match (start, end) {
        (Some(start), Some(end)) => (start, end),
        (Some(start), None) => (start, start.saturating_add(WEEK_MS)),
        (None, Some(end)) => (end.saturating_sub(WEEK_MS), end),
        (None, None) => (now.millis().saturating_sub(WEEK_MS), u64::MAX),
    };
    if end.is_some() && (to < from || to.saturating_sub(from) > WEEK_MS) {
        return Err(Refusal::parameter(
            "The interval between the startTime and endTime is incorrect: at most 7 days",
        ));
    }
    Ok((from, to))
}
