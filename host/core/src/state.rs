//! Everything the gate knows that must survive a restart: a fold over the records, and nothing else (RULES J1).

mod apply;
mod change;
mod strategy;

use std::collections::{BTreeMap, HashSet};

use sha2::{Digest as _, Sha256};

pub use strategy::Strategy;

use crate::ledger::DayTotal;
use crate::rate_window::OrderRates;
use crate::{
    Amount, Category, CheckId, Digest, ExecId, InstrumentId, InstrumentLimits, InstrumentSpec, Ladder,
    Ledger, Limits, LinkId, Orders, Override, Record, RefusalCode, SessionStart, StrategyId, StrategyName,
    Symbol, Timestamp, TradingState, WalletReport,
};

/// The durable state. Two journals with the same records fold to equal states.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    pub(crate) session: Option<SessionStart>,
    pub(crate) limits: Option<Limits>,
    pub(crate) instruments: BTreeMap<InstrumentId, Instrument>,
    instrument_names: BTreeMap<(Category, Symbol), InstrumentId>,
    pub(crate) strategies: BTreeMap<StrategyId, Strategy>,
    strategy_names: BTreeMap<StrategyName, StrategyId>,
    pub(crate) orders: Orders,
    pub(crate) ledger: Ledger,
    pub(crate) ladder: Ladder,
    pub(crate) wallet: Option<WalletReport>,
    pub(crate) rates: OrderRates,
    pub(crate) traded: DayTotal,
    pub(crate) fees: DayTotal,
    pub(crate) anchor: Anchor,
    /// The account's highest profit so far, as far as it was written down.
    pub(crate) high: Amount,
    /// Bounds that one order of a strategy may pass.
    pub(crate) overrides: BTreeMap<(StrategyId, CheckId), Override>,
    executions: HashSet<ExecKey>,
    pub(crate) last_execution: Timestamp,
    pub(crate) refused: BTreeMap<RefusalCode, u64>,
    pub(crate) findings: u64,
}

/// One instrument, as the books have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// Its rules.
    pub spec: InstrumentSpec,
    /// What bounds it; `None` when the limits file has no section for it, which refuses.
    pub limits: Option<InstrumentLimits>,
    /// The strategy whose position this is: the one that runs on it, or that did last.
    pub owner: Option<StrategyId>,
}

/// From where the day's loss is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Anchor {
    /// Days since 1970-01-01 UTC; 0 before the first.
    pub(crate) day: u64,
    /// The account's total profit then.
    pub(crate) account: Amount,
}

/// An execution's id as 128 bits of its hash: ids are up to 64 bytes, and all of them are kept.
type ExecKey = [u8; 16];

impl State {
    /// The running session; `None` before the first.
    pub fn session(&self) -> Option<&SessionStart> {
        self.session.as_ref()
    }

    /// The limits in force; without them nothing that adds risk passes.
    pub fn limits(&self) -> Option<&Limits> {
        self.limits.as_ref()
    }

    /// Hash of the limits in force; zero without.
    pub fn limits_hash(&self) -> Digest {
        self.limits.as_ref().map(Limits::hash).unwrap_or_default()
    }

