//! Against the real paper exchange on a loopback port.

#![allow(clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm, reason = "test code")]

use portcullis_core::{
    CancelOrder, CancelScope, Evidence, InstrumentId, MarginMode, MarketBody, OrderId, Price, Qty,
    RejectionKind, Side, Submission, TimeInForce, VenueAlarm, VenueRejection, VenueStatus,
};
use portcullis_wire::Credentials;

use super::*;
use crate::live_gate::AccountPolicy;
use crate::test_exchange::{BTC, connect, connect_as, exchange, limit, link, spot_exchange};
use crate::{Endpoints, LocalSigner, Wanted, system_clock};

#[test]
fn an_order_lives_and_dies() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    let snapshot = client.ready();
    assert!(snapshot.orders.is_empty() && snapshot.positions.is_empty());
    assert!(snapshot.wallet.available.0 > 0);
    let (bid, _) = client.quote();

    let name = link("p001-rest");
    let of =
        client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::PostOnly), &name);
    assert!(matches!(client.outcome(of), Submission::Accepted { venue_order: Some(_) }));
    let working = client.order(&name, VenueStatus::Working);
    assert_eq!(
        (working.instrument, working.quantity, working.price),
        (BTC, Qty(10), Some(Price(bid.0 - 5_000)))
    );

    let again =
        client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::PostOnly), &name);
    let Submission::Rejected(rejection) = client.outcome(again) else { panic!("a second order of one name") };
    assert_eq!(rejection.kind, RejectionKind::DuplicateLinkId);

    let cancel = Command::Cancel(CancelOrder { order: OrderId(1), instrument: BTC, link: name.clone() });
    let of = client.send(Class::Cancel, &cancel, &link("unused"));
    assert!(matches!(client.outcome(of), Submission::Accepted { .. }));
    let gone = client.order(&name, VenueStatus::Cancelled);
    assert_eq!((gone.executed, gone.reason), (Qty(0), portcullis_core::CloseReason::ByStrategy));

    let of = client.send(Class::Cancel, &cancel, &link("unused"));
    let Submission::Rejected(rejection) = client.outcome(of) else { panic!("cancelled twice") };
    assert_eq!(rejection.kind, RejectionKind::NoSuchOrder);
}

#[test]
fn a_taker_is_filled_and_a_late_client_finds_out() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    let (_, ask) = client.quote();
    let name = link("p001-take");
    let of = client.send(Class::Adding, &limit(Side::Buy, Price(ask.0 + 1_000), TimeInForce::Ioc), &name);
    assert!(matches!(client.outcome(of), Submission::Accepted { .. }));
    let fill = client.fill(&name);
    assert_eq!((fill.link.as_ref(), fill.maker), (Some(&name), false));
    assert!(fill.fee.0 > 0 && fill.price <= Price(ask.0 + 1_000));
    drop(client);

    let mut late = connect(&exchange);
    let snapshot = late.ready();
    assert_eq!(snapshot.positions.len(), 1);
    assert!(snapshot.executions.iter().any(|known| known.exec == fill.exec));

    let Evidence::Found(found) = late.evidence(&name) else { panic!("not found") };
    assert_eq!((found.link, found.status), (Some(name), VenueStatus::Filled));
    assert_eq!(late.evidence(&link("p001-never")), Evidence::Absent);
}

#[test]
fn a_lost_answer_is_unknown_and_the_order_is_found() {
    let exchange =
        exchange("[[fault]]\nat = \"/v5/order/create\"\ndoes = \"timeout_after_accept\"\nnth = 1\n");
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    let name = link("p001-lost");
    let of = client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc), &name);
    assert!(matches!(client.outcome(of), Submission::Unknown { .. }));
    assert!(matches!(client.evidence(&name), Evidence::Found(order) if order.status == VenueStatus::Working));
}

