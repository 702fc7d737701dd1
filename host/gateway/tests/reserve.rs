//! A journal that cannot be written holds back what adds risk, and nothing else (RULES G7, invariants 5 and 10).

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "test code"
)]

mod common;

use std::time::{Duration, Instant};

use common::{Asked, BTC, STRATEGY, World, buy, folded};
use portcullis_core::{
    ActionBody, Amount, CancelScope, CloseReason, Command, CreatedBy, Execution, ExecutionKind,
    ExecutionReport, Inhibit, Input, OperatorCommand, OrderNumber, OrderReport, OrderStatus, PositionReport,
    Price, Qty, Record, Reply, Scope, Side, SignedQty, TradingState, VenueSnapshot, VenueStatus,
};
use portcullis_gateway::{CellEvent, Snapshot, VenueEvent};
use portcullis_journal::{Faults, Journal, MemStorage, Writer};

/// Generous: the disk in these tests would never answer at all.
const SOON: Duration = Duration::from_secs(10);

/// Neither the journal's disk nor the reserve's answers.
const STALLED: Faults = Faults {
    syncs_until_failure: None,
    disk_full: false,
    sync_stalls: true,
    reserve_fails: false,
    reserve_stalls: true,
};

fn raise(to: TradingState) -> Input<'static> {
    let command = OperatorCommand::Raise { scope: Scope::Account, to, reason: "drill".to_owned() };
    Input::Operator { actor: "test".to_owned(), command }
}

/// A world that holds a position and an entry order at the venue. `number` of the position's order is 1, of the entry 2.
fn trading<J: Journal>(mut world: World<J>) -> World<J> {
    world.trade_then(vec![buy()]);
    world.accept_last();
    let link = world.wires.borrow().links[0].clone();
    let execution = Execution {
        exec: "e1".parse().unwrap(),
        kind: ExecutionKind::Trade,
        link: Some(link),
        venue_order: "v1".parse().unwrap(),
        instrument: BTC,
        side: Side::Buy,
        price: Price(599_000),
        quantity: Qty(10),
        fee: Amount::ZERO,
        fee_quantity: Qty(0),
        maker: true,
        created_by: CreatedBy::Client,
        venue_time: world.now(),
    };
    world.venue(VenueEvent::Report(ExecutionReport::Execution(execution)));
    world.trade_then(Vec::new());
    // A fill makes the host ask for a snapshot.
    assert_eq!(world.last_asked(), Asked::Snapshot);
    world.cell(CellEvent::Snapshot(Snapshot { version: 1, bytes: Vec::new() }));
    world.trade_then(vec![buy()]);
    world.accept_last();
    let refused: Vec<_> = world.pipeline.gate().state().refused().collect();
    assert_eq!(world.submitted().len(), 2, "{refused:?}");
    world
}

/// What was submitted after the first two.
fn later<J: Journal>(world: &World<J>) -> Vec<Command> {
    world.submitted().split_off(2)
}

fn cancels_everything(commands: &[Command]) -> bool {
    [CancelScope::Entries, CancelScope::Conditional].iter().all(|scope| {
        commands.iter().any(|command| matches!(command, Command::CancelAll(all) if all.scope == *scope))
    })
}

fn is_closing(command: &Command) -> bool {
    matches!(command, Command::Place(place) if place.reduce_only && place.side == Side::Sell)
}

