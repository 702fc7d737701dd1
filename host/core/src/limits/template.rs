//! The texts that `install` and `demo` write. Operators edit them; the code itself has no numbers of its own (RULES G9).

/// For a new installation: 50 orders an hour, 100,000 USDT traded a day, positions of 10,000 USDT.
pub const INSTALL_LIMITS: &str = r#"# Limits of this installation. Amounts are USDT. A bound that is missing is refused, never read as "unbounded".

[account]
position_notional_max = "10000"
open_orders_max = 20
orders_per_second_max = 2
orders_per_minute_max = 20
orders_per_hour_max = 50
orders_per_day_max = 500
traded_value_per_day_max = "100000"
daily_loss_max = "500"
foreign_orders = "halt"

[each_strategy]
position_notional_max = "10000"
open_orders_max = 10
orders_per_second_max = 2
orders_per_minute_max = 20
orders_per_hour_max = 50
orders_per_day_max = 500
traded_value_per_day_max = "100000"
daily_loss_max = "250"
rejects_in_a_row_max = 5
intents_per_second_max = 5
intents_burst_max = 20

[instrument."linear:BTCUSDT"]
order_quantity_max = "0.1"
order_notional_max = "5000"
position_notional_max = "10000"
open_orders_max = 10
collar_fraction = "0.02"
collar_ticks = 10
market_data_age_ms_max = 5000
mark_age_ms_max = 60000

[instrument."linear:ETHUSDT"]
order_quantity_max = "2"
order_notional_max = "5000"
position_notional_max = "10000"
open_orders_max = 10
collar_fraction = "0.02"
collar_ticks = 10
market_data_age_ms_max = 5000
mark_age_ms_max = 60000
"#;

/// For `portcullis demo` on the paper venue: 5,000 orders an hour, 5,000,000 USDT traded a day, positions of 20,000 USDT.
pub const DEMO_LIMITS: &str = r#"# Limits of the demo, which trades on the paper venue only. Amounts are USDT.

[account]
position_notional_max = "40000"
open_orders_max = 200
orders_per_second_max = 50
orders_per_minute_max = 1000
orders_per_hour_max = 5000
orders_per_day_max = 50000
traded_value_per_day_max = "5000000"
daily_loss_max = "5000"
foreign_orders = "count"

[each_strategy]
position_notional_max = "20000"
open_orders_max = 100
orders_per_second_max = 25
orders_per_minute_max = 600
orders_per_hour_max = 5000
orders_per_day_max = 50000
traded_value_per_day_max = "5000000"
daily_loss_max = "2500"
rejects_in_a_row_max = 20
intents_per_second_max = 50
intents_burst_max = 200

[instrument."linear:BTCUSDT"]
order_quantity_max = "1"
order_notional_max = "20000"
position_notional_max = "20000"
open_orders_max = 100
collar_fraction = "0.05"
collar_ticks = 20
market_data_age_ms_max = 10000
mark_age_ms_max = 120000

[instrument."linear:ETHUSDT"]
order_quantity_max = "20"
order_notional_max = "20000"
position_notional_max = "20000"
open_orders_max = 100
collar_fraction = "0.05"
collar_ticks = 20
market_data_age_ms_max = 10000
mark_age_ms_max = 120000
"#;
