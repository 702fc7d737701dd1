//! Executions: what they do to the order, the position and the wallets.

use portcullis_core::{Amount, LinkId, Price, Qty, Side, SignedQty, Timestamp};

use super::coin::Coin;
use super::event::{Event, Execution, ExecutionKind};
use super::exit::ExitTerms;
use super::market::Market;
use super::money::{exact_fee, fee, minus, plus};
use super::order::{Closed, Order, Status};
use super::position::{Fill, Filled, Leg};
use super::wallet::{Pocket, Wallets};

/// The wallets and the count of what moved them.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) wallets: Wallets,
    pub(super) last_execution: u64,
    /// Exits of part of a position that executions call for, to be placed once the position is settled.
    pub(super) exits: Vec<PartialExit>,
}

/// A take-profit and a stop-loss for what one order opened.
#[derive(Debug, Clone)]
pub(super) struct PartialExit {
    pub(super) leg: Leg,
    pub(super) quantity: Qty,
    pub(super) take_profit: Option<Price>,
    pub(super) stop_loss: Option<Price>,
    pub(super) terms: ExitTerms,
    pub(super) parent: Option<LinkId>,
}

/// How an execution comes about.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) now: Timestamp,
    pub(super) maker: bool,
    pub(super) kind: ExecutionKind,
}

/// What an execution cost and closed.
struct Booked {
    fee: Amount,
    coin: Coin,
    filled: Filled,
}

impl Ledger {
    /// Executes up to `quantity` of an order and books it. A reduce-only order executes at most what it can reduce, a spot order at
    /// most what its wallet pays; either closes when that is nothing. Returns what was executed.
    pub(super) fn execute(
        &mut self,
        how: How,
        market: &mut Market,
        order: &mut Order,
        price: Price,
        quantity: Qty,
        out: &mut Vec<Event>,
    ) -> Qty {
        let quantity = Qty(quantity.0.min(self.room(market, order, price).0));
        if quantity.0 <= 0 {
            if order.reduce_only {
                close(order, how.now, Closed::ReduceOnly);
            } else if market.is_spot() && how.maker {
                close(order, how.now, Closed::Margin);
            }
            return Qty(0);
        }
        let value = market.scale.value(price, quantity);
        let rate = if how.maker { market.spec.maker_fee } else { market.spec.taker_fee };
        let booked = if market.is_spot() {
            self.book_coins(market, order, quantity, value, how)
        } else {
            self.book_position(market, order, quantity, value, how)
        };
        let Booked { fee, coin, filled } = booked;
        order.executed = Qty(order.executed.0.saturating_add(quantity.0));
        order.executed_value = plus(order.executed_value, value);
        let fees = if coin == Coin::USDT { &mut order.fees } else { &mut order.base_fees };
        *fees = plus(*fees, fee);
        order.realised = plus(order.realised, filled.realised);
        order.updated = how.now;
        // What is left of a budget may not pay for a step more; that order is not filled but closed with its dust.
        let done = order.budget.map_or(order.unexecuted().0 == 0, |budget| order.executed_value == budget);
        order.status = if done { Status::Filled } else { Status::PartiallyFilled };
        self.last_execution = self.last_execution.saturating_add(1);
        out.push(Event::Execution(Execution {
            number: self.last_execution,
            kind: how.kind,
            order: Some(order.key),
            link: order.link.clone(),
            origin: order.origin,
            instrument: order.instrument,
            side: order.side,
            leg: order.leg,
            price,
            quantity,
            value,
            fee,
            fee_coin: coin,
            rate,
            maker: how.maker,
            closed: filled.closed,
            realised: filled.realised,
            opening_fee: filled.opening_fee,
            position: if market.is_spot() { SignedQty(0) } else { market.leg(order.leg).size },
            balance: self.wallets.get(Pocket::USDT).balance,
            base_balance: if market.is_spot() { self.wallets.get(market.base).balance } else { Amount(0) },
            order_price: order.price,
            order_quantity: order.quantity,
            leaves: order.leaves(),
            mark: market.mark,
            time: how.now,
        }));
        quantity
    }

