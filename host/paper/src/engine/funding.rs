//! Funding: what longs and shorts pay each other.

use portcullis_core::{Amount, Qty, Timestamp};

use super::Engine;
use super::coin::Coin;
use super::event::{Event, Execution, ExecutionKind};
use super::money::fee;
use super::order::Origin;
use super::position::Leg;
use super::wallet::Pocket;

impl Engine {
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
        // Data that names one funding names them all; spot pays none.
        market.funding_next =
            if market.funding_given || market.is_spot() { Timestamp(u64::MAX) } else { boundary };
        if first || !market.held() {
            return;
        }
        for leg in [Leg::Net, Leg::Long, Leg::Short] {
            self.fund_leg(now, slot, leg, out);
        }
    }

    fn fund_leg(&mut self, now: Timestamp, slot: usize, leg: Leg, out: &mut Vec<Event>) {
        let Some(market) = self.markets.get_mut(slot) else { return };
        let Some(position) = market.positions().iter().find(|position| position.leg == leg) else { return };
        let (Some(side), size, quantity) = (position.side(), position.size, position.quantity()) else {
            return;
        };
        let mark = market.mark_or_average();
        let signed = market.scale.fine_value(mark, size.0);
        let rate = market.funding_rate;
        let payment = fee(signed, rate);
        if payment.0 == 0 {
            return;
        }
        self.ledger.wallets.get_mut(Pocket::USDT).pay_funding(payment);
        market.leg_mut(leg).pay_funding(now, payment);
        self.ledger.last_execution = self.ledger.last_execution.saturating_add(1);
        let wallet = *self.ledger.wallets.get(Pocket::USDT);
        out.push(Event::Execution(Execution {
            number: self.ledger.last_execution,
            kind: ExecutionKind::Funding,
            order: None,
            link: None,
            origin: Origin::Client,
            instrument: market.spec.id,
            side,
            leg,
            price: market.scale.coarse(mark),
            quantity,
            value: Amount(signed.0.saturating_abs()),
            fee: payment,
            fee_coin: Coin::USDT,
            rate,
            maker: false,
            closed: Qty(0),
            realised: Amount(0),
            opening_fee: Amount(0),
            position: size,
            balance: wallet.balance,
            base_balance: Amount(0),
            order_price: None,
            order_quantity: quantity,
            leaves: Qty(0),
            mark,
            time: now,
        }));
        out.push(Event::Position(market.leg(leg).clone()));
        out.push(Event::Wallet(wallet));
        self.account_changed();
    }
}
