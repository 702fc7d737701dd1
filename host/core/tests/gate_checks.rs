//! Every refusal an intent can meet, through the gate.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

mod support;

use portcullis_core::*;
use support::*;

/// The calm limits with some lines changed.
fn limits(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(calm(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

#[test]
fn a_good_order_passes_with_every_check_recorded() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    assert_eq!(world.status(id), OrderStatus::Reserved);
    let checks = world.last_checks();
    assert_eq!(checks.len(), CheckId::ALL.len() - 1, "all but reduce-only");
    assert!(checks.iter().all(|check| check.verdict == Verdict::Pass));
    // A condition that holds was seen as nothing wrong.
    assert!(checks.iter().filter(|check| check.check.unit() == Unit::Flag).all(|check| check.seen == 0));
    let position = checks.iter().find(|check| check.check == CheckId::PositionInstrument).unwrap();
    assert_eq!(position.seen, Amount::parse("600").unwrap().0);
    assert_eq!(position.limit, Amount::parse("20000").unwrap().0);
    let Record::Intent(record) = world.records().into_iter().rev().find(|r| r.name() == "intent").unwrap()
    else {
        panic!()
    };
    assert_eq!(record.frame, b"frame");
    assert_eq!(record.limits, world.gate.state().limits_hash());
}

#[test]
fn rules_of_the_instrument_refuse() {
    let at = |change: fn(&mut Place)| {
        let mut place = buy(10, "60000.00");
        change(&mut place);
        World::new().place(place).unwrap_err()
    };
    assert_eq!(at(|p| p.instrument = 1), RefusalCode::UnknownInstrument);
    assert_eq!(at(|p| p.limit = Some(Price(0))), RefusalCode::PriceNotPositive);
    assert_eq!(at(|p| p.limit = Some(Price(-5))), RefusalCode::PriceNotPositive);
    assert_eq!(at(|p| p.quantity = Qty(0)), RefusalCode::QuantityNotPositive);
    assert_eq!(at(|p| p.quantity = Qty(-1)), RefusalCode::QuantityNotPositive);
    assert_eq!(at(|p| p.quantity = Qty(1_000_001)), RefusalCode::QuantityAboveMaximum);
    assert_eq!(at(|p| p.quantity = Qty(i64::MAX)), RefusalCode::QuantityAboveMaximum);
    assert_eq!(at(|p| p.limit = Some(Price(1))), RefusalCode::NotionalBelowMinimum);
    assert_eq!(at(|p| p.stop_loss = Some(Price(6_100_000))), RefusalCode::Unsupported);
    assert_eq!(at(|p| p.good_till = Some(START)), RefusalCode::Unsupported);
    assert_eq!(at(|p| (p.limit, p.time_in_force) = (None, TimeInForce::PostOnly)), RefusalCode::Unsupported);

    let mut world = World::new();
    let coarse =
        InstrumentSpec { tick: Price(50), step: Qty(5), min_quantity: Qty(10), ..spec(BTC, "BTCUSDT", 2, 3) };
    world.step(Input::Instrument(coarse.clone()));
    assert_eq!(world.place(buy(10, "60000.01")), Err(RefusalCode::PriceOffTick));
    assert_eq!(world.place(buy(12, "60000.00")), Err(RefusalCode::QuantityOffStep));
    assert_eq!(world.place(buy(5, "60000.00")), Err(RefusalCode::QuantityBelowMinimum));
    world.step(Input::Instrument(InstrumentSpec { trading: false, ..coarse }));
    assert_eq!(world.place(buy(10, "60000.00")), Err(RefusalCode::InstrumentNotTrading));

    // The largest mantissas that exist do not wrap into small ones.
    let mut world = World::new();
    let vast = InstrumentSpec { max_quantity: Qty(i64::MAX), ..spec(BTC, "BTCUSDT", 2, 3) };
    world.step(Input::Instrument(vast));
    let huge = Place { limit: Some(Price(i64::MAX)), ..buy(i64::MAX, "1") };
    assert_eq!(world.place(huge), Err(RefusalCode::Overflow));
}

#[test]
fn size_and_collar_refuse() {
    let mut world = World::new();
    assert_eq!(world.place(buy(1_001, "60000.00")), Err(RefusalCode::OrderQuantityLimit));
    assert_eq!(world.place(buy(334, "60000.00")), Err(RefusalCode::OrderNotionalLimit));
    // Five per cent around 60,000, both ways.
    assert_eq!(world.place(buy(1, "63000.01")), Err(RefusalCode::PriceCollar));
    assert_eq!(world.place(buy(1, "56999.00")), Err(RefusalCode::PriceCollar));
    assert!(world.place(buy(1, "63000.00")).is_ok());
    assert!(world.place(buy(1, "57000.00")).is_ok());
    // A sell may get more than it asks, so its value is taken at the best price in sight.
    assert_eq!(world.place(sell(340, "57500.00")), Err(RefusalCode::OrderNotionalLimit));
}

#[test]
fn market_orders_become_bounded() {
    let mut world = World::new();
    let first = world.place(market(Side::Buy, 10)).unwrap();
    world.report(first, VenueStatus::Cancelled);
    world.place(market(Side::Sell, 10)).unwrap();
    let prices: Vec<(Option<Price>, TimeInForce)> = world
        .sent
        .iter()
        .map(|(_, command)| match command {
            Command::Place(place) => (place.price, place.time_in_force),
            other => panic!("{other:?}"),
        })
        .collect();
    let price = |text| Some(Price::parse(text, 2).unwrap());
    // The ask's and the bid's collar, no wider than the mark's.
    assert_eq!(prices, [(price("63000.00"), TimeInForce::Ioc), (price("57000.00"), TimeInForce::Ioc)]);
}

#[test]
fn market_data_must_be_there_fresh_and_sane() {
    let mut world = World::new();
    world.wait(Span::from_millis(10_001));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::StaleMarketData));
    assert_eq!(world.place(market(Side::Buy, 1)), Err(RefusalCode::StaleMarketData));

    let mut world = World::new();
    let level = |price| Level { price: Price(price), quantity: Qty(1) };
    world.market(BTC, MarketBody::Quote { bid: level(6_000_001), ask: level(6_000_000) });
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::CrossedBook));

    // A mark that went silent, while the book goes on.
    let mut world = World::new();
    for _ in 0..130 {
        world.wait(Span::from_secs(1));
        world.market(BTC, MarketBody::Quote { bid: level(5_999_999), ask: level(6_000_000) });
    }
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::StaleMarketData));

    // No market at all.
    let mut world = World::empty();
    world.step(Input::Limits(Box::new(Limits::parse(&calm()).unwrap())));
    world.open();
    world.start(TAKER, "taker", BTC);
    let mut fresh = World::empty();
    std::mem::swap(&mut world.gate, &mut fresh.gate);
    let mut blind = World::empty();
    blind.gate = world_without_prices();
    assert_eq!(blind.place(buy(1, "60000.00")), Err(RefusalCode::NoReferencePrice));
    assert_eq!(blind.place(market(Side::Buy, 1)), Err(RefusalCode::NoReferencePrice));
}

