//! What users of other programs went through (`reference/trading.md` §4), as far as it is the client's to get right. The numbers are the
//! rows; README.md of this crate says where the others are.

#![allow(clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm, reason = "test code")]

use core::time::Duration;

use portcullis_core::{
    CancelAll, CancelScope, Class, Command, Evidence, ExecutionReport, LinkChange, LinkId, PlaceOrder, Price,
    Qty, RejectionKind, Side, Submission, TimeInForce, VenueStatus,
};
use portcullis_gateway::{Venue as _, VenueEvent};
use portcullis_wire::RECV_WINDOW_MS;

use crate::SignedRequest;
use crate::test_exchange::{
    BTC, Client, Exchange, cancel, connect, connect_as, exchange, fault, limit, link, rest,
};

fn outcomes(client: &Client) -> usize {
    client.seen.iter().filter(|event| matches!(event, VenueEvent::Submission { .. })).count()
}

fn went_down(client: &Client) -> bool {
    client.seen.iter().any(|event| matches!(event, VenueEvent::Link(LinkChange::Private { up: false })))
}

fn executions(client: &Client) -> Vec<portcullis_core::Execution> {
    let one = |event: &VenueEvent| match event {
        VenueEvent::Report(ExecutionReport::Execution(execution)) => Some(execution.clone()),
        _ => None,
    };
    client.seen.iter().filter_map(one).collect()
}

/// Buys at the market's price and more.
fn take(client: &mut Client, name: &LinkId) {
    let (_, ask) = client.quote();
    client.send(Class::Adding, &limit(Side::Buy, Price(ask.0 + 1_000), TimeInForce::Ioc), name);
}

/// Every source file under a folder, one after the other.
fn sources(folder: &std::path::Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn the_table_of_lessons_names_tests_that_exist() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let mut text = String::new();
    sources(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), &mut text);
    let mut rows = Vec::new();
    for line in readme.lines() {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let Some(row) = cells.next().and_then(|row| row.parse::<u32>().ok()) else { continue };
        let tests = cells.next().unwrap_or_default().split('`').skip(1).step_by(2);
        // Files are named there too, without their ending.
        let is_test = |name: &&str| {
            name.contains('_') && !name.contains(['/', '.']) && !readme.contains(&format!("`{name}.rs`"))
        };
        let names: Vec<&str> = tests.filter(is_test).collect();
        for name in &names {
            let test = format!("fn {name}()");
            assert!(text.contains(&test), "row {row} names {name}, which is no test");
        }
        assert!(!names.is_empty(), "row {row} names no test");
        rows.push(row);
    }
    assert_eq!(rows, (1..=19).chain(22..=27).collect::<Vec<u32>>());
}

#[test]
fn lesson_01_silence_is_no_rejection() {
    let exchange = exchange(&fault("/v5/order/create", "timeout_before_accept", "nth = 1"));
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    let name = link("p001-silent");
    let of = client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc), &name);
    assert!(matches!(client.outcome(of), Submission::Unknown { .. }));
    assert_eq!(client.evidence(&name), Evidence::Absent, "only a whole search says that it is not there");
}

#[test]
fn lesson_02_no_create_is_sent_twice() {
    let exchange = exchange(&fault("/v5/order/create", "timeout_after_accept", "nth = 1"));
    let mut client = connect(&exchange);
    client.ready();
    let name = link("p001-once");
    rest(&mut client, &name);
    client.order(&name, VenueStatus::Working);
    client.until("an outcome", |event| matches!(event, VenueEvent::Submission { .. }).then_some(()));
    let snapshot = client.snapshot();
    assert_eq!(snapshot.orders.len(), 1);
    assert_eq!(outcomes(&client), 1, "and the stream's word is not answered with another attempt");
}

#[test]
fn lesson_03_half_a_search_proves_nothing() {
    let exchange = exchange(&fault("/v5/order/history", "server_error", "nth = 1"));
    let mut client = connect(&exchange);
    client.ready();
    let never = link("p001-never");
    assert_eq!(client.evidence(&never), Evidence::Unavailable);
    assert_eq!(client.evidence(&never), Evidence::Absent);
}

