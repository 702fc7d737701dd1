//! The name of a coin.

use core::fmt;

use portcullis_core::Symbol;
use serde::{Deserialize, Serialize};

/// Longest name, in bytes.
const MAX: usize = 12;

/// A coin, for example `USDT`: 1 to 12 of `[A-Z0-9]`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Coin([u8; MAX]);

/// A text that names no coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a coin is 1 to 12 of [A-Z0-9]")]
pub struct InvalidCoin;

impl Coin {
    /// The coin that everything here is quoted and margined in.
    pub const USDT: Self = Self(*b"USDT\0\0\0\0\0\0\0\0");

    /// The base coin of an instrument quoted in USDT; `None` for a symbol of another form.
    #[must_use]
    pub fn base_of(symbol: &Symbol) -> Option<Self> {
        Self::try_from(symbol.as_str().strip_suffix("USDT")?).ok()
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only `TryFrom` makes coins, so the bytes are ASCII with zeros behind.
        core::str::from_utf8(&self.0).unwrap_or_default().trim_end_matches('\0')
    }
}

impl TryFrom<&str> for Coin {
    type Error = InvalidCoin;

    fn try_from(name: &str) -> Result<Self, InvalidCoin> {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if name.is_empty() || name.len() > MAX || !name.bytes().all(allowed) {
            return Err(InvalidCoin);
        }
        let mut bytes = [0; MAX];
        for (to, from) in bytes.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Coin {
    type Error = InvalidCoin;

    fn try_from(name: String) -> Result<Self, InvalidCoin> {
        Self::try_from(name.as_str())
    }
}

impl From<Coin> for String {
    fn from(coin: Coin) -> Self {
        coin.as_str().to_owned()
    }
}

impl Default for Coin {
    fn default() -> Self {
        Self::USDT
    }
}

impl fmt::Display for Coin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Coin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Coin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coin_is_its_name() {
        assert_eq!(Coin::try_from("BTC").unwrap().as_str(), "BTC");
        assert_eq!(Coin::try_from("USDT"), Ok(Coin::USDT));
        assert_eq!(Coin::base_of(&"ETHUSDT".parse().unwrap()), Coin::try_from("ETH").ok());
        for bad in ["", "btc", "ABCDEFGHIJKLM"] {
            assert_eq!(Coin::try_from(bad), Err(InvalidCoin), "{bad}");
        }
        assert_eq!(Coin::base_of(&"USDT".parse().unwrap()), None);
    }
}
