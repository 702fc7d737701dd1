//! Strategies that fail: how often they come back, what they leave behind, and what is not their fault.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod common;

use common::{Asked, STRATEGY, World, buy, quote, records, trade};
use portcullis_core::{Command, FaultCode, Finding, FindingKind, LinkChange, Outcome, Record, Span};
use portcullis_gateway::{CellEvent, Evidence, FailedCall, Faults, Snapshot, VenueEvent};

const SECOND: Span = Span::from_secs(1);

/// The findings in the journal.
fn findings(world: &World) -> Vec<Finding> {
    let finding = |record| if let Record::Finding(finding) = record { Some(finding) } else { None };
    common::journaled(world).into_iter().filter_map(finding).collect()
}

/// Lets the strategy's restart come due, and brings it back to where it knows its state.
fn come_back(world: &mut World) {
    world.pass(Span::from_secs(6));
    world.turn();
    assert!(matches!(world.last_asked(), Asked::Revive(_)));
    world.cell(CellEvent::Ready);
    world.turn();
    // The frames since the snapshot, then the resync.
    for _ in 0..64 {
        if faults(world, |_| world.pipeline.strategies().next().unwrap().1.state() == "running") {
            break;
        }
        world.consume_all(Vec::new());
    }
    world.consume_all(Vec::new());
}

fn faults<R>(world: &World, look: impl FnOnce(Faults<'_>) -> R) -> R {
    let (id, session) = world.pipeline.strategies().next().unwrap();
    assert_eq!(id, STRATEGY);
    look(session.faults(world.now()))
}

fn revivals(world: &World) -> usize {
    world.wires.borrow().asked.iter().filter(|asked| matches!(asked, Asked::Revive(_))).count()
}

#[test]
fn restarts_wait_longer_and_the_fourth_fault_quarantines() {
    let mut world = World::new();
    world.trade_then(vec![buy()]);
    world.accept_last();
    let before = revivals(&world);
    world.fault(FaultCode::Trap);
    assert_eq!(revivals(&world), before + 1, "the first at once");
    world.fault(FaultCode::OutOfFuel);
    world.pass(Span::from_millis(499));
    world.turn();
    assert_eq!(revivals(&world), before + 1);
    world.pass(Span::from_millis(1));
    world.turn();
    assert_eq!(revivals(&world), before + 2, "the second after half a second");
    world.fault(FaultCode::Protocol);
    world.pass(Span::from_millis(4_999));
    world.turn();
    assert_eq!(revivals(&world), before + 2);
    world.pass(Span::from_millis(1));
    world.turn();
    assert_eq!(revivals(&world), before + 3, "the third after five seconds");

    world.fault(FaultCode::OutOfMemory);
    assert_eq!(world.last_asked(), Asked::Stop);
    assert!(matches!(world.submitted().last(), Some(Command::Cancel(_))), "{:?}", world.submitted());
    faults(&world, |faults| {
        assert_eq!((faults.guest, faults.host, faults.strikes), (4, 0, 4));
        assert_eq!(faults.first.unwrap().code, FaultCode::Trap, "the first cause is kept");
        assert_eq!(faults.last.unwrap().code, FaultCode::OutOfMemory);
    });
    let told = findings(&world);
    let told: Vec<_> =
        told.iter().filter(|finding| finding.kind == FindingKind::StrategyQuarantined).collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].detail.starts_with("test failed too often"), "{}", told[0].detail);
    assert!(told[0].detail.contains("first TRAP (faults/test-"), "{}", told[0].detail);

    // Nothing brings it back but an operator.
    world.pass(Span::from_secs(600));
    world.turn();
    assert_eq!(revivals(&world), before + 3);
}

#[test]
fn a_minute_of_health_makes_the_budget_whole() {
    let mut world = World::new();
    for _ in 0..3 {
        world.fault(FaultCode::Trap);
        come_back(&mut world);
    }
    assert_eq!(faults(&world, |faults| faults.strikes), 3);
    world.pass(Span::from_secs(59));
    assert_eq!(faults(&world, |faults| faults.strikes), 3);
    world.pass(SECOND);
    assert_eq!(faults(&world, |faults| (faults.strikes, faults.first.is_some())), (0, false));
    world.fault(FaultCode::Trap);
    assert_eq!(faults(&world, |faults| faults.strikes), 1);
    assert!(!world.wires.borrow().asked.contains(&Asked::Stop));
}

#[test]
fn time_on_the_way_back_is_not_health() {
    let mut world = World::new();
    for _ in 0..3 {
        world.fault(FaultCode::Trap);
        world.pass(Span::from_secs(61));
        world.turn();
    }
    assert_eq!(faults(&world, |faults| faults.strikes), 3, "it never got to know its state");
    world.fault(FaultCode::Trap);
    assert_eq!(world.last_asked(), Asked::Stop);
}

#[test]
fn the_hosts_faults_cost_time_and_neither_strikes_nor_health() {
    let mut world = World::new();
    world.fault(FaultCode::Trap);
    come_back(&mut world);
    for code in [FaultCode::Overload, FaultCode::Host, FaultCode::Start, FaultCode::Overload] {
        world.pass(Span::from_secs(14));
        world.fault(code);
        come_back(&mut world);
    }
    faults(&world, |faults| {
        assert_eq!((faults.guest, faults.host, faults.strikes), (1, 4, 1));
        assert_eq!(faults.first.unwrap().code, FaultCode::Trap);
        assert_eq!(faults.last.unwrap().code, FaultCode::Overload);
    });
    // 4 × 14 s of health between the machine's troubles; four more make a minute.
    world.pass(Span::from_secs(4));
    assert_eq!(faults(&world, |faults| faults.strikes), 0);
    assert!(!world.wires.borrow().asked.contains(&Asked::Stop));
}

