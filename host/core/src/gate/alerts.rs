//! Alerts on the way to a limit: at 80 % of it, and at the first refusal for it (RULES G9). They are findings and hold nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::limits::About;
use crate::{
    Amount, CheckId, CheckOutcome, Finding, FindingKind, InstrumentId, LimitWords, Scope, Span, StrategyId,
    Timestamp, Verdict,
};

use super::turn::Turn;

/// How long no refusal has to come before the next one is told again.
const TOLD_AGAIN: Span = Span::from_secs(300);

/// What was told and is not over.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    /// Limits of which 80 % were used, and never less than 70 % since.
    near: BTreeSet<(Scope, CheckId)>,
    /// Limits that refused, and when they did last.
    refused: BTreeMap<(Scope, CheckId), Timestamp>,
}

/// A number near its limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) scope: Scope,
    pub(super) check: CheckId,
    pub(super) seen: i128,
    pub(super) limit: i128,
}

impl Alerts {
    /// Whether this is told as near.
    pub(super) fn is_near(&self, scope: Scope, check: CheckId) -> bool {
        self.near.contains(&(scope, check))
    }

    /// Takes in a number; true when it has come near its limit just now.
    fn level(&mut self, level: &Level) -> bool {
        // Most orders are far from every limit; wide products are slow.
        if self.near.is_empty() && level.seen < level.limit >> 1 {
            return false;
        }
        let key = (level.scope, level.check);
        if level.seen.saturating_mul(5) >= level.limit.saturating_mul(4) {
            return self.near.insert(key);
        }
        if level.seen.saturating_mul(10) < level.limit.saturating_mul(7) {
            self.near.remove(&key);
        }
        false
    }

    /// Takes in a refusal; true when it is the first for a while.
    fn refusal(&mut self, scope: Scope, check: CheckId, now: Timestamp) -> bool {
        self.refused.insert((scope, check), now).is_none_or(|last| now.since(last) >= TOLD_AGAIN)
    }
}

/// How far a loss may move either way before an alert comes or clears.
pub(super) fn room(loss: Amount, limit: Amount, is_near: bool) -> Option<Amount> {
    if is_near {
        loss.checked_sub(Amount(limit.0.checked_mul(7)?.checked_div(10)?))
    } else {
        Amount(limit.0.checked_mul(4)?.checked_div(5)?).checked_sub(loss)
    }
}

impl Turn<'_> {
    /// What an approved order brings near its limit. Losses move without orders and are looked at once a second instead.
    pub(super) fn approaching(
        &mut self,
        checks: &[CheckOutcome],
        strategy: Option<StrategyId>,
        instrument: InstrumentId,
    ) -> Vec<Level> {
        let mut near = Vec::new();
        for outcome in checks.iter().filter(|outcome| ORDERS.has(outcome.check)) {
            let Some(scope) = scope(outcome.check, strategy, Some(instrument)) else { continue };
            let level = Level { scope, check: outcome.check, seen: outcome.seen, limit: outcome.limit };
            if self.desk.alerts.level(&level) {
                near.push(level);
            }
        }
        near
    }

    /// What a refused order is the first for in a while to be refused for.
    pub(super) fn reached(
        &mut self,
        checks: &[CheckOutcome],
        strategy: StrategyId,
        instrument: Option<InstrumentId>,
    ) -> Vec<Level> {
        let mut reached = Vec::new();
        for outcome in checks.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Deny(_))) {
            let Some(scope) = scope(outcome.check, Some(strategy), instrument) else { continue };
            if self.desk.alerts.refusal(scope, outcome.check, self.now) {
                reached.push(Level { scope, check: outcome.check, seen: outcome.seen, limit: outcome.limit });
            }
        }
        reached
    }

    /// Tells of losses that have come near their limits.
    pub(super) fn tell_losses(&mut self, levels: &[Level]) {
        for level in levels {
            if self.desk.alerts.level(level) {
                self.tell_level(FindingKind::LimitNear, level);
            }
        }
    }

    /// Tells of one number and its limit.
    pub(super) fn tell_level(&mut self, kind: FindingKind, level: &Level) {
        let (strategy, instrument) = match level.scope {
            Scope::Account => (None, None),
            Scope::Strategy(id) => (self.state.strategy(id), None),
            Scope::Instrument(id) => (None, Some(id)),
        };
        let about = About { strategy, spec: instrument.and_then(|id| self.state.spec(id)) };
        let limits = self.state.limits();
        let key = LimitWords::of_check(level.check)
            .next()
            .and_then(|words| Some(limits?.place(words, about)))
            .unwrap_or_else(|| level.check.to_string());
        let number = |value| level.check.unit().display(value, about.spec);
        let who = strategy.map(|strategy| format!("{}: ", strategy.name)).unwrap_or_default();
        let detail = format!("{who}{key}: {} of {}", number(level.seen), number(level.limit));
        self.finding(Finding { kind, order: None, instrument, detail, at: self.now });
    }
}

