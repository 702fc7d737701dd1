//! The life of orders: answers, silence, evidence, restarts.
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

fn order_queries(world: &mut World) -> Vec<OrderId> {
    let orders = world.queries.iter().filter_map(|query| match query {
        Query::Order { order, .. } => Some(*order),
        Query::Snapshot { .. } => None,
    });
    let orders = orders.collect();
    world.queries.clear();
    orders
}

fn reserved(world: &World) -> i128 {
    world.gate.state().orders().exposure(BTC).buys
}

#[test]
fn an_order_lives_from_approval_to_fill() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    assert_eq!(world.status(id), OrderStatus::Acknowledged);
    world.wait(Span(1));
    world.report(id, VenueStatus::Working);
    world.fill(id, Qty(4), "60000.00");
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::PartiallyFilled, 6));
    world.fill(id, Qty(6), "59999.00");
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::Filled, 0));
    let position = world.gate.state().ledger().position(BTC, Some(TAKER));
    assert_eq!(position.quantity, SignedQty(10));
    assert_eq!(position.cost, Amount::parse("599.994").unwrap());
    assert_eq!(position.fees, Amount::parse("0.02").unwrap());
    let told: Vec<u8> = world
        .notices
        .iter()
        .filter_map(|notice| match &notice.body {
            NoticeBody::Order(order) => Some(order.status.number()),
            _ => None,
        })
        .collect();
    assert_eq!(told, [1, 3, 4, 5], "submitted, working, partly filled, filled");
    assert!(world.findings().is_empty());
}

#[test]
fn the_stream_may_be_ahead_of_the_answer() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.fill(id, Qty(10), "60000.00");
    world.accept();
    assert_eq!(world.status(id), OrderStatus::Filled);
    // And a lost answer says nothing about an order that was seen.
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.report(id, VenueStatus::Working);
    world.lose();
    assert_eq!(world.status(id), OrderStatus::Working);
    assert!(world.findings().is_empty());
}

#[test]
fn silence_is_not_a_rejection() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.lose();
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::Unknown, 10));
    world.queries.clear();
    // Absences that come too early prove nothing.
    for _ in 0..5 {
        world.pass(1);
        if !order_queries(&mut world).is_empty() {
            world.find(id, Evidence::Absent);
        }
    }
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::Unknown, 10));
    // Failed queries prove nothing however long it takes.
    for _ in 0..120 {
        world.pass(1);
        if !order_queries(&mut world).is_empty() {
            world.find(id, Evidence::Unavailable);
        }
    }
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::Unknown, 10));
    assert!(world.findings().contains(&FindingKind::StillUnknown));
    // An absence that was asked for late enough does.
    world.pass(31);
    assert_eq!(order_queries(&mut world), [id]);
    world.find(id, Evidence::Absent);
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::Absent, 0));
    assert_eq!(world.order(id).status.number(), 10);
    // Even so, should it turn up, it counts again.
    world.report(id, VenueStatus::Working);
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::Working, 10));
    assert!(world.findings().contains(&FindingKind::IllegalTransition));
}

#[test]
fn an_absence_counts_from_the_venues_clock() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    let sent = world.now;
    world.lose();
    // The first answer comes after the second question, and our clock has been set ahead: the create may still arrive.
    for _ in 0..30 {
        world.pass(1);
    }
    let early =
        Input::Evidence { order: id, finding: Evidence::Absent, venue_time: sent.after(Span::from_secs(5)) };
    world.step(early);
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::Unknown, 10));
    let late =
        Input::Evidence { order: id, finding: Evidence::Absent, venue_time: sent.after(Span::from_secs(7)) };
    world.step(late);
    assert_eq!(world.status(id), OrderStatus::Absent);
}

#[test]
fn an_absence_after_a_day_proves_nothing() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.lose();
    world.wait(Span::from_secs(86_400));
    world.pass(1);
    world.find(id, Evidence::Absent);
    assert_eq!(world.status(id), OrderStatus::Unknown);
}

