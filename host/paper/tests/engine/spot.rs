//! Spot: coins against coins, from the wallets and nowhere else.

use Side::{Buy, Sell};
use portcullis_core::{Amount, Category, InstrumentSpec, Price, Qty, Rate, Side, TimeInForce};
use portcullis_paper::engine::{
    CancelFilter, Change, Closed, Coin, Condition, EngineConfig, Event, NewOrder, Reject, Status, Target,
    Watched, coins,
};

use crate::bench::{BTC, Bench, limit, market, quantities, spec};

const COIN: i128 = 1_000_000_000_000_000_000;

fn spot(maker: i64) -> InstrumentSpec {
    InstrumentSpec {
        category: Category::Spot,
        taker_fee: Rate(1_000_000_000),
        maker_fee: Rate(maker),
        ..spec()
    }
}

fn btc() -> Coin {
    Coin::try_from("BTC").unwrap()
}

/// 1,000 USDT and 2 BTC, at fees of 0.1 %.
fn bench() -> Bench {
    let config =
        EngineConfig { deposit: coins(1_000), coins: vec![(btc(), coins(2))], ..EngineConfig::default() };
    Bench::of(config, spot(1_000_000_000))
}

/// Balances of USDT and BTC, in 1e-18.
fn balances(bench: &Bench) -> (i128, i128) {
    let mut wallets = bench.engine.wallets();
    (wallets.next().unwrap().balance.0, wallets.next().unwrap().balance.0)
}

fn spend(whole: i64) -> NewOrder {
    NewOrder { budget: Some(coins(whole)), ..market(Buy, 0) }
}

#[test]
fn a_buy_pays_quote_and_its_fee_in_base_and_a_sell_the_other_way() {
    let mut bench = bench();
    bench.trade(1000, 1, Buy);
    let order = bench.submit(market(Buy, 500));
    assert_eq!(
        (order.status, order.base_fees, order.fees),
        (Status::Filled, Amount(COIN / 2_000), Amount(0))
    );
    assert_eq!(balances(&bench), (950 * COIN, 2 * COIN + COIN / 2 - COIN / 2_000));
    let row = bench.executions().remove(0);
    assert_eq!((row.fee_coin, row.fee, row.fee_in_quote()), (btc(), Amount(COIN / 2_000), Amount(COIN / 20)));
    let order = bench.submit(market(Sell, 500));
    // At 99.9, less 0.1 %.
    assert_eq!((order.fees, order.base_fees), (Amount(49_950_000_000_000_000), Amount(0)));
    assert_eq!(balances(&bench).0, 950 * COIN + 49_950_000_000_000_000_000 - 49_950_000_000_000_000);
    assert_eq!(bench.engine.positions().count(), 0, "spot has no positions");
}

#[test]
fn a_rebate_is_paid_in_what_the_maker_gives() {
    let config = EngineConfig { deposit: coins(1_000), ..EngineConfig::default() };
    let mut bench = Bench::of(config, spot(-100_000_000));
    bench.trade(1000, 1, Buy);
    bench.submit(limit(Buy, 1_000, 990));
    let row = bench.trade(980, 1_000, Sell).remove(0);
    assert_eq!((row.fee_coin, row.fee), (Coin::USDT, Amount(-9_900_000_000_000_000)));
}

#[test]
fn a_market_buy_by_value_spends_at_most_its_budget_and_ends_with_its_dust() {
    let mut bench = bench();
    bench.book(&[(990, 1_000)], &[(1000, 300), (1003, 5_000)]);
    let order = bench.submit(spend(100));
    // 30.0 for 300, then 0.697 coins at 100.3 for 69.9091; 0.0909 buys no further step.
    assert_eq!(quantities(&bench.executions()), [(1000, 300), (1003, 697)]);
    assert_eq!((order.status, order.closed), (Status::Cancelled, Closed::NotFull));
    assert_eq!(order.executed_value, Amount(99_909_100_000_000_000_000));
    let exact =
        bench.submit(NewOrder { budget: Some(Amount(100_300_000_000_000_000_000)), ..market(Buy, 0) });
    assert_eq!((exact.status, exact.executed), (Status::Filled, Qty(1_000)), "without dust it is filled");
}

#[test]
fn open_orders_hold_what_they_may_use() {
    let mut bench = bench();
    bench.trade(1000, 1, Buy);
    let bid = bench.submit(limit(Buy, 9_000, 1000 - 100));
    assert_eq!(bench.engine.locked_of(Coin::USDT), coins(810));
    assert_eq!(bench.try_submit(limit(Buy, 2_000, 960)), Err(Reject::Balance));
    assert_eq!(bench.try_submit(spend(191)), Err(Reject::Balance));
    assert_eq!(bench.engine.margin().available(), coins(190), "derivatives share the coins");
    bench.submit(limit(Sell, 1_500, 1100));
    assert_eq!(bench.engine.locked_of(btc()), Amount(COIN * 3 / 2));
    assert_eq!(bench.try_submit(market(Sell, 501)), Err(Reject::Balance));
    let grow = Change { quantity: Some(Qty(12_000)), ..Change::default() };
    assert_eq!(
        bench.engine.amend(bench.now, Target::Key(bid.key), grow, &mut Vec::new()),
        Err(Reject::Balance)
    );
    let shrink = Change { quantity: Some(Qty(1_000)), ..Change::default() };
    bench.engine.amend(bench.now, Target::Key(bid.key), shrink, &mut Vec::new()).unwrap();
    assert_eq!(bench.engine.locked_of(Coin::USDT), coins(90));
    assert_eq!(quantities(&bench.trade(890, 5_000, Sell)), [(900, 1_000)]);
    assert_eq!(bench.engine.locked_of(Coin::USDT), coins(0));
}

