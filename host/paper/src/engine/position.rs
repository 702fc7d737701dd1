//! Positions: one of an instrument in one-way mode, one of each side in hedge mode.

use serde::{Deserialize, Serialize};

use portcullis_core::{Amount, InstrumentId, Price, Qty, Side, SignedQty, Timestamp};

use super::exit::{ExitTerms, Trailing};
use super::money::{minus, plus, portion};

/// Which position of an instrument: Bybit's `positionIdx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum Leg {
    /// The only one, long or short: one-way mode, and all of spot.
    #[default]
    Net,
    /// The long one of hedge mode.
    Long,
    /// The short one of hedge mode.
    Short,
}

impl Leg {
    /// Bybit's number.
    #[must_use]
    pub const fn index(self) -> u8 {
        match self {
            Self::Net => 0,
            Self::Long => 1,
            Self::Short => 2,
        }
    }

    /// By Bybit's number.
    #[must_use]
    pub const fn from_index(index: i64) -> Option<Self> {
        match index {
            0 => Some(Self::Net),
            1 => Some(Self::Long),
            2 => Some(Self::Short),
            _ => None,
        }
    }

    /// Whether an order of this side can only close it.
    #[must_use]
    pub const fn is_closed_by(self, side: Side) -> bool {
        matches!((self, side), (Self::Long, Side::Sell) | (Self::Short, Side::Buy))
    }
}

/// A position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Where.
    pub instrument: InstrumentId,
    /// Which of the instrument's.
    #[serde(default)]
    pub leg: Leg,
    /// Quantity, negative when short.
    pub size: SignedQty,
    /// Sum of price × quantity of what is open, with the sign of `size`.
    pub cost: Amount,
    /// Fees paid for opening what is open.
    #[serde(default)]
    pub opening_fees: Amount,
    /// Profit realised over all time, fees and funding aside.
    pub realised: Amount,
    /// Fees paid over all time.
    pub fees: Amount,
    /// Funding paid over all time.
    pub funding: Amount,
    /// Realised − fees − funding since the position was last flat.
    pub current_realised: Amount,
    /// Price that closes all of it with a profit.
    pub take_profit: Option<Price>,
    /// Price that closes all of it with a loss.
    pub stop_loss: Option<Price>,
    /// What those two watch.
    #[serde(default)]
    pub exits: ExitTerms,
    /// The stop that follows the price.
    #[serde(default)]
    pub trailing: Option<Trailing>,
    /// Leverage in hundredths.
    pub leverage: u32,
    /// When it was opened; zero when flat.
    pub opened: Timestamp,
    /// When it was first touched; zero before.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

impl Position {
    pub(super) fn flat(instrument: InstrumentId, leg: Leg, leverage: u32) -> Self {
        Self {
            instrument,
            leg,
            size: SignedQty(0),
            cost: Amount(0),
            opening_fees: Amount(0),
            realised: Amount(0),
            fees: Amount(0),
            funding: Amount(0),
            current_realised: Amount(0),
            take_profit: None,
            stop_loss: None,
            exits: ExitTerms::default(),
            trailing: None,
            leverage,
            opened: Timestamp(0),
            created: Timestamp(0),
            updated: Timestamp(0),
        }
    }

    /// The side that holds it; `None` when flat.
    #[must_use]
    pub const fn side(&self) -> Option<Side> {
        match self.size.0 {
            0 => None,
            1.. => Some(Side::Buy),
            _ => Some(Side::Sell),
        }
    }

    /// Its quantity without the sign.
    #[must_use]
    pub const fn quantity(&self) -> Qty {
        Qty(self.size.0.saturating_abs())
    }

    /// How much an order of this side could reduce.
    #[must_use]
    pub fn reducible(&self, by: Side) -> Qty {
        match self.side() {
            Some(side) if side != by => self.quantity(),
            Some(_) | None => Qty(0),
        }
    }