#[test]
fn a_report_that_only_is_newer_keeps_older_ones_out() {
    let mut world = World::new();
    let id = world.place(buy(2, "60000.00")).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    let row = world.report_of(id, VenueStatus::Working);
    world.wait(Span::from_secs(1));
    let larger = Amend { order: OrderNumber(1), limit: None, quantity: Some(Qty(37)) };
    world.ask_for(TAKER, Ask::Amend(larger)).unwrap();
    // The answer tells that it is so already; then the stream says the same, and last comes a row that was read before all of it.
    world.reject(RejectionKind::NotModified);
    world.report(id, VenueStatus::Working);
    assert_eq!(reserved(&world), 37);
    world.step(Input::Report(ExecutionReport::Order(row)));
    assert_eq!(reserved(&world), 37);
}

#[test]
fn an_unknown_order_is_found() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.lose();
    world.pass(2);
    let report = OrderReport { executed: Qty(4), ..world.report_of(id, VenueStatus::PartiallyFilled) };
    world.find(id, Evidence::Found(report));
    assert_eq!(world.status(id), OrderStatus::PartiallyFilled);
    // The executions are still missing, so they are asked for, and everything stays reserved.
    assert_eq!(reserved(&world), 10);
    order_queries(&mut world);
    world.pass(31);
    assert!(order_queries(&mut world).contains(&id));
    world.fill(id, Qty(4), "60000.00");
    assert_eq!(reserved(&world), 6);
}

#[test]
fn a_duplicate_id_means_the_order_is_there() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.reject(RejectionKind::DuplicateLinkId);
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::Unknown, 10));
}

#[test]
fn a_cancelled_order_keeps_what_it_executed() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.ask_for(TAKER, Ask::Cancel(OrderNumber(1))).unwrap();
    assert_eq!(world.ask_for(TAKER, Ask::Cancel(OrderNumber(1))), Err(RefusalCode::OrderBusy));
    world.accept();
    // Cancelled with 4 executed, whose executions come later.
    let report = OrderReport { executed: Qty(4), ..world.report_of(id, VenueStatus::Cancelled) };
    world.step(Input::Report(ExecutionReport::Order(report)));
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::Cancelled, 4));
    assert_eq!(world.order(id).reason, CloseReason::ByStrategy);
    world.fill(id, Qty(4), "60000.00");
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::Cancelled, 0));
    assert!(world.findings().is_empty());
    // A fill the venue had not counted is accounted all the same, and looked at.
    world.fill(id, Qty(2), "60000.00");
    assert_eq!(world.gate.state().ledger().quantity(BTC), SignedQty(6));
    assert_eq!(world.findings(), [FindingKind::LateFill]);
    world.fill(id, Qty(9), "60000.00");
    assert_eq!(world.gate.state().ledger().quantity(BTC), SignedQty(15));
    assert!(world.findings().contains(&FindingKind::Overfill));
}

#[test]
fn an_execution_counts_once() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    let execution = world.execution_of(id, Qty(4), Price(6_000_000));
    for _ in 0..3 {
        world.step(Input::Report(ExecutionReport::Execution(execution.clone())));
    }
    let snapshot = VenueSnapshot { executions: vec![execution.clone(), execution], ..world.snapshot() };
    world.step(Input::Snapshot(snapshot));
    assert_eq!(world.gate.state().ledger().quantity(BTC), SignedQty(4));
    assert_eq!(world.records().iter().filter(|r| matches!(r, Record::Execution(_))).count(), 1);
}

#[test]
fn messages_that_overtake_each_other_change_nothing() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    let early = world.report_of(id, VenueStatus::Working);
    world.wait(Span(5));
    world.fill(id, Qty(10), "60000.00");
    world.report(id, VenueStatus::Filled);
    let before = world.journal.len();
    world.step(Input::Report(ExecutionReport::Order(early)));
    world.report(id, VenueStatus::Filled);
    assert_eq!(world.journal.len(), before);
    assert_eq!(world.status(id), OrderStatus::Filled);
}

#[test]
fn impossible_reports_are_findings() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.fill(id, Qty(10), "60000.00");
    world.wait(Span(5));
    let report = OrderReport { executed: Qty(11), ..world.report_of(id, VenueStatus::Working) };
    world.step(Input::Report(ExecutionReport::Order(report)));
    assert_eq!(world.findings(), [FindingKind::IllegalTransition]);
    assert_eq!(world.status(id), OrderStatus::Filled);
    world.answer(Sequence(99_999), Submission::Accepted { venue_order: None });
    assert_eq!(world.findings().last(), Some(&FindingKind::UnknownCommand));
}

