//! What a client asks for: new orders, changes and cancels.

use serde::{Deserialize, Serialize};

use portcullis_core::{Amount, InstrumentId, LinkId, Price, Qty, Side, TimeInForce};

use super::exit::ExitTerms;
use super::order::OrderKey;
use super::position::Leg;

/// A new order, as a client asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Where.
    pub instrument: InstrumentId,
    /// The client's name for it; must never have been used before.
    pub link: Option<LinkId>,
    /// Buy or sell.
    pub side: Side,
    /// Of which position.
    pub leg: Leg,
    /// How much. Zero with `reduce_only` closes the whole position.
    pub quantity: Qty,
    /// Quote coins that a spot market buy is to spend; `quantity` is ignored then.
    pub budget: Option<Amount>,
    /// Limit price; `None` for a market order, which runs as IOC up to its slippage bound.
    pub price: Option<Price>,
    /// How long it rests; ignored for a market order.
    pub time_in_force: TimeInForce,
    /// Whether it may only reduce the position.
    pub reduce_only: bool,
    /// Whether, once its condition is met, entries of the instrument make room for it. Such an order only reduces.
    pub close_on_trigger: bool,
    /// Condition that releases it.
    pub trigger: Option<Condition>,
    /// Whether a spot condition holds its balance while it waits: Bybit's `tpslOrder`.
    pub reserves: bool,
    /// Take-profit for the position this order opens.
    pub take_profit: Option<Price>,
    /// Stop-loss for the position this order opens.
    pub stop_loss: Option<Price>,
    /// How those two close.
    pub exits: ExitTerms,
    /// What happens when it meets an order of the same account.
    pub self_match: SelfMatch,
    /// How far a market order may go from the best price; `None` is the engine's default.
    pub slippage: Option<Slippage>,
}

impl NewOrder {
    /// A plain market order of the net position.
    #[must_use]
    pub fn market(instrument: InstrumentId, side: Side, quantity: Qty) -> Self {
        Self {
            instrument,
            link: None,
            side,
            leg: Leg::Net,
            quantity,
            budget: None,
            price: None,
            time_in_force: TimeInForce::Gtc,
            reduce_only: false,
            close_on_trigger: false,
            trigger: None,
            reserves: false,
            take_profit: None,
            stop_loss: None,
            exits: ExitTerms::default(),
            self_match: SelfMatch::Allow,
            slippage: None,
        }
    }
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Watched {
    /// The last trade.
    #[default]
    Last,
    /// The mark price.
    Mark,
    /// The index price; the mark price where the data has no index.
    Index,
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
    /// New price that the condition watches, while it waits.
    pub watches: Option<Watched>,
    /// New take-profit it carries; the inner `None` removes it.
    pub take_profit: Option<Option<Price>>,
    /// New stop-loss it carries.
    pub stop_loss: Option<Option<Price>>,
    /// How those two close.
    pub exits: Option<ExitTerms>,
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
    /// Conditions that a client placed and that hold nothing while they wait.
    ClientConditions,
    /// Spot conditions that hold their balance.
    Reserving,
}
