//! The larger records, as plain values. Prices and quantities are mantissas of the record's instrument.

use crate::{Amount, OrderNumber, Price, Qty, Side, SignedQty, Timestamp, TradingState};

/// A change of one of the strategy's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnOrderRecord {
    /// The venue's time of the change.
    pub venue_time: Timestamp,
    /// The strategy's number of the order.
    pub order: OrderNumber,
    /// What the strategy gave along.
    pub tag: u64,
    /// Limit price; `None` for a market order.
    pub price: Option<Price>,
    /// Total quantity.
    pub quantity: Qty,
    /// Executed quantity.
    pub executed: Qty,
    /// Its side.
    pub side: Side,
    /// What it is now.
    pub status: OwnOrderStatus,
    /// Why it closed: the number of a [`CloseReason`](crate::CloseReason).
    pub reason: u16,
}

/// What a strategy knows of one of its orders; the numbers are those of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OwnOrderStatus {
    /// Approved and journaled.
    Submitted = 1,
    /// Sent, and no answer yet.
    Unknown = 2,
    /// Rests.
    Working = 3,
    /// Rests, partly executed.
    PartiallyFilled = 4,
    /// Executed whole.
    Filled = 5,
    /// Closed by a cancel; may have executed.
    Cancelled = 6,
    /// Refused by the venue.
    Rejected = 7,
    /// Its time ended.
    Expired = 8,
    /// Waits for its trigger.
    Untriggered = 9,
    /// Approved, and never sent.
    NotSent = 10,
}

impl OwnOrderStatus {
    /// The number in frames.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// An execution of one of the strategy's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillRecord {
    /// The venue's time of the execution.
    pub venue_time: Timestamp,
    /// The strategy's number of the order.
    pub order: OrderNumber,
    /// What the strategy gave along.
    pub tag: u64,
    /// Price.
    pub price: Price,
    /// Quantity.
    pub quantity: Qty,
    /// Fee in the quote coin, negative for a rebate.
    pub fee: Amount,
    /// The order's side.
    pub side: Side,
    /// Whether the order rested first.
    pub maker: bool,
    /// Executed quantity of the order after this.
    pub executed: Qty,
}

/// An action that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusalRecord {
    /// The order it was about; number 0 when the action named none.
    pub order: OrderNumber,
    /// What the strategy gave along.
    pub tag: u64,
    /// The number of a refusal code (`wit/refusals.md`).
    pub code: u16,
    /// The kind of action.
    pub action: RefusedAction,
}

/// The kinds of action that can be refused; the numbers are those of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RefusedAction {
    /// A new order.
    Place = 1,
    /// A change of an order.
    Amend = 2,
    /// A cancel.
    Cancel = 3,
    /// A cancel of all orders.
    CancelAll = 4,
    /// A close of the position.
    Flatten = 5,
}

/// The strategy's position in the record's instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionRecord {
    /// Quantity, negative when short.
    pub quantity: SignedQty,
    /// What the open quantity cost; negative for a short position, which brought money in.
    pub cost: Amount,
    /// Realised profit.
    pub realised: Amount,
    /// Fees paid.
    pub fees: Amount,
}

/// What the strategy has to work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetRecord {
    /// Its capital.
    pub capital: Amount,
    /// The part that is free for new orders.
    pub free: Amount,
    /// The trading state that holds for it.
    pub state: TradingState,
}
