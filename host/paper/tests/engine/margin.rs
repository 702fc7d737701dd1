//! Fees, funding, leverage, risk tiers and liquidation.

use Side::{Buy, Sell};
use portcullis_core::{
    Amount, InstrumentId, InstrumentSpec, MarketBody, MarketEvent, Price, Qty, Rate, Side, SignedQty,
    Timestamp,
};
use portcullis_paper::engine::{Engine, EngineConfig, Event, ExecutionKind, NewOrder, Reject, coins};

use crate::bench::{BTC, Bench, HOUR, limit, market, quantities, spec};

#[test]
fn fees_and_profit_reach_the_wallet_exactly() {
    let mut bench = Bench::new();
    bench.trade(600_005, 1, Buy);
    bench.submit(market(Buy, 3));
    bench.submit(limit(Sell, 3, 600_105));
    bench.trade(600_105, 3, Buy);
    let wallet = *bench.engine.wallet();
    assert_eq!(wallet.realised, Amount(30_000_000_000_000_000), "10.0 × 0.003");
    // 180.0015 × 0.055 % up, and 180.0315 × 0.02 % = 0.0360063.
    assert_eq!(wallet.fees, Amount(99_000_830_000_000_000 + 36_006_300_000_000_000));
    assert_eq!(wallet.balance, Amount(coins(100_000).0 + wallet.realised.0 - wallet.fees.0));
}

#[test]
fn funding_is_paid_at_each_boundary_by_the_side_the_rate_names() {
    let mut bench = Bench::new();
    bench.trade(1000, 1, Buy);
    bench.submit(market(Buy, 1_000));
    bench.now = Timestamp(8 * HOUR);
    let paid = bench.trade(1100, 1, Buy);
    assert_eq!(
        (paid[0].kind, paid[0].fee),
        (ExecutionKind::Funding, Amount(10_000_000_000_000_000)),
        "100 × 0.01 %, at the old mark"
    );
    bench.market(MarketBody::Funding { rate: Rate(-200_000_000), next: Timestamp(16 * HOUR) });
    assert!(bench.trade(1100, 1, Buy).is_empty());
    bench.out.clear();
    bench.engine.on_time(Timestamp(40 * HOUR), &mut bench.out);
    let paid = bench.executions();
    assert_eq!(
        (paid.len(), paid[0].fee),
        (1, Amount(-22_000_000_000_000_000)),
        "missed boundaries are paid once"
    );
}

#[test]
fn an_account_without_margin_is_closed_at_mark() {
    let mut bench = Bench::with(EngineConfig { deposit: coins(100), ..EngineConfig::default() });
    bench.trade(1000, 1, Buy);
    bench.submit(market(Buy, 9_000));
    bench.submit(limit(Buy, 100, 800));
    assert!(bench.trade(950, 1, Sell).is_empty());
    let bust = bench.trade(890, 1, Sell);
    assert_eq!((bust[0].kind, quantities(&bust)), (ExecutionKind::Bust, vec![(890, 9_000)]));
    assert_eq!((bench.size(), bench.engine.orders().count()), (0, 0));
}

#[test]
fn slow_and_sudden_falls_liquidate_at_the_same_mark() {
    let bust_at = |step: i64| {
        let mut bench = Bench::with(EngineConfig { deposit: coins(100), ..EngineConfig::default() });
        bench.trade(1000, 1, Buy);
        bench.submit(market(Buy, 9_000));
        let mut price = 1000;
        loop {
            price -= step;
            if let Some(bust) = bench.trade(price, 1, Sell).first() {
                return bust.price.0;
            }
            assert!(price > 800, "never liquidated");
        }
    };
    // 100 − 0.495 of equity, less 9 a point; 0.5 % of the value is to remain: below 893.4.
    assert_eq!((bust_at(1), bust_at(107), bust_at(150)), (893, 893, 850));
}

#[test]
fn a_loss_in_one_market_liquidates_the_whole_account() {
    let eth = InstrumentId(1);
    let other = InstrumentSpec { id: eth, symbol: "ETHUSDT".parse().unwrap(), ..spec() };
    let config = EngineConfig { deposit: coins(100), ..EngineConfig::default() };
    let mut engine = Engine::new(config, vec![spec(), other]).unwrap();
    let (mut now, mut out) = (HOUR, Vec::new());
    let mut trade = |engine: &mut Engine, instrument, price| {
        now += 1_000_000;
        let body = MarketBody::Trade { price: Price(price), quantity: Qty(1), taker: Buy };
        let event = MarketEvent { instrument, time: Timestamp(now), venue_time: Timestamp(now), body };
        out.clear();
        engine.on_market(&event, &mut out);
        out.iter()
            .filter(|event| matches!(event, Event::Execution(row) if row.kind == ExecutionKind::Bust))
            .count()
    };
    for instrument in [BTC, eth] {
        trade(&mut engine, instrument, 1000);
        let order = NewOrder { instrument, ..market(Buy, 4_500) };
        engine.submit(Timestamp(HOUR), order, &mut Vec::new()).unwrap();
    }
    // 100 − 0.495 of equity. BTC loses 4.5 × 10 and stands still; ETH takes the rest, tick by tick.
    for price in (900..1000).rev() {
        assert_eq!(trade(&mut engine, BTC, price), 0);
    }
    let mut price = 1000;
    while trade(&mut engine, eth, price) == 0 {
        price -= 1;
        assert!(price > 800, "never liquidated");
    }
    // 99.505 − 45 − 4.5 × (100 − p) < 0.0225 × (90 + p) at p = 88.78.
    assert_eq!(price, 887);
    assert!(engine.positions().all(|position| position.size == SignedQty(0)));
}