#[test]
fn lesson_04_a_failure_is_final_or_it_is_not_told() {
    let exchange = exchange(&fault("/v5/order/create", "malformed_json", "nth = 1"));
    let mut client = connect(&exchange);
    client.ready();
    let name = link("p001-garbled");
    rest(&mut client, &name);
    client.order(&name, VenueStatus::Working);
    let told = client.snapshot();
    assert!(told.orders.iter().any(|order| order.link.as_ref() == Some(&name)));
    let rejected =
        |event: &VenueEvent| matches!(event, VenueEvent::Submission { outcome: Submission::Rejected(_), .. });
    assert!(!client.seen.iter().any(rejected), "an unreadable answer is no refusal");
}

#[test]
fn lesson_05_an_error_of_the_server_leaves_the_order_unknown() {
    let exchange = exchange(&fault("/v5/order/create", "server_error", "nth = 1"));
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    let name = link("p001-502");
    let of = client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc), &name);
    assert!(matches!(client.outcome(of), Submission::Unknown { .. }));
}

#[test]
fn lesson_06_a_stop_holds_over_a_reconnect() {
    let exchange = exchange(&fault("/v5/account/info", "restart", "nth = 2\nfor_ms = 200"));
    let mut client = connect(&exchange);
    client.ready();
    let name = link("p001-stopped");
    rest(&mut client, &name);
    client.order(&name, VenueStatus::Working);
    for scope in [CancelScope::Entries, CancelScope::Conditional] {
        let all = Command::CancelAll(CancelAll { instrument: BTC, scope });
        client.send(Class::Cancel, &all, &link("unused"));
    }
    client.order(&name, VenueStatus::Cancelled);
    let sent = outcomes(&client);
    client.seen.clear();
    client.venue.query(portcullis_core::Query::Snapshot { since: portcullis_core::Timestamp(0) });
    let snapshot = client.ready();
    assert!(snapshot.orders.is_empty() && sent <= 3 && outcomes(&client) <= 2, "nothing was sent anew");
}

#[test]
fn lesson_10_orders_and_executions_are_told_apart() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    take(&mut client, &link("p001-taken"));
    client.fill(&link("p001-taken"));
    let resting = link("p001-resting");
    rest(&mut client, &resting);
    client.order(&resting, VenueStatus::Working);
    drop(client);
    let mut late = connect(&exchange);
    let snapshot = late.ready();
    assert_eq!((snapshot.orders.len(), snapshot.positions.len()), (1, 1));
    assert_eq!(snapshot.orders[0].link.as_ref(), Some(&resting));
    assert!(!snapshot.executions.is_empty());
}

#[test]
fn lesson_12_restarting_twice_changes_nothing() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    take(&mut client, &link("p001-taken"));
    client.fill(&link("p001-taken"));
    rest(&mut client, &link("p001-resting"));
    client.order(&link("p001-resting"), VenueStatus::Working);
    drop(client);
    let tell = || {
        let snapshot = connect(&exchange).ready();
        (
            snapshot.orders,
            snapshot.executions,
            snapshot.positions.into_iter().map(|p| p.quantity).collect::<Vec<_>>(),
        )
    };
    let first = tell();
    assert_eq!(tell(), first, "every name comes from the venue's own facts");
    assert_eq!(tell(), first);
}

#[test]
fn lesson_14_an_execution_told_twice_has_one_name() {
    let exchange = exchange(&fault("execution", "duplicate_event", "every = 1"));
    let mut client = connect(&exchange);
    client.ready();
    take(&mut client, &link("p001-twice"));
    let mut count = 0;
    client.until("two executions", |event| {
        count += i32::from(matches!(event, VenueEvent::Report(ExecutionReport::Execution(_))));
        (count >= 2).then_some(())
    });
    let names = executions(&client);
    assert!(names.iter().any(|one| names.iter().filter(|other| other.exec == one.exec).count() >= 2));
}