#[test]
fn blame_stands_in_the_journal() {
    let mut world = World::new();
    world.fault(FaultCode::Overload);
    come_back(&mut world);
    world.fault(FaultCode::Deadline);
    let faults: Vec<_> = common::journaled(&world)
        .into_iter()
        .filter_map(|record| if let Record::StrategyFault(fault) = record { Some(fault) } else { None })
        .collect();
    let blamed: Vec<_> = faults.iter().map(|fault| (fault.code, fault.code.blame().as_str())).collect();
    assert_eq!(blamed, [(FaultCode::Overload, "host"), (FaultCode::Deadline, "guest")]);
    assert!(faults.iter().all(|fault| !fault.quarantined));
}

/// The evidence that waits.
fn evidence(world: &mut World) -> Vec<Evidence> {
    std::iter::from_fn(|| world.pipeline.take_evidence()).collect()
}

#[test]
fn the_evidence_is_the_snapshot_the_frames_since_and_the_failing_one() {
    let mut world = World::new();
    world.pass(Span::from_secs(61));
    world.turn();
    let snapshot = Snapshot { version: 1, bytes: vec![1, 2, 3] };
    world.cell(CellEvent::Snapshot(snapshot.clone()));
    world.market(quote(599_990, 600_010));
    world.turn();
    let first = world.frame().unwrap();
    world.consume_all(Vec::new());
    world.pass(Span::from_millis(10));
    world.market(trade());
    world.turn();
    let failing = world.frame().unwrap();
    world.fault(FaultCode::Trap);

    let kept = evidence(&mut world);
    let [kept] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(kept.snapshot.as_ref(), Some(&snapshot));
    assert_eq!(kept.frames.iter().map(|past| &past.frame).collect::<Vec<_>>(), [&first]);
    assert!(matches!(&kept.call, FailedCall::Frame { frame, .. } if *frame == failing));
    assert_eq!(kept.file, format!("test-{}-trap.fault", world.now().0));
    let cited = faults(&world, |faults| faults.first.unwrap().evidence.clone());
    assert_eq!(cited.as_deref(), Some(kept.file.as_str()));

    // On its way back it fails in a frame that is gone through again.
    world.cell(CellEvent::Ready);
    world.turn();
    assert_eq!(world.last_asked(), Asked::Frame(first.clone()));
    world.fault(FaultCode::Trap);
    let again = evidence(&mut world);
    assert!(again[0].frames.is_empty());
    assert!(matches!(&again[0].call, FailedCall::Frame { frame, .. } if *frame == first));
}

#[test]
fn a_broken_stop_rule_leaves_its_frame_as_evidence_and_skips_it() {
    let mut world = World::new();
    world.pass(Span::from_millis(10));
    world.market(trade());
    world.turn();
    let failing = world.frame().unwrap();
    world.answer(Outcome { consumed: records(&failing) + 1, actions: vec![] });
    let kept = evidence(&mut world);
    assert_eq!(kept[0].fault.code, FaultCode::Protocol);
    assert!(matches!(&kept[0].call, FailedCall::Frame { frame, .. } if *frame == failing));
}

#[test]
fn a_machine_in_trouble_leaves_one_file_and_a_full_queue_cites_none() {
    let mut world = World::new();
    for _ in 0..5 {
        world.fault(FaultCode::Overload);
        world.pass(Span::from_secs(6));
        world.turn();
    }
    assert_eq!(evidence(&mut world).len(), 1, "the first of them says all there is");
    for _ in 0..10 {
        world.fault(FaultCode::Trap);
        come_back(&mut world);
        world.pass(Span::from_secs(61));
    }
    assert!(faults(&world, |faults| faults.last.unwrap().evidence.is_none()), "nobody takes the files away");
    assert_eq!(evidence(&mut world).len(), 8);
}

#[test]
fn missing_data_is_told_once_a_minute_and_is_nobodys_fault() {
    let mut world = World::new();
    let gaps = |world: &World| {
        let all = findings(world);
        all.into_iter().filter(|finding| finding.kind == FindingKind::DataGap).collect::<Vec<_>>()
    };
    for _ in 0..3 {
        world.venue(VenueEvent::Link(LinkChange::Public { up: false }));
        world.pass(SECOND);
        world.turn();
        world.consume_all(Vec::new());
        world.venue(VenueEvent::Link(LinkChange::Public { up: true }));
        world.pass(SECOND);
        world.turn();
    }
    let told = gaps(&world);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].detail, "test: 0 events dropped, 1 interruptions of the feed");
    faults(&world, |faults| assert_eq!((faults.guest, faults.host, faults.data_gaps), (0, 0, 3)));
    world.pass(Span::from_secs(60));
    world.turn();
    assert_eq!(gaps(&world)[1].detail, "test: 0 events dropped, 2 interruptions of the feed");
}

#[test]
fn dropped_trades_are_counted_as_missing_data() {
    let mut world = World::new();
    world.market(trade());
    world.turn();
    for _ in 0..4_100 {
        world.market(trade());
    }
    for _ in 0..6 {
        world.turn();
    }
    // The busy cell answers; then it gets what waited, and the gap.
    for _ in 0..3 {
        world.consume_all(Vec::new());
    }
    assert_eq!(faults(&world, |faults| faults.data_gaps), 1);
    world.pass(SECOND);
    world.turn();
    let told = findings(&world);
    let told = told.iter().find(|finding| finding.kind == FindingKind::DataGap).unwrap();
    assert_eq!(told.detail, "test: 4 events dropped, 0 interruptions of the feed");
}
