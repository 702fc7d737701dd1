//! What the client needs to know: where, with which keys, and which instruments.

use core::fmt;
use core::time::Duration;

use portcullis_core::{Category, Environment, InstrumentId, Symbol, Timestamp};
use portcullis_wire::Credentials;

use crate::Clock;
use crate::endpoints::{Endpoints, InvalidEndpoint};
use crate::feed::interval;
use crate::live_gate::AccountPolicy;
use crate::rollback::JournalHead;

/// Settings of one connection to the venue.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which exchange; endpoints and keys must belong to it.
    pub environment: Environment,
    /// Where it listens.
    pub endpoints: Endpoints,
    /// The read-only key: queries and the private stream (RULES S1).
    pub read_key: Credentials,
    /// What to follow from the start; [`BybitVenue::follow`](crate::BybitVenue::follow) takes on more.
    pub instruments: Vec<Wanted>,
    /// Executions after this moment, less ten minutes, are fetched on the first connect: the time of the last one journaled.
    pub executions_since: Timestamp,
    /// Slippage bound of a market order, in hundredths of a percent. Only reductions without a fresh price are market orders.
    pub slippage: Slippage,
    /// Longest wait for the answer to a command; afterwards its outcome is unknown.
    pub command_timeout: Duration,
    /// Longest wait for the answer to a query.
    pub query_timeout: Duration,
    /// Where "now" comes from.
    pub clock: Clock,
    /// Whether orders go over the trade stream while it is up. The signer's cap is off then (RULES S1).
    pub trade_socket: bool,
    /// What the account and its keys are held against, at the start and every hour; `None` for no live gate.
    pub policy: Option<AccountPolicy>,
    /// How often that is, an hour.
    pub policy_every: Duration,
    /// Where the journal ends; with it a rolled-back journal is noticed (RULES J5). `None` for a journal without entries.
    pub journal_head: Option<JournalHead>,
    /// How often the private stream is held against queries.
    pub canary_every: Duration,
}

impl Config {
    /// Settings with the usual timeouts and a slippage bound of 1 %.
    pub fn new(environment: Environment, endpoints: Endpoints, read_key: Credentials, clock: Clock) -> Self {
        Self {
            environment,
            endpoints,
            read_key,
            instruments: Vec::new(),
            executions_since: clock(),
            slippage: Slippage(100),
            command_timeout: Duration::from_secs(5),
            query_timeout: Duration::from_secs(10),
            clock,
            trade_socket: false,
            policy: None,
            policy_every: Duration::from_secs(3_600),
            journal_head: None,
            canary_every: Duration::from_secs(30),
        }
    }

    /// Checks what types cannot.
    ///
    /// # Errors
    /// When an instrument occurs twice, the venue has no bars of a length asked for, or the endpoints do not suit the environment.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.trade_socket && self.environment == Environment::Demo {
            return Err(ConfigError::NoTradeSocket);
        }
        for (at, one) in self.instruments.iter().enumerate() {
            one.check_bars()?;
            let others = self.instruments.iter().skip(at.saturating_add(1));
            for other in others {
                if one.id == other.id || one.is_same(other) {
                    return Err(ConfigError::Twice { symbol: other.symbol.clone() });
                }
            }
        }
        Ok(self.endpoints.check(self.environment)?)
    }
}

/// An instrument to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The journal's number for it.
    pub id: InstrumentId,
    /// Its market.
    pub category: Category,
    /// Its name.
    pub symbol: Symbol,
    /// Price and quantity decimals, when the journal has frozen them; `None` at first sight.
    pub decimals: Option<Decimals>,
    /// Levels a side of the book events to deliver, at most 50; 0 for none. Quotes are always delivered.
    pub book_depth: u8,
    /// Lengths in seconds of the bars to deliver.
    pub bars_s: Vec<u32>,
}

impl Wanted {
    /// Whether the venue has bars of the lengths asked for.
    pub(crate) fn check_bars(&self) -> Result<(), ConfigError> {
        match self.bars_s.iter().find(|&&seconds| interval(seconds).is_none()) {
            Some(&seconds) => Err(ConfigError::BarLength { symbol: self.symbol.clone(), seconds }),
            None => Ok(()),
        }
    }

