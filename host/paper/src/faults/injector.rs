//! Faults as they happen.

use portcullis_core::{Span, Timestamp};
use serde::Serialize;

use super::place::Channel;
use super::{Does, Faults, FaultsError, RULES_MAX, Rule};
use crate::sources::Random;

/// What goes wrong now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) does: Does,
    /// The stream it goes wrong on.
    pub(crate) channel: Option<Channel>,
    pub(crate) for_ms: u64,
    pub(crate) offset_ms: i64,
}

/// How often a fault struck.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Struck {
    at: String,
    does: Does,
    /// Requests or messages that passed its place.
    seen: u64,
    struck: u64,
}

/// Watches places and strikes when it is time.
#[derive(Debug)]
pub(crate) struct Injector {
    armed: Vec<Armed>,
    random: Random,
}

#[derive(Debug)]
struct Armed {
    rule: Rule,
    seen: u64,
    struck: u64,
    /// Until when it goes on.
    until: Timestamp,
}

impl Injector {
    pub(crate) fn new(faults: Option<Faults>) -> Self {
        let mut injector = Self { armed: Vec::new(), random: Random::new(0) };
        injector.replace(faults.unwrap_or_default());
        injector
    }

    /// Forgets all faults and takes these.
    pub(crate) fn replace(&mut self, faults: Faults) {
        self.random = Random::new(faults.seed);
        self.armed = faults.rules.into_iter().map(Armed::new).collect();
    }

    /// Takes these too.
    pub(crate) fn extend(&mut self, faults: Faults) -> Result<(), FaultsError> {
        faults.rules.into_iter().try_for_each(|rule| self.arm(rule))
    }

    /// Takes one more. Faults that can strike no more make place for it.
    pub(crate) fn arm(&mut self, rule: Rule) -> Result<(), FaultsError> {
        if self.armed.len() >= RULES_MAX {
            self.armed.retain(|armed| armed.rule.nth.is_none_or(|nth| nth > armed.seen));
        }
        if self.armed.len() >= RULES_MAX {
            return Err(FaultsError::TooMany);
        }
        self.armed.push(Armed::new(rule));
        Ok(())
    }

    pub(crate) fn counts(&self) -> Vec<Struck> {
        let count = |armed: &Armed| Struck {
            at: armed.rule.at.clone(),
            does: armed.rule.does,
            seen: armed.seen,
            struck: armed.struck,
        };
        self.armed.iter().map(count).collect()
    }

    /// What goes wrong this time at a path or topic. Each call counts as one time.
    pub(crate) fn strike(&mut self, at: &str, now: Timestamp) -> Option<Strike> {
        let mut strike = None;
        for armed in self.armed.iter_mut().filter(|armed| armed.rule.at == at) {
            if armed.strikes(&mut self.random, now) {
                armed.struck = armed.struck.saturating_add(1);
                strike = strike.or(Some(armed.rule.strike()));
            }
        }
        strike
    }
}

impl Armed {
    const fn new(rule: Rule) -> Self {
        Self { rule, seen: 0, struck: 0, until: Timestamp(0) }
    }

    fn strikes(&mut self, random: &mut Random, now: Timestamp) -> bool {
        self.seen = self.seen.saturating_add(1);
        // Chance is drawn every time, so that what goes on changes nothing about the rest.
        let by_chance = self.rule.per_million.is_some_and(|chance| random.happens(chance));
        if self.goes_on() && now < self.until {
            return true;
        }
        let by_count = self.rule.every.is_some_and(|every| self.seen.checked_rem(every) == Some(0));
        let strikes = by_chance || by_count || self.rule.nth == Some(self.seen);
        if strikes {
            self.until = now.after(Span::from_millis(self.rule.for_ms));
        }
        strikes
    }

    /// Whether the fault repeats for as long as it says. For the others the time means something else.
    const fn goes_on(&self) -> bool {
        match self.rule.does {
            Does::TimeoutBeforeAccept
            | Does::TimeoutAfterAccept
            | Does::RateLimit
            | Does::Forbidden
            | Does::ServerError
            | Does::DropEvent
            | Does::DuplicateEvent
            | Does::MalformedJson
            | Does::UnknownFields
            | Does::MissingFields => true,
            Does::DelayReply
            | Does::ReorderEvent
            | Does::DelayEvent
            | Does::Disconnect
            | Does::Silence
            | Does::Restart
            | Does::RestartForgetting
            | Does::ClockOffset => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "test code")]

    use super::*;

    fn does(injector: &mut Injector, at: &str) -> Vec<Option<Does>> {
        (0..4).map(|_| injector.strike(at, Timestamp(0)).map(|strike| strike.does)).collect()
    }

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
        let (timeout, drop) = (Some(Does::TimeoutAfterAccept), Some(Does::DropEvent));
        assert_eq!(does(&mut injector, "/v5/order/create"), [None, timeout, None, None]);
        assert_eq!(does(&mut injector, "order"), [None, drop, None, drop]);
        assert_eq!(does(&mut injector, "position"), [None; 4]);
        let counts = injector.counts();
        assert_eq!((counts[1].seen, counts[1].struck), (4, 2));
        let chance = |seed| {
            let mut injector = Injector::new(Some(Faults { seed, ..Faults::parse(text).unwrap() }));
            (0..64).map(|_| injector.strike("wallet", Timestamp(0)).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(chance(3), chance(3));
        assert!((16..48).contains(&chance(3).iter().filter(|struck| **struck).count()));
    }

    #[test]
    fn a_storm_goes_on_for_its_time_and_a_delay_does_not() {
        let rule = |does: &str| {
            let text =
                format!("[[fault]]\nat = \"/v5/order/create\"\ndoes = \"{does}\"\nnth = 2\nfor_ms = 10");
            Injector::new(Some(Faults::parse(&text).unwrap()))
        };
        let run = |mut injector: Injector| {
            let at = |ms: u64| Timestamp::from_millis(1_000 + ms);
            [0, 1, 2, 10, 11, 12].map(|ms| injector.strike("/v5/order/create", at(ms)).is_some())
        };
        assert_eq!(run(rule("rate_limit")), [false, true, true, true, false, false]);
        assert_eq!(run(rule("delay_reply")), [false, true, false, false, false, false]);
    }

    #[test]
    fn faults_are_added_one_by_one_and_all_at_once() {
        let mut injector = Injector::new(None);
        injector.arm(Rule::parse(r#"{"at":"order","does":"drop_event"}"#).unwrap()).unwrap();
        assert_eq!(does(&mut injector, "order"), [Some(Does::DropEvent), None, None, None]);
        let more = Faults::parse(r#"{"fault":[{"at":"order","does":"disconnect","nth":1}]}"#).unwrap();
        injector.extend(more.clone()).unwrap();
        assert_eq!(injector.counts().len(), 2);
        injector.replace(more);
        assert_eq!(injector.counts().len(), 1);
        assert!(Rule::parse(r#"{"at":"order","does":"disconnect"}"#).unwrap().at_once().is_some());
        assert!(Rule::parse(r#"{"at":"order","does":"drop_event"}"#).unwrap().at_once().is_none());
    }
}
