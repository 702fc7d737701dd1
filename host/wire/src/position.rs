//! The position object of queries and the private stream.

use serde::{Deserialize, Serialize};

use crate::{Category, PositionStatus, Side};

/// A position. The average entry price is `avgPrice` in a query and `entryPrice` in the stream: read it with
/// [`average`](Self::average), write one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Position {
    /// Market; in the private stream only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// 0 in one-way mode.
    pub position_idx: i64,
    /// Risk tier.
    pub risk_id: i64,
    /// Its limit.
    pub risk_limit_value: String,
    /// Instrument.
    pub symbol: String,
    /// Long is `Buy`; empty when flat.
    pub side: Side,
    /// Never negative.
    pub size: String,
    /// Average entry price, in a query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avg_price: Option<String>,
    /// Average entry price, in the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_price: Option<String>,
    /// Value at entry.
    pub position_value: String,
    /// Deprecated, 0.
    pub trade_mode: i64,
    /// Whether margin is added by itself.
    pub auto_add_margin: i64,
    /// Normal, or being closed by the venue.
    pub position_status: PositionStatus,
    /// Leverage.
    pub leverage: String,
    /// Break-even price.
    pub break_even_price: String,
    /// Mark price.
    pub mark_price: String,
    /// Liquidation price; empty when none.
    pub liq_price: String,
    /// Deprecated.
    pub bust_price: String,
    /// Initial margin.
    #[serde(rename = "positionIM")]
    pub position_im: String,
    /// Initial margin by mark price.
    #[serde(rename = "positionIMByMp")]
    pub position_im_by_mp: String,
    /// Maintenance margin.
    #[serde(rename = "positionMM")]
    pub position_mm: String,
    /// Maintenance margin by mark price.
    #[serde(rename = "positionMMByMp")]
    pub position_mm_by_mp: String,
    /// Deprecated.
    pub position_balance: String,
    /// Deprecated, `Full`.
    pub tpsl_mode: String,
    /// Take-profit.
    pub take_profit: String,
    /// Stop-loss.
    pub stop_loss: String,
    /// Trailing stop.
    pub trailing_stop: String,
    /// Options.
    pub session_avg_price: String,
    /// Open profit.
    pub unrealised_pnl: String,
    /// Profit realised on this position.
    pub cur_realised_pnl: String,
    /// Profit realised since ever.
    pub cum_realised_pnl: String,
    /// 0 to 5.
    pub adl_rank_indicator: i64,
    /// When first opened, ms.
    pub created_time: String,
    /// When it last changed, ms.
    pub updated_time: String,
    /// When this position was opened, ms.
    pub open_time: i64,
    /// Cross sequence; -1 when never traded.
    pub seq: i64,
    /// Whether only reductions are allowed.
    pub is_reduce_only: bool,
    /// When the venue last changed the maintenance rate.
    pub mmr_sys_updated_time: String,
    /// When the venue last changed the leverage.
    pub leverage_sys_updated_time: String,
}

impl Position {
    /// Average entry price, wherever it came from; empty when neither member is there.
    pub fn average(&self) -> &str {
        self.avg_price.as_deref().or(self.entry_price.as_deref()).unwrap_or_default()
    }
}