#[test]
fn an_amend_is_done_when_it_is_seen() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    let ask =
        Ask::Amend(Amend { order: OrderNumber(1), limit: Some(Price(5_990_000)), quantity: Some(Qty(20)) });
    world.ask_for(TAKER, ask.clone()).unwrap();
    world.accept();
    assert_eq!((world.order(id).quantity, reserved(&world)), (Qty(10), 20), "acknowledged is not applied");
    world.report(id, VenueStatus::Working);
    assert_eq!(reserved(&world), 20, "the old values do not end it");
    let report = OrderReport {
        price: Some(Price(5_990_000)),
        quantity: Qty(20),
        ..world.report_of(id, VenueStatus::Working)
    };
    world.step(Input::Report(ExecutionReport::Order(report)));
    let order = world.order(id);
    assert_eq!((order.price, order.quantity, order.pending), (Some(Price(5_990_000)), Qty(20), None));
}

#[test]
fn an_unknown_amend_needs_two_late_looks() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    world
        .ask_for(TAKER, Ask::Amend(Amend { order: OrderNumber(1), limit: None, quantity: Some(Qty(20)) }))
        .unwrap();
    world.lose();
    let mut looks = 0;
    while world.order(id).pending.is_some() {
        world.pass(1);
        if order_queries(&mut world).contains(&id) {
            let late = world.now.since(START).0 > Span::from_secs(11).0;
            looks += i32::from(late);
            let report = world.report_of(id, VenueStatus::Working);
            world.find(id, Evidence::Found(report));
        }
        assert!(looks <= 2);
    }
    assert_eq!(looks, 2);
    assert_eq!(reserved(&world), 10, "not applied: the reservation is back");
}

#[test]
fn an_amend_in_doubt_stays_reserved_when_a_cancel_overtakes_it() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    let amend =
        |quantity| Ask::Amend(Amend { order: OrderNumber(1), limit: None, quantity: Some(Qty(quantity)) });
    world.ask_for(TAKER, amend(20)).unwrap();
    world.lose();
    world.ask_for(TAKER, Ask::Cancel(OrderNumber(1))).unwrap();
    world.reject(RejectionKind::Other);
    assert_eq!(reserved(&world), 20, "the amend may have been applied");
    assert_eq!(world.ask_for(TAKER, amend(15)), Err(RefusalCode::OrderBusy));
    world.report(id, VenueStatus::Working);
    assert_eq!(reserved(&world), 20, "the old values prove nothing so soon");
    let report = OrderReport { quantity: Qty(20), ..world.report_of(id, VenueStatus::Working) };
    world.step(Input::Report(ExecutionReport::Order(report)));
    assert_eq!((world.order(id).quantity, world.order(id).doubt), (Qty(20), None), "it was");
}

#[test]
fn a_cancel_waits_for_the_answer_before_it() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    let place = world.next_sent();
    world.ask_for(TAKER, Ask::Cancel(OrderNumber(1))).unwrap();
    assert!(world.sent.is_empty());
    world.answer(place.0, Submission::Accepted { venue_order: None });
    assert!(matches!(world.next_sent().1, Command::Cancel(_)));

    // Or a second, whichever is first.
    let other = world.place(buy(10, "60000.00")).unwrap();
    let place = world.next_sent();
    world.ask_for(TAKER, Ask::Cancel(OrderNumber(2))).unwrap();
    world.pass(1);
    let (of, command) = world.next_sent();
    assert_eq!(command.order(), Some(other));
    // The answer to the create comes after all.
    world.answer(place.0, Submission::Accepted { venue_order: None });
    assert_eq!(world.status(other), OrderStatus::Acknowledged);
    world.answer(of, Submission::Accepted { venue_order: None });
    world.report(other, VenueStatus::Cancelled);
    assert_eq!(world.status(other), OrderStatus::Cancelled);
    assert_eq!(world.status(id), OrderStatus::Acknowledged);
}

