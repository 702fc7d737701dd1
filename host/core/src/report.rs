//! What the venue tells us, in the host's own terms. Wire shapes never get this far.

use serde::{Deserialize, Serialize};

use crate::{
    Amount, ExecId, InstrumentId, LinkId, Price, Qty, Rate, Side, SignedQty, Timestamp, VenueOrderId,
};

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

impl ExecutionReport {
    /// The venue's time of it; zero for a row of a query that has none.
    pub fn venue_time(&self) -> Timestamp {
        match self {
            Self::Order(report) => report.venue_time,
            Self::Execution(execution) => execution.venue_time,
            Self::Position(position) => position.venue_time,
            Self::Wallet(wallet) => wallet.venue_time,
        }
    }
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
    /// What made it.
    pub created_by: CreatedBy,
    /// The venue's time of the change.
    pub venue_time: Timestamp,
}

/// What made an order at the venue (RULES J4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CreatedBy {
    /// A client with access to the account: we, or a person.
    Client,
    /// The venue, for the take-profit, stop-loss or trailing stop of a position.
    Protection,
    /// The venue, splitting a reduce-only order that was too large for one; this is the client id of the whole. The parts have none,
    /// and neither have their executions.
    Split(LinkId),
    /// The venue, for a liquidation, deleveraging, takeover or settlement.
    Venue,
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
    /// The part of the quantity that went as the fee, which a spot purchase pays in what it buys; rounded up, so that the books never
    /// hold more than the account. Zero where the fee is paid in the quote coin.
    pub fee_quantity: Qty,
    /// Whether our order rested first.
    pub maker: bool,
    /// What made the order.
    pub created_by: CreatedBy,
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
    /// The stop-loss that rests at the venue for the whole position; `None` without one.
    pub stop_loss: Option<Price>,
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
    /// Initial margin of the account as a fraction of its equity; `None` when the venue does not say.
    pub initial_margin: Option<Rate>,
    /// Maintenance margin of the account as a fraction of its equity: at 1 it is liquidated. `None` when the venue does not say.
    pub maintenance_margin: Option<Rate>,
    /// What the wallet holds of the coins that followed spot instruments trade: ours, and whatever else the account's owner keeps there.
    pub spot: Vec<SpotBalance>,
    /// The venue's time.
    pub venue_time: Timestamp,
}

/// What the wallet holds of a spot instrument's coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpotBalance {
    /// The instrument that trades it.
    pub instrument: InstrumentId,
    /// The wallet's balance, what resting sales lock included, rounded down; negative where it is borrowed.
    pub quantity: SignedQty,
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
    /// How the account is set up.
    pub mode: AccountMode,
}

impl VenueSnapshot {
    /// An account in cross margin with this equity in cash and nothing else: what benches and drivers without a venue start from.
    pub fn of_cash(equity: Amount, time: Timestamp) -> Self {
        Self {
            time,
            orders: Vec::new(),
            executions: Vec::new(),
            positions: Vec::new(),
            wallet: WalletReport {
                equity,
                balance: equity,
                available: equity,
                initial_margin: Some(Rate(0)),
                maintenance_margin: Some(Rate(0)),
                spot: Vec::new(),
                venue_time: time,
            },
            mode: AccountMode { hedged: false, margin: MarginMode::Cross },
        }
    }
}

/// How an account is set up at the venue. Orders are refused while it is not as the limits file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountMode {
    /// Whether a symbol can hold a long and a short at once. Portcullis trades one-way positions only.
    pub hedged: bool,
    /// Where margin comes from.
    pub margin: MarginMode,
}

/// Where a position's margin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarginMode {
    /// Each position has its own.
    Isolated,
    /// All share the account's.
    Cross,
    /// All share the account's, set by the portfolio's risk.
    Portfolio,
}

impl MarginMode {
    /// The name in limits files and findings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Isolated => "isolated",
            Self::Cross => "cross",
            Self::Portfolio => "portfolio",
        }
    }
}
