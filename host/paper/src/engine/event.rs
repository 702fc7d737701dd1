//! What the engine says happened. Every event carries the whole new row, so that state is the fold of its events.

use serde::{Deserialize, Serialize};

use portcullis_core::{Amount, InstrumentId, LinkId, Price, Qty, Rate, Side, SignedQty, Timestamp};

use super::money::share;
use crate::engine::{Coin, Leg, Order, OrderKey, Origin, Position, Wallet};

/// One change, in the order it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An order came, changed or closed.
    Order(Order),
    /// Something was executed or paid.
    Execution(Execution),
    /// A position changed.
    Position(Position),
    /// A wallet changed.
    Wallet(Wallet),
}

/// One execution, or a funding payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The exchange's number, counted from 1 over its whole state.
    pub number: u64,
    /// What kind.
    pub kind: ExecutionKind,
    /// Of which order; `None` for funding.
    pub order: Option<OrderKey>,
    /// The order's client name.
    pub link: Option<LinkId>,
    /// Who made the order.
    pub origin: Origin,
    /// Where.
    pub instrument: InstrumentId,
    /// The order's side; for funding the position's.
    pub side: Side,
    /// Of which position.
    #[serde(default)]
    pub leg: Leg,
    /// Price; for funding the mark price, rounded down.
    pub price: Price,
    /// Quantity; for funding the position's.
    pub quantity: Qty,
    /// Price × quantity.
    pub value: Amount,
    /// Paid by the account in `fee_coin`; negative when it receives.
    pub fee: Amount,
    /// The coin of the fee: the quote coin, but for a spot buy the base coin.
    #[serde(default)]
    pub fee_coin: Coin,
    /// The rate behind `fee`.
    pub rate: Rate,
    /// Whether the order rested first.
    pub maker: bool,
    /// The part that closed a position.
    pub closed: Qty,
    /// Profit realised, fee aside.
    pub realised: Amount,
    /// What opening the closed part had cost in fees.
    #[serde(default)]
    pub opening_fee: Amount,
    /// The position afterwards.
    #[serde(default)]
    pub position: SignedQty,
    /// Balance of the quote coin afterwards.
    #[serde(default)]
    pub balance: Amount,
    /// Balance of the base coin afterwards; spot only.
    #[serde(default)]
    pub base_balance: Amount,
    /// The order's limit price; `None` for a market order.
    pub order_price: Option<Price>,
    /// The order's total quantity.
    pub order_quantity: Qty,
    /// What was left of the order after this.
    pub leaves: Qty,
    /// Mark price at that moment.
    pub mark: Amount,
    /// When.
    pub time: Timestamp,
}

impl Execution {
    /// The fee in the quote coin, at the execution's own price where it was paid in the base coin.
    #[must_use]
    pub fn fee_in_quote(&self) -> Amount {
        if self.fee_coin == Coin::USDT { self.fee } else { share(self.value, self.rate) }
    }
}

/// Kinds of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionKind {
    /// An ordinary trade.
    Trade,
    /// A funding payment: moves money, not the position.
    Funding,
    /// A liquidation.
    Bust,
}
