//! Own orders: their changes, executions and refusals.

use crate::action::{OrderNumber, Side};
use crate::{Amount, InstrumentId, Price, Qty, RefusalCode, Time};

/// A change of an own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnOrder {
    /// When the strategy sees it.
    pub time: Time,
    /// When it happened at the venue, or at the host before it was sent.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// The order.
    pub order: OrderNumber,
    /// The strategy's own mark.
    pub tag: u64,
    /// Limit price; zero for a market order.
    pub price: Price,
    /// Total quantity.
    pub quantity: Qty,
    /// Executed so far.
    pub executed: Qty,
    /// Buy or sell.
    pub side: Side,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it stands there.
    pub reason: OrderReason,
}

/// Where an own order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// Approved and journaled, on its way.
    Submitted,
    /// Sent without an answer yet. It may be working: the host finds out, and nobody sends it again.
    Unknown,
    /// Resting at the venue.
    Working,
    /// Resting at the venue, partly executed.
    PartiallyFilled,
    /// Executed whole.
    Filled,
    /// Cancelled; part of it may be executed.
    Cancelled,
    /// The venue said no.
    Rejected,
    /// Its time ran out.
    Expired,
    /// Waiting for its trigger.
    Untriggered,
    /// Approved, but never sent.
    NotSent,
}

impl OrderStatus {
    /// Whether the order rests at the venue, so that it can be amended and cancelled.
    #[must_use]
    pub const fn is_resting(self) -> bool {
        matches!(self, Self::Working | Self::PartiallyFilled | Self::Untriggered)
    }

    /// Whether nothing more can happen to the order.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        match self {
            Self::Filled | Self::Cancelled | Self::Rejected | Self::Expired | Self::NotSent => true,
            Self::Submitted | Self::Unknown | Self::Working | Self::PartiallyFilled | Self::Untriggered => {
                false
            }
        }
    }
}

/// Why an own order stands where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderReason {
    /// No particular reason.
    None,
    /// A post-only order would have taken.
    WouldTake,
    /// No liquidity inside the bound of a market order.
    NoLiquidity,
    /// A reduce-only order had nothing to reduce.
    ReduceOnly,
    /// Not enough margin.
    InsufficientMargin,
    /// Outside the venue's price limit.
    PriceLimit,
    /// Cancelled by the strategy.
    ByStrategy,
    /// Cancelled by the operator or a halt.
    ByOperator,
    /// It would have met an own order.
    SelfMatch,
    /// Its good-till time is reached.
    GoodTill,
    /// Liquidation.
    Liquidation,
    /// Another rule of the venue.
    VenueRules,
    /// Something else; 12, or a number that this SDK does not know yet.
    Other(u16),
}

/// An execution of an own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// When the strategy sees it.
    pub time: Time,
    /// When it happened at the venue.
    pub venue_time: Time,
    /// Where.
    pub instrument: InstrumentId,
    /// The order.
    pub order: OrderNumber,
    /// The strategy's own mark.
    pub tag: u64,
    /// Price of this execution.
    pub price: Price,
    /// Quantity of this execution.
    pub quantity: Qty,
    /// Quantity of the order executed so far, this execution included.
    pub executed: Qty,
    /// Fee in the quote coin; negative is a rebate.
    pub fee: Amount,
    /// Buy or sell.
    pub side: Side,
    /// Whether the order rested or took.
    pub liquidity: Liquidity,
}

/// Whether an execution gave liquidity or took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Liquidity {
    /// The order was resting.
    Maker,
    /// The order took.
    Taker,
}

/// The host refused an action. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When the strategy sees it.
    pub time: Time,
    /// Where, if the action named an instrument or order.
    pub instrument: Option<InstrumentId>,
    /// The order, if the action named one or would have placed one.
    pub order: Option<OrderNumber>,
    /// The order's mark; 0 without an order.
    pub tag: u64,
    /// Why.
    pub code: RefusalCode,
    /// What was refused.
    pub action: RefusedAction,
}

/// The kind of action that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusedAction {
    /// A new order.
    Place,
    /// A change; the order stands as it was.
    Amend,
    /// A cancel; the order stands as it was.
    Cancel,
    /// A cancel of all.
    CancelAll,
    /// A flatten.
    Flatten,
}
