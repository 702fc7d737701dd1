//! Terms of orders, queues, conditions, cancels and restarts.

use Side::{Buy, Sell};
use TimeInForce::{Fok, Gtc, Ioc, PostOnly};
use portcullis_core::{Amount, InstrumentId, LinkId, Price, Qty, Side, TimeInForce};
use portcullis_paper::engine::{
    CancelFilter, Change, Closed, Condition, Engine, EngineConfig, Event, Execution, NewOrder, Reject,
    SelfMatch, Status, Target, Watched,
};

use crate::bench::{BTC, Bench, limit, market, quantities, reduce, spec};

#[test]
fn each_time_in_force_keeps_its_terms() {
    use Closed::{No, NotFull, NothingToTake, WouldTake};
    use Status::{Cancelled, Filled, New, PartiallyFilled};
    // Asks: 300 at 1000, 300 at 1001. Terms, quantity, limit → executed, status, reason.
    let table = [
        (Gtc, 200, 1000, 200, Filled, No),
        (Gtc, 500, 1000, 300, PartiallyFilled, No),
        (Gtc, 500, 1001, 500, Filled, No),
        (Gtc, 500, 999, 0, New, No),
        (Ioc, 500, 1000, 300, Cancelled, NotFull),
        (Ioc, 500, 999, 0, Cancelled, NothingToTake),
        (Fok, 500, 1001, 500, Filled, No),
        (Fok, 700, 1001, 0, Cancelled, NotFull),
        (PostOnly, 500, 1000, 0, Cancelled, WouldTake),
        (PostOnly, 500, 999, 0, New, No),
    ];
    for (time_in_force, quantity, price, executed, status, closed) in table {
        let mut bench = Bench::new();
        bench.book(&[(998, 300)], &[(1000, 300), (1001, 300)]);
        let order = bench.submit(NewOrder { time_in_force, ..limit(Buy, quantity, price) });
        assert_eq!(
            (order.executed, order.status, order.closed),
            (Qty(executed), status, closed),
            "{time_in_force:?} {quantity} at {price}"
        );
        assert_eq!(bench.engine.orders().count(), usize::from(status.is_open()));
    }
}

#[test]
fn a_market_order_stops_at_its_slippage_bound() {
    let mut bench = Bench::new();
    bench.book(&[(9_990, 300)], &[(10_000, 100), (10_500, 100), (10_501, 100)]);
    let order = bench.submit(market(Buy, 300));
    assert_eq!(quantities(&bench.executions()), [(10_000, 100), (10_500, 100)]);
    assert_eq!((order.status, order.closed), (Status::Cancelled, Closed::NotFull));
}

#[test]
fn with_trades_alone_a_market_order_fills_whole_at_ask_last_or_bid_one_tick_below() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    bench.submit(market(Buy, 50_000));
    assert_eq!(quantities(&bench.executions()), [(1000, 50_000)]);
    bench.submit(market(Sell, 50_000));
    assert_eq!(quantities(&bench.executions()), [(999, 50_000)]);
}

#[test]
fn with_trades_alone_a_resting_order_fills_from_the_volume_that_reaches_it() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    bench.submit(limit(Buy, 500, 999));
    assert!(bench.trade(1000, 900, Sell).is_empty());
    assert_eq!(quantities(&bench.trade(999, 200, Sell)), [(999, 200)]);
    let fills = bench.trade(990, 1_000, Sell);
    assert_eq!(
        quantities(&fills),
        [(999, 300)],
        "a trade through the price fills the rest at the order's own price"
    );
    assert!(fills[0].maker && fills[0].leaves == Qty(0));
}