#[test]
fn a_market_buy_by_quantity_stops_where_the_wallet_ends() {
    let mut bench = bench();
    bench.submit(limit(Buy, 1_000, 900));
    // 910 USDT are free.
    bench.book(&[(900, 1_000)], &[(1000, 5_000), (1010, 50_000)]);
    let order = bench.submit(market(Buy, 9_060));
    assert_eq!(
        (order.status, order.closed, order.executed),
        (Status::Cancelled, Closed::NotFull, Qty(9_059))
    );
    assert!(balances(&bench).0 >= 90 * COIN, "what the bid holds is left");
}

#[test]
fn a_limit_order_rests_cancels_and_takes_like_any_other() {
    let mut bench = bench();
    bench.book(&[(990, 100)], &[(1000, 300)]);
    let order = bench.submit(limit(Buy, 500, 1000));
    assert_eq!((order.status, order.executed), (Status::PartiallyFilled, Qty(300)));
    bench.engine.cancel(bench.now, Target::Key(order.key), &mut bench.out).unwrap();
    let order = bench.last(order.key);
    assert_eq!((order.status, order.closed), (Status::Cancelled, Closed::ByClient));
    let fok = bench.submit(NewOrder { time_in_force: TimeInForce::Fok, ..limit(Buy, 900, 1000) });
    assert_eq!((fok.status, fok.closed), (Status::Cancelled, Closed::NotFull));
}

#[test]
fn requests_are_rejected_with_the_reasons_of_spot() {
    let mut coarse = spot(0);
    (coarse.tick, coarse.step, coarse.min_quantity) = (Price(5), Qty(2), Qty(4));
    let config = EngineConfig { deposit: coins(1_000), price_band_bps: Some(500), ..EngineConfig::default() };
    let mut bench = Bench::of(config, coarse);
    bench.trade(1000, 1, Buy);
    let table = [
        (limit(Buy, 100, 1001), Reject::PriceTooFine),
        (limit(Buy, 101, 1000), Reject::QuantityTooFine),
        (limit(Buy, 2, 1000), Reject::QuantityBelowMinimum),
        (limit(Buy, 1_000_002, 1000), Reject::QuantityAboveMaximum),
        (limit(Buy, 40, 1000), Reject::ValueBelowMinimum),
        (spend(4), Reject::ValueBelowMinimum),
        (limit(Buy, 20_000, 1000), Reject::Balance),
        (limit(Sell, 100, 1000), Reject::Balance),
        (limit(Buy, 100, 1055), Reject::PriceAboveBand(Price(1050))),
        (limit(Sell, 100, 945), Reject::PriceBelowBand(Price(950))),
    ];
    for (order, reject) in table {
        assert_eq!(bench.try_submit(order.clone()), Err(reject), "{order:?}");
    }
}

#[test]
fn a_stop_takes_its_coins_when_it_fires_and_a_reserving_one_at_once() {
    let stop = |reserves| {
        let trigger = Some(Condition { price: Price(950), rising: false, watches: Watched::Last });
        NewOrder { trigger, reserves, ..market(Sell, 2_000) }
    };
    let mut bench = bench();
    bench.trade(1000, 1, Buy);
    let plain = bench.submit(stop(false)).key;
    assert_eq!(bench.engine.locked_of(btc()), coins(0));
    let reserving = bench.submit(stop(true)).key;
    assert_eq!(bench.engine.locked_of(btc()), coins(2));
    bench.trade(950, 1, Sell);
    assert_eq!(
        bench.statuses(plain),
        [Status::Triggered, Status::Rejected],
        "its coins are held by the other"
    );
    assert_eq!(bench.statuses(reserving), [Status::Triggered, Status::Filled]);
    assert_eq!(balances(&bench).1, 0);
    let mut out = Vec::new();
    let rises = Some(Condition { price: Price(1100), rising: true, watches: Watched::Last });
    let waits = NewOrder { trigger: rises, reserves: true, ..limit(Buy, 500, 1100) };
    let key = bench.submit(waits).key;
    assert_eq!(bench.engine.cancel_all(bench.now, None, CancelFilter::Working, &mut out).len(), 0);
    assert_eq!(bench.engine.cancel_all(bench.now, None, CancelFilter::Reserving, &mut out).len(), 1);
    bench.out = out;
    assert_eq!(bench.last(key).status, Status::Deactivated);
}

#[test]
fn wallets_survive_a_restart() {
    let mut bench = bench();
    bench.trade(1000, 1, Buy);
    bench.submit(market(Buy, 500));
    let config = EngineConfig { deposit: coins(7), ..EngineConfig::default() };
    let mut restored = Bench::of(config, spot(0));
    let events: Vec<Event> = bench.out.clone();
    events.iter().for_each(|event| restored.engine.restore(event));
    assert_eq!(balances(&restored), balances(&bench));
    assert_eq!(bench.engine.positions().count() + bench.engine.orders().count(), 0);
    assert_eq!(bench.engine.worth(btc()), Some(coins(100)));
    let held: Vec<_> = bench.engine.holdings().collect();
    assert_eq!(held, [(BTC, Qty(2_499))], "whole steps of 2.4995");
}
