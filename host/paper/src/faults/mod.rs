//! Faults on demand: what a real venue does at its worst moments, repeatable from a seed.
//!
//! ```toml
//! seed = 7
//!
//! [[fault]]
//! at = "/v5/order/create"       # see `At`
//! does = "timeout_after_accept" # see `Does`
//! nth = 3                       # the third time only; or `every = 5`; or `per_million = 20000`
//!
//! [[fault]]
//! at = "/v5/order/cancel"
//! does = "rate_limit"
//! nth = 1
//! for_ms = 3000                 # and for three seconds after: a storm
//! ```
//!
//! The same as JSON is `{"seed": 7, "fault": [{"at": …}]}`.

mod injector;
mod place;

use serde::{Deserialize, Serialize};

use place::Place;

pub(crate) use injector::{Injector, Strike};
pub(crate) use place::Channel;

/// Most faults at a time.
const RULES_MAX: usize = 1_000;
/// Longest a fault may go on: an hour.
const LONGEST_MS: u64 = 3_600_000;
/// Furthest the clock may be put off: ten years, either way.
const OFFSET_MAX_MS: i64 = 315_360_000_000;

/// A faults file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Seed of what happens by chance.
    #[serde(default)]
    seed: u64,
    #[serde(default, rename = "fault")]
    rules: Vec<Rule>,
}

/// One fault: where, what and when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// A path (`/v5/order/create`, also when asked for by the trade stream), a private topic (`order`, `execution`, `position`,
    /// `wallet`), or every message of the streams `public`, `private` and `trade`.
    at: String,
    does: Does,
    /// Only the time of this number, counted from 1.
    nth: Option<u64>,
    /// Every so many times.
    every: Option<u64>,
    /// By chance.
    per_million: Option<u32>,
    /// How long it goes on once it struck, or how late a delayed message comes.
    #[serde(default)]
    for_ms: u64,
    /// By how much the clock is off.
    #[serde(default)]
    offset_ms: i64,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// A request is lost: neither carried out nor answered.
    TimeoutBeforeAccept,
    /// A request is carried out and never answered.
    TimeoutAfterAccept,
    /// A request is turned away with code 10006.
    RateLimit,
    /// A request is turned away with status 403, as an address that asked too often is.
    Forbidden,
    /// A request is turned away with status 502 and a page that is not JSON.
    ServerError,
    /// A request is answered late by `for_ms`.
    DelayReply,
    /// A message is lost.
    DropEvent,
    /// A message comes twice.
    DuplicateEvent,
    /// A message comes after the one that follows it.
    ReorderEvent,
    /// A message comes late by `for_ms`.
    DelayEvent,
    /// An answer or a message is cut off in the middle.
    MalformedJson,
    /// An answer or a message has members that nobody knows.
    UnknownFields,
    /// An answer or a message lacks members.
    MissingFields,
    /// After a message every connection of the stream is cut.
    Disconnect,
    /// The connections of the stream stay open, and nothing comes on them for `for_ms`, not even answers to pings.
    Silence,
    /// All connections are cut and for `for_ms` none is let in. The state is kept.
    Restart,
    /// The same, and the queries of open orders forget those that closed before.
    RestartForgetting,
    /// The clock that clients see is off by `offset_ms` from then on.
    ClockOffset,
}

impl Does {
    /// Whether it can happen to a request and its answer.
    const fn fits_requests(self) -> bool {
        match self {
            Self::TimeoutBeforeAccept
            | Self::TimeoutAfterAccept
            | Self::RateLimit
            | Self::Forbidden
            | Self::ServerError
            | Self::DelayReply
            | Self::MalformedJson
            | Self::UnknownFields
            | Self::MissingFields => true,
            Self::DropEvent
            | Self::DuplicateEvent
            | Self::ReorderEvent
            | Self::DelayEvent
            | Self::Disconnect
            | Self::Silence => false,
            Self::Restart | Self::RestartForgetting | Self::ClockOffset => true,
        }
    }

    /// Whether it can happen to a message of the private stream.
    const fn fits_events(self) -> bool {
        match self {
            Self::TimeoutBeforeAccept
            | Self::TimeoutAfterAccept
            | Self::RateLimit
            | Self::Forbidden
            | Self::ServerError
            | Self::DelayReply => false,
            Self::DropEvent
            | Self::DuplicateEvent
            | Self::ReorderEvent
            | Self::DelayEvent
            | Self::MalformedJson
            | Self::UnknownFields
            | Self::MissingFields
            | Self::Disconnect
            | Self::Silence
            | Self::Restart
            | Self::RestartForgetting
            | Self::ClockOffset => true,
        }
    }

    /// Whether it can happen to a message of the public stream, all of which are alike.
    const fn fits_public(self) -> bool {
        self.fits_events() && !matches!(self, Self::ReorderEvent | Self::DelayEvent | Self::DuplicateEvent)
    }

    /// Whether it happens to a whole stream or the exchange, so that it needs nothing to strike at.
    pub(crate) const fn is_at_once(self) -> bool {
        matches!(
            self,
            Self::Disconnect | Self::Silence | Self::Restart | Self::RestartForgetting | Self::ClockOffset
        )
    }
}

