//! Margin, leverage, funding and liquidation of the account.

use portcullis_core::{Amount, InstrumentId, Side, Timestamp};

use super::account::Margin;
use super::event::{Event, Execution, ExecutionKind};
use super::ledger::How;
use super::market::Market;
use super::money::{fee, initial_margin, minus, plus, share};
use super::order::{Closed, Order, OrderKey, Origin};
use super::{Engine, Reject};

impl Engine {
    /// How the account stands now.
    #[must_use]
    pub fn margin(&self) -> Margin {
        self.margin_with(None)
    }

    /// How the account would stand with one more order of a value on a side of an instrument.
    pub(super) fn margin_with(&self, extra: Option<(usize, Side, Amount)>) -> Margin {
        let mut margin = Margin {
            equity: self.ledger.wallet.balance,
            unrealised: Amount(0),
            initial: Amount(0),
            position_initial: Amount(0),
            maintenance: Amount(0),
        };
        for (slot, market) in self.markets.iter().enumerate() {
            let extra = extra.filter(|(at, ..)| *at == slot);
            if market.untouched() && extra.is_none() {
                continue;
            }
            let (value, unrealised) = market.valuation();
            let signed = if market.position.size.0 < 0 { Amount(value.0.saturating_neg()) } else { value };
            // An order counts in full on the side that would grow the position, and by what is left of it on the other.
            let after = |side: Side| {
                let mut sum = if side == Side::Buy { signed } else { Amount(signed.0.saturating_neg()) };
                for resting in market.own(side) {
                    if let Some(order) = self.orders.get(&resting.key).filter(|order| !order.reduce_only) {
                        sum = plus(sum, market.scale.value(resting.price, order.leaves()));
                    }
                }
                if let Some((_, _, value)) = extra.filter(|(_, extra, _)| *extra == side) {
                    sum = plus(sum, value);
                }
                sum
            };
            let worst = after(Side::Buy).max(after(Side::Sell)).max(value);
            let leverage = market.position.leverage;
            margin.unrealised = plus(margin.unrealised, unrealised);
            margin.initial = plus(margin.initial, initial_margin(worst, leverage));
            margin.position_initial = plus(margin.position_initial, initial_margin(value, leverage));
            margin.maintenance = plus(margin.maintenance, share(value, self.config.maintenance));
        }
        margin.equity = plus(margin.equity, margin.unrealised);
        margin
    }

    /// The maintenance margin of a position of this value.
    #[must_use]
    pub fn maintenance_of(&self, value: Amount) -> Amount {
        share(value, self.config.maintenance)
    }

    /// Sets the leverage of an instrument, in hundredths, 100 to 10,000.
    ///
    /// # Errors
    ///
    /// [`Reject::LeverageInvalid`] out of bounds, [`Reject::LeverageNotModified`] when it is so already, [`Reject::Margin`] when the
    /// balance would not cover what is open.
    pub fn set_leverage(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        leverage: u32,
        out: &mut Vec<Event>,
    ) -> Result<(), Reject> {
        let slot = self.slot(instrument).ok_or(Reject::UnknownInstrument)?;
        if !(100..=10_000).contains(&leverage) {
            return Err(Reject::LeverageInvalid);
        }
        let market = self.markets.get_mut(slot).ok_or(Reject::UnknownInstrument)?;
        let old = market.position.leverage;
        if old == leverage {
            return Err(Reject::LeverageNotModified);
        }
        market.position.leverage = leverage;
        let margin = self.margin();
        let Some(market) = self.markets.get_mut(slot) else { return Err(Reject::UnknownInstrument) };
        if leverage < old && margin.initial > margin.equity {
            market.position.leverage = old;
            return Err(Reject::Margin);
        }
        market.position.updated = now;
        self.tell_position(slot, out);
        Ok(())
    }

