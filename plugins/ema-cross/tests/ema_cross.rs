//! The strategy against an independent reference, and against itself in other frames and after a restart.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_wrap,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

use ema_cross::EmaCross;
use portcullis_sdk::testing::{self, Driver, FrameBuilder, Harness};
use portcullis_sdk::{
    ActionBody, Event, InitError, InstrumentId, OrderKind, Place, Price, Qty, Side, Strategy, TimeInForce,
    Trade,
};

/// The series of the benchmarks, number `n`: a random walk of ticks of 0.1, made by counting, so that any language can make it.
fn series(n: usize) -> Vec<Trade> {
    let mut ticks = 600_000;
    let trade = |i: u64| {
        let mut z = 42_u64.wrapping_add((i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let r = z ^ (z >> 31);
        ticks += (r % 5) as i64 - 2;
        let time = portcullis_sdk::Time::from_nanos(1_735_689_600_000_000_000 + i * 100_000_000);
        Trade {
            time,
            venue_time: time,
            instrument: InstrumentId(0),
            price: Price::from_mantissa(ticks),
            quantity: Qty::from_mantissa(1 + ((r >> 8) % 1_000) as i64),
            taker: if (r >> 20) & 1 == 1 { Side::Buy } else { Side::Sell },
        }
    };
    (0..n as u64).map(trade).collect()
}

/// The crosses of a series: index of the trade, and whether the fast average went above.
fn reference(trades: &[Trade], fast: f64, slow: f64, ready: usize) -> Vec<(usize, bool)> {
    let (fast_weight, slow_weight) = (2.0 / (fast + 1.0), 2.0 / (slow + 1.0));
    let price = |trade: &Trade| trade.price.mantissa() as f64 / 10.0;
    let (mut f, mut s) = (price(&trades[0]), price(&trades[0]));
    let mut before = None;
    let mut crosses = Vec::new();
    for (k, trade) in trades.iter().enumerate() {
        f = fast_weight * price(trade) + (1.0 - fast_weight) * f;
        s = slow_weight * price(trade) + (1.0 - slow_weight) * s;
        if k + 1 < ready {
            continue;
        }
        if before.is_some_and(|before| before != (f > s)) {
            crosses.push((k, f > s));
        }
        before = Some(f > s);
    }
    crosses
}

/// Runs the strategy over a series in frames of at most `size` trades, and gives its orders by the index of their trade.
fn run(trades: &[Trade], lookahead: u64, size: usize) -> Vec<(usize, Place)> {
    let setup = testing::setup::<EmaCross>(&[testing::instrument("linear:BTCUSDT")], &[]).unwrap();
    let mut driver = Driver::<EmaCross>::new(&setup).unwrap();
    let mut orders = Vec::new();
    let mut next = 0;
    while next < trades.len() {
        let mut frame = FrameBuilder::new(lookahead);
        for trade in trades[next..].iter().take(size) {
            frame.push(&Event::Trade(*trade));
        }
        let outcome = driver.on_frame(&frame.finish()).unwrap();
        for action in outcome.actions {
            let ActionBody::Place(place) = action.body else { panic!("only orders, not {action:?}") };
            orders.push((next + action.cause as usize, place));
        }
        next += outcome.consumed as usize;
    }
    orders
}

#[test]
fn every_cross_of_a_million_trades_is_a_market_order_of_the_right_side() {
    let trades = series(1_000_000);
    let orders = run(&trades, u64::MAX, 4_096);
    let sides: Vec<_> = orders.iter().map(|(index, place)| (*index, place.side == Side::Buy)).collect();
    assert_eq!(sides, reference(&trades, 10.0, 20.0, 20));
    assert_eq!(sides.len(), 45_607);
    for (_, place) in &orders {
        assert_eq!((place.kind, place.time_in_force), (OrderKind::Market, TimeInForce::Ioc));
        assert_eq!(place.quantity, Qty::from_mantissa(10));
        assert!(!place.reduce_only && place.instrument == InstrumentId(0));
        assert_eq!(place.tag, if place.side == Side::Buy { 1 } else { 2 });
    }
}

#[test]
fn frames_and_lookahead_change_nothing() {
    let trades = series(5_000);
    let whole = run(&trades, u64::MAX, 4_096);
    assert!(whole.len() > 100);
    for (lookahead, size) in [(0, 1), (0, 64), (250_000_000, 64), (u64::MAX, 7)] {
        assert_eq!(run(&trades, lookahead, size), whole, "L = {lookahead}, frames of {size}");
    }
}

#[test]
fn a_restart_forgets_nothing() {
    let instruments = [testing::instrument("linear:BTCUSDT"), testing::instrument("linear:ETHUSDT")];
    let setup = testing::setup::<EmaCross>(&instruments, &[]).unwrap();
    let frame = |trades: &[Trade]| {
        let mut frame = FrameBuilder::new(u64::MAX);
        trades.iter().for_each(|trade| frame.push(&Event::Trade(*trade)));
        frame.finish()
    };
    let trades = series(2_000);
    // Before the first trade, inside the warm-up, and after it.
    for cut in [0, 1, 19, 20, 21, 1_000] {
        let mut straight = Driver::<EmaCross>::new(&setup).unwrap();
        if cut > 0 {
            straight.on_frame(&frame(&trades[..cut])).unwrap();
        }
        let mut restarted = Driver::<EmaCross>::new(&setup).unwrap();
        restarted.restore(EmaCross::describe().snapshot_version, &straight.snapshot()).unwrap();
        let rest = frame(&trades[cut..]);
        assert_eq!(restarted.on_frame(&rest), straight.on_frame(&rest), "cut at {cut}");
        assert_eq!(restarted.snapshot(), straight.snapshot());
    }
}

#[test]
fn damaged_snapshots_are_refused() {
    let setup = testing::setup::<EmaCross>(&[testing::instrument("linear:BTCUSDT")], &[]).unwrap();
    let snapshot = Driver::<EmaCross>::new(&setup).unwrap().snapshot();
    for length in 0..snapshot.len() {
        assert!(Driver::<EmaCross>::new(&setup).unwrap().restore(1, &snapshot[..length]).is_err());
    }
    let longer: Vec<_> = snapshot.iter().copied().chain([0]).collect();
    assert!(Driver::<EmaCross>::new(&setup).unwrap().restore(1, &longer).is_err());
    assert!(Driver::<EmaCross>::new(&setup).unwrap().restore(2, &snapshot).is_err());
}

#[test]
fn each_instrument_has_its_own_averages() {
    let instruments = [testing::instrument("linear:BTCUSDT"), testing::instrument("linear:ETHUSDT")];
    let mut harness = Harness::<EmaCross>::new(&instruments, &[("fast", "1"), ("slow", "2")]).unwrap();
    let (btc, eth) = (harness.instrument("linear:BTCUSDT"), harness.instrument("linear:ETHUSDT"));
    for price in ["60000", "59990"] {
        assert!(harness.trade(btc, price, "1", Side::Buy).is_empty());
        assert!(harness.trade(eth, "3000", "1", Side::Buy).is_empty());
    }
    let actions = harness.trade(btc, "60010", "1", Side::Buy);
    assert!(
        matches!(actions.as_slice(), [ActionBody::Place(place)] if place.instrument == btc && place.side == Side::Buy)
    );
    assert!(harness.trade(eth, "3000", "1", Side::Buy).is_empty());
}

#[test]
fn parameters_that_make_no_sense_together_are_refused() {
    let btc = testing::instrument("linear:BTCUSDT");
    for parameters in [
        [("fast", "20"), ("slow", "20")],
        [("fast", "9"), ("size", "0.0001")],
        [("fast", "9"), ("size", "0")],
    ] {
        let refused = Harness::<EmaCross>::new(std::slice::from_ref(&btc), &parameters);
        assert!(matches!(refused, Err(InitError::BadParameter(_))), "{parameters:?}");
    }
}
