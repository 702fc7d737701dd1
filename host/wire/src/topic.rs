//! Names of topics.

use core::fmt;
use core::str::FromStr;

/// A topic of a public stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The best levels: depth 1, 50, 200 or 1000.
    Book {
        /// Levels a side.
        depth: u16,
        /// Instrument.
        symbol: String,
    },
    /// Trades.
    Trade {
        /// Instrument.
        symbol: String,
    },
    /// Mark, index, funding, and the day's figures.
    Ticker {
        /// Instrument.
        symbol: String,
    },
    /// Prices within which orders are taken.
    PriceLimit {
        /// Instrument.
        symbol: String,
    },
    /// Liquidations.
    Liquidation {
        /// Instrument.
        symbol: String,
    },
    /// Candles.
    Kline {
        /// `1`, `5`, … minutes, `D`, `W`, `M`.
        interval: String,
        /// Instrument.
        symbol: String,
    },
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Book { depth, symbol } => write!(f, "orderbook.{depth}.{symbol}"),
            Self::Trade { symbol } => write!(f, "publicTrade.{symbol}"),
            Self::Ticker { symbol } => write!(f, "tickers.{symbol}"),
            Self::PriceLimit { symbol } => write!(f, "priceLimit.{symbol}"),
            Self::Liquidation { symbol } => write!(f, "allLiquidation.{symbol}"),
            Self::Kline { interval, symbol } => write!(f, "kline.{interval}.{symbol}"),
        }
    }
}

/// The text names no topic we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such topic")]
pub struct NoSuchTopic;

impl FromStr for Topic {
    type Err = NoSuchTopic;

    fn from_str(text: &str) -> Result<Self, NoSuchTopic> {
        let mut parts = text.split('.');
        let topic = match (parts.next(), parts.next(), parts.next()) {
            (Some("orderbook"), Some(depth), Some(symbol)) => {
                Self::Book { depth: depth.parse().map_err(|_| NoSuchTopic)?, symbol: symbol.to_owned() }
            }
            (Some("publicTrade"), Some(symbol), None) => Self::Trade { symbol: symbol.to_owned() },
            (Some("tickers"), Some(symbol), None) => Self::Ticker { symbol: symbol.to_owned() },
            (Some("priceLimit"), Some(symbol), None) => Self::PriceLimit { symbol: symbol.to_owned() },
            (Some("allLiquidation"), Some(symbol), None) => Self::Liquidation { symbol: symbol.to_owned() },
            (Some("kline"), Some(interval), Some(symbol)) => {
                Self::Kline { interval: interval.to_owned(), symbol: symbol.to_owned() }
            }
            _ => return Err(NoSuchTopic),
        };
        if parts.next().is_some() { Err(NoSuchTopic) } else { Ok(topic) }
    }
}

/// The topic of a frame that starts with it, as data frames of Bybit do, without reading the rest. `None` means: read
/// [`Inbound`](crate::Inbound) instead.
pub fn topic_of(frame: &str) -> Option<&str> {
    let rest = frame.strip_prefix(r#"{"topic":""#)?;
    rest.split_once('"').map(|(topic, _)| topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_topics_are_inverse() {
        for name in ["orderbook.50.BTCUSDT", "publicTrade.ETHUSDT", "tickers.BTCUSDT", "kline.1.BTCUSDT"]
            .into_iter()
            .chain(["priceLimit.BTCUSDT", "allLiquidation.BTCUSDT"])
        {
            assert_eq!(name.parse::<Topic>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn other_names_are_refused() {
        for name in
            ["", "orderbook", "orderbook.x.BTCUSDT", "orderbook.50", "order", "tickers.A.B", "kline.1.A.B"]
        {
            assert_eq!(name.parse::<Topic>(), Err(NoSuchTopic), "{name}");
        }
    }

    #[test]
    fn the_topic_is_found_only_where_it_is_first() {
        assert_eq!(topic_of(r#"{"topic":"tickers.BTCUSDT","type":"delta"}"#), Some("tickers.BTCUSDT"));
        assert_eq!(topic_of(r#"{"ts":1,"topic":"tickers.BTCUSDT"}"#), None);
    }
}
