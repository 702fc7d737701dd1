//! The row of `GET /v5/account/transaction-log`.

use serde::{Deserialize, Serialize};

use crate::{Category, Side};

/// One change of one coin's balance. Numbers and times are decimal text; either may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Transaction {
    /// Its name.
    pub id: String,
    /// Instrument.
    pub symbol: String,
    /// Market.
    pub category: Category,
    /// Side of the order, or of the position for funding.
    pub side: Side,
    /// When, ms.
    pub transaction_time: String,
    /// `TRADE`, `SETTLEMENT` for funding, `LIQUIDATION`, `TRANSFER_IN`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Finer kind.
    pub trans_sub_type: String,
    /// Quantity.
    pub qty: String,
    /// Position afterwards, with its sign.
    pub size: String,
    /// Which coin.
    pub currency: String,
    /// Price.
    pub trade_price: String,
    /// Funding received; negative when paid.
    pub funding: String,
    /// Fee paid; negative for a rebate.
    pub fee: String,
    /// Profit realised, or what a spot trade moved.
    pub cash_flow: String,
    /// Change of the balance: cash flow + funding − fee.
    pub change: String,
    /// Balance afterwards.
    pub cash_balance: String,
    /// Fee or funding rate.
    pub fee_rate: String,
    /// Change of the bonus.
    pub bonus_change: String,
    /// The execution's name.
    pub trade_id: String,
    /// The venue's name of the order.
    pub order_id: String,
    /// The client's name of the order.
    pub order_link_id: String,
    /// Taxes.
    pub extra_fees: serde_json::Value,
}
