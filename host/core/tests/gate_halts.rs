//! Up the ladder at once, down in two steps, and nothing called done before a query proves it.
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

fn operator(world: &mut World, command: OperatorCommand) -> Reply {
    world.step(Input::Operator { actor: "ann".to_owned(), command });
    world.reply.take().unwrap()
}

fn raise(world: &mut World, scope: Scope, to: TradingState) -> Reply {
    operator(world, OperatorCommand::Raise { scope, to, reason: "drill".to_owned() })
}

fn cancel_alls(world: &mut World) -> Vec<(InstrumentId, CancelScope)> {
    let sent: Vec<(Sequence, Command)> = world.sent.drain(..).collect();
    sent.into_iter()
        .filter_map(|(_, command)| match command {
            Command::CancelAll(all) => Some((all.instrument, all.scope)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_halt_repeats_until_a_query_shows_nothing() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    assert_eq!(raise(&mut world, Scope::Account, TradingState::EntriesCancelled), Reply::Done);
    let each = [CancelScope::Entries, CancelScope::Conditional];
    let all: Vec<_> = [BTC, ETH].into_iter().flat_map(|i| each.map(|scope| (i, scope))).collect();
    assert_eq!(cancel_alls(&mut world), all);
    world.queries.clear();
    world.pass(1);
    assert_eq!(cancel_alls(&mut world), all, "again");
    world.pass(1);
    assert_eq!(cancel_alls(&mut world), all, "and again");
    assert!(world.queries.iter().any(|query| matches!(query, Query::Snapshot { .. })));
    // The order is gone, but only a query proves it.
    world.report(id, VenueStatus::Cancelled);
    world.pass(1);
    assert_eq!(cancel_alls(&mut world), all);
    world.wait(Span(1));
    let snapshot = world.snapshot();
    world.step(Input::Snapshot(snapshot));
    world.pass(3);
    assert_eq!(cancel_alls(&mut world), []);
    assert!(world.findings().is_empty());
}

/// What nobody signs is written down and not sent: the pauses grow, and it all leaves as soon as there is a signer.
#[test]
fn without_a_signer_a_halt_waits_and_leaves_with_the_next_one() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    world.step(Input::Link(LinkChange::Signer { up: false }));
    raise(&mut world, Scope::Account, TradingState::EntriesCancelled);
    assert!(!cancel_alls(&mut world).is_empty(), "it is tried at once");
    let tried: Vec<u32> = (1..=63)
        .filter(|_| {
            world.pass(1);
            !cancel_alls(&mut world).is_empty()
        })
        .collect();
    let pauses: Vec<u32> = tried.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(tried.len() <= 7 && pauses.is_sorted() && pauses.last() >= Some(&16), "{tried:?}");
    world.step(Input::Link(LinkChange::Signer { up: true }));
    let each = [CancelScope::Entries, CancelScope::Conditional];
    let all: Vec<_> = [BTC, ETH].into_iter().flat_map(|i| each.map(|scope| (i, scope))).collect();
    assert_eq!(cancel_alls(&mut world), all, "at once");
    world.pass(1);
    assert_eq!(cancel_alls(&mut world), all, "and once a second from there on");
}

#[test]
fn a_halt_that_does_not_come_through_is_told() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    raise(&mut world, Scope::Strategy(TAKER), TradingState::EntriesCancelled);
    for _ in 0..20 {
        world.pass(1);
        let snapshot = world.snapshot();
        world.step(Input::Snapshot(snapshot));
    }
    assert_eq!(world.findings(), [FindingKind::HaltNotConfirmed], "once");
    assert!(
        cancel_alls(&mut world).iter().all(|(instrument, _)| *instrument == BTC),
        "the other one goes on"
    );
}

/// Lets so many seconds pass and says in which of them something was sent that `is_wanted` picks; `answer` says what the venue makes
/// of it.
fn attempts(
    world: &mut World,
    seconds: u64,
    is_wanted: fn(&Command) -> bool,
    answer: fn(&mut World, Sequence),
) -> Vec<u64> {
    let mut at = Vec::new();
    for second in 0..seconds {
        for (of, command) in std::mem::take(&mut world.sent) {
            if is_wanted(&command) {
                at.push(second);
            }
            answer(world, of);
        }
        world.pass(1);
    }
    at.dedup();
    at
}

fn refuse(world: &mut World, of: Sequence) {
    let rejection =
        VenueRejection { kind: RejectionKind::Unauthorised, code: 33_004, message: String::new() };
    world.answer(of, Submission::Rejected(rejection));
}

/// The pauses grow, the first is this long, and none is longer than that.
fn check_pauses(at: &[u64], first: u64, longest: u64) {
    let pauses: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(pauses.first(), Some(&first), "{at:?}");
    assert!(pauses.windows(2).all(|pair| pair[1] >= pair[0]), "{at:?}");
    assert_eq!(pauses.last(), Some(&longest), "{at:?}");
}

#[test]
fn a_halt_that_the_venue_refuses_goes_on_ever_more_slowly() {
    let mut world = World::new();
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    raise(&mut world, Scope::Strategy(TAKER), TradingState::EntriesCancelled);
    let is_halt = |command: &Command| matches!(command, Command::CancelAll(_));
    let at = attempts(&mut world, 300, is_halt, refuse);
    assert!(at.starts_with(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), "{at:?}");
    check_pauses(&at, 1, 30);
    assert!(at.len() < 30, "{at:?}");
    // Once the venue can be spoken to again it is tried at once, and the pauses begin anew.
    world.step(Input::Link(LinkChange::Private { up: false }));
    world.step(Input::Link(LinkChange::Private { up: true }));
    assert_eq!(attempts(&mut world, 4, is_halt, refuse), [1, 3]);
    // It goes on for as long as no query shows that nothing is left.
    assert_eq!(world.gate.halt_is_proven(BTC), Some(false));
}

#[test]
fn a_cancel_that_the_venue_refuses_is_tried_ever_more_slowly() {
    let mut world = World::new();
    let till = world.now.after(Span::from_secs(5));
    let id = world.place(Place { good_till: Some(till), ..buy(10, "60000.00") }).unwrap();
    world.accept();
    world.report(id, VenueStatus::Working);
    let is_cancel = |command: &Command| matches!(command, Command::Cancel(_));
    let at = attempts(&mut world, 200, is_cancel, refuse);
    check_pauses(&at, 1, 30);
    assert!(at.len() < 14, "{at:?}");
}

#[test]
fn a_flatten_that_the_venue_refuses_is_tried_ever_more_slowly() {
    let mut world = World::new();
    let filled = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(filled, Qty(10), "60000.00");
    raise(&mut world, Scope::Strategy(TAKER), TradingState::Flattening);
    let is_close = |command: &Command| matches!(command, Command::Place(_));
    let at = attempts(&mut world, 100, is_close, refuse);
    check_pauses(&at, 1, 10);
    assert!(at.len() < 18, "{at:?}");
    // The rate budget is there again: no need to wait.
    world.step(Input::Link(LinkChange::RateBudget { up: false }));
    world.step(Input::Link(LinkChange::RateBudget { up: true }));
    assert_eq!(attempts(&mut world, 3, is_close, refuse).first(), Some(&1));
}

#[test]
fn a_halt_survives_a_restart() {
    let mut world = World::new();
    raise(&mut world, Scope::Account, TradingState::EntriesCancelled);
    world.restart();
    world.start(TAKER, "taker", BTC);
    world.pass(1);
    assert!(!cancel_alls(&mut world).is_empty(), "it goes on where it was");
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::StateEntriesCancelled));
}

