//! Bodies of the requests that change something. Numbers are decimal text; absent members are not sent.

use serde::{Deserialize, Serialize};

use crate::text::{loose, loose_int, loose_opt};
use crate::{
    Category, MarketUnit, OrderFilter, OrderIds, OrderType, Side, SlippageToleranceType, SmpType,
    StopOrderType, TimeInForce, TpslMode, TriggerBy,
};

/// `POST /v5/order/create`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CreateOrder {
    /// Market.
    pub category: Category,
    /// Instrument.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// Market or limit.
    pub order_type: OrderType,
    /// Quantity; of a spot market buy in the quote coin unless `market_unit` says otherwise.
    #[serde(deserialize_with = "loose")]
    pub qty: String,
    /// Limit price; ignored on a market order.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// GTC when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_in_force: Option<TimeInForce>,
    /// 0 in one-way mode, 1 and 2 for the sides of hedge mode.
    #[serde(deserialize_with = "loose_int", skip_serializing_if = "Option::is_none")]
    pub position_idx: Option<i64>,
    /// The client's name for the order, at most 36 of `[A-Za-z0-9_-]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_link_id: Option<String>,
    /// Only reduce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reduce_only: Option<bool>,
    /// Reduce, freeing margin by cancelling others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close_on_trigger: Option<bool>,
    /// Makes the order conditional.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub trigger_price: Option<String>,
    /// 1 when the price must rise to the trigger, 2 when it must fall.
    #[serde(deserialize_with = "loose_int", skip_serializing_if = "Option::is_none")]
    pub trigger_direction: Option<i64>,
    /// The price the trigger watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_by: Option<TriggerBy>,
    /// Take-profit of the position.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub take_profit: Option<String>,
    /// Stop-loss of the position.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub stop_loss: Option<String>,
    /// The price the take-profit watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tp_trigger_by: Option<TriggerBy>,
    /// The price the stop-loss watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sl_trigger_by: Option<TriggerBy>,
    /// Whole position or a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpsl_mode: Option<TpslMode>,
    /// Self-match prevention; only the taking order's counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smp_type: Option<SmpType>,
    /// Spot: 1 borrows.
    #[serde(deserialize_with = "loose_int", skip_serializing_if = "Option::is_none")]
    pub is_leverage: Option<i64>,
    /// Spot market orders: the coin `qty` counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market_unit: Option<MarketUnit>,
    /// Spot: what kind of order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_filter: Option<OrderFilter>,
    /// Market orders: the unit of the slippage bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slippage_tolerance_type: Option<SlippageToleranceType>,
    /// Market orders: the slippage bound.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub slippage_tolerance: Option<String>,
    /// Limit orders: the side of the book whose price they take over, instead of a price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bbo_side_type: Option<String>,
    /// Type of a partial take-profit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tp_order_type: Option<OrderType>,
    /// Type of a partial stop-loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sl_order_type: Option<OrderType>,
    /// Limit price of a partial take-profit.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub tp_limit_price: Option<String>,
    /// Limit price of a partial stop-loss.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub sl_limit_price: Option<String>,
}

/// `POST /v5/order/amend`: only what changes is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AmendOrder {
    /// Market.
    pub category: Category,
    /// Instrument.
    pub symbol: String,
    /// The venue's name; wins over the client's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// The client's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_link_id: Option<String>,
    /// New total quantity, executed part included.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub qty: Option<String>,
    /// New limit price.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
    /// New trigger price.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub trigger_price: Option<String>,
    /// New take-profit; `0` removes it.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub take_profit: Option<String>,
    /// New stop-loss; `0` removes it.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub stop_loss: Option<String>,
    /// New price that the trigger watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_by: Option<TriggerBy>,
    /// Whole position or a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpsl_mode: Option<TpslMode>,
    /// The price the take-profit watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tp_trigger_by: Option<TriggerBy>,
    /// The price the stop-loss watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sl_trigger_by: Option<TriggerBy>,
    /// Limit price of a partial take-profit.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub tp_limit_price: Option<String>,
    /// Limit price of a partial stop-loss.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub sl_limit_price: Option<String>,
}

