//! Which exchange a journal, a key or an order belongs to.

use core::fmt;
use core::str::FromStr;

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

impl Environment {
    /// The letter that starts every order id of ours there.
    pub const fn letter(self) -> char {
        match self {
            Self::Paper => 'p',
            Self::Testnet => 't',
            Self::Demo => 'd',
            Self::Live => 'l',
        }
    }

    /// The word in configuration and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paper => "paper",
            Self::Testnet => "testnet",
            Self::Demo => "demo",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not one of the four words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be paper, testnet, demo or live")]
pub struct UnknownEnvironment;

impl FromStr for Environment {
    type Err = UnknownEnvironment;

    fn from_str(text: &str) -> Result<Self, UnknownEnvironment> {
        let all = [Self::Paper, Self::Testnet, Self::Demo, Self::Live];
        all.into_iter().find(|environment| environment.as_str() == text).ok_or(UnknownEnvironment)
    }
}