#[test]
fn raising_never_lowers() {
    let mut world = World::new();
    assert_eq!(raise(&mut world, Scope::Account, TradingState::Flattening), Reply::Done);
    assert_eq!(raise(&mut world, Scope::Account, TradingState::ReduceOnly), Reply::Nothing);
    assert!(matches!(raise(&mut world, Scope::Account, TradingState::Active), Reply::Refused(_)));
    assert_eq!(world.gate.state().ladder().of(Scope::Account), TradingState::Flattening);
}

#[test]
fn rearming_takes_two_steps() {
    let mut world = World::new();
    let request = OperatorCommand::RearmRequest { scope: Scope::Account, reason: "checked".to_owned() };
    let confirm = |code: &str| OperatorCommand::RearmConfirm {
        scope: Scope::Account,
        code: code.to_owned(),
        new_baseline: false,
    };
    assert_eq!(operator(&mut world, request.clone()), Reply::Nothing);
    raise(&mut world, Scope::Account, TradingState::ReduceOnly);
    assert!(matches!(operator(&mut world, confirm("")), Reply::Refused(_)), "nothing was requested");
    let code = |reply: Reply| match reply {
        Reply::ConfirmWith { code, .. } => code,
        other => panic!("{other:?}"),
    };
    code(operator(&mut world, request.clone()));
    assert!(matches!(operator(&mut world, confirm("000000x")), Reply::Refused(_)));
    let late = code(operator(&mut world, request.clone()));
    world.pass(61);
    assert!(matches!(operator(&mut world, confirm(&late)), Reply::Refused(_)));
    let good = code(operator(&mut world, request.clone()));
    assert_eq!(operator(&mut world, confirm(&good)), Reply::Done);
    assert!(world.place(buy(1, "60000.00")).is_ok());
    // Not while something is unknown.
    world.lose();
    raise(&mut world, Scope::Account, TradingState::ReduceOnly);
    assert!(matches!(operator(&mut world, request), Reply::Refused(_)));
}