fn world_without_prices() -> Gate {
    let mut world = World::empty();
    world.step(Input::Limits(Box::new(Limits::parse(&calm()).unwrap())));
    world.step(Input::Session(session(world.now)));
    world.step(Input::Instrument(spec(BTC, "BTCUSDT", 2, 3)));
    world.step(Input::Link(LinkChange::Public { up: true }));
    world.step(Input::Link(LinkChange::Private { up: true }));
    world.step(Input::Link(LinkChange::Skew { millis: 0 }));
    let snapshot = world.snapshot();
    world.step(Input::Snapshot(snapshot));
    world.start(TAKER, "taker", BTC);
    world.gate
}

#[test]
fn positions_count_open_and_unknown_orders_each_side_by_itself() {
    let mut world = World::new();
    // 20,000 USDT at 60,000 are 0.333 coins.
    world.place(buy(200, "60000.00")).unwrap();
    world.lose();
    assert_eq!(world.place(buy(134, "60000.00")), Err(RefusalCode::PositionLimit));
    let other_side = world.place(sell(300, "60000.01")).unwrap();
    assert_eq!(world.place(buy(134, "60000.00")), Err(RefusalCode::PositionLimit));
    assert!(world.place(buy(133, "60000.00")).is_ok());
    // The sell fills. The short could be closed by other means first, so it makes no room for buys.
    world.fill(other_side, Qty(300), "60000.00");
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::PositionLimit));
    assert_eq!(world.place(sell(34, "60000.01")), Err(RefusalCode::PositionLimit));
}

