#![allow(clippy::arithmetic_side_effects, reason = "test code")]

use super::*;
use crate::{AmendOrder, CancelOrder, Category, CreateOrder, OrderType, Side};

fn cap(rate: u64, violations: u64) -> Cap {
    Cap::new(&["linear:BTCUSDT".to_owned()], "1000", rate, violations).unwrap()
}

struct Test {
    guard: Guard,
    allowance: Allowance,
    now: Instant,
}

impl Test {
    fn new(cap: Cap) -> Self {
        Self { guard: Guard::new(cap), allowance: Allowance::default(), now: Instant::now() }
    }

    fn admit(&mut self, request: &OrderRequest) -> Result<(), RefusalKind> {
        let admitted = self.guard.admit(request, &mut self.allowance, self.now);
        admitted.map_err(|objection| objection.kind)
    }
}

fn create(link: &str, symbol: &str, qty: &str, price: Option<&str>, reduce: bool) -> OrderRequest {
    OrderRequest::Create(CreateOrder {
        category: Category::Linear,
        symbol: symbol.to_owned(),
        side: Side::Buy,
        order_type: if price.is_some() { OrderType::Limit } else { OrderType::Market },
        qty: qty.to_owned(),
        price: price.map(str::to_owned),
        position_idx: Some(0),
        order_link_id: Some(link.to_owned()),
        reduce_only: reduce.then_some(true),
        ..CreateOrder::default()
    })
}

fn amend(link: &str, qty: Option<&str>, price: Option<&str>) -> OrderRequest {
    OrderRequest::Amend(AmendOrder {
        category: Category::Linear,
        symbol: "BTCUSDT".to_owned(),
        order_link_id: Some(link.to_owned()),
        qty: qty.map(str::to_owned),
        price: price.map(str::to_owned),
        ..AmendOrder::default()
    })
}

fn cancel() -> OrderRequest {
    OrderRequest::Cancel(CancelOrder {
        category: Category::Linear,
        symbol: "BTCUSDT".to_owned(),
        order_link_id: Some("p1".to_owned()),
        ..CancelOrder::default()
    })
}

#[test]
fn a_cap_that_bounds_nothing_is_none() {
    let one = ["linear:BTCUSDT".to_owned()];
    assert!(matches!(Cap::new(&[], "1", 1, 1), Err(InvalidCap::Symbol(_))));
    for symbol in ["BTCUSDT", "linear:", "linear:*", "inverse:BTCUSD"] {
        assert!(matches!(Cap::new(&[symbol.to_owned()], "1", 1, 1), Err(InvalidCap::Symbol(_))), "{symbol}");
    }
    for notional in ["", "0", "-1", "unlimited"] {
        assert!(matches!(Cap::new(&one, notional, 1, 1), Err(InvalidCap::Notional(_))), "{notional}");
    }
    assert!(matches!(Cap::new(&one, "1", 0, 1), Err(InvalidCap::Rate(0))));
    assert!(matches!(Cap::new(&one, "1", 1, 0), Err(InvalidCap::Violations(0))));
}

#[test]
fn what_adds_risk_stays_within_symbols_and_notional() {
    let mut test = Test::new(cap(100, 100));
    assert_eq!(test.admit(&create("p1", "BTCUSDT", "0.01", Some("60000"), false)), Ok(()));
    assert_eq!(
        test.admit(&create("p2", "BTCUSDT", "0.02", Some("50000.01"), false)),
        Err(RefusalKind::Notional)
    );
    assert_eq!(test.admit(&create("p3", "BTCUSDT", "0.02", Some("50000"), false)), Ok(()));
    assert_eq!(test.admit(&create("p4", "ETHUSDT", "1", Some("1"), false)), Err(RefusalKind::Symbol));
    assert_eq!(test.admit(&create("p5", "BTCUSDT", "0.001", None, false)), Err(RefusalKind::NoPrice));
    assert_eq!(test.guard.status().violations, 3);
}

