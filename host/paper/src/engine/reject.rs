//! Why a request was not accepted. A closed list; the V5 face gives each its code and words.

use portcullis_core::{Amount, Price, Qty};

/// Why a request was not accepted. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// The instrument is not listed, or not of the kind that the request is for.
    #[error("symbol invalid")]
    UnknownInstrument,
    /// The instrument is listed but does not trade.
    #[error("The current trading pair is not trading")]
    NotTradable,
    /// A price is not positive or not a multiple of the tick.
    #[error("Price invalid")]
    PriceInvalid(Price),
    /// A price beyond the instrument's largest.
    #[error("price is invalid")]
    PriceOutOfRange(Price),
    /// Spot: a price is finer than the tick.
    #[error("Order price has too many decimals.")]
    PriceTooFine,
    /// Spot: a price above the price band.
    #[error("Order price cannot be higher than the price limitation")]
    PriceAboveBand(Price),
    /// Spot: a price below the price band.
    #[error("Order price cannot be lower than the price limitation")]
    PriceBelowBand(Price),
    /// Spot: an order needs a price and the market has none yet.
    #[error("no price is known yet")]
    NoPrice,
    /// A quantity is not positive, not a multiple of the step, or outside the instrument's bounds.
    #[error("Qty invalid")]
    QuantityInvalid(Qty),
    /// Spot: a quantity is finer than the step.
    #[error("Order quantity has too many decimals.")]
    QuantityTooFine,
    /// Spot: a quantity below the minimum.
    #[error("Order quantity exceeded lower limit.")]
    QuantityBelowMinimum,
    /// Spot: a quantity above the maximum.
    #[error("Order quantity exceeded upper limit.")]
    QuantityAboveMaximum,
    /// Price × quantity is below the instrument's minimum.
    #[error("Order does not meet minimum order value")]
    NotionalBelowMinimum(Amount),
    /// Spot: the value is below the minimum.
    #[error("Order value exceeded lower limit.")]
    ValueBelowMinimum,
    /// A take-profit or stop-loss is on the wrong side of the price.
    #[error("TakeProfit or StopLoss price invalid")]
    ProtectionInvalid(Price),
    /// A reduce-only or spot order cannot carry protection.
    #[error("reduce-only orders cannot carry TP/SL")]
    ProtectionOnReduceOnly,
    /// The protection that an order carries cannot change once it has executed.
    #[error("Cannot modify the TP/SL of a partially filled open order")]
    ProtectionPartlyFilled,
    /// Exits of the whole position are market orders.
    #[error("tpslMode Full only supports market TP/SL orders")]
    LimitOnFull,
    /// An exit of more than the position.
    #[error("Insufficient number of remaining position size to set take profit and stop loss")]
    ProtectionTooLarge,
    /// Too many exits of parts of a position.
    #[error("Cannot have more than 20 TP/SLs under Partial tpSlMode")]
    TooManyExits,
    /// What an exit closes follows the position and cannot be amended; a trailing stop not at all.
    #[error("this TP/SL order can only be changed by trading-stop")]
    ProtectionFixed,
    /// The margin balance does not cover the order.
    #[error("ab not enough for new order")]
    Margin,
    /// The wallet does not cover it.
    #[error("Insufficient balance.")]
    Balance,
    /// The position could outgrow what its leverage allows.
    #[error(
        "Order placement failed as your position may exceed the max limit. Please adjust your leverage to increase the max. position limit."
    )]
    RiskLimit,
    /// Reduce-only without a position.
    #[error("current position is zero, cannot fix reduce-only order qty")]
    NothingToReduce,
    /// Reduce-only on the side of the position.
    #[error("reduce-only order has same side with current position")]
    WouldIncrease,
    /// The position named does not exist in this mode.
    #[error("position idx not match position mode")]
    PositionIndex,
    /// The client's name has been used before: the earlier attempt was accepted.
    #[error("OrderLinkedID is duplicate")]
    DuplicateLink,
    /// Too many working orders.
    #[error("Total number of orders exceeds the limit of 500")]
    TooManyOrders,
    /// Too many conditions of one instrument.
    #[error("Number of conditional orders exceeds the limit")]
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
    /// The leverage is more than the risk tier of the position allows.
    #[error("cannot set leverage due to risk limit level")]
    LeverageTooHigh {
        /// The most of the lowest tier, in hundredths.
        most: u32,
    },
    /// The position mode is the current one.
    #[error("Position mode is not modified")]
    ModeNotModified,
    /// The position mode cannot change while a position is open.
    #[error("You have an existing position, so position mode cannot be switched")]
    ModeWithPosition,
    /// The position mode cannot change while orders are open.
    #[error("Open orders exist, so you cannot change position mode")]
    ModeWithOrders,
    /// The protection is the current one.
    #[error("not modified")]
    ProtectionNotModified,
    /// Protection for a position that is flat.
    #[error("can not set tp/sl/ts for zero position")]
    NoPosition,
}
