//! What the orders of an instrument could still do to its position, worst case.

use crate::{Amount, InstrumentSpec, Order, OrderReport, Qty, Rounding, Side, SignedQty, notional};

/// Stands for a value that does not fit. Far above any limit, and a hundred of them still add up.
const BEYOND: Amount = Amount(1_000_000_000_000_000_000_000_000_000_000_000_000);

/// What the orders of one instrument could still do. Quantities are mantissas with the instrument's decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exposure {
    /// Open quantity of buys that may add.
    pub buys: i128,
    /// Open quantity of sells that may add.
    pub sells: i128,
    /// Open quantity of reduce-only buys.
    pub reducing_buys: i128,
    /// Open quantity of reduce-only sells.
    pub reducing_sells: i128,
    /// Value of everything open, at each order's highest price.
    pub notional: Amount,
    /// Open orders, unknown ones included.
    pub open_orders: u64,
    /// Those of them that wait for a trigger.
    pub conditional: u64,
}

impl Exposure {
    /// The longest position that could come of it: every buy fills, no sell does. A short is not netted against the buys, because a
    /// reduction, or the position's own protection, can close it first.
    ///
    /// A reduction that the position leaves no room for counts too: it may have been executed before a fill that was heard of first,
    /// and then the position is not what the books say.
    pub fn longest(&self, position: SignedQty) -> i128 {
        let position = i128::from(position.0);
        position.saturating_add(self.reducing_buys).max(0).saturating_add(self.buys)
    }

    /// The shortest position that could come of it: every sell fills, no buy does. A long is not netted against the sells.
    pub fn shortest(&self, position: SignedQty) -> i128 {
        let position = i128::from(position.0);
        position.saturating_sub(self.reducing_sells).min(0).saturating_sub(self.sells)
    }

    /// Whether all open orders of this side together, those that only reduce included, close no more than the position: then, whatever
    /// becomes of them and of the other side, nothing gets larger than the position is.
    pub fn only_closes(&self, side: Side, position: SignedQty) -> bool {
        let position = i128::from(position.0);
        let (open, held) = match side {
            Side::Buy => (self.buys.saturating_add(self.reducing_buys), position.saturating_neg()),
            Side::Sell => (self.sells.saturating_add(self.reducing_sells), position),
        };
        open <= held
    }

    /// The largest position either way.
    pub fn largest(&self, position: SignedQty) -> u128 {
        self.longest(position).unsigned_abs().max(self.shortest(position).unsigned_abs())
    }

    /// Of an open order that is not ours; one without a price has a value beyond every limit.
    pub(crate) fn of_foreign(report: &OrderReport, spec: &InstrumentSpec) -> Self {
        let open = Qty(report.quantity.0.saturating_sub(report.executed.0).max(0));
        let value = report.price.and_then(|price| {
            notional(price, spec.price_decimals, open, spec.quantity_decimals, Rounding::Up)
        });
        let mut exposure = Self { notional: value.unwrap_or(BEYOND), open_orders: 1, ..Self::default() };
        *exposure.side_of(report.side, report.reduce_only) = open.0.into();
        exposure
    }

    /// Both together.
    pub(crate) fn plus(self, other: &Self) -> Self {
        Self {
            buys: self.buys.saturating_add(other.buys),
            sells: self.sells.saturating_add(other.sells),
            reducing_buys: self.reducing_buys.saturating_add(other.reducing_buys),
            reducing_sells: self.reducing_sells.saturating_add(other.reducing_sells),
            notional: self.notional.saturating_add(other.notional),
            open_orders: self.open_orders.saturating_add(other.open_orders),
            conditional: self.conditional.saturating_add(other.conditional),
        }
    }

    pub(crate) fn add(&mut self, order: &Order, spec: &InstrumentSpec) {
        let (quantity, value) = contribution(order, spec);
        let sum = self.side_of(order.side, order.reduce_only);
        *sum = sum.saturating_add(quantity);
        self.notional = self.notional.saturating_add(value);
        self.open_orders = self.open_orders.saturating_add(u64::from(order.status.is_open()));
        self.conditional = self.conditional.saturating_add(u64::from(order.is_waiting_for_trigger()));
    }

