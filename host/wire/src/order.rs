//! The order object of queries, history and the private stream.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    CancelType, Category, CreateType, OrderStatus, OrderType, RejectReason, Side, StopOrderType, TimeInForce,
};

/// The two names of an order: the answer to create, amend and cancel. An acknowledgement only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OrderIds {
    /// The venue's name: a UUID for derivatives, a number for spot.
    pub order_id: String,
    /// The client's name; empty for derivatives when none was given.
    pub order_link_id: String,
}

/// An order, with every member third-party clients insist on. Numbers and times are decimal text; either may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Order {
    /// Market; in the private stream only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The venue's name for it.
    pub order_id: String,
    /// The client's name for it.
    pub order_link_id: String,
    /// The client's name of the order this one belongs to.
    pub parent_order_link_id: String,
    /// Block trades.
    pub block_trade_id: String,
    /// Instrument.
    pub symbol: String,
    /// Limit price.
    pub price: String,
    /// Total quantity.
    pub qty: String,
    /// Buy or sell.
    pub side: Side,
    /// `0` or `1` for spot, empty for derivatives.
    pub is_leverage: String,
    /// 0 in one-way mode.
    pub position_idx: i64,
    /// Status.
    pub order_status: OrderStatus,
    /// What made it.
    pub create_type: CreateType,
    /// Who cancelled it.
    pub cancel_type: CancelType,
    /// Why it was refused or closed.
    pub reject_reason: RejectReason,
    /// Average price of what executed.
    pub avg_price: String,
    /// What rests; 0 once closed, whatever executed.
    pub leaves_qty: String,
    /// Value of what rests.
    pub leaves_value: String,
    /// Executed quantity: the truth on a closed order.
    pub cum_exec_qty: String,
    /// Executed value.
    pub cum_exec_value: String,
    /// Fees so far.
    pub cum_exec_fee: String,
    /// Fees so far by coin.
    pub cum_fee_detail: BTreeMap<String, String>,
    /// Coin of the fee; in the private stream only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_currency: Option<String>,
    /// Profit realised by closing; in the private stream only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_pnl: Option<String>,
    /// How long it rests.
    pub time_in_force: TimeInForce,
    /// Market or limit.
    pub order_type: OrderType,
    /// What kind of conditional order.
    pub stop_order_type: StopOrderType,
    /// Options.
    pub order_iv: String,
    /// Spot market orders: the coin `qty` counts.
    pub market_unit: String,
    /// Trigger price.
    pub trigger_price: String,
    /// Take-profit.
    pub take_profit: String,
    /// Stop-loss.
    pub stop_loss: String,
    /// Whole position or a part.
    pub tpsl_mode: String,
    /// One-cancels-other.
    pub oco_trigger_by: String,
    /// Limit price of the take-profit.
    pub tp_limit_price: String,
    /// Limit price of the stop-loss.
    pub sl_limit_price: String,
    /// The price the take-profit watches.
    pub tp_trigger_by: String,
    /// The price the stop-loss watches.
    pub sl_trigger_by: String,
    /// 1 rising, 2 falling, 0 none.
    pub trigger_direction: i64,
    /// The price the trigger watches.
    pub trigger_by: String,
    /// Last price when it was made.
    pub last_price_on_created: String,
    /// The same for spot.
    pub base_price: String,
    /// Only reduce.
    pub reduce_only: bool,
    /// Reduce, freeing margin.
    pub close_on_trigger: bool,
    /// Options.
    pub place_type: String,
    /// Self-match prevention.
    pub smp_type: String,
    /// Its group.
    pub smp_group: i64,
    /// The other order of a self-match.
    pub smp_order_id: String,
    /// Unit of the slippage bound.
    pub slippage_tolerance_type: String,
    /// Slippage bound.
    pub slippage_tolerance: String,
    /// When it was made, ms.
    pub created_time: String,
    /// When it last changed, ms.
    pub updated_time: String,
    /// Taxes.
    pub extra_fees: serde_json::Value,
    /// Retail price improvement.
    pub rpi_taker_access: bool,
    /// Retail price improvement.
    pub rpi_matched_qty: String,
}
