//! Frames of the public streams. They borrow their text: a book delta is read several thousand times a second.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Side, Text};

/// Whether a frame replaces or changes what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameKind {
    /// Replaces everything; also after a restart of the service.
    Snapshot,
    /// Changes what is named.
    Delta,
}

/// A frame of a public topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "D: Deserialize<'de>"))]
pub struct PublicFrame<'a, D> {
    /// Which topic.
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
    /// Replaces or changes.
    #[serde(rename = "type")]
    pub kind: FrameKind,
    /// Server time, ms.
    pub ts: u64,
    /// The content.
    pub data: D,
    /// Books: matching engine time, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cts: Option<u64>,
    /// Tickers: cross sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cs: Option<u64>,
}

/// A frame of `orderbook.DEPTH.SYMBOL`.
pub type BookFrame<'a> = PublicFrame<'a, BookData<'a>>;

/// Levels of a book; quantity `0` removes a level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookData<'a> {
    /// Instrument.
    #[serde(borrow)]
    pub s: Cow<'a, str>,
    /// Bids `[price, quantity]`.
    #[serde(borrow, default)]
    pub b: Vec<[Text<'a>; 2]>,
    /// Asks.
    #[serde(borrow, default)]
    pub a: Vec<[Text<'a>; 2]>,
    /// Update number: grows by one per delta of the topic; 1 after a restart of the service.
    pub u: u64,
    /// Cross sequence, comparable over depths.
    #[serde(default)]
    pub seq: u64,
}

/// One trade of `publicTrade.SYMBOL`; a frame holds up to 1,024.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradeData<'a> {
    /// When, ms.
    #[serde(rename = "T")]
    pub time: u64,
    /// Instrument.
    #[serde(borrow)]
    pub s: Cow<'a, str>,
    /// Side of the taker.
    #[serde(rename = "S")]
    pub side: Side,
    /// Quantity.
    #[serde(borrow)]
    pub v: Text<'a>,
    /// Price.
    #[serde(borrow)]
    pub p: Text<'a>,
    /// Direction of the last price; derivatives only.
    #[serde(rename = "L", borrow, default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Text<'a>>,
    /// The trade's name.
    #[serde(borrow)]
    pub i: Text<'a>,
    /// Block trade.
    #[serde(rename = "BT", default)]
    pub block: bool,
    /// Retail price improvement.
    #[serde(rename = "RPI", default)]
    pub rpi: bool,
    /// Cross sequence; trades may share one.
    #[serde(default)]
    pub seq: u64,
}

/// `tickers.SYMBOL`. In a delta a missing member is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TickerData<'a> {
    /// Instrument.
    #[serde(borrow)]
    pub symbol: Cow<'a, str>,
    /// Direction of the last price.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub tick_direction: Option<Text<'a>>,
    /// Change over a day, as a ratio.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub price24h_pcnt: Option<Text<'a>>,
    /// Last price.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub last_price: Option<Text<'a>>,
    /// Price a day ago.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub prev_price24h: Option<Text<'a>>,
    /// Highest of the day.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub high_price24h: Option<Text<'a>>,
    /// Lowest of the day.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub low_price24h: Option<Text<'a>>,
    /// Price an hour ago.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub prev_price1h: Option<Text<'a>>,
    /// Mark price.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub mark_price: Option<Text<'a>>,
    /// Index price.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub index_price: Option<Text<'a>>,
    /// Open interest.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub open_interest: Option<Text<'a>>,
    /// Its value.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub open_interest_value: Option<Text<'a>>,
    /// Value traded in a day.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub turnover24h: Option<Text<'a>>,
    /// Quantity traded in a day.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub volume24h: Option<Text<'a>>,
    /// Hours between fundings.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub funding_interval_hour: Option<Text<'a>>,
    /// Bound of the funding rate.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub funding_cap: Option<Text<'a>>,
    /// Next funding, ms.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub next_funding_time: Option<Text<'a>>,
    /// Funding rate.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub funding_rate: Option<Text<'a>>,
    /// Best bid; derivatives only.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub bid1_price: Option<Text<'a>>,
    /// Quantity there.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub bid1_size: Option<Text<'a>>,
    /// Best ask; derivatives only.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub ask1_price: Option<Text<'a>>,
    /// Quantity there.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub ask1_size: Option<Text<'a>>,
    /// Spot: index in USD.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub usd_index_price: Option<Text<'a>>,
}

/// One candle of `kline.INTERVAL.SYMBOL`; final only when confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KlineData<'a> {
    /// When it opened, ms.
    pub start: u64,
    /// Its last millisecond.
    pub end: u64,
    /// `1`, `5`, … minutes, `D`, `W`, `M`.
    #[serde(borrow)]
    pub interval: Text<'a>,
    /// First price.
    #[serde(borrow)]
    pub open: Text<'a>,
    /// Last price.
    #[serde(borrow)]
    pub close: Text<'a>,
    /// Highest price.
    #[serde(borrow)]
    pub high: Text<'a>,
    /// Lowest price.
    #[serde(borrow)]
    pub low: Text<'a>,
    /// Quantity traded.
    #[serde(borrow)]
    pub volume: Text<'a>,
    /// Value traded.
    #[serde(borrow)]
    pub turnover: Text<'a>,
    /// Whether it is closed.
    pub confirm: bool,
    /// Time of its last trade, ms.
    pub timestamp: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_any_order() {
        let futures = r#"{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":5,"data":{"s":"BTCUSDT",
            "b":[["340.82","3.37"]],"a":[],"u":9,"seq":3},"cts":4}"#;
        let spot = r#"{"ts":5,"cts":4,"topic":"orderbook.50.BTCUSDT","type":"delta","data":{"u":9,"seq":3,
            "s":"BTCUSDT","a":[],"b":[["340.82","3.37"]]}}"#;
        let one: BookFrame<'_> = serde_json::from_str(futures).unwrap();
        let other: BookFrame<'_> = serde_json::from_str(spot).unwrap();
        assert_eq!(one, other);
        assert!(matches!(one.data.b[0][0].0, Cow::Borrowed("340.82")));
    }

    #[test]
    fn what_a_delta_leaves_out_stays_unset() {
        let text = r#"{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"1.5"},"cs":1,"ts":2}"#;
        let frame: PublicFrame<'_, TickerData<'_>> = serde_json::from_str(text).unwrap();
        assert_eq!(frame.data.mark_price, Some("1.5".into()));
        assert_eq!(frame.data.last_price, None);
        assert_eq!(serde_json::to_string(&frame.data).unwrap(), r#"{"symbol":"BTCUSDT","markPrice":"1.5"}"#);
    }
}
