//! Hosts by the region where an account was registered. They must match it.

use core::str::FromStr;

use portcullis_core::Environment;

/// Where an account was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Region {
    /// None of the others.
    #[default]
    Global,
    /// The same as global, under the venue's other name.
    GlobalAlias,
    /// The Netherlands.
    Netherlands,
    /// Türkiye.
    Turkiye,
    /// Kazakhstan.
    Kazakhstan,
    /// Georgia.
    Georgia,
    /// United Arab Emirates.
    Emirates,
    /// European Economic Area.
    Europe,
    /// Indonesia.
    Indonesia,
    /// Japan.
    Japan,
}

impl Region {
    /// Every region.
    pub const ALL: [Self; 10] = [
        Self::Global,
        Self::GlobalAlias,
        Self::Netherlands,
        Self::Turkiye,
        Self::Kazakhstan,
        Self::Georgia,
        Self::Emirates,
        Self::Europe,
        Self::Indonesia,
        Self::Japan,
    ];

    /// The word in configuration files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::GlobalAlias => "bytick",
            Self::Netherlands => "nl",
            Self::Turkiye => "tr",
            Self::Kazakhstan => "kz",
            Self::Georgia => "ge",
            Self::Emirates => "ae",
            Self::Europe => "eu",
            Self::Indonesia => "id",
            Self::Japan => "jp",
        }
    }

    /// Hosts with real money: REST, and streams. Regions without streams of their own use the global ones.
    pub(crate) const fn live(self) -> (&'static str, &'static str) {
        const STREAM: &str = "stream.bybit.com";
        match self {
            Self::Global => ("api.bybit.com", STREAM),
            Self::GlobalAlias => ("api.bytick.com", STREAM),
            Self::Netherlands => ("api.bybit.nl", STREAM),
            Self::Turkiye => ("api.bybit.tr", "stream.bybit.tr"),
            Self::Kazakhstan => ("api.bybit.kz", "stream.bybit.kz"),
            Self::Georgia => ("api.bybitgeorgia.ge", "stream.bybitgeorgia.ge"),
            Self::Emirates => ("api.bybit.ae", STREAM),
            Self::Europe => ("api.bybit.eu", STREAM),
            Self::Indonesia => ("api.bybit.id", "stream.bybit.id"),
            Self::Japan => ("api.manepa.jp", "stream.manepa.jp"),
        }
    }

    /// The REST host of the test network.
    pub(crate) const fn testnet(self) -> &'static str {
        match self {
            Self::Japan => "api-testnet.manepa.jp",
            Self::Global
            | Self::GlobalAlias
            | Self::Netherlands
            | Self::Turkiye
            | Self::Kazakhstan
            | Self::Georgia
            | Self::Emirates
            | Self::Europe
            | Self::Indonesia => "api-testnet.bybit.com",
        }
    }
}

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(word: &str) -> Result<Self, UnknownRegion> {
        Self::ALL.into_iter().find(|region| region.as_str() == word).ok_or(UnknownRegion)
    }
}

/// There is no such region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a region is one of global, bytick, nl, tr, kz, ge, ae, eu, id, jp")]
pub struct UnknownRegion;

/// Whether a host belongs to an environment.
pub(crate) fn is_known(environment: Environment, host: &str) -> bool {
    match environment {
        Environment::Paper => false,
        Environment::Testnet => {
            host == "stream-testnet.bybit.com" || Region::ALL.iter().any(|region| region.testnet() == host)
        }
        // Demo trading sees the market of real trading, and nothing else of it.
        Environment::Demo => {
            ["api-demo.bybit.com", "stream-demo.bybit.com", "stream.bybit.com"].contains(&host)
        }
        Environment::Live => {
            Region::ALL.iter().map(|region| region.live()).any(|(rest, ws)| rest == host || ws == host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for region in Region::ALL {
            assert_eq!(region.as_str().parse(), Ok(region));
        }
        assert_eq!("Global".parse::<Region>(), Err(UnknownRegion));
    }
}
