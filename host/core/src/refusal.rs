//! Why we said no: a closed list with stable numbers (`wit/refusals.md`).

use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! refusal_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal $text:literal,)*) => {
        /// Why an intent was refused. Numbers are stable and never reused; the strategy sees the number, people the name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "u16", try_from = "u16")]
        #[repr(u16)]
        pub enum RefusalCode {
            $($(#[$doc])* $name = $number,)*
        }

        impl RefusalCode {
            /// Every code, in the order of the numbers.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name, in capitals.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The number.
            pub const fn number(self) -> u16 {
                match self {
                    $(Self::$name => $number,)*
                }
            }

            /// The code of a number; `None` for a number nobody gave out.
            pub const fn from_number(number: u16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

refusal_codes! {
    /// The instrument is not one of the strategy's.
    UnknownInstrument = 1 "UNKNOWN_INSTRUMENT",
    /// The manifest or the operator does not let this strategy trade the symbol.
    SymbolNotAllowed = 2 "SYMBOL_NOT_ALLOWED",
    /// The venue does not trade the instrument now.
    InstrumentNotTrading = 3 "INSTRUMENT_NOT_TRADING",
    /// A price is zero or negative.
    PriceNotPositive = 4 "PRICE_NOT_POSITIVE",
    /// A price is not a multiple of the tick.
    PriceOffTick = 5 "PRICE_OFF_TICK",
    /// The quantity is zero or negative.
    QuantityNotPositive = 6 "QUANTITY_NOT_POSITIVE",
    /// The quantity is not a multiple of the step.
    QuantityOffStep = 7 "QUANTITY_OFF_STEP",
    /// The quantity is below the instrument's minimum.
    QuantityBelowMinimum = 8 "QUANTITY_BELOW_MINIMUM",
    /// The quantity is above the instrument's maximum for this kind of order.
    QuantityAboveMaximum = 9 "QUANTITY_ABOVE_MAXIMUM",
    /// Price × quantity is below the instrument's minimum.
    NotionalBelowMinimum = 10 "NOTIONAL_BELOW_MINIMUM",
    /// A product or sum of the order's numbers does not fit.
    Overflow = 11 "OVERFLOW",
    /// This combination of kind, time in force, trigger, protection or good-till is not supported.
    Unsupported = 12 "UNSUPPORTED",
    /// The strategy never placed an order of that number.
    UnknownOrder = 13 "UNKNOWN_ORDER",
    /// The order is over.
    OrderClosed = 14 "ORDER_CLOSED",
    /// An earlier command on the order has no answer yet.
    OrderBusy = 15 "ORDER_BUSY",
    /// The amend names no new price and no new quantity.
    NothingToChange = 16 "NOTHING_TO_CHANGE",
    /// The causing event came before the warm-up boundary.
    WarmUp = 17 "WARM_UP",
    /// The causing event is too old by now.
    StaleIntent = 18 "STALE_INTENT",
    /// The strategy was restarted and has not seen its resync yet.
    NotResynced = 19 "NOT_RESYNCED",
    /// More than 32 actions on one event, or more than 4,096 in one frame.
    TooManyActions = 20 "TOO_MANY_ACTIONS",
    /// A 65th timer; counted for the operator only.
    TooManyTimers = 21 "TOO_MANY_TIMERS",
    /// A metric that the description does not name; counted for the operator only.
    UnknownMetric = 22 "UNKNOWN_METRIC",
    /// The strategy sends intents faster than its bucket refills.
    IntentRate = 23 "INTENT_RATE",
    /// The bundle's manifest does not let this strategy place orders of this kind.
    OrderKindNotAllowed = 25 "ORDER_KIND_NOT_ALLOWED",
    /// The same order was asked for a moment ago.
    DuplicateIntent = 26 "DUPLICATE_INTENT",
    /// The operator set no value for a limit that a check needs.
    LimitMissing = 30 "LIMIT_MISSING",
    /// The order is larger than one order may be.
    OrderQuantityLimit = 31 "ORDER_QUANTITY_LIMIT",
    /// The order's value is larger than one order's may be.
    OrderNotionalLimit = 32 "ORDER_NOTIONAL_LIMIT",
    /// The price is too far from the reference price.
    PriceCollar = 33 "PRICE_COLLAR",
    /// There is no price to compare with.
    NoReferencePrice = 34 "NO_REFERENCE_PRICE",
    /// The newest market data is too old.
    StaleMarketData = 35 "STALE_MARKET_DATA",
    /// The book's best bid is at or above its best ask.
    CrossedBook = 36 "CROSSED_BOOK",
    /// The position could become too large if every open order filled.
    PositionLimit = 37 "POSITION_LIMIT",
    /// Too many open orders.
    OpenOrdersLimit = 38 "OPEN_ORDERS_LIMIT",
    /// Too many orders in the window.
    OrderRateLimit = 39 "ORDER_RATE_LIMIT",
    /// The day's loss has reached its bound.
    DailyLoss = 40 "DAILY_LOSS",
    /// The day's traded value has reached its bound.
    TradedValueLimit = 41 "TRADED_VALUE_LIMIT",
    /// A reduce-only order that would not reduce the position.
    ReduceOnlyInvalid = 42 "REDUCE_ONLY_INVALID",
    /// Another strategy trades this symbol on the account.
    SymbolOwned = 43 "SYMBOL_OWNED",
    /// The order needs more than the strategy's free budget.
    BudgetExceeded = 44 "BUDGET_EXCEEDED",
    /// The positions of the account could become too large in one direction.
    DirectionLimit = 45 "DIRECTION_LIMIT",
    /// The positions could become too large for the equity.
    LeverageLimit = 46 "LEVERAGE_LIMIT",
    /// The account uses too much of its margin.
    MarginLimit = 47 "MARGIN_LIMIT",
    /// The order could trade against an open order of our own.
    SelfTrade = 48 "SELF_TRADE",
    /// The sale would need coins that the books do not have.
    SpotBorrow = 49 "SPOT_BORROW",
    /// The trading state is reduce-only.
    StateReduceOnly = 50 "STATE_REDUCE_ONLY",
    /// The trading state is entries-cancelled or flattening.
    StateEntriesCancelled = 51 "STATE_ENTRIES_CANCELLED",
    /// The trading state is locked.
    StateLocked = 52 "STATE_LOCKED",
    /// A passing condition holds orders that add risk.
    Inhibited = 53 "INHIBITED",
    /// Approved, but too old or off its collar just before sending.
    ReleaseExpired = 54 "RELEASE_EXPIRED",
    /// The venue's rate budget is used up.
    RateBudget = 55 "RATE_BUDGET",
    /// The operator lets nothing be opened at this time of day.
    NoOpenWindow = 56 "NO_OPEN_WINDOW",
    /// The account is not set up as the limits file says, or that is not known.
    AccountMode = 57 "ACCOUNT_MODE",
    /// The book is being rebuilt after a gap.
    MarketDataGap = 58 "MARKET_DATA_GAP",
    /// A check could not be computed, so the answer is no.
    CannotEvaluate = 60 "CANNOT_EVALUATE",
    /// The price is outside the range the operator set for the instrument.
    PriceRange = 70 "PRICE_RANGE",
    /// Too many orders that wait for a trigger.
    ConditionalOrdersLimit = 71 "CONDITIONAL_ORDERS_LIMIT",
    /// The same order was executed again and again.
    RepeatedExecution = 72 "REPEATED_EXECUTION",
    /// The loss since the highest profit has reached its bound.
    Drawdown = 73 "DRAWDOWN",
    /// Too many losses in a row; the pause after them is not over.
    LossCooldown = 74 "LOSS_COOLDOWN",
    /// The day's fees have reached their bound.
    FeeLimit = 75 "FEE_LIMIT",
    /// The budgets of all strategies together are more than the account gives them.
    CapitalExceeded = 76 "CAPITAL_EXCEEDED",
    /// The order would open a position without the stop that the operator demands.
    ProtectionMissing = 77 "PROTECTION_MISSING",
}

impl From<RefusalCode> for u16 {
    fn from(code: RefusalCode) -> Self {
        code.number()
    }
}

impl TryFrom<u16> for RefusalCode {
    type Error = &'static str;

    fn try_from(number: u16) -> Result<Self, Self::Error> {
        Self::from_number(number).ok_or("no refusal code has that number")
    }
}

impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::RefusalCode;

    #[test]
    fn the_contract_lists_every_code() {
        let contract =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/refusals.md")).unwrap();
        let listed: Vec<(u16, String)> = contract
            .lines()
            .filter_map(|line| {
                let mut cells = line.strip_prefix("| ")?.split(" | ");
                let number = cells.next()?.parse().ok()?;
                Some((number, cells.next()?.trim_matches('`').to_owned()))
            })
            .collect();
        let ours: Vec<(u16, String)> =
            RefusalCode::ALL.iter().map(|code| (code.number(), code.as_str().to_owned())).collect();
        assert_eq!(ours, listed);
    }
}
