//! The lesson, natively.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "test code")]

use dice::Dice;
use portcullis_sdk::testing::{self, Harness};
use portcullis_sdk::{ActionBody, Side};

#[test]
fn an_even_throw_opens_and_the_next_one_closes() {
    let mut harness =
        Harness::<Dice>::new(&[testing::instrument("linear:BTCUSDT")], &[("every", "1"), ("size", "0.02")])
            .unwrap();
    let btc = harness.instrument("linear:BTCUSDT");
    let mut sides = Vec::new();
    for _ in 0..6 {
        let actions = harness.trade(btc, "60000", "1", Side::Buy);
        sides.push(match actions.as_slice() {
            [] => None,
            [ActionBody::Place(order)] => Some((order.side, order.reduce_only)),
            other => panic!("{other:?}"),
        });
    }
    // Throws of 2, 3, 4, 5, 6 and 1.
    let (opened, closed) = (Some((Side::Buy, false)), Some((Side::Sell, true)));
    assert_eq!(sides, [opened, None, closed, None, opened, None]);
}
