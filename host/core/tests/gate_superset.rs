//! The rows of the control table beyond size, position and rate: one test a row.
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

/// The checks of the last decision that did not pass.
fn denied(world: &World) -> Vec<CheckId> {
    let failed = |outcome: &CheckOutcome| outcome.verdict.refusal().is_some();
    world.last_checks().iter().filter(|outcome| failed(outcome)).map(|outcome| outcome.check).collect()
}

fn outcome(world: &World, check: CheckId) -> CheckOutcome {
    world.last_checks().into_iter().find(|outcome| outcome.check == check).unwrap()
}

fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

/// Starts the taker again under a mandate.
fn restart_under(world: &mut World, mandate: Mandate) {
    world.step(Input::Strategy(StrategyChange::Stopped { strategy: TAKER, reason: String::new() }));
    let started = StrategyStarted {
        strategy: TAKER,
        name: "taker".parse().unwrap(),
        digest: Digest::default(),
        instruments: vec![BTC],
        budget: amount("100000"),
        mandate,
        at: world.now,
    };
    world.step(Input::Strategy(StrategyChange::Started(started)));
    world.step(Input::Strategy(StrategyChange::Warm(TAKER)));
    world.step(Input::Strategy(StrategyChange::Resynced(TAKER)));
}

/// Buys and has it filled whole.
fn filled(world: &mut World, place: Place, price: &str) -> OrderId {
    let quantity = place.quantity;
    let id = world.place(place).unwrap();
    world.accept();
    world.fill(id, quantity, price);
    id
}

#[test]
fn row_1_the_signed_mandate_bounds_kinds_and_sizes() {
    let mut world = World::new();
    restart_under(&mut world, Mandate { market_orders: false, trigger_orders: false, ..Mandate::ALL });
    assert_eq!(world.place(market(Side::Buy, 1)), Err(RefusalCode::OrderKindNotAllowed));
    let trigger = Some(Trigger { price: Price::parse("61000", 2).unwrap(), rising: true });
    assert_eq!(world.place(Place { trigger, ..buy(1, "61000.00") }), Err(RefusalCode::OrderKindNotAllowed));
    assert!(world.place(buy(1, "60000.00")).is_ok());

    // What is signed only ever tightens.
    let mut world = World::new();
    let tight = Mandate {
        order_notional_max: Some(amount("600")),
        position_notional_max: Some(amount("900")),
        orders_per_hour_max: Some(3),
        ..Mandate::ALL
    };
    restart_under(&mut world, tight);
    assert_eq!(world.place(buy(11, "60000.00")), Err(RefusalCode::OrderNotionalLimit));
    assert!(world.place(buy(10, "60000.00")).is_ok());
    assert_eq!(world.place(buy(6, "60000.00")), Err(RefusalCode::PositionLimit));
    assert!(world.place(buy(2, "60000.00")).is_ok());
    assert!(world.place(buy(3, "60000.00")).is_ok());
    assert_eq!(world.place(sell(1, "60000.01")), Err(RefusalCode::OrderRateLimit));
    let mut world = World::new();
    let wide = Mandate { order_notional_max: Some(amount("10000000")), ..Mandate::ALL };
    restart_under(&mut world, wide);
    assert_eq!(world.place(buy(334, "60000.00")), Err(RefusalCode::OrderNotionalLimit));
}

#[test]
fn row_2_every_rule_of_the_instrument_is_recorded_with_its_numbers() {
    let mut world = World::new();
    world.step(Input::Instrument(InstrumentSpec {
        tick: Price(10),
        step: Qty(5),
        min_quantity: Qty(10),
        max_quantity: Qty(100),
        trading: false,
        ..spec(BTC, "BTCUSDT", 2, 3)
    }));
    assert_eq!(world.place(buy(103, "60000.01")), Err(RefusalCode::InstrumentNotTrading));
    let seen: Vec<(CheckId, i128, i128)> = world
        .last_checks()
        .iter()
        .filter(|outcome| outcome.verdict.refusal().is_some())
        .map(|outcome| (outcome.check, outcome.seen, outcome.limit))
        .collect();
    let expected = [
        (CheckId::InstrumentStatus, 1, 0),
        (CheckId::PriceTick, 6_000_001, 10),
        (CheckId::QuantityStep, 103, 5),
        (CheckId::QuantityMaximum, 103, 100),
    ];
    assert_eq!(seen, expected, "all of them, not the first alone");
    world.step(Input::Instrument(spec(BTC, "BTCUSDT", 2, 3)));
    assert!(world.place(buy(10, "60000.00")).is_ok());
    assert_eq!(outcome(&world, CheckId::NotionalMinimum).seen, amount("600").0);
}

#[test]
fn row_5_prices_outside_the_operators_range_refuse() {
    let mut world = World::with_limits(&limits(&[("price_max = \"1000000\"", "price_max = \"61000\"")]));
    assert!(world.place(buy(1, "61000.00")).is_ok());
    assert_eq!(world.place(buy(1, "61000.01")), Err(RefusalCode::PriceRange));
    let seen = outcome(&world, CheckId::PriceRange);
    assert_eq!((seen.seen, seen.limit), (6_100_001, 6_100_000));
    let mut world = World::with_limits(&limits(&[("price_min = \"1000\"", "price_min = \"59000\"")]));
    assert!(world.place(buy(1, "59000.00")).is_ok());
    let seen = outcome(&world, CheckId::PriceRange);
    assert_eq!(seen.limit, 100_000_000, "on the lowest price the other end is the one that counts");
    assert_eq!(world.place(buy(1, "58999.99")), Err(RefusalCode::PriceRange));
    let seen = outcome(&world, CheckId::PriceRange);
    assert_eq!((seen.seen, seen.limit), (5_899_999, 5_900_000));
    // The trigger's price counts too.
    let trigger = Some(Trigger { price: Price::parse("58000", 2).unwrap(), rising: false });
    assert_eq!(world.place(Place { trigger, ..buy(1, "59000.00") }), Err(RefusalCode::PriceRange));
}

