//! What other limits would have made of the decisions in a journal.
//!
//! A first-order answer: every recorded check is held against the other limits, with the numbers it saw. What a changed decision would
//! have brought about afterwards (the position an order would have opened, the loss it would have spared) is not played out.

mod second_look;
mod trips;
mod wanted;

use crate::limits::bound::About;
use crate::{
    ActionKind, CheckId, CheckOutcome, Command, Gate, InstrumentId, IntentApproved, LimitWords, Limits,
    LimitsSet, LinkId, OrderNumber, Record, Refused, Sequence, State, StrategyId, Timestamp,
};

pub use trips::{TripChange, TripPoint};

use second_look::{Scene, SecondLook};
use trips::Trips;
use wanted::Wanted;

/// Goes through a journal and holds its decisions against a candidate.
#[derive(Debug)]
pub struct LimitsSimulation {
    candidate: Limits,
    /// The journal as it is.
    real: Gate,
    /// The same with the candidate in force throughout: what depends on past orders is counted as the candidate would have.
    other: Gate,
    trips: Trips,
    decisions: u64,
}

/// A decision that the candidate changes, or may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionChange {
    /// Its entry.
    pub sequence: Sequence,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub strategy: Option<StrategyId>,
    /// In which instrument.
    pub instrument: Option<InstrumentId>,
    /// The strategy's number of the order.
    pub number: OrderNumber,
    /// What was asked for.
    pub action: ActionKind,
    /// What came of it, and what would have.
    pub change: Change,
    /// The checks that make the difference.
    pub reasons: Vec<ChangeReason>,
}

/// How a decision changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was approved, and would have been refused.
    WouldRefuse,
    /// It was refused, and every check that refused it would have passed.
    WouldPass,
    /// The journal does not hold what it takes to tell.
    Unknown,
}

/// A check that makes the difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeReason {
    /// Which.
    pub check: CheckId,
    /// The key in the candidate.
    pub key: String,
    /// The number it saw, in the check's unit.
    pub seen: i128,
    /// The bound then.
    pub before: i128,
    /// The bound with the candidate, where that says no.
    pub after: Option<i128>,
    /// Why nothing can be said, where that is so.
    pub unknown: Option<&'static str>,
}

impl LimitsSimulation {
    /// Starts before the first entry of a journal.
    pub fn new(candidate: Limits) -> Self {
        Self { candidate, real: Gate::new(), other: Gate::new(), trips: Trips::default(), decisions: 0 }
    }

    /// Takes in the next entry of the journal, with the client id that it minted for a place; none may be left out. Says what the
    /// candidate changes about it, if it is to be `judged`.
    pub fn take(
        &mut self,
        sequence: Sequence,
        link: Option<LinkId>,
        record: &Record,
        judged: bool,
    ) -> Option<DecisionChange> {
        let change = if let Record::Intent(intent) = record {
            judged.then(|| self.approved(sequence, intent)).flatten()
        } else if let Record::Refused(refused) = record {
            judged.then(|| self.refused(sequence, refused)).flatten()
        } else {
            None
        };
        self.real.fold(sequence, link.clone(), record);
        if let Record::Limits(_) = record {
            let set = LimitsSet { hash: self.candidate.hash(), toml: self.candidate.text().to_owned() };
            self.other.fold(sequence, link, &Record::Limits(set));
        } else {
            self.other.fold(sequence, link, record);
        }
        if judged {
            self.trips.take(sequence, record, self.real.state(), self.other.state(), &self.candidate);
        }
        change
    }

    /// Decisions judged so far.
    pub fn decisions(&self) -> u64 {
        self.decisions
    }

    /// The books as the journal has them so far, for names and decimals.
    pub fn state(&self) -> &State {
        self.real.state()
    }

    /// Trips that would have come at another time, or not at all; known once the journal is through.
    pub fn trips(&mut self) -> Vec<TripChange> {
        self.trips.finish(self.real.state(), &self.candidate)
    }

    /// Keys that the candidate changes against the limits in force at the end, and whose effect no journal shows.
    pub fn blind(&self) -> Vec<String> {
        let Some(limits) = self.state().limits() else { return Vec::new() };
        let is_blind = |key: &str| {
            LimitWords::of(key).is_none_or(|words| {
                words.key == "mark_age_ms_max"
                    || (words.checks.is_empty() && words.key != "rejects_in_a_row_max")
            })
        };
        limits
            .changes_to(&self.candidate)
            .into_iter()
            .map(|change| change.key)
            .filter(|key| is_blind(key))
            .collect()
    }

