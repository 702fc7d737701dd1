//! Queries about what moved the account: closed profits and transactions.

use portcullis_core::Timestamp;
use portcullis_wire as wire;
use portcullis_wire::query;
use serde_json::Value;

use super::account_queries::{Selection, window};
use super::market_queries::value;
use super::page::page;
use super::refusal::Refusal;
use crate::exchange::Exchange;

/// What orders closed of positions, the last closed from first.
pub(super) fn closed_pnl(
    exchange: &Exchange,
    query: &query::ClosedPnl,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let selection = Selection::new(query.category.as_ref(), query.symbol.as_ref(), None, None)?;
    let (from, to) = window(query.start_time, query.end_time, now)?;
    let rows = exchange.history.closed_pnl().rev().filter(|(_, row)| {
        selection.takes(exchange, row.instrument) && (from..=to).contains(&row.updated.millis())
    });
    let (rows, next) = page(rows, query.cursor.as_deref(), query.limit, (50, 100))?;
    let list = rows.into_iter().filter_map(|row| exchange.closed_pnl_row(row)).collect();
    value(&wire::Page { category: query.category.clone().unwrap_or_default(), list, next_page_cursor: next })
}

/// The changes of balances, newest first. A spot trade makes two.
pub(super) fn transactions(
    exchange: &Exchange,
    query: &query::Transactions,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if given(&query.account_type).is_some_and(|kind| kind != "UNIFIED") {
        return Err(Refusal::parameter("accountType only support UNIFIED."));
    }
    let (from, to) = window(query.start_time, query.end_time, now)?;
    let (currency, kind, base) = (given(&query.currency), given(&query.r#type), given(&query.base_coin));
    let wanted = |row: &wire::Transaction| {
        query.category.as_ref().is_none_or(|category| *category == row.category)
            && currency.as_ref().is_none_or(|coin| *coin == row.currency)
            && kind.as_ref().is_none_or(|kind| *kind == row.kind)
            && base.as_ref().is_none_or(|coin| row.symbol.strip_suffix("USDT") == Some(coin))
    };
    let executions = exchange.history.executions().rev();
    let rows = executions.filter(|row| (from..=to).contains(&row.time.millis())).flat_map(|row| {
        let numbered = (0_u64..).zip(exchange.transaction_rows(row));
        let numbered =
            numbered.map(|(place, entry)| (row.number.saturating_mul(2).saturating_add(place), entry));
        numbered.collect::<Vec<_>>().into_iter().rev()
    });
    let rows = rows.filter(|(_, row)| wanted(row));
    let (list, next) = page(rows, query.cursor.as_deref(), query.limit, (20, 50))?;
    value(&wire::Page { category: query.category.clone().unwrap_or_default(), list, next_page_cursor: next })
}