#[test]
fn row_5_prices_may_not_run_away_within_a_minute() {
    // Each step is inside the collar of five per cent; the window allows three over a minute.
    let mut world =
        World::with_limits(&limits(&[("window_fraction = \"0.1\"", "window_fraction = \"0.03\"")]));
    assert!(world.place(buy(1, "61799.00")).is_ok(), "three per cent above");
    for price in ["61000.00", "62000.00", "63000.00"] {
        world.wait(Span::from_secs(10));
        world.prices(price, "3000.00");
    }
    assert_eq!(world.place(buy(1, "63000.00")), Err(RefusalCode::PriceCollar));
    assert_eq!(denied(&world), [CheckId::CollarWindow]);
    // A sale at the top is no chase, and a minute later the market is where it is.
    assert!(world.place(sell(1, "63000.00")).is_ok());
    for _ in 0..7 {
        world.wait(Span::from_secs(10));
        world.prices("63000.00", "3000.00");
    }
    assert!(world.place(buy(1, "62999.00")).is_ok());

    // The other way round: a sale may not run after a falling price.
    let mut world =
        World::with_limits(&limits(&[("window_fraction = \"0.1\"", "window_fraction = \"0.03\"")]));
    for price in ["59000.00", "58000.00", "57000.00"] {
        world.wait(Span::from_secs(10));
        world.prices(price, "3000.00");
    }
    assert_eq!(world.place(sell(1, "57000.00")), Err(RefusalCode::PriceCollar));
    assert!(world.place(buy(1, "57000.00")).is_ok());
}

#[test]
fn row_7_a_book_that_is_being_rebuilt_refuses() {
    let mut world = World::new();
    world.step(Input::Link(LinkChange::Book { instrument: BTC, up: false }));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::MarketDataGap));
    assert!(world.place_as(MAKER, Place { quantity: Qty(10), ..buy(1, "3000.00") }).is_ok(), "another book");
    world.step(Input::Link(LinkChange::Book { instrument: BTC, up: true }));
    assert!(world.place(buy(1, "60000.00")).is_ok());
}

#[test]
fn row_9_one_direction_of_the_account_has_a_bound_of_its_own() {
    let changes = [("direction_notional_max = \"40000\"", "direction_notional_max = \"1000\"")];
    let mut world = World::with_limits(&limits(&changes));
    assert!(world.place(buy(10, "60000.00")).is_ok());
    // The other strategy's ether is long as well; the other way there is room.
    assert_eq!(
        world.place_as(MAKER, Place { quantity: Qty(14), ..buy(1, "3000.00") }),
        Err(RefusalCode::DirectionLimit)
    );
    assert!(world.place_as(MAKER, Place { quantity: Qty(13), ..buy(1, "3000.00") }).is_ok());
    assert!(world.place_as(MAKER, Place { quantity: Qty(30), ..sell(1, "3000.01") }).is_ok());
}

#[test]
fn row_10_leverage_and_margin_have_bounds() {
    let wallet = |world: &World, equity: &str, initial, maintenance| WalletReport {
        equity: amount(equity),
        balance: amount(equity),
        available: amount(equity),
        initial_margin: initial,
        maintenance_margin: maintenance,
        spot: Vec::new(),
        venue_time: world.now,
    };
    let told = |equity: &str, initial, maintenance| {
        let mut world = World::new();
        let report = wallet(&world, equity, initial, maintenance);
        world.step(Input::Report(ExecutionReport::Wallet(report)));
        let answer = world.place(buy(10, "60000.00"));
        (answer, outcome(&world, CheckId::Leverage))
    };
    let low = Some(Rate(1));
    // 600 over 100 is six times; five are allowed.
    let (answer, leverage) = told("100", low, low);
    assert_eq!(answer, Err(RefusalCode::LeverageLimit));
    assert!(leverage.seen > 6_000_000_000_000 && leverage.seen < 6_100_000_000_000, "{}", leverage.seen);
    assert!(told("121", low, low).0.is_ok());
    assert_eq!(told("0", low, low).0, Err(RefusalCode::LeverageLimit));
    assert_eq!(told("1000", Some(Rate(800_000_000_001)), low).0, Err(RefusalCode::MarginLimit));
    assert_eq!(told("1000", low, Some(Rate(500_000_000_001))).0, Err(RefusalCode::MarginLimit));
    assert!(told("1000", Some(Rate(800_000_000_000)), Some(Rate(500_000_000_000))).0.is_ok());
    // What the venue does not say, or said too long ago, refuses.
    assert_eq!(told("1000", None, low).0, Err(RefusalCode::CannotEvaluate));
    let mut world =
        World::with_limits(&limits(&[("wallet_age_ms_max = 1000000000", "wallet_age_ms_max = 5000")]));
    world.wait(Span::from_millis(5_001));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::CannotEvaluate));
}

