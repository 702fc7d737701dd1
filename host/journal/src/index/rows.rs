//! Rows that later entries refer to.

use portcullis_core::{InstrumentId, LinkId, OrderStatus, Price, Qty, Sequence};
use rusqlite::{Connection, OptionalExtension, Result};

use super::project::integer;

const STATUSES: [OrderStatus; 13] = [
    OrderStatus::Reserved,
    OrderStatus::Unknown,
    OrderStatus::Acknowledged,
    OrderStatus::Working,
    OrderStatus::PartiallyFilled,
    OrderStatus::Untriggered,
    OrderStatus::Triggered,
    OrderStatus::Filled,
    OrderStatus::Cancelled,
    OrderStatus::Rejected,
    OrderStatus::Expired,
    OrderStatus::NotSent,
    OrderStatus::Absent,
];

/// What the index keeps of an order for later entries.
#[derive(Debug)]
pub(super) struct OrderRow {
    pub(super) id: i64,
    pub(super) instrument: InstrumentId,
    pub(super) strategy: Option<i64>,
    pub(super) status: OrderStatus,
    pub(super) executed: i64,
    pub(super) quantity: i64,
}

pub(super) fn order_by_id(database: &Connection, id: i64) -> Result<Option<OrderRow>> {
    order_where(database, "order_id = ?1", id)
}

pub(super) fn order_by_sequence(database: &Connection, sequence: Sequence) -> Result<Option<OrderRow>> {
    order_where(database, "sequence = ?1", integer(sequence.0))
}

pub(super) fn order_by_link(database: &Connection, link: Option<&LinkId>) -> Result<Option<OrderRow>> {
    link.map_or(Ok(None), |link| order_where(database, "link = ?1", link.as_str()))
}

fn order_where(
    database: &Connection,
    condition: &str,
    key: impl rusqlite::ToSql,
) -> Result<Option<OrderRow>> {
    let columns = "order_id, instrument, strategy, status, executed_mantissa, quantity_mantissa";
    database
        .prepare_cached(&format!("SELECT {columns} FROM orders WHERE {condition}"))?
        .query_row([key], |row| {
            let status: String = row.get(3)?;
            Ok(OrderRow {
                id: row.get(0)?,
                instrument: InstrumentId(row.get(1)?),
                strategy: row.get(2)?,
                status: STATUSES
                    .into_iter()
                    .find(|known| known.as_str() == status)
                    .ok_or(rusqlite::Error::InvalidQuery)?,
                executed: row.get(4)?,
                quantity: row.get(5)?,
            })
        })
        .optional()
}

/// What numbers of an instrument mean.
#[derive(Debug, Default)]
pub(super) struct Terms {
    pub(super) symbol: Option<String>,
    price_decimals: u8,
    quantity_decimals: u8,
}

impl Terms {
    pub(super) fn price(&self, price: Price) -> String {
        price.display(self.price_decimals).to_string()
    }

    pub(super) fn quantity(&self, quantity: Qty) -> String {
        quantity.display(self.quantity_decimals).to_string()
    }
}

/// An instrument is journaled before anything that names it; one that was not shows bare mantissas.
pub(super) fn terms(database: &Connection, instrument: InstrumentId) -> Result<Terms> {
    let found = database
        .prepare_cached(
            "SELECT symbol, price_decimals, quantity_decimals FROM instruments WHERE instrument = ?1",
        )?
        .query_row([instrument.0], |row| {
            Ok(Terms {
                symbol: Some(row.get(0)?),
                price_decimals: row.get(1)?,
                quantity_decimals: row.get(2)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}