#[test]
fn an_order_waits_behind_what_its_level_held() {
    let mut bench = Bench::new();
    bench.book(&[(1000, 400)], &[(1001, 400)]);
    bench.submit(limit(Buy, 100, 1000));
    assert!(bench.trade(1000, 300, Sell).is_empty());
    bench.book(&[(1000, 600)], &[(1001, 400)]);
    assert_eq!(
        quantities(&bench.trade(1000, 130, Sell)),
        [(1000, 30)],
        "growth queues behind, 100 were left in front"
    );
    bench.book(&[(1000, 600)], &[(1001, 400)]);
    assert!(bench.trade(1000, 1_000, Buy).is_empty(), "a buyer does not hit bids");
    assert_eq!(quantities(&bench.trade(1000, 1_000, Sell)), [(1000, 70)]);
}

#[test]
fn a_level_that_shrinks_lets_the_order_move_up() {
    let mut bench = Bench::new();
    bench.book(&[(1000, 400)], &[(1001, 400)]);
    bench.submit(limit(Buy, 100, 1000));
    bench.book(&[(1000, 50)], &[(1001, 400)]);
    assert_eq!(quantities(&bench.trade(1000, 60, Sell)), [(1000, 10)]);
}

#[test]
fn a_level_below_the_window_has_an_unknown_queue_until_it_is_seen() {
    let mut bench = Bench::new();
    bench.book(&[(1000, 400)], &[(1001, 400)]);
    bench.submit(limit(Buy, 100, 990));
    assert!(bench.trade(990, 500, Sell).is_empty());
    bench.book(&[(990, 80)], &[(1001, 400)]);
    assert_eq!(quantities(&bench.trade(990, 100, Sell)), [(990, 20)]);
}

#[test]
fn price_goes_before_time_and_a_trade_fills_us_once() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    let early = bench.submit(limit(Buy, 100, 998)).key;
    let late = bench.submit(limit(Buy, 100, 998)).key;
    let better = bench.submit(limit(Buy, 100, 999)).key;
    let fills = bench.trade(998, 250, Sell);
    let whom: Vec<_> = fills.iter().map(|row| (row.order.unwrap(), row.quantity.0)).collect();
    assert_eq!(whom, [(better, 100), (early, 100), (late, 50)]);
}

#[test]
fn recorded_liquidity_fills_us_once() {
    let mut bench = Bench::new();
    let asks = [(1000, 300), (1001, 300)];
    bench.book(&[(998, 300)], &asks);
    bench.submit(NewOrder { time_in_force: Ioc, ..limit(Buy, 300, 1000) });
    bench.book(&[(998, 300)], &asks);
    let order = bench.submit(NewOrder { time_in_force: Ioc, ..limit(Buy, 300, 1001) });
    assert_eq!((quantities(&bench.executions()), order.status), (vec![(1001, 300)], Status::Filled));
    let order = bench.submit(NewOrder { time_in_force: PostOnly, ..limit(Buy, 100, 1001) });
    assert_eq!(order.status, Status::New, "what we took is no longer there to be taken");
    assert!(bench.book(&[(998, 300)], &asks).is_empty());
    let fills = bench.book(&[(998, 300)], &[(1000, 304), (1001, 300)]);
    assert_eq!(
        quantities(&fills),
        [(1001, 4)],
        "new liquidity that crosses us fills us at our price, as maker"
    );
    assert!(fills[0].maker);
}