#[test]
fn row_11_orders_that_wait_for_a_trigger_are_counted_apart() {
    let mut world =
        World::with_limits(&limits(&[("conditional_orders_max = 10", "conditional_orders_max = 2")]));
    let stop = |price: &str| {
        let trigger = Some(Trigger { price: Price::parse(price, 2).unwrap(), rising: true });
        Place { trigger, ..buy(1, price) }
    };
    let first = world.place(stop("61000.00")).unwrap();
    world.place(stop("61001.00")).unwrap();
    assert_eq!(world.place(stop("61002.00")), Err(RefusalCode::ConditionalOrdersLimit));
    assert!(world.place(buy(1, "60000.00")).is_ok(), "others are not held up");
    world.report(first, VenueStatus::Triggered);
    assert!(world.place(stop("61003.00")).is_ok(), "one that was triggered waits no more");
}

#[test]
fn row_13_like_executions_in_a_row_latch() {
    let changes = [("repeated_executions_max = 200", "repeated_executions_max = 3")];
    let mut world = World::with_limits(&limits(&changes));
    filled(&mut world, buy(1, "60000.00"), "60000.00");
    filled(&mut world, buy(1, "60000.00"), "60000.00");
    // Another quantity, the other side or a pause starts anew.
    filled(&mut world, buy(2, "60000.00"), "60000.00");
    filled(&mut world, buy(1, "60000.00"), "60000.00");
    filled(&mut world, buy(1, "60000.00"), "60000.00");
    world.pass(61);
    filled(&mut world, buy(1, "60000.00"), "60000.00");
    filled(&mut world, buy(1, "60000.00"), "60000.00");
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::Active);
    filled(&mut world, buy(1, "60000.00"), "60000.00");
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
    assert_eq!(world.gate.state().trading_state(MAKER), TradingState::Active);
    world.pass(3_600);
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly, "until somebody looks");
    world.restart();
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
}

#[test]
fn row_14_the_same_order_is_not_taken_twice_within_the_window() {
    let mut world =
        World::with_limits(&limits(&[("duplicate_window_ms = 1\n", "duplicate_window_ms = 1000\n")]));
    world.place(buy(1, "60000.00")).unwrap();
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::DuplicateIntent));
    for other in [buy(2, "60000.00"), buy(1, "59999.00"), sell(1, "60000.01")] {
        assert!(world.place(other).is_ok());
    }
    // A market order is the same whatever its bound has become.
    let mut world =
        World::with_limits(&limits(&[("duplicate_window_ms = 1\n", "duplicate_window_ms = 1000\n")]));
    world.place(market(Side::Buy, 1)).unwrap();
    world.prices("60010.00", "3000.00");
    assert_eq!(world.place(market(Side::Buy, 1)), Err(RefusalCode::DuplicateIntent));
    // It is remembered over a restart, and forgotten when the window is over.
    world.restart();
    world.start(TAKER, "taker", BTC);
    assert_eq!(world.place(market(Side::Buy, 1)), Err(RefusalCode::DuplicateIntent));
    world.pass(1);
    assert!(world.place(market(Side::Buy, 1)).is_ok());
}

#[test]
fn row_15_no_order_meets_another_of_ours() {
    let mut world = World::new();
    let resting = world.place(sell(1, "60100.00")).unwrap();
    world.accept();
    assert_eq!(world.place(buy(1, "60100.00")), Err(RefusalCode::SelfTrade));
    assert_eq!(world.place(market(Side::Buy, 1)), Err(RefusalCode::SelfTrade), "its bound is above");
    let seen = outcome(&world, CheckId::SelfTrade);
    assert_eq!(seen.limit, 6_010_000);
    assert!(world.place(buy(1, "60099.99")).is_ok());
    assert_eq!(world.place(sell(1, "60099.99")), Err(RefusalCode::SelfTrade));
    // An amend that may bring the sale lower counts already; a closed order counts no more.
    world.report(resting, VenueStatus::Working);
    let lower =
        Amend { order: OrderNumber(1), limit: Some(Price::parse("60099.50", 2).unwrap()), quantity: None };
    assert_eq!(world.ask_for(TAKER, Ask::Amend(lower)), Err(RefusalCode::SelfTrade));
    world.report(resting, VenueStatus::Cancelled);
    assert!(world.place(buy(1, "60100.00")).is_ok());
}

#[test]
fn row_18_an_account_that_is_set_up_otherwise_refuses() {
    let told = |mode: AccountMode| {
        let mut world = World::new();
        let snapshot = VenueSnapshot { mode, ..world.snapshot() };
        world.step(Input::Snapshot(snapshot));
        let seen = (world.place(buy(1, "60000.00")), world.findings());
        (seen, outcome(&world, CheckId::AccountMode).seen)
    };
    let refused = |seen| ((Err(RefusalCode::AccountMode), vec![FindingKind::AccountMode]), seen);
    assert_eq!(told(AccountMode { hedged: true, margin: MarginMode::Cross }), refused(1));
    assert_eq!(told(AccountMode { hedged: false, margin: MarginMode::Isolated }), refused(2));
    assert_eq!(told(AccountMode { hedged: true, margin: MarginMode::Portfolio }), refused(3));
}