#[test]
fn a_new_baseline_ends_a_daily_loss() {
    let limits = calm().replace("daily_loss_max = \"2500\"", "daily_loss_max = \"10\"");
    let mut world = World::with_limits(&limits);
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(id, Qty(10), "60000.00");
    world.prices("58000.00", "3000.00");
    world.pass(1);
    let scope = Scope::Strategy(TAKER);
    assert_eq!(world.gate.state().ladder().of(scope), TradingState::ReduceOnly);
    let mut rearm = |new_baseline| {
        let request = OperatorCommand::RearmRequest { scope, reason: String::new() };
        let Reply::ConfirmWith { code, .. } = operator(&mut world, request) else { panic!() };
        operator(&mut world, OperatorCommand::RearmConfirm { scope, code, new_baseline });
        world.pass(1);
        world.gate.state().ladder().of(scope)
    };
    assert_eq!(rearm(false), TradingState::ReduceOnly, "it trips again at once");
    assert_eq!(rearm(true), TradingState::Active);
}

#[test]
fn the_day_starts_anew_at_midnight() {
    let limits = calm().replace("daily_loss_max = \"2500\"", "daily_loss_max = \"100\"");
    let mut world = World::with_limits(&limits);
    let id = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(id, Qty(10), "60000.00");
    world.prices("54000.00", "3000.00");
    assert!(world.place(buy(1, "54000.00")).is_ok(), "lost 60 of 100");
    world.wait(Span::from_secs(43_200));
    world.refresh();
    world.step(Input::Tick);
    world.prices("49000.00", "3000.00");
    assert!(world.place(buy(1, "49000.00")).is_ok(), "lost 50 today, 110 in all");
}

#[test]
fn cancelling_entries_raises_nothing() {
    let mut world = World::new();
    let entry = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    let filled = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(filled, Qty(10), "60000.00");
    let exit = world.place(reduce(sell(10, "61000.00"))).unwrap();
    world.accept();
    let command = OperatorCommand::CancelEntries { scope: Scope::Account, reason: String::new() };
    assert_eq!(operator(&mut world, command.clone()), Reply::Done);
    assert_eq!(world.next_sent().1.order(), Some(entry));
    assert!(world.sent.is_empty(), "the exit stays");
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::Active);
    world.report(entry, VenueStatus::Cancelled);
    assert_eq!(world.order(entry).reason, CloseReason::ByHost);
    assert_eq!(operator(&mut world, command), Reply::Nothing);
    assert!(world.order(exit).status.is_open());
}

