//! The road, end to end, with a scripted venue and scripted cells.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod common;

use common::{Asked, World, buy, kinds, quote, records, trade};
use portcullis_core::{
    ActionBody, Command, FaultCode, InstrumentSpec, LinkChange, OrderNumber, Outcome, Qty, Record, Span,
    Timestamp,
};
use portcullis_gateway::{CellEvent, Snapshot, VenueEvent};

const TRADE: u16 = 1;
const QUOTE: u16 = 2;
const REFUSAL: u16 = 9;
const INSTRUMENT: u16 = 12;
const TIMER: u16 = 13;
const GAP: u16 = 14;
const WARM_UP_BOUNDARY: u16 = 15;
const RESYNC: u16 = 16;

#[test]
fn an_intent_becomes_an_order_after_it_is_durable() {
    let mut world = World::new();
    world.trade_then(vec![buy()]);
    let [Command::Place(order)] = &world.submitted()[..] else { panic!("{:?}", world.submitted()) };
    let sent = order.clone();
    let (sequence, _) = world.wires.borrow().submitted[0].clone();
    let records = common::journaled(&world);
    let entry = &records[usize::try_from(sequence.0).unwrap()];
    let Record::Intent(intent) = entry else { panic!("{entry:?}") };
    assert_eq!(intent.command, Command::Place(sent));
    assert_eq!(intent.frame, world.frame().unwrap(), "the causing frame is kept as evidence");
}

#[test]
fn without_a_disk_nothing_that_adds_risk_leaves() {
    let mut world = World::new();
    world.break_disk();
    world.trade_then(vec![buy()]);
    world.trade_then(vec![buy()]);
    assert_eq!(world.submitted(), []);
}

#[test]
fn a_refusal_is_seen_no_earlier_than_the_lookahead_allows() {
    let mut world = World::new();
    world.trade_then(vec![ActionBody::Cancel(OrderNumber(99))]);
    let before = world.frame().unwrap();
    world.turn();
    assert_eq!(world.frame().unwrap(), before, "nothing within L");
    world.pass(Span::from_millis(1));
    world.turn();
    assert_eq!(kinds(&world.frame().unwrap()), [REFUSAL]);
}

#[test]
fn what_was_not_consumed_comes_again_at_once() {
    let mut world = World::new();
    world.pass(Span::from_millis(10));
    world.market(trade());
    world.pass(Span::from_millis(2));
    world.market(trade());
    world.turn();
    assert_eq!(records(&world.frame().unwrap()), 2);
    // The order's consequences may be seen one millisecond after the first trade, so the second is left.
    let action = portcullis_core::Action { cause: 0, body: buy() };
    world.answer(Outcome { consumed: 1, actions: vec![action] });
    assert_eq!(kinds(&world.frame().unwrap()).first(), Some(&TRADE));
    assert_eq!(world.submitted().len(), 1);
}

#[test]
fn a_busy_cell_gets_merged_quotes_and_counted_trades() {
    let mut world = World::new();
    world.pass(Span::from_millis(10));
    world.market(trade());
    world.turn();
    for index in 0..10 {
        world.market(quote(599_990 - index, 600_010));
    }
    for _ in 0..5_000 {
        world.market(trade());
    }
    for _ in 0..6 {
        world.turn();
    }
    world.consume_all(Vec::new());
    let first = kinds(&world.frame().unwrap());
    assert_eq!(first.iter().filter(|kind| **kind == QUOTE).count(), 1, "only the last quote is left");
    let mut seen = first;
    while !seen.contains(&GAP) {
        world.consume_all(Vec::new());
        seen.extend(kinds(&world.frame().unwrap()));
    }
    assert_eq!(seen.iter().filter(|kind| **kind == TRADE).count(), 4_096);
}

