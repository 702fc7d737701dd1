//! The keys of `[each_strategy]` and `[strategy.NAME]` in words.

use super::{LimitSection, LimitWords, bound, rates};
use crate::{CheckId, StateCause, TradingState};

const STRATEGY: LimitSection = LimitSection::Strategy;

const RATES: [LimitWords; 4] = rates(
    STRATEGY,
    [
        &[CheckId::RateStrategySecond],
        &[CheckId::RateStrategyMinute],
        &[CheckId::RateStrategyHour],
        &[CheckId::RateStrategyDay],
    ],
);

pub(super) const ROWS: &[LimitWords] = &[
    bound(
        STRATEGY,
        ("position_notional_max", "USDT"),
        &[CheckId::PositionStrategy],
        "The worst-case positions of the strategy's instruments added up, longs and shorts alike: each as large as it would be if every open and \
         unknown order of one side filled, at the highest price in sight.",
        "An order that would bring the sum above it is refused with POSITION_LIMIT.",
        "It closes nothing: a position that has grown by its price alone stays. Reductions and cancels pass.",
    ),
    bound(
        STRATEGY,
        ("open_orders_max", "orders"),
        &[CheckId::OpenOrdersStrategy],
        "The strategy's open orders, those with an unknown fate and the new one included.",
        "A new order beyond it is refused with OPEN_ORDERS_LIMIT.",
        "Changes of open orders open none, so they pass. Reductions and cancels pass.",
    ),
    RATES[0],
    RATES[1],
    RATES[2],
    RATES[3],
    bound(
        STRATEGY,
        ("traded_value_per_day_max", "USDT"),
        &[CheckId::TradedStrategy],
        "The value the strategy traded since midnight UTC, with everything open and the order under review counted as if it filled.",
        "An order that could bring the sum above it is refused with TRADED_VALUE_LIMIT, until midnight UTC or until open orders are cancelled.",
        "Reductions and cancels pass, and what reductions trade counts too.",
    ),
    bound(
        STRATEGY,
        ("fees_per_day_max", "USDT"),
        &[CheckId::FeesStrategy],
        "Fees the strategy paid since midnight UTC, rebates taken off, and the taker's fee of the order under review.",
        "An order that could bring the sum above it is refused with FEE_LIMIT, until midnight UTC.",
        "Funding is no fee: it counts in the losses. Reductions and cancels pass.",
    ),
    bound(
        STRATEGY,
        ("daily_loss_max", "USDT"),
        &[CheckId::LossStrategy],
        "The strategy's loss since midnight UTC, or since an operator set the baseline anew: realised, open at the mark price, fees and funding. A \
         profit of the day comes off first.",
        "From this loss on, the strategy's orders that could add risk are refused with DAILY_LOSS, and its trading state latches to reduce-only, \
         which only `portcullis rearm` lowers, not the new day.",
        "It closes no position and cancels no order, so the loss can grow. Other strategies go on. Reductions and cancels pass.",
    )
    .latching(StateCause::DailyLoss, TradingState::ReduceOnly),
    bound(
        STRATEGY,
        ("drawdown_max", "USDT"),
        &[CheckId::DrawdownStrategy],
        "The strategy's loss since its highest total profit, open profit included. It does not start anew with the day or with a restart, only \
         with `portcullis rearm --new-baseline`, so a winning trade can end in it when an earlier high is far enough away.",
        "From this loss on, the strategy's orders that could add risk are refused with DRAWDOWN, and its trading state latches to reduce-only, \
         which only `portcullis rearm` lowers.",
        "It closes no position and cancels no order, so the loss can grow. Other strategies go on. Reductions and cancels pass.",
    )
    .latching(StateCause::Drawdown, TradingState::ReduceOnly),
    bound(
        STRATEGY,
        ("rejects_in_a_row_max", "rejections"),
        &[],
        "The strategy's new orders that the venue rejected, one after the other; an accepted one starts the count anew.",
        "At this many, the strategy's trading state latches to reduce-only, which only `portcullis rearm` lowers.",
        "Our own refusals do not count, and other strategies go on. Reductions and cancels pass.",
    )
    .latching(StateCause::RejectStorm, TradingState::ReduceOnly),
    bound(
        STRATEGY,
        ("repeated_executions_max", "orders"),
        &[CheckId::RepeatedExecutions],
        "Executed orders of one instrument, side and quantity, one after the other: the mark of a strategy that does not see its own fills.",
        "At this many, orders that could add risk are refused with REPEATED_EXECUTION, and the strategy's trading state latches to reduce-only, \
         which only `portcullis rearm` lowers.",
        "Another side, another quantity or a pause starts a new row. Reductions and cancels pass, and other strategies go on.",
    )
    .latching(StateCause::RepeatedExecution, TradingState::ReduceOnly),
    bound(
        STRATEGY,
        ("repeated_executions_pause_ms", "ms"),
        &[CheckId::RepeatedExecutions],
        "The pause between two executions that ends a row of repeated executions.",
        "Nothing by itself: the longer it is, the longer a row can become. See repeated_executions_max.",
        "A pause that is over lowers no trading state that was latched.",
    ),
    bound(
        STRATEGY,
        ("duplicate_window_ms", "ms"),
        &[CheckId::DuplicateIntent],
        "The time since the strategy asked for the same order: same instrument, side and quantity, and the same price where the order can rest.",
        "A second one within the window is refused with DUPLICATE_INTENT.",
        "Changes of open orders, reductions and cancels are never duplicates.",
    ),
    bound(
        STRATEGY,
        ("losses_in_a_row_max", "trades"),
        &[CheckId::LossCooldown],
        "Trades that ended in a loss, one after the other over all instruments of the strategy; a position that loses now counts as one more. A \
         trade is over when the position is flat or has turned.",
        "At this many, orders that could add risk are refused with LOSS_COOLDOWN until loss_cooldown_ms after the last loss.",
        "It latches nothing and closes nothing: after the pause entries pass again. Reductions and cancels pass.",
    ),
    bound(
        STRATEGY,
        ("loss_cooldown_ms", "ms"),
        &[CheckId::LossCooldown],
        "The time since the strategy's last losing trade ended.",
        "Until it is over, losses_in_a_row_max holds orders that could add risk.",
        "The pause after it does not forget the row: the next loss in a row starts a new pause.",
    ),
    bound(
        STRATEGY,
        ("intents_per_second_max", "intents a second"),
        &[],
        "Intents that reach the review in the long run; cancels and reductions have a bucket of their own of the same size.",
        "What comes faster is refused with INTENT_RATE before any check runs, and counted in one journal entry a second. A strategy that does it \
         for a whole second gets a strike.",
        "It bounds the work of the gate, not the orders: orders_per_…_max do that.",
    ),
    bound(
        STRATEGY,
        ("intents_burst_max", "intents"),
        &[],
        "Intents that reach the review at once; the bucket fills again at intents_per_second_max.",
        "What comes on top is refused with INTENT_RATE before any check runs.",
        "It bounds the work of the gate, not the orders: orders_per_…_max do that.",
    ),
];