#[test]
fn row_18_the_finding_says_what_is_wanted_and_what_to_do() {
    let mut world = World::new();
    let mode = AccountMode { hedged: true, margin: MarginMode::Isolated };
    let snapshot = VenueSnapshot { mode, ..world.snapshot() };
    world.step(Input::Snapshot(snapshot));
    let detail = world.records().into_iter().find_map(|record| match record {
        Record::Finding(finding) => Some(finding.detail),
        _ => None,
    });
    let detail = detail.unwrap();
    for part in
        ["hedge mode", "wanted is one-way", "isolated", "wanted is cross", "margin_mode in limits.toml"]
    {
        assert!(detail.contains(part), "{part}: {detail}");
    }
}

#[test]
fn row_18_an_account_in_isolated_margin_trades_where_the_limits_say_so() {
    let limits = calm().replace("margin_mode = \"cross\"", "margin_mode = \"isolated\"");
    let mut world = World::with_limits(&limits);
    assert_eq!(
        world.place(buy(1, "60000.00")),
        Err(RefusalCode::AccountMode),
        "the account is in cross margin"
    );
    let told = |world: &mut World, initial: Option<Rate>, maintenance: Option<Rate>| {
        let mut snapshot = world.snapshot();
        snapshot.mode.margin = MarginMode::Isolated;
        (snapshot.wallet.initial_margin, snapshot.wallet.maintenance_margin) = (initial, maintenance);
        world.step(Input::Snapshot(snapshot));
    };
    told(&mut world, Some(Rate(200_000_000_000)), Some(Rate(7_500_000_000)));
    assert!(world.place(buy(1, "60000.00")).is_ok());
    // What the coin's record does not say refuses as before.
    told(&mut world, None, Some(Rate(0)));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::CannotEvaluate));
    told(&mut world, Some(Rate(810_000_000_000)), Some(Rate(0)));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::MarginLimit));
}

#[test]
fn row_19_spot_sells_what_it_has() {
    let text = calm().replace("[instrument.\"linear:BTCUSDT\"]", "[instrument.\"spot:BTCUSDT\"]");
    let mut world = World::empty();
    world.step(Input::Limits(Box::new(Limits::parse(&text).unwrap())));
    world.step(Input::Session(session(world.now)));
    world.step(Input::Instrument(InstrumentSpec { category: Category::Spot, ..spec(BTC, "BTCUSDT", 2, 3) }));
    world.step(Input::Instrument(spec(ETH, "ETHUSDT", 2, 2)));
    for change in
        [LinkChange::Public { up: true }, LinkChange::Private { up: true }, LinkChange::Skew { millis: 0 }]
    {
        world.step(Input::Link(change));
    }
    let snapshot = world.snapshot();
    world.step(Input::Snapshot(snapshot));
    world.prices("60000.00", "3000.00");
    world.start(TAKER, "taker", BTC);
    assert_eq!(world.place(sell(1, "60000.01")), Err(RefusalCode::SpotBorrow));
    filled(&mut world, buy(10, "60000.00"), "60000.00");
    world.place(sell(6, "60000.01")).unwrap();
    assert_eq!(world.place(sell(5, "60000.02")), Err(RefusalCode::SpotBorrow), "open sales count");
    assert!(world.place(sell(4, "60000.02")).is_ok());
}

#[test]
fn row_22_losses_in_a_row_bring_a_pause() {
    let changes = [
        ("losses_in_a_row_max = 500", "losses_in_a_row_max = 2"),
        ("loss_cooldown_ms = 60000", "loss_cooldown_ms = 30000"),
    ];
    let mut world = World::with_limits(&limits(&changes));
    let lose = |world: &mut World| {
        filled(world, buy(1, "60000.00"), "60000.00");
        filled(world, reduce(sell(1, "59999.99")), "59900.00");
    };
    lose(&mut world);
    assert!(world.place(buy(1, "59000.00")).is_ok());
    // A trade that goes well ends the row.
    filled(&mut world, buy(2, "60000.00"), "59000.00");
    filled(&mut world, reduce(sell(2, "59999.99")), "59999.99");
    lose(&mut world);
    // The next is still open, and has lost so far: that is the second in a row.
    filled(&mut world, buy(1, "60000.00"), "60000.00");
    world.prices("59950.00", "3000.00");
    assert_eq!(world.place(buy(3, "59950.00")), Err(RefusalCode::LossCooldown));
    // Asking takes a millisecond in these tests: the pause ends on the very moment.
    world.wait(Span::from_millis(29_996));
    world.refresh();
    assert_eq!(world.place(buy(3, "59950.00")), Err(RefusalCode::LossCooldown));
    assert!(world.place(buy(3, "59950.00")).is_ok(), "the pause is over");
}

#[test]
fn row_23_fees_have_a_budget_for_the_day() {
    let mut world =
        World::with_limits(&limits(&[("fees_per_day_max = \"5000\"", "fees_per_day_max = \"0.05\"")]));
    // 60 USDT at 5.5 bps are 0.033; each fill of these tests pays 0.01.
    filled(&mut world, buy(1, "60000.00"), "60000.00");
    filled(&mut world, buy(1, "60000.00"), "60000.00");
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::FeeLimit));
    assert_eq!(denied(&world), [CheckId::FeesStrategy, CheckId::FeesAccount]);
    // The next day begins at nothing.
    world.wait(Span::from_secs(43_200));
    world.refresh();
    world.step(Input::Tick);
    assert!(world.place(buy(1, "60000.00")).is_ok());
}

