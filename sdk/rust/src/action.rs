//! What a strategy can do. Strategies use [`Context`](crate::Context); tests look at these types.

use crate::{InstrumentId, Price, Qty, Time};

/// A strategy's own number of an order: its running count of placed orders, from 1, refused ones included.
///
/// The number is known when the order is placed, so it can be amended or cancelled before any answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderNumber(pub u64);

/// Side of an order or of a trade's taker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Adds to the position.
    Buy,
    /// Takes from the position.
    Sell,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

/// One action and the event that caused it.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// Index in the frame of the event that caused it.
    pub cause: u32,
    /// The action.
    pub body: ActionBody,
}

/// The actions.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionBody {
    /// Asks for a new order.
    Place(Place),
    /// Asks to change a working order.
    Amend(Amend),
    /// Asks to cancel one order.
    Cancel(OrderNumber),
    /// Asks to cancel all own orders, of one instrument or of all.
    CancelAll(Option<InstrumentId>),
    /// Asks to close the position of an instrument.
    Flatten(InstrumentId),
    /// Sets, moves or removes a timer.
    SetTimer(Timer),
    /// Writes a line to the strategy's log.
    Log(LogLine),
    /// Sets a gauge.
    Metric(Metric),
}

/// A new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub quantity: Qty,
    /// At which price.
    pub kind: OrderKind,
    /// How long it rests.
    pub time_in_force: TimeInForce,
    /// Whether it may only reduce the position.
    pub reduce_only: bool,
    /// Holds the order back until a price is reached.
    pub trigger: Option<Trigger>,
    /// Take-profit to attach to the position.
    pub take_profit: Option<Price>,
    /// Stop-loss to attach to the position.
    pub stop_loss: Option<Price>,
    /// Time at which the host cancels what is left.
    pub good_till: Option<Time>,
    /// The strategy's own mark, echoed in every event of the order.
    pub tag: u64,
}

/// Price of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    /// At the market, bounded by the host's collar.
    Market,
    /// At this price or better.
    Limit(Price),
}

/// How long an order rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeInForce {
    /// Until cancelled.
    Gtc,
    /// Fills what it can at once, the rest is cancelled.
    Ioc,
    /// Fills whole at once or not at all.
    Fok,
    /// Rests, or is cancelled if it would take.
    PostOnly,
}

/// A condition on the last price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The price that releases the order.
    pub price: Price,
    /// Whether the price must rise or fall to it.
    pub direction: TriggerDirection,
}

/// The way a price comes to a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerDirection {
    /// Released when the last price is at or above the trigger.
    Rise,
    /// Released when the last price is at or below the trigger.
    Fall,
}

/// A change of a working order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amend {
    /// The order.
    pub order: OrderNumber,
    /// The new limit price; none keeps it.
    pub price: Option<Price>,
    /// The new total quantity, executed part included; none keeps it.
    pub quantity: Option<Qty>,
}

/// A timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// The strategy's name for it.
    pub id: u64,
    /// When it fires; none removes it.
    pub at: Option<Time>,
}

/// A line for the strategy's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Severity.
    pub level: LogLevel,
    /// The text; the host cuts it at 1,024 bytes.
    pub message: String,
}

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Detail for the author.
    Debug,
    /// Something worth keeping.
    Info,
    /// Something the operator should know.
    Warn,
    /// Something that went wrong.
    Error,
}

/// A gauge.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// A name from the description.
    pub name: String,
    /// The value.
    pub value: f64,
}

/// What a call did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Events consumed, 1 to the number in the frame.
    pub consumed: u32,
    /// Actions in the order they were decided.
    pub actions: Vec<Action>,
}
