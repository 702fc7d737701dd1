//! What a strategy returned, as the cell hands it over: hostile until validated.
//!
//! These are the only types of the order path that may be deserialised.

use serde::{Deserialize, Serialize};

use crate::{Digest, OrderNumber, Price, Qty, StrategyId, Timestamp};

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Side {
    /// Buy.
    Buy,
    /// Sell.
    Sell,
}

/// The answer to one frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Events consumed; checked against the frame before anything else (RULES T3).
    pub consumed: u32,
    /// Actions in the order they were decided.
    pub actions: Vec<Action>,
}

/// One action and the event that caused it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// Index in the frame of the causing event.
    pub cause: u32,
    /// The action.
    pub body: ActionBody,
}

/// The actions of `portcullis:strategy@0.1.0`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ActionBody {
    /// Asks for a new order.
    Place(Place),
    /// Asks to change a working order.
    Amend(Amend),
    /// Asks to cancel one order.
    Cancel(OrderNumber),
    /// Asks to cancel all own orders, of one of the strategy's instruments or of all.
    CancelAll(Option<u32>),
    /// Asks to close the position in one of the strategy's instruments.
    Flatten(u32),
    /// Sets, moves or (with `None`) removes a timer.
    SetTimer {
        /// The strategy's name for it.
        id: u64,
        /// When it fires.
        at: Option<Timestamp>,
    },
    /// A line for the strategy's log; cut to 1,024 bytes by the cell.
    Log {
        /// Severity.
        level: LogLevel,
        /// The text.
        message: String,
    },
    /// Sets a gauge. Never read back into a decision, so it may be a float.
    Metric {
        /// A name the strategy declared.
        name: String,
        /// The value.
        value: f64,
    },
}

/// A new order, as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Index into the strategy's own instruments.
    pub instrument: u32,
    /// Buy or sell.
    pub side: Side,
    /// Mantissa with the instrument's quantity decimals.
    pub quantity: Qty,
    /// Limit price; `None` asks for a market order.
    pub limit: Option<Price>,
    /// How long it rests.
    pub time_in_force: TimeInForce,
    /// Whether it may only reduce.
    pub reduce_only: bool,
    /// Condition that releases it.
    pub trigger: Option<Trigger>,
    /// Take-profit to attach to the position.
    pub take_profit: Option<Price>,
    /// Stop-loss to attach to the position.
    pub stop_loss: Option<Price>,
    /// When the host cancels what is left.
    pub good_till: Option<Timestamp>,
    /// Echoed in every event of the order.
    pub tag: u64,
}

/// How long an order rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeInForce {
    /// Until cancelled.
    Gtc,
    /// Fills what it can at once.
    Ioc,
    /// Fills whole at once or not at all.
    Fok,
    /// Rests, or is cancelled if it would take.
    PostOnly,
}

/// A condition on the last price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// The price that releases the order.
    pub price: Price,
    /// Whether the price must rise to it; otherwise it must fall.
    pub rising: bool,
}

/// A change of a working order, as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amend {
    /// The order.
    pub order: OrderNumber,
    /// The new limit price.
    pub limit: Option<Price>,
    /// The new total quantity, executed part included.
    pub quantity: Option<Qty>,
}

/// Severity of a strategy's log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LogLevel {
    /// For the author.
    Debug,
    /// For the record.
    Info,
    /// Odd.
    Warn,
    /// Wrong.
    Error,
}

/// An action that asks for an order, amend or cancel, with who asked and why: the start of the order path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawIntent {
    /// Known from the socket it came by, never from a field of the guest's (RULES C2).
    pub strategy: StrategyId,
    /// The event that caused it.
    pub cause: Cause,
    /// What is asked for.
    pub ask: Ask,
}

/// The event behind an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The event's time.
    pub time: Timestamp,
    /// The event's running number in the strategy's stream.
    pub event: u64,
    /// SHA-256 of the frame that held it; zero in a backtest, whose journal must not depend on frame sizes (RULES T6).
    pub frame: Digest,
}

/// What an intent asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// A new order.
    Place(Place),
    /// A change.
    Amend(Amend),
    /// A cancel.
    Cancel(OrderNumber),
    /// Cancels of all own orders.
    CancelAll(Option<u32>),
    /// The position closed.
    Flatten(u32),
}