    /// Whether both are the same instrument.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.category == other.category && self.symbol == other.symbol
    }

    /// Wants what another wants of the same instrument, too.
    pub(crate) fn take_on(&mut self, other: &Self) {
        self.book_depth = self.book_depth.max(other.book_depth);
        for seconds in &other.bars_s {
            if !self.bars_s.contains(seconds) {
                self.bars_s.push(*seconds);
            }
        }
    }
}

/// Decimals of an instrument's mantissas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimals {
    /// Of prices.
    pub price: u8,
    /// Of quantities.
    pub quantity: u8,
}

/// A slippage bound in hundredths of a percent, 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slippage(u16);

impl Slippage {
    /// A bound from 1 (0.01 %) to 1,000 (10 %), which is what the venue takes; `None` outside.
    pub fn new(hundredths: u16) -> Option<Self> {
        (1..=1_000).contains(&hundredths).then_some(Self(hundredths))
    }
}

impl fmt::Display for Slippage {
    /// In percent, as the venue writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&portcullis_wire::format_mantissa(i64::from(self.0), 2))
    }
}

/// What is wrong with a [`Config`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An instrument is named twice, or two share a number.
    #[error("instrument {symbol} is listed twice, or its number is")]
    Twice {
        /// The second one.
        symbol: Symbol,
    },
    /// The venue has no bars of this length.
    #[error("{symbol}: the venue has no bars of {seconds} s")]
    BarLength {
        /// Of which instrument.
        symbol: Symbol,
        /// The length.
        seconds: u32,
    },
    /// The environment has no trade stream.
    #[error("demo trading has no trade stream")]
    NoTradeSocket,
    /// An endpoint cannot be used.
    #[error(transparent)]
    Endpoint(#[from] InvalidEndpoint),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(symbols: &[(u32, &str)]) -> Config {
        let key = Credentials::new("k", &"s".to_owned().into());
        let endpoints = Endpoints::paper("http://127.0.0.1:9000", "ws://127.0.0.1:9000");
        let mut config = Config::new(Environment::Paper, endpoints, key, || Timestamp(0));
        config.instruments = symbols
            .iter()
            .map(|(id, symbol)| Wanted {
                id: InstrumentId(*id),
                category: Category::Linear,
                symbol: symbol.parse().unwrap(),
                decimals: None,
                book_depth: 0,
                bars_s: Vec::new(),
            })
            .collect();
        config
    }

    #[test]
    fn an_instrument_is_named_once() {
        assert_eq!(config(&[(1, "BTCUSDT"), (2, "ETHUSDT")]).check(), Ok(()));
        assert!(config(&[(1, "BTCUSDT"), (2, "BTCUSDT")]).check().is_err());
        assert!(config(&[(1, "BTCUSDT"), (1, "ETHUSDT")]).check().is_err());
        assert_eq!(config(&[]).check(), Ok(()), "instruments can be taken on later");
    }

    #[test]
    fn bars_have_the_venues_lengths() {
        let mut config = config(&[(1, "BTCUSDT")]);
        config.instruments[0].bars_s = vec![60, 3_600, 86_400];
        assert_eq!(config.check(), Ok(()));
        config.instruments[0].bars_s = vec![60, 61];
        assert!(matches!(config.check(), Err(ConfigError::BarLength { seconds: 61, .. })));
    }

    #[test]
    fn printing_does_not_show_the_key() {
        let mut config = config(&[]);
        config.read_key = Credentials::new("AbCdEfGh1234567890", &"TopSecretText".to_owned().into());
        let shown = format!("{config:?}");
        assert!(!shown.contains("EfGh1234567890") && !shown.contains("TopSecret"), "{shown}");
    }

    #[test]
    fn slippage_is_written_in_percent() {
        assert_eq!(Slippage::new(100).unwrap().to_string(), "1");
        assert_eq!(Slippage::new(5).unwrap().to_string(), "0.05");
        assert_eq!((Slippage::new(0), Slippage::new(1_001)), (None, None));
    }
}