#[test]
fn a_cut_private_stream_comes_back_reconciled() {
    let exchange = exchange("[[fault]]\nat = \"order\"\ndoes = \"disconnect\"\nnth = 1\n");
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    let name = link("p001-cut");
    client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc), &name);
    client.until("private down", |event| {
        matches!(event, VenueEvent::Link(LinkChange::Private { up: false })).then_some(())
    });
    let snapshot = client.ready();
    assert!(snapshot.orders.iter().any(|order| order.link.as_ref() == Some(&name)));
    assert!(client.venue.counters().reconnects() >= 1);
}

#[test]
fn a_halt_empties_the_book_of_our_orders() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    for at in 0..3 {
        let name = link(&format!("p001-{at}"));
        client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000 - at), TimeInForce::Gtc), &name);
        client.order(&name, VenueStatus::Working);
    }
    let all = Command::CancelAll(portcullis_core::CancelAll { instrument: BTC, scope: CancelScope::Entries });
    let of = client.send(Class::Cancel, &all, &link("unused"));
    assert_eq!(client.outcome(of), Submission::Accepted { venue_order: None });
    assert!(client.snapshot().orders.is_empty());
}

#[test]
fn entries_over_the_budget_are_refused_and_never_queued() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    let sent: Vec<Sequence> = (0..40)
        .map(|at| {
            let command = limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc);
            client.send(Class::Adding, &command, &link(&format!("p001-{at}")))
        })
        .collect();
    let outcomes: Vec<Submission> = sent.into_iter().map(|of| client.outcome(of)).collect();
    let refused = outcomes.iter().filter(|outcome| {
        matches!(
            outcome,
            Submission::Rejected(VenueRejection { kind: RejectionKind::RateLimited, code: 0, .. })
        )
    });
    assert!(refused.count() >= 20);
}

#[test]
fn an_instrument_is_taken_on_while_running() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    client.quote();
    client.seen.clear();
    let ether = Wanted {
        id: InstrumentId(8),
        category: Category::Linear,
        symbol: "ETHUSDT".parse().unwrap(),
        decimals: None,
        book_depth: 3,
        bars_s: Vec::new(),
    };
    let nowhere = Wanted { id: InstrumentId(9), symbol: "NOSUCHUSDT".parse().unwrap(), ..ether.clone() };
    client.venue.follow(1, vec![nowhere]);
    client.venue.follow(2, vec![ether.clone()]);
    client.until("its rules", |event| match event {
        VenueEvent::Instrument(spec) => {
            assert_eq!((spec.id, spec.symbol.as_str()), (InstrumentId(8), "ETHUSDT"));
            Some(())
        }
        _ => None,
    });
    client.until("a comparison", |event| matches!(event, VenueEvent::Snapshot(_)).then_some(()));
    client.until("its market", |event| match event {
        VenueEvent::Market(event) if event.instrument == InstrumentId(8) => match &event.body {
            MarketBody::Book(book) => (1..=3).contains(&book.bids.len()).then_some(()),
            _ => None,
        },
        _ => None,
    });
    let interrupted =
        client.seen.iter().any(|event| matches!(event, VenueEvent::Link(LinkChange::Public { up: false })));
    assert!(!interrupted, "the others went on");
    let mut outcomes = [client.followed(), client.followed()];
    outcomes.sort_by_key(|outcome| outcome.ticket);
    let [refused, followed] = outcomes;
    assert!(refused.result.unwrap_err().to_string().contains("NOSUCHUSDT"));
    assert_eq!(followed.result.unwrap()[0].id, InstrumentId(8));

    // Known already: answered, and nothing is told again.
    client.seen.clear();
    client.venue.follow(3, vec![ether]);
    assert_eq!(client.followed().result.unwrap()[0].id, InstrumentId(8));
    assert!(!client.seen.iter().any(|event| matches!(event, VenueEvent::Instrument(_))));
}

#[test]
fn nothing_listens_is_an_error_not_a_hang() {
    let read = Credentials::new("k", &"s".to_owned().into());
    let endpoints = Endpoints::paper("http://127.0.0.1:9", "ws://127.0.0.1:9");
    let mut config = Config::new(Environment::Paper, endpoints, read.clone(), system_clock);
    config.instruments = vec![Wanted {
        id: BTC,
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        decimals: None,
        book_depth: 0,
        bars_s: Vec::new(),
    }];
    let result = BybitVenue::connect(config, Box::new(LocalSigner::new(read, system_clock)), || {});
    assert!(matches!(result, Err(ConnectError::Query { .. })));
}