#[test]
fn row_24_budgets_are_no_more_than_the_account_gives() {
    let mut world = World::with_limits(&calm().replace("capital = \"1000000\"", "capital = \"200000\""));
    assert_eq!(world.reply, Some(Reply::Done), "two of 100,000 each");
    let id = StrategyId(2);
    let objection = world.gate.start_objection(id, &[], Amount(1));
    assert_eq!(objection, Some((RefusalCode::CapitalExceeded, None)));
    assert_eq!(world.gate.start_objection(TAKER, &[BTC], amount("100000")), None, "its own is replaced");
    assert_eq!(
        world.gate.start_objection(TAKER, &[BTC], amount("100000.1")),
        Some((RefusalCode::CapitalExceeded, None))
    );
    // Limits that become tighter while strategies run hold their orders.
    let tighter = calm().replace("capital = \"1000000\"", "capital = \"199999\"");
    world.step(Input::Limits(Box::new(Limits::parse(&tighter).unwrap())));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::CapitalExceeded));
}

#[test]
fn row_25_nothing_is_opened_in_a_closed_window() {
    // The tests' day starts at noon.
    let mut world =
        World::with_limits(&limits(&[("no_open = []", "no_open = [\"11:59-12:01\", \"23:30-00:10\"]")]));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::NoOpenWindow));
    let seen = outcome(&world, CheckId::OpenWindow);
    assert_eq!((seen.seen, seen.limit), (720, 721));
    world.pass(60);
    filled(&mut world, buy(1, "60000.00"), "60000.00");
    for (seconds, refused) in [(12 * 3_600 - 120, true), (600, true), (120, false)] {
        world.wait(Span::from_secs(seconds));
        world.refresh();
        let answer = world.place(buy(1, "60000.00"));
        assert_eq!(answer == Err(RefusalCode::NoOpenWindow), refused, "{answer:?}");
    }
    assert!(world.place(reduce(sell(1, "60000.01"))).is_ok());
}

#[test]
fn row_28_entries_go_when_a_stream_is_down_too_long() {
    let mut world = World::new();
    let entry = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(entry, VenueStatus::Working);
    world.step(Input::Link(LinkChange::Private { up: false }));
    world.pass(29);
    assert!(world.sent.is_empty());
    world.pass(2);
    let (_, command) = world.next_sent();
    assert!(matches!(command, Command::Cancel(_)), "{command:?}");
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::Active, "nothing latches by that");
}

#[test]
fn row_29_an_inhibit_that_comes_back_too_often_latches() {
    let mut world =
        World::with_limits(&limits(&[("inhibits_per_hour_max = 60", "inhibits_per_hour_max = 3")]));
    let blink = |world: &mut World, change: LinkChange, back: LinkChange| {
        world.step(Input::Link(change));
        world.step(Input::Link(back));
        world.pass(1);
    };
    for _ in 0..3 {
        blink(&mut world, LinkChange::Signer { up: false }, LinkChange::Signer { up: true });
    }
    for _ in 0..50 {
        blink(&mut world, LinkChange::RateBudget { up: false }, LinkChange::RateBudget { up: true });
    }
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::Active);
    blink(&mut world, LinkChange::Signer { up: false }, LinkChange::Signer { up: true });
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
}

#[test]
fn row_30_orders_that_are_not_ours_count_in_the_limits() {
    let mut world = World::new();
    let foreign = |status, executed| OrderReport {
        link: None,
        venue_order: "by-hand".parse().unwrap(),
        instrument: BTC,
        side: Side::Buy,
        status,
        price: Some(Price::parse("60000", 2).unwrap()),
        quantity: Qty(300),
        executed: Qty(executed),
        reason: CloseReason::None,
        reduce_only: false,
        created_by: CreatedBy::Client,
        venue_time: START,
    };
    world.step(Input::Report(ExecutionReport::Order(foreign(VenueStatus::Working, 0))));
    // 20,000 USDT are 0.333 coins, of which the person's order takes 0.3.
    assert_eq!(world.place(buy(34, "60000.00")), Err(RefusalCode::PositionLimit));
    assert!(world.place(buy(33, "60000.00")).is_ok());
    assert_eq!(world.findings(), [FindingKind::ForeignOrder]);
    world.step(Input::Report(ExecutionReport::Order(foreign(VenueStatus::Cancelled, 0))));
    assert!(world.place(buy(300, "60000.00")).is_ok(), "it is gone");
    // One that a full list does not have is gone too.
    world.step(Input::Report(ExecutionReport::Order(foreign(VenueStatus::Working, 0))));
    let snapshot = world.snapshot();
    world.step(Input::Snapshot(snapshot));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::PositionLimit), "333 of our own");
    assert_eq!(outcome(&world, CheckId::PositionInstrument).seen, amount("20040").0);
}

