//! The account: one USDT wallet under cross margin, and one position per instrument.

use serde::{Deserialize, Serialize};

use portcullis_core::{Amount, InstrumentId, Price, Qty, Side, SignedQty, Timestamp};

use super::money::{minus, plus, portion};

/// The wallet. `balance` is always `deposits + realised − fees − funding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wallet {
    /// USDT held, open profit aside.
    pub balance: Amount,
    /// USDT put in.
    pub deposits: Amount,
    /// Profit realised, fees and funding aside.
    pub realised: Amount,
    /// Fees paid, rebates taken off.
    pub fees: Amount,
    /// Funding paid, receipts taken off.
    pub funding: Amount,
}

impl Wallet {
    pub(super) fn new(deposit: Amount) -> Self {
        Self { balance: deposit, deposits: deposit, realised: Amount(0), fees: Amount(0), funding: Amount(0) }
    }

    pub(super) fn settle(&mut self, realised: Amount, fee: Amount) {
        self.realised = plus(self.realised, realised);
        self.fees = plus(self.fees, fee);
        self.balance = minus(plus(self.balance, realised), fee);
    }

    pub(super) fn pay_funding(&mut self, payment: Amount) {
        self.funding = plus(self.funding, payment);
        self.balance = minus(self.balance, payment);
    }
}

/// A position, one-way mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Where.
    pub instrument: InstrumentId,
    /// Quantity, negative when short.
    pub size: SignedQty,
    /// Sum of price × quantity of what is open, with the sign of `size`.
    pub cost: Amount,
    /// Profit realised over all time, fees and funding aside.
    pub realised: Amount,
    /// Fees paid over all time.
    pub fees: Amount,
    /// Funding paid over all time.
    pub funding: Amount,
    /// Realised − fees − funding since the position was last flat.
    pub current_realised: Amount,
    /// Price that closes it with a profit.
    pub take_profit: Option<Price>,
    /// Price that closes it with a loss.
    pub stop_loss: Option<Price>,
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
    pub(super) fn flat(instrument: InstrumentId, leverage: u32) -> Self {
        Self {
            instrument,
            size: SignedQty(0),
            cost: Amount(0),
            realised: Amount(0),
            fees: Amount(0),
            funding: Amount(0),
            current_realised: Amount(0),
            take_profit: None,
            stop_loss: None,
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

    /// Takes in an execution. Returns the quantity it closed and the profit that realised.
    pub(super) fn fill(&mut self, now: Timestamp, fill: Fill) -> (Qty, Amount) {
        let closed = Qty(self.reducible(fill.side).0.min(fill.quantity.0));
        let mut realised = Amount(0);
        if closed.0 > 0 {
            let cost = portion(self.cost, closed.0, i128::from(self.quantity().0));
            let value = portion(fill.value, closed.0, i128::from(fill.quantity.0));
            let value = if self.size.0 > 0 { value } else { Amount(value.0.saturating_neg()) };
            realised = minus(value, cost);
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
        (closed, realised)
    }

    pub(super) fn pay_funding(&mut self, now: Timestamp, payment: Amount) {
        self.funding = plus(self.funding, payment);
        self.current_realised = minus(self.current_realised, payment);
        self.updated = now;
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

/// A quantity with the sign of its side.
pub(super) const fn signed(side: Side, quantity: Qty) -> i64 {
    match side {
        Side::Buy => quantity.0,
        Side::Sell => quantity.0.saturating_neg(),
    }
}

/// How the account stands against its margin requirements. All in USDT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Margin {
    /// Wallet balance plus open profit.
    pub equity: Amount,
    /// Open profit of all positions at mark.
    pub unrealised: Amount,
    /// Held for positions and the worse side of open orders.
    pub initial: Amount,
    /// The part of `initial` that positions hold.
    pub position_initial: Amount,
    /// Below this equity the account is liquidated.
    pub maintenance: Amount,
}

impl Margin {
    /// What new orders may use; never negative.
    #[must_use]
    pub fn available(&self) -> Amount {
        Amount(minus(self.equity, self.initial).0.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(side: Side, quantity: i64, value: i128) -> Fill {
        Fill { side, quantity: Qty(quantity), value: Amount(value), fee: Amount(0) }
    }

    #[test]
    fn a_fill_across_zero_closes_then_opens() {
        let mut position = Position::flat(InstrumentId(0), 1000);
        position.fill(Timestamp(1), fill(Side::Buy, 4, 400));
        let (closed, realised) = position.fill(Timestamp(2), fill(Side::Sell, 10, 1_100));
        assert_eq!((closed, realised), (Qty(4), Amount(40)));
        assert_eq!((position.size, position.cost), (SignedQty(-6), Amount(-660)));
        let (_, realised) = position.fill(Timestamp(3), fill(Side::Buy, 6, 600));
        assert_eq!((realised, position.cost, position.side()), (Amount(60), Amount(0), None));
    }
}
