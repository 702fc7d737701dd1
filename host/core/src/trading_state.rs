//! The kill ladder: a latched state per scope, and self-clearing inhibits beside it (RULES G6). What holds is the stricter.

use core::fmt;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{InstrumentId, StrategyId, Timestamp};

/// A rung of the ladder. Raising it acts at once; only a two-step rearm lowers it (invariant 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[repr(u8)]
pub enum TradingState {
    /// Everything within the limits passes.
    #[default]
    Active = 0,
    /// As active; the operator is told.
    Caution = 1,
    /// Only orders that reduce pass.
    ReduceOnly = 2,
    /// As reduce-only, and open entries are cancelled until a query shows none.
    EntriesCancelled = 3,
    /// As entries-cancelled, and the host closes the positions.
    Flattening = 4,
    /// Nothing but cancels passes.
    Locked = 5,
}

impl TradingState {
    /// The word in logs, journal and console.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Caution => "caution",
            Self::ReduceOnly => "reduce-only",
            Self::EntriesCancelled => "entries-cancelled",
            Self::Flattening => "flattening",
            Self::Locked => "locked",
        }
    }

    /// The number in frames (`wit/frame.md`).
    pub const fn number(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Caution => 1,
            Self::ReduceOnly => 2,
            Self::EntriesCancelled => 3,
            Self::Flattening => 4,
            Self::Locked => 5,
        }
    }
}

impl fmt::Display for TradingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a trading state or a limit applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// The whole account.
    Account,
    /// One strategy.
    Strategy(StrategyId),
    /// One instrument.
    Instrument(InstrumentId),
}

/// Why a trading state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum StateCause {
    /// An operator said so.
    Operator,
    /// The day's loss reached its bound.
    DailyLoss,
    /// Too many rejections in a row.
    RejectStorm,
    /// The venue shows a position that our executions do not explain.
    UnexplainedPosition,
    /// An order under our prefix that we never journaled: the key is in other hands.
    KeyMisuse,
    /// An order that is not ours, and the limits file says `foreign_orders = "halt"`.
    ForeignOrder,
    /// An inhibit lasted beyond its bound.
    InhibitLasted,
    /// A sum in the books left the range of its type, so that no bound can be computed.
    Unsound,
    /// The loss since the highest profit reached its bound.
    Drawdown,
    /// The same order was executed again and again.
    RepeatedExecution,
    /// The day's profit is larger than the operator thinks likely.
    DailyProfit,
    /// A position has no stop at the venue, and none could be put there.
    ProtectionMissing,
    /// An inhibit came back too often.
    InhibitRecurred,
    /// The venue has orders of ours that are newer than the journal: an older copy of it was put back (RULES J5).
    RolledBack,
    /// The account or its keys are not as the operator's policy wants them.
    AccountPolicy,
}

impl StateCause {
    /// The word in logs, journal and console.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::DailyLoss => "daily-loss",
            Self::RejectStorm => "reject-storm",
            Self::UnexplainedPosition => "unexplained-position",
            Self::KeyMisuse => "key-misuse",
            Self::ForeignOrder => "foreign-order",
            Self::InhibitLasted => "inhibit-lasted",
            Self::Unsound => "unsound",
            Self::Drawdown => "drawdown",
            Self::RepeatedExecution => "repeated-execution",
            Self::DailyProfit => "daily-profit",
            Self::ProtectionMissing => "protection-missing",
            Self::InhibitRecurred => "inhibit-recurred",
            Self::RolledBack => "rolled-back",
            Self::AccountPolicy => "account-policy",
        }
    }
}

/// A passing condition that holds orders which add risk; it clears by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Inhibit {
    /// Public market data is disconnected.
    PublicFeed,
    /// The private stream is disconnected.
    PrivateStream,
    /// The books have not been compared with the venue since the last gap.
    Reconciling,
    /// Our clock and the venue's differ by more than 500 ms, or the difference is not known.
    ClockSkew,
    /// The signer does not answer.
    Signer,
    /// The journal is behind or cannot be written.
    Journal,
    /// The disk is nearly full.
    Disk,
    /// The venue's rate budget is used up.
    RateBudget,
    /// The sentinel, which cancels entries should the gateway die, does not answer.
    Watchdog,
    /// The signer has stopped signing what adds risk, and goes on with cancels and reductions.
    SignerLatched,
}

impl Inhibit {
    /// Every inhibit.
    pub const ALL: [Self; 10] = [
        Self::PublicFeed,
        Self::PrivateStream,
        Self::Reconciling,
        Self::ClockSkew,
        Self::Signer,
        Self::Journal,
        Self::Disk,
        Self::RateBudget,
        Self::Watchdog,
        Self::SignerLatched,
    ];

