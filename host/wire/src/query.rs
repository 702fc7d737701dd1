//! Parameters of the queries, and how they become a query string.
//!
//! Every member is text or a whole number, so that both JSON and form decoders read them.

use core::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::{Category, ExecType, OrderFilter, OrderStatus};

macro_rules! query {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $kind:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            $($(#[$fdoc])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$kind>,)+
        }
    )+};
}

query! {
    /// `GET /v5/order/realtime` and `GET /v5/order/history`.
    Orders {
        /// Market.
        category: Category,
        /// Instrument; one of symbol, base coin and settle coin is required for linear.
        symbol: String,
        /// Base coin.
        base_coin: String,
        /// Settlement coin.
        settle_coin: String,
        /// The venue's name of one order; wins over the client's.
        order_id: String,
        /// The client's name of one order.
        order_link_id: String,
        /// Realtime: 0 open ones, 1 the last 500 closed; ignored with a name.
        open_only: u8,
        /// Which orders.
        order_filter: OrderFilter,
        /// History: with this status.
        order_status: OrderStatus,
        /// History: from, ms.
        start_time: u64,
        /// History: to, ms; at most 7 days after.
        end_time: u64,
        /// Rows a page, 1 to 50.
        limit: u16,
        /// Where the page starts.
        cursor: String,
    }

    /// `GET /v5/execution/list`. Without `exec_type` funding rows come too.
    Executions {
        /// Market.
        category: Category,
        /// Instrument.
        symbol: String,
        /// Base coin.
        base_coin: String,
        /// Settlement coin.
        settle_coin: String,
        /// The venue's name of one order.
        order_id: String,
        /// The client's name of one order.
        order_link_id: String,
        /// From, ms.
        start_time: u64,
        /// To, ms; at most 7 days after.
        end_time: u64,
        /// What kind.
        exec_type: ExecType,
        /// Rows a page, 1 to 100.
        limit: u16,
        /// Where the page starts.
        cursor: String,
    }

    /// `GET /v5/position/closed-pnl`.
    ClosedPnl {
        /// Market.
        category: Category,
        /// Instrument.
        symbol: String,
        /// From, ms.
        start_time: u64,
        /// To, ms; at most 7 days after.
        end_time: u64,
        /// Rows a page, 1 to 100.
        limit: u16,
        /// Where the page starts.
        cursor: String,
    }

    /// `GET /v5/account/transaction-log`.
    Transactions {
        /// `UNIFIED`.
        account_type: String,
        /// Market.
        category: Category,
        /// Coin.
        currency: String,
        /// Base coin.
        base_coin: String,
        /// Kind of transaction.
        r#type: String,
        /// From, ms.
        start_time: u64,
        /// To, ms; at most 7 days after.
        end_time: u64,
        /// Rows a page, 1 to 50.
        limit: u16,
        /// Where the page starts.
        cursor: String,
    }

    /// `GET /v5/position/list`: with a symbol also when flat, with a settle coin only what is not.
    Positions {
        /// Market.
        category: Category,
        /// Instrument.
        symbol: String,
        /// Base coin.
        base_coin: String,
        /// Settlement coin.
        settle_coin: String,
        /// Rows a page, 1 to 200.
        limit: u16,
        /// Where the page starts.
        cursor: String,
    }

    /// `GET /v5/account/wallet-balance`.
    Wallet {
        /// `UNIFIED`.
        account_type: String,
        /// Coins, separated by commas.
        coin: String,
    }

    /// `GET /v5/account/fee-rate`.
    FeeRate {
        /// Market.
        category: Category,
        /// Instrument.
        symbol: String,
    }

    /// `GET /v5/market/instruments-info`.
    Instruments {
        /// Market.
        category: Category,
        /// Instrument.
        symbol: String,
        /// With this status; `Trading` when absent.
        status: String,
        /// Base coin.
        base_coin: String,
        /// Rows a page, 1 to 1000; spot ignores it.
        limit: u16,
        /// Where the page starts; spot ignores it.
        cursor: String,
    }

    /// `GET /v5/market/tickers`.
    Tickers {
        /// Market.
        category: Category,
        /// Instrument.
        symbol: String,
    }

    /// `GET /v5/market/orderbook` and `GET /v5/market/recent-trade`.
    Depth {
        /// Market.
        category: Category,
        /// Instrument.
        symbol: String,
        /// Levels a side, or trades.
        limit: u16,
    }

    /// `GET /v5/market/kline` and, without interval, `GET /v5/market/funding/history`.
    Kline {
        /// Market; linear when absent.
        category: Category,
        /// Instrument.
        symbol: String,
        /// `1`, `5`, … minutes, `D`, `W`, `M`.
        interval: String,
        /// Kline: from, ms.
        start: u64,
        /// Kline: to, ms.
        end: u64,
        /// Funding: from, ms.
        start_time: u64,
        /// Funding: to, ms.
        end_time: u64,
        /// Rows, 1 to 1000.
        limit: u16,
    }
}

/// The query string of parameters: what is sent and what is signed, byte for byte. Percent signs stay as they are, because
/// cursors arrive encoded.
///
/// # Errors
/// When the parameters are not a flat object.
pub fn encode(parameters: &impl Serialize) -> Result<String, serde_json::Error> {
    let members: serde_json::Map<String, serde_json::Value> =
        serde_json::from_value(serde_json::to_value(parameters)?)?;
    let mut query = String::with_capacity(128);
    for (name, value) in &members {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        match value.as_str() {
            Some(text) => push_encoded(&mut query, text),
            None => push_encoded(&mut query, &value.to_string()),
        }
    }
    Ok(query)
}

fn push_encoded(query: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~%,:".contains(&byte) {
            query.push(char::from(byte));
        } else {
            let _ = write!(query, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_set_is_sent_and_cursors_stay_as_they_came() {
        let query = Orders {
            category: Some(Category::Linear),
            settle_coin: Some("USDT".to_owned()),
            limit: Some(50),
            cursor: Some("132766%3A2%2C132766%3A2".to_owned()),
            ..Orders::default()
        };
        let text = encode(&query).unwrap();
        let mut parts: Vec<&str> = text.split('&').collect();
        parts.sort_unstable();
        assert_eq!(
            parts,
            ["category=linear", "cursor=132766%3A2%2C132766%3A2", "limit=50", "settleCoin=USDT"]
        );
    }

    #[test]
    fn a_value_cannot_add_parameters() {
        let query = FeeRate { category: None, symbol: Some("A&b=1 é".to_owned()) };
        assert_eq!(encode(&query).unwrap(), "symbol=A%26b%3D1%20%C3%A9");
    }
}