#[test]
fn row_31_an_override_lets_one_order_past_one_bound() {
    let mut world = World::new();
    let ask = |world: &mut World, check, limit: Amount, code: Option<String>| {
        let command = OperatorCommand::Override {
            strategy: TAKER,
            check,
            limit: limit.0,
            until: world.now.after(Span::from_secs(300)),
            reason: "a large fill by hand".to_owned(),
            code,
        };
        world.step(Input::Operator { actor: "ops".to_owned(), command });
        world.reply.take().unwrap()
    };
    let grant = |world: &mut World, check, limit| {
        let Reply::ConfirmWith { code, .. } = ask(world, check, limit, None) else { panic!() };
        assert_eq!(ask(world, check, limit, Some(code)), Reply::Done);
    };
    assert_eq!(world.place(buy(350, "60000.00")), Err(RefusalCode::OrderNotionalLimit));
    grant(&mut world, CheckId::OrderNotional, amount("21000"));
    assert_eq!(world.place(buy(350, "60000.00")), Err(RefusalCode::PositionLimit), "the other bounds hold");
    for check in [CheckId::PositionInstrument, CheckId::PositionStrategy] {
        grant(&mut world, check, amount("21000"));
    }
    assert_eq!(world.gate.state().overrides(world.now).count(), 3);
    assert_eq!(world.place(buy(351, "60000.00")), Err(RefusalCode::OrderNotionalLimit), "only so far");
    let folded = world.folded();
    assert_eq!(folded.state().overrides(world.now).count(), 3, "they survive a restart");
    assert!(world.place(buy(350, "60000.00")).is_ok());
    assert_eq!(outcome(&world, CheckId::OrderNotional).verdict, Verdict::Overridden);
    assert_eq!(world.gate.state().overrides(world.now).count(), 0, "used up");
    assert_eq!(world.place(sell(350, "60000.01")), Err(RefusalCode::OrderNotionalLimit));

    // It expires, and states, losses and market data are beyond it.
    grant(&mut world, CheckId::OrderNotional, amount("30000"));
    world.pass(301);
    assert_eq!(world.place(sell(350, "60000.01")), Err(RefusalCode::OrderNotionalLimit));
    for check in [CheckId::TradingState, CheckId::LossAccount, CheckId::MarketDataAge, CheckId::CollarMarket]
    {
        assert!(matches!(ask(&mut world, check, amount("1"), None), Reply::Refused(_)), "{check}");
    }
}

#[test]
fn looser_limits_take_a_second_step() {
    let mut world = World::new();
    let set = |world: &mut World, text: &str, code: Option<String>| {
        let limits = Box::new(Limits::parse(text).unwrap());
        let reason = "a reason".to_owned();
        world.step(Input::SetLimits { actor: "ops".to_owned(), limits, reason, code });
        (world.reply.take().unwrap(), world.gate.state().limits().unwrap().text() == text)
    };
    let tighter = limits(&[("order_notional_max = \"20000\"", "order_notional_max = \"100\"")]);
    assert_eq!(set(&mut world, &tighter, None), (Reply::Done, true));
    assert_eq!(set(&mut world, &tighter, None), (Reply::Nothing, true));
    assert_eq!(world.place(buy(2, "60000.00")), Err(RefusalCode::OrderNotionalLimit));
    let (Reply::ConfirmWith { code, .. }, false) = set(&mut world, &calm(), None) else { panic!() };
    // The code is for these limits and no others.
    let (other, _) =
        set(&mut world, &limits(&[("open_orders_max = 200", "open_orders_max = 999")]), Some(code));
    assert!(matches!(other, Reply::Refused(_)));
    let (Reply::ConfirmWith { code, .. }, false) = set(&mut world, &calm(), None) else { panic!() };
    assert_eq!(set(&mut world, &calm(), Some(code)), (Reply::Done, true));
    assert!(world.place(buy(2, "60000.00")).is_ok());
    let noted: Vec<String> = world
        .records()
        .into_iter()
        .filter_map(|record| match record {
            Record::Operator(OperatorEntry {
                command: OperatorCommand::SetLimits { loosened, .. }, ..
            }) => Some(loosened),
            _ => None,
        })
        .collect();
    assert!(noted.last().unwrap().contains("order_notional_max 100 -> 20000"), "{noted:?}");
}

#[test]
fn a_profit_too_good_to_be_true_is_told() {
    let mut world =
        World::with_limits(&limits(&[("daily_profit_alert = \"20000\"", "daily_profit_alert = \"10\"")]));
    filled(&mut world, buy(10, "60000.00"), "60000.00");
    world.prices("61100.00", "3000.00");
    world.pass(1);
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::Caution);
    assert!(world.place(buy(1, "61100.00")).is_ok(), "it stops nothing");
}

#[test]
fn parts_of_a_split_order_are_its_own() {
    let mut world = World::new();
    filled(&mut world, buy(100, "60000.00"), "60000.00");
    let out = world.place(reduce(sell(100, "60000.01"))).unwrap();
    world.accept();
    let link = world.order(out).link.clone().unwrap();
    let part = OrderReport {
        link: None,
        venue_order: "part-1".parse().unwrap(),
        quantity: Qty(60),
        created_by: CreatedBy::Split(link),
        ..world.report_of(out, VenueStatus::Working)
    };
    world.step(Input::Report(ExecutionReport::Order(part)));
    assert!(world.findings().is_empty(), "it is no foreign order");
    let execution = Execution {
        link: None,
        venue_order: "part-1".parse().unwrap(),
        ..world.execution_of(out, Qty(60), Price::parse("60000.01", 2).unwrap())
    };
    world.step(Input::Report(ExecutionReport::Execution(execution)));
    assert_eq!(world.order(out).accounted, Qty(60));
    assert_eq!(world.gate.state().ledger().quantity(BTC), SignedQty(40));
    assert!(world.findings().is_empty());
    assert!(world.folded().state() == world.gate.state());
}

