//! Strategies and operators have their turns.

use portcullis_core::{
    Cause, Digest, FaultCode, Input, InstrumentId, OperatorCommand, Reply, Scope, StrategyChange,
    StrategyFailure, StrategyId, Timestamp, TradingState,
};
use portcullis_gateway::Step;

use super::World;
use crate::clock::{MS, SECOND};
use crate::gateway;
use crate::queue::Event;
use crate::strategies::{self, View};

/// Quantities worth about 2,500 USDT.
const LOTS: [i64; 2] = [42, 83];

/// What a strategy is given, in USDT: more than its limits let it use, or, now and then, less than it may hold already.
const BUDGET: i64 = 25_000;

impl World {
    /// A strategy starts, warms up and sees its whole state.
    pub(super) fn launch(&mut self, time: u64, session: u32, which: usize) {
        if !self.is_up(session) || self.strategies[which].running || self.calm {
            return;
        }
        self.clock.reach(time);
        let budget = if self.turns.chance(350) { self.turns.between(0, BUDGET / 2) } else { BUDGET };
        let started = gateway::started(which, budget, self.clock.local());
        let strategy = started.strategy;
        self.outside.get().note(&[40, which as u64, budget as u64], || {
            format!("strategy {which} starts with {budget} USDT")
        });
        let reply = self.input(Input::Strategy(StrategyChange::Started(started)));
        if reply == Some(Reply::Done) {
            self.outside.get().watch.given(which, budget, time);
            self.strategies[which].running = true;
            self.step(|road| road.act(strategy, [Step::Warm, Step::Resynced], &[]));
        } else if self.is_up(session) {
            self.come_back(which);
        }
    }

    pub(super) fn strategy(&mut self, time: u64, which: usize) {
        if self.calm {
            return;
        }
        let pause = self.plan.pause_ms as u64 * MS;
        let pause = pause / 4 + self.turns.below(pause * 2);
        self.outside.get().after(pause, Event::Strategy(which));
        let Some(road) = self.road.as_ref().filter(|_| self.strategies[which].running) else { return };
        self.clock.reach(time);
        let strategy = StrategyId(which as u16);
        if self.turns.chance(8) {
            return self.falter(which);
        }
        let now = self.clock.local();
        let market = self.outside.get().exchange.markets[which];
        let last = road.gate().next_order_number(strategy).0 - 1;
        let view = View { market, lot: LOTS[which], last, now };
        let actions = strategies::turn(&mut self.turns, &view);
        let age =
            if self.turns.chance(50) { self.turns.below(2 * SECOND) } else { self.turns.below(50 * MS) };
        let cause = Cause { time: Timestamp(now.0 - age), event: self.steps, frame: Digest::default() };
        self.outside.get().note(&[41, which as u64, actions.len() as u64], || {
            let few: Vec<String> = actions.iter().take(4).map(|action| format!("{action:?}")).collect();
            format!("strategy {which} asks for {}: {}", actions.len(), few.join("; "))
        });
        let steps: Vec<Step> = actions.into_iter().map(|action| Step::Action(cause, action)).collect();
        self.step(|road| road.act(strategy, steps, b"frame"));
    }

    /// A strategy fails, goes silent or is stopped.
    fn falter(&mut self, which: usize) {
        let strategy = StrategyId(which as u16);
        let failure =
            StrategyFailure { code: FaultCode::Trap, detail: "by chance".to_owned(), evidence: None };
        let change = match self.turns.below(4) {
            0 => StrategyChange::Faulted { strategy, failure },
            1 => StrategyChange::Quarantined { strategy, first: failure.clone(), failure },
            2 => StrategyChange::Unresponsive(strategy),
            _ => StrategyChange::Stopped { strategy, reason: failure.detail },
        };
        self.outside.get().note(&[42, which as u64], || format!("strategy: {change:?}"));
        self.strategies[which].running = matches!(change, StrategyChange::Unresponsive(_));
        self.input(Input::Strategy(change));
        self.come_back(which);
    }