/// Why faults cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    /// It is not the TOML or JSON described above.
    #[error("{0}")]
    Malformed(String),
    /// A fault says when more than once, or not at all.
    #[error("a fault at {at:?} needs one of nth, every and per_million")]
    When {
        /// Where it was asked for.
        at: String,
    },
    /// A fault cannot happen where it is asked for.
    #[error(
        "{at:?} is no place at which this fault can happen: a path is one for requests, a private topic or one of \
         public, private and trade for messages"
    )]
    Misplaced {
        /// Where it was asked for.
        at: String,
    },
    /// A fault goes on for too long, or the clock would be off too far.
    #[error("a fault at {at:?}: for_ms is at most an hour, offset_ms at most ten years")]
    TooLong {
        /// Where it was asked for.
        at: String,
    },
    /// More faults than can be kept.
    #[error("more than 1,000 faults")]
    TooMany,
}

impl Faults {
    /// Reads a faults file, TOML or, when it begins with `{`, JSON.
    ///
    /// # Errors
    ///
    /// [`FaultsError`] with the line, or with the fault that cannot happen where it is asked for.
    pub fn parse(text: &str) -> Result<Self, FaultsError> {
        let faults: Self = read(text)?;
        if faults.rules.len() > RULES_MAX {
            return Err(FaultsError::TooMany);
        }
        for rule in &faults.rules {
            rule.check()?;
        }
        Ok(faults)
    }
}

impl Rule {
    /// Reads one fault, in the same two languages. It strikes the next time, unless it says when.
    pub(crate) fn parse(text: &str) -> Result<Self, FaultsError> {
        let mut rule: Self = read(text)?;
        if rule.nth.is_none() && rule.every.is_none() && rule.per_million.is_none() {
            rule.nth = Some(1);
        }
        rule.check()?;
        Ok(rule)
    }

    /// What happens at once, if that is what was asked for.
    pub(crate) fn at_once(&self) -> Option<Strike> {
        (self.does.is_at_once() && self.nth == Some(1)).then(|| self.strike())
    }

    fn strike(&self) -> Strike {
        Strike {
            does: self.does,
            channel: Place::parse(&self.at).and_then(Place::channel),
            for_ms: self.for_ms,
            offset_ms: self.offset_ms,
        }
    }

    fn check(&self) -> Result<(), FaultsError> {
        let at = || self.at.clone();
        let whens = [self.nth.is_some(), self.every.is_some(), self.per_million.is_some()];
        if whens.iter().filter(|given| **given).count() != 1 {
            return Err(FaultsError::When { at: at() });
        }
        if self.for_ms > LONGEST_MS || self.offset_ms.unsigned_abs() > OFFSET_MAX_MS.unsigned_abs() {
            return Err(FaultsError::TooLong { at: at() });
        }
        let fits = match Place::parse(&self.at) {
            Some(Place::Path) => self.does.fits_requests(),
            Some(Place::Topic | Place::Channel(Channel::Private)) => self.does.fits_events(),
            Some(Place::Channel(Channel::Public)) => self.does.fits_public(),
            Some(Place::Channel(Channel::Trade)) => self.does.is_at_once(),
            None => false,
        };
        if fits { Ok(()) } else { Err(FaultsError::Misplaced { at: at() }) }
    }
}

fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, FaultsError> {
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| FaultsError::Malformed(error.to_string()))
    } else {
        toml::from_str(text).map_err(|error| FaultsError::Malformed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_must_fit_its_place() {
        let rule = |at, does| format!("[[fault]]\nat = \"{at}\"\ndoes = \"{does}\"\nnth = 1");
        for (at, does) in [
            ("/v5/order/create", "rate_limit"),
            ("order", "delay_event"),
            ("public", "silence"),
            ("private", "malformed_json"),
            ("trade", "disconnect"),
            ("/v5/market/time", "clock_offset"),
        ] {
            assert!(Faults::parse(&rule(at, does)).is_ok(), "{does} at {at}");
        }
        for (at, does) in [
            ("order", "rate_limit"),
            ("/v5/order/create", "drop_event"),
            ("public", "reorder_event"),
            ("trade", "drop_event"),
            ("nowhere", "drop_event"),
        ] {
            let refused = Faults::parse(&rule(at, does));
            assert_eq!(refused, Err(FaultsError::Misplaced { at: at.to_owned() }), "{does} at {at}");
        }
        assert!(matches!(Faults::parse(&rule("order", "explode")), Err(FaultsError::Malformed(_))));
        assert!(matches!(
            Faults::parse("[[fault]]\nat = \"order\"\ndoes = \"drop_event\""),
            Err(FaultsError::When { .. })
        ));
        let long = "[[fault]]\nat = \"order\"\ndoes = \"delay_event\"\nnth = 1\nfor_ms = 3600001";
        assert!(matches!(Faults::parse(long), Err(FaultsError::TooLong { .. })));
    }

    #[test]
    fn json_says_the_same() {
        let toml = "seed = 3\n[[fault]]\nat = \"order\"\ndoes = \"delay_event\"\nevery = 2\nfor_ms = 50";
        let json = r#"{"seed":3,"fault":[{"at":"order","does":"delay_event","every":2,"for_ms":50}]}"#;
        assert_eq!(Faults::parse(toml), Faults::parse(json));
        assert!(Faults::parse(r#"{"fault":[{"at":"order"}]}"#).is_err());
    }
}