#[test]
fn row_30_foreign_orders_elsewhere_count_in_the_accounts_sums() {
    let mut world = World::new();
    let seen = |world: &mut World| {
        world.place(buy(1, "60000.00")).unwrap();
        outcome(world, CheckId::PositionAccount).seen
    };
    assert_eq!(seen(&mut world), amount("60").0);
    let report = OrderReport {
        link: None,
        venue_order: "by-hand".parse().unwrap(),
        instrument: ETH,
        side: Side::Sell,
        status: VenueStatus::Working,
        price: Some(Price::parse("3000", 2).unwrap()),
        quantity: Qty(100),
        executed: Qty(0),
        reason: CloseReason::None,
        reduce_only: false,
        created_by: CreatedBy::Client,
        venue_time: START,
    };
    world.step(Input::Report(ExecutionReport::Order(report)));
    assert_eq!(seen(&mut world), amount("3120").0);
    let snapshot = world.snapshot();
    world.step(Input::Snapshot(snapshot));
    assert_eq!(seen(&mut world), amount("180").0, "a full list does not have it");
}

#[test]
fn sums_run_over_all_instruments_of_a_strategy_and_all_strategies_of_the_account() {
    // One strategy on both instruments: what it could hold in one counts against the other.
    let mut world = World::new();
    for id in [MAKER, TAKER] {
        world.step(Input::Strategy(StrategyChange::Stopped { strategy: id, reason: String::new() }));
    }
    let started = StrategyStarted {
        strategy: TAKER,
        name: "taker".parse().unwrap(),
        digest: Digest::default(),
        instruments: vec![BTC, ETH],
        budget: amount("10000"),
        mandate: Mandate::ALL,
        at: world.now,
    };
    world.step(Input::Strategy(StrategyChange::Started(started)));
    world.step(Input::Strategy(StrategyChange::Warm(TAKER)));
    world.step(Input::Strategy(StrategyChange::Resynced(TAKER)));
    world.place(Place { instrument: 1, quantity: Qty(100), ..buy(1, "3000.00") }).unwrap();
    world.place(buy(10, "60000.00")).unwrap();
    assert_eq!(outcome(&world, CheckId::PositionStrategy).seen, amount("3600").0);
    assert_eq!(outcome(&world, CheckId::Budget).limit, amount("10000").0);
    let free = world.notices.iter().rev().find_map(|notice| match &notice.body {
        NoticeBody::Budget(budget) => Some(budget.free),
        _ => None,
    });
    assert!(free.is_none_or(|free| free <= amount("10000")), "{free:?}");
    assert_eq!(world.gate.resync(TAKER, world.now).unwrap().budget.free, amount("6400"));

    // Two strategies: the account's loss and drawdown are both of them together.
    let mut world = World::new();
    filled(&mut world, buy(10, "60000.00"), "60000.00");
    let ether = world.place_as(MAKER, Place { quantity: Qty(100), ..buy(1, "3000.00") }).unwrap();
    world.accept();
    world.fill(ether, Qty(100), "3000.00");
    world.prices("59000.00", "2990.00");
    world.place(buy(1, "59000.00")).unwrap();
    // 10 and 10 lost, and a fee of 0.01 for each fill.
    for (check, loss) in [
        (CheckId::LossStrategy, "10.01"),
        (CheckId::LossAccount, "20.02"),
        (CheckId::DrawdownStrategy, "10.01"),
        (CheckId::DrawdownAccount, "20.02"),
    ] {
        assert_eq!(Amount(outcome(&world, check).seen), amount(loss), "{check}");
    }
}

/// A world whose bitcoin instrument has price limits, none of them told yet.
fn limited() -> World {
    let mut world = World::new();
    let spec = InstrumentSpec { has_price_limits: true, ..spec(BTC, "BTCUSDT", 2, 3) };
    world.step(Input::Instrument(spec));
    world
}

fn tell_limits(world: &mut World, highest_bid: &str, lowest_ask: &str) {
    let price = |text| Price::parse(text, 2).unwrap();
    let (highest_bid, lowest_ask) = (price(highest_bid), price(lowest_ask));
    let journaled = world.journal.len();
    world.step(Input::PriceLimit(PriceLimit { instrument: BTC, highest_bid, lowest_ask, at: world.now }));
    assert_eq!(world.journal.len(), journaled, "market input is in no record");
}

#[test]
fn row_5_a_price_beyond_the_venues_own_limit_is_refused() {
    let mut world = limited();
    assert_eq!(
        world.place(buy(1, "60000.00")),
        Err(RefusalCode::NoReferencePrice),
        "nothing is known of them"
    );
    tell_limits(&mut world, "60500.00", "59500.00");
    assert!(world.place(buy(1, "60500.00")).is_ok());
    assert_eq!(world.place(buy(1, "60500.01")), Err(RefusalCode::PriceCollar));
    let seen = outcome(&world, CheckId::PriceLimit);
    assert_eq!((seen.seen, seen.limit), (6_050_001, 6_050_000));
    // Each side has its own limit: a low bid only rests.
    assert!(world.place(buy(1, "59400.00")).is_ok());
    let mut world = limited();
    tell_limits(&mut world, "60500.00", "59500.00");
    assert!(world.place(sell(1, "59500.00")).is_ok());
    assert_eq!(world.place(sell(1, "59499.99")), Err(RefusalCode::PriceCollar));
    let seen = outcome(&world, CheckId::PriceLimit);
    assert_eq!((seen.seen, seen.limit), (5_949_999, 5_950_000));
    // What waits for a trigger is held against the limits of then.
    let trigger = Some(Trigger { price: Price::parse("61000.00", 2).unwrap(), rising: true });
    assert!(world.place(Place { trigger, ..buy(1, "61000.00") }).is_ok());
    // A venue without limits has nothing to hold an order against.
    let mut world = World::new();
    assert!(world.place(buy(1, "62000.00")).is_ok());
}

