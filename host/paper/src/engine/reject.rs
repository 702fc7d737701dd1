//! Why a request was not accepted. A closed list; the V5 face gives each its code and words.

use portcullis_core::{Amount, Price, Qty};

/// Why a request was not accepted. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// The instrument is not listed.
    #[error("symbol invalid")]
    UnknownInstrument,
    /// The instrument is listed but not for orders.
    #[error("spot trading is not offered by the paper exchange")]
    NotTradable,
    /// A price is not positive or not a multiple of the tick.
    #[error("Price invalid")]
    PriceInvalid(Price),
    /// A quantity is not positive, not a multiple of the step, or outside the instrument's bounds.
    #[error("Qty invalid")]
    QuantityInvalid(Qty),
    /// Price × quantity is below the instrument's minimum.
    #[error("Order does not meet minimum order value")]
    NotionalBelowMinimum(Amount),
    /// A take-profit or stop-loss is on the wrong side of the price.
    #[error("TakeProfit or StopLoss price invalid")]
    ProtectionInvalid(Price),
    /// A reduce-only order cannot carry protection.
    #[error("reduce-only orders cannot carry TP/SL")]
    ProtectionOnReduceOnly,
    /// The margin balance does not cover the order.
    #[error("ab not enough for new order")]
    Margin,
    /// Reduce-only without a position.
    #[error("current position is zero, cannot fix reduce-only order qty")]
    NothingToReduce,
    /// Reduce-only on the side of the position.
    #[error("reduce-only order has same side with current position")]
    WouldIncrease,
    /// The client's name has been used before: the earlier attempt was accepted.
    #[error("OrderLinkedID is duplicate")]
    DuplicateLink,
    /// Too many working orders.
    #[error("Total number of orders exceeds the limit of 500")]
    TooManyOrders,
    /// Too many conditions of one instrument.
    #[error("Number of conditional orders exceeds the limit of 10")]
    TooManyConditions,
    /// A rising condition at or below the current price.
    #[error("a rising condition must lie above the current price")]
    TriggerNotAbove {
        /// The condition's price.
        trigger: Price,
        /// The watched price.
        current: Price,
    },
    /// A falling condition at or above the current price.
    #[error("a falling condition must lie below the current price")]
    TriggerNotBelow {
        /// The condition's price.
        trigger: Price,
        /// The watched price.
        current: Price,
    },
    /// A cancel of an order that does not exist or is closed.
    #[error("order not exists or too late to cancel")]
    NoSuchOrderToCancel,
    /// An amend of an order that does not exist or is closed.
    #[error("order not exists or too late to replace")]
    NoSuchOrderToAmend,
    /// The new total quantity is not above what is executed.
    #[error("order remains unchanged as the new qty is not greater than the filled qty")]
    QuantityExecuted,
    /// The amend changes nothing.
    #[error("order not modified")]
    NotModified,
    /// The leverage is the current one.
    #[error("leverage not modified")]
    LeverageNotModified,
    /// The leverage is out of bounds.
    #[error("leverage invalid")]
    LeverageInvalid,
    /// The protection is the current one.
    #[error("not modified")]
    ProtectionNotModified,
    /// Protection for a position that is flat.
    #[error("can not set tp/sl/ts for zero position")]
    NoPosition,
}
