//! The keys of `[instrument."CATEGORY:SYMBOL"]` in words.

use super::{LimitSection, LimitWords, bound};
use crate::{CheckId, StateCause, TradingState};

const INSTRUMENT: LimitSection = LimitSection::Instrument;

pub(super) const ROWS: &[LimitWords] = &[
    bound(
        INSTRUMENT,
        ("order_quantity_max", "coins"),
        &[CheckId::OrderQuantity],
        "The total quantity of one order, of a change of an open order too.",
        "A larger order is refused with ORDER_QUANTITY_LIMIT.",
        "It does not add orders up: position_notional_max does. Reductions and cancels pass.",
    ),
    bound(
        INSTRUMENT,
        ("order_notional_max", "USDT"),
        &[CheckId::OrderNotional],
        "The value of one order at its worst price: a buy at its limit, a sale at the highest price in sight, a market order at the edge of its \
         collar. A bundle's own bound counts where it is lower.",
        "A larger order is refused with ORDER_NOTIONAL_LIMIT.",
        "It does not add orders up: position_notional_max does. Reductions and cancels pass.",
    ),
    bound(
        INSTRUMENT,
        ("position_notional_max", "USDT"),
        &[CheckId::PositionInstrument],
        "The position as large as it would be if every open and unknown order of one side filled and none of the other, at the highest price in \
         sight; each side by itself. A bundle's own bound counts where it is lower.",
        "An order that would bring its side above it is refused with POSITION_LIMIT.",
        "It closes nothing: a position that has grown by its price alone stays. Reductions and cancels pass.",
    ),
    bound(
        INSTRUMENT,
        ("open_orders_max", "orders"),
        &[CheckId::OpenOrdersInstrument],
        "Open orders of the instrument, those with an unknown fate, those that are not ours and the new one included.",
        "A new order beyond it is refused with OPEN_ORDERS_LIMIT.",
        "Changes of open orders open none, so they pass. Reductions and cancels pass.",
    ),
    bound(
        INSTRUMENT,
        ("conditional_orders_max", "orders"),
        &[CheckId::OpenConditional],
        "Orders of the instrument that wait for a trigger, those that are not ours and the new one included. The venue itself takes ten.",
        "A new order with a trigger beyond it is refused with CONDITIONAL_ORDERS_LIMIT.",
        "Orders without a trigger pass. The stop of a position is no order of ours and does not count.",
    ),
    bound(
        INSTRUMENT,
        ("price_min", "USDT"),
        &[CheckId::PriceRange],
        "The price of an order, and its trigger.",
        "A lower one is refused with PRICE_RANGE: no honest order has it.",
        "It does not look at the market: when the market itself is below, nothing can be opened, and nothing else happens. Reductions and cancels pass.",
    ),
    bound(
        INSTRUMENT,
        ("price_max", "USDT"),
        &[CheckId::PriceRange],
        "The price of an order, and its trigger.",
        "A higher one is refused with PRICE_RANGE: no honest order has it.",
        "It does not look at the market: when the market itself is above, nothing can be opened, and nothing else happens. Reductions and cancels pass.",
    ),
    bound(
        INSTRUMENT,
        ("window_fraction", "fraction of the price"),
        &[CheckId::CollarWindow],
        "How far a buy's price is above the lowest price of the last minute, or a sale's below the highest, so that a series of orders cannot walk \
         the price away.",
        "An order further away is refused with PRICE_COLLAR. Within collar_ticks it always passes.",
        "It does not hold orders for a volatile market as such. Reductions and cancels pass.",
    ),
    bound(
        INSTRUMENT,
        ("protection", "stop or none"),
        &[CheckId::Protection],
        "Whether every position must have a stop-loss at the venue.",
        "With stop, an order whose own stop is too far away is refused with PROTECTION_MISSING, and the host puts a stop where a position has \
         none. Spot has no such stops, so nothing can be opened there.",
        "A stop at the venue is a market order once it triggers: it bounds the loss only as far as the market lets it.",
    ),
    bound(
        INSTRUMENT,
        ("stop_fraction", "fraction of the price"),
        &[CheckId::Protection],
        "The distance of the stop from the order's price, or from the position's average price.",
        "An order whose stop is further away is refused with PROTECTION_MISSING. An order that opens a position without one brings the host's own \
         along at this distance, and where a position has none, or one further away, the host puts it there.",
        "A nearer stop of the strategy's stays as it is. Reductions and cancels pass.",
    ),
    bound(
        INSTRUMENT,
        ("stop_missing_ms_max", "ms"),
        &[],
        "How long a position has been without a stop at the venue that the limits want.",
        "After it, the position is closed, and the instrument's trading state latches to flattening.",
        "The host tries to put the stop there first, from the position's first moment.",
    )
    .latching(StateCause::ProtectionMissing, TradingState::Flattening),
    bound(
        INSTRUMENT,
        ("collar_fraction", "fraction of the price"),
        &[CheckId::CollarMarket, CheckId::CollarMark],
        "How far the order's price is, either way, from the price it would meet (the best of the other side, or the last trade) and from the mark \
         price. An order with a trigger is compared with its trigger.",
        "An order further away is refused with PRICE_COLLAR. A market order becomes an order with a price at this distance, so it cannot trade beyond.",
        "Within collar_ticks an order always passes. A reduction without a fresh price goes out with the venue's own bound on slippage.",
    ),
    bound(
        INSTRUMENT,
        ("collar_ticks", "ticks"),
        &[CheckId::CollarMarket, CheckId::CollarMark, CheckId::CollarWindow],
        "The distance from the reference price, in ticks, within which an order's price is always near enough.",
        "Nothing by itself: the wider of this and the fraction counts. See collar_fraction and window_fraction.",
        "It is meant for cheap coins, where one tick can be more than the fraction.",
    ),
    bound(
        INSTRUMENT,
        ("market_data_age_ms_max", "ms"),
        &[CheckId::MarketDataAge],
        "The age of the best prices, or of the last trade where there are none.",
        "While they are older, orders that could add risk are refused with STALE_MARKET_DATA.",
        "Open orders stay. Reductions pass, without a price of their own, and so do cancels.",
    ),
    bound(
        INSTRUMENT,
        ("mark_age_ms_max", "ms"),
        &[CheckId::CollarMark],
        "The age of the mark price. The venue sends it only when it changes.",
        "While it is older, the collar around it cannot be computed, and orders that could add risk are refused with STALE_MARKET_DATA.",
        "Open orders stay. Spot has no mark price. Reductions and cancels pass.",
    ),
];
