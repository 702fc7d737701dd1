//! Which exchange a journal, a key or an order belongs to.

use serde::{Deserialize, Serialize};

/// Where orders go. Never mixed: each has its own data directory, keys and ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Our own exchange, on this machine.
    Paper,
    /// Bybit's test network.
    Testnet,
    /// Bybit's demo trading.
    Demo,
    /// Bybit, with real money.
    Live,
}