#[test]
fn the_budget_bounds_a_strategy_below_its_limits() {
    let mut world = World::new();
    world.step(Input::Strategy(StrategyChange::Stopped { strategy: TAKER, reason: String::new() }));
    world.start_with(TAKER, "taker", BTC, "1000");
    assert_eq!(world.place(buy(17, "60000.00")), Err(RefusalCode::BudgetExceeded));
    assert!(world.place(buy(16, "60000.00")).is_ok());
}

/// A long position of so many thousandths, bought at 60,000.
fn long(world: &mut World, quantity: i64) {
    let id = world.place(buy(quantity, "60000.00")).unwrap();
    world.accept();
    world.fill(id, Qty(quantity), "60000.00");
}

#[test]
fn what_only_closes_passes_above_the_budget() {
    let mut world = World::new();
    long(&mut world, 100);
    world.step(Input::Strategy(StrategyChange::Stopped { strategy: TAKER, reason: String::new() }));
    world.start_with(TAKER, "taker", BTC, "0");
    let refused = Err(RefusalCode::BudgetExceeded);
    assert_eq!(world.place(buy(1, "60000.00")), refused);
    assert_eq!(world.place(sell(101, "60100.00")), refused, "it would turn the position round");
    let resting = world.place(sell(40, "60100.00")).unwrap();
    assert_eq!(world.place(sell(61, "60100.00")), refused, "both together would");
    // An unknown order counts like an open one, and so does one that only reduces.
    world.lose();
    assert_eq!(world.status(resting), OrderStatus::Unknown);
    world.place(reduce(sell(10, "60100.00"))).unwrap();
    assert_eq!(world.place(sell(51, "60100.00")), refused);
    assert!(world.place(sell(50, "60100.00")).is_ok());
    let budget = world.last_checks().into_iter().find(|outcome| outcome.check == CheckId::Budget).unwrap();
    assert!(budget.verdict == Verdict::Pass && budget.seen > budget.limit, "the numbers say how it is");
}

#[test]
fn what_only_closes_passes_above_every_bound_of_positions() {
    let bounds =
        ["PositionInstrument", "PositionStrategy", "PositionAccount", "DirectionAccount", "Leverage"];
    for (side, other) in [(Side::Buy, Side::Sell), (Side::Sell, Side::Buy)] {
        let mut world = World::new();
        let id = world.place(Place { side, ..buy(300, "60000.00") }).unwrap();
        world.accept();
        world.fill(id, Qty(300), "60000.00");
        // The equity falls to a thousandth, and the limits to a tenth of what is held.
        let mut snapshot = world.snapshot();
        snapshot.wallet.equity = Amount::parse("1000").unwrap();
        world.step(Input::Snapshot(snapshot));
        let tight = calm()
            .replace("position_notional_max = \"20000\"", "position_notional_max = \"1800\"")
            .replace("_notional_max = \"40000\"", "_notional_max = \"1800\"");
        world.step(Input::Limits(Box::new(Limits::parse(&tight).unwrap())));
        let more = Place { side, ..buy(1, "60000.00") };
        assert!(matches!(world.place(more), Err(RefusalCode::PositionLimit | RefusalCode::LeverageLimit)));
        let close = Place { side: other, ..buy(300, "60000.00") };
        assert!(world.place(Place { quantity: Qty(301), ..close.clone() }).is_err());
        assert!(world.place(close).is_ok(), "{other:?}");
        let beyond = world.last_checks().into_iter().filter(|outcome| outcome.seen > outcome.limit);
        let beyond: Vec<String> = beyond.map(|outcome| format!("{:?}", outcome.check)).collect();
        assert!(bounds.iter().all(|bound| beyond.iter().any(|check| check == bound)), "{beyond:?}");
    }
}

