//! The small words of a manifest, each checked once when it is read.

use std::fmt;
use std::str::FromStr;

use portcullis_core::{Category, Environment, Symbol};
use serde::{Deserialize, Serialize};

/// Why a piece of text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: {allowed} is expected")]
pub struct InvalidName {
    /// What was meant.
    pub what: &'static str,
    /// What is allowed, in words.
    pub allowed: &'static str,
}

/// A moment in whole seconds since 1970-01-01 UTC.
///
/// Manifests carry their validity as a number: it has one spelling, no time zone, and needs no parser in front of a
/// signature check. Tools show it as a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixSeconds(pub u64);

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Gives a type with `as_str` and `FromStr` the rest of what text needs.
macro_rules! text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.as_str())
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.to_string()
            }
        }
    };
}

/// An [`Environment`] read from text.
pub(crate) struct EnvironmentWord(pub(crate) Environment);

impl FromStr for EnvironmentWord {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let all = [Environment::Paper, Environment::Testnet, Environment::Demo, Environment::Live];
        let named = all.into_iter().find(|environment| environment.as_str() == text);
        named.map(Self).ok_or(InvalidName { what: "environment", allowed: "paper, testnet, demo or live" })
    }
}

/// A kind of order a strategy asks leave to place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum OrderType {
    /// At the market.
    Market,
    /// With a price.
    Limit,
    /// Market or limit, held back until a price is reached.
    Trigger,
}

impl OrderType {
    /// The word used in manifests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit => "limit",
            Self::Trigger => "trigger",
        }
    }
}

impl FromStr for OrderType {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text {
            "market" => Ok(Self::Market),
            "limit" => Ok(Self::Limit),
            "trigger" => Ok(Self::Trigger),
            _ => Err(InvalidName { what: "order type", allowed: "market, limit or trigger" }),
        }
    }
}

text!(OrderType);

/// A bundle's name: kebab-case, at most 32 bytes, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BundleName(String);

impl BundleName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BundleName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if text.len() <= 32 && starts_well && text.split('-').all(word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName { what: "name", allowed: "kebab-case of at most 32 characters [a-z0-9-]" })
        }
    }
}

text!(BundleName);

/// Who holds a key: a person, as far as thresholds go. 1 to 64 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Owner(String);

impl Owner {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Owner {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let printable = text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        // Two spellings of one person must not count as two people.
        let plain = text.trim() == text && !text.contains("  ");
        if !text.is_empty() && text.len() <= 64 && printable && plain {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName { what: "owner", allowed: "1 to 64 printable ASCII characters, single spaces" })
        }
    }
}

text!(Owner);

/// Where a market is, for example `linear:BTCUSDT`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Market {
    /// The venue's category, `linear` or `spot`.
    pub category: Category,
    /// The venue's symbol.
    pub symbol: Symbol,
}

impl Market {
    /// The text, `CATEGORY:SYMBOL`.
    pub fn as_str(&self) -> String {
        let category = match self.category {
            Category::Linear => "linear",
            Category::Spot => "spot",
        };
        format!("{category}:{}", self.symbol)
    }
}

impl FromStr for Market {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid =
            InvalidName { what: "symbol", allowed: "linear:SYMBOL or spot:SYMBOL, as in linear:BTCUSDT" };
        let (category, symbol) = text.split_once(':').ok_or_else(|| invalid.clone())?;
        let category = match category {
            "linear" => Category::Linear,
            "spot" => Category::Spot,
            _ => return Err(invalid),
        };
        Ok(Self { category, symbol: symbol.parse().map_err(|_| invalid)? })
    }
}

text!(Market);

/// A limit in USDT: a positive decimal with at most 15 digits before the point and 8 after it.
///
/// Kept as text, because the gate has its own exact type for money and reads it from there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LimitAmount(String);

impl LimitAmount {
    /// The text, for example `2000` or `0.5`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LimitAmount {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, max: usize| {
            (1..=max).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
        };
        let canonical = whole == "0" || !whole.starts_with('0');
        let positive = text.bytes().any(|b| (b'1'..=b'9').contains(&b));
        if digits(whole, 15) && digits(fraction, 8) && canonical && positive {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName {
                what: "amount",
                allowed: "a positive decimal in quotes, at most 15 digits before and 8 after the point,",
            })
        }
    }
}

text!(LimitAmount);

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts<T: FromStr>(text: &str) -> bool {
        text.parse::<T>().is_ok()
    }

    #[test]
    fn bundle_names_are_kebab_case() {
        for good in ["a", "ema-cross", "x1-2-3", "a2345678901234567890123456789012"] {
            assert!(accepts::<BundleName>(good), "{good}");
        }
        for bad in
            ["", "-a", "a-", "a--b", "1a", "A", "a_b", "a.b", "../a", "a23456789012345678901234567890123"]
        {
            assert!(!accepts::<BundleName>(bad), "{bad}");
        }
    }

    #[test]
    fn markets_name_category_and_symbol() {
        assert_eq!("spot:ETHUSDT".parse::<Market>().unwrap().to_string(), "spot:ETHUSDT");
        for bad in ["", "BTCUSDT", "linear:", "inverse:BTCUSD", "linear:btcusdt", "linear:A:B", " linear:A"] {
            assert!(!accepts::<Market>(bad), "{bad}");
        }
    }

    #[test]
    fn amounts_are_positive_plain_decimals() {
        for good in ["1", "0.5", "2000", "10.00", "999999999999999.99999999"] {
            assert!(accepts::<LimitAmount>(good), "{good}");
        }
        for bad in
            ["", "0", "0.0", "-1", "+1", "1e3", "01", ".5", "5.", "1.123456789", "1234567890123456", "1 "]
        {
            assert!(!accepts::<LimitAmount>(bad), "{bad}");
        }
    }

    #[test]
    fn owners_have_one_spelling() {
        assert!(accepts::<Owner>("Ana Pavlova <ana@example.org>"));
        for bad in ["", " ana", "ana ", "a  b", "a\nb", "Åsa"] {
            assert!(!accepts::<Owner>(bad), "{bad}");
        }
    }
}
