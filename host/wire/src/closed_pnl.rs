//! The closed-profit object of `GET /v5/position/closed-pnl`.

use serde::{Deserialize, Serialize};

use crate::{ExecType, OrderType, Side};

/// What one order closed of a position. Numbers and times are decimal text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClosedPnl {
    /// Instrument.
    pub symbol: String,
    /// The venue's name of the closing order.
    pub order_id: String,
    /// Side of the closing order.
    pub side: Side,
    /// Quantity of the closing order.
    pub qty: String,
    /// Its limit price.
    pub order_price: String,
    /// Market or limit.
    pub order_type: OrderType,
    /// What kind of execution closed.
    pub exec_type: ExecType,
    /// Quantity closed.
    pub closed_size: String,
    /// Value of what was closed, at entry.
    pub cum_entry_value: String,
    /// Average entry price.
    pub avg_entry_price: String,
    /// Value of what was closed, at exit.
    pub cum_exit_value: String,
    /// Average exit price.
    pub avg_exit_price: String,
    /// Profit, fees of opening and closing taken off.
    pub closed_pnl: String,
    /// Number of executions.
    pub fill_count: String,
    /// Leverage.
    pub leverage: String,
    /// Fees of opening.
    pub open_fee: String,
    /// Fees of closing.
    pub close_fee: String,
    /// When it was first closed from, ms.
    pub created_time: String,
    /// When it was last closed from, ms.
    pub updated_time: String,
}
