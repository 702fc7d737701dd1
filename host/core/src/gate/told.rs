//! What strategies are told about themselves.

use crate::checks::{Situation, strategy_profit, strategy_worst};
use crate::{
    Amount, BudgetNotice, CloseReason, Execution, FillNotice, InstrumentId, Notice, NoticeBody, Order,
    OrderId, OrderNotice, OrderNumber, PositionNotice, Price, Qty, State, StrategyId, Timestamp,
};

use super::Gate;
use super::turn::{Turn, situation};

/// A strategy's whole state, for a resync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resync {
    /// The number its next `place` gets.
    pub next_order: OrderNumber,
    /// Its open orders, unknown ones marked.
    pub orders: Vec<OrderNotice>,
    /// Its position in each of its instruments.
    pub positions: Vec<PositionNotice>,
    /// Its means.
    pub budget: BudgetNotice,
}

impl Gate {
    /// A strategy's whole state, for a resync; `None` for a strategy that never started.
    pub fn resync(&self, strategy: StrategyId, now: Timestamp) -> Option<Resync> {
        let situation = situation(&self.state, &self.desk, Some(strategy), now);
        let instruments = &self.state.strategy(strategy)?.instruments;
        let orders = instruments.iter().flat_map(|id| self.state.orders().open_in(*id));
        Some(Resync {
            next_order: self.next_order_number(strategy),
            orders: orders.filter(|order| order.number.0 > 0).map(order_notice).collect(),
            positions: instruments.iter().map(|id| position(&self.state, strategy, *id)).collect(),
            budget: budget(&situation, strategy)?,
        })
    }
}

/// What a strategy can see of an order; a record that changes none of it is not worth a word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Visible {
    status: u8,
    reason: CloseReason,
    price: Option<Price>,
    quantity: Qty,
    executed: Qty,
}

impl Visible {
    pub(super) fn of(order: &Order) -> Self {
        Self {
            status: order.status.number(),
            reason: order.reason,
            price: order.price,
            quantity: order.quantity,
            executed: order.executed(),
        }
    }
}

impl Turn<'_> {
    /// Tells a strategy something.
    pub(super) fn tell(&mut self, strategy: StrategyId, venue_time: Timestamp, body: NoticeBody) {
        self.effects.notices.push(Notice { strategy, venue_time, body });
    }

    /// What can be seen of an order now, to compare with [`Turn::tell_order`] after a change.
    pub(super) fn visible(&self, order: OrderId) -> Option<Visible> {
        self.state.orders().get(order).map(Visible::of)
    }

    /// Tells the strategy about its order if what it can see of it has changed.
    pub(super) fn tell_order(&mut self, id: OrderId, before: Option<&Visible>, venue_time: Timestamp) {
        let Some(order) = self.state.orders().get(id) else { return };
        let Some(strategy) = order.strategy.filter(|_| order.number.0 > 0) else { return };
        if before == Some(&Visible::of(order)) {
            return;
        }
        let notice = order_notice(order);
        self.tell(strategy, venue_time, NoticeBody::Order(notice));
    }

    /// Tells the strategy about an execution, its position and its means.
    pub(super) fn tell_fill(&mut self, strategy: StrategyId, order: Option<OrderId>, execution: &Execution) {
        let order = order.and_then(|id| self.state.orders().get(id));
        let notice = FillNotice {
            instrument: execution.instrument,
            number: order.map_or(OrderNumber(0), |order| order.number),
            tag: order.map_or(0, |order| order.tag),
            side: execution.side,
            price: execution.price,
            quantity: execution.quantity,
            fee: execution.fee,
            maker: execution.maker,
            executed: order.map_or(execution.quantity, |order| order.accounted),
        };
        self.tell(strategy, execution.venue_time, NoticeBody::Fill(notice));
    }

    /// Tells a strategy its position in an instrument, and its means.
    pub(super) fn tell_position(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        venue_time: Timestamp,
    ) {
        let notice = position(self.state, strategy, instrument);
        self.tell(strategy, venue_time, NoticeBody::Position(notice));
        self.tell_budget(strategy, venue_time);
    }

    /// Tells a strategy its means.
    pub(super) fn tell_budget(&mut self, strategy: StrategyId, venue_time: Timestamp) {
        if let Some(notice) = budget(&self.situation(Some(strategy)), strategy) {
            self.tell(strategy, venue_time, NoticeBody::Budget(notice));
        }
    }
}

fn position(state: &State, strategy: StrategyId, instrument: InstrumentId) -> PositionNotice {
    let position = state.ledger().position(instrument, Some(strategy));
    PositionNotice {
        instrument,
        quantity: position.quantity,
        cost: position.cost,
        realised: position.realised,
        fees: position.fees,
    }
}

fn budget(situation: &Situation<'_>, id: StrategyId) -> Option<BudgetNotice> {
    let strategy = situation.state.strategy(id)?;
    let profit = strategy_profit(strategy, situation).map(|profit| profit.min(Amount::ZERO));
    let free = match (profit, strategy_worst(strategy, situation)) {
        (Some(loss), Some(worst)) => {
            strategy.budget.saturating_add(loss).saturating_sub(worst).max(Amount::ZERO)
        }
        // What cannot be valued leaves nothing free.
        _ => Amount::ZERO,
    };
    Some(BudgetNotice { capital: strategy.budget, free, state: situation.state.trading_state(id) })
}

fn order_notice(order: &Order) -> OrderNotice {
    OrderNotice {
        instrument: order.instrument,
        number: order.number,
        tag: order.tag,
        side: order.side,
        price: order.price,
        quantity: order.quantity,
        executed: order.executed(),
        status: order.status,
        reason: order.reason,
    }
}
