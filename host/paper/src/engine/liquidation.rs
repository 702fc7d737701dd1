//! Liquidation of an account that no longer covers its maintenance margin.

use portcullis_core::{Amount, Timestamp};

use super::Engine;
use super::event::{Event, ExecutionKind};
use super::ledger::How;
use super::market::Market;
use super::money::{minus, plus};
use super::order::{Closed, Order, OrderKey, Origin};
use super::position::Leg;

impl Engine {
    /// Gives every position its share of what the account can lose, as a distance of the mark. Half of the share is kept for the
    /// maintenance margin, which grows more slowly than the value. So most events need no look at the whole account.
    pub(super) fn find_safe_marks(&mut self, spare: Amount) {
        let count = self.markets.iter().filter(|market| market.held()).count();
        let count = i128::try_from(count).unwrap_or(i128::MAX);
        let share = Amount(spare.0.checked_div(count.saturating_mul(2)).unwrap_or(0));
        for market in &mut self.markets {
            let mark = market.mark_or_average();
            let distance = market.scale.average(share, market.gross());
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
        let Some(market) = self.markets.get(slot).filter(|market| market.held()) else { return };
        let mark = market.mark_or_average();
        if market.safe.is_some_and(|(low, high)| (low..=high).contains(&mark)) {
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
            for leg in [Leg::Net, Leg::Long, Leg::Short] {
                self.take_over(now, slot, leg, out);
            }
        }
    }

    fn take_over(&mut self, now: Timestamp, slot: usize, leg: Leg, out: &mut Vec<Event>) {
        let held = |market: &Market| {
            let position = market.positions().iter().find(|position| position.leg == leg);
            position.is_some_and(|position| position.size.0 != 0)
        };
        if !self.markets.get(slot).is_some_and(held) {
            return;
        }
        self.last_order = self.last_order.saturating_add(1);
        let key = OrderKey(self.last_order);
        let rank = self.next_rank();
        let Some(market) = self.markets.get_mut(slot) else { return };
        let price = market.scale.coarse(market.mark_or_average());
        let last = market.last.unwrap_or_default();
        let mut order = Order::closing(key, rank, Origin::Liquidation, market.leg(leg), last, now);
        let how = How { now, maker: false, kind: ExecutionKind::Bust };
        let quantity = order.quantity;
        self.ledger.execute(how, market, &mut order, price, quantity, out);
        out.push(Event::Order(order));
        self.settle(now, slot, out);
    }
}
