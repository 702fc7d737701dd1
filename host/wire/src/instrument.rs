//! The trading rules of an instrument, linear and spot in one shape: each has members the other lacks.

use serde::{Deserialize, Serialize};

use crate::{ContractType, InstrumentStatus};

/// One row of `GET /v5/market/instruments-info`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Instrument {
    /// Its name.
    pub symbol: String,
    /// Its number.
    pub symbol_id: i64,
    /// Linear: what kind of contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract_type: Option<ContractType>,
    /// Whether it trades.
    pub status: InstrumentStatus,
    /// What is traded.
    pub base_coin: String,
    /// What prices are in.
    pub quote_coin: String,
    /// Linear: what it settles in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_coin: Option<String>,
    /// A label.
    pub symbol_type: String,
    /// Linear: since when, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_time: Option<String>,
    /// Linear: until when, ms; `0` for perpetuals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_time: Option<String>,
    /// Linear: fee of the delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_fee_rate: Option<String>,
    /// Linear: decimals of prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_scale: Option<String>,
    /// Linear: leverage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leverage_filter: Option<LeverageFilter>,
    /// Prices.
    pub price_filter: PriceFilter,
    /// Quantities.
    pub lot_size_filter: LotSizeFilter,
    /// Linear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unified_margin_trade: Option<bool>,
    /// Linear: minutes between fundings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funding_interval: Option<i64>,
    /// Linear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_trading: Option<String>,
    /// Linear: largest funding rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper_funding_rate: Option<String>,
    /// Linear: smallest funding rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower_funding_rate: Option<String>,
    /// Linear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_pre_listing: Option<bool>,
    /// Linear: null outside pre-listing. The member stays, because strict clients read it.
    pub pre_listing_info: Option<serde_json::Value>,
    /// Linear: another name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Linear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forbid_upl_withdrawal: Option<bool>,
    /// Spot: zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub innovation: Option<String>,
    /// Spot: margin trading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin_trading: Option<String>,
    /// Spot: special treatment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub st_tag: Option<String>,
    /// Price bands.
    pub risk_parameters: RiskParameters,
}

/// Leverage rules.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LeverageFilter {
    /// Smallest.
    pub min_leverage: String,
    /// Largest.
    pub max_leverage: String,
    /// Step.
    pub leverage_step: String,
}

/// Price rules.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PriceFilter {
    /// Linear: smallest price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_price: Option<String>,
    /// Linear: largest price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_price: Option<String>,
    /// Step of prices.
    pub tick_size: String,
}

/// Quantity rules.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LotSizeFilter {
    /// Smallest quantity of an order.
    pub min_order_qty: String,
    /// Largest quantity of a limit order (linear); deprecated for spot.
    pub max_order_qty: String,
    /// Linear: step of quantities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qty_step: Option<String>,
    /// Linear: largest quantity of a market order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_mkt_order_qty: Option<String>,
    /// Linear: smallest price × quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_notional_value: Option<String>,
    /// Linear, deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_only_max_order_qty: Option<String>,
    /// Spot: step of quantities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_precision: Option<String>,
    /// Spot: step of quote-coin quantities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote_precision: Option<String>,
    /// Spot: smallest price × quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_order_amt: Option<String>,
    /// Spot, deprecated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_order_amt: Option<String>,
    /// Spot: largest quantity of a limit order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_limit_order_qty: Option<String>,
    /// Spot: largest quantity of a market order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_market_order_qty: Option<String>,
    /// Spot: largest quantity of a post-only order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_only_max_limit_order_size: Option<String>,
}

/// Price bands, as ratios.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RiskParameters {
    /// Inner band.
    pub price_limit_ratio_x: String,
    /// Outer band.
    pub price_limit_ratio_y: String,
}
