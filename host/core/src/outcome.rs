//! What a check found: its verdict and the numbers it saw.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::RefusalCode;

macro_rules! check_ids {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal $unit:ident,)*) => {
        /// The checks of the review, one a row of the control table. Numbers are stable: they are journaled.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum CheckId {
            $($(#[$doc])* $name = $number,)*
        }

        impl CheckId {
            /// Every check.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name in explanations.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The unit of the numbers it records.
            pub const fn unit(self) -> Unit {
                match self {
                    $(Self::$name => Unit::$unit,)*
                }
            }
        }
    };
}

check_ids! {
    /// The strategy runs and owns the instrument.
    Identity = 0 "identity" Flag,
    /// The trading state; seen is its number.
    TradingState = 1 "trading-state" Flag,
    /// The inhibits; seen are their bits.
    Inhibits = 2 "inhibits" Flag,
    /// Age of the causing event.
    IntentAge = 3 "intent-age" Nanoseconds,
    /// A reduce-only order reduces; seen is the quantity asked, limit what can still be reduced.
    ReduceOnly = 4 "reduce-only" Quantity,
    /// Age of the market data.
    MarketDataAge = 5 "market-data-age" Nanoseconds,
    /// The book is not crossed; seen is the bid, limit the ask.
    CrossedBook = 6 "crossed-book" Price,
    /// Distance from the best price or last trade.
    CollarMarket = 7 "collar-market" Amount,
    /// Distance from the mark price.
    CollarMark = 8 "collar-mark" Amount,
    /// Quantity of one order.
    OrderQuantity = 9 "order-quantity" Quantity,
    /// Value of one order.
    OrderNotional = 10 "order-notional" Amount,
    /// Worst-case position of the instrument, long or short.
    PositionInstrument = 11 "position-instrument" Amount,
    /// Worst-case positions of the strategy, added up.
    PositionStrategy = 12 "position-strategy" Amount,
    /// Worst-case positions of the account, added up.
    PositionAccount = 13 "position-account" Amount,
    /// Worst-case positions of the strategy against its capital.
    Budget = 14 "budget" Amount,
    /// Open orders of the instrument.
    OpenOrdersInstrument = 15 "open-orders-instrument" Count,
    /// Open orders of the strategy.
    OpenOrdersStrategy = 16 "open-orders-strategy" Count,
    /// Open orders of the account.
    OpenOrdersAccount = 17 "open-orders-account" Count,
    /// The strategy's orders in a second.
    RateStrategySecond = 18 "rate-strategy-second" Count,
    /// The strategy's orders in a minute.
    RateStrategyMinute = 19 "rate-strategy-minute" Count,
    /// The strategy's orders in an hour.
    RateStrategyHour = 20 "rate-strategy-hour" Count,
    /// The strategy's orders in a day.
    RateStrategyDay = 21 "rate-strategy-day" Count,
    /// The account's orders in a second.
    RateAccountSecond = 22 "rate-account-second" Count,
    /// The account's orders in a minute.
    RateAccountMinute = 23 "rate-account-minute" Count,
    /// The account's orders in an hour.
    RateAccountHour = 24 "rate-account-hour" Count,
    /// The account's orders in a day.
    RateAccountDay = 25 "rate-account-day" Count,
    /// The strategy's value traded today, open orders included.
    TradedStrategy = 26 "traded-strategy" Amount,
    /// The account's value traded today, open orders included.
    TradedAccount = 27 "traded-account" Amount,
    /// The strategy's loss of the day.
    LossStrategy = 28 "loss-strategy" Amount,
    /// The account's loss of the day.
    LossAccount = 29 "loss-account" Amount,
    /// The strategy has seen its resync since it last came back.
    Resync = 30 "resync" Flag,
    /// The venue trades the instrument.
    InstrumentStatus = 31 "instrument-status" Flag,
    /// The price is a multiple of the tick; limit is the tick.
    PriceTick = 32 "price-tick" Price,
    /// The quantity is a multiple of the step; limit is the step.
    QuantityStep = 33 "quantity-step" Quantity,
    /// The instrument's smallest quantity.
    QuantityMinimum = 34 "quantity-minimum" Quantity,
    /// The venue's largest quantity for this kind of order.
    QuantityMaximum = 35 "quantity-maximum" Quantity,
    /// The instrument's smallest value of an order.
    NotionalMinimum = 36 "notional-minimum" Amount,
    /// The account is set up as the limits file says; seen is 1 for hedge mode, 2 for another margin mode, 3 for both.
    AccountMode = 37 "account-mode" Flag,
    /// The bundle's manifest allows this kind of order.
    OrderKind = 38 "order-kind" Flag,
    /// The operator's range for prices; limit is the end of it that counts.
    PriceRange = 39 "price-range" Price,
    /// Distance from the worst price of the last minute.
    CollarWindow = 40 "collar-window" Amount,
    /// The book is whole.
    MarketDataGap = 41 "market-data-gap" Flag,
    /// Orders of the instrument that wait for a trigger.
    OpenConditional = 42 "open-conditional" Count,
    /// No open order of our own on the other side would be met; seen is the price, limit the best of those.
    SelfTrade = 43 "self-trade" Price,
    /// Age of the same order asked for before; limit is the least.
    DuplicateIntent = 44 "duplicate-intent" Nanoseconds,
    /// A spot sale has the coins; seen is what could be sold in all, limit what the books have.
    SpotBorrow = 45 "spot-borrow" Quantity,
    /// Worst-case positions of the account in one direction.
    DirectionAccount = 46 "direction-account" Amount,
    /// Worst-case positions of the account over its equity.
    Leverage = 47 "leverage" Rate,
    /// Initial margin of the account over its equity, as the venue has it.
    InitialMargin = 48 "initial-margin" Rate,
    /// Maintenance margin of the account over its equity, as the venue has it.
    MaintenanceMargin = 49 "maintenance-margin" Rate,
    /// Budgets of the running strategies, added up.
    Capital = 50 "capital" Amount,
    /// The strategy's fees of the day, this order's included.
    FeesStrategy = 51 "fees-strategy" Amount,
    /// The account's fees of the day, this order's included.
    FeesAccount = 52 "fees-account" Amount,
    /// The strategy's loss since its highest profit.
    DrawdownStrategy = 53 "drawdown-strategy" Amount,
    /// The account's loss since its highest profit.
    DrawdownAccount = 54 "drawdown-account" Amount,
    /// Losses in a row, an open loss included, while the pause after them lasts.
    LossCooldown = 55 "loss-cooldown" Count,
    /// The time of day; seen is the minute of the UTC day, limit the first minute after the closed window.
    OpenWindow = 56 "open-window" Count,
    /// The stop that goes with the position; seen is its distance, limit the largest.
    Protection = 57 "protection" Amount,
    /// Executions of the same order again and again.
    RepeatedExecutions = 58 "repeated-executions" Count,
    /// The price is one that the venue takes; limit is its highest for a buy, its lowest for a sale.
    PriceLimit = 59 "price-limit" Price,
}