#[test]
fn without_a_journal_orders_stay_and_cancels_and_reductions_leave() {
    let mut world = trading(World::new());
    world.break_disk();
    world.trade_then(vec![buy()]);
    assert_eq!(later(&world), [], "it adds risk");
    let refused = world.pipeline.gate().state().orders().by_number(STRATEGY, OrderNumber(3)).unwrap();
    assert_eq!((refused.status, refused.exposure().0), (OrderStatus::NotSent, 0), "its reservation is free");
    assert!(world.pipeline.gate().inhibits().contains(Inhibit::Journal));

    world.trade_then(vec![buy()]);
    assert_eq!(later(&world), [], "and so does the next");
    world.trade_then(vec![ActionBody::Cancel(OrderNumber(2)), ActionBody::Flatten(0)]);
    let left = later(&world);
    assert!(left.iter().any(|command| matches!(command, Command::Cancel(_))), "{left:?}");
    assert!(left.iter().any(is_closing), "{left:?}");
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_halt_acts_without_a_journal_and_survives_the_restart() {
    for to in [TradingState::ReduceOnly, TradingState::EntriesCancelled, TradingState::Flattening] {
        let mut world = trading(World::new());
        world.break_disk();
        assert_eq!(world.pipeline.hand_in(raise(to)), Some(Reply::Done));
        let left = later(&world);
        assert_eq!(cancels_everything(&left), to >= TradingState::EntriesCancelled, "{to}: {left:?}");
        assert_eq!(left.iter().any(is_closing), to == TradingState::Flattening, "{to}: {left:?}");

        let mut live = world.pipeline.gate().state().clone();
        world.restart(|log| log);
        assert_eq!(world.pipeline.gate().state().ladder().of(Scope::Account), to);
        // The state that acted is the state that comes back, but for the note about it in the journal.
        live.apply(&note(&world));
        assert!(*world.pipeline.gate().state() == live, "{to}: fold(records) differs from the live state");
    }
}

/// The journal's last record, which says what came from the reserve.
fn note<J: Journal>(world: &World<J>) -> Record {
    let mut last = None;
    let config = portcullis_journal::LogConfig::lab(portcullis_core::Environment::Paper, [7; 32]);
    portcullis_journal::Log::open(world.storage.after_crash(|| true), config, &mut |stored| {
        last = Some(Record::decode(stored.entry.kind, &stored.entry.body).unwrap());
    })
    .unwrap();
    last.unwrap()
}

#[test]
fn after_the_restart_the_venues_orders_are_ours_and_the_halt_goes_on() {
    let mut world = trading(World::new());
    world.break_disk();
    world.pipeline.hand_in(raise(TradingState::Flattening));
    let at = world.submitted().iter().position(is_closing).unwrap();
    let link = world.wires.borrow().links[at].clone();
    world.restart(|log| log);
    let order = world.pipeline.gate().state().orders().by_link(&link).unwrap();
    assert!(order.reduce_only && order.status.is_open());

    world.connect();
    let now = world.now();
    let report = OrderReport {
        link: Some(link),
        venue_order: "v9".parse().unwrap(),
        instrument: BTC,
        side: Side::Sell,
        status: VenueStatus::Working,
        price: None,
        quantity: Qty(10),
        executed: Qty(0),
        reason: CloseReason::None,
        reduce_only: true,
        created_by: CreatedBy::Client,
        venue_time: now,
    };
    let position = PositionReport {
        instrument: BTC,
        quantity: SignedQty(10),
        average_price: Amount::ZERO,
        stop_loss: None,
        venue_time: now,
    };
    let snapshot = VenueSnapshot {
        orders: vec![report],
        positions: vec![position],
        ..VenueSnapshot::of_cash(Amount::ZERO, now)
    };
    world.pipeline.hand_in(Input::Snapshot(snapshot));
    let rungs: Vec<_> = world.pipeline.gate().state().ladder().rungs().collect();
    assert_eq!(rungs.len(), 1, "{rungs:?}");
    assert_eq!(rungs[0].1.cause, portcullis_core::StateCause::Operator, "its id is no sign of misuse");
    world.turn();
    assert!(
        !world.pipeline.gate().inhibits().contains(Inhibit::Journal),
        "the new session's journal is sound"
    );
}

#[test]
fn a_rearm_needs_the_disk() {
    let mut world = World::new();
    world.pipeline.hand_in(raise(TradingState::ReduceOnly));
    world.break_disk();
    // The journal fails at the next thing written.
    world.pipeline.hand_in(raise(TradingState::EntriesCancelled));
    let command = OperatorCommand::RearmRequest { scope: Scope::Account, reason: "over".to_owned() };
    let reply = world.pipeline.hand_in(Input::Operator { actor: "test".to_owned(), command });
    assert!(matches!(reply, Some(Reply::Refused(_))), "{reply:?}");
}

#[test]
fn a_reserve_that_fails_too_holds_nothing_back() {
    let mut world = trading(World::new());
    world.storage.set_faults(Faults {
        syncs_until_failure: Some(0),
        reserve_fails: true,
        ..Faults::default()
    });
    world.trade_then(vec![buy(), ActionBody::Cancel(OrderNumber(2))]);
    world.pipeline.hand_in(raise(TradingState::Flattening));
    let left = later(&world);
    assert!(matches!(left[0], Command::Cancel(_)), "{left:?}");
    assert!(cancels_everything(&left) && left.iter().any(is_closing), "{left:?}");
    assert!(left.iter().all(|command| !matches!(command, Command::Place(place) if !place.reduce_only)));
}

#[test]
fn facts_beyond_the_reserves_room_do_not_crowd_out_the_ladder() {
    let mut world = World::new();
    world.storage.set_reserve_bytes(8 * 1024);
    let mut world = {
        world.restart(|log| log);
        world.connect();
        world
    };
    world.break_disk();
    for number in 0..1_000 {
        let wallet = VenueSnapshot::of_cash(Amount(number), world.now()).wallet;
        world.venue(VenueEvent::Report(ExecutionReport::Wallet(wallet)));
        world.turn();
    }
    world.pipeline.hand_in(raise(TradingState::Flattening));
    world.restart(|log| log);
    assert_eq!(world.pipeline.gate().state().ladder().of(Scope::Account), TradingState::Flattening);
}

fn threaded() -> World<Writer<MemStorage>> {
    trading(World::over(|log| Writer::new(log).unwrap()))
}

#[test]
fn a_disk_that_does_not_answer_holds_up_neither_cancels_nor_a_halt() {
    let mut world = threaded();
    world.storage.set_faults(STALLED);
    let begun = Instant::now();
    world.trade_then(vec![buy(), ActionBody::Cancel(OrderNumber(2))]);
    assert!(matches!(later(&world)[..], [Command::Cancel(_)]), "{:?}", later(&world));
    assert_eq!(world.pipeline.hand_in(raise(TradingState::Flattening)), Some(Reply::Done));
    for _ in 0..100 {
        world.turn();
    }
    let left = later(&world);
    assert!(cancels_everything(&left) && left.iter().any(is_closing), "{left:?}");
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());

    // The disk answers: what waited for it meets the halt, and does not leave.
    world.storage.set_faults(Faults::default());
    while world.pipeline.gate().inhibits().contains(Inhibit::Journal) {
        world.turn();
    }
    while status(&world, 3) != OrderStatus::NotSent {
        world.turn();
    }
    assert!(
        later(&world).iter().all(|command| !matches!(command, Command::Place(place) if !place.reduce_only))
    );
}