#[test]
fn row_5_old_limits_say_nothing() {
    let mut world = limited();
    tell_limits(&mut world, "60500.00", "59500.00");
    world.pass(29);
    assert!(world.place(buy(1, "60000.00")).is_ok());
    world.pass(1);
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::StaleMarketData));
    let id = world.place(reduce(sell(1, "60000.00")));
    assert_eq!(
        id,
        Err(RefusalCode::ReduceOnlyInvalid),
        "a reduction is not held up by them, but by having nothing to reduce"
    );
}

#[test]
fn row_6_an_order_at_the_market_stays_inside_the_venues_limit() {
    let mut world = limited();
    tell_limits(&mut world, "60500.00", "59500.00");
    let id = world.place(market(Side::Buy, 1)).unwrap();
    assert_eq!(
        world.order(id).price,
        Some(Price::parse("60500.00", 2).unwrap()),
        "the collar alone would be 63000"
    );
    let mut world = limited();
    tell_limits(&mut world, "60500.00", "59500.00");
    let id = world.place(market(Side::Sell, 2)).unwrap();
    assert_eq!(world.order(id).price, Some(Price::parse("59500.00", 2).unwrap()));
    // The market itself is beyond the limit: there is nothing to be met.
    let mut world = limited();
    tell_limits(&mut world, "59999.99", "59000.00");
    assert_eq!(world.place(market(Side::Buy, 3)), Err(RefusalCode::PriceCollar));
    let seen = outcome(&world, CheckId::PriceLimit);
    assert_eq!((seen.seen, seen.limit), (6_000_000, 5_999_999));
}

#[test]
fn row_5_limits_that_move_hold_back_what_has_not_left() {
    let mut world = limited();
    tell_limits(&mut world, "60500.00", "59500.00");
    world.prompt = false;
    let id = world.place(buy(1, "60400.00")).unwrap();
    tell_limits(&mut world, "60300.00", "59300.00");
    let command = world.records().into_iter().rev().find_map(|record| match record {
        Record::Intent(intent) => Some(intent.command),
        _ => None,
    });
    let sequence = world.order(id).sequence.unwrap();
    world.release(sequence, command.unwrap());
    assert_eq!(world.not_sent, [RefusalCode::ReleaseExpired]);
}

/// A world that trades bitcoin for dollars and has bought ten thousandths.
fn spot_holder() -> World {
    let text = calm().replace("[instrument.\"linear:BTCUSDT\"]", "[instrument.\"spot:BTCUSDT\"]");
    let mut world = World::empty();
    world.step(Input::Limits(Box::new(Limits::parse(&text).unwrap())));
    world.step(Input::Session(session(world.now)));
    world.step(Input::Instrument(InstrumentSpec { category: Category::Spot, ..spec(BTC, "BTCUSDT", 2, 3) }));
    world.step(Input::Instrument(spec(ETH, "ETHUSDT", 2, 2)));
    for change in
        [LinkChange::Public { up: true }, LinkChange::Private { up: true }, LinkChange::Skew { millis: 0 }]
    {
        world.step(Input::Link(change));
    }
    wallet_of(&mut world, 0);
    world.prices("60000.00", "3000.00");
    world.start(TAKER, "taker", BTC);
    filled(&mut world, buy(10, "60000.00"), "60000.00");
    world
}

/// The venue tells of everything, with so many thousandths in the wallet.
fn wallet_of(world: &mut World, quantity: i64) {
    let mut snapshot = world.snapshot();
    snapshot.positions.clear();
    snapshot.wallet.spot = vec![SpotBalance { instrument: BTC, quantity: SignedQty(quantity) }];
    world.step(Input::Snapshot(snapshot));
}

#[test]
fn row_30_a_wallet_that_holds_less_than_the_books_trips() {
    let mut world = spot_holder();
    for held in [10, 11, 500] {
        wallet_of(&mut world, held);
        wallet_of(&mut world, held);
        assert_eq!(world.gate.comparison().unwrap().differences, 0, "{held}: what is more is the owner's");
        assert_eq!(world.gate.state().ledger().quantity(BTC), SignedQty(10));
    }
    // It may be an execution that is on its way; a difference that stays is none.
    wallet_of(&mut world, 7);
    assert_eq!(world.gate.comparison().unwrap().differences, 1);
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::Active);
    wallet_of(&mut world, 7);
    assert_eq!(world.gate.state().ledger().quantity(BTC), SignedQty(7));
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
    assert!(world.findings().contains(&FindingKind::PositionMismatch));
    // The journal has what it was compared with, and the latch survives.
    let mut wallets = world.records().into_iter().rev().filter_map(|record| match record {
        Record::Wallet(wallet) => Some(wallet.spot),
        _ => None,
    });
    assert_eq!(wallets.next().unwrap(), [SpotBalance { instrument: BTC, quantity: SignedQty(7) }]);
    assert_eq!(world.folded().state().trading_state(TAKER), TradingState::ReduceOnly);
}

#[test]
fn row_30_a_coin_that_the_wallet_does_not_name_is_not_there() {
    let mut world = spot_holder();
    for _ in 0..2 {
        let mut snapshot = world.snapshot();
        snapshot.positions.clear();
        world.step(Input::Snapshot(snapshot));
    }
    assert_eq!(world.gate.state().ledger().quantity(BTC), SignedQty(0));
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
}
