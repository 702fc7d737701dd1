//! Commands: what may leave for the venue. `ApprovedCommand` is minted by [`review`](crate::review) alone.

use serde::{Deserialize, Serialize};

use crate::{InstrumentId, LinkId, OrderId, Price, Qty, Side, TimeInForce, Timestamp, Trigger};

/// A command to the venue (RULES G2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A new order.
    Place(PlaceOrder),
    /// A change of a working order.
    Amend(AmendOrder),
    /// A cancel of one order.
    Cancel(CancelOrder),
    /// Cancels of every entry order of one instrument.
    CancelAll(CancelAll),
    /// Take-profit and stop-loss of a position.
    SetProtection(SetProtection),
}

impl Command {
    /// Whether it creates an order, so that the journal mints a client id for it.
    pub const fn is_create(&self) -> bool {
        matches!(self, Self::Place(_))
    }

    /// The order it is about; `None` for what is about an instrument.
    pub const fn order(&self) -> Option<OrderId> {
        match self {
            Self::Place(place) => Some(place.order),
            Self::Amend(amend) => Some(amend.order),
            Self::Cancel(cancel) => Some(cancel.order),
            Self::CancelAll(_) | Self::SetProtection(_) => None,
        }
    }

    /// The instrument it is about.
    pub const fn instrument(&self) -> InstrumentId {
        match self {
            Self::Place(place) => place.instrument,
            Self::Amend(amend) => amend.instrument,
            Self::Cancel(cancel) => cancel.instrument,
            Self::CancelAll(all) => all.instrument,
            Self::SetProtection(protection) => protection.instrument,
        }
    }
}

/// A new order, bounded: every adding order carries a price (RULES G3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceOrder {
    /// The host's number for it.
    pub order: OrderId,
    /// Where.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub quantity: Qty,
    /// Limit price, or the collar of a market order (then `time_in_force` is `Ioc`). `None` only for a reduction
    /// without a fresh price: market, reduce-only, with slippage tolerance.
    pub price: Option<Price>,
    /// How long it rests.
    pub time_in_force: TimeInForce,
    /// Whether it may only reduce.
    pub reduce_only: bool,
    /// Condition that releases it.
    pub trigger: Option<Trigger>,
    /// Take-profit attached to the position.
    pub take_profit: Option<Price>,
    /// Stop-loss attached to the position.
    pub stop_loss: Option<Price>,
}

/// A change of a working order. Only what changes is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmendOrder {
    /// The order.
    pub order: OrderId,
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Its name at the venue.
    pub link: LinkId,
    /// New limit price.
    pub price: Option<Price>,
    /// New total quantity.
    pub quantity: Option<Qty>,
}

/// A cancel of one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelOrder {
    /// The order.
    pub order: OrderId,
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Its name at the venue.
    pub link: LinkId,
}

/// Cancels of one instrument's orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelAll {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Which orders.
    pub scope: CancelScope,
}

/// Which orders a cancel-all takes. Protection of the position is never among them (RULES G8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelScope {
    /// Active orders (`orderFilter=Order`).
    Entries,
    /// Conditional entry orders (`orderFilter=StopOrder`, `stopOrderType=Stop`).
    Conditional,
}

/// Take-profit and stop-loss of a position; `None` leaves as is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetProtection {
    /// The instrument.
    pub instrument: InstrumentId,
    /// Take-profit price.
    pub take_profit: Option<Price>,
    /// Stop-loss price.
    pub stop_loss: Option<Price>,
}

/// What a command does to risk; decides which checks run and how long it may wait for the disk (RULES G2, G3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// May add risk: every check, a durable record first, never queued.
    Adding,
    /// Can only reduce risk.
    Reducing,
    /// Only takes orders away.
    Cancel,
}

/// A command the gate approved, not yet in the journal. Consumed by the journal.
#[derive(Debug)]
#[must_use = "an approved command must be journaled, or its reservation is never freed"]
pub struct ApprovedCommand {
    command: Command,
    class: Class,
    approved_at: Timestamp,
}

impl ApprovedCommand {
    /// The only constructor; called by `review.rs` and nothing else (a tidy test counts).
    pub(crate) fn assertion(command: Command, class: Class, approved_at: Timestamp) -> Self {
        Self { command, class, approved_at }
    }

    /// What is to be sent.
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// What it does to risk.
    pub fn class(&self) -> Class {
        self.class
    }

    /// When the gate approved it.
    pub fn approved_at(&self) -> Timestamp {
        self.approved_at
    }

    /// Takes the command out, for the journal to mint a `JournaledCommand` from.
    pub fn into_parts(self) -> (Command, Class, Timestamp) {
        (self.command, self.class, self.approved_at)
    }
}