fn status<J: Journal>(world: &World<J>, number: u64) -> OrderStatus {
    world.pipeline.gate().state().orders().by_number(STRATEGY, OrderNumber(number)).unwrap().status
}

#[test]
fn an_order_that_waits_for_the_disk_leaves_when_it_answers() {
    let mut world = threaded();
    world.storage.set_faults(STALLED);
    world.trade_then(vec![buy()]);
    assert_eq!(later(&world), []);
    assert!(world.pipeline.gate().inhibits().contains(Inhibit::Journal));
    world.storage.set_faults(Faults::default());
    while later(&world).is_empty() {
        world.turn();
    }
    assert!(matches!(&later(&world)[..], [Command::Place(place)] if !place.reduce_only));
    assert!(!world.pipeline.gate().inhibits().contains(Inhibit::Journal));
}

#[test]
fn an_order_that_waits_for_a_disk_that_then_fails_is_given_up() {
    let mut world = threaded();
    world.storage.set_faults(STALLED);
    world.trade_then(vec![buy()]);
    world.storage.set_faults(Faults { syncs_until_failure: Some(0), ..Faults::default() });
    while status(&world, 3) != OrderStatus::NotSent {
        world.turn();
    }
    assert_eq!(later(&world), []);
    let storage = world.storage.clone();
    // A failed journal is not sealed, but the shutdown waits for the reserve.
    assert!(world.pipeline.finish().close().is_err());
    // The disk may have kept what it called failed, or not: the order was not sent either way.
    for kept in [true, false] {
        let (gate, _) = folded(storage.after_crash(|| kept));
        let order = gate.state().orders().by_number(STRATEGY, OrderNumber(3)).unwrap();
        assert_eq!(order.status, OrderStatus::NotSent);
    }
}

#[test]
fn the_quiet_end_of_a_session_gives_up_what_still_waits() {
    let mut world = threaded();
    world.storage.set_faults(STALLED);
    world.trade_then(vec![buy()]);
    let writer = world.pipeline.finish();
    world.storage.set_faults(Faults::default());
    writer.close().unwrap();
    let (gate, _) = folded(world.storage.after_crash(|| false));
    let order = gate.state().orders().by_number(STRATEGY, OrderNumber(3)).unwrap();
    assert_eq!(order.status, OrderStatus::NotSent);
}