#[test]
fn counts_and_rates_refuse() {
    let mut world = World::with_limits(&limits(&[(
        "open_orders_max = 100\nconditional",
        "open_orders_max = 2\nconditional",
    )]));
    world.place(buy(1, "60000.00")).unwrap();
    world.place(buy(1, "60000.00")).unwrap();
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::OpenOrdersLimit));

    let mut world =
        World::with_limits(&limits(&[("orders_per_minute_max = 600", "orders_per_minute_max = 3")]));
    for _ in 0..3 {
        world.place(buy(1, "60000.00")).unwrap();
    }
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::OrderRateLimit));
    // Cancels have a lane of their own; the other strategy a window of its own.
    world.accept();
    assert_eq!(world.ask_for(TAKER, Ask::Cancel(OrderNumber(1))), Ok(()));
    assert!(world.place_as(MAKER, Place { quantity: Qty(10), ..buy(1, "3000.00") }).is_ok());
    world.pass(62);
    assert!(world.place(buy(1, "60000.00")).is_ok());

    let mut world = World::with_limits(&limits(&[(
        "traded_value_per_day_max = \"5000000\"",
        "traded_value_per_day_max = \"900\"",
    )]));
    let first = world.place(buy(10, "60000.00")).unwrap();
    assert_eq!(world.place(buy(6, "60000.00")), Err(RefusalCode::TradedValueLimit), "open orders count");
    world.fill(first, Qty(10), "60000.00");
    assert_eq!(world.place(buy(6, "60000.00")), Err(RefusalCode::TradedValueLimit), "executions count");
    assert!(world.place(buy(5, "60000.00")).is_ok());
    assert!(world.place(reduce(sell(10, "60000.00"))).is_ok(), "reductions are not held up");
}

#[test]
fn a_day_of_losses_ends_at_its_bound() {
    let mut world = World::with_limits(&limits(&[("daily_loss_max = \"2500\"", "daily_loss_max = \"10\"")]));
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(id, Qty(10), "60000.00");
    world.prices("59001.00", "3000.00");
    // 0.01 coins lost 9.99 and the fee was 0.01.
    assert_eq!(world.place(buy(1, "59000.00")), Err(RefusalCode::DailyLoss));
    world.step(Input::Tick);
    world.pass(1);
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
    assert_eq!(world.gate.state().trading_state(MAKER), TradingState::Active);
    // The price comes back, the latch stays; the position may be closed.
    world.prices("60000.00", "3000.00");
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::StateReduceOnly));
    assert!(world.place(reduce(sell(10, "60000.00"))).is_ok());
}

#[test]
fn reductions_reduce_and_nothing_else() {
    let mut world = World::new();
    assert_eq!(world.place(reduce(sell(10, "60000.00"))), Err(RefusalCode::ReduceOnlyInvalid), "flat");
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(id, Qty(10), "60000.00");
    assert_eq!(world.place(reduce(buy(10, "60000.00"))), Err(RefusalCode::ReduceOnlyInvalid), "wrong side");
    let first = world.place(reduce(sell(7, "60000.00"))).unwrap();
    let second = world.place(reduce(sell(7, "60000.00"))).unwrap();
    assert_eq!((world.order(first).quantity, world.order(second).quantity), (Qty(7), Qty(3)), "clamped");
    assert_eq!(world.place(reduce(sell(1, "60000.00"))), Err(RefusalCode::ReduceOnlyInvalid), "nothing left");
}

#[test]
fn reductions_go_out_even_blind() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(id, Qty(10), "60000.00");
    world.sent.clear();
    world.wait(Span::from_secs(60));
    world.step(Input::Link(LinkChange::Public { up: false }));
    world.place(reduce(market(Side::Sell, 10))).unwrap();
    let (_, Command::Place(place)) = world.next_sent() else { panic!() };
    assert_eq!((place.price, place.reduce_only), (None, true), "market, bounded by the venue");
}

#[test]
fn states_and_inhibits_hold_what_adds_risk() {
    let codes = [
        (TradingState::Caution, None),
        (TradingState::ReduceOnly, Some(RefusalCode::StateReduceOnly)),
        (TradingState::EntriesCancelled, Some(RefusalCode::StateEntriesCancelled)),
        (TradingState::Flattening, Some(RefusalCode::StateEntriesCancelled)),
        (TradingState::Locked, Some(RefusalCode::StateLocked)),
    ];
    for (to, code) in codes {
        for scope in [Scope::Account, Scope::Strategy(TAKER), Scope::Instrument(BTC)] {
            let mut world = World::new();
            let command = OperatorCommand::Raise { scope, to, reason: "test".to_owned() };
            world.step(Input::Operator { actor: "ann".to_owned(), command });
            assert_eq!(world.place(buy(1, "60000.00")).err(), code, "{to} {scope:?}");
        }
    }
    let links = [
        (LinkChange::Public { up: false }, RefusalCode::Inhibited),
        (LinkChange::Private { up: false }, RefusalCode::Inhibited),
        (LinkChange::Skew { millis: -501 }, RefusalCode::Inhibited),
        (LinkChange::Signer { up: false }, RefusalCode::Inhibited),
        (LinkChange::SignerCap { up: false }, RefusalCode::Inhibited),
        (LinkChange::Journal { up: false }, RefusalCode::Inhibited),
        (LinkChange::Disk { up: false }, RefusalCode::Inhibited),
        (LinkChange::RateBudget { up: false }, RefusalCode::RateBudget),
    ];
    for (change, code) in links {
        let mut world = World::new();
        world.step(Input::Link(change));
        assert_eq!(world.place(buy(1, "60000.00")), Err(code), "{change:?}");
    }
}