    /// Pays funding that is due. Boundaries missed while nothing ran are not paid for afterwards.
    pub(super) fn fund(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        let Some(market) = self.markets.get_mut(slot) else { return };
        if now < market.funding_next {
            return;
        }
        let first = market.funding_next == Timestamp(0);
        let interval = self.config.funding_interval.0.max(1);
        let passed = now.0.checked_rem(interval).unwrap_or(0);
        let boundary = Timestamp(now.0.saturating_sub(passed).saturating_add(interval));
        // Data that names one funding names them all.
        market.funding_next = if market.funding_given { Timestamp(u64::MAX) } else { boundary };
        let Some(side) = market.position.side().filter(|_| !first) else { return };
        let mark = market.mark_or_average();
        let signed = market.scale.fine_value(mark, market.position.size.0);
        let rate = market.funding_rate;
        let payment = fee(signed, rate);
        if payment.0 == 0 {
            return;
        }
        self.ledger.wallet.pay_funding(payment);
        market.position.pay_funding(now, payment);
        self.ledger.last_execution = self.ledger.last_execution.saturating_add(1);
        let price = market.scale.coarse(mark);
        out.push(Event::Execution(Execution {
            number: self.ledger.last_execution,
            kind: ExecutionKind::Funding,
            order: None,
            link: None,
            origin: Origin::Client,
            instrument: market.spec.id,
            side,
            price,
            quantity: market.position.quantity(),
            value: Amount(signed.0.saturating_abs()),
            fee: payment,
            rate,
            maker: false,
            closed: portcullis_core::Qty(0),
            realised: Amount(0),
            order_price: None,
            order_quantity: market.position.quantity(),
            leaves: portcullis_core::Qty(0),
            mark,
            time: now,
        }));
        out.push(Event::Position(market.position.clone()));
        out.push(Event::Wallet(self.ledger.wallet));
        self.account_changed();
    }

    /// Gives every position its share of what the account can lose, as a distance of the mark. Half of the share is kept for the
    /// maintenance margin, which grows more slowly than the value. So most events need no look at the whole account.
    pub(super) fn find_safe_marks(&mut self, spare: Amount) {
        let held = |market: &&Market| market.position.size.0 != 0;
        let count = i128::try_from(self.markets.iter().filter(held).count()).unwrap_or(i128::MAX);
        let share = Amount(spare.0.checked_div(count.saturating_mul(2)).unwrap_or(0));
        for market in &mut self.markets {
            let mark = market.mark_or_average();
            let distance = market.scale.average(share, market.position.quantity().0);
            market.safe = Some((minus(mark, distance), plus(mark, distance)));
        }
    }

    /// Forgets the safe marks: the account changed.
    pub(super) fn account_changed(&mut self) {
        for market in &mut self.markets {
            market.safe = None;
        }
    }

    /// Liquidates the whole account once equity is below the maintenance margin: every order is cancelled and every position
    /// closed at its mark. A loss beyond the balance stays as a negative balance, so that the books still add up.
    pub(super) fn liquidate_if_bust(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        let Some(market) = self.markets.get(slot) else { return };
        let mark = market.mark_or_average();
        let safe = market.safe.is_some_and(|(low, high)| (low..=high).contains(&mark));
        if market.position.size.0 == 0 || safe {
            return;
        }
        let margin = self.margin();
        if margin.equity >= margin.maintenance {
            self.find_safe_marks(minus(margin.equity, margin.maintenance));
            return;
        }
        let open: Vec<_> = self.orders.values().map(|order| (order.key, order.instrument)).collect();
        for (key, instrument) in open {
            if let Some(slot) = self.slot(instrument) {
                self.close_listed(now, slot, key, Closed::Liquidation, out);
            }
        }
        for slot in 0..self.markets.len() {
            self.last_order = self.last_order.saturating_add(1);
            let key = OrderKey(self.last_order);
            let rank = self.next_rank();
            let Some(market) = self.markets.get_mut(slot) else { return };
            if market.position.size.0 == 0 {
                continue;
            }
            let quantity = market.position.quantity();
            let price = market.scale.coarse(market.mark_or_average());
            let last = market.last.unwrap_or_default();
            let mut order = Order::closing(key, rank, Origin::Liquidation, &market.position, last, now);
            let how = How { now, maker: false, kind: ExecutionKind::Bust };
            self.ledger.execute(how, market, &mut order, price, quantity, out);
            out.push(Event::Order(order));
            self.settle(now, slot, out);
        }
    }
}