    /// An instrument.
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(&id)
    }

    /// Every instrument.
    pub fn instruments(&self) -> impl Iterator<Item = &Instrument> {
        self.instruments.values()
    }

    /// The number of an instrument seen before.
    pub fn instrument_named(&self, category: Category, symbol: &Symbol) -> Option<InstrumentId> {
        self.instrument_names.get(&(category, symbol.clone())).copied()
    }

    /// The number for an instrument never seen before.
    pub fn next_instrument(&self) -> InstrumentId {
        InstrumentId(self.instruments.keys().next_back().map_or(0, |id| id.0.saturating_add(1)))
    }

    /// A strategy that ever started.
    pub fn strategy(&self, id: StrategyId) -> Option<&Strategy> {
        self.strategies.get(&id)
    }

    /// Every strategy that ever started.
    pub fn strategies(&self) -> impl Iterator<Item = &Strategy> {
        self.strategies.values()
    }

    /// The number of a strategy that started before.
    pub fn strategy_named(&self, name: &StrategyName) -> Option<StrategyId> {
        self.strategy_names.get(name).copied()
    }

    /// The number for a strategy that never started before.
    pub fn next_strategy(&self) -> StrategyId {
        StrategyId(self.strategies.keys().next_back().map_or(0, |id| id.0.saturating_add(1)))
    }

    /// The orders.
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// The books.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The latched trading states.
    pub fn ladder(&self) -> &Ladder {
        &self.ladder
    }

    /// The strictest latched state over account, strategy and its instruments.
    pub fn trading_state(&self, strategy: StrategyId) -> TradingState {
        let instruments =
            self.strategies.get(&strategy).map(|s| s.instruments.as_slice()).unwrap_or_default();
        instruments
            .iter()
            .map(|id| self.ladder.effective(Some(strategy), Some(*id)))
            .fold(self.ladder.effective(Some(strategy), None), Ord::max)
    }

    /// The venue's last word on the wallet.
    pub fn wallet(&self) -> Option<&WalletReport> {
        self.wallet.as_ref()
    }

    /// Bounds that one order of a strategy may pass, used up or expired ones left out.
    pub fn overrides(&self, now: Timestamp) -> impl Iterator<Item = &Override> {
        self.overrides.values().filter(move |row| now <= row.until)
    }

    /// Fees paid by the account on a day, counted from 1970-01-01 UTC.
    pub fn fees_on(&self, day: u64) -> Amount {
        self.fees.on(day)
    }

    /// The account's highest total profit so far, as far as it was written down.
    pub fn high_water(&self) -> Amount {
        self.high
    }

    /// Refusals by code, over all strategies and sessions.
    pub fn refused(&self) -> impl Iterator<Item = (RefusalCode, u64)> {
        self.refused.iter().map(|(code, count)| (*code, *count))
    }

    /// Findings so far.
    pub fn finding_count(&self) -> u64 {
        self.findings
    }

    /// Number of executions accounted so far.
    pub fn execution_count(&self) -> u64 {
        self.executions.len() as u64
    }

    /// The venue's time of the newest execution in the books; 0 before the first.
    pub fn last_execution(&self) -> Timestamp {
        self.last_execution
    }

    /// Value traded by the account on a day, counted from 1970-01-01 UTC.
    pub fn traded_on(&self, day: u64) -> Amount {
        self.traded.on(day)
    }

    /// Whether this execution is in the books already.
    pub fn has_execution(&self, exec: &ExecId) -> bool {
        self.executions.contains(&exec_key(exec))
    }

    /// On whose account something in this instrument is booked.
    pub fn owner(&self, instrument: InstrumentId) -> Option<StrategyId> {
        self.instruments.get(&instrument).and_then(|instrument| instrument.owner)
    }

    /// The instrument whose orders or positions a fact is about to change; `None` for a fact that changes none.
    pub(crate) fn instrument_of(&self, record: &Record) -> Option<InstrumentId> {
        let of_order = |order: Option<&crate::Order>| order.map(|order| order.instrument);
        match record {
            Record::Intent(intent) => Some(intent.command.instrument()),
            Record::NotSent(not_sent) => of_order(self.orders.by_sequence(not_sent.of)),
            Record::Submission(submitted) => of_order(self.orders.by_sequence(submitted.of)),
            Record::Resolved(resolved) => of_order(self.orders.get(resolved.order)),
            Record::Order(report) => Some(report.instrument),
            Record::Execution(execution) => Some(execution.instrument),
            Record::Adjustment(adjustment) => Some(adjustment.instrument),
            Record::Instrument(spec) => Some(spec.id),
            Record::Session(_)
            | Record::Limits(_)
            | Record::StrategyStarted(_)
            | Record::StrategyStopped(_)
            | Record::StrategyFault(_)
            | Record::Refused(_)
            | Record::RefusedSummary(_)
            | Record::Wallet(_)
            | Record::TradingState(_)
            | Record::Operator(_)
            | Record::Finding(_)
            | Record::DayAnchor(_)
            | Record::HighWater(_)
            | Record::Override(_) => None,
        }
    }

    pub(crate) fn spec(&self, instrument: InstrumentId) -> Option<&InstrumentSpec> {
        self.instruments.get(&instrument).map(|instrument| &instrument.spec)
    }

    /// Books the link and sequence that the journal gave to a command.
    pub(crate) fn committed(
        &mut self,
        command: &crate::Command,
        sequence: crate::Sequence,
        link: Option<LinkId>,
    ) {
        let Some(id) = command.order() else { return };
        let Some(spec) =
            self.orders.get(id).and_then(|order| self.instruments.get(&order.instrument)).map(|i| &i.spec)
        else {
            return;
        };
        let is_place = matches!(command, crate::Command::Place(_));
        self.orders.edit(id, spec, |order| {
            if is_place {
                order.sequence = Some(sequence);
                order.link = link;
            }
            if let Some(pending) = &mut order.pending
                && pending.sequence.is_none()
            {
                pending.sequence = Some(sequence);
            }
        });
    }
}

fn exec_key(exec: &ExecId) -> ExecKey {
    let digest: [u8; 32] = Sha256::digest(exec.as_str()).into();
    let mut key = [0; 16];
    key.copy_from_slice(digest.split_at(16).0);
    key
}