#[test]
fn an_inhibit_clears_by_itself_until_it_lasts() {
    let mut world = World::new();
    world.step(Input::Link(LinkChange::Signer { up: false }));
    world.pass(10);
    world.step(Input::Link(LinkChange::Signer { up: true }));
    assert!(world.place(buy(1, "60000.00")).is_ok());
    world.step(Input::Link(LinkChange::Signer { up: false }));
    world.pass(302);
    world.step(Input::Link(LinkChange::Signer { up: true }));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::StateReduceOnly));
}

#[test]
fn intents_must_be_recent_warm_and_resynced() {
    let mut world = World::new();
    let intent = |world: &World, age: u64| RawIntent {
        strategy: TAKER,
        cause: Cause { time: Timestamp(world.now.0 - age * 1_000_000), event: 1, frame: Digest::default() },
        ask: Ask::Place(buy(1, "60000.00")),
    };
    let old = intent(&world, 501);
    world.step(Input::Intent { intent: old, frame: &[] });
    assert_eq!(world.refusal_since(0), Some(RefusalCode::StaleIntent));
    let recent = intent(&world, 500);
    world.step(Input::Intent { intent: recent, frame: &[] });
    assert_eq!(world.gate.state().orders().open_count(), 1);

    world.step(Input::Strategy(StrategyChange::Faulted { strategy: TAKER, failure: trap() }));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::NotResynced));
    world.accept();
    assert_eq!(world.ask_for(TAKER, Ask::Cancel(OrderNumber(2))), Ok(()), "cancels pass");

    let mut cold = World::empty();
    cold.step(Input::Limits(Box::new(Limits::parse(&calm()).unwrap())));
    cold.open();
    let started = StrategyStarted {
        strategy: TAKER,
        name: "taker".parse().unwrap(),
        digest: Digest::default(),
        instruments: vec![BTC],
        budget: Amount::parse("1000").unwrap(),
        mandate: Mandate::ALL,
        at: cold.now,
    };
    cold.step(Input::Strategy(StrategyChange::Started(started)));
    assert_eq!(cold.place(buy(1, "60000.00")), Err(RefusalCode::WarmUp));
}

#[test]
fn without_limits_everything_that_adds_risk_is_refused() {
    let mut world = World::empty();
    world.open();
    let started = StrategyStarted {
        strategy: TAKER,
        name: "taker".parse().unwrap(),
        digest: Digest::default(),
        instruments: vec![BTC],
        budget: Amount::parse("1000").unwrap(),
        mandate: Mandate::ALL,
        at: world.now,
    };
    world.step(Input::Strategy(StrategyChange::Started(started)));
    let refused = Reply::StartRefused { code: RefusalCode::LimitMissing, instrument: Some(BTC) };
    assert_eq!(world.reply, Some(refused), "what has no limit cannot be traded");

    // A section that goes missing later refuses too.
    let mut world = World::new();
    let calm = calm();
    let (with, _) = calm.split_once("[instrument.\"linear:ETHUSDT\"]").unwrap();
    world.step(Input::Limits(Box::new(Limits::parse(with).unwrap())));
    let place = Place { quantity: Qty(10), ..buy(1, "3000.00") };
    assert_eq!(world.place_as(MAKER, place), Err(RefusalCode::LimitMissing));
    assert!(world.place(buy(1, "60000.00")).is_ok());
}

