//! The rate budget, the pause after a 403 and the trade stream, against the paper exchange.

#![allow(clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm, reason = "test code")]

use portcullis_core::{Evidence, LinkChange, OrderId, Price, Qty, Side, TimeInForce, VenueStatus};
use portcullis_gateway::VenueEvent;

use super::*;
use crate::test_exchange::{
    BTC, Client, Exchange, PATIENCE, cancel, connect, connect_as, exchange, fault, limit, link, rest,
};

#[test]
fn an_address_that_was_turned_away_loses_no_cancel() {
    let exchange = exchange(&fault("/v5/order/amend", "forbidden", "nth = 1"));
    let mut client = connect(&exchange);
    client.ready();
    let name = link("p001-kept");
    rest(&mut client, &name);
    client.order(&name, VenueStatus::Working);
    let amend = Command::Amend(portcullis_core::AmendOrder {
        order: OrderId(1),
        instrument: BTC,
        link: name.clone(),
        price: None,
        quantity: Some(Qty(20)),
    });
    let of = client.send(Class::Adding, &amend, &link("unused"));
    client.until("the pause", |event| {
        matches!(event, VenueEvent::Link(LinkChange::RateBudget { up: false })).then_some(())
    });
    let Submission::Rejected(rejection) = client.outcome(of) else { panic!("not turned away") };
    assert_eq!((rejection.kind, rejection.code), (RejectionKind::RateLimited, 403));
    // Nothing goes out, and the gate is told so at once; it keeps the cancel until the budget is up again (`host/core`,
    // `a_cancel_that_the_venue_refuses_for_the_moment_is_kept`).
    let of = client.send(Class::Cancel, &cancel(&name), &link("unused"));
    let Submission::Rejected(rejection) = client.outcome(of) else { panic!("sent in the pause") };
    assert_eq!((rejection.kind, rejection.code), (RejectionKind::RateLimited, 0));
}

/// A client whose orders go over the trade stream.
fn over_the_socket(exchange: &Exchange) -> Client {
    let mut client = connect_as(exchange, |config| config.trade_socket = true).unwrap();
    assert!(client.venue.second_cap_off());
    client.ready();
    let up = Instant::now();
    while !client.venue.shared().trade.is_up() {
        assert!(up.elapsed() < PATIENCE, "the trade stream does not come up");
        std::thread::sleep(Duration::from_millis(5));
    }
    client
}

#[test]
fn orders_go_over_the_trade_stream_with_the_same_outcomes() {
    let exchange = exchange("");
    let mut client = over_the_socket(&exchange);
    let name = link("p001-socket");
    let command = rest(&mut client, &name);
    client.order(&name, VenueStatus::Working);
    let again = client.send(Class::Adding, &command, &name);
    let Submission::Rejected(rejection) = client.outcome(again) else { panic!("a second order of one name") };
    assert_eq!(rejection.kind, RejectionKind::DuplicateLinkId);
    let of = client.send(Class::Cancel, &cancel(&name), &link("unused"));
    assert!(matches!(client.outcome(of), Submission::Accepted { venue_order: Some(_) }));
    client.order(&name, VenueStatus::Cancelled);
}

#[test]
fn an_answer_lost_on_the_trade_stream_is_unknown_and_not_asked_again() {
    let exchange = exchange(&fault("/v5/order/create", "timeout_after_accept", "nth = 1"));
    let mut client = over_the_socket(&exchange);
    let (bid, _) = client.quote();
    let name = link("p001-lost");
    let of = client.send(Class::Adding, &limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc), &name);
    assert!(matches!(client.outcome(of), Submission::Unknown { .. }));
    assert!(matches!(client.evidence(&name), Evidence::Found(order) if order.status == VenueStatus::Working));
    assert_eq!(client.snapshot().orders.len(), 1);
}

#[test]
fn orders_go_by_rest_while_the_trade_stream_is_down() {
    let exchange = exchange(&fault("trade", "disconnect", "every = 1"));
    let mut client = connect_as(&exchange, |config| config.trade_socket = true).unwrap();
    client.ready();
    let name = link("p001-rest");
    rest(&mut client, &name);
    client.order(&name, VenueStatus::Working);
    assert_eq!(client.snapshot().orders.len(), 1);
}

#[test]
fn too_many_closes_the_endpoint_for_a_while() {
    let exchange = exchange(&fault("/v5/order/create", "rate_limit", "nth = 1"));
    let mut client = connect(&exchange);
    client.ready();
    let (bid, _) = client.quote();
    let codes: Vec<i32> = ["p001-a", "p001-b"]
        .into_iter()
        .map(|name| {
            let command = limit(Side::Buy, Price(bid.0 - 5_000), TimeInForce::Gtc);
            let of = client.send(Class::Adding, &command, &link(name));
            let Submission::Rejected(rejection) = client.outcome(of) else { panic!("taken") };
            assert_eq!(rejection.kind, RejectionKind::RateLimited);
            rejection.code
        })
        .collect();
    assert_eq!(codes, [10_006, 0], "the second did not leave");
}

#[test]
fn cancels_beyond_the_rate_are_not_held_up() {
    let exchange = exchange("");
    let mut client = connect(&exchange);
    client.ready();
    let sent: Vec<Sequence> =
        (0..15).map(|_| client.send(Class::Cancel, &cancel(&link("p001-none")), &link("unused"))).collect();
    let started = Instant::now();
    for of in sent {
        let Submission::Rejected(rejection) = client.outcome(of) else { panic!("nothing to cancel") };
        assert_eq!((rejection.kind, rejection.code), (RejectionKind::NoSuchOrder, 110_001));
    }
    assert!(started.elapsed() < BUDGET_WAIT);
}