#[test]
fn a_cancel_that_the_venue_refuses_for_the_moment_is_kept() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    world.ask_for(TAKER, Ask::Cancel(OrderNumber(1))).unwrap();
    // Over the rate, or the address turned away: pauses of 1, 2 and 4 seconds.
    for pause in [1, 2, 4] {
        assert!(matches!(world.sent.front(), Some((_, Command::Cancel(_)))));
        world.reject(RejectionKind::RateLimited);
        assert!(world.sent.is_empty(), "not before a pause");
        world.pass(pause);
    }
    // The budget is there again before the pause is over.
    world.reject(RejectionKind::RateLimited);
    world.step(Input::Link(LinkChange::RateBudget { up: true }));
    world.accept();
    world.report(id, VenueStatus::Cancelled);
    assert_eq!(world.status(id), OrderStatus::Cancelled);
    world.pass(60);
    assert!(world.sent.is_empty(), "and never after");
}

/// An older copy of the journal was put back: the venue has a client id of ours from an entry that is not there any more (RULES J5).
#[test]
fn a_journal_that_was_rolled_back_is_noticed() {
    let rolled_back = |world: &World| {
        world.gate.state().ladder().rungs().map(|(_, rung)| (rung.state, rung.cause)).collect::<Vec<_>>()
    };
    let mut world = World::new();
    let lost = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(lost, VenueStatus::Working);
    let theirs =
        VenueSnapshot { orders: vec![world.report_of(lost, VenueStatus::Working)], ..world.snapshot() };
    let kept: Vec<_> = world.journal.iter().take_while(|(_, link, ..)| link.is_none()).cloned().collect();
    world.journal = kept;
    world.gate = world.folded();
    world.sent.clear();
    world.step(Input::Session(session(world.now)));
    world.step(Input::Snapshot(theirs.clone()));
    assert_eq!(rolled_back(&world), [(TradingState::ReduceOnly, StateCause::RolledBack)]);

    // With the whole journal it is ours, and the same id that turns up later, unknown, is in other hands.
    let mut later = World::new();
    later.step(Input::Snapshot(theirs));
    assert_eq!(rolled_back(&later), [(TradingState::EntriesCancelled, StateCause::KeyMisuse)]);
}

#[test]
fn an_account_that_breaks_its_policy_latches() {
    let mut world = World::new();
    let detail = "the trade key may withdraw".to_owned();
    world.step(Input::Alarm(VenueAlarm::AccountPolicy { detail }));
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
    assert!(world.place(buy(1, "60000.00")).is_err());
}

#[test]
fn words_of_the_venue_that_cannot_be_are_told_and_the_books_compared() {
    let mut world = World::new();
    world.queries.clear();
    let detail = format!("private row: execPrice is `-1` {}", "x".repeat(600));
    world.step(Input::Alarm(VenueAlarm::Quarantined { detail }));
    assert_eq!(world.findings(), [FindingKind::VenueQuarantined]);
    assert_eq!(
        world.gate.state().trading_state(TAKER),
        TradingState::Active,
        "what was left out harms nobody"
    );
    world.pass(3);
    assert!(world.queries.iter().any(|query| matches!(query, Query::Snapshot { .. })));
    assert!(world.place(buy(1, "60000.00")).is_ok());
}

#[test]
fn an_unsent_order_is_withdrawn() {
    let mut world = World::new();
    world.prompt = false;
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.ask_for(TAKER, Ask::Cancel(OrderNumber(1))).unwrap();
    let order = world.order(id);
    let sequence = order.sequence.unwrap();
    let effects = world.gate.step(world.now, Input::Release(sequence));
    assert_eq!(effects.release, Some(Release::NotSent(RefusalCode::OrderClosed)));
    world.carry_out(effects);
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::NotSent, 0));
}

#[test]
fn a_reduction_is_not_signed_long_after_its_approval() {
    let mut world = World::new();
    let filled = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(filled, Qty(10), "60000.00");
    world.prompt = false;
    let id = world.place(Place { reduce_only: true, ..sell(10, "60000.00") }).unwrap();
    let of = world.order(id).sequence.unwrap();
    // The process stood still meanwhile; an absence that the venue tells next would prove nothing about what leaves now.
    world.wait(Span::from_millis(1_001));
    let effects = world.gate.step(world.now, Input::Release(of));
    assert_eq!(effects.release, Some(Release::NotSent(RefusalCode::ReleaseExpired)));
    world.carry_out(effects);
    assert_eq!(world.status(id), OrderStatus::NotSent);
}

