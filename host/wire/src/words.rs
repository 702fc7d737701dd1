//! The venue's vocabulary: its closed lists of words, as enums that survive a word they do not know.

use core::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest unknown word kept, in bytes; a longer one is cut.
const WORD_MAX: usize = 64;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// A word this version does not know, at most 64 bytes of it.
            Other(Box<str>),
        }

        impl $name {
            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($text => Self::$variant,)+
                    _ => Self::Other(clip(word).into()),
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::from("")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Word;
                impl de::Visitor<'_> for Word {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a word")
                    }

                    fn visit_str<E: de::Error>(self, word: &str) -> Result<$name, E> {
                        Ok($name::from(word))
                    }
                }
                deserializer.deserialize_str(Word)
            }
        }
    )+};
}

words! {
    /// The kind of market.
    Category {
        /// Perpetuals and futures margined in USDT or USDC.
        Linear = "linear",
        /// Spot.
        Spot = "spot",
        /// Coin-margined contracts.
        Inverse = "inverse",
        /// Options.
        Option = "option",
    }

    /// Buy or sell; empty on a flat position.
    Side {
        /// Buy.
        Buy = "Buy",
        /// Sell.
        Sell = "Sell",
        /// No side: the position is flat.
        Flat = "",
    }

    /// The type of an order.
    OrderType {
        /// At the market, within a slippage bound.
        Market = "Market",
        /// At a limit.
        Limit = "Limit",
        /// Of something that is no order, such as funding.
        Unknown = "UNKNOWN",
    }

    /// How long an order rests.
    TimeInForce {
        /// Until cancelled.
        Gtc = "GTC",
        /// What fills at once.
        Ioc = "IOC",
        /// All at once or nothing.
        Fok = "FOK",
        /// Only as maker.
        PostOnly = "PostOnly",
        /// Retail price improvement.
        Rpi = "RPI",
    }

    /// The status of an order. Note the two spellings of "cancelled".
    OrderStatus {
        /// Rests.
        New = "New",
        /// Rests, partly executed.
        PartiallyFilled = "PartiallyFilled",
        /// Waits for its trigger.
        Untriggered = "Untriggered",
        /// Refused after the acknowledgement.
        Rejected = "Rejected",
        /// Spot: partly executed, the rest cancelled.
        PartiallyFilledCanceled = "PartiallyFilledCanceled",
        /// Executed whole.
        Filled = "Filled",
        /// Cancelled; derivatives may have executed in part.
        Cancelled = "Cancelled",
        /// Trigger reached; a moment only.
        Triggered = "Triggered",
        /// Cancelled before its trigger.
        Deactivated = "Deactivated",
    }

    /// Who or what cancelled an order.
    CancelType {
        /// Not cancelled, or not said.
        Unknown = "UNKNOWN",
        /// The client.
        ByUser = "CancelByUser",
        /// Reduce-only could not be kept.
        ByReduceOnly = "CancelByReduceOnly",
        /// Cancelled before a liquidation to free margin.
        ByPrepareLiq = "CancelByPrepareLiq",
        /// All of them, before a liquidation.
        AllBeforeLiq = "CancelAllBeforeLiq",
        /// Before auto-deleveraging.
        ByPrepareAdl = "CancelByPrepareAdl",
        /// All of them, before auto-deleveraging.
        AllBeforeAdl = "CancelAllBeforeAdl",
        /// By the venue's operator.
        ByAdmin = "CancelByAdmin",
        /// Its take-profit or stop-loss was emptied.
        ByTpslTs = "CancelByTpSlTsClear",
        /// Self-match prevention.
        BySmp = "CancelBySmp",
        /// The connection it hung on was lost.
        ByDcp = "CancelByDCP",
        /// Settlement.
        BySettle = "CancelBySettle",
        /// Not enough balance.
        ByCannotAfford = "CancelByCannotAffordOrderCost",
        /// The other leg of a one-cancels-other pair.
        ByOco = "CancelByOCO",
    }

    /// Why an order was refused or closed.
    RejectReason {
        /// It was not.
        NoError = "EC_NoError",
        /// Not said.
        Unset = "",
        /// Cancelled by request.
        PerCancelRequest = "EC_PerCancelRequest",
        /// Post-only, and would have taken.
        PostOnlyWillTake = "EC_PostOnlyWillTakeLiquidity",
        /// Immediate-or-cancel: the rest had nothing to fill with.
        NoImmediateQtyToFill = "EC_NoImmediateQtyToFill",
        /// Fill-or-kill could not fill whole; also the dust of a spot market buy.
        CancelForNoFullFill = "EC_CancelForNoFullFill",
        /// A second report of a cancel that lost the race.
        OrigIdDoesNotExist = "EC_OrigClOrdIDDoesNotExist",
        /// Too late to cancel.
        TooLateToCancel = "EC_TooLateToCancel",
        /// The client id exists.
        DuplicatedId = "EC_DuplicatedClOrdID",
        /// A self-match.
        BySelfMatch = "EC_BySelfMatch",
        /// Reached the venue's maximum of orders.
        ReachMaxTradeNum = "EC_ReachMaxTradeNum",
        /// Outside the price band.
        PriceOutOfBand = "EC_ReachRiskPriceLimit",
        /// Not enough balance.
        InsufficientBalance = "EC_InsufficientBalance",
    }

    /// Which orders a query or cancel means.
    OrderFilter {
        /// Active orders.
        Order = "Order",
        /// Conditional orders.
        StopOrder = "StopOrder",
        /// Spot take-profit and stop-loss.
        TpslOrder = "tpslOrder",
        /// Orders of the open position.
        OpenOrder = "OpenOrder",
    }

    /// What made a conditional order.
    StopOrderType {
        /// Not conditional.
        None = "",
        /// Not conditional, in the venue's other spelling.
        Unknown = "UNKNOWN",
        /// A client's conditional order.
        Stop = "Stop",
        /// The position's take-profit.
        TakeProfit = "TakeProfit",
        /// The position's stop-loss.
        StopLoss = "StopLoss",
        /// The position's trailing stop.
        TrailingStop = "TrailingStop",
        /// Take-profit of part of a position.
        PartialTakeProfit = "PartialTakeProfit",
        /// Stop-loss of part of a position.
        PartialStopLoss = "PartialStopLoss",
        /// Spot take-profit or stop-loss.
        TpslOrder = "tpslOrder",
        /// One-cancels-other.
        OcoOrder = "OcoOrder",
    }

    /// Which price a trigger watches.
    TriggerBy {
        /// The last price.
        LastPrice = "LastPrice",
        /// The index.
        IndexPrice = "IndexPrice",
        /// The mark.
        MarkPrice = "MarkPrice",
        /// No trigger.
        None = "",
        /// No trigger, in the venue's other spelling.
        Unknown = "UNKNOWN",
    }

    /// Self-match prevention of the taking order.
    SmpType {
        /// Off.
        None = "None",
        /// The resting order goes.
        CancelMaker = "CancelMaker",
        /// The taking order goes.
        CancelTaker = "CancelTaker",
        /// Both go.
        CancelBoth = "CancelBoth",
    }

    /// Whether protection covers the whole position.
    TpslMode {
        /// The whole position.
        Full = "Full",
        /// A part.
        Partial = "Partial",
        /// None is set.
        None = "",
        /// None is set, in the venue's other spelling.
        Unknown = "UNKNOWN",
    }

    /// The coin a spot market order's quantity counts.
    MarketUnit {
        /// Base coin.
        BaseCoin = "baseCoin",
        /// Quote coin: the default of a spot market buy.
        QuoteCoin = "quoteCoin",
        /// Not a spot market order.
        None = "",
    }

    /// The unit of a market order's slippage bound.
    SlippageToleranceType {
        /// Ticks.
        TickSize = "TickSize",
        /// Percent.
        Percent = "Percent",
        /// None given.
        Unknown = "UNKNOWN",
        /// None given.
        None = "",
    }

    /// What kind of execution a row reports.
    ExecType {
        /// A trade.
        Trade = "Trade",
        /// Auto-deleveraging.
        AdlTrade = "AdlTrade",
        /// A funding payment.
        Funding = "Funding",
        /// A liquidation.
        BustTrade = "BustTrade",
        /// Delivery of a future.
        Delivery = "Delivery",
        /// Settlement.
        Settle = "Settle",
        /// A block trade.
        BlockTrade = "BlockTrade",
        /// A position moved between accounts.
        MovePosition = "MovePosition",
    }

    /// What made an order; absent for spot.
    CreateType {
        /// The client.
        ByUser = "CreateByUser",
        /// The venue, closing.
        ByClosing = "CreateByClosing",
        /// The position's stop-loss.
        ByStopLoss = "CreateByStopLoss",
        /// The position's take-profit.
        ByTakeProfit = "CreateByTakeProfit",
        /// The position's trailing stop.
        ByTrailingStop = "CreateByTrailingStop",
        /// Part stop-loss.
        ByPartialStopLoss = "CreateByPartialStopLoss",
        /// Part take-profit.
        ByPartialTakeProfit = "CreateByPartialTakeProfit",
        /// A liquidation.
        ByLiq = "CreateByLiq",
        /// The liquidation engine taking the position over.
        ByTakeOver = "CreateByTakeOver_PassThrough",
        /// Auto-deleveraging.
        ByAdl = "CreateByAdl_PassThrough",
        /// Settlement.
        BySettle = "CreateBySettle",
        /// Not said.
        None = "",
    }

    /// Whether an instrument trades.
    InstrumentStatus {
        /// Listed, not yet trading freely.
        PreLaunch = "PreLaunch",
        /// Trades.
        Trading = "Trading",
        /// Being delivered.
        Delivering = "Delivering",
        /// No longer trades.
        Closed = "Closed",
    }

    /// The kind of a contract.
    ContractType {
        /// Perpetual, linear.
        LinearPerpetual = "LinearPerpetual",
        /// Dated, linear.
        LinearFutures = "LinearFutures",
        /// Perpetual, inverse.
        InversePerpetual = "InversePerpetual",
        /// Dated, inverse.
        InverseFutures = "InverseFutures",
        /// No contract: spot.
        None = "",
    }

    /// The account's margin mode.
    MarginMode {
        /// Isolated.
        Isolated = "ISOLATED_MARGIN",
        /// Cross.
        Regular = "REGULAR_MARGIN",
        /// Portfolio.
        Portfolio = "PORTFOLIO_MARGIN",
    }

    /// The state of a position.
    PositionStatus {
        /// Ordinary.
        Normal = "Normal",
        /// Being liquidated.
        Liq = "Liq",
        /// Being deleveraged.
        Adl = "Adl",
        /// Not said.
        None = "",
    }
}

/// The longest prefix of at most [`WORD_MAX`] bytes that ends between characters.
fn clip(word: &str) -> &str {
    word.get(..word.floor_char_boundary(WORD_MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_survive_a_round_trip_in_their_own_spelling() {
        for word in ["Cancelled", "PartiallyFilledCanceled", "Untriggered"] {
            let status: OrderStatus = serde_json::from_str(&format!("\"{word}\"")).unwrap();
            assert!(!matches!(status, OrderStatus::Other(_)), "{word}");
            assert_eq!(status.as_str(), word);
        }
    }

    #[test]
    fn an_unknown_word_is_kept_but_bounded() {
        let long = "é".repeat(100);
        let kept = Side::from(long.as_str());
        assert_eq!(kept.as_str().len(), 64);
        assert_eq!(Side::from("Short").as_str(), "Short");
    }

    #[test]
    fn a_missing_word_is_the_empty_one() {
        assert_eq!(Side::default(), Side::Flat);
        assert_eq!(OrderType::default(), OrderType::Other("".into()));
    }
}