#[test]
fn one_strategy_owns_a_symbol() {
    let mut world = World::new();
    world.start(StrategyId(2), "third", BTC);
    let taken = Reply::StartRefused { code: RefusalCode::SymbolOwned, instrument: Some(BTC) };
    assert_eq!(world.reply, Some(taken.clone()));
    let objection = |world: &World| world.gate.start_objection(StrategyId(2), &[ETH, BTC], Amount(1));
    assert_eq!(objection(&world), Some((RefusalCode::SymbolOwned, Some(ETH))), "the first that is taken");
    assert_eq!(world.gate.start_objection(TAKER, &[BTC], Amount(1)), None, "its own");
    // Its owner stops, but leaves a position behind.
    let id = world.place(buy(1, "60000.00")).unwrap();
    world.accept();
    world.fill(id, Qty(1), "60000.00");
    world.step(Input::Strategy(StrategyChange::Stopped { strategy: TAKER, reason: String::new() }));
    world.start(StrategyId(2), "third", BTC);
    assert_eq!(world.reply, Some(taken));
    world.start(TAKER, "taker", BTC);
    let out = world.place(reduce(sell(1, "60000.00"))).unwrap();
    world.fill(out, Qty(1), "60000.00");
    world.step(Input::Strategy(StrategyChange::Stopped { strategy: TAKER, reason: String::new() }));
    world.start(StrategyId(2), "third", BTC);
    assert_eq!(world.reply, Some(Reply::Done));
}

#[test]
fn a_flood_is_counted_not_journaled() {
    let mut world = World::new();
    let before = world.journal.len();
    for _ in 0..10_000 {
        world.ask_now(TAKER, Ask::Place(Place { limit: Some(Price(0)), ..buy(1, "1") }));
    }
    assert_eq!(world.journal.len() - before, 200, "the burst");
    assert_eq!(world.gate.next_order_number(TAKER), OrderNumber(10_001));
    // What takes risk away is not drowned.
    assert_eq!(world.ask_for(TAKER, Ask::CancelAll(None)), Ok(()));
    world.pass(1);
    assert_eq!(world.strikes, [TAKER]);
    let summaries: Vec<u64> = world
        .records()
        .into_iter()
        .filter_map(|record| match record {
            Record::RefusedSummary(summary) => Some(summary.count),
            _ => None,
        })
        .collect();
    assert_eq!(summaries, [9_800]);
    assert_eq!(world.folded().next_order_number(TAKER), OrderNumber(10_001));
    let notices = world.notices.iter().filter(|n| matches!(n.body, NoticeBody::Refusal(_))).count();
    assert_eq!(notices, 10_000, "the strategy is told each time");
}

#[test]
fn amends_are_reviewed_like_orders() {
    let mut world = World::new();
    let id = world.place(buy(100, "60000.00")).unwrap();
    let amend = |limit: Option<&str>, quantity: Option<i64>| {
        Ask::Amend(Amend {
            order: OrderNumber(1),
            limit: limit.map(|text| Price::parse(text, 2).unwrap()),
            quantity: quantity.map(Qty),
        })
    };
    assert_eq!(world.ask_for(TAKER, amend(None, Some(50))), Err(RefusalCode::OrderBusy));
    world.accept();
    assert_eq!(world.ask_for(TAKER, amend(None, None)), Err(RefusalCode::NothingToChange));
    assert_eq!(world.ask_for(TAKER, amend(Some("60000.00"), Some(100))), Err(RefusalCode::NothingToChange));
    assert_eq!(world.ask_for(TAKER, amend(Some("64000.00"), None)), Err(RefusalCode::PriceCollar));
    assert_eq!(world.ask_for(TAKER, amend(None, Some(334))), Err(RefusalCode::OrderNotionalLimit));
    assert_eq!(world.ask_for(MAKER, amend(None, Some(50))), Err(RefusalCode::UnknownOrder));
    let other = world.place(buy(200, "60000.00")).unwrap();
    assert_eq!(world.ask_for(TAKER, amend(None, Some(134))), Err(RefusalCode::PositionLimit));
    assert_eq!(world.ask_for(TAKER, amend(None, Some(133))), Ok(()));
    // While the amend is out, the larger of both quantities is reserved.
    assert_eq!(world.gate.state().orders().exposure(BTC).buys, 333);
    assert_eq!(world.ask_for(TAKER, amend(None, Some(120))), Err(RefusalCode::OrderBusy));
    world.accept();
    world.reject(RejectionKind::Other);
    assert_eq!(world.gate.state().orders().exposure(BTC).buys, 300, "a rejected amend changes nothing");
    assert_eq!(world.order(id).quantity, Qty(100));
    // A smaller quantity passes in any state but locked.
    let command =
        OperatorCommand::Raise { scope: Scope::Account, to: TradingState::ReduceOnly, reason: String::new() };
    world.step(Input::Operator { actor: "ann".to_owned(), command });
    assert_eq!(world.ask_for(TAKER, amend(None, Some(90))), Ok(()));
    let _ = other;
}