#[test]
fn flattening_goes_on_until_flat() {
    let mut world = World::new();
    let filled = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(filled, Qty(10), "60000.00");
    raise(&mut world, Scope::Account, TradingState::Flattening);
    let closing = |world: &mut World| {
        let sent: Vec<_> = world.sent.drain(..).collect();
        let mut places = sent.into_iter().filter_map(|(of, command)| match command {
            Command::Place(place) => Some((of, place)),
            _ => None,
        });
        let first = places.next();
        assert!(places.next().is_none(), "one at a time");
        first
    };
    let (of, place) = closing(&mut world).unwrap();
    assert_eq!((place.side, place.quantity, place.reduce_only), (Side::Sell, Qty(10), true));
    world.answer(of, Submission::Accepted { venue_order: None });
    world.pass(2);
    assert!(closing(&mut world).is_none());
    // It fills in part and the rest is cancelled.
    world.fill(place.order, Qty(6), "60000.00");
    let report = OrderReport {
        reason: CloseReason::NoLiquidity,
        ..world.report_of(place.order, VenueStatus::Cancelled)
    };
    world.step(Input::Report(ExecutionReport::Order(report)));
    world.pass(1);
    let (_, place) = closing(&mut world).unwrap();
    assert_eq!(place.quantity, Qty(4));
    world.fill(place.order, Qty(4), "60000.00");
    world.pass(2);
    assert!(closing(&mut world).is_none());
    assert_eq!(world.gate.state().ledger().position(BTC, Some(TAKER)).quantity, SignedQty(0));
}

#[test]
fn a_strategy_flattens_its_own() {
    let mut world = World::new();
    let filled = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(filled, Qty(10), "60000.00");
    let entry = world.place(buy(5, "59000.00")).unwrap();
    world.accept();
    world.ask_for(TAKER, Ask::Flatten(0)).unwrap();
    assert_eq!(world.next_sent().1.order(), Some(entry));
    let (_, Command::Place(place)) = world.next_sent() else { panic!() };
    assert_eq!((place.side, place.quantity, place.reduce_only), (Side::Sell, Qty(10), true));
    // The entry fills before its cancel arrives: that is closed too.
    world.fill(entry, Qty(5), "59000.00");
    world.fill(place.order, Qty(10), "60000.00");
    let (_, Command::Place(place)) = world.next_sent() else { panic!() };
    assert_eq!(place.quantity, Qty(5));
    world.fill(place.order, Qty(5), "59000.00");
    world.pass(2);
    assert!(world.sent.is_empty());
    assert!(world.place(buy(1, "60000.00")).is_ok(), "a flatten is no halt");
}

#[test]
fn a_resting_reduction_does_not_hold_up_a_flatten() {
    let mut world = World::new();
    let filled = world.place(buy(10, "60000.00")).unwrap();
    world.accept();
    world.fill(filled, Qty(10), "60000.00");
    // A take-profit for a part of the position, far away.
    let resting = world.place(Place { reduce_only: true, ..sell(8, "61000.00") }).unwrap();
    world.accept();
    world.ask_for(TAKER, Ask::Flatten(0)).unwrap();
    assert_eq!(world.next_sent().1.order(), Some(resting), "it makes way");
    let (_, Command::Place(place)) = world.next_sent() else { panic!() };
    assert_eq!((place.side, place.quantity), (Side::Sell, Qty(2)), "what nothing holds is closed at once");
    world.fill(place.order, Qty(2), "60000.00");
    world.report(resting, VenueStatus::Cancelled);
    world.pass(1);
    let (_, Command::Place(place)) = world.next_sent() else { panic!() };
    assert_eq!((place.side, place.quantity, place.reduce_only), (Side::Sell, Qty(8), true));
}

