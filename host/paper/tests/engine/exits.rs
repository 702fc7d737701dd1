//! Exits of positions: trailing stops, exits of a part, what they watch, and orders that carry them.

use Side::{Buy, Sell};
use portcullis_core::{MarketBody, Price, Qty, Side};
use portcullis_paper::engine::{
    Change, Closed, Condition, EngineConfig, ExitTerms, Leg, NewOrder, Origin, Reject, Status, Target,
    TradingStop, Trailing, Watched, coins,
};

use crate::bench::{BTC, Bench, limit, market, quantities, reduce};

const NOTHING: TradingStop = TradingStop {
    instrument: BTC,
    leg: Leg::Net,
    take_profit: None,
    stop_loss: None,
    trailing: None,
    terms: ExitTerms {
        partial: false,
        profit_watches: Watched::Last,
        loss_watches: Watched::Last,
        profit_limit: None,
        loss_limit: None,
    },
    quantity: None,
};

/// Long 300 at 1000.
fn long() -> Bench {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    bench.submit(market(Buy, 300));
    bench
}

fn set(bench: &mut Bench, stop: TradingStop) -> Result<(), Reject> {
    bench.out.clear();
    bench.engine.set_trading_stop(bench.now, &stop, &mut bench.out)
}

fn trailing(distance: i64, active: Option<i64>) -> TradingStop {
    let trailing = Trailing { distance: Price(distance), active: active.map(Price) };
    TradingStop { trailing: Some(Some(trailing)), ..NOTHING }
}

fn partial(quantity: i64, profit: i64, loss: i64) -> TradingStop {
    TradingStop {
        take_profit: Some(Some(Price(profit))),
        stop_loss: Some(Some(Price(loss))),
        terms: ExitTerms { partial: true, ..ExitTerms::default() },
        quantity: Some(Qty(quantity)),
        ..NOTHING
    }
}

#[test]
fn a_trailing_stop_follows_gains_and_closes_on_the_way_back() {
    let mut bench = long();
    set(&mut bench, trailing(20, None)).unwrap();
    assert_eq!(bench.waiting(), [(Origin::TrailingStop, 980, 300)]);
    assert_eq!(set(&mut bench, trailing(20, None)), Err(Reject::ProtectionNotModified));
    bench.trade(1050, 1, Buy);
    bench.trade(1040, 1, Sell);
    assert_eq!(bench.waiting(), [(Origin::TrailingStop, 1030, 300)], "the best price counts");
    bench.submit(market(Buy, 100));
    assert_eq!(bench.waiting(), [(Origin::TrailingStop, 1030, 400)], "it grows with the position");
    let fills = bench.trade(1029, 1, Sell);
    assert_eq!((quantities(&fills), bench.size()), (vec![(1028, 400)], 0));
    assert_eq!(bench.engine.positions().next().unwrap().trailing, None);
}

#[test]
fn a_trailing_stop_waits_for_its_price_and_survives_a_restart() {
    let mut bench = long();
    assert_eq!(set(&mut bench, trailing(20, Some(990))), Err(Reject::ProtectionInvalid(Price(990))));
    set(&mut bench, trailing(20, Some(1100))).unwrap();
    let mut events = bench.out.clone();
    assert!(bench.trade(900, 1, Sell).is_empty(), "it does not protect before it starts");
    bench.trade(1110, 1, Buy);
    events.extend(bench.out.iter().cloned());
    assert_eq!(bench.waiting(), [(Origin::TrailingStop, 1090, 300)]);
    let mut restored = Bench::new();
    events.iter().for_each(|event| restored.engine.restore(event));
    restored.trade(1200, 1, Buy);
    assert_eq!(restored.waiting(), [(Origin::TrailingStop, 1180, 300)]);
    set(&mut bench, TradingStop { trailing: Some(None), ..NOTHING }).unwrap();
    assert_eq!(bench.waiting(), []);
}

#[test]
fn exits_of_a_part_come_in_pairs_of_which_one_goes_with_the_other() {
    let mut bench = long();
    set(&mut bench, partial(100, 1100, 900)).unwrap();
    set(&mut bench, partial(150, 1200, 950)).unwrap();
    assert_eq!(bench.waiting().len(), 4, "they are added, not moved");
    let fills = bench.trade(1100, 1, Buy);
    assert_eq!((fills.len(), bench.size()), (1, 200));
    let left: Vec<_> = bench.waiting().into_iter().map(|(_, price, _)| price).collect();
    assert_eq!(left, [1200, 950]);
    bench.submit(reduce(market(Sell, 0)));
    assert_eq!(bench.waiting(), [], "none outlives the position");
    assert_eq!(set(&mut bench, partial(100, 1300, 900)), Err(Reject::NoPosition));
}

#[test]
fn exits_of_a_part_are_bounded_and_may_be_limits() {
    let mut bench = long();
    assert_eq!(set(&mut bench, partial(301, 1100, 900)), Err(Reject::ProtectionTooLarge));
    let limits = ExitTerms { partial: true, profit_limit: Some(Price(1120)), ..ExitTerms::default() };
    let full = TradingStop { terms: ExitTerms { partial: false, ..limits }, ..partial(100, 1100, 900) };
    assert_eq!(set(&mut bench, full), Err(Reject::LimitOnFull));
    set(&mut bench, TradingStop { terms: limits, ..partial(100, 1100, 900) }).unwrap();
    assert!(bench.trade(1100, 1, Buy).is_empty());
    let resting = bench.engine.orders().next().unwrap();
    assert_eq!((resting.status, resting.price), (Status::New, Some(Price(1120))));
    assert_eq!(quantities(&bench.trade(1120, 500, Buy)), [(1120, 100)]);
    for _ in 0..10 {
        set(&mut bench, partial(10, 1200, 900)).unwrap();
    }
    assert_eq!(set(&mut bench, partial(10, 1200, 900)), Err(Reject::TooManyExits));
}

