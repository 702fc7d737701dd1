//! The execution object of queries and the private stream.

use serde::{Deserialize, Serialize};

use crate::{Category, CreateType, ExecType, OrderType, Side, StopOrderType};

/// One execution; funding payments come as executions too. Numbers and times are decimal text; either may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Execution {
    /// Market; in the private stream only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Instrument.
    pub symbol: String,
    /// The venue's name of the order; of a funding payment a made-up one.
    pub order_id: String,
    /// The client's name of the order.
    pub order_link_id: String,
    /// Side of the order.
    pub side: Side,
    /// Limit price of the order.
    pub order_price: String,
    /// Quantity of the order.
    pub order_qty: String,
    /// What rests of the order.
    pub leaves_qty: String,
    /// What made the order.
    pub create_type: CreateType,
    /// Market or limit.
    pub order_type: OrderType,
    /// What kind of conditional order.
    pub stop_order_type: StopOrderType,
    /// Fee; negative for a rebate; of a funding payment the payment.
    pub exec_fee: String,
    /// Its name; each counts once.
    pub exec_id: String,
    /// Price.
    pub exec_price: String,
    /// Quantity.
    pub exec_qty: String,
    /// What kind.
    pub exec_type: ExecType,
    /// Value.
    pub exec_value: String,
    /// When, ms.
    pub exec_time: String,
    /// Coin of the fee.
    pub fee_currency: String,
    /// Whether the order rested first.
    pub is_maker: bool,
    /// Fee rate.
    pub fee_rate: String,
    /// Options.
    pub trade_iv: String,
    /// Options.
    pub mark_iv: String,
    /// Mark price then.
    pub mark_price: String,
    /// Index price then.
    pub index_price: String,
    /// Options.
    pub underlying_price: String,
    /// Block trades.
    pub block_trade_id: String,
    /// How much of the position it closed.
    pub closed_size: String,
    /// Taxes: a list, or the empty text.
    pub extra_fees: serde_json::Value,
    /// Cross sequence.
    pub seq: i64,
    /// Spot: `0` or `1`; in the private stream only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_leverage: Option<String>,
    /// Profit realised; in the private stream only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exec_pnl: Option<String>,
    /// Spot market orders: the coin the quantity counts; in the private stream only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market_unit: Option<String>,
}

/// One trade of `execution.fast`: no fees, and no name of the client's where the order rested.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FastExecution {
    /// Market.
    pub category: Category,
    /// Instrument.
    pub symbol: String,
    /// Its name; each counts once.
    pub exec_id: String,
    /// Price.
    pub exec_price: String,
    /// Quantity.
    pub exec_qty: String,
    /// The venue's name of the order.
    pub order_id: String,
    /// Whether the order rested first.
    pub is_maker: bool,
    /// The client's name of the order.
    pub order_link_id: String,
    /// Side of the order.
    pub side: Side,
    /// When, ms.
    pub exec_time: String,
    /// Cross sequence.
    pub seq: i64,
}