#[test]
fn numbers_of_orders_answer_for_themselves() {
    let mut world = World::new();
    assert_eq!(world.ask_for(TAKER, Ask::Cancel(OrderNumber(1))), Err(RefusalCode::UnknownOrder));
    assert!(world.place(Place { quantity: Qty(0), ..buy(1, "60000.00") }).is_err());
    assert_eq!(world.ask_for(TAKER, Ask::Cancel(OrderNumber(1))), Err(RefusalCode::OrderClosed), "used up");
    let id = world.place(buy(1, "60000.00")).unwrap();
    assert_eq!(world.order(id).number, OrderNumber(2));
    world.reject(RejectionKind::Margin);
    assert_eq!(world.ask_for(TAKER, Ask::Cancel(OrderNumber(2))), Err(RefusalCode::OrderClosed));
    assert_eq!(world.ask_for(TAKER, Ask::Flatten(7)), Err(RefusalCode::UnknownInstrument));
}

#[test]
fn an_amend_of_a_reduction_stays_one() {
    let mut world = World::new();
    let held = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(held, Qty(10), "60000.00");
    let out = world.place(reduce(sell(4, "61000.00"))).unwrap();
    world.accept();
    world.report(out, VenueStatus::Working);
    let to = |quantity| Amend { order: OrderNumber(2), limit: None, quantity: Some(Qty(quantity)) };
    assert_eq!(world.ask_for(TAKER, Ask::Amend(to(11))), Err(RefusalCode::ReduceOnlyInvalid));
    let room = world.last_checks().into_iter().find(|outcome| outcome.check == CheckId::ReduceOnly).unwrap();
    assert_eq!((room.seen, room.limit), (7, 6), "what it adds, and what is left");
    assert_eq!(world.ask_for(TAKER, Ask::Amend(to(10))), Ok(()));
    // A smaller entry needs no position to reduce, and in a locked state nothing is amended.
    let mut world = World::new();
    let entry = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(entry, VenueStatus::Working);
    let smaller = Amend { order: OrderNumber(1), limit: None, quantity: Some(Qty(5)) };
    let raise =
        OperatorCommand::Raise { scope: Scope::Account, to: TradingState::Locked, reason: String::new() };
    world.step(Input::Operator { actor: String::new(), command: raise });
    world.sent.clear();
    assert_eq!(world.ask_for(TAKER, Ask::Amend(smaller)), Err(RefusalCode::StateLocked));
}

#[test]
fn the_mark_narrows_a_market_order_as_long_as_it_is_fresh() {
    let bound = |wait_ms| {
        let mut world = World::new();
        let mark = Amount::parse("59000").unwrap();
        world.market(BTC, MarketBody::Mark { mark, index: Amount::ZERO });
        for _ in 0..wait_ms / 1_000 {
            world.wait(Span::from_secs(1));
            let level = |price| Level { price: Price(price), quantity: Qty(1) };
            world.market(BTC, MarketBody::Quote { bid: level(5_999_999), ask: level(6_000_000) });
        }
        let held = world.place(market(Side::Buy, 10));
        held.map(|id| world.order(id).price)
    };
    // Five per cent above the mark is less than five per cent above the ask.
    assert_eq!(bound(0), Ok(Some(Price::parse("61950", 2).unwrap())));
    assert_eq!(bound(121_000), Err(RefusalCode::StaleMarketData));
    // A reduction goes out with the ask's bound alone once the mark is stale.
    let mut world = World::new();
    let held = world.place(sell(10, "60000.00")).unwrap();
    world.accept();
    world.fill(held, Qty(10), "60000.00");
    let mark = Amount::parse("59000").unwrap();
    world.market(BTC, MarketBody::Mark { mark, index: Amount::ZERO });
    for _ in 0..121 {
        world.wait(Span::from_secs(1));
        let level = |price| Level { price: Price(price), quantity: Qty(1) };
        world.market(BTC, MarketBody::Quote { bid: level(5_999_999), ask: level(6_000_000) });
    }
    let out = world.place(reduce(market(Side::Buy, 10))).unwrap();
    assert_eq!(world.order(out).price, Some(Price::parse("63000", 2).unwrap()));
}