impl CheckId {
    /// Whether an operator may let one order past its bound: the sizes and counts, never states, losses or market data.
    pub const fn can_be_overridden(self) -> bool {
        matches!(
            self,
            Self::OrderQuantity
                | Self::OrderNotional
                | Self::PositionInstrument
                | Self::PositionStrategy
                | Self::PositionAccount
                | Self::DirectionAccount
                | Self::Leverage
                | Self::Budget
                | Self::OpenOrdersInstrument
                | Self::OpenOrdersStrategy
                | Self::OpenOrdersAccount
                | Self::OpenConditional
                | Self::RateStrategySecond
                | Self::RateStrategyMinute
                | Self::RateStrategyHour
                | Self::RateStrategyDay
                | Self::RateAccountSecond
                | Self::RateAccountMinute
                | Self::RateAccountHour
                | Self::RateAccountDay
                | Self::TradedStrategy
                | Self::TradedAccount
                | Self::FeesStrategy
                | Self::FeesAccount
        )
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The unit of a check's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Yes or no, a state or bits.
    Flag,
    /// Money in units of 1e-18 (for collars: a distance between prices).
    Amount,
    /// A price mantissa of the instrument.
    Price,
    /// A quantity mantissa of the instrument.
    Quantity,
    /// A number of things.
    Count,
    /// A span of time.
    Nanoseconds,
    /// A ratio in units of 1e-12.
    Rate,
}

/// One check of one intent, as journaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOutcome {
    /// Which check.
    pub check: CheckId,
    /// Its verdict.
    pub verdict: Verdict,
    /// The number it saw, in its [`Unit`]; 0 when it could not be computed.
    pub seen: i128,
    /// The bound it held that against, in the same unit.
    pub limit: i128,
}

/// The three answers of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Within its bound; for worst-case positions also beyond it, where the order only closes what is held.
    Pass,
    /// Beyond its bound, but inside what an operator allowed for one order.
    Overridden,
    /// Beyond its bound.
    Deny(RefusalCode),
    /// Not computable, which refuses just the same (invariant 3).
    CannotEvaluate(RefusalCode),
}

impl Verdict {
    /// The code when the answer is no.
    pub const fn refusal(self) -> Option<RefusalCode> {
        match self {
            Self::Pass | Self::Overridden => None,
            Self::Deny(code) | Self::CannotEvaluate(code) => Some(code),
        }
    }
}