    /// How much of an order may execute at a price, whatever there is to take.
    pub(super) fn room(&self, market: &Market, order: &Order, price: Price) -> Qty {
        let unexecuted = order.unexecuted();
        if order.reduce_only {
            return unexecuted.min(market.leg(order.leg).reducible(order.side));
        }
        if !market.is_spot() {
            return unexecuted;
        }
        let (scale, step) = (market.scale, market.spec.step);
        unexecuted.min(match order.side {
            Side::Buy => {
                let left = |bound: Amount| minus(bound, order.executed_value);
                let bounds = [order.budget, order.spend_max].into_iter().flatten().map(left);
                let pays = bounds.fold(self.wallets.get(Pocket::USDT).balance, Amount::min);
                scale.affordable(pays, price, step)
            }
            Side::Sell => scale.steps_in(self.wallets.get(market.base).balance, step),
        })
    }

    fn book_position(
        &mut self,
        market: &mut Market,
        order: &Order,
        quantity: Qty,
        value: Amount,
        how: How,
    ) -> Booked {
        let rate = if how.maker { market.spec.maker_fee } else { market.spec.taker_fee };
        let fee = fee(value, rate);
        let position = market.leg_mut(order.leg);
        let held = position.side();
        let filled = position.fill(how.now, Fill { side: order.side, quantity, value, fee });
        if position.side() != held {
            // What protected the old position does not protect the new one.
            position.unprotect();
        }
        let opened = Qty(quantity.0.saturating_sub(filled.closed.0));
        if opened.0 > 0 && order.exits.partial {
            self.exits.push(PartialExit {
                leg: order.leg,
                quantity: opened,
                take_profit: order.take_profit,
                stop_loss: order.stop_loss,
                terms: order.exits,
                parent: order.link.clone(),
            });
        } else if opened.0 > 0 {
            let position = market.leg_mut(order.leg);
            if order.take_profit.is_some() {
                position.take_profit = order.take_profit;
                position.exits.profit_watches = order.exits.profit_watches;
            }
            if order.stop_loss.is_some() {
                position.stop_loss = order.stop_loss;
                position.exits.loss_watches = order.exits.loss_watches;
            }
        }
        self.wallets.get_mut(Pocket::USDT).settle(filled.realised, fee);
        Booked { fee, coin: Coin::USDT, filled }
    }

    /// The fee comes off what is received, but a maker's rebate is paid in what is given.
    fn book_coins(
        &mut self,
        market: &Market,
        order: &Order,
        quantity: Qty,
        value: Amount,
        how: How,
    ) -> Booked {
        let rate = if how.maker { market.spec.maker_fee } else { market.spec.taker_fee };
        let coins = market.scale.coin(quantity);
        let sign = |amount: Amount, receives: bool| {
            if receives { amount } else { Amount(amount.0.saturating_neg()) }
        };
        let buys = order.side == Side::Buy;
        self.wallets.get_mut(market.base).trade(sign(coins, buys));
        self.wallets.get_mut(Pocket::USDT).trade(sign(value, !buys));
        let (pocket, of) = if buys == (rate.0 >= 0) { (market.base, coins) } else { (Pocket::USDT, value) };
        let fee = exact_fee(of, rate);
        let wallet = self.wallets.get_mut(pocket);
        wallet.charge(fee);
        let filled = Filled { closed: Qty(0), realised: Amount(0), opening_fee: Amount(0) };
        Booked { fee, coin: wallet.coin, filled }
    }
}

/// Closes an order unfilled. One that never worked is `Deactivated`.
pub(super) fn close(order: &mut Order, now: Timestamp, why: Closed) {
    order.status = if order.waits() { Status::Deactivated } else { Status::Cancelled };
    order.closed = why;
    order.updated = now;
}