#[test]
fn an_amend_keeps_its_place_only_when_it_shrinks() {
    let mut bench = Bench::new();
    bench.book(&[(998, 500)], &[(1000, 500)]);
    let first = bench.submit(limit(Buy, 100, 999)).key;
    let second = bench.submit(limit(Buy, 100, 999)).key;
    let whom = |fills: Vec<Execution>| fills.iter().map(|row| row.order.unwrap()).collect::<Vec<_>>();
    let change = |quantity| Change { quantity: Some(Qty(quantity)), ..Change::default() };
    let mut out = Vec::new();
    bench.engine.amend(bench.now, Target::Key(first), change(80), &mut out).unwrap();
    assert_eq!(whom(bench.trade(999, 10, Sell)), [first]);
    bench.engine.amend(bench.now, Target::Key(first), change(200), &mut out).unwrap();
    assert_eq!(whom(bench.trade(999, 10, Sell)), [second]);
    let rejects = [
        (change(200), Reject::NotModified),
        (change(10), Reject::QuantityExecuted),
        (Change { price: Some(Price(0)), ..Change::default() }, Reject::PriceInvalid(Price(0))),
    ];
    for (change, reject) in rejects {
        assert_eq!(bench.engine.amend(bench.now, Target::Key(first), change, &mut out), Err(reject));
    }
    let across = Change { price: Some(Price(1000)), ..Change::default() };
    out.clear();
    bench.engine.amend(bench.now, Target::Key(first), across, &mut out).unwrap();
    bench.out = out;
    let order = bench.last(first);
    assert_eq!(
        (order.status, order.executed),
        (Status::Filled, Qty(200)),
        "an amend across the spread takes"
    );
}

#[test]
fn reduce_only_is_cut_at_submit_and_at_every_fill_and_never_flips() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    assert_eq!(bench.try_submit(reduce(market(Sell, 100))), Err(Reject::NothingToReduce));
    bench.submit(market(Buy, 100));
    assert_eq!(bench.try_submit(reduce(market(Buy, 100))), Err(Reject::WouldIncrease));
    let resting = bench.submit(reduce(limit(Sell, 500, 1010)));
    assert_eq!(resting.quantity, Qty(100));
    bench.submit(market(Sell, 60));
    let fills = bench.trade(1010, 1_000, Buy);
    assert_eq!(quantities(&fills), [(1010, 40)]);
    let order = bench.last(resting.key);
    assert_eq!((order.status, order.closed, bench.size()), (Status::Cancelled, Closed::ReduceOnly, 0));
    bench.submit(market(Buy, 70));
    let close = bench.submit(reduce(market(Sell, 0)));
    assert_eq!(
        (close.quantity, close.status, bench.size()),
        (Qty(70), Status::Filled, 0),
        "quantity 0 closes all"
    );
}

#[test]
fn requests_are_rejected_with_their_reason() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    let link: LinkId = "a-1".parse().unwrap();
    bench.submit(NewOrder { link: Some(link.clone()), ..limit(Buy, 100, 900) });
    bench.engine.cancel(bench.now, Target::Link(&link), &mut Vec::new()).unwrap();
    let condition = |price, rising| {
        let trigger = Some(Condition { price: Price(price), rising, watches: Watched::Last });
        NewOrder { trigger, ..market(Buy, 100) }
    };
    let table = [
        (limit(Buy, 0, 900), Reject::QuantityInvalid(Qty(0))),
        (limit(Buy, 1_000_001, 900), Reject::QuantityInvalid(Qty(1_000_001))),
        (market(Buy, 100_001), Reject::QuantityInvalid(Qty(100_001))),
        (limit(Buy, 100, -1), Reject::PriceInvalid(Price(-1))),
        (limit(Buy, 100, 20_000_000), Reject::PriceOutOfRange(Price(20_000_000))),
        (limit(Buy, 49, 1000), Reject::NotionalBelowMinimum(Amount(4_900_000_000_000_000_000))),
        (NewOrder { link: Some(link.clone()), ..limit(Buy, 100, 900) }, Reject::DuplicateLink),
        (NewOrder { instrument: InstrumentId(9), ..limit(Buy, 100, 900) }, Reject::UnknownInstrument),
        (condition(1000, true), Reject::TriggerNotAbove { trigger: Price(1000), current: Price(1000) }),
        (condition(1000, false), Reject::TriggerNotBelow { trigger: Price(1000), current: Price(1000) }),
        (
            NewOrder { take_profit: Some(Price(890)), ..limit(Buy, 100, 900) },
            Reject::ProtectionInvalid(Price(890)),
        ),
        // 100,000 USDT at 10× reach 1,000,000; 99,999 coins of 100.0 do not fit.
        (limit(Buy, 1_000_000, 10_001), Reject::Margin),
    ];
    for (order, reject) in table {
        let orders = bench.engine.orders().count();
        assert_eq!(bench.try_submit(order.clone()), Err(reject), "{order:?}");
        assert_eq!((bench.engine.orders().count(), bench.out.len()), (orders, 0));
    }
    let gone = bench.engine.cancel(bench.now, Target::Link(&link), &mut Vec::new());
    assert_eq!(gone, Err(Reject::NoSuchOrderToCancel));
}

