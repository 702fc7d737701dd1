//! The keys of `[account]` in words.

use super::{LimitSection, LimitWords, bound, rates};
use crate::{CheckId, StateCause, TradingState};

const ACCOUNT: LimitSection = LimitSection::Account;

const RATES: [LimitWords; 4] = rates(
    ACCOUNT,
    [
        &[CheckId::RateAccountSecond],
        &[CheckId::RateAccountMinute],
        &[CheckId::RateAccountHour],
        &[CheckId::RateAccountDay],
    ],
);

pub(super) const ROWS: &[LimitWords] = &[
    bound(
        ACCOUNT,
        ("capital", "USDT"),
        &[CheckId::Capital],
        "The budgets of all running strategies added up.",
        "While the sum is larger, orders that could add risk are refused with CAPITAL_EXCEEDED, whoever asks.",
        "It says nothing of what is held or lost: a strategy's own budget and the position limits bound that. Reductions and cancels pass.",
    ),
    bound(
        ACCOUNT,
        ("position_notional_max", "USDT"),
        &[CheckId::PositionAccount],
        "The worst-case positions of all instruments added up, longs and shorts alike: each position as large as it would be if every open and \
         unknown order of one side filled, at the highest price in sight.",
        "An order that would bring the sum above it is refused with POSITION_LIMIT.",
        "It closes nothing: a position that has grown by its price alone stays. Reductions and cancels pass.",
    ),
    bound(
        ACCOUNT,
        ("direction_notional_max", "USDT"),
        &[CheckId::DirectionAccount],
        "Everything that could become long, added up over all instruments, or everything that could become short; longs and shorts are not netted.",
        "A buy that would bring the long sum above it, or a sale the short sum, is refused with DIRECTION_LIMIT.",
        "It closes nothing, and an order of the other direction passes. Reductions and cancels pass.",
    ),
    bound(
        ACCOUNT,
        ("leverage_max", "times the equity"),
        &[CheckId::Leverage],
        "The worst-case positions of all instruments over the equity in the venue's last word on the wallet.",
        "An order that would bring the ratio above it is refused with LEVERAGE_LIMIT; so is every order while the equity is not known.",
        "It is not the leverage set at the venue, and it closes nothing when the equity falls. Reductions and cancels pass.",
    ),
    bound(
        ACCOUNT,
        ("initial_margin_max", "fraction of the equity"),
        &[CheckId::InitialMargin],
        "The account's initial margin over its equity, as the venue last reported it. The order under review is not in it yet.",
        "While it is above, orders that could add risk are refused with MARGIN_LIMIT.",
        "It reduces nothing by itself. Reductions and cancels pass.",
    ),
    bound(
        ACCOUNT,
        ("maintenance_margin_max", "fraction of the equity"),
        &[CheckId::MaintenanceMargin],
        "The account's maintenance margin over its equity, as the venue last reported it. At 1 the venue liquidates the account.",
        "While it is above, orders that could add risk are refused with MARGIN_LIMIT.",
        "It prevents no liquidation: it reduces nothing by itself. Reductions and cancels pass.",
    ),
    bound(
        ACCOUNT,
        ("wallet_age_ms_max", "ms"),
        &[CheckId::Leverage, CheckId::InitialMargin, CheckId::MaintenanceMargin],
        "The age of the venue's last word on the wallet.",
        "While it is older, leverage and margin cannot be computed, and orders that could add risk are refused with CANNOT_EVALUATE.",
        "Losses and positions do not need the wallet: they come from our own books. Reductions and cancels pass.",
    ),
    bound(
        ACCOUNT,
        ("margin_mode", "isolated, cross or portfolio"),
        &[CheckId::AccountMode],
        "The account's margin mode, as the venue reports it, against the one written here.",
        "While they differ, or the mode is not known, orders that could add risk are refused with ACCOUNT_MODE.",
        "It changes nothing at the venue: set the mode there. Reductions pass as long as positions are one-way; cancels always do.",
    ),
    bound(
        ACCOUNT,
        ("open_orders_max", "orders"),
        &[CheckId::OpenOrdersAccount],
        "Our open orders on the account, those with an unknown fate and the new one included.",
        "A new order beyond it is refused with OPEN_ORDERS_LIMIT.",
        "Changes of open orders open none, so they pass. Reductions and cancels pass.",
    ),
    RATES[0],
    RATES[1],
    RATES[2],
    RATES[3],
    bound(
        ACCOUNT,
        ("traded_value_per_day_max", "USDT"),
        &[CheckId::TradedAccount],
        "The value traded since midnight UTC, with everything open and the order under review counted as if it filled.",
        "An order that could bring the sum above it is refused with TRADED_VALUE_LIMIT, until midnight UTC or until open orders are cancelled.",
        "Reductions and cancels pass, and what reductions trade counts too.",
    ),
    bound(
        ACCOUNT,
        ("fees_per_day_max", "USDT"),
        &[CheckId::FeesAccount],
        "Fees paid since midnight UTC, rebates taken off, and the taker's fee of the order under review.",
        "An order that could bring the sum above it is refused with FEE_LIMIT, until midnight UTC.",
        "Funding is no fee: it counts in the losses. Reductions and cancels pass.",
    ),
    bound(
        ACCOUNT,
        ("daily_loss_max", "USDT"),
        &[CheckId::LossAccount],
        "The loss since midnight UTC, or since an operator set the baseline anew: realised, open at the mark price, fees and funding. A profit of \
         the day comes off first.",
        "From this loss on, orders that could add risk are refused with DAILY_LOSS, and the account's trading state latches to reduce-only, which \
         only `portcullis rearm` lowers, not the new day.",
        "It closes no position and cancels no order, so the loss can grow. Reductions and cancels pass.",
    )
    .latching(StateCause::DailyLoss, TradingState::ReduceOnly),
    bound(
        ACCOUNT,
        ("drawdown_max", "USDT"),
        &[CheckId::DrawdownAccount],
        "The loss since the highest total profit there ever was, open profit included. It does not start anew with the day or with a restart, \
         only with `portcullis rearm --new-baseline`; deposits and withdrawals do not move it.",
        "From this loss on, orders that could add risk are refused with DRAWDOWN, and the account's trading state latches to reduce-only, which \
         only `portcullis rearm` lowers.",
        "It closes no position and cancels no order, so the loss can grow. Reductions and cancels pass.",
    )
    .latching(StateCause::Drawdown, TradingState::ReduceOnly),
    bound(
        ACCOUNT,
        ("daily_profit_alert", "USDT"),
        &[],
        "The profit since midnight UTC, open profit included.",
        "Nothing: the account's trading state goes to caution, so that somebody looks. Good luck of that size is more often an error.",
        "Every order passes as before.",
    )
    .latching(StateCause::DailyProfit, TradingState::Caution),
    bound(
        ACCOUNT,
        ("foreign_orders", "halt or count"),
        &[],
        "Orders on the account that are not ours: made by hand or by another program.",
        "With halt, the first one latches the account's trading state to entries-cancelled. With count, it is a finding in the journal.",
        "It never cancels the foreign order itself. What foreign orders could do to a position counts in the position limits either way.",
    )
    .latching(StateCause::ForeignOrder, TradingState::EntriesCancelled),
    bound(
        ACCOUNT,
        ("no_open", "windows of the UTC day"),
        &[CheckId::OpenWindow],
        "The minute of the UTC day against the windows listed here; a window may go past midnight.",
        "Inside a window, orders that could add risk are refused with NO_OPEN_WINDOW.",
        "Orders that are open already stay and may fill. Reductions and cancels pass.",
    ),
    bound(
        ACCOUNT,
        ("inhibits_per_hour_max", "times"),
        &[],
        "How often in an hour a passing condition comes up, each by itself: a stream down, clock skew, a journal that lags, a signer away.",
        "Beyond it, the account's trading state latches to reduce-only, which only `portcullis rearm` lowers.",
        "The condition itself holds entries for as long as it lasts, whatever stands here. Reductions and cancels pass.",
    )
    .latching(StateCause::InhibitRecurred, TradingState::ReduceOnly),
    bound(
        ACCOUNT,
        ("disconnect_ms_max", "ms"),
        &[],
        "How long the public or the private streams have been down without a break. Default 30000: it bounds no money.",
        "After it, open entries are cancelled, so that nothing rests at the venue that nobody watches.",
        "It latches nothing, and the stops of positions stay at the venue.",
    ),
    bound(
        ACCOUNT,
        ("intent_age_ms_max", "ms"),
        &[CheckId::IntentAge],
        "The age of the event that made the strategy ask. Default 500: it bounds no money.",
        "An order that could add risk and answers an older event is refused with STALE_INTENT.",
        "Reductions and cancels pass however late they come.",
    ),
    bound(
        ACCOUNT,
        ("release_age_ms_max", "ms"),
        &[],
        "The time from an approval to the moment its bytes leave. Default 1000: it bounds no money.",
        "An order that could add risk and waited longer is not sent: NOT_SENT with RELEASE_EXPIRED, and what it had reserved is free again.",
        "Reductions and cancels are sent however long they waited.",
    ),
    bound(
        ACCOUNT,
        ("inhibit_ms_max", "ms"),
        &[],
        "How long a passing condition lasts: a stream down, clock skew, a journal that lags, a signer away. Default 300000: it bounds no money.",
        "After it, the account's trading state latches to reduce-only, which only `portcullis rearm` lowers.",
        "The condition itself holds entries from its first moment. The venue's rate budget never latches. Reductions and cancels pass.",
    )
    .latching(StateCause::InhibitLasted, TradingState::ReduceOnly),
];
