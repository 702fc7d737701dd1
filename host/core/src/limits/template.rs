//! The texts that `install` and `demo` write. Operators edit them; the code itself has no numbers of its own (RULES G9).

/// For a new installation: 50 orders an hour, 100,000 USDT traded a day, positions of 10,000 USDT.
pub const INSTALL_LIMITS: &str = r#"# Limits of this installation. Amounts are USDT. A bound that is missing is refused, never read as "unbounded".

[account]
capital = "10000"
position_notional_max = "10000"
direction_notional_max = "10000"
leverage_max = "2"
initial_margin_max = "0.5"
maintenance_margin_max = "0.25"
wallet_age_ms_max = 180000
margin_mode = "cross"
open_orders_max = 20
orders_per_second_max = 2
orders_per_minute_max = 20
orders_per_hour_max = 50
orders_per_day_max = 500
traded_value_per_day_max = "100000"
fees_per_day_max = "100"
daily_loss_max = "500"
drawdown_max = "1000"
daily_profit_alert = "5000"
foreign_orders = "halt"
no_open = []
inhibits_per_hour_max = 12

[each_strategy]
position_notional_max = "10000"
open_orders_max = 10
orders_per_second_max = 2
orders_per_minute_max = 20
orders_per_hour_max = 50
orders_per_day_max = 500
traded_value_per_day_max = "100000"
fees_per_day_max = "100"
daily_loss_max = "250"
drawdown_max = "500"
rejects_in_a_row_max = 5
repeated_executions_max = 10
repeated_executions_pause_ms = 600000
duplicate_window_ms = 1000
losses_in_a_row_max = 4
loss_cooldown_ms = 1800000
intents_per_second_max = 5
intents_burst_max = 20

[instrument."linear:BTCUSDT"]
order_quantity_max = "0.1"
order_notional_max = "5000"
position_notional_max = "10000"
open_orders_max = 10
conditional_orders_max = 5
price_min = "1000"
price_max = "1000000"
window_fraction = "0.03"
protection = "stop"
stop_fraction = "0.05"
stop_missing_ms_max = 5000
collar_fraction = "0.02"
collar_ticks = 10
market_data_age_ms_max = 5000
mark_age_ms_max = 60000

[instrument."linear:ETHUSDT"]
order_quantity_max = "2"
order_notional_max = "5000"
position_notional_max = "10000"
open_orders_max = 10
conditional_orders_max = 5
price_min = "50"
price_max = "100000"
window_fraction = "0.03"
protection = "stop"
stop_fraction = "0.05"
stop_missing_ms_max = 5000
collar_fraction = "0.02"
collar_ticks = 10
market_data_age_ms_max = 5000
mark_age_ms_max = 60000
"#;

/// For `portcullis demo` on the paper venue: 5,000 orders an hour, 5,000,000 USDT traded a day, positions of 20,000 USDT.
pub const DEMO_LIMITS: &str = r#"# Limits of the demo, which trades on the paper venue only. Amounts are USDT.

[account]
capital = "40000"
position_notional_max = "40000"
direction_notional_max = "40000"
leverage_max = "5"
initial_margin_max = "0.8"
maintenance_margin_max = "0.5"
wallet_age_ms_max = 180000
margin_mode = "cross"
open_orders_max = 200
orders_per_second_max = 50
orders_per_minute_max = 1000
orders_per_hour_max = 5000
orders_per_day_max = 50000
traded_value_per_day_max = "5000000"
fees_per_day_max = "5000"
daily_loss_max = "5000"
drawdown_max = "5000"
daily_profit_alert = "20000"
foreign_orders = "count"
no_open = []
inhibits_per_hour_max = 60

[each_strategy]
position_notional_max = "20000"
open_orders_max = 100
orders_per_second_max = 25
orders_per_minute_max = 600
orders_per_hour_max = 5000
orders_per_day_max = 50000
traded_value_per_day_max = "5000000"
fees_per_day_max = "5000"
daily_loss_max = "2500"
drawdown_max = "2500"
rejects_in_a_row_max = 20
repeated_executions_max = 200
repeated_executions_pause_ms = 60000
duplicate_window_ms = 50
losses_in_a_row_max = 500
loss_cooldown_ms = 60000
intents_per_second_max = 50
intents_burst_max = 200

[instrument."linear:BTCUSDT"]
order_quantity_max = "1"
order_notional_max = "20000"
position_notional_max = "20000"
open_orders_max = 100
conditional_orders_max = 10
price_min = "1000"
price_max = "1000000"
window_fraction = "0.1"
protection = "stop"
stop_fraction = "0.1"
stop_missing_ms_max = 10000
collar_fraction = "0.05"
collar_ticks = 20
market_data_age_ms_max = 10000
mark_age_ms_max = 120000

[instrument."linear:ETHUSDT"]
order_quantity_max = "20"
order_notional_max = "20000"
position_notional_max = "20000"
open_orders_max = 100
conditional_orders_max = 10
price_min = "50"
price_max = "100000"
window_fraction = "0.1"
protection = "stop"
stop_fraction = "0.1"
stop_missing_ms_max = 10000
collar_fraction = "0.05"
collar_ticks = 20
market_data_age_ms_max = 10000
mark_age_ms_max = 120000
"#;

/// For `portcullis bench`, `synthetic:h1` and other measurements: every check is evaluated, none stops the reference strategies
/// (RULES P3). Wide, and not for anything else.
pub const BENCH_LIMITS: &str = r#"# Limits of measurements, wide on purpose. Amounts are USDT.

[account]
capital = "1000000000000"
position_notional_max = "1000000000000"
direction_notional_max = "1000000000000"
leverage_max = "1000000"
initial_margin_max = "0.999"
maintenance_margin_max = "0.999"
wallet_age_ms_max = 1000000000
margin_mode = "cross"
open_orders_max = 1000000
orders_per_second_max = 1000000000
orders_per_minute_max = 1000000000
orders_per_hour_max = 1000000000
orders_per_day_max = 1000000000
traded_value_per_day_max = "1000000000000"
fees_per_day_max = "1000000000"
daily_loss_max = "9000000"
drawdown_max = "9000000"
daily_profit_alert = "1000000000"
foreign_orders = "halt"
no_open = []
inhibits_per_hour_max = 1000000

[each_strategy]
position_notional_max = "1000000000000"
open_orders_max = 1000000
orders_per_second_max = 1000000000
orders_per_minute_max = 1000000000
orders_per_hour_max = 1000000000
orders_per_day_max = 1000000000
traded_value_per_day_max = "1000000000000"
fees_per_day_max = "1000000000"
daily_loss_max = "9000000"
drawdown_max = "9000000"
rejects_in_a_row_max = 1000000000
repeated_executions_max = 1000000000
repeated_executions_pause_ms = 1000
duplicate_window_ms = 1
losses_in_a_row_max = 1000000000
loss_cooldown_ms = 1
intents_per_second_max = 1000000000
intents_burst_max = 1000000000

[instrument."linear:BTCUSDT"]
order_quantity_max = "1000"
order_notional_max = "100000000"
position_notional_max = "1000000000000"
open_orders_max = 1000000
conditional_orders_max = 1000000
price_min = "0.1"
price_max = "100000000"
window_fraction = "0.9"
protection = "none"
collar_fraction = "0.5"
collar_ticks = 1000
market_data_age_ms_max = 1000000000
mark_age_ms_max = 1000000000
"#;