    pub(super) fn operator(&mut self, time: u64) {
        if self.calm {
            return;
        }
        let pause = self.plan.operator_every_s as u64 * SECOND;
        let pause = pause / 2 + self.turns.below(pause);
        self.outside.get().after(pause, Event::Operator);
        if self.road.is_none() {
            return;
        }
        self.clock.reach(time);
        let scope = match self.turns.below(6) {
            0..=2 => Scope::Account,
            3 => Scope::Strategy(StrategyId(self.turns.below(2) as u16)),
            _ => Scope::Instrument(InstrumentId(self.turns.below(2) as u32)),
        };
        let reason = "an operator's turn".to_owned();
        match self.turns.below(10) {
            0..=2 => self.raise(scope),
            3 => drop(self.ask(OperatorCommand::CancelEntries { scope, reason })),
            _ => {
                // Most of the time somebody wants trading to go on, whatever scope holds it up.
                let held = self.road.as_ref().and_then(|road| road.gate().state().ladder().rungs().next());
                let scope = held.map_or(scope, |(scope, _)| scope);
                let reply = self.ask(OperatorCommand::RearmRequest { scope, reason });
                if let Some(Reply::ConfirmWith { code, .. }) = reply {
                    let session = self.session;
                    let new_baseline = self.turns.chance(500);
                    let code = if self.turns.chance(50) { "wrong".to_owned() } else { code };
                    let slow = self.turns.chance(100);
                    let delay = self.turns.below(if slow { 90 * SECOND } else { 10 * SECOND });
                    let confirm = Event::Confirm { session, scope, code, new_baseline };
                    self.outside.get().after(delay, confirm);
                }
            }
        }
    }

    fn raise(&mut self, scope: Scope) {
        let to = *self.turns.pick(&[
            TradingState::Caution,
            TradingState::ReduceOnly,
            TradingState::EntriesCancelled,
            TradingState::EntriesCancelled,
            TradingState::Flattening,
            TradingState::Locked,
        ]);
        let session = self.session;
        let halts = self.halts_anew(scope, to);
        let before = self.outside.get().cancel_alls;
        self.ask(OperatorCommand::Raise { scope, to, reason: "an operator's turn".to_owned() });
        let Some(road) = self.road.as_ref().filter(|_| self.session == session) else { return };
        if halts && self.outside.get().cancel_alls == before {
            let detail = format!("{scope:?} was raised to {to} and nothing was cancelled");
            self.outside.get().watch.violate("halt-acts", detail);
        }
        let reached = road.gate().state().ladder().of(scope);
        if reached < to {
            self.outside
                .get()
                .watch
                .violate("raise", format!("{scope:?} was raised to {to} and is {reached}"));
        }
    }

    /// Whether raising this scope begins a halt somewhere: it acts at once, disk or no disk (invariant 5).
    fn halts_anew(&self, scope: Scope, to: TradingState) -> bool {
        let Some(road) = self.road.as_ref() else { return false };
        let state = road.gate().state();
        to >= TradingState::EntriesCancelled
            && state.instruments().filter(|instrument| instrument.owner.is_some()).any(|instrument| {
                let id = instrument.spec.id;
                let concerned = match scope {
                    Scope::Account => true,
                    Scope::Strategy(strategy) => instrument.owner == Some(strategy),
                    Scope::Instrument(other) => other == id,
                };
                concerned
                    && state.ladder().effective(instrument.owner, Some(id)) < TradingState::EntriesCancelled
            })
    }

    pub(super) fn confirm(&mut self, scope: Scope, code: String, new_baseline: bool) {
        let command = OperatorCommand::RearmConfirm { scope, code, new_baseline };
        self.outside.get().note(&[43], || format!("operator: {command:?}"));
        let input = Input::Operator { actor: "operator".to_owned(), command };
        self.outside.get().watch.rearming = Some(scope);
        let done = self.step(|road| road.step(input));
        self.outside.get().watch.confirmed(scope, done.is_none());
    }

    fn ask(&mut self, command: OperatorCommand) -> Option<Reply> {
        self.outside.get().note(&[44], || format!("operator: {command:?}"));
        self.input(Input::Operator { actor: "operator".to_owned(), command })
    }
}
