//! Orders as the exchange sees them: what a client asks for, and what became of it.

use serde::{Deserialize, Serialize};

use portcullis_core::{Amount, InstrumentId, LinkId, Price, Qty, Side, TimeInForce, Timestamp};

use super::account::Position;

/// The exchange's own number of an order, counted from 1 over its whole state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderKey(pub u64);

/// A new order, as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Where.
    pub instrument: InstrumentId,
    /// The client's name for it; must never have been used before.
    pub link: Option<LinkId>,
    /// Buy or sell.
    pub side: Side,
    /// How much. Zero with `reduce_only` closes the whole position.
    pub quantity: Qty,
    /// Limit price; `None` for a market order, which runs as IOC up to its slippage bound.
    pub price: Option<Price>,
    /// How long it rests; ignored for a market order.
    pub time_in_force: TimeInForce,
    /// Whether it may only reduce the position.
    pub reduce_only: bool,
    /// Condition that releases it.
    pub trigger: Option<Condition>,
    /// Take-profit for the position this order opens.
    pub take_profit: Option<Price>,
    /// Stop-loss for the position this order opens.
    pub stop_loss: Option<Price>,
    /// What happens when it meets an order of the same account.
    pub self_match: SelfMatch,
    /// How far a market order may go from the best price; `None` is the engine's default.
    pub slippage: Option<Slippage>,
}

/// How far a market order may go from the best price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slippage {
    /// So many ticks.
    Ticks(u32),
    /// So many ten-thousandths of the price.
    BasisPoints(u32),
}

/// A condition on a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The price that releases the order.
    pub price: Price,
    /// Whether the price must rise to it; otherwise it must fall.
    pub rising: bool,
    /// Which price.
    pub watches: Watched,
}

/// The price a condition watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Watched {
    /// The last trade.
    Last,
    /// The mark price.
    Mark,
}

/// What happens when an order would trade with one of its own account. The taker's choice counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SelfMatch {
    /// They trade.
    Allow,
    /// The resting order is cancelled.
    CancelMaker,
    /// The incoming order is cancelled.
    CancelTaker,
    /// Both are cancelled.
    CancelBoth,
}

/// Which order a client means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// By the exchange's number.
    Key(OrderKey),
    /// By the client's name.
    Link(&'a LinkId),
}

/// A change of an open order; `None` leaves as is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// New limit price.
    pub price: Option<Price>,
    /// New total quantity, executed part included.
    pub quantity: Option<Qty>,
    /// New price of the condition, while it waits.
    pub trigger: Option<Price>,
}

/// Which open orders a cancel-all takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelFilter {
    /// Everything, protection included.
    All,
    /// Orders that work.
    Working,
    /// Conditions of every kind, protection included.
    Waiting,
    /// Conditions that a client placed.
    ClientConditions,
}

/// Who made an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// A client.
    Client,
    /// The position's take-profit.
    TakeProfit,
    /// The position's stop-loss.
    StopLoss,
    /// The exchange, closing a position that ran out of margin.
    Liquidation,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Rests.
    New,
    /// Rests, partly executed.
    PartiallyFilled,
    /// Waits for its condition.
    Untriggered,
    /// Condition met; works next.
    Triggered,
    /// Executed whole.
    Filled,
    /// Closed before that; may have executed.
    Cancelled,
    /// Closed before its condition was met.
    Deactivated,
    /// Refused after it was accepted.
    Rejected,
}

impl Status {
    /// Whether the order can still trade or be changed.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled | Self::Untriggered | Self::Triggered)
    }
}

/// Why an order closed unfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closed {
    /// It did not.
    No,
    /// Its client cancelled it.
    ByClient,
    /// Post-only, and would have taken.
    WouldTake,
    /// Nothing to take inside its bound.
    NothingToTake,
    /// Fill-or-kill without enough to take, or IOC with a rest.
    NotFull,
    /// Nothing left to reduce.
    ReduceOnly,
    /// Not enough margin when its condition was met.
    Margin,
    /// It met an order of the same account.
    SelfMatch,
    /// The position it protected is gone, or its protection was changed.
    ProtectionCleared,
    /// The account was liquidated.
    Liquidation,
}

/// An order and all that happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The exchange's number.
    pub key: OrderKey,
    /// The client's name.
    pub link: Option<LinkId>,
    /// Where.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Limit price; `None` for a market order.
    pub price: Option<Price>,
    /// How long it rests; IOC for a market order.
    pub time_in_force: TimeInForce,
    /// Total quantity.
    pub quantity: Qty,
    /// Executed quantity.
    pub executed: Qty,
    /// Sum of price × quantity executed.
    pub executed_value: Amount,
    /// Sum of fees paid.
    pub fees: Amount,
    /// Profit its executions realised, fees aside.
    pub realised: Amount,
    /// Whether it may only reduce.
    pub reduce_only: bool,
    /// Its condition, met or not.
    pub trigger: Option<Condition>,
    /// Take-profit it carries for the position.
    pub take_profit: Option<Price>,
    /// Stop-loss it carries for the position.
    pub stop_loss: Option<Price>,
    /// What happens when it meets its own account.
    pub self_match: SelfMatch,
    /// How far it may go, for a market order.
    pub slippage: Option<Slippage>,
    /// Who made it.
    pub origin: Origin,
    /// Where it stands.
    pub status: Status,
    /// Why it closed unfilled.
    pub closed: Closed,
    /// The last trade's price when it came; zero without one.
    pub last_on_created: Price,
    /// When it came.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Recorded quantity in front of it at its price; `None` until the level is seen. Not kept over a restart, after which
    /// the order goes to the back.
    #[serde(skip)]
    pub(crate) ahead: Option<Qty>,
    /// Rank among orders at one price: smaller is earlier.
    pub(crate) rank: u64,
}

impl Order {
    /// A market order of the exchange's own that closes a whole position.
    pub(super) fn closing(
        key: OrderKey,
        rank: u64,
        origin: Origin,
        position: &Position,
        last: Price,
        now: Timestamp,
    ) -> Self {
        Self {
            key,
            link: None,
            instrument: position.instrument,
            side: if position.size.0 > 0 { Side::Sell } else { Side::Buy },
            price: None,
            time_in_force: TimeInForce::Ioc,
            quantity: position.quantity(),
            executed: Qty(0),
            executed_value: Amount(0),
            fees: Amount(0),
            realised: Amount(0),
            reduce_only: true,
            trigger: None,
            take_profit: None,
            stop_loss: None,
            // Getting out goes before whatever else the account wants.
            self_match: SelfMatch::CancelMaker,
            slippage: None,
            origin,
            status: Status::New,
            closed: Closed::No,
            last_on_created: last,
            created: now,
            updated: now,
            ahead: None,
            rank,
        }
    }

    /// Quantity not executed yet; of a closed order what it would have been.
    #[must_use]
    pub const fn unexecuted(&self) -> Qty {
        Qty(self.quantity.0.saturating_sub(self.executed.0))
    }

    /// Quantity that can still execute: zero once closed.
    #[must_use]
    pub const fn leaves(&self) -> Qty {
        if self.status.is_open() { self.unexecuted() } else { Qty(0) }
    }

    /// Whether it waits for its condition.
    #[must_use]
    pub const fn waits(&self) -> bool {
        matches!(self.status, Status::Untriggered)
    }
}