#[test]
fn a_timer_fires_once_and_a_moved_one_only_at_its_new_time() {
    let mut world = World::new();
    let at = Timestamp(world.now().0 + 50_000_000);
    world.trade_then(vec![ActionBody::SetTimer { id: 7, at: Some(at) }]);
    world.trade_then(vec![ActionBody::SetTimer { id: 7, at: Some(Timestamp(at.0 + 20_000_000)) }]);
    world.pass(Span::from_millis(35));
    world.turn();
    assert!(!kinds(&world.frame().unwrap()).contains(&TIMER), "the old time has passed");
    world.pass(Span::from_millis(20));
    world.turn();
    assert_eq!(kinds(&world.frame().unwrap()), [TIMER]);
    world.consume_all(Vec::new());
    world.pass(Span::from_millis(100));
    world.turn();
    assert_eq!(kinds(&world.frame().unwrap()), [TIMER], "it does not fire again");
}

#[test]
fn a_failed_strategy_comes_back_from_its_snapshot_with_its_frames_replayed() {
    let mut world = World::new();
    world.pass(Span::from_secs(61));
    world.turn();
    assert_eq!(world.last_asked(), Asked::Snapshot);
    let snapshot = Snapshot { version: 1, bytes: vec![1, 2, 3] };
    world.cell(CellEvent::Snapshot(snapshot.clone()));
    // After a minute the gate wants a fresh price before it lets anything pass.
    world.market(quote(599_990, 600_010));
    world.turn();
    let first = world.frame().unwrap();
    world.consume_all(Vec::new());
    world.trade_then(vec![buy()]);
    let second = world.frame().unwrap();
    world.pass(Span::from_millis(10));
    world.market(trade());
    world.turn();
    let sent = world.submitted().len();

    world.fault(FaultCode::Trap);
    assert_eq!(world.last_asked(), Asked::Revive(Some(snapshot)));
    world.cell(CellEvent::Ready);
    world.turn();
    assert_eq!(world.last_asked(), Asked::Frame(first), "the frames since the snapshot come again");
    world.consume_all(Vec::new());
    assert_eq!(world.last_asked(), Asked::Frame(second));
    world.consume_all(vec![buy()]);
    assert_eq!(world.submitted().len(), sent, "actions of a replay are not done again");
    let frame = kinds(&world.frame().unwrap());
    assert_eq!(frame[..2], [GAP, RESYNC], "then it is told its whole state");

    world.consume_all(Vec::new());
    world.trade_then(vec![buy()]);
    assert_eq!(world.submitted().len(), sent + 1, "and it may trade again");
}

#[test]
fn a_failed_strategy_may_not_add_risk_before_it_knows_its_state() {
    let mut world = World::new();
    world.trade_then(Vec::new());
    world.fault(FaultCode::Trap);
    world.cell(CellEvent::Ready);
    world.turn();
    // The replayed frames, then the resync, whose first record the strategy answers with an order.
    while kinds(&world.frame().unwrap())[0] != GAP {
        world.consume_all(Vec::new());
    }
    let action = portcullis_core::Action { cause: 0, body: buy() };
    let consumed = records(&world.frame().unwrap());
    world.answer(Outcome { consumed, actions: vec![action] });
    assert_eq!(world.submitted(), []);
}

#[test]
fn a_silent_cell_loses_its_entries_after_ten_seconds() {
    let mut world = World::new();
    world.trade_then(vec![buy()]);
    world.accept_last();
    world.market(trade());
    world.turn();
    world.pass(Span::from_secs(9));
    world.turn();
    assert_eq!(world.submitted().len(), 1, "nine seconds are not too long");
    world.pass(Span::from_secs(2));
    world.turn();
    world.turn();
    let cancels = world.submitted().iter().filter(|command| matches!(command, Command::Cancel(_))).count();
    assert_eq!(cancels, 1, "{:?}", world.submitted());
}

/// Cancels sent so far.
fn cancels(world: &World) -> usize {
    world.submitted().iter().filter(|command| matches!(command, Command::Cancel(_))).count()
}

#[test]
fn what_a_cell_asks_for_late_may_not_add_risk_and_may_reduce() {
    let mut world = World::new();
    world.trade_then(vec![buy()]);
    world.accept_last();
    world.market(trade());
    world.turn();
    world.pass(Span::from_millis(2_100));
    // Prices are fresh again, so that it is the lag alone that is refused.
    world.market(quote(599_990, 600_010));
    world.turn();
    world.consume_all(vec![buy(), ActionBody::Cancel(OrderNumber(1))]);
    let places = world.submitted().iter().filter(|command| matches!(command, Command::Place(_))).count();
    assert_eq!((places, cancels(&world)), (1, 1), "{:?}", world.submitted());
}

