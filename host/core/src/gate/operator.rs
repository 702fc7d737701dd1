//! Operators: up the ladder at once, down in two steps.

use crate::checks::{account_profit, strategy_profit};
use crate::{
    DayAnchor, HighWater, Inhibit, OperatorCommand, OperatorEntry, OrderId, Origin, Override, Record, Reply,
    Scope, StateCause, StateChange, StrategyId, TradingState,
};

use super::confirm::Intention;
use super::halt::is_entry;
use super::turn::Turn;
use crate::ledger::DAY_NS;

impl Turn<'_> {
    /// Does what an operator asks. The request is journaled whatever comes of it.
    pub(super) fn operator(&mut self, actor: String, command: OperatorCommand) {
        let entry = OperatorEntry { actor: actor.clone(), command: command.clone(), at: self.now };
        self.record(Record::Operator(entry));
        let reply = match command {
            OperatorCommand::Raise { to: TradingState::Active, .. } => {
                Reply::Refused("only a rearm makes a state active".to_owned())
            }
            OperatorCommand::Raise { scope, to, reason } => {
                if self.raise(scope, to, StateCause::Operator, reason) { Reply::Done } else { Reply::Nothing }
            }
            OperatorCommand::CancelEntries { scope, .. } => self.cancel_entries(scope),
            OperatorCommand::RearmRequest { scope, .. } => self.request_rearm(scope),
            OperatorCommand::RearmConfirm { scope, code, new_baseline } => {
                self.confirm_rearm(scope, &code, new_baseline)
            }
            OperatorCommand::Override { strategy, check, limit, until, reason, code } => {
                let row = Override { strategy, check, limit, until, actor, reason, at: self.now };
                self.grant_override(row, code)
            }
            OperatorCommand::Reconcile => {
                self.ask_for_snapshot();
                Reply::Done
            }
            // The daemon does what these ask; here they are facts.
            OperatorCommand::SetLimits { .. }
            | OperatorCommand::Deploy { .. }
            | OperatorCommand::Stop { .. }
            | OperatorCommand::Access { .. }
            | OperatorCommand::FailedAccess { .. } => Reply::Done,
        };
        self.effects.reply = Some(reply);
    }

    /// The profit at which the day's loss starts to count. `None` when a position cannot be valued.
    pub(super) fn day_anchor(&self) -> Option<DayAnchor> {
        let situation = self.situation(None);
        let strategies: Option<Vec<(StrategyId, crate::Amount)>> =
            self.state.strategies().map(|s| Some((s.id, strategy_profit(s, &situation)?))).collect();
        Some(DayAnchor {
            day: self.now.0 / DAY_NS,
            account: account_profit(&situation)?,
            strategies: strategies?,
        })
    }

    fn cancel_entries(&mut self, scope: Scope) -> Reply {
        let orders: Vec<OrderId> = self
            .state
            .orders()
            .open()
            .filter(|order| is_entry(order))
            .filter(|order| match scope {
                Scope::Account => true,
                Scope::Strategy(id) => order.strategy == Some(id),
                Scope::Instrument(id) => order.instrument == id,
            })
            .map(|order| order.id)
            .collect();
        if orders.is_empty() {
            return Reply::Nothing;
        }
        for id in orders {
            self.cancel(id, Origin::Operator, None, &[]);
        }
        Reply::Done
    }

    fn request_rearm(&mut self, scope: Scope) -> Reply {
        if self.state.ladder().of(scope) == TradingState::Active {
            return Reply::Nothing;
        }
        if let Some(why) = self.rearm_objection() {
            return Reply::Refused(why);
        }
        self.ask_to_confirm(Intention::Rearm(scope))
    }

    fn confirm_rearm(&mut self, scope: Scope, code: &str, new_baseline: bool) -> Reply {
        if let Err(reply) = self.confirm(&Intention::Rearm(scope), code) {
            return reply;
        }
        if let Some(why) = self.rearm_objection() {
            return Reply::Refused(why);
        }
        if new_baseline {
            let Some(anchor) = self.day_anchor() else {
                return Reply::Refused("a position cannot be valued, so there is no new baseline".to_owned());
            };
            let high =
                HighWater { account: anchor.account, strategies: anchor.strategies.clone(), at: self.now };
            self.record(Record::DayAnchor(anchor));
            self.record(Record::HighWater(high));
        }
        let change = StateChange {
            scope,
            from: self.state.ladder().of(scope),
            to: TradingState::Active,
            cause: StateCause::Operator,
            detail: "rearmed".to_owned(),
            at: self.now,
        };
        self.record(Record::TradingState(change));
        self.tell_state(scope);
        self.pursue_halts();
        Reply::Done
    }

    /// Why trading must not resume yet: positions and orders have to be known.
    fn rearm_objection(&self) -> Option<String> {
        if self.desk.holding.contains_key(&Inhibit::Reconciling) {
            return Some("the books are not reconciled with the venue yet".to_owned());
        }
        // Alone among the changes of state it needs the disk (RULES G7).
        if self.desk.holding.contains_key(&Inhibit::Journal) {
            return Some("the journal cannot be written".to_owned());
        }
        let unknown = self.state.orders().unresolved().count();
        (unknown > 0).then(|| format!("{unknown} orders are not resolved yet"))
    }
}
