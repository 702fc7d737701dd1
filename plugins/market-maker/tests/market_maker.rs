//! What the market maker does, told as stories.

#![allow(
    missing_docs,
    clippy::panic,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

use market_maker::MarketMaker;
use portcullis_sdk::testing::{self, Harness};
use portcullis_sdk::{
    ActionBody, Amend, Amount, Budget, Event, InitError, Instrument, InstrumentId, OrderKind, OrderNumber,
    OrderStatus, Price, Qty, RefusalCode, RefusedAction, Side, TimeInForce, TradingState,
};

const ETH: InstrumentId = InstrumentId(0);
const BID: OrderNumber = OrderNumber(1);
const ASK: OrderNumber = OrderNumber(2);

/// A market maker with a spread of 0.1 %, no tolerance of 1 tick or more, and room for two fills on each side.
fn start() -> Harness<MarketMaker> {
    let parameters = [
        ("spread-bps", "10"),
        ("skew-bps", "10"),
        ("requote-bps", "1"),
        ("size", "1"),
        ("max-position", "2"),
    ];
    Harness::new(&[testing::instrument("linear:ETHUSDT")], &parameters).unwrap()
}

/// The same with both quotes working around 3,000: bid 2,998.5, ask 3,001.5.
fn quoting() -> Harness<MarketMaker> {
    let mut harness = start();
    harness.quote(ETH, "2999.9", "3000.1");
    for order in [BID, ASK] {
        assert!(harness.order(order, OrderStatus::Submitted).is_empty());
        assert!(harness.order(order, OrderStatus::Working).is_empty());
    }
    harness
}

fn price(text: &str) -> Price {
    testing::instrument("linear:ETHUSDT").parse_price(text).unwrap()
}

fn amend(order: OrderNumber, to: &str) -> ActionBody {
    ActionBody::Amend(Amend { order, price: Some(price(to)), quantity: None })
}

/// Side and price of every order among the actions; panics on anything but post-only limit orders of size 1.
fn placed(actions: &[ActionBody]) -> Vec<(Side, Price)> {
    let each = |action: &ActionBody| match action {
        ActionBody::Place(place) => {
            assert_eq!(
                (place.quantity, place.time_in_force),
                (Qty::from_mantissa(1_000), TimeInForce::PostOnly)
            );
            let OrderKind::Limit(price) = place.kind else { panic!("a quote has a price") };
            (place.side, price)
        }
        other => panic!("only new quotes, not {other:?}"),
    };
    actions.iter().map(each).collect()
}

#[test]
fn quotes_both_sides_of_the_middle() {
    let actions = start().quote(ETH, "2999.9", "3000.1");
    assert_eq!(placed(&actions), [(Side::Buy, price("2998.5")), (Side::Sell, price("3001.5"))]);
}

#[test]
fn stays_a_tick_away_from_the_other_side() {
    let parameters = [("spread-bps", "0"), ("size", "1"), ("max-position", "2")];
    let mut harness =
        Harness::<MarketMaker>::new(&[testing::instrument("linear:ETHUSDT")], &parameters).unwrap();
    // The middle is 3000.05, between the ticks; at a spread of zero both quotes round to the touch and no further.
    let actions = harness.quote(ETH, "3000", "3000.1");
    assert_eq!(placed(&actions), [(Side::Buy, price("3000")), (Side::Sell, price("3000.1"))]);
}

#[test]
fn one_command_at_a_time() {
    let mut harness = start();
    harness.quote(ETH, "2999.9", "3000.1");
    assert!(harness.quote(ETH, "3099.9", "3100.1").is_empty(), "no answer to the new orders yet");
    harness.order(BID, OrderStatus::Working);
    assert_eq!(harness.quote(ETH, "3099.9", "3100.1"), [amend(BID, "3098.4")]);
    assert!(harness.quote(ETH, "3199.9", "3200.1").is_empty(), "no answer to the amend yet");
    harness.order(BID, OrderStatus::Working);
    assert_eq!(harness.quote(ETH, "3199.9", "3200.1"), [amend(BID, "3198.4")]);
}

#[test]
fn small_moves_are_not_worth_a_command() {
    let mut harness = quoting();
    assert!(harness.quote(ETH, "3000.1", "3000.3").is_empty());
    let moved = harness.quote(ETH, "3000.9", "3001.1");
    assert_eq!(moved, [amend(BID, "2999.4"), amend(ASK, "3002.6")]);
}

#[test]
fn leans_against_its_inventory_and_stops_at_the_limit() {
    let mut harness = quoting();
    assert_eq!(harness.fill(BID, "2998.5", "1"), [position_metric(1.0)]);
    // Half of the position limit shifts both quotes down by half of the skew, 0.05 %.
    let actions = harness.quote(ETH, "2999.9", "3000.1");
    let [ActionBody::Place(bid), ask] = actions.as_slice() else {
        panic!("a new bid and a moved ask: {actions:?}")
    };
    assert_eq!((bid.side, bid.kind), (Side::Buy, OrderKind::Limit(price("2997"))));
    assert_eq!(*ask, amend(ASK, "3000"), "one tick above the best bid");

    let second = OrderNumber(3);
    harness.order(second, OrderStatus::Working);
    harness.order(ASK, OrderStatus::Working);
    harness.fill(second, "2997", "1");
    assert!(
        !harness.quote(ETH, "2989.9", "2990.1").iter().any(|action| matches!(action, ActionBody::Place(_)))
    );
    // A fill of the ask makes room again.
    harness.order(ASK, OrderStatus::Working);
    harness.fill(ASK, "3000", "1");
    let sides: Vec<_> =
        placed(&harness.quote(ETH, "2989.9", "2990.1")).into_iter().map(|(side, _)| side).collect();
    assert_eq!(sides, [Side::Buy, Side::Sell]);
}

