//! Faults on demand: what a real venue does at its worst moments, repeatable from a seed.
//!
//! ```toml
//! seed = 7
//!
//! [[fault]]
//! at = "/v5/order/create"       # a path, or a private topic: order, execution, position, wallet
//! does = "timeout_after_accept" # see `Does`
//! nth = 3                       # the third time only; or `every = 5`; or `per_million = 20000`
//! ```

use serde::Deserialize;

use crate::sources::Random;

/// A faults file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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
struct Rule {
    at: String,
    does: Does,
    /// Only the time of this number, counted from 1.
    nth: Option<u64>,
    /// Every so many times.
    every: Option<u64>,
    /// By chance.
    per_million: Option<u32>,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// A request is carried out and never answered.
    TimeoutAfterAccept,
    /// A request is turned away with code 10006.
    RateLimit,
    /// A private message is lost.
    DropEvent,
    /// A private message comes twice.
    DuplicateEvent,
    /// A private message comes after the one that follows it.
    ReorderEvent,
    /// After a private message every private connection is cut.
    Disconnect,
}

/// Why a faults file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    /// It is not the TOML described above.
    #[error("{0}")]
    Malformed(String),
    /// A fault says when more than once, or not at all.
    #[error("a fault at {at:?} needs one of nth, every and per_million")]
    When {
        /// Where it was asked for.
        at: String,
    },
    /// A fault cannot happen where it is asked for.
    #[error("{at:?} is neither a path nor a private topic at which this fault can happen")]
    Misplaced {
        /// Where it was asked for.
        at: String,
    },
}

impl Faults {
    /// Reads a faults file.
    ///
    /// # Errors
    ///
    /// [`FaultsError`] with the line, or with the fault that cannot happen where it is asked for.
    pub fn parse(text: &str) -> Result<Self, FaultsError> {
        let faults: Self = toml::from_str(text).map_err(|error| FaultsError::Malformed(error.to_string()))?;
        for rule in &faults.rules {
            let topic = matches!(rule.at.as_str(), "order" | "execution" | "position" | "wallet");
            let fits = match rule.does {
                Does::TimeoutAfterAccept | Does::RateLimit => rule.at.starts_with("/v5/"),
                Does::DropEvent | Does::DuplicateEvent | Does::ReorderEvent | Does::Disconnect => topic,
            };
            let whens = [rule.nth.is_some(), rule.every.is_some(), rule.per_million.is_some()];
            if whens.iter().filter(|given| **given).count() != 1 {
                return Err(FaultsError::When { at: rule.at.clone() });
            }
            if !fits {
                return Err(FaultsError::Misplaced { at: rule.at.clone() });
            }
        }
        Ok(faults)
    }
}

/// Faults as they happen.
#[derive(Debug)]
pub(crate) struct Injector {
    rules: Vec<(Rule, u64)>,
    random: Random,
}

impl Injector {
    pub(crate) fn new(faults: Option<Faults>) -> Self {
        let faults = faults.unwrap_or(Faults { seed: 0, rules: Vec::new() });
        Self {
            random: Random::new(faults.seed),
            rules: faults.rules.into_iter().map(|rule| (rule, 0)).collect(),
        }
    }

    /// What goes wrong this time at a path or topic. Each call counts as one time.
    pub(crate) fn strike(&mut self, at: &str) -> Option<Does> {
        let mut struck = None;
        for (rule, times) in self.rules.iter_mut().filter(|(rule, _)| rule.at == at) {
            *times = times.saturating_add(1);
            let by_chance = rule.per_million.is_some_and(|chance| self.random.happens(chance));
            let by_count = rule.every.is_some_and(|every| times.checked_rem(every) == Some(0));
            if by_chance || by_count || rule.nth == Some(*times) {
                struck = struck.or(Some(rule.does));
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_strike_when_they_should() {
        let text = r#"
            seed = 3
            [[fault]]
            at = "/v5/order/create"
            does = "timeout_after_accept"
            nth = 2
            [[fault]]
            at = "order"
            does = "drop_event"
            every = 2
            [[fault]]
            at = "wallet"
            does = "duplicate_event"
            per_million = 500000
        "#;
        let mut injector = Injector::new(Some(Faults::parse(text).unwrap()));
        let mut run = |at: &str| (0..4).map(|_| injector.strike(at)).collect::<Vec<_>>();
        assert_eq!(run("/v5/order/create"), [None, Some(Does::TimeoutAfterAccept), None, None]);
        assert_eq!(run("order"), [None, Some(Does::DropEvent), None, Some(Does::DropEvent)]);
        assert_eq!(run("position"), [None; 4]);
        let chance = |seed| {
            let mut injector = Injector::new(Some(Faults { seed, ..Faults::parse(text).unwrap() }));
            (0..64).map(|_| injector.strike("wallet").is_some()).collect::<Vec<_>>()
        };
        assert_eq!(chance(3), chance(3));
        assert!((16..48).contains(&chance(3).iter().filter(|struck| **struck).count()));
    }

    #[test]
    fn a_fault_must_fit_its_place() {
        let rule = |at, does| format!("[[fault]]\nat = \"{at}\"\ndoes = \"{does}\"\nnth = 1");
        assert!(Faults::parse(&rule("/v5/order/create", "rate_limit")).is_ok());
        assert!(matches!(Faults::parse(&rule("order", "rate_limit")), Err(FaultsError::Misplaced { .. })));
        assert!(matches!(
            Faults::parse(&rule("/v5/order/create", "drop_event")),
            Err(FaultsError::Misplaced { .. })
        ));
        assert!(matches!(Faults::parse(&rule("order", "explode")), Err(FaultsError::Malformed(_))));
        assert!(matches!(
            Faults::parse("[[fault]]\nat = \"order\"\ndoes = \"drop_event\""),
            Err(FaultsError::When { .. })
        ));
    }
}