#[test]
fn release_asks_once_more() {
    let refused = |change: fn(&mut World)| {
        let mut world = World::new();
        world.prompt = false;
        let id = world.place(buy(10, "60000.00")).unwrap();
        change(&mut world);
        let sequence = world.order(id).sequence.unwrap();
        let effects = world.gate.step(world.now, Input::Release(sequence));
        let release = effects.release;
        world.carry_out(effects);
        let expected =
            if release == Some(Release::Go) { OrderStatus::Reserved } else { OrderStatus::NotSent };
        assert_eq!(world.status(id), expected);
        match release.unwrap() {
            Release::Go => None,
            Release::NotSent(code) => Some(code),
        }
    };
    assert_eq!(refused(|_| ()), None);
    assert_eq!(refused(|w| w.wait(Span::from_millis(1_001))), Some(RefusalCode::ReleaseExpired));
    assert_eq!(refused(|w| w.prices("50000.00", "3000.00")), Some(RefusalCode::ReleaseExpired));
    assert_eq!(
        refused(|w| w.step(Input::Link(LinkChange::Private { up: false }))),
        Some(RefusalCode::Inhibited)
    );
    let halt = |w: &mut World| {
        let command = OperatorCommand::Raise {
            scope: Scope::Strategy(TAKER),
            to: TradingState::ReduceOnly,
            reason: String::new(),
        };
        w.step(Input::Operator { actor: "ann".to_owned(), command });
    };
    assert_eq!(refused(halt), Some(RefusalCode::StateReduceOnly));
    let mut world = World::new();
    let effects = world.gate.step(world.now, Input::Release(Sequence(0)));
    assert!(matches!(effects.release, Some(Release::NotSent(_))), "nothing of ours");
}

#[test]
fn good_till_ends_an_order() {
    let mut world = World::new();
    let good_till = Some(world.now.after(Span::from_secs(5)));
    let id = world.place(Place { good_till, ..buy(10, "60000.00") }).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    world.pass(4);
    assert!(world.sent.is_empty());
    world.pass(1);
    assert!(matches!(world.accept(), Command::Cancel(_)));
    world.report(id, VenueStatus::Cancelled);
    assert_eq!((world.status(id), world.order(id).reason), (OrderStatus::Expired, CloseReason::GoodTill));
}

#[test]
fn a_command_without_an_outcome_becomes_unknown() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.next_sent();
    world.pass(29);
    assert_eq!(world.status(id), OrderStatus::Reserved);
    world.pass(2);
    assert_eq!((world.status(id), reserved(&world)), (OrderStatus::Unknown, 10));
}

#[test]
fn a_restart_asks_about_everything_under_way_and_changes_nothing_twice() {
    let mut world = World::new();
    let reserved_order = world.place(buy(10, "60000.00")).unwrap();
    let working = world.place(buy(20, "60000.00")).unwrap();
    world.report(working, VenueStatus::Working);
    let filled = world.place(buy(5, "60000.00")).unwrap();
    world.fill(filled, Qty(5), "60000.00");
    let execution = world.execution_of(working, Qty(3), Price(6_000_000));
    world.queries.clear();
    world.gate = world.folded();
    world.sent.clear();
    world.step(Input::Session(session(world.now)));
    assert_eq!(world.status(reserved_order), OrderStatus::Unknown);
    assert_eq!(world.status(working), OrderStatus::Working);
    assert!(order_queries(&mut world).contains(&reserved_order));
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::WarmUp), "nothing runs yet");
    // The venue tells what was missed; and once more.
    for _ in 0..2 {
        let snapshot = VenueSnapshot {
            time: world.now,
            executions: vec![execution.clone()],
            positions: vec![PositionReport {
                instrument: BTC,
                quantity: SignedQty(8),
                average_price: Amount::ZERO,
                stop_loss: None,
                venue_time: world.now,
            }],
            ..world.snapshot()
        };
        world.step(Input::Snapshot(snapshot));
        assert_eq!(world.gate.state().ledger().quantity(BTC), SignedQty(8));
    }
    assert!(!world.gate.inhibits().contains(Inhibit::Reconciling));
    assert_eq!(reserved(&world), 27, "unknown 10, working 17 of 20");
    // Twice more: the same state but for the session.
    let before = (reserved(&world), world.gate.state().ledger().clone());
    world.restart();
    world.restart();
    assert_eq!((reserved(&world), world.gate.state().ledger().clone()), before);
    assert_eq!(world.status(reserved_order), OrderStatus::Unknown);
    assert!(world.findings().is_empty());
}