#[test]
fn a_strategy_that_goes_down_leaves_no_entries() {
    let down: [fn() -> StrategyChange; 3] = [
        || StrategyChange::Stopped { strategy: TAKER, reason: String::new() },
        || StrategyChange::Quarantined { strategy: TAKER, failure: trap(), first: trap() },
        || StrategyChange::Unresponsive(TAKER),
    ];
    for change in down {
        let mut world = World::new();
        let entry = world.place(buy(5, "59000.00")).unwrap();
        world.accept();
        let waiting = world.place(buy(5, "59000.00")).unwrap();
        let (of, _) = world.next_sent();
        world.step(Input::Strategy(change()));
        assert_eq!(world.next_sent().1.order(), Some(entry));
        assert!(world.sent.is_empty());
        world.answer(of, Submission::Accepted { venue_order: None });
        assert_eq!(world.next_sent().1.order(), Some(waiting));
    }
}

#[test]
fn what_operators_do_is_a_fact_that_changes_nothing() {
    let mut world = World::new();
    world.records();
    let name: StrategyName = "grid".parse().unwrap();
    let commands = [
        OperatorCommand::Deploy {
            strategy: name.clone(),
            bundle: "grid-1.0.0".to_owned(),
            digest: Digest([7; 32]),
        },
        OperatorCommand::Stop { strategy: name },
        OperatorCommand::Access { kind: AccessKind::Login, address: "203.0.113.7".parse().unwrap() },
        OperatorCommand::FailedAccess { count: 3 },
    ];
    let before = world.gate.state().clone();
    for command in commands {
        let journaled = world.records().len();
        assert_eq!(operator(&mut world, command.clone()), Reply::Done);
        let records = world.records();
        let [Record::Operator(entry)] = &records[journaled..] else { panic!("{records:?}") };
        assert_eq!((entry.actor.as_str(), &entry.command), ("ann", &command));
        let bytes = records[journaled].encode();
        assert_eq!(Record::decode(31, &bytes).unwrap(), records[journaled]);
    }
    assert_eq!(world.gate.state(), &before);
}

#[test]
fn words_of_strangers_are_short_and_plain() {
    for text in ["", "a\nb", "na\u{ef}ve", &"x".repeat(65)] {
        assert!(text.parse::<ActorName>().is_err(), "{text:?}");
        assert!(text.parse::<UserName>().is_err(), "{text:?}");
        assert!(text.parse::<PeerAddress>().is_err(), "{text:?}");
    }
    assert_eq!("console:ada l.".parse::<ActorName>().unwrap().as_str(), "console:ada l.");
}

#[test]
fn books_that_do_not_add_up_bound_nothing() {
    let mut world = World::new();
    for exec in ["huge-1", "huge-2"] {
        let execution = Execution {
            exec: exec.parse().unwrap(),
            kind: ExecutionKind::Funding,
            link: None,
            venue_order: "v".parse().unwrap(),
            instrument: BTC,
            side: Side::Buy,
            price: Price(6_000_000),
            quantity: Qty(1),
            fee: Amount(i128::MAX),
            fee_quantity: Qty(0),
            maker: false,
            created_by: CreatedBy::Venue,
            venue_time: world.now,
        };
        world.step(Input::Report(ExecutionReport::Execution(execution)));
    }
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::EntriesCancelled);
    assert_eq!(
        world.place(buy(1, "60000.00")),
        Err(RefusalCode::StateEntriesCancelled),
        "the ladder says it"
    );
    // Even rearmed nothing that adds risk passes, because no bound can be computed.
    let scope = Scope::Account;
    let request = OperatorCommand::RearmRequest { scope, reason: String::new() };
    let Reply::ConfirmWith { code, .. } = operator(&mut world, request) else { panic!() };
    operator(&mut world, OperatorCommand::RearmConfirm { scope, code, new_baseline: false });
    assert_eq!(world.gate.state().trading_state(TAKER), TradingState::Active);
    assert_eq!(world.place(buy(1, "60000.00")), Err(RefusalCode::CannotEvaluate));
}