#[test]
fn lesson_15_missing_and_unknown_members_kill_nothing() {
    let faults = [
        fault("order", "missing_fields", "nth = 1"),
        fault("order", "unknown_fields", "nth = 2"),
        fault("public", "malformed_json", "every = 25"),
        fault("public", "missing_fields", "every = 30"),
    ];
    let exchange = exchange(&faults.concat());
    let mut client = connect(&exchange);
    client.ready();
    let name = link("p001-odd");
    rest(&mut client, &name);
    client.until("an outcome", |event| matches!(event, VenueEvent::Submission { .. }).then_some(()));
    client.send(Class::Cancel, &cancel(&name), &link("unused"));
    client.order(&name, VenueStatus::Cancelled);
    let started = std::time::Instant::now();
    while client.venue.counters().quarantined() == 0 {
        assert!(started.elapsed() < crate::test_exchange::PATIENCE, "the odd market frames are counted");
        client.quote();
    }
    client.quote();
    let public_down =
        |event: &VenueEvent| matches!(event, VenueEvent::Link(LinkChange::Public { up: false }));
    assert!(!client.seen.iter().any(public_down), "and the market goes on");
    assert!(!went_down(&client));
}

/// Puts the account into hedge mode, as a person would.
fn hedge(client: &Client, exchange: &Exchange) {
    let body = br#"{"category":"linear","coin":"USDT","mode":3}"#.to_vec();
    let timestamp_ms = crate::system_clock().millis();
    let signature = exchange.trade.sign_request(timestamp_ms, RECV_WINDOW_MS, &body);
    let path = "/v5/position/switch-mode";
    let request = SignedRequest { path, body, key: exchange.trade.key().into(), timestamp_ms, signature };
    let runtime = client.venue.runtime().unwrap();
    runtime.block_on(client.venue.shared().rest.post(request, portcullis_core::Category::Linear));
}

#[test]
fn lesson_16_hedge_mode_is_read_at_the_start_and_on_a_refusal() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    assert!(!client.ready().mode.hedged);
    hedge(&client, &exchange);
    rest(&mut client, &link("p001-hedged"));
    let rejected = client.until("a refusal", |event| match event {
        VenueEvent::Submission { outcome: Submission::Rejected(rejection), .. } => Some(rejection.clone()),
        _ => None,
    });
    assert_eq!((rejected.kind, rejected.code), (RejectionKind::Invalid, 10_001));
    // Unasked, so that the gate refuses the next one.
    let mode = client.until("the mode", |event| match event {
        VenueEvent::Snapshot(snapshot) => Some(snapshot.mode),
        _ => None,
    });
    assert!(mode.hedged);
    drop(client);
    assert!(connect(&exchange).ready().mode.hedged);
}

#[test]
fn lesson_17_a_cancel_is_over_when_the_venue_shows_it() {
    let exchange = exchange(&fault("order", "delay_event", "nth = 2\nfor_ms = 300"));
    let mut client = connect(&exchange);
    client.ready();
    let name = link("p001-slow");
    rest(&mut client, &name);
    client.order(&name, VenueStatus::Working);
    let of = client.send(Class::Cancel, &cancel(&name), &link("unused"));
    assert!(matches!(client.outcome(of), Submission::Accepted { .. }), "an acknowledgement, and no more");
    let gone = |event: &VenueEvent| matches!(event, VenueEvent::Report(ExecutionReport::Order(order)) if order.status == VenueStatus::Cancelled);
    assert!(!client.seen.iter().any(gone));
    client.order(&name, VenueStatus::Cancelled);
}

#[test]
fn lesson_18_a_closed_order_is_found_in_the_history() {
    let exchange = exchange(&fault("/v5/order/create", "restart_forgetting", "nth = 2\nfor_ms = 100"));
    let mut client = connect(&exchange);
    client.ready();
    let name = link("p001-closed");
    rest(&mut client, &name);
    client.order(&name, VenueStatus::Working);
    client.send(Class::Cancel, &cancel(&name), &link("unused"));
    client.order(&name, VenueStatus::Cancelled);
    rest(&mut client, &link("p001-forgets"));
    client.until("the restart", |event| {
        matches!(event, VenueEvent::Link(LinkChange::Private { up: false })).then_some(())
    });
    client.ready();
    let Evidence::Found(found) = client.evidence(&name) else { panic!("it disappeared") };
    assert_eq!(found.status, VenueStatus::Cancelled);
}

