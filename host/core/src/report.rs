//! What the venue tells us, in the host's own terms. Wire shapes never get this far.

use serde::{Deserialize, Serialize};

use crate::{Amount, ExecId, InstrumentId, LinkId, Price, Qty, Side, SignedQty, Timestamp, VenueOrderId};

/// A message of the private stream, or one row of a private query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionReport {
    /// An order changed.
    Order(OrderReport),
    /// Something was executed.
    Execution(Execution),
    /// The venue's view of a position.
    Position(PositionReport),
    /// The venue's view of the wallet.
    Wallet(WalletReport),
}

/// The venue's view of one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderReport {
    /// The client's name for it; absent for orders the venue made.
    pub link: Option<LinkId>,
    /// The venue's name for it.
    pub venue_order: VenueOrderId,
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Its side.
    pub side: Side,
    /// Its status.
    pub status: VenueStatus,
    /// Limit price; `None` for a market order.
    pub price: Option<Price>,
    /// Total quantity.
    pub quantity: Qty,
    /// Executed quantity; the truth on a closed order (never quantity − leaves).
    pub executed: Qty,
    /// Why it closed.
    pub reason: CloseReason,
    /// Whether it may only reduce.
    pub reduce_only: bool,
    /// The venue's time of the change.
    pub venue_time: Timestamp,
}

/// The venue's order states (`reference/bybit-v5.md` §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VenueStatus {
    /// Rests.
    Working,
    /// Rests, partly executed.
    PartiallyFilled,
    /// Waits for its trigger.
    Untriggered,
    /// Trigger reached, becomes working next.
    Triggered,
    /// Executed whole.
    Filled,
    /// Closed by a cancel; may have executed.
    Cancelled,
    /// Refused after the acknowledgement.
    Rejected,
    /// Cancelled before its trigger.
    Deactivated,
}

/// Why an order closed; the numbers are those of the frame (`wit/frame.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u16)]
pub enum CloseReason {
    /// It did not, or for no reason given.
    None = 0,
    /// Post-only, and would have taken.
    WouldTake = 1,
    /// Nothing to fill inside its bound.
    NoLiquidity = 2,
    /// Reduce-only could not be kept.
    ReduceOnly = 3,
    /// Not enough margin.
    Margin = 4,
    /// Price outside the venue's limits.
    PriceLimit = 5,
    /// Its strategy cancelled it.
    ByStrategy = 6,
    /// The operator, or a halt.
    ByHost = 7,
    /// It met our own order.
    SelfMatch = 8,
    /// Its good-till time came.
    GoodTill = 9,
    /// The account was liquidated.
    Liquidation = 10,
    /// Another rule of the venue.
    VenueRule = 11,
    /// Anything else.
    Other = 12,
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// The venue's name for it.
    pub exec: ExecId,
    /// What kind.
    pub kind: ExecutionKind,
    /// The order's client name; absent for what the venue did by itself.
    pub link: Option<LinkId>,
    /// The order.
    pub venue_order: VenueOrderId,
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Its side.
    pub side: Side,
    /// Price; for funding the mark price.
    pub price: Price,
    /// Quantity; for funding the position's.
    pub quantity: Qty,
    /// Fee in the quote coin, negative for a rebate; for funding the payment.
    pub fee: Amount,
    /// Whether our order rested first.
    pub maker: bool,
    /// The venue's time.
    pub venue_time: Timestamp,
}

/// Kinds of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionKind {
    /// An ordinary trade.
    Trade,
    /// A funding payment: moves money, not the position.
    Funding,
    /// Auto-deleveraging.
    Deleveraging,
    /// Liquidation.
    Liquidation,
    /// Settlement or delivery.
    Settlement,
}

/// The venue's view of a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionReport {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Quantity, negative when short.
    pub quantity: SignedQty,
    /// Average entry price in units of 1e-18; zero when flat.
    pub average_price: Amount,
    /// The venue's time; zero in a query's answer without one.
    pub venue_time: Timestamp,
}

/// The venue's view of the wallet, in USDT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletReport {
    /// Wallet balance plus open profit.
    pub equity: Amount,
    /// Wallet balance.
    pub balance: Amount,
    /// Free for new orders.
    pub available: Amount,
    /// The venue's time.
    pub venue_time: Timestamp,
}

/// Everything the venue says is ours at one moment: the answer to a full reconciliation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueSnapshot {
    /// When the last of the queries was answered.
    pub time: Timestamp,
    /// Open orders, of every filter.
    pub orders: Vec<OrderReport>,
    /// Executions since the time asked for, oldest first.
    pub executions: Vec<Execution>,
    /// Positions that are not flat.
    pub positions: Vec<PositionReport>,
    /// The wallet.
    pub wallet: WalletReport,
}