#[test]
fn a_cell_that_answers_too_slowly_to_catch_up_loses_its_entries_too() {
    let mut world = World::new();
    world.trade_then(vec![buy()]);
    world.accept_last();
    // Each answer stops after its first event, so twenty events take it eighteen seconds.
    for _ in 0..20 {
        world.market(trade());
        world.pass(Span::from_millis(2));
    }
    world.turn();
    for answer in 0..20 {
        world.pass(Span::from_millis(900));
        world.turn();
        assert_eq!(cancels(&world) > 0, answer > 10, "after {answer} answers: {:?}", world.submitted());
        let amend = ActionBody::CancelAll(Some(7));
        let action = portcullis_core::Action { cause: 0, body: amend };
        world.answer(Outcome { consumed: 1, actions: vec![action] });
    }
}

#[test]
fn a_cell_that_does_not_come_back_loses_its_entries() {
    let mut world = World::new();
    world.trade_then(vec![buy()]);
    world.accept_last();
    world.fault(FaultCode::Host);
    world.pass(Span::from_secs(1));
    world.market(trade());
    world.turn();
    world.pass(Span::from_secs(9));
    world.turn();
    assert_eq!(cancels(&world), 0);
    world.pass(Span::from_secs(2));
    world.turn();
    world.turn();
    assert_eq!(cancels(&world), 1, "{:?}", world.submitted());
}

#[test]
fn an_answer_against_the_stop_rule_is_a_fault() {
    for consumed in [0, 2] {
        let mut world = World::new();
        world.pass(Span::from_millis(10));
        world.market(trade());
        world.turn();
        world.answer(Outcome { consumed, actions: vec![] });
        assert!(matches!(world.last_asked(), Asked::Revive(_)), "consumed {consumed}");
    }
}

#[test]
fn a_strategy_first_sees_the_warm_up_boundary_and_its_state() {
    let world = World::new();
    let first = world.wires.borrow().asked.iter().find_map(|asked| match asked {
        Asked::Frame(frame) => Some(kinds(frame)),
        Asked::Snapshot | Asked::Revive(_) | Asked::Stop => None,
    });
    assert_eq!(first.unwrap()[..2], [WARM_UP_BOUNDARY, RESYNC]);
}

#[test]
fn a_changed_rule_is_told_and_a_repeated_one_is_not() {
    let mut world = World::new();
    let known = world.pipeline.gate().state().instrument(common::BTC).unwrap().spec.clone();
    world.venue(VenueEvent::Instrument(known.clone()));
    world.market(trade());
    world.turn();
    assert_eq!(kinds(&world.frame().unwrap()), [TRADE], "nothing changed");
    world.consume_all(Vec::new());
    world.venue(VenueEvent::Instrument(InstrumentSpec { min_quantity: Qty(2), ..known }));
    world.turn();
    assert_eq!(kinds(&world.frame().unwrap()), [INSTRUMENT]);
}

#[test]
fn an_interrupted_feed_is_a_gap() {
    let mut world = World::new();
    world.venue(VenueEvent::Link(LinkChange::Public { up: false }));
    world.turn();
    assert_eq!(kinds(&world.frame().unwrap()), [GAP]);
    assert_eq!(gap(&world.frame().unwrap()), (0, 2));
}

#[test]
fn the_frame_a_strategy_failed_on_is_counted_in_its_gap() {
    let mut world = World::new();
    world.market(trade());
    world.market(trade());
    world.turn();
    world.fault(FaultCode::Trap);
    world.cell(CellEvent::Ready);
    world.turn();
    while kinds(&world.frame().unwrap())[0] != GAP {
        world.consume_all(Vec::new());
    }
    assert_eq!(gap(&world.frame().unwrap()), (2, 4));
}

/// Events dropped and cause of a gap that is a frame's first record.
fn gap(frame: &[u8]) -> (u32, u8) {
    (u32::from_le_bytes(frame[40..44].try_into().unwrap()), frame[44])
}