#[test]
fn lesson_19_a_halt_leaves_the_stop_of_the_position() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    let (bid, ask) = client.quote();
    let Command::Place(place) = limit(Side::Buy, Price(ask.0 + 1_000), TimeInForce::Ioc) else { panic!() };
    let stop = Some(Price(bid.0 - 20_000));
    let protected = Command::Place(PlaceOrder { stop_loss: stop, ..place });
    client.send(Class::Adding, &protected, &link("p001-protected"));
    client.fill(&link("p001-protected"));
    for scope in [CancelScope::Entries, CancelScope::Conditional] {
        let all = Command::CancelAll(CancelAll { instrument: BTC, scope });
        let of = client.send(Class::Cancel, &all, &link("unused"));
        assert!(matches!(client.outcome(of), Submission::Accepted { .. }));
    }
    let positions = client.snapshot().positions;
    assert_eq!(positions[0].stop_loss, stop);
}

#[test]
fn lesson_23_a_deaf_stream_is_rebuilt() {
    let exchange = exchange(&fault("execution", "drop_event", "nth = 1"));
    let change = |config: &mut crate::Config| config.canary_every = Duration::from_millis(300);
    let mut client = connect_as(&exchange, change).unwrap();
    client.ready();
    let name = link("p001-unheard");
    take(&mut client, &name);
    client.until("the stream given up", |event| {
        matches!(event, VenueEvent::Link(LinkChange::Private { up: false })).then_some(())
    });
    assert!(executions(&client).is_empty(), "the stream answered pings and kept it to itself");
    let snapshot = client.ready();
    assert!(snapshot.executions.iter().any(|execution| execution.link.as_ref() == Some(&name)));
    assert_eq!(client.venue.counters().deaf_streams(), 1);
}

#[test]
fn lesson_24_what_was_missed_is_told_before_the_stream_counts_as_up() {
    let exchange = exchange(&fault("execution", "disconnect", "nth = 1"));
    let mut client = connect(&exchange);
    client.ready();
    let name = link("p001-cut");
    take(&mut client, &name);
    client.until("the cut", |event| {
        matches!(event, VenueEvent::Link(LinkChange::Private { up: false })).then_some(())
    });
    // `ready` fails should the link be up before the snapshot.
    let snapshot = client.ready();
    assert!(snapshot.executions.iter().any(|execution| execution.link.as_ref() == Some(&name)));
}

#[test]
fn lesson_25_a_clock_that_is_off_is_told_and_the_window_stays() {
    let exchange = exchange(&fault("/v5/order/create", "clock_offset", "nth = 1\noffset_ms = -3000"));
    let mut client = connect(&exchange);
    client.ready();
    rest(&mut client, &link("p001-first"));
    client.until("the difference", |event| {
        let VenueEvent::Link(LinkChange::Skew { millis }) = event else { return None };
        (*millis > 2_000).then_some(())
    });
    let of = client.send(Class::Cancel, &cancel(&link("p001-first")), &link("unused"));
    let Submission::Rejected(rejection) = client.outcome(of) else { panic!("taken by a clock 3 s behind") };
    assert_eq!((rejection.kind, rejection.code), (RejectionKind::Timestamp, 10_002));
    assert!(rejection.message.contains("recv_window[5000]"), "{}", rejection.message);
}

#[test]
fn lesson_27_reduce_only_is_seen_on_the_echo() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    take(&mut client, &link("p001-open"));
    client.fill(&link("p001-open"));
    let (_, ask) = client.quote();
    let Command::Place(place) = limit(Side::Sell, Price(ask.0 + 5_000), TimeInForce::Gtc) else { panic!() };
    let name = link("p001-reduce");
    let reduce = PlaceOrder { reduce_only: true, quantity: Qty(1), ..place };
    client.send(Class::Reducing, &Command::Place(reduce), &name);
    assert!(client.order(&name, VenueStatus::Working).reduce_only);
}
