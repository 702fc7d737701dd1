//! Trading states that other limits would have latched earlier, later or not at all, as far as the numbers in the journal show.

use std::collections::BTreeMap;

use crate::limits::bound::About;
use crate::{
    CheckId, CheckOutcome, Limits, Record, Scope, Sequence, State, StateCause, Strategy, StrategyId,
    Timestamp, TradingState, Verdict,
};

/// A trip that the candidate moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TripChange {
    /// Of what.
    pub scope: Scope,
    /// Why.
    pub cause: StateCause,
    /// Where it happened; `None` when it did not.
    pub happened: Option<(Sequence, Timestamp)>,
    /// The first entry whose numbers are enough for the candidate; `None` when there is none.
    pub candidate: Option<TripPoint>,
}

/// Where a number first reached the candidate's bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TripPoint {
    /// The entry.
    pub sequence: Sequence,
    /// When.
    pub at: Timestamp,
    /// The number, an amount or a count as the cause has it.
    pub seen: i128,
    /// The candidate's bound.
    pub bound: i128,
}

/// Follows every trip that the journal has numbers for.
#[derive(Debug, Default)]
pub(super) struct Trips {
    open: BTreeMap<(Scope, StateCause), Watch>,
    changes: Vec<TripChange>,
}

/// One trip since the state was last active.
#[derive(Debug, Default)]
struct Watch {
    happened: Option<(Sequence, Timestamp)>,
    candidate: Option<TripPoint>,
}

/// A number that a trip looks at.
struct Number {
    scope: Scope,
    cause: StateCause,
    seen: i128,
    at: Timestamp,
}

impl Trips {
    /// Takes in one entry, already in both books.
    pub(super) fn take(
        &mut self,
        sequence: Sequence,
        record: &Record,
        real: &State,
        other: &State,
        candidate: &Limits,
    ) {
        for number in numbers(record, real, other) {
            let (Some(old), Some(new)) =
                (real.limits().and_then(|old| bound(old, &number, real)), bound(candidate, &number, real))
            else {
                continue;
            };
            if number.seen >= new && old != new {
                let point = TripPoint { sequence, at: number.at, seen: number.seen, bound: new };
                self.open.entry((number.scope, number.cause)).or_default().candidate.get_or_insert(point);
            }
        }
        if let Record::TradingState(change) = record {
            if change.to == TradingState::Active {
                self.close(|scope, _| scope == change.scope, real, candidate);
            } else {
                let watch = self.open.entry((change.scope, change.cause)).or_default();
                watch.happened.get_or_insert((sequence, change.at));
            }
        } else if let Record::DayAnchor(_) = record {
            self.close(|_, cause| cause == StateCause::DailyLoss, real, candidate);
        }
    }

    /// What the candidate moves, over the whole journal.
    pub(super) fn finish(&mut self, real: &State, candidate: &Limits) -> Vec<TripChange> {
        self.close(|_, _| true, real, candidate);
        std::mem::take(&mut self.changes)
    }

    fn close(&mut self, over: impl Fn(Scope, StateCause) -> bool, real: &State, candidate: &Limits) {
        let closed: Vec<((Scope, StateCause), Watch)> =
            self.open.extract_if(.., |(scope, cause), _| over(*scope, *cause)).collect();
        for ((scope, cause), watch) in closed {
            let number = Number { scope, cause, seen: 0, at: Timestamp::default() };
            let bounds =
                real.limits().and_then(|old| bound(old, &number, real)).zip(bound(candidate, &number, real));
            let Some((old, new)) = bounds else { continue };
            let moved = match (watch.happened, &watch.candidate) {
                // The candidate is tighter: it would have tripped where nothing did, or before.
                (happened, Some(point)) if new < old => {
                    happened.is_none_or(|(sequence, _)| point.sequence < sequence)
                }
                // The candidate is looser: it would have tripped after, or not at all.
                (Some((sequence, _)), point) if new > old => {
                    point.is_none_or(|point| point.sequence > sequence)
                }
                _ => false,
            };
            if moved {
                let Watch { happened, candidate } = watch;
                self.changes.push(TripChange { scope, cause, happened, candidate });
            }
        }
    }
}

/// The numbers of an entry that trips look at.
fn numbers(record: &Record, real: &State, other: &State) -> Vec<Number> {
    if let Record::Intent(intent) = record {
        of_checks(&intent.checks, intent.strategy, intent.at)
    } else if let Record::Refused(refused) = record {
        of_checks(&refused.checks, Some(refused.strategy), refused.at)
    } else if let Record::Submission(submitted) = record {
        let of_strategy = |strategy: &Strategy| Number {
            scope: Scope::Strategy(strategy.id),
            cause: StateCause::RejectStorm,
            seen: strategy.rejects_in_a_row.into(),
            at: submitted.at,
        };
        real.strategies().map(of_strategy).collect()
    } else if let Record::Execution(execution) = record {
        let of_strategy = |strategy: &Strategy| {
            let pause = strategy.limits.as_ref()?.repeated_executions_pause;
            Some(Number {
                scope: Scope::Strategy(strategy.id),
                cause: StateCause::RepeatedExecution,
                seen: strategy.repeats.longest(execution.venue_time, pause).into(),
                at: execution.venue_time,
            })
        };
        other.strategies().filter_map(of_strategy).collect()
    } else {
        Vec::new()
    }
}

fn of_checks(checks: &[CheckOutcome], strategy: Option<StrategyId>, at: Timestamp) -> Vec<Number> {
    let strategy = strategy.map(Scope::Strategy);
    let watched = [
        (CheckId::LossAccount, Some(Scope::Account), StateCause::DailyLoss),
        (CheckId::DrawdownAccount, Some(Scope::Account), StateCause::Drawdown),
        (CheckId::LossStrategy, strategy, StateCause::DailyLoss),
        (CheckId::DrawdownStrategy, strategy, StateCause::Drawdown),
    ];
    let number = |outcome: &CheckOutcome| {
        let (_, scope, cause) = *watched.iter().find(|(check, ..)| *check == outcome.check)?;
        // What could not be computed has no number.
        let computed = !matches!(outcome.verdict, Verdict::CannotEvaluate(_));
        computed.then_some(Number { scope: scope?, cause, seen: outcome.seen, at })
    };
    checks.iter().filter_map(number).collect()
}

/// The number from which on a limits file trips.
fn bound(limits: &Limits, number: &Number, state: &State) -> Option<i128> {
    let strategy = match number.scope {
        Scope::Strategy(id) => Some(state.strategy(id)?),
        Scope::Account => None,
        Scope::Instrument(_) => return None,
    };
    let about = About { strategy, spec: None };
    let at_most =
        |account, of_strategy| limits.at_most(if strategy.is_some() { of_strategy } else { account }, about);
    // What trips from a number on lets everything below it pass.
    let trips_above = |most: i128| most.checked_add(1);
    if number.cause == StateCause::DailyLoss {
        at_most(CheckId::LossAccount, CheckId::LossStrategy).and_then(trips_above)
    } else if number.cause == StateCause::Drawdown {
        at_most(CheckId::DrawdownAccount, CheckId::DrawdownStrategy).and_then(trips_above)
    } else if number.cause == StateCause::RepeatedExecution {
        limits.at_most(CheckId::RepeatedExecutions, about).and_then(trips_above)
    } else if number.cause == StateCause::RejectStorm {
        Some(limits.strategy(&strategy?.name).rejects_in_a_row_max.into())
    } else {
        None
    }
}
