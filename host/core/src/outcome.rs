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
    /// Within its bound.
    Pass,
    /// Beyond its bound.
    Deny(RefusalCode),
    /// Not computable, which refuses just the same (invariant 3).
    CannotEvaluate(RefusalCode),
}

impl Verdict {
    /// The code when the answer is no.
    pub const fn refusal(self) -> Option<RefusalCode> {
        match self {
            Self::Pass => None,
            Self::Deny(code) | Self::CannotEvaluate(code) => Some(code),
        }
    }
}
