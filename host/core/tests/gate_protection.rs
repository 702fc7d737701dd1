//! The stop that rests at the venue for every position (row 26): verified after each fill, put back, or the position closed.
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

/// Calm, but with stops: at most 5 % away, missing for at most ten seconds.
fn protected() -> World {
    let stop = "protection = \"stop\"\nstop_fraction = \"0.05\"\nstop_missing_ms_max = 10000";
    World::with_limits(&calm().replace("protection = \"none\"", stop))
}

/// What the venue says about the position's stop.
fn told(world: &mut World, stop: Option<&str>) {
    let report = PositionReport {
        instrument: BTC,
        quantity: world.gate.state().ledger().quantity(BTC),
        average_price: Amount::ZERO,
        stop_loss: stop.map(|stop| Price::parse(stop, 2).unwrap()),
        venue_time: world.now,
    };
    world.step(Input::Report(ExecutionReport::Position(report)));
}

fn open(world: &mut World, place: Place, price: &str) {
    let quantity = place.quantity;
    let id = world.place(place).unwrap();
    world.accept();
    world.fill(id, quantity, price);
}

/// The stops that were sent, in order.
fn sent_stops(world: &mut World) -> Vec<Price> {
    std::mem::take(&mut world.sent)
        .into_iter()
        .filter_map(|(_, command)| match command {
            Command::SetProtection(protection) => protection.stop_loss,
            _ => None,
        })
        .collect()
}

fn price(text: &str) -> Price {
    Price::parse(text, 2).unwrap()
}

fn instrument_state(world: &World) -> TradingState {
    world.gate.state().ladder().of(Scope::Instrument(BTC))
}

/// The stop that came with the newest order.
fn attached(world: &mut World) -> Option<Price> {
    let placed = std::mem::take(&mut world.sent).into_iter().rev().find_map(|(_, command)| match command {
        Command::Place(place) => Some(place.stop_loss),
        _ => None,
    });
    placed.unwrap()
}

#[test]
fn an_order_that_opens_a_position_brings_its_stop() {
    let mut world = protected();
    world.place(buy(10, "60000.00")).unwrap();
    assert_eq!(attached(&mut world), Some(price("57000.00")));
    let mut world = protected();
    world.place(Place { stop_loss: Some(price("59000.00")), ..buy(10, "60000.00") }).unwrap();
    assert_eq!(attached(&mut world), Some(price("59000.00")), "the strategy's own, which is nearer");

    // What extends a position is covered by the position's own; what turns it round opens another.
    open(&mut world, buy(10, "60000.00"), "60000.00");
    world.sent.clear();
    world.place(buy(5, "60000.00")).unwrap();
    assert_eq!(attached(&mut world), None);
    world.place(sell(30, "60100.00")).unwrap();
    assert_eq!(attached(&mut world), Some(price("63105.00")));
    world.place(Place { reduce_only: true, ..sell(5, "60100.00") }).unwrap();
    assert_eq!(attached(&mut world), None);

    let mut world = World::new();
    world.place(buy(10, "60000.00")).unwrap();
    assert_eq!(attached(&mut world), None, "limits that want none");
}

#[test]
fn a_position_without_a_stop_gets_one() {
    let mut world = protected();
    open(&mut world, buy(10, "60000.00"), "60000.00");
    assert!(sent_stops(&mut world).is_empty(), "the venue speaks first");
    told(&mut world, None);
    assert_eq!(sent_stops(&mut world), [price("57000.00")]);
    // Until the venue shows it, it is asked again and a query is made.
    world.queries.clear();
    world.pass(3);
    assert_eq!(sent_stops(&mut world), [price("57000.00")]);
    assert!(world.queries.iter().any(|query| matches!(query, Query::Snapshot { .. })));
    told(&mut world, Some("57000.00"));
    world.pass(60);
    assert!(sent_stops(&mut world).is_empty());
    assert_eq!(instrument_state(&world), TradingState::Active);

    // The other way round for a short, and from a query as well as from the stream.
    let mut world = protected();
    open(&mut world, sell(10, "60000.00"), "60000.00");
    let snapshot = world.snapshot();
    world.step(Input::Snapshot(snapshot));
    assert_eq!(sent_stops(&mut world), [price("63000.00")]);
}