#[test]
fn open_orders_are_capped() {
    let mut bench = Bench::with(EngineConfig { orders_max: 2, conditions_max: 1, ..EngineConfig::default() });
    bench.trade(1000, 1, Buy);
    let condition = Condition { price: Price(1100), rising: true, watches: Watched::Last };
    bench.submit(NewOrder { trigger: Some(condition), ..market(Buy, 100) });
    let again = bench.try_submit(NewOrder { trigger: Some(condition), ..market(Buy, 100) });
    assert_eq!(again, Err(Reject::TooManyConditions));
    bench.submit(limit(Buy, 100, 900));
    bench.submit(limit(Buy, 100, 900));
    assert_eq!(bench.try_submit(limit(Buy, 100, 900)), Err(Reject::TooManyOrders));
}

#[test]
fn a_condition_fires_when_the_last_price_reaches_it() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    let condition = Condition { price: Price(1010), rising: true, watches: Watched::Last };
    let stop = bench.submit(NewOrder { trigger: Some(condition), ..market(Buy, 100) });
    assert_eq!(stop.status, Status::Untriggered);
    assert!(bench.trade(1009, 1, Buy).is_empty());
    assert_eq!(quantities(&bench.trade(1012, 1, Buy)), [(1012, 100)]);
    let states = bench.out.iter().filter_map(|event| match event {
        Event::Order(order) => Some(order.status),
        _ => None,
    });
    assert_eq!(states.collect::<Vec<_>>(), [Status::Triggered, Status::Filled]);
}

#[test]
fn protection_follows_the_position_and_closes_it() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    let mut out = Vec::new();
    let none = bench.engine.set_protection(bench.now, BTC, Some(Some(Price(1100))), None, &mut out);
    assert_eq!(none, Err(Reject::NoPosition));
    bench.submit(NewOrder {
        take_profit: Some(Price(1050)),
        stop_loss: Some(Price(950)),
        ..market(Buy, 100)
    });
    let waiting = |bench: &Bench| -> Vec<(Option<i64>, i64)> {
        bench.engine.orders().map(|row| (row.trigger.map(|at| at.price.0), row.quantity.0)).collect()
    };
    assert_eq!(waiting(&bench), [(Some(1050), 100), (Some(950), 100)]);
    bench.submit(market(Buy, 50));
    assert_eq!(waiting(&bench), [(Some(1050), 150), (Some(950), 150)]);
    let wrong = bench.engine.set_protection(bench.now, BTC, None, Some(Some(Price(1001))), &mut out);
    assert_eq!(wrong, Err(Reject::ProtectionInvalid(Price(1001))));
    bench.engine.set_protection(bench.now, BTC, None, Some(Some(Price(960))), &mut out).unwrap();
    let same = bench.engine.set_protection(bench.now, BTC, None, Some(Some(Price(960))), &mut out);
    assert_eq!(same, Err(Reject::ProtectionNotModified));
    assert_eq!(waiting(&bench), [(Some(1050), 150), (Some(960), 150)]);
    assert_eq!(quantities(&bench.trade(955, 1, Sell)), [(954, 150)]);
    assert_eq!(
        (bench.size(), bench.engine.orders().count()),
        (0, 0),
        "the take-profit goes with the position"
    );
}