#[test]
fn orders_missing_at_the_venue_are_asked_about() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    world.wait(Span::from_secs(1));
    order_queries(&mut world);
    let snapshot = VenueSnapshot { orders: Vec::new(), ..world.snapshot() };
    world.step(Input::Snapshot(snapshot));
    assert_eq!(order_queries(&mut world), [id]);
    assert_eq!(world.status(id), OrderStatus::Working, "a list is not evidence");
    let report = world.report_of(id, VenueStatus::Cancelled);
    world.find(id, Evidence::Found(report));
    assert_eq!(world.status(id), OrderStatus::Cancelled);
}

#[test]
fn an_unexplained_position_is_adjusted_and_trips() {
    let mut world = World::new();
    let wrong = |world: &World| VenueSnapshot {
        positions: vec![PositionReport {
            instrument: BTC,
            quantity: SignedQty(7),
            average_price: Amount::ZERO,
            stop_loss: None,
            venue_time: world.now,
        }],
        ..world.snapshot()
    };
    let first = wrong(&world);
    world.step(Input::Snapshot(first));
    assert_eq!(world.gate.state().ledger().quantity(BTC), SignedQty(0), "executions may be on their way");
    let second = wrong(&world);
    world.step(Input::Snapshot(second));
    assert_eq!(world.gate.state().ledger().quantity(BTC), SignedQty(7));
    assert_eq!(world.findings(), [FindingKind::PositionMismatch]);
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::StateReduceOnly));
    assert!(world.place(reduce(sell(7, "60000.00"))).is_ok(), "it can be closed");
    // Booked at the mark: no profit is invented.
    let position = world.gate.state().ledger().position(BTC, Some(TAKER));
    let profit = position.total_profit(Amount::parse("60000").unwrap(), &spec(BTC, "BTCUSDT", 2, 3));
    assert_eq!(profit, Some(Amount::ZERO));
}

#[test]
fn orders_that_are_not_ours() {
    let foreign = |link: Option<&str>, created_by: CreatedBy| OrderReport {
        link: link.map(|link| link.parse().unwrap()),
        venue_order: "x".parse().unwrap(),
        instrument: BTC,
        side: Side::Buy,
        status: VenueStatus::Working,
        price: Some(Price(6_000_000)),
        quantity: Qty(1),
        executed: Qty(0),
        reason: CloseReason::None,
        reduce_only: true,
        created_by,
        venue_time: START,
    };
    let halting = calm().replace("foreign_orders = \"count\"", "foreign_orders = \"halt\"");
    let seen = |limits: &str, report: OrderReport| {
        let mut world = World::with_limits(limits);
        world.step(Input::Report(ExecutionReport::Order(report.clone())));
        world.step(Input::Report(ExecutionReport::Order(report)));
        (world.findings(), world.gate.state().trading_state(TAKER))
    };
    let found = |state| (vec![FindingKind::ForeignOrder], state);
    assert_eq!(seen(&calm(), foreign(Some("hand-made"), CreatedBy::Client)), found(TradingState::Active));
    assert_eq!(
        seen(&halting, foreign(Some("hand-made"), CreatedBy::Client)),
        found(TradingState::EntriesCancelled)
    );
    // A person's order at the venue's own page has no client id, and may well say that it only reduces.
    assert_eq!(seen(&halting, foreign(None, CreatedBy::Client)), found(TradingState::EntriesCancelled));
    // Protection of a position and the venue's own doing are nobody's.
    for created_by in [CreatedBy::Protection, CreatedBy::Venue] {
        assert_eq!(seen(&halting, foreign(None, created_by)), (vec![], TradingState::Active));
    }
    // Our form without an entry of ours: the key is in other hands.
    let ours = link_of(Sequence(123_456));
    assert_eq!(
        seen(&calm(), foreign(Some(ours.as_str()), CreatedBy::Client)),
        (vec![FindingKind::KeyMisuse], TradingState::EntriesCancelled)
    );
}

