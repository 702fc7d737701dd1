//! Results of the public market queries.

use serde::{Deserialize, Serialize};

use crate::Side;

/// `GET /v5/market/time`. The envelope's `time` has the milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerTime {
    /// Seconds.
    pub time_second: String,
    /// Nanoseconds.
    pub time_nano: String,
}

/// `GET /v5/market/price-limit`: beyond these a futures order is moved to the bound, and a spot order refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PriceLimit {
    /// Instrument.
    pub symbol: String,
    /// Highest price of a buy.
    pub buy_lmt: String,
    /// Lowest price of a sale.
    pub sell_lmt: String,
    /// When it was computed, ms.
    pub ts: String,
}

/// One row of `GET /v5/market/tickers`; spot rows lack what perpetuals have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TickerRow {
    /// Instrument.
    pub symbol: String,
    /// Last price.
    pub last_price: String,
    /// Linear: index price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_price: Option<String>,
    /// Linear: mark price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark_price: Option<String>,
    /// Price a day ago.
    pub prev_price24h: String,
    /// Change over a day, as a ratio.
    pub price24h_pcnt: String,
    /// Highest of the day.
    pub high_price24h: String,
    /// Lowest of the day.
    pub low_price24h: String,
    /// Linear: price an hour ago.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev_price1h: Option<String>,
    /// Linear: open interest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_interest: Option<String>,
    /// Linear: its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_interest_value: Option<String>,
    /// Value traded in a day.
    pub turnover24h: String,
    /// Quantity traded in a day.
    pub volume24h: String,
    /// Linear: funding rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funding_rate: Option<String>,
    /// Linear: next funding, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_funding_time: Option<String>,
    /// Linear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicted_delivery_price: Option<String>,
    /// Linear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis_rate: Option<String>,
    /// Linear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// Linear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_fee_rate: Option<String>,
    /// Linear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery_time: Option<String>,
    /// Best bid.
    pub bid1_price: String,
    /// Quantity there.
    pub bid1_size: String,
    /// Best ask.
    pub ask1_price: String,
    /// Quantity there.
    pub ask1_size: String,
    /// Linear: pre-listing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_open_price: Option<String>,
    /// Linear: pre-listing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_qty: Option<String>,
    /// Linear: pre-listing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cur_pre_listing_phase: Option<String>,
    /// Linear: hours between fundings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funding_interval_hour: Option<String>,
    /// Linear: bound of the funding rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub funding_cap: Option<String>,
    /// Spot: index in USD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd_index_price: Option<String>,
}

/// `GET /v5/market/orderbook`. Its `u` belongs to the 1000-level stream: never splice by it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderbookResult {
    /// Instrument.
    pub s: String,
    /// Bids `[price, quantity]`, highest first.
    pub b: Vec<[String; 2]>,
    /// Asks, lowest first.
    pub a: Vec<[String; 2]>,
    /// Server time, ms.
    pub ts: u64,
    /// Update number.
    pub u: u64,
    /// Cross sequence, comparable over depths.
    pub seq: u64,
    /// Matching engine time, ms.
    pub cts: u64,
}

/// One row of `GET /v5/market/recent-trade`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecentTrade {
    /// The trade's name.
    pub exec_id: String,
    /// Instrument.
    pub symbol: String,
    /// Price.
    pub price: String,
    /// Quantity.
    pub size: String,
    /// Side of the taker.
    pub side: Side,
    /// When, ms.
    pub time: String,
    /// Block trade.
    pub is_block_trade: bool,
    /// Retail price improvement.
    #[serde(rename = "isRPITrade")]
    pub is_rpi_trade: bool,
    /// Cross sequence.
    pub seq: String,
}

/// One row of `GET /v5/market/kline`: `[start ms, open, high, low, close, volume, turnover]`; rows come newest first and the
/// newest is still open.
pub type KlineRow = [String; 7];

/// One row of `GET /v5/market/funding/history`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FundingRow {
    /// Instrument.
    pub symbol: String,
    /// Rate.
    pub funding_rate: String,
    /// When, ms.
    pub funding_rate_timestamp: String,
}