    /// The word in logs, journal and console.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PublicFeed => "public-feed",
            Self::PrivateStream => "private-stream",
            Self::Reconciling => "reconciling",
            Self::ClockSkew => "clock-skew",
            Self::Signer => "signer",
            Self::Journal => "journal",
            Self::Disk => "disk",
            Self::RateBudget => "rate-budget",
            Self::Watchdog => "watchdog",
            Self::SignerLatched => "signer-latched",
        }
    }

    const fn bit(self) -> u16 {
        match self {
            Self::PublicFeed => 1,
            Self::PrivateStream => 2,
            Self::Reconciling => 4,
            Self::ClockSkew => 8,
            Self::Signer => 16,
            Self::Journal => 32,
            Self::Disk => 64,
            Self::RateBudget => 128,
            Self::Watchdog => 256,
            Self::SignerLatched => 512,
        }
    }
}

/// The inhibits that hold now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inhibits(u16);

impl Inhibits {
    /// Whether none holds.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one holds.
    pub const fn contains(self, inhibit: Inhibit) -> bool {
        self.0 & inhibit.bit() != 0
    }

    /// The inhibits as bits, in the order of [`Inhibit::ALL`], the first lowest.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Those that hold.
    pub fn iter(self) -> impl Iterator<Item = Inhibit> {
        Inhibit::ALL.into_iter().filter(move |inhibit| self.contains(*inhibit))
    }

    pub(crate) fn set(&mut self, inhibit: Inhibit, holds: bool) {
        if holds {
            self.0 |= inhibit.bit();
        } else {
            self.0 &= !inhibit.bit();
        }
    }
}

/// The latched states of every scope. A scope that is not listed is active.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ladder {
    rungs: BTreeMap<Scope, Rung>,
}

/// The state of one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rung {
    /// The state.
    pub state: TradingState,
    /// Why.
    pub cause: StateCause,
    /// Since when.
    pub since: Timestamp,
}

impl Ladder {
    /// The state of exactly this scope.
    pub fn of(&self, scope: Scope) -> TradingState {
        self.rungs.get(&scope).map_or(TradingState::Active, |rung| rung.state)
    }

    /// The strictest state over the account, the strategy and the instrument.
    pub fn effective(&self, strategy: Option<StrategyId>, instrument: Option<InstrumentId>) -> TradingState {
        if self.rungs.is_empty() {
            return TradingState::Active;
        }
        let strategy = strategy.map_or(TradingState::Active, |id| self.of(Scope::Strategy(id)));
        let instrument = instrument.map_or(TradingState::Active, |id| self.of(Scope::Instrument(id)));
        self.of(Scope::Account).max(strategy).max(instrument)
    }

    /// Every scope that is not active.
    pub fn rungs(&self) -> impl Iterator<Item = (Scope, Rung)> {
        self.rungs.iter().map(|(scope, rung)| (*scope, *rung))
    }

    pub(crate) fn set(&mut self, scope: Scope, rung: Rung) {
        if rung.state == TradingState::Active {
            self.rungs.remove(&scope);
        } else {
            self.rungs.insert(scope, rung);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Inhibit, Inhibits, Ladder, Rung, Scope, StateCause, TradingState};
    use crate::{InstrumentId, StrategyId, Timestamp};

    #[test]
    fn the_strictest_scope_rules() {
        let mut ladder = Ladder::default();
        let rung = |state| Rung { state, cause: StateCause::Operator, since: Timestamp(1) };
        ladder.set(Scope::Strategy(StrategyId(1)), rung(TradingState::ReduceOnly));
        ladder.set(Scope::Instrument(InstrumentId(2)), rung(TradingState::Locked));
        let (first, second) = (Some(StrategyId(1)), Some(StrategyId(2)));
        assert_eq!(ladder.effective(first, Some(InstrumentId(1))), TradingState::ReduceOnly);
        assert_eq!(ladder.effective(first, Some(InstrumentId(2))), TradingState::Locked);
        assert_eq!(ladder.effective(second, Some(InstrumentId(1))), TradingState::Active);
        ladder.set(Scope::Account, rung(TradingState::EntriesCancelled));
        assert_eq!(ladder.effective(second, None), TradingState::EntriesCancelled);
        ladder.set(Scope::Account, rung(TradingState::Active));
        assert_eq!(ladder.effective(second, None), TradingState::Active);
    }

    #[test]
    fn inhibits_come_and_go_one_by_one() {
        let mut inhibits = Inhibits::default();
        for inhibit in Inhibit::ALL {
            inhibits.set(inhibit, true);
        }
        assert_eq!(inhibits.iter().count(), Inhibit::ALL.len());
        inhibits.set(Inhibit::Signer, false);
        assert!(!inhibits.contains(Inhibit::Signer));
        assert!(inhibits.contains(Inhibit::Disk));
        assert!(!inhibits.is_empty());
    }
}