/// The paper account is a main account of one-way positions in cross margin, reached from this machine.
#[test]
fn a_policy_is_held_against_the_account_before_the_first_order() {
    let exchange = exchange("");
    let policy = |change: fn(&mut AccountPolicy)| {
        let mut policy = AccountPolicy::strict(vec!["127.0.0.1".parse().unwrap()], MarginMode::Cross);
        policy.allow_main_account = true;
        change(&mut policy);
        move |config: &mut Config| config.policy = Some(policy)
    };
    let refused = |change: fn(&mut AccountPolicy)| match connect_as(&exchange, policy(change)) {
        Err(ConnectError::Policy(words)) => words,
        other => panic!("{:?}", other.map(|_| ())),
    };
    assert!(refused(|policy| policy.margin_mode = MarginMode::Isolated).contains("MARGIN_MODE"));
    assert!(
        refused(|policy| policy.addresses = vec!["198.51.100.7".parse().unwrap()]).contains("KEY_ADDRESS")
    );
}

#[test]
fn an_account_that_comes_to_break_its_policy_is_an_alarm() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    let shared = Arc::clone(&client.venue.shared);
    let strict = AccountPolicy::strict(Vec::new(), MarginMode::Cross);
    let runtime = client.venue.runtime.as_ref().unwrap();
    let findings = runtime.block_on(policy::check(&shared, &strict)).unwrap();
    let words = policy::refusals(&findings);
    assert!(words.contains("KEY_ADDRESS"), "{words}");
}

/// An order of ours that the journal does not have, because an older copy of it was put back (RULES J5).
#[test]
fn orders_newer_than_the_journal_are_an_alarm_before_anything_else() {
    let exchange = exchange("");
    let epoch = portcullis_journal::Epoch::FIRST;
    let digest = portcullis_core::Digest([9; 32]);
    let name = portcullis_journal::link_id(Environment::Paper, epoch, Sequence(500), &digest).unwrap();
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    let resting = limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc);
    client.send(Class::Adding, &resting, &name);
    client.order(&name, VenueStatus::Working);
    let cancel = Command::Cancel(CancelOrder { order: OrderId(1), instrument: BTC, link: name.clone() });
    client.send(Class::Cancel, &cancel, &link("unused"));
    client.order(&name, VenueStatus::Cancelled);
    drop(client);

    for (sequence, alarms) in [(499, true), (500, false)] {
        let head = crate::JournalHead { epoch, sequence: Sequence(sequence) };
        let mut client = connect_as(&exchange, |config| config.journal_head = Some(head)).unwrap();
        client.ready();
        let alarm = client.seen.iter().position(
            |event| matches!(event, VenueEvent::Alarm(VenueAlarm::RolledBack { link }) if *link == name),
        );
        let snapshot = client.seen.iter().position(|event| matches!(event, VenueEvent::Snapshot(_)));
        assert_eq!(alarm.is_some(), alarms, "{sequence}");
        assert!(!alarms || alarm < snapshot, "told before the books are compared");
    }
}

/// A bad start: the venue cannot be looked through until an order of this very session is there, which is newer than the journal was.
#[test]
fn orders_of_this_session_are_no_sign_of_an_older_journal() {
    let exchange =
        exchange("[[fault]]\nat = \"/v5/order/history\"\ndoes = \"server_error\"\nnth = 1\nfor_ms = 2000\n");
    let epoch = portcullis_journal::Epoch::FIRST;
    let head = crate::JournalHead { epoch, sequence: Sequence(499) };
    let mut client = connect_as(&exchange, |config| config.journal_head = Some(head)).unwrap();
    let digest = portcullis_core::Digest([9; 32]);
    let name = portcullis_journal::link_id(Environment::Paper, epoch, Sequence(500), &digest).unwrap();
    let (bid, _) = client.quote();
    let resting = limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc);
    let of = client.send(Class::Adding, &resting, &name);
    assert!(matches!(client.outcome(of), Submission::Accepted { .. }));
    let snapshot = client.ready();
    assert!(snapshot.orders.iter().any(|order| order.link.as_ref() == Some(&name)));
    let rolled_back = |event: &VenueEvent| matches!(event, VenueEvent::Alarm(VenueAlarm::RolledBack { .. }));
    assert!(!client.seen.iter().any(rolled_back));
}

