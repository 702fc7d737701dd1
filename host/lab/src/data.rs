//! What the head-to-head series comes with.

use portcullis_core::{Category, InstrumentId, InstrumentSpec, MarketEvent, Rate};
use portcullis_paper::{Fees, Listing};

use crate::h1::{H1, H1Depth};

/// The limits of `synthetic:h1`: every check is evaluated, none stops the reference strategy (RULES P3). They are wide, and not for
/// anything else.
pub const H1_LIMITS: &str = r#"# Limits of the head-to-head series. Amounts are USDT.

[account]
position_notional_max = "1000000000"
open_orders_max = 10000
orders_per_second_max = 1000
orders_per_minute_max = 100000
orders_per_hour_max = 1000000
orders_per_day_max = 10000000
traded_value_per_day_max = "1000000000000"
daily_loss_max = "9000000"
foreign_orders = "halt"

[each_strategy]
position_notional_max = "1000000000"
open_orders_max = 10000
orders_per_second_max = 1000
orders_per_minute_max = 100000
orders_per_hour_max = 1000000
orders_per_day_max = 10000000
traded_value_per_day_max = "1000000000000"
daily_loss_max = "9000000"
rejects_in_a_row_max = 100
intents_per_second_max = 1000
intents_burst_max = 1000

[instrument."linear:BTCUSDT"]
order_quantity_max = "100"
order_notional_max = "10000000"
position_notional_max = "1000000000"
open_orders_max = 10000
collar_fraction = "0.05"
collar_ticks = 20
market_data_age_ms_max = 10000
mark_age_ms_max = 120000
"#;

/// The instrument of the series, with this taker fee; `None` only if the rules of BTCUSDT were dropped.
pub fn h1_instrument(taker_fee: Rate) -> Option<InstrumentSpec> {
    let mut listing = Listing::new(Fees { taker: taker_fee, ..Fees::default() });
    let id = listing.list(Category::Linear, "BTCUSDT")?;
    listing.get(id).cloned()
}

/// The first `count` trades of the series `synthetic:h1`, the same for every engine of the head-to-head.
pub fn h1_trades(instrument: InstrumentId, count: u64) -> impl Iterator<Item = MarketEvent> {
    H1::new(instrument, count)
}

/// The same trades with the book around them, about 4.2 events a trade: what engines that follow a book are measured on (RULES P4).
pub fn h1_depth(instrument: InstrumentId, count: u64) -> impl Iterator<Item = MarketEvent> {
    H1Depth::new(instrument, count)
}