#[test]
fn a_closed_quote_is_placed_anew() {
    for status in [OrderStatus::Cancelled, OrderStatus::Rejected, OrderStatus::Expired, OrderStatus::NotSent]
    {
        let mut harness = quoting();
        harness.order(ASK, status);
        let actions = harness.quote(ETH, "2999.9", "3000.1");
        assert_eq!(placed(&actions), [(Side::Sell, price("3001.5"))], "{status:?}");
    }
}

#[test]
fn an_unanswered_quote_is_left_alone() {
    let mut harness = quoting();
    harness.order(BID, OrderStatus::Unknown);
    assert_eq!(harness.quote(ETH, "3099.9", "3100.1"), [amend(ASK, "3101.6")]);
}

#[test]
fn a_refusal_is_a_reason_to_wait() {
    let mut harness = start();
    harness.quote(ETH, "2999.9", "3000.1");
    let logged = harness.refuse(BID, RefusedAction::Place, RefusalCode::PositionLimit);
    assert!(matches!(logged.as_slice(), [ActionBody::Log(line)] if line.message.contains("POSITION_LIMIT")));
    harness.order(ASK, OrderStatus::Working);
    assert!(harness.quote(ETH, "3099.9", "3100.1").is_empty());
    harness.advance_seconds(1);
    let actions = harness.quote(ETH, "3099.9", "3100.1");
    assert!(
        matches!(actions.as_slice(), [ActionBody::Place(bid), ActionBody::Amend(_)] if bid.side == Side::Buy)
    );
}

#[test]
fn a_refused_amend_leaves_the_quote_where_it_is() {
    let mut harness = quoting();
    harness.quote(ETH, "3099.9", "3100.1");
    harness.refuse(BID, RefusedAction::Amend, RefusalCode::OrderBusy);
    harness.advance_seconds(1);
    assert_eq!(harness.quote(ETH, "3099.9", "3100.1"), [amend(BID, "3098.4")]);
    harness.refuse(BID, RefusedAction::Amend, RefusalCode::OrderClosed);
    harness.advance_seconds(1);
    assert_eq!(placed(&harness.quote(ETH, "3099.9", "3100.1")), [(Side::Buy, price("3098.4"))]);
}

#[test]
fn takes_its_quotes_away_when_entries_are_not_allowed() {
    let mut harness = quoting();
    let (capital, free) = (Amount::ZERO, Amount::ZERO);
    let budget = |harness: &Harness<MarketMaker>, state| {
        Event::Budget(Budget { time: harness.now(), capital, free, state })
    };
    harness.send(&budget(&harness, TradingState::ReduceOnly));
    let cancels = harness.quote(ETH, "2999.9", "3000.1");
    assert_eq!(cancels, [ActionBody::Cancel(BID), ActionBody::Cancel(ASK)]);
    assert!(harness.quote(ETH, "2999.9", "3000.1").is_empty(), "each cancel is asked for once");
    harness.order(BID, OrderStatus::Cancelled);
    harness.order(ASK, OrderStatus::Cancelled);
    assert!(harness.quote(ETH, "2999.9", "3000.1").is_empty());
    harness.send(&budget(&harness, TradingState::Caution));
    assert_eq!(placed(&harness.quote(ETH, "2999.9", "3000.1")).len(), 2);
}

#[test]
fn does_nothing_without_two_sides() {
    let mut harness = start();
    let actions = harness.book(ETH, &[("2999.9", "1")], &[]);
    assert!(actions.is_empty());
    let one_sided = portcullis_sdk::Quote {
        time: harness.now(),
        venue_time: harness.now(),
        instrument: ETH,
        bid: price("2999.9"),
        bid_quantity: Qty::from_mantissa(1),
        ask: Price::ZERO,
        ask_quantity: Qty::ZERO,
    };
    assert!(harness.send(&Event::Quote(one_sided)).is_empty());
}

#[test]
fn a_restart_and_a_resync_find_the_quotes_again() {
    let mut harness = quoting();
    harness.restart();
    assert!(harness.quote(ETH, "2999.9", "3000.1").is_empty(), "the snapshot knows the quotes");
    // The ask was filled or cancelled while nobody looked: only the bid follows.
    harness.resync(&[BID]);
    assert_eq!(placed(&harness.quote(ETH, "2999.9", "3000.1")), [(Side::Sell, price("3001.5"))]);
}

#[test]
fn a_second_quote_on_a_side_is_cancelled() {
    let mut harness = quoting();
    harness.order(BID, OrderStatus::Cancelled);
    harness.quote(ETH, "2999.9", "3000.1");
    let third = OrderNumber(3);
    assert_eq!(harness.resync(&[third, BID, ASK]), [ActionBody::Cancel(BID), position_metric(0.0)]);
}

fn position_metric(value: f64) -> ActionBody {
    ActionBody::Metric(portcullis_sdk::Metric { name: "position".to_owned(), value })
}

#[test]
fn sizes_that_make_no_sense_are_refused() {
    let coarse =
        Instrument { min_quantity: Qty::from_mantissa(500), ..testing::instrument("linear:ETHUSDT") };
    for parameters in [[("size", "0.4"), ("max-position", "2")], [("size", "3"), ("max-position", "2")]] {
        let refused = Harness::<MarketMaker>::new(std::slice::from_ref(&coarse), &parameters);
        assert!(matches!(refused, Err(InitError::BadParameter(_))), "{parameters:?}");
    }
}