#[test]
fn a_stop_of_the_strategys_own_is_kept_if_it_is_near_enough() {
    let mut world = protected();
    let own = Place { stop_loss: Some(price("58000.00")), ..buy(10, "60000.00") };
    open(&mut world, own, "60000.00");
    told(&mut world, Some("58000.00"));
    world.pass(30);
    assert!(sent_stops(&mut world).is_empty());
    let far = Place { stop_loss: Some(price("56999.99")), ..buy(1, "60000.00") };
    assert_eq!(world.place(far), Err(RefusalCode::ProtectionMissing));
    // A stop that somebody moved away is put back.
    told(&mut world, Some("50000.00"));
    assert_eq!(sent_stops(&mut world), [price("57000.00")]);
}

#[test]
fn the_stop_follows_the_position_as_it_grows() {
    let mut world = protected();
    open(&mut world, buy(10, "60000.00"), "60000.00");
    told(&mut world, Some("57000.00"));
    open(&mut world, buy(10, "61000.00"), "61000.00");
    told(&mut world, Some("57000.00"));
    // The average is 60,500 now.
    assert_eq!(sent_stops(&mut world), [price("57475.00")]);
}

#[test]
fn a_position_that_cannot_get_its_stop_is_closed() {
    let mut world = protected();
    open(&mut world, buy(10, "60000.00"), "60000.00");
    for _ in 0..12 {
        told(&mut world, None);
        world.pass(1);
    }
    assert_eq!(instrument_state(&world), TradingState::Flattening);
    assert_eq!(world.findings(), [FindingKind::ProtectionMissing]);
    let closing = world.sent.iter().any(|(_, command)| {
        matches!(command, Command::Place(place) if place.reduce_only && place.quantity == Qty(10))
    });
    assert!(closing, "{:?}", world.sent);
    // It stays latched over a restart.
    world.restart();
    assert_eq!(instrument_state(&world), TradingState::Flattening);
}

#[test]
fn a_stop_that_the_price_has_passed_closes_at_once() {
    let mut world = protected();
    open(&mut world, buy(10, "60000.00"), "60000.00");
    world.prices("56000.00", "3000.00");
    told(&mut world, None);
    assert_eq!(instrument_state(&world), TradingState::Flattening);
    assert!(sent_stops(&mut world).is_empty(), "the venue would not take it");
}

#[test]
fn after_a_restart_nothing_is_done_before_the_venue_has_told() {
    let mut world = protected();
    open(&mut world, buy(10, "60000.00"), "60000.00");
    told(&mut world, Some("57000.00"));
    world.gate = world.folded();
    world.sent.clear();
    world.step(Input::Session(session(world.now)));
    world.pass(30);
    assert!(world.sent.is_empty());
    assert_eq!(instrument_state(&world), TradingState::Active);
    let mut snapshot = world.snapshot();
    snapshot.positions[0].stop_loss = Some(price("57000.00"));
    world.step(Input::Snapshot(snapshot));
    world.pass(30);
    assert!(sent_stops(&mut world).is_empty());
}

#[test]
fn a_halt_leaves_the_stop_until_the_position_is_flat() {
    let mut world = protected();
    open(&mut world, buy(10, "60000.00"), "60000.00");
    told(&mut world, Some("57000.00"));
    let command =
        OperatorCommand::Raise { scope: Scope::Account, to: TradingState::Flattening, reason: String::new() };
    world.step(Input::Operator { actor: "ops".to_owned(), command });
    world.pass(20);
    for (_, command) in &world.sent {
        match command {
            // Entries of both kinds; the position's own stop is in neither.
            Command::CancelAll(all) => {
                assert!(matches!(all.scope, CancelScope::Entries | CancelScope::Conditional))
            }
            Command::Place(place) => assert!(place.reduce_only),
            Command::SetProtection(protection) => assert!(protection.stop_loss.is_some(), "never taken away"),
            Command::Amend(_) | Command::Cancel(_) => panic!("{command:?}"),
        }
    }
}

#[test]
fn without_the_rule_nothing_is_done_and_spot_cannot_have_it() {
    let mut world = World::new();
    open(&mut world, buy(10, "60000.00"), "60000.00");
    told(&mut world, None);
    world.pass(30);
    assert!(sent_stops(&mut world).is_empty());

    let stop = "protection = \"stop\"\nstop_fraction = \"0.05\"\nstop_missing_ms_max = 10000";
    let text = calm()
        .replace("protection = \"none\"", stop)
        .replace("[instrument.\"linear:BTCUSDT\"]", "[instrument.\"spot:BTCUSDT\"]");
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
    world.prices("60000.00", "3000.00");
    world.start(TAKER, "taker", BTC);
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::ProtectionMissing));
}