/// The checks that are told about: the account's, a strategy's, an instrument's.
const ACCOUNT: [CheckId; 6] = [
    CheckId::PositionAccount,
    CheckId::RateAccountHour,
    CheckId::TradedAccount,
    CheckId::FeesAccount,
    CheckId::LossAccount,
    CheckId::DrawdownAccount,
];
const STRATEGY: [CheckId; 6] = [
    CheckId::PositionStrategy,
    CheckId::RateStrategyHour,
    CheckId::TradedStrategy,
    CheckId::FeesStrategy,
    CheckId::LossStrategy,
    CheckId::DrawdownStrategy,
];
const INSTRUMENT: [CheckId; 1] = [CheckId::PositionInstrument];

/// A set of checks, as bits by their numbers: a decision looks at every one of its checks here.
#[derive(Clone, Copy)]
struct CheckSet(u64);

impl CheckSet {
    const fn of(sets: &[&[CheckId]]) -> Self {
        let (mut bits, mut left) = (0, sets);
        while let [set, rest @ ..] = left {
            let mut checks = *set;
            while let [check, others @ ..] = checks {
                bits |= Self::bit(*check);
                checks = others;
            }
            left = rest;
        }
        Self(bits)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    const fn has(self, check: CheckId) -> bool {
        self.0 & Self::bit(check) != 0
    }

    const fn bit(check: CheckId) -> u64 {
        1_u64.wrapping_shl(check as u32)
    }
}

const LOSSES: CheckSet = CheckSet::of(&[&[
    CheckId::LossAccount,
    CheckId::LossStrategy,
    CheckId::DrawdownAccount,
    CheckId::DrawdownStrategy,
]]);

/// Those that orders move; losses move without them.
const ORDERS: CheckSet = CheckSet::of(&[&ACCOUNT, &STRATEGY, &INSTRUMENT]).without(LOSSES);

/// The scope of a check that is told about; `None` for the others.
fn scope(check: CheckId, strategy: Option<StrategyId>, instrument: Option<InstrumentId>) -> Option<Scope> {
    if ACCOUNT.contains(&check) {
        Some(Scope::Account)
    } else if STRATEGY.contains(&check) {
        strategy.map(Scope::Strategy)
    } else if INSTRUMENT.contains(&check) {
        instrument.map(Scope::Instrument)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Alerts, CheckSet, Level, ORDERS, room};
    use crate::{Amount, CheckId, Scope, Timestamp};

    #[test]
    fn it_is_told_once_until_it_was_far_away_again() {
        let mut alerts = Alerts::default();
        let mut told = |seen| {
            alerts.level(&Level { scope: Scope::Account, check: CheckId::RateAccountHour, seen, limit: 50 })
        };
        assert_eq!(
            [39, 40, 50, 36, 40, 34, 40].map(&mut told),
            [false, true, false, false, false, false, true]
        );
    }

    #[test]
    fn a_refusal_is_told_again_after_a_quiet_while() {
        let mut alerts = Alerts::default();
        let mut told = |second: u64| {
            alerts.refusal(Scope::Account, CheckId::TradedAccount, Timestamp(second * 1_000_000_000))
        };
        assert_eq!([1, 2, 200, 499, 900].map(&mut told), [true, false, false, false, true]);
    }

    #[test]
    fn every_check_has_a_bit_of_its_own() {
        let all = CheckSet::of(&[CheckId::ALL]);
        assert_eq!(usize::try_from(all.0.count_ones()).unwrap(), CheckId::ALL.len());
        assert!(ORDERS.has(CheckId::TradedAccount) && !ORDERS.has(CheckId::LossAccount));
    }

    #[test]
    fn room_reaches_to_the_next_alert_or_to_where_it_clears() {
        assert_eq!(room(Amount(50), Amount(100), false), Some(Amount(30)));
        assert_eq!(room(Amount(-50), Amount(100), false), Some(Amount(130)));
        assert_eq!(room(Amount(75), Amount(100), true), Some(Amount(5)));
    }
}