#[test]
fn leverage_decides_what_margin_an_order_needs() {
    let mut bench = Bench::with(EngineConfig { deposit: coins(100), ..EngineConfig::default() });
    bench.trade(1000, 1, Buy);
    let mut out = Vec::new();
    assert_eq!(bench.engine.set_leverage(bench.now, BTC, 1_000, &mut out), Err(Reject::LeverageNotModified));
    assert_eq!(bench.engine.set_leverage(bench.now, BTC, 99, &mut out), Err(Reject::LeverageInvalid));
    bench.engine.set_leverage(bench.now, BTC, 100, &mut out).unwrap();
    assert_eq!(bench.try_submit(limit(Buy, 1_000, 1000)), Err(Reject::Margin), "the fee does not fit");
    bench.submit(limit(Buy, 990, 999));
    assert_eq!(bench.try_submit(limit(Buy, 100, 999)), Err(Reject::Margin), "open orders hold margin");
    bench.submit(limit(Sell, 900, 1100));
    assert_eq!(bench.engine.positions().next().unwrap().size, SignedQty(0));
}

#[test]
fn leverage_and_value_are_bounded_by_risk_tiers() {
    let config = EngineConfig { deposit: coins(10_000_000), leverage: 10_000, ..EngineConfig::default() };
    let mut bench = Bench::with(config);
    bench.trade(100_000, 1, Buy);
    // 200 coins of 10,000.0 are the 2,000,000 of the first tier.
    assert_eq!(bench.try_submit(limit(Buy, 200_001, 100_000)), Err(Reject::RiskLimit));
    bench.submit(limit(Buy, 190_000, 100_000));
    assert_eq!(bench.try_submit(limit(Buy, 20_000, 99_000)), Err(Reject::RiskLimit), "with what is open");
    bench.submit(limit(Sell, 100_000, 110_000));
    let mut out = Vec::new();
    bench.engine.set_leverage(bench.now, BTC, 5_000, &mut out).unwrap();
    bench.submit(limit(Buy, 20_000, 99_000));
    bench.trade(98_000, 1_000_000, Sell);
    assert_eq!(bench.size(), 210_000);
    let high = bench.engine.set_leverage(bench.now, BTC, 10_000, &mut out);
    assert_eq!(high, Err(Reject::LeverageTooHigh { most: 10_000 }), "of a position in the second tier");
    let margin = bench.engine.margin();
    // 2,058,000 at mark: 0.5 % of the first two millions and 0.56 % of the rest.
    assert_eq!(margin.maintenance, Amount(10_000_000_000_000_000_000_000 + 324_800_000_000_000_000_000));
    let price = bench.engine.liquidation_price(bench.engine.positions().next().unwrap());
    assert_eq!(price, None, "the balance is worth more than the position");
}

#[test]
fn the_liquidation_price_is_where_liquidation_happens() {
    for (side, step) in [(Buy, -1), (Sell, 1)] {
        let mut bench = Bench::with(EngineConfig { deposit: coins(100), ..EngineConfig::default() });
        bench.trade(1000, 1, Buy);
        bench.submit(market(side, 9_000));
        let said = bench.engine.liquidation_price(bench.engine.positions().next().unwrap()).unwrap();
        let said = said.0 / 100_000_000_000_000_000;
        let mut price = 1000;
        while bench.trade(price, 1, Sell).is_empty() {
            price += step;
        }
        assert!((i128::from(price) - said).abs() <= 1, "{side:?}: said {said}, was {price}");
    }
}

#[test]
fn prices_beyond_the_band_are_moved_into_it() {
    let mut bench = Bench::with(EngineConfig { price_band_bps: Some(500), ..EngineConfig::default() });
    bench.book(&[(990, 100)], &[(1100, 100)]);
    bench.trade(1000, 1, Buy);
    assert_eq!(bench.submit(limit(Buy, 100, 1_200)).price, Some(Price(1_050)));
    assert_eq!(bench.submit(limit(Buy, 100, 900)).price, Some(Price(900)), "only what crosses is bounded");
    assert_eq!(bench.engine.price_limit(BTC), Some((Price(950), Price(1_050))));
}
