//! Executions: what they do to the order, the position and the wallet.

use portcullis_core::{Price, Qty, Timestamp};

use super::account::{Fill, Wallet};
use super::event::{Event, Execution, ExecutionKind};
use super::market::Market;
use super::money::{fee, plus};
use super::order::{Closed, Order, Status};

/// The wallet and the count of what moved it.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) wallet: Wallet,
    pub(super) last_execution: u64,
}

/// How an execution comes about.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) now: Timestamp,
    pub(super) maker: bool,
    pub(super) kind: ExecutionKind,
}

impl Ledger {
    /// Executes up to `quantity` of an order and books it. A reduce-only order executes at most what it can reduce, and closes
    /// when that is nothing. Returns what was executed.
    pub(super) fn execute(
        &mut self,
        how: How,
        market: &mut Market,
        order: &mut Order,
        price: Price,
        quantity: Qty,
        out: &mut Vec<Event>,
    ) -> Qty {
        let mut quantity = Qty(quantity.0.min(order.unexecuted().0));
        if order.reduce_only {
            quantity = Qty(quantity.0.min(market.position.reducible(order.side).0));
        }
        if quantity.0 <= 0 {
            if order.reduce_only {
                close(order, how.now, Closed::ReduceOnly);
            }
            return Qty(0);
        }
        let value = market.scale.value(price, quantity);
        let rate = if how.maker { market.spec.maker_fee } else { market.spec.taker_fee };
        let fee = fee(value, rate);
        let held = market.position.side();
        let (closed, realised) =
            market.position.fill(how.now, Fill { side: order.side, quantity, value, fee });
        if market.position.side() != held {
            // What protected the old position does not protect the new one.
            market.position.take_profit = order.take_profit;
            market.position.stop_loss = order.stop_loss;
        } else if closed.0 == 0 {
            market.position.take_profit = order.take_profit.or(market.position.take_profit);
            market.position.stop_loss = order.stop_loss.or(market.position.stop_loss);
        }
        if market.position.side().is_none() {
            market.position.take_profit = None;
            market.position.stop_loss = None;
        }
        self.wallet.settle(realised, fee);
        order.executed = Qty(order.executed.0.saturating_add(quantity.0));
        order.executed_value = plus(order.executed_value, value);
        order.fees = plus(order.fees, fee);
        order.realised = plus(order.realised, realised);
        order.updated = how.now;
        order.status = if order.unexecuted().0 == 0 { Status::Filled } else { Status::PartiallyFilled };
        self.last_execution = self.last_execution.saturating_add(1);
        out.push(Event::Execution(Execution {
            number: self.last_execution,
            kind: how.kind,
            order: Some(order.key),
            link: order.link.clone(),
            origin: order.origin,
            instrument: order.instrument,
            side: order.side,
            price,
            quantity,
            value,
            fee,
            rate,
            maker: how.maker,
            closed,
            realised,
            order_price: order.price,
            order_quantity: order.quantity,
            leaves: order.leaves(),
            mark: market.mark,
            time: how.now,
        }));
        quantity
    }
}

/// Closes an order unfilled. One that never worked is `Deactivated`.
pub(super) fn close(order: &mut Order, now: Timestamp, why: Closed) {
    order.status = if order.waits() { Status::Deactivated } else { Status::Cancelled };
    order.closed = why;
    order.updated = now;
}