#[test]
fn ages_count_up_to_their_bound() {
    // Asking takes a millisecond in these tests.
    for (age_ms, fresh) in [(9_999, true), (10_000, false)] {
        let mut world = World::new();
        world.wait(Span::from_millis(age_ms));
        let entry = world.place(buy(1, "60000.00"));
        assert_eq!(entry, if fresh { Ok(OrderId(1)) } else { Err(RefusalCode::StaleMarketData) });
        let mut world = World::new();
        world.wait(Span::from_millis(age_ms));
        assert_eq!(world.place(market(Side::Buy, 1)).is_ok(), fresh);
    }
    for (age_ms, fresh) in [(119_999, true), (120_000, false)] {
        let mut world = World::new();
        world.wait(Span::from_millis(age_ms));
        let level = |price| Level { price: Price(price), quantity: Qty(1) };
        world.market(BTC, MarketBody::Quote { bid: level(5_999_999), ask: level(6_000_000) });
        assert_eq!(world.place(buy(1, "60000.00")).is_ok(), fresh);
    }
}

#[test]
fn a_trigger_is_held_against_itself_and_spot_has_no_mark() {
    // The limit is near its trigger, and the trigger far from the mark: the collar of the mark does not count.
    let mut world = World::new();
    let trigger = Some(Trigger { price: Price::parse("66000", 2).unwrap(), rising: true });
    assert!(world.place(Place { trigger, ..buy(1, "66000.00") }).is_ok());

    let text = calm().replace("[instrument.\"linear:BTCUSDT\"]", "[instrument.\"spot:BTCUSDT\"]");
    let mut world = World::empty();
    world.step(Input::Limits(Box::new(Limits::parse(&text).unwrap())));
    world.step(Input::Session(session(world.now)));
    world.step(Input::Instrument(InstrumentSpec { category: Category::Spot, ..spec(BTC, "BTCUSDT", 2, 3) }));
    for change in
        [LinkChange::Public { up: true }, LinkChange::Private { up: true }, LinkChange::Skew { millis: 0 }]
    {
        world.step(Input::Link(change));
    }
    let snapshot = VenueSnapshot::of_cash(Amount::parse("1000000").unwrap(), world.now);
    world.step(Input::Snapshot(snapshot));
    let level = |price| Level { price: Price(price), quantity: Qty(1) };
    world.market(BTC, MarketBody::Quote { bid: level(5_999_999), ask: level(6_000_000) });
    world.start(TAKER, "taker", BTC);
    assert!(world.place(buy(1, "60000.00")).is_ok());
}

#[test]
fn open_orders_are_counted_in_every_scope() {
    // The account first, then each strategy, then the instrument: two are allowed in turn.
    let two = |section: &str, was: &str| {
        let text = calm();
        let at = text.find(section).unwrap();
        let (head, tail) = text.split_at(at);
        World::with_limits(&format!("{head}{}", tail.replacen(was, "open_orders_max = 2", 1)))
    };
    let scopes = [
        ("[account]", "open_orders_max = 200", CheckId::OpenOrdersAccount),
        ("[each_strategy]", "open_orders_max = 100", CheckId::OpenOrdersStrategy),
        ("[instrument.\"linear:BTCUSDT\"]", "open_orders_max = 100", CheckId::OpenOrdersInstrument),
    ];
    for (section, was, check) in scopes {
        let mut world = two(section, was);
        world.place_as(MAKER, Place { quantity: Qty(10), ..buy(1, "3000.00") }).unwrap();
        world.place(buy(1, "60000.00")).unwrap();
        if check != CheckId::OpenOrdersAccount {
            world.place(buy(1, "60000.00")).unwrap();
        }
        assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::OpenOrdersLimit));
        let failed: Vec<(CheckId, i128)> = world
            .last_checks()
            .iter()
            .filter(|outcome| outcome.verdict.refusal().is_some())
            .map(|outcome| (outcome.check, outcome.seen))
            .collect();
        assert_eq!(failed, [(check, 3)]);
    }
}

#[test]
fn a_quarantined_strategy_asks_for_nothing() {
    let mut world = World::new();
    let change = StrategyChange::Quarantined { strategy: TAKER, failure: trap(), first: trap() };
    world.step(Input::Strategy(change));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::SymbolOwned), "it owns, and does not run");
    let failed: Vec<CheckId> = world
        .last_checks()
        .iter()
        .filter(|outcome| outcome.verdict.refusal().is_some())
        .map(|outcome| outcome.check)
        .collect();
    assert_eq!(failed, [CheckId::Identity, CheckId::Resync]);
}