    /// Takes in an execution.
    pub(super) fn fill(&mut self, now: Timestamp, fill: Fill) -> Filled {
        let closed = Qty(self.reducible(fill.side).0.min(fill.quantity.0));
        let closing_fee = portion(fill.fee, closed.0, i128::from(fill.quantity.0));
        let (mut realised, mut opening_fee) = (Amount(0), Amount(0));
        if closed.0 > 0 {
            let cost = portion(self.cost, closed.0, i128::from(self.quantity().0));
            let value = portion(fill.value, closed.0, i128::from(fill.quantity.0));
            let value = if self.size.0 > 0 { value } else { Amount(value.0.saturating_neg()) };
            realised = minus(value, cost);
            opening_fee = portion(self.opening_fees, closed.0, i128::from(self.quantity().0));
            self.opening_fees = minus(self.opening_fees, opening_fee);
            self.cost = minus(self.cost, cost);
            self.size = SignedQty(self.size.0.saturating_add(signed(fill.side, closed)));
        }
        let opens = Qty(fill.quantity.0.saturating_sub(closed.0));
        if opens.0 > 0 {
            // What the closing part did not use of the value, so that nothing is lost to rounding.
            let value = minus(fill.value, portion(fill.value, closed.0, i128::from(fill.quantity.0)));
            if self.size.0 == 0 {
                self.opened = now;
                self.current_realised = Amount(0);
            }
            self.opening_fees = plus(self.opening_fees, minus(fill.fee, closing_fee));
            self.cost = if fill.side == Side::Buy { plus(self.cost, value) } else { minus(self.cost, value) };
            self.size = SignedQty(self.size.0.saturating_add(signed(fill.side, opens)));
        }
        if self.created.0 == 0 {
            self.created = now;
        }
        self.realised = plus(self.realised, realised);
        self.fees = plus(self.fees, fill.fee);
        self.current_realised = minus(plus(self.current_realised, realised), fill.fee);
        self.updated = now;
        if self.size.0 == 0 {
            self.opened = Timestamp(0);
        }
        Filled { closed, realised, opening_fee }
    }

    pub(super) fn pay_funding(&mut self, now: Timestamp, payment: Amount) {
        self.funding = plus(self.funding, payment);
        self.current_realised = minus(self.current_realised, payment);
        self.updated = now;
    }

    /// Forgets everything that protected it.
    pub(super) fn unprotect(&mut self) {
        self.take_profit = None;
        self.stop_loss = None;
        self.exits = ExitTerms::default();
        self.trailing = None;
    }
}

/// What an execution does to a position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fill {
    pub(super) side: Side,
    pub(super) quantity: Qty,
    pub(super) value: Amount,
    pub(super) fee: Amount,
}

/// What an execution did to a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Filled {
    /// The quantity it closed.
    pub(super) closed: Qty,
    /// The profit that realised.
    pub(super) realised: Amount,
    /// What opening the closed part had cost in fees.
    pub(super) opening_fee: Amount,
}

/// A quantity with the sign of its side.
pub(super) const fn signed(side: Side, quantity: Qty) -> i64 {
    match side {
        Side::Buy => quantity.0,
        Side::Sell => quantity.0.saturating_neg(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(side: Side, quantity: i64, value: i128) -> Fill {
        Fill { side, quantity: Qty(quantity), value: Amount(value), fee: Amount(20) }
    }

    #[test]
    fn a_fill_across_zero_closes_then_opens() {
        let mut position = Position::flat(InstrumentId(0), Leg::Net, 1000);
        position.fill(Timestamp(1), fill(Side::Buy, 4, 400));
        let filled = position.fill(Timestamp(2), fill(Side::Sell, 10, 1_100));
        assert_eq!(filled, Filled { closed: Qty(4), realised: Amount(40), opening_fee: Amount(20) });
        assert_eq!((position.size, position.cost), (SignedQty(-6), Amount(-660)));
        let filled = position.fill(Timestamp(3), fill(Side::Buy, 6, 600));
        assert_eq!((filled.realised, filled.opening_fee), (Amount(60), Amount(12)));
        assert_eq!((position.cost, position.opening_fees, position.side()), (Amount(0), Amount(0), None));
    }
}
