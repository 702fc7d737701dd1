//! Refusal codes.

use core::fmt;

macro_rules! refusal_codes {
    ($($code:literal $name:literal $variant:ident $doc:literal)*) => {
        /// Why the host refused an intent. `wit/refusals.md` is the list; numbers are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum RefusalCode {
            $(#[doc = $doc] $variant,)*
            /// A code that this SDK does not know yet.
            Other(u16),
        }

        impl RefusalCode {
            /// Every code this SDK knows.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code of a number; a number this SDK does not know becomes [`RefusalCode::Other`].
            #[must_use]
            pub const fn from_number(number: u16) -> Self {
                match number {
                    $($code => Self::$variant,)*
                    other => Self::Other(other),
                }
            }

            /// The stable number.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Other(number) => number,
                }
            }

            /// The stable name, as in logs and the journal.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(_) => "OTHER",
                }
            }
        }
    };
}

refusal_codes! {
    1 "UNKNOWN_INSTRUMENT" UnknownInstrument "The instrument is not one of the set-up's."
    2 "SYMBOL_NOT_ALLOWED" SymbolNotAllowed "The strategy may not trade the symbol."
    3 "INSTRUMENT_NOT_TRADING" InstrumentNotTrading "The venue does not trade the instrument now."
    4 "PRICE_NOT_POSITIVE" PriceNotPositive "A price is zero or negative."
    5 "PRICE_OFF_TICK" PriceOffTick "A price is not a multiple of the tick."
    6 "QUANTITY_NOT_POSITIVE" QuantityNotPositive "The quantity is zero or negative."
    7 "QUANTITY_OFF_STEP" QuantityOffStep "The quantity is not a multiple of the step."
    8 "QUANTITY_BELOW_MINIMUM" QuantityBelowMinimum "The quantity is below the instrument's minimum."
    9 "QUANTITY_ABOVE_MAXIMUM" QuantityAboveMaximum "The quantity is above the instrument's maximum."
    10 "NOTIONAL_BELOW_MINIMUM" NotionalBelowMinimum "Price × quantity is below the instrument's minimum."
    11 "OVERFLOW" Overflow "A product or sum of the order's numbers does not fit."
    12 "UNSUPPORTED" Unsupported "This combination of order properties is not supported."
    13 "UNKNOWN_ORDER" UnknownOrder "The strategy never placed an order of that number."
    14 "ORDER_CLOSED" OrderClosed "The order is over."
    15 "ORDER_BUSY" OrderBusy "An earlier command on the order has no answer yet."
    16 "NOTHING_TO_CHANGE" NothingToChange "The amend names neither a new price nor a new quantity."
    17 "WARM_UP" WarmUp "The causing event came before the warm-up boundary."
    18 "STALE_INTENT" StaleIntent "The causing event is too old by now."
    19 "NOT_RESYNCED" NotResynced "The strategy was restarted and has not seen its resync yet."
    20 "TOO_MANY_ACTIONS" TooManyActions "More actions on one event than the bundle's manifest allows."
    21 "TOO_MANY_TIMERS" TooManyTimers "A 65th timer."
    22 "UNKNOWN_METRIC" UnknownMetric "A metric that the description does not name."
    23 "INTENT_RATE" IntentRate "The strategy sends intents too fast."
    25 "ORDER_KIND_NOT_ALLOWED" OrderKindNotAllowed "The bundle's manifest does not let this strategy place orders of this kind."
    26 "DUPLICATE_INTENT" DuplicateIntent "The same order was asked for a moment ago."
    30 "LIMIT_MISSING" LimitMissing "The operator set no value for a limit that the check needs."
    31 "ORDER_QUANTITY_LIMIT" OrderQuantityLimit "The order is larger than one order may be."
    32 "ORDER_NOTIONAL_LIMIT" OrderNotionalLimit "The order's value is larger than one order's may be."
    33 "PRICE_COLLAR" PriceCollar "The price is too far from the reference price."
    34 "NO_REFERENCE_PRICE" NoReferencePrice "There is no price to compare with."
    35 "STALE_MARKET_DATA" StaleMarketData "The newest market data is too old."
    36 "CROSSED_BOOK" CrossedBook "The book's best bid is at or above its best ask."
    37 "POSITION_LIMIT" PositionLimit "The position could become too large."
    38 "OPEN_ORDERS_LIMIT" OpenOrdersLimit "Too many open orders."
    39 "ORDER_RATE_LIMIT" OrderRateLimit "Too many orders in the window."
    40 "DAILY_LOSS" DailyLoss "The day's loss has reached its bound."
    41 "TRADED_VALUE_LIMIT" TradedValueLimit "The day's traded value has reached its bound."
    42 "REDUCE_ONLY_INVALID" ReduceOnlyInvalid "A reduce-only order that would not reduce the position."
    43 "SYMBOL_OWNED" SymbolOwned "Another strategy trades this symbol on the account."
    44 "BUDGET_EXCEEDED" BudgetExceeded "The order needs more than the free budget."
    45 "DIRECTION_LIMIT" DirectionLimit "The positions of the account could become too large in one direction."
    46 "LEVERAGE_LIMIT" LeverageLimit "The positions could become too large for the equity."
    47 "MARGIN_LIMIT" MarginLimit "The account uses too much of its margin."
    48 "SELF_TRADE" SelfTrade "The order could trade against an open order of our own."
    49 "SPOT_BORROW" SpotBorrow "The sale would need coins that the books do not have."
    50 "STATE_REDUCE_ONLY" StateReduceOnly "Only orders that reduce pass."
    51 "STATE_ENTRIES_CANCELLED" StateEntriesCancelled "The trading state is entries-cancelled or flattening."
    52 "STATE_LOCKED" StateLocked "The trading state is locked."
    53 "INHIBITED" Inhibited "A passing condition holds orders that add risk; it clears by itself."
    54 "RELEASE_EXPIRED" ReleaseExpired "Approved, but too old or off its collar just before sending."
    55 "RATE_BUDGET" RateBudget "The venue's rate budget is used up."
    56 "NO_OPEN_WINDOW" NoOpenWindow "The operator lets nothing be opened at this time of day."
    57 "ACCOUNT_MODE" AccountMode "The account is not set up as the limits file says, or that is not known."
    58 "MARKET_DATA_GAP" MarketDataGap "The book is being rebuilt after a gap."
    60 "CANNOT_EVALUATE" CannotEvaluate "A check could not be computed, so the answer is no."
    70 "PRICE_RANGE" PriceRange "The price is outside the range the operator set for the instrument."
    71 "CONDITIONAL_ORDERS_LIMIT" ConditionalOrdersLimit "Too many orders that wait for a trigger."
    72 "REPEATED_EXECUTION" RepeatedExecution "The same order was executed again and again."
    73 "DRAWDOWN" Drawdown "The loss since the highest profit has reached its bound."
    74 "LOSS_COOLDOWN" LossCooldown "Too many losses in a row; the pause after them is not over."
    75 "FEE_LIMIT" FeeLimit "The day's fees have reached their bound."
    76 "CAPITAL_EXCEEDED" CapitalExceeded "The budgets of all strategies together are more than the account gives them."
    77 "PROTECTION_MISSING" ProtectionMissing "The order would open a position without the stop that the operator demands."
}

/// Prints the stable name; an unknown code prints its number.
impl fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Other(number) = self { write!(f, "REFUSAL_{number}") } else { f.write_str(self.name()) }
    }
}
