//! The places where other systems let an order through, or give up control, each with a test that shows we refuse. The findings are
//! those of the risk guide, verified in those systems' sources.
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

fn code(world: &mut World, place: Place) -> RefusalCode {
    world.place(place).expect_err("it must be refused")
}

/// NautilusTrader: an account that is not in the cache skips all notional and balance checks.
#[test]
fn an_account_that_is_not_known_refuses() {
    let mut world = World::empty();
    world.step(Input::Limits(Box::new(Limits::parse(&calm()).unwrap())));
    world.step(Input::Session(session(world.now)));
    world.step(Input::Instrument(spec(BTC, "BTCUSDT", 2, 3)));
    for change in
        [LinkChange::Public { up: true }, LinkChange::Private { up: true }, LinkChange::Skew { millis: 0 }]
    {
        world.step(Input::Link(change));
    }
    world.prices("60000.00", "3000.00");
    world.start(TAKER, "taker", BTC);
    // No snapshot came: neither wallet nor mode are known, and nothing was reconciled.
    assert_eq!(code(&mut world, buy(1, "60000.00")), RefusalCode::Inhibited);
    let unknown: Vec<CheckId> = world
        .last_checks()
        .into_iter()
        .filter(|outcome| matches!(outcome.verdict, Verdict::CannotEvaluate(_)))
        .map(|outcome| outcome.check)
        .collect();
    for check in [CheckId::AccountMode, CheckId::Leverage, CheckId::InitialMargin, CheckId::MaintenanceMargin]
    {
        assert!(unknown.contains(&check), "{check}");
    }
}

/// NautilusTrader: a market order without a quote is logged and passes.
#[test]
fn a_market_order_without_a_price_refuses() {
    let mut world = World::new();
    let none = Level { price: Price(0), quantity: Qty(0) };
    world.market(BTC, MarketBody::Quote { bid: none, ask: none });
    assert_eq!(code(&mut world, market(Side::Buy, 1)), RefusalCode::NoReferencePrice);
}

/// NautilusTrader: in its reducing state any order passes from flat, and a large opposite one flips the position.
#[test]
fn reduce_only_neither_opens_nor_flips() {
    let mut world = World::new();
    let raise = |world: &mut World| {
        let scope = Scope::Strategy(TAKER);
        let command = OperatorCommand::Raise { scope, to: TradingState::ReduceOnly, reason: String::new() };
        world.step(Input::Operator { actor: "ops".to_owned(), command });
    };
    raise(&mut world);
    assert_eq!(code(&mut world, buy(1, "60000.00")), RefusalCode::StateReduceOnly);
    assert_eq!(code(&mut world, sell(1, "60000.01")), RefusalCode::StateReduceOnly);
    assert_eq!(code(&mut world, reduce(sell(1, "60000.01"))), RefusalCode::ReduceOnlyInvalid);

    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(id, Qty(10), "60000.00");
    raise(&mut world);
    let out = world.place(reduce(sell(25, "60000.01"))).unwrap();
    assert_eq!(world.order(out).quantity, Qty(10), "cut to what there is");
    assert_eq!(
        code(&mut world, reduce(sell(1, "60000.01"))),
        RefusalCode::ReduceOnlyInvalid,
        "all of it is under way"
    );
}

/// NautilusTrader: nothing in its tree sets the trading state by itself.
#[test]
fn a_loss_trips_without_anybody_asking() {
    let mut world =
        World::with_limits(&calm().replace("daily_loss_max = \"2500\"", "daily_loss_max = \"10\""));
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(id, Qty(10), "60000.00");
    world.prices("58000.00", "3000.00");
    world.pass(1);
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
}

/// NautilusTrader: 100 orders a second unless somebody sets less, where the venue takes ten.
#[test]
fn no_rate_has_a_default() {
    for key in ["orders_per_second_max", "orders_per_minute_max", "orders_per_hour_max", "orders_per_day_max"]
    {
        let text: String = INSTALL_LIMITS
            .lines()
            .filter(|line| !line.starts_with(key))
            .map(|line| format!("{line}\n"))
            .collect();
        let violations = Limits::parse(&text).unwrap_err().violations.join("\n");
        assert!(violations.contains(&format!("account.{key} is missing")), "{violations}");
        assert!(violations.contains(&format!("each_strategy.{key} is missing")), "{violations}");
    }
}