#[test]
fn exits_watch_the_price_they_were_told_to() {
    let mut bench = long();
    let mark = |mark: i128, index: i128| {
        let amount = |price: i128| portcullis_core::Amount(price * 100_000_000_000_000_000);
        MarketBody::Mark { mark: amount(mark), index: amount(index) }
    };
    bench.market(mark(1000, 1000));
    let terms =
        ExitTerms { profit_watches: Watched::Index, loss_watches: Watched::Mark, ..ExitTerms::default() };
    let stop = TradingStop {
        take_profit: Some(Some(Price(1100))),
        stop_loss: Some(Some(Price(950))),
        terms,
        ..NOTHING
    };
    set(&mut bench, stop).unwrap();
    assert!(bench.trade(940, 1, Sell).is_empty(), "the last price is not watched");
    assert!(bench.market(mark(960, 1090)).is_empty());
    assert_eq!(bench.market(mark(960, 1100)).len(), 1);
    assert_eq!((bench.size(), bench.waiting()), (0, vec![]));
}

#[test]
fn an_order_carries_exits_of_what_it_opens() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    let carries = NewOrder {
        take_profit: Some(Price(1100)),
        stop_loss: Some(Price(900)),
        exits: ExitTerms { partial: true, ..ExitTerms::default() },
        link: Some("parent".parse().unwrap()),
        ..limit(Buy, 300, 990)
    };
    let key = bench.submit(carries).key;
    bench.trade(990, 100, Sell);
    let origins: Vec<_> =
        bench.waiting().into_iter().map(|(origin, _, quantity)| (origin, quantity)).collect();
    assert_eq!(origins, [(Origin::PartialTakeProfit, 100), (Origin::PartialStopLoss, 100)]);
    assert!(bench.engine.orders().filter(|row| row.waits()).all(|row| row.parent.is_some()));
    let change = Change { stop_loss: Some(None), ..Change::default() };
    let partly = bench.engine.amend(bench.now, Target::Key(key), change, &mut Vec::new());
    assert_eq!(partly, Err(Reject::ProtectionPartlyFilled));
}

#[test]
fn an_amend_changes_what_an_order_carries_and_what_protects() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    let key = bench.submit(NewOrder { stop_loss: Some(Price(900)), ..limit(Buy, 300, 990) }).key;
    let change = Change { take_profit: Some(Some(Price(1100))), stop_loss: Some(None), ..Change::default() };
    bench.engine.amend(bench.now, Target::Key(key), change, &mut Vec::new()).unwrap();
    bench.trade(980, 300, Sell);
    assert_eq!(bench.waiting(), [(Origin::TakeProfit, 1100, 300)]);
    let profit = bench.engine.orders().next().unwrap().key;
    let size = Change { quantity: Some(Qty(10)), ..Change::default() };
    let fixed = bench.engine.amend(bench.now, Target::Key(profit), size, &mut Vec::new());
    assert_eq!(fixed, Err(Reject::ProtectionFixed));
    let moved = Change { trigger: Some(Price(1200)), ..Change::default() };
    bench.engine.amend(bench.now, Target::Key(profit), moved, &mut Vec::new()).unwrap();
    assert_eq!(bench.engine.positions().next().unwrap().take_profit, Some(Price(1200)));
    bench.submit(market(Buy, 100));
    assert_eq!(bench.waiting(), [(Origin::TakeProfit, 1200, 400)]);
}

#[test]
fn a_closing_order_makes_room_for_itself() {
    let mut bench = Bench::with(EngineConfig { deposit: coins(100), ..EngineConfig::default() });
    bench.trade(1000, 1, Buy);
    bench.submit(market(Buy, 5_000));
    let entry = bench.submit(limit(Buy, 4_000, 930)).key;
    let trigger = Some(Condition { price: Price(940), rising: false, watches: Watched::Last });
    let stop = NewOrder { trigger, close_on_trigger: true, reduce_only: true, ..market(Sell, 0) };
    bench.submit(stop);
    // The fall costs 30 of 100, and position and entry hold 84.
    let fills = bench.trade(940, 1, Sell);
    assert_eq!((bench.size(), fills.len()), (0, 1));
    let entry = bench.last(entry);
    assert_eq!((entry.status, entry.closed), (Status::Cancelled, Closed::Margin));
}

#[test]
fn a_reduction_beyond_the_largest_order_becomes_several() {
    let mut bench = Bench::new();
    bench.trade(100, 1, Buy);
    for _ in 0..3 {
        bench.submit(market(Buy, 100_000));
    }
    let link: portcullis_core::LinkId = "close".parse().unwrap();
    let first = bench.try_submit(NewOrder { link: Some(link.clone()), ..reduce(market(Sell, 0)) }).unwrap();
    assert_eq!(bench.executions().iter().map(|row| row.quantity.0).collect::<Vec<_>>(), [100_000; 3]);
    assert_eq!((bench.size(), bench.engine.key_of(&link)), (0, Some(first)));
}