#[test]
fn spot_orders_live_and_die_and_pay_in_the_base_coin() {
    let folder = tempfile::tempdir().unwrap();
    let exchange = spot_exchange(folder.path());
    let spot = |config: &mut Config| config.instruments[0].category = Category::Spot;
    let mut client = connect_as(&exchange, spot).unwrap();
    client.ready();
    let (bid, ask) = client.quote();
    let name = link("p001-spot");
    let resting = limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc);
    let Command::Place(mut resting) = resting else { panic!() };
    resting.quantity = Qty(10_000);
    client.send(Class::Adding, &Command::Place(resting.clone()), &name);
    client.order(&name, VenueStatus::Working);
    let cancel = |name: &LinkId| {
        Command::Cancel(CancelOrder { order: OrderId(1), instrument: BTC, link: name.clone() })
    };
    client.send(Class::Cancel, &cancel(&name), &link("unused"));
    client.order(&name, VenueStatus::Cancelled);

    // A conditional order is cancelled too, though spot keeps those apart.
    let waiting = link("p001-waiting");
    let mut conditional = resting.clone();
    conditional.price = Some(Price(ask.0 + 50_000));
    conditional.trigger = Some(portcullis_core::Trigger { price: Price(ask.0 + 50_000), rising: true });
    client.send(Class::Adding, &Command::Place(conditional), &waiting);
    client.order(&waiting, VenueStatus::Untriggered);
    let of = client.send(Class::Cancel, &cancel(&waiting), &link("unused"));
    let outcome = client.outcome(of);
    assert!(matches!(outcome, Submission::Accepted { .. }), "{outcome:?}");

    let taken = link("p001-taken");
    let mut taking = resting;
    (taking.price, taking.time_in_force) = (Some(Price(ask.0 + 1_000)), TimeInForce::Ioc);
    client.send(Class::Adding, &Command::Place(taking), &taken);
    let fill = client.fill(&taken);
    // Paid in bitcoin, told in dollars: about a thousandth of the value or less, and not of the quantity.
    let value =
        portcullis_core::notional(fill.price, 2, fill.quantity, 6, portcullis_core::Rounding::Down).unwrap();
    assert!(fill.fee.0 > value.0 / 10_000 && fill.fee.0 <= value.0 / 500, "{fill:?}");

    // The wallet holds what the books have, and whatever else is there.
    let kept = fill.quantity.0 - fill.fee_quantity.0;
    let wallet = client.snapshot().wallet;
    let held: Vec<_> =
        wallet.spot.iter().map(|balance| (balance.instrument, balance.quantity.0 >= kept)).collect();
    assert_eq!(held, [(BTC, true)], "{wallet:?}");
    let limit = client.until("the price limits of spot", |event| match event {
        VenueEvent::PriceLimit(limit) => Some(*limit),
        _ => None,
    });
    assert!(limit.lowest_ask < ask && ask < limit.highest_bid, "{limit:?}");
}

#[test]
fn price_limits_are_told_again_and_again() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    let (bid, ask) = client.quote();
    let mut seen = Vec::new();
    client.until("three of them", |event| {
        let VenueEvent::PriceLimit(limit) = event else { return None };
        seen.push(*limit);
        (seen.len() >= 3).then_some(())
    });
    assert!(
        seen.iter().all(|limit| limit.instrument == BTC && limit.lowest_ask < bid && ask < limit.highest_bid)
    );
    assert!(seen.windows(2).all(|pair| pair[0].at < pair[1].at), "{seen:?}");
}
