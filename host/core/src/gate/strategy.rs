//! Strategies come, fail and go.

use crate::checks::budgets;
use crate::{
    Amount, Finding, FindingKind, Gate, InstrumentId, Origin, Record, RefusalCode, Reply, State,
    StrategyChange, StrategyFailure, StrategyFault, StrategyId, StrategyStarted, StrategyStopped,
};

use super::desk::Live;
use super::turn::Turn;

/// Longest detail of a finding, in bytes.
const DETAIL_BYTES_MAX: usize = 512;

impl Gate {
    /// Why a strategy may not start on these instruments with this budget, and on account of which instrument; `None` when it may.
    /// The same question is asked again when it starts.
    pub fn start_objection(
        &self,
        strategy: StrategyId,
        instruments: &[InstrumentId],
        budget: Amount,
    ) -> Option<(RefusalCode, Option<InstrumentId>)> {
        start_objection(&self.state, strategy, instruments, budget)
    }
}

impl Turn<'_> {
    /// Something happened to a strategy.
    pub(super) fn strategy(&mut self, change: StrategyChange) {
        match change {
            StrategyChange::Started(started) => self.start(started),
            StrategyChange::Warm(id) => self.desk.live.entry(id).or_default().warm = true,
            StrategyChange::Resynced(id) => self.desk.live.entry(id).or_default().resynced = true,
            StrategyChange::Faulted { strategy, failure } => self.fault(strategy, failure, false),
            StrategyChange::Quarantined { strategy, failure, first } => {
                self.fault(strategy, failure, true);
                self.tell_quarantine(strategy, &first);
                self.cancel_own_entries(strategy);
            }
            StrategyChange::DataGap { strategy, dropped, interruptions } => {
                let name = self.name_of(strategy);
                let detail =
                    format!("{name}: {dropped} events dropped, {interruptions} interruptions of the feed");
                self.strategy_finding(FindingKind::DataGap, detail);
            }
            StrategyChange::Unresponsive(strategy) => self.cancel_own_entries(strategy),
            StrategyChange::Stopped { strategy, reason } => {
                self.record(Record::StrategyStopped(StrategyStopped { strategy, reason, at: self.now }));
                self.desk.live.remove(&strategy);
                self.cancel_own_entries(strategy);
            }
        }
    }

    fn start(&mut self, started: StrategyStarted) {
        let StrategyStarted { strategy, instruments, budget, .. } = &started;
        if let Some((code, instrument)) = start_objection(self.state, *strategy, instruments, *budget) {
            self.effects.reply = Some(Reply::StartRefused { code, instrument });
            return;
        }
        self.desk.live.insert(started.strategy, Live::default());
        self.record(Record::StrategyStarted(started));
        self.effects.reply = Some(Reply::Done);
    }

    fn fault(&mut self, strategy: StrategyId, failure: StrategyFailure, quarantined: bool) {
        let StrategyFailure { code, detail, evidence } = failure;
        let fault = StrategyFault { strategy, code, detail, evidence, quarantined, at: self.now };
        self.record(Record::StrategyFault(fault));
        self.desk.live.entry(strategy).or_default().resynced = false;
    }

    /// Tells the operator, who alone can bring the strategy back.
    fn tell_quarantine(&mut self, strategy: StrategyId, first: &StrategyFailure) {
        let name = self.name_of(strategy);
        let file = first.evidence.as_deref().map(|file| format!(" (faults/{file})")).unwrap_or_default();
        let mut detail = format!(
            "{name} failed too often and stays down until it is started again; first {}{file}: {}",
            first.code, first.detail
        );
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        self.strategy_finding(FindingKind::StrategyQuarantined, detail);
    }

    fn name_of(&self, strategy: StrategyId) -> String {
        self.state.strategy(strategy).map(|known| known.name.to_string()).unwrap_or_default()
    }

    fn strategy_finding(&mut self, kind: FindingKind, detail: String) {
        self.finding(Finding { kind, order: None, instrument: None, detail, at: self.now });
    }

    fn cancel_own_entries(&mut self, strategy: StrategyId) {
        for order in self.own_orders(strategy, None, true) {
            self.cancel(order, Origin::StrategyDown, None, &[]);
        }
    }
}

fn start_objection(
    state: &State,
    strategy: StrategyId,
    instruments: &[InstrumentId],
    budget: Amount,
) -> Option<(RefusalCode, Option<InstrumentId>)> {
    let of_instrument = |id: &InstrumentId| {
        let code = match state.instrument(*id) {
            None => RefusalCode::UnknownInstrument,
            Some(_) if is_taken(state, *id, strategy) => RefusalCode::SymbolOwned,
            Some(instrument) if instrument.limits.is_none() => RefusalCode::LimitMissing,
            Some(_) => return None,
        };
        Some((code, Some(*id)))
    };
    instruments.iter().find_map(of_instrument).or_else(|| {
        let Some(limits) = state.limits() else { return Some((RefusalCode::LimitMissing, None)) };
        // Its own budget before is replaced by the new one.
        let own = state.strategy(strategy).filter(|own| own.running).map_or(Amount::ZERO, |own| own.budget);
        let after = budgets(state)?.checked_sub(own)?.checked_add(budget);
        let fits = after.is_some_and(|after| after <= limits.account.capital);
        (!fits).then_some((RefusalCode::CapitalExceeded, None))
    })
}

/// Whether an instrument is another strategy's: it runs, or has left something open there (RULES G1).
fn is_taken(state: &State, instrument: InstrumentId, by: StrategyId) -> bool {
    let Some(owner) = state.owner(instrument).filter(|owner| *owner != by) else { return false };
    state.strategy(owner).is_some_and(|strategy| strategy.running)
        || !state.ledger().position(instrument, Some(owner)).quantity.is_flat()
        || state.orders().open_in(instrument).next().is_some()
}