#[test]
fn key_misuse_is_seen_however_many_foreign_orders_there_were() {
    let mut world = World::new();
    let mut closed = |number: u32, link: Option<LinkId>| {
        let report = OrderReport {
            link,
            venue_order: format!("x{number}").parse().unwrap(),
            instrument: BTC,
            side: Side::Buy,
            status: VenueStatus::Cancelled,
            price: Some(Price(6_000_000)),
            quantity: Qty(1),
            executed: Qty(0),
            reason: CloseReason::None,
            reduce_only: false,
            created_by: CreatedBy::Client,
            venue_time: START,
        };
        world.step(Input::Report(ExecutionReport::Order(report)));
        world.gate.state().trading_state(TAKER)
    };
    for number in 0..5_000 {
        assert_eq!(closed(number, None), TradingState::Active, "they are only counted");
    }
    assert_eq!(closed(5_000, Some(link_of(Sequence(123_456)))), TradingState::EntriesCancelled);
}

#[test]
fn what_the_venue_does_by_itself_is_booked_on_the_owner() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.fill(id, Qty(10), "60000.00");
    let mut by_venue = |exec: &str, kind, quantity| {
        let execution = Execution {
            exec: exec.parse().unwrap(),
            kind,
            link: None,
            side: Side::Sell,
            quantity: Qty(quantity),
            fee: Amount::parse("0.5").unwrap(),
            fee_quantity: Qty(0),
            ..world.execution_of(id, Qty(1), Price(6_000_000))
        };
        world.step(Input::Report(ExecutionReport::Execution(execution)));
        world.gate.state().ledger().position(BTC, Some(TAKER))
    };
    let position = by_venue("funding", ExecutionKind::Funding, 10);
    assert_eq!((position.quantity, position.funding), (SignedQty(10), Amount::parse("0.5").unwrap()));
    let position = by_venue("liquidation", ExecutionKind::Liquidation, 10);
    assert_eq!(position.quantity, SignedQty(0));
    assert_eq!(world.findings(), [FindingKind::ForeignExecution]);
}

#[test]
fn a_storm_of_rejections_latches() {
    let mut world = World::new();
    let reject = |world: &mut World| {
        world.place(buy(1, "60000.00")).unwrap();
        world.reject(RejectionKind::Margin);
        world.pass(1);
    };
    (0..19).for_each(|_| reject(&mut world));
    world.place(buy(1, "60000.00")).unwrap();
    world.accept();
    (0..19).for_each(|_| reject(&mut world));
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::Active);
    reject(&mut world);
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::ReduceOnly);
    assert_eq!(world.gate.state().trading_state(MAKER), TradingState::Active);
}

#[test]
fn a_fee_in_what_was_bought_is_paid_once() {
    let mut world = World::new();
    let owner = world.gate.state().owner(BTC).unwrap();
    let position = |world: &World| world.gate.state().ledger().position(BTC, Some(owner));
    let id = world.place(buy(100, "60000.00")).unwrap();
    world.accept();
    let price = Price::parse("60000.00", 2).unwrap();
    let value = Amount::parse("60").unwrap();
    let bought = Execution { fee: value, fee_quantity: Qty(1), ..world.execution_of(id, Qty(100), price) };
    world.step(Input::Report(ExecutionReport::Execution(bought)));
    assert_eq!(world.order(id).accounted, Qty(100), "the order is executed whole");
    assert_eq!((position(&world).quantity, position(&world).fees), (SignedQty(99), value));

    let out = world.place(Place { reduce_only: true, ..sell(99, "60000.00") }).unwrap();
    world.accept();
    let sold = Execution { fee: Amount::ZERO, ..world.execution_of(out, Qty(99), price) };
    world.step(Input::Report(ExecutionReport::Execution(sold)));
    assert!(position(&world).quantity.is_flat());
    assert_eq!(position(&world).closed_profit(), Some(Amount(-value.0)), "bought and sold at one price");

    // A purchase so small that the fee takes all of it.
    let id = world.place(buy(1, "60000.00")).unwrap();
    world.accept();
    let dust = Execution { fee: Amount::ZERO, fee_quantity: Qty(1), ..world.execution_of(id, Qty(1), price) };
    world.step(Input::Report(ExecutionReport::Execution(dust)));
    assert!(position(&world).quantity.is_flat());
    assert_eq!(position(&world).closed_profit(), Some(Amount(value.0 * -2)));
    assert!(world.folded().state() == world.gate.state());
}