#[test]
fn cancel_all_takes_what_its_filter_names() {
    let counts = |filter| {
        let mut bench = Bench::new();
        bench.trade(1000, 1, Buy);
        let condition = Condition { price: Price(1100), rising: true, watches: Watched::Last };
        bench.submit(NewOrder { stop_loss: Some(Price(900)), ..market(Buy, 100) });
        bench.submit(limit(Buy, 100, 950));
        bench.submit(NewOrder { trigger: Some(condition), ..market(Buy, 100) });
        let cancelled = bench.engine.cancel_all(bench.now, Some(BTC), filter, &mut Vec::new()).len();
        (cancelled, bench.engine.positions().next().unwrap().stop_loss.is_some())
    };
    assert_eq!(counts(CancelFilter::Working), (1, true));
    assert_eq!(counts(CancelFilter::ClientConditions), (1, true));
    assert_eq!(counts(CancelFilter::Waiting), (2, false));
    assert_eq!(counts(CancelFilter::All), (3, false));
}

#[test]
fn meeting_ourselves_does_what_the_taker_chose() {
    let outcome = |self_match| {
        let mut bench = Bench::new();
        bench.book(&[(990, 100)], &[(1010, 100)]);
        let maker = bench.submit(limit(Sell, 100, 1000)).key;
        let taker = bench.submit(NewOrder { self_match, ..limit(Buy, 100, 1000) });
        let maker = bench.out.iter().rev().find_map(|event| match event {
            Event::Order(order) if order.key == maker => Some(order.status),
            _ => None,
        });
        (maker, taker.status, bench.size())
    };
    assert_eq!(outcome(SelfMatch::Allow), (Some(Status::Filled), Status::Filled, 0));
    assert_eq!(outcome(SelfMatch::CancelMaker), (Some(Status::Cancelled), Status::New, 0));
    assert_eq!(outcome(SelfMatch::CancelTaker), (None, Status::Cancelled, 0));
    assert_eq!(outcome(SelfMatch::CancelBoth), (Some(Status::Cancelled), Status::Cancelled, 0));
    let mut bench = Bench::new();
    bench.book(&[(990, 100)], &[(1010, 100)]);
    let maker = bench.submit(limit(Sell, 100, 1000)).key;
    let taker = bench.submit(NewOrder { self_match: SelfMatch::CancelBoth, ..limit(Buy, 100, 1000) });
    assert_eq!((taker.met, bench.last(maker).met), (Some(maker), Some(taker.key)), "each names the other");
}

#[test]
fn a_restored_engine_stands_where_the_events_left_it() {
    let mut bench = Bench::new();
    let mut history = Vec::new();
    let mut keep = |bench: &Bench| history.extend(bench.out.iter().cloned());
    bench.trade(1000, 1, Buy);
    let link: LinkId = "x".parse().unwrap();
    bench.submit(NewOrder { stop_loss: Some(Price(900)), link: Some(link.clone()), ..market(Buy, 100) });
    keep(&bench);
    bench.submit(limit(Sell, 100, 1100));
    keep(&bench);
    bench.submit(limit(Sell, 50, 1200));
    keep(&bench);
    bench.trade(1100, 40, Buy);
    keep(&bench);
    let mut restored = Engine::new(EngineConfig::default(), vec![spec()]).unwrap();
    for event in &history {
        restored.restore(event);
    }
    let rows = |engine: &Engine| {
        engine.orders().map(|row| (row.key, row.quantity, row.executed, row.status)).collect::<Vec<_>>()
    };
    assert_eq!(rows(&restored), rows(&bench.engine));
    assert!(restored.positions().eq(bench.engine.positions()));
    assert_eq!(restored.wallet(), bench.engine.wallet());
    assert_eq!(restored.key_of(&link), bench.engine.key_of(&link));
    let next = |engine: &mut Engine, now| engine.submit(now, limit(Sell, 50, 1300), &mut Vec::new());
    assert_eq!(next(&mut restored, bench.now), next(&mut bench.engine, bench.now), "numbers go on");
}