    fn approved(&mut self, sequence: Sequence, intent: &IntentApproved) -> Option<DecisionChange> {
        self.decisions = self.decisions.saturating_add(1);
        let state = self.real.state();
        let instrument = match &intent.command {
            Command::Place(place) => place.instrument,
            Command::Amend(amend) => amend.instrument,
            // Nothing is held against a limit.
            Command::Cancel(_) | Command::CancelAll(_) | Command::SetProtection(_) => return None,
        };
        let wanted = Wanted::of_command(&intent.command, state);
        let looks = self.looks(intent.strategy, Some(instrument), wanted.as_ref(), &intent.checks, intent.at);
        let reasons =
            |wanted: fn(&SecondLook) -> bool| self.reasons(&looks, wanted, intent.strategy, Some(instrument));
        let denied = reasons(|look| matches!(look, SecondLook::Deny(_)));
        let (change, reasons) = if denied.is_empty() {
            (Change::Unknown, reasons(|look| matches!(look, SecondLook::Unknown(_))))
        } else {
            (Change::WouldRefuse, denied)
        };
        let action =
            if matches!(intent.command, Command::Place(_)) { ActionKind::Place } else { ActionKind::Amend };
        (!reasons.is_empty()).then_some(DecisionChange {
            sequence,
            at: intent.at,
            strategy: intent.strategy,
            instrument: Some(instrument),
            number: intent.number,
            action,
            change,
            reasons,
        })
    }

    fn refused(&mut self, sequence: Sequence, refused: &Refused) -> Option<DecisionChange> {
        self.decisions = self.decisions.saturating_add(1);
        let strategy = Some(refused.strategy);
        let wanted = refused
            .instrument
            .and_then(|id| Wanted::of_ask(&refused.ask, id, refused.strategy, self.real.state()));
        let looks = self.looks(strategy, refused.instrument, wanted.as_ref(), &refused.checks, refused.at);
        let refusing = |outcome: &CheckOutcome| outcome.verdict.refusal().is_some();
        // What was refused before any check ran does not depend on limits.
        if !looks.iter().any(|(outcome, _)| refusing(outcome)) {
            return None;
        }
        let stays = |(outcome, look): &(&CheckOutcome, SecondLook)| match look {
            SecondLook::Deny(_) => true,
            SecondLook::Same => refusing(outcome),
            SecondLook::Pass | SecondLook::Unknown(_) => false,
        };
        if looks.iter().any(stays) {
            return None;
        }
        let unknown =
            self.reasons(&looks, |look| matches!(look, SecondLook::Unknown(_)), strategy, refused.instrument);
        let (change, reasons) = if unknown.is_empty() {
            let passing: Vec<_> = looks.into_iter().filter(|(outcome, _)| refusing(outcome)).collect();
            (Change::WouldPass, self.reasons(&passing, |_| true, strategy, refused.instrument))
        } else {
            (Change::Unknown, unknown)
        };
        Some(DecisionChange {
            sequence,
            at: refused.at,
            strategy,
            instrument: refused.instrument,
            number: refused.number,
            action: ActionKind::of(&refused.ask),
            change,
            reasons,
        })
    }

    /// Every check with its second look; none while the journal has no limits.
    fn looks<'c>(
        &self,
        strategy: Option<StrategyId>,
        instrument: Option<InstrumentId>,
        wanted: Option<&Wanted>,
        checks: &'c [CheckOutcome],
        at: Timestamp,
    ) -> Vec<(&'c CheckOutcome, SecondLook)> {
        let Some(old) = self.real.state().limits() else { return Vec::new() };
        let about = self.about(strategy, instrument);
        let is_market = wanted.zip(about.spec).is_some_and(|(wanted, spec)| wanted.is_market(checks, spec));
        let scene =
            Scene { old, new: &self.candidate, about, wanted, is_market, state: self.other.state(), at };
        checks.iter().map(|outcome| (outcome, scene.look(outcome))).collect()
    }

    fn about(&self, strategy: Option<StrategyId>, instrument: Option<InstrumentId>) -> About<'_> {
        let state = self.other.state();
        About {
            strategy: strategy.and_then(|id| state.strategy(id)),
            spec: instrument.and_then(|id| state.instrument(id)).map(|instrument| &instrument.spec),
        }
    }

    fn reasons(
        &self,
        looks: &[(&CheckOutcome, SecondLook)],
        wanted: impl Fn(&SecondLook) -> bool,
        strategy: Option<StrategyId>,
        instrument: Option<InstrumentId>,
    ) -> Vec<ChangeReason> {
        let about = self.about(strategy, instrument);
        let reason = |(outcome, look): &(&CheckOutcome, SecondLook)| ChangeReason {
            check: outcome.check,
            key: self.key(outcome.check, about),
            seen: outcome.seen,
            before: outcome.limit,
            after: if let SecondLook::Deny(limit) = look { Some(*limit) } else { None },
            unknown: if let SecondLook::Unknown(why) = look { Some(*why) } else { None },
        };
        looks.iter().filter(|(_, look)| wanted(look)).map(reason).collect()
    }

    /// The key of a check: the first that the candidate changes, else the first.
    fn key(&self, check: CheckId, about: About<'_>) -> String {
        let changes =
            self.real.state().limits().map(|old| old.changes_to(&self.candidate)).unwrap_or_default();
        let places: Vec<String> =
            LimitWords::of_check(check).map(|words| self.candidate.place(words, about)).collect();
        let changed = places.iter().find(|place| changes.iter().any(|change| change.key == **place));
        changed.or(places.first()).cloned().unwrap_or_default()
    }
}