#[test]
fn the_rate_is_of_a_minute() {
    let mut test = Test::new(cap(2, 100));
    let order = create("p1", "BTCUSDT", "0.01", Some("60000"), false);
    assert_eq!((test.admit(&order), test.admit(&order)), (Ok(()), Ok(())));
    assert_eq!(test.admit(&order), Err(RefusalKind::Rate));
    assert_eq!(test.admit(&cancel()), Ok(()));
    test.now += Duration::from_secs(60);
    assert_eq!(test.admit(&order), Ok(()));
}

#[test]
fn an_amend_is_held_against_what_it_makes_of_the_order() {
    let mut test = Test::new(cap(100, 100));
    assert_eq!(test.admit(&create("p1", "BTCUSDT", "0.01", Some("60000"), false)), Ok(()));
    assert_eq!(test.admit(&amend("p1", None, Some("100000"))), Ok(()));
    assert_eq!(test.admit(&amend("p1", None, Some("100001"))), Err(RefusalKind::Notional));
    // The amend to 0.001 may not have been taken, so the order may still be of 0.01.
    assert_eq!(test.admit(&amend("p1", Some("0.001"), None)), Ok(()));
    assert_eq!(test.admit(&amend("p1", None, Some("100001"))), Err(RefusalKind::Notional));
    assert_eq!(test.admit(&amend("p9", None, Some("1"))), Err(RefusalKind::UnknownOrder));
    assert_eq!(test.guard.status().violations, 2, "an order from before the start is nobody's fault");
    assert_eq!(test.admit(&amend("p9", Some("0.01"), Some("60000"))), Ok(()));
    assert_eq!(test.admit(&amend("p9", None, Some("60001"))), Ok(()), "and then it is known");
}

#[test]
fn violations_latch_what_adds_and_never_what_reduces() {
    let mut test = Test::new(cap(100, 2));
    let fine = create("p1", "BTCUSDT", "0.01", Some("60000"), false);
    assert_eq!(test.admit(&fine), Ok(()));
    assert_eq!(test.admit(&create("p2", "BTCUSDT", "1", Some("60000"), true)), Ok(()));
    for _ in 0..2 {
        assert_eq!(test.admit(&create("p3", "ETHUSDT", "1", Some("1"), false)), Err(RefusalKind::Symbol));
    }
    assert!(test.guard.status().latched);
    test.now += Duration::from_secs(3_600);
    assert_eq!(test.admit(&fine), Err(RefusalKind::Latched), "time does not open it");
    assert_eq!(test.admit(&amend("p1", None, Some("1"))), Err(RefusalKind::Latched));
    for request in [
        cancel(),
        create("p4", "BTCUSDT", "5", None, true),
        create("p5", "ETHUSDT", "5", Some("1"), true),
        amend("p2", Some("0.5"), None),
    ] {
        assert_eq!(test.admit(&request), Ok(()), "{request:?}");
    }
    assert_eq!(test.guard.status().violations, 2);
}

#[test]
fn a_flood_of_cancels_waits_and_is_no_violation() {
    let mut test = Test::new(cap(1, 1));
    for _ in 0..REDUCING_PER_MINUTE {
        assert_eq!(test.admit(&cancel()), Ok(()));
    }
    assert_eq!(test.admit(&cancel()), Err(RefusalKind::Busy));
    assert!(!test.guard.status().latched);
    // Another caller has an allowance of its own.
    let mut other = Allowance::default();
    assert!(test.guard.admit(&cancel(), &mut other, test.now).is_ok());
}

#[test]
fn only_the_newest_orders_are_remembered() {
    let mut known = Known::default();
    let order = |number: usize| Order {
        link: format!("p{number}"),
        instrument: "linear:BTCUSDT".to_owned(),
        price: Value::read("1"),
        quantity: Value::read("1").unwrap(),
    };
    for number in 0..=REMEMBERED_MAX {
        known.insert(order(number), false);
    }
    assert!(known.get("p0").is_none() && known.get("p1").is_some());
    assert_eq!((known.orders.len(), known.oldest.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
}
