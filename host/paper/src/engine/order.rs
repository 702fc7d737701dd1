//! Orders as the exchange sees them, and what became of them.

use serde::{Deserialize, Serialize};

use portcullis_core::{Amount, InstrumentId, LinkId, Price, Qty, Side, TimeInForce, Timestamp};

use super::exit::{ExitTerms, Trail};
use super::position::{Leg, Position};
use super::terms::{Condition, NewOrder, SelfMatch, Slippage};

/// The exchange's own number of an order, counted from 1 over its whole state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OrderKey(pub u64);

/// Who made an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// A client.
    Client,
    /// The position's take-profit.
    TakeProfit,
    /// The position's stop-loss.
    StopLoss,
    /// The position's trailing stop.
    TrailingStop,
    /// A take-profit of part of the position.
    PartialTakeProfit,
    /// A stop-loss of part of the position.
    PartialStopLoss,
    /// The exchange, closing a position that ran out of margin.
    Liquidation,
}

impl Origin {
    /// Whether it is an exit of a position.
    #[must_use]
    pub const fn protects(self) -> bool {
        match self {
            Self::TakeProfit
            | Self::StopLoss
            | Self::TrailingStop
            | Self::PartialTakeProfit
            | Self::PartialStopLoss => true,
            Self::Client | Self::Liquidation => false,
        }
    }
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
    /// Not enough margin or balance when its condition was met or it was to execute, or it made room for a closing order.
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
    /// Of which position.
    #[serde(default)]
    pub leg: Leg,
    /// Limit price; `None` for a market order.
    pub price: Option<Price>,
    /// How long it rests; IOC for a market order.
    pub time_in_force: TimeInForce,
    /// Total quantity; of an order with a budget the most that it could buy.
    pub quantity: Qty,
    /// Quote coins that a spot market buy is to spend.
    #[serde(default)]
    pub budget: Option<Amount>,
    /// Executed quantity.
    pub executed: Qty,
    /// Sum of price × quantity executed.
    pub executed_value: Amount,
    /// Sum of fees paid in the quote coin.
    pub fees: Amount,
    /// Sum of fees paid in the base coin; spot only.
    #[serde(default)]
    pub base_fees: Amount,
    /// Profit its executions realised, fees aside.
    pub realised: Amount,
    /// Whether it may only reduce.
    pub reduce_only: bool,
    /// Whether entries make room for it once its condition is met.
    #[serde(default)]
    pub close_on_trigger: bool,
    /// Its condition, met or not.
    pub trigger: Option<Condition>,
    /// Whether it holds spot balance while it waits.
    #[serde(default)]
    pub reserves: bool,
    /// How a trailing stop stands.
    #[serde(default)]
    pub trail: Option<Trail>,
    /// The other exit of its pair, which goes when this one is released.
    #[serde(default)]
    pub twin: Option<OrderKey>,
    /// The order of the same account that it met and did not trade with.
    #[serde(default)]
    pub met: Option<OrderKey>,
    /// The client's name of the order it belongs to.
    #[serde(default)]
    pub parent: Option<LinkId>,
    /// Take-profit it carries for the position.
    pub take_profit: Option<Price>,
    /// Stop-loss it carries for the position.
    pub stop_loss: Option<Price>,
    /// How those two close.
    #[serde(default)]
    pub exits: ExitTerms,
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
    /// Quote coins that a spot buy may spend in all while it takes, so that it leaves alone what others hold.
    #[serde(skip)]
    pub(crate) spend_max: Option<Amount>,
    /// Rank among orders at one price: smaller is earlier.
    pub(crate) rank: u64,
}

impl Order {
    /// An accepted order that has not started to work.
    pub(super) fn new(
        key: OrderKey,
        rank: u64,
        request: &NewOrder,
        quantity: Qty,
        last: Price,
        now: Timestamp,
    ) -> Self {
        Self {
            key,
            link: request.link.clone(),
            instrument: request.instrument,
            side: request.side,
            leg: request.leg,
            price: request.price,
            time_in_force: if request.price.is_some() { request.time_in_force } else { TimeInForce::Ioc },
            quantity,
            budget: request.budget,
            executed: Qty(0),
            executed_value: Amount(0),
            fees: Amount(0),
            base_fees: Amount(0),
            realised: Amount(0),
            reduce_only: request.reduce_only,
            close_on_trigger: request.close_on_trigger,
            trigger: request.trigger,
            reserves: request.reserves,
            trail: None,
            twin: None,
            met: None,
            parent: None,
            take_profit: request.take_profit,
            stop_loss: request.stop_loss,
            exits: request.exits,
            self_match: request.self_match,
            slippage: request.slippage,
            origin: Origin::Client,
            status: if request.trigger.is_some() { Status::Untriggered } else { Status::New },
            closed: Closed::No,
            last_on_created: last,
            created: now,
            updated: now,
            ahead: None,
            spend_max: None,
            rank,
        }
    }

    /// A market order of the exchange's own that closes a whole position.
    pub(super) fn closing(
        key: OrderKey,
        rank: u64,
        origin: Origin,
        position: &Position,
        last: Price,
        now: Timestamp,
    ) -> Self {
        let side = if position.size.0 > 0 { Side::Sell } else { Side::Buy };
        let request = NewOrder {
            leg: position.leg,
            reduce_only: true,
            close_on_trigger: true,
            // Getting out goes before whatever else the account wants.
            self_match: SelfMatch::CancelMaker,
            ..NewOrder::market(position.instrument, side, position.quantity())
        };
        Self { origin, ..Self::new(key, rank, &request, position.quantity(), last, now) }
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