/// NautilusTrader: an order in flight without an answer becomes rejected by a timer, and an amend or cancel becomes cancelled.
#[test]
fn no_timer_makes_an_unknown_order_rejected_or_cancelled() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.lose();
    world.pass(7_200);
    assert_eq!(world.status(id), OrderStatus::Unknown);
    assert_eq!(world.gate.state().orders().exposure(BTC).buys, 10, "and its exposure stays reserved");

    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    world.ask_for(TAKER, Ask::Cancel(OrderNumber(1))).unwrap();
    world.lose();
    world.pass(7_200);
    assert_eq!(world.status(id), OrderStatus::Working);
    assert_eq!(world.gate.state().orders().exposure(BTC).buys, 10);
}

/// Hummingbot: its kill switch catches every error and goes on; a real case crashed in a report while the bot kept placing orders.
#[test]
fn a_halt_needs_neither_prices_nor_limits_nor_a_wallet() {
    let mut world = World::new();
    world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.sent.clear();
    // Everything optional is gone: limits that do not parse any more, no market, no streams.
    world.step(Input::Link(LinkChange::Public { up: false }));
    world.step(Input::Link(LinkChange::Private { up: false }));
    world.step(Input::Link(LinkChange::Journal { up: false }));
    world.wait(Span::from_secs(100_000));
    let command = OperatorCommand::Raise {
        scope: Scope::Account,
        to: TradingState::EntriesCancelled,
        reason: String::new(),
    };
    world.step(Input::Operator { actor: "ops".to_owned(), command });
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::EntriesCancelled);
    let halts = world.sent.iter().filter(|(_, command)| matches!(command, Command::CancelAll(_))).count();
    assert!(halts >= 2, "both kinds of entries are cancelled at once");
}

/// Hummingbot: an order that is not found four times in a row counts as failed.
#[test]
fn not_found_too_early_proves_nothing_however_often() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.lose();
    for _ in 0..50 {
        world.step(Input::Tick);
        world.find(id, Evidence::Absent);
        world.wait(Span::from_millis(50));
    }
    assert!(world.queries.iter().any(|query| matches!(query, Query::Order { .. })), "it was asked about");
    assert_eq!(world.status(id), OrderStatus::Unknown);
}

/// Freqtrade: its stop of entries is not persisted, so a restart resets it.
#[test]
fn a_raised_state_survives_a_restart() {
    let mut world = World::new();
    for (scope, to) in [
        (Scope::Account, TradingState::Caution),
        (Scope::Strategy(TAKER), TradingState::ReduceOnly),
        (Scope::Instrument(ETH), TradingState::EntriesCancelled),
    ] {
        let command = OperatorCommand::Raise { scope, to, reason: String::new() };
        world.step(Input::Operator { actor: "ops".to_owned(), command });
    }
    let before: Vec<_> = world.gate.state().ladder().rungs().collect();
    assert_eq!(before.len(), 3);
    world.restart();
    assert_eq!(world.gate.state().ladder().rungs().collect::<Vec<_>>(), before);
}

/// Lean: its drawdown model takes a new high after it fired, and goes on trading.
#[test]
fn a_drawdown_stays_latched_and_keeps_its_high() {
    let limits = calm().replace("drawdown_max = \"2500\"", "drawdown_max = \"30\"");
    let mut world = World::with_limits(&limits);
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(id, Qty(10), "60000.00");
    world.prices("62000.00", "3000.00");
    world.pass(1);
    let high = world.gate.state().high_water();
    assert!(high >= Amount::parse("19").unwrap(), "{high}");
    world.prices("58900.00", "3000.00");
    world.pass(1);
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
    // Neither time, nor a price that comes back half the way, nor a restart opens it again.
    world.prices("60000.00", "3000.00");
    world.pass(600);
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
    world.restart();
    world.start(TAKER, "taker", BTC);
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
    assert_eq!(world.gate.state().high_water(), high);
    assert_eq!(code(&mut world, buy(1, "60000.00")), RefusalCode::StateReduceOnly);
}

/// pybit: a timeout resends any call, creates included, and a late clock widens the receive window.
#[test]
fn nothing_is_sent_twice() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.lose();
    world.pass(600);
    assert!(world.sent.is_empty(), "asked about, not sent again: {:?}", world.sent);
    assert!(world.queries.iter().any(|query| matches!(query, Query::Order { order, .. } if *order == id)));
    // A clock that is off refuses instead.
    world.step(Input::Link(LinkChange::Skew { millis: 501 }));
    assert_eq!(code(&mut world, buy(1, "60000.00")), RefusalCode::Inhibited);
}