/// `POST /v5/order/cancel`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CancelOrder {
    /// Market.
    pub category: Category,
    /// Instrument.
    pub symbol: String,
    /// The venue's name; wins over the client's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// The client's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_link_id: Option<String>,
    /// Spot: what kind of order; `Order` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_filter: Option<OrderFilter>,
}

/// `POST /v5/order/cancel-all`: one of symbol, base coin and settle coin; the first given counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CancelAll {
    /// Market.
    pub category: Category,
    /// Of this instrument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Of this base coin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_coin: Option<String>,
    /// Of this settlement coin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_coin: Option<String>,
    /// Which orders; for linear everything when absent, protection included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_filter: Option<OrderFilter>,
    /// With `StopOrder`: only conditional orders of clients (`Stop`), not protection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_order_type: Option<StopOrderType>,
}

/// The answer to [`CancelAll`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CancelAllResult {
    /// What was cancelled; older answers lack it.
    pub list: Vec<OrderIds>,
    /// `1` on success.
    pub success: String,
}

/// `POST /v5/position/trading-stop`: the position's own protection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TradingStop {
    /// Market.
    pub category: Category,
    /// Instrument.
    pub symbol: String,
    /// Whole position or a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpsl_mode: Option<TpslMode>,
    /// 0 in one-way mode.
    #[serde(deserialize_with = "loose_int", skip_serializing_if = "Option::is_none")]
    pub position_idx: Option<i64>,
    /// Take-profit; `0` removes it.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub take_profit: Option<String>,
    /// Stop-loss; `0` removes it.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub stop_loss: Option<String>,
    /// Distance of a trailing stop; `0` removes it.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub trailing_stop: Option<String>,
    /// The price that starts the trailing stop.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub active_price: Option<String>,
    /// The price the take-profit watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tp_trigger_by: Option<TriggerBy>,
    /// The price the stop-loss watches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sl_trigger_by: Option<TriggerBy>,
    /// Quantity of a partial take-profit.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub tp_size: Option<String>,
    /// Quantity of a partial stop-loss; equal to the other.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub sl_size: Option<String>,
    /// Type of a partial take-profit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tp_order_type: Option<OrderType>,
    /// Type of a partial stop-loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sl_order_type: Option<OrderType>,
    /// Limit price of a partial take-profit.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub tp_limit_price: Option<String>,
    /// Limit price of a partial stop-loss.
    #[serde(deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub sl_limit_price: Option<String>,
}

/// `POST /v5/position/switch-mode`: of one instrument, or of all of a coin.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SwitchMode {
    /// Market.
    pub category: Category,
    /// Of this instrument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Of this settlement coin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coin: Option<String>,
    /// 0 one-way, 3 hedge.
    #[serde(deserialize_with = "loose_int")]
    pub mode: Option<i64>,
}

/// `POST /v5/position/set-leverage`; both sides are equal in one-way mode.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SetLeverage {
    /// Market.
    pub category: Category,
    /// Instrument.
    pub symbol: String,
    /// Leverage of the long side.
    #[serde(deserialize_with = "loose")]
    pub buy_leverage: String,
    /// Leverage of the short side.
    #[serde(deserialize_with = "loose")]
    pub sell_leverage: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_is_sent() {
        let cancel = CancelOrder {
            category: Category::Linear,
            symbol: "BTCUSDT".to_owned(),
            order_link_id: Some("p001".to_owned()),
            ..CancelOrder::default()
        };
        assert_eq!(
            serde_json::to_string(&cancel).unwrap(),
            r#"{"category":"linear","symbol":"BTCUSDT","orderLinkId":"p001"}"#
        );
    }

    #[test]
    fn a_server_takes_numbers_as_text_or_number_and_nulls() {
        let body = r#"{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":0.25,
                       "price":"60000","positionIdx":"0","triggerPrice":null,"newMember":[1]}"#;
        let order: CreateOrder = serde_json::from_str(body).unwrap();
        assert_eq!((order.qty.as_str(), order.position_idx), ("0.25", Some(0)));
        assert_eq!(order.trigger_price, None);
    }
}
