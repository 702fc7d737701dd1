//! Hedge mode: a long and a short position of one instrument.

use Side::{Buy, Sell};
use portcullis_core::{MarketBody, Price, Qty, Rate, Side, Timestamp};
use portcullis_paper::engine::{
    EngineConfig, Event, ExecutionKind, Leg, NewOrder, Reject, TradingStop, coins,
};

use crate::bench::{BTC, Bench, HOUR, limit, market, reduce};

fn bench() -> Bench {
    let mut bench = Bench::with(EngineConfig { hedged: true, ..EngineConfig::default() });
    bench.trade(1000, 1, Buy);
    bench
}

fn of(leg: Leg, order: NewOrder) -> NewOrder {
    NewOrder { leg, ..order }
}

/// Sizes of the long and the short position.
fn sizes(bench: &Bench) -> Vec<(Leg, i64)> {
    bench.engine.positions().map(|row| (row.leg, row.size.0)).collect()
}

#[test]
fn the_mode_switches_only_while_nothing_is_open() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    let switch = |bench: &mut Bench, hedged| {
        bench.out.clear();
        bench.engine.switch_mode(bench.now, Some(BTC), hedged, &mut bench.out)
    };
    assert_eq!(switch(&mut bench, false), Err(Reject::ModeNotModified));
    let order = bench.submit(limit(Buy, 100, 900));
    assert_eq!(switch(&mut bench, true), Err(Reject::ModeWithOrders));
    bench
        .engine
        .cancel(bench.now, portcullis_paper::engine::Target::Key(order.key), &mut Vec::new())
        .unwrap();
    bench.submit(market(Buy, 100));
    assert_eq!(switch(&mut bench, true), Err(Reject::ModeWithPosition));
    bench.submit(market(Sell, 100));
    assert_eq!(switch(&mut bench, true), Ok(()));
    assert_eq!(sizes(&bench), [(Leg::Long, 0), (Leg::Short, 0)]);
    let mut restored = Bench::new();
    bench.out.iter().for_each(|event| restored.engine.restore(event));
    assert!(restored.engine.is_hedged(BTC));
    assert_eq!(bench.engine.switch_mode(bench.now, None, false, &mut Vec::new()), Ok(()));
    assert_eq!(sizes(&bench), [(Leg::Net, 0)]);
}

#[test]
fn orders_must_name_a_position_of_the_mode() {
    let mut bench = bench();
    assert_eq!(bench.try_submit(market(Buy, 100)), Err(Reject::PositionIndex));
    let mut one_way = Bench::new();
    assert_eq!(one_way.try_submit(of(Leg::Long, market(Buy, 100))), Err(Reject::PositionIndex));
}

#[test]
fn the_positions_are_independent_and_neither_turns() {
    let mut bench = bench();
    bench.submit(of(Leg::Long, market(Buy, 300)));
    bench.submit(of(Leg::Short, market(Sell, 200)));
    assert_eq!(sizes(&bench), [(Leg::Long, 300), (Leg::Short, -200)]);
    let close = bench.submit(of(Leg::Long, market(Sell, 500)));
    assert!(close.reduce_only, "a sell can only close the long one");
    assert_eq!(sizes(&bench), [(Leg::Long, 0), (Leg::Short, -200)]);
    assert_eq!(bench.try_submit(of(Leg::Long, market(Sell, 100))), Err(Reject::NothingToReduce));
    let wrong = bench.try_submit(of(Leg::Short, reduce(market(Sell, 100))));
    assert_eq!(wrong, Err(Reject::WouldIncrease));
    bench.submit(of(Leg::Short, reduce(market(Buy, 0))));
    assert_eq!(sizes(&bench), [(Leg::Long, 0), (Leg::Short, 0)]);
}

#[test]
fn each_has_its_own_protection() {
    let mut bench = bench();
    bench.submit(of(Leg::Long, NewOrder { stop_loss: Some(Price(950)), ..market(Buy, 300) }));
    bench.submit(of(Leg::Short, NewOrder { stop_loss: Some(Price(1050)), ..market(Sell, 200) }));
    let stop = TradingStop {
        instrument: BTC,
        leg: Leg::Short,
        take_profit: Some(Some(Price(900))),
        stop_loss: None,
        trailing: None,
        terms: Default::default(),
        quantity: None,
    };
    let mut out = Vec::new();
    let net = TradingStop { leg: Leg::Net, ..stop };
    assert_eq!(bench.engine.set_trading_stop(bench.now, &net, &mut out), Err(Reject::PositionIndex));
    bench.engine.set_trading_stop(bench.now, &stop, &mut out).unwrap();
    let prices: Vec<_> = bench.waiting().into_iter().map(|(_, price, quantity)| (price, quantity)).collect();
    assert_eq!(prices, [(950, 300), (1050, 200), (900, 200)]);
    bench.trade(940, 1, Sell);
    assert_eq!(sizes(&bench), [(Leg::Long, 0), (Leg::Short, -200)]);
    bench.trade(900, 1, Sell);
    assert_eq!((sizes(&bench), bench.waiting()), (vec![(Leg::Long, 0), (Leg::Short, 0)], vec![]));
}

#[test]
fn both_pay_funding_and_both_need_margin() {
    let mut bench = bench();
    bench.submit(of(Leg::Long, market(Buy, 1_000)));
    let one = bench.engine.margin().initial;
    bench.submit(of(Leg::Short, market(Sell, 1_000)));
    assert!(bench.engine.margin().initial > one, "the other side is no discount");
    bench.market(MarketBody::Funding { rate: Rate(100_000_000), next: Timestamp(8 * HOUR) });
    bench.now = Timestamp(8 * HOUR);
    let paid = bench.trade(1000, 1, Buy);
    let sum: i128 = paid.iter().map(|row| row.fee.0).sum();
    assert_eq!((paid.len(), sum), (2, 0), "the short one gets what the long one pays");
    assert!(paid.iter().all(|row| row.kind == ExecutionKind::Funding));
}

#[test]
fn an_even_hedge_is_not_liquidated_by_price_and_an_uneven_one_is() {
    let config = EngineConfig { hedged: true, deposit: coins(100), ..EngineConfig::default() };
    let mut bench = Bench::with(config);
    bench.trade(1000, 1, Buy);
    bench.submit(of(Leg::Long, market(Buy, 4_000)));
    bench.submit(of(Leg::Short, market(Sell, 4_000)));
    for price in (700..1000).rev() {
        assert!(bench.trade(price, 1, Sell).is_empty());
    }
    bench.submit(of(Leg::Short, market(Buy, 3_000)));
    let mut price = 700;
    let bust = loop {
        price -= 1;
        let rows = bench.trade(price, 1, Sell);
        if !rows.is_empty() {
            break rows;
        }
        assert!(price > 100, "never liquidated");
    };
    assert!(bust.iter().all(|row| row.kind == ExecutionKind::Bust));
    assert_eq!((bust.len(), sizes(&bench)), (2, vec![(Leg::Long, 0), (Leg::Short, 0)]));
    let told = bench.out.iter().filter(|event| matches!(event, Event::Position(row) if row.size.0 == 0));
    assert!(told.count() >= 2 && bench.engine.wallet().balance < coins(100));
    assert_eq!(bench.engine.orders().map(|row| row.quantity).max(), None::<Qty>);
}