    pub(crate) fn remove(&mut self, order: &Order, spec: &InstrumentSpec) {
        let (quantity, value) = contribution(order, spec);
        let sum = self.side_of(order.side, order.reduce_only);
        *sum = sum.saturating_sub(quantity);
        self.notional = self.notional.saturating_sub(value);
        self.open_orders = self.open_orders.saturating_sub(u64::from(order.status.is_open()));
        self.conditional = self.conditional.saturating_sub(u64::from(order.is_waiting_for_trigger()));
    }

    fn side_of(&mut self, side: Side, reduce_only: bool) -> &mut i128 {
        match (side, reduce_only) {
            (Side::Buy, false) => &mut self.buys,
            (Side::Sell, false) => &mut self.sells,
            (Side::Buy, true) => &mut self.reducing_buys,
            (Side::Sell, true) => &mut self.reducing_sells,
        }
    }
}

fn contribution(order: &Order, spec: &InstrumentSpec) -> (i128, Amount) {
    (i128::from(order.exposure().0), value_of(order, spec))
}

/// Value of what an order could still trade, at its highest price, rounded up; nothing for a market order, which only reduces.
pub(crate) fn value_of(order: &Order, spec: &InstrumentSpec) -> Amount {
    match (order.exposure(), order.reserved_price()) {
        (Qty(0), _) | (_, None) => Amount::ZERO,
        (quantity, Some(price)) => {
            notional(price, spec.price_decimals, quantity, spec.quantity_decimals, Rounding::Up)
                .unwrap_or(BEYOND)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exposure;
    use crate::{Side, SignedQty};

    #[test]
    fn sides_are_worst_cases_of_their_own() {
        let exposure = Exposure { buys: 5, sells: 7, ..Exposure::default() };
        assert_eq!((exposure.longest(SignedQty(2)), exposure.shortest(SignedQty(2))), (7, -7));
        assert_eq!(exposure.largest(SignedQty(2)), 7);
    }

    #[test]
    fn nothing_is_netted() {
        // Short 17 with buys of 334 on the way: a reduction of 17 that fills first leaves all of them to go long.
        let exposure = Exposure { buys: 334, reducing_buys: 17, ..Exposure::default() };
        assert_eq!(exposure.longest(SignedQty(-17)), 334);
        // Reductions themselves never add.
        let exposure = Exposure { reducing_sells: 50, ..Exposure::default() };
        assert_eq!((exposure.shortest(SignedQty(50)), exposure.longest(SignedQty(50))), (0, 50));
        let exposure = Exposure { reducing_buys: 50, ..Exposure::default() };
        assert_eq!((exposure.shortest(SignedQty(-50)), exposure.longest(SignedQty(-50))), (-50, 0));
    }

    #[test]
    fn closing_takes_everything_of_a_side_together() {
        let exposure = Exposure { sells: 60, reducing_sells: 40, buys: 500, ..Exposure::default() };
        assert!(exposure.only_closes(Side::Sell, SignedQty(100)));
        assert!(!exposure.only_closes(Side::Sell, SignedQty(99)));
        assert!(
            !exposure.only_closes(Side::Buy, SignedQty(-499))
                && exposure.only_closes(Side::Buy, SignedQty(-500))
        );
        assert!(!exposure.only_closes(Side::Sell, SignedQty(-100)));
    }

    #[test]
    fn a_reduction_without_room_may_have_been_executed_already() {
        // Long 79, a reduction of 79 and a sell of 87. Both fill, and only the sell has been heard of: the books show -8, the venue -87.
        let before = Exposure { sells: 87, reducing_sells: 79, ..Exposure::default() };
        let after = Exposure { reducing_sells: 79, ..Exposure::default() };
        assert_eq!((before.shortest(SignedQty(79)), after.shortest(SignedQty(-8))), (-87, -87));
        let after = Exposure { reducing_buys: 79, ..Exposure::default() };
        assert_eq!(after.longest(SignedQty(8)), 87);
    }
}
