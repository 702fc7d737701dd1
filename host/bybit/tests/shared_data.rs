//! Payloads recorded from the exchange, and the exchange's own samples, through the decoders: read in place when they are there.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use portcullis_bybit::{Feed, FrameFault, InstrumentError, Listing, PrivateFeed, Wanted, listing};
use portcullis_core::{
    Amount, Category, CloseReason, ExecutionReport, InstrumentId, MarketBody, MarketEvent, Price, Qty, Side,
    Timestamp, VenueStatus,
};
use portcullis_wire as wire;
use serde_json::Value;

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bybit")
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests: [(&str, fn()); 5] = [
        ("listed_instruments_are_typed", listed_instruments_are_typed),
        ("recorded_orders_become_reports", recorded_orders_become_reports),
        ("documented_private_frames_become_reports", documented_private_frames_become_reports),
        ("documented_market_frames_become_events", documented_market_frames_become_events),
        ("recorded_market_frames_become_events", recorded_market_frames_become_events),
    ];
    let there = data().is_dir();
    let trials = tests
        .into_iter()
        .map(|(name, test)| {
            let run = move || -> Result<(), Failed> {
                test();
                Ok(())
            };
            let trial = Trial::test(name, run);
            if there { trial } else { trial.with_kind("needs ../shared/data").with_ignored_flag(true) }
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn lines(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(data().join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn wanted(category: Category, symbol: &str) -> Wanted {
    let symbol = symbol.parse().unwrap();
    Wanted { id: InstrumentId(1), category, symbol, decimals: None, book_depth: 50, bars_s: vec![300] }
}

fn fees() -> wire::FeeRate {
    wire::FeeRate {
        symbol: String::new(),
        taker_fee_rate: "0.00055".to_owned(),
        maker_fee_rate: "0.0002".to_owned(),
    }
}

fn read(category: Category, row: &Value) -> Result<Listing, InstrumentError> {
    let row: wire::Instrument = serde_json::from_value(row.clone()).unwrap();
    listing(&wanted(category, &row.symbol), &row, &fees())
}

/// An instrument with these steps.
fn made(category: Category, symbol: &str, tick: &str, step: &str) -> Listing {
    let linear = category == Category::Linear;
    let row = serde_json::json!({
        "symbol": symbol, "status": "Trading", "baseCoin": symbol.trim_end_matches("USDT"), "quoteCoin": "USDT",
        "settleCoin": linear.then_some("USDT"), "contractType": linear.then_some("LinearPerpetual"),
        "priceFilter": {"tickSize": tick},
        "lotSizeFilter": {
            "minOrderQty": step, "maxOrderQty": "1000", "qtyStep": step, "basePrecision": step, "maxMktOrderQty": "100",
            "maxLimitOrderQty": "1000", "maxMarketOrderQty": "100", "minNotionalValue": "5", "minOrderAmt": "5"
        }
    });
    read(category, &row).unwrap()
}

fn listed_instruments_are_typed() {
    let samples = lines("docs/rest-instrument.ndjson");
    let row = |category: &str| {
        let found = samples.iter().find(|line| line["payload"]["result"]["category"] == category).unwrap();
        found["payload"]["result"]["list"][0].clone()
    };
    let linear = read(Category::Linear, &row("linear")).unwrap().spec;
    assert_eq!((linear.price_decimals, linear.quantity_decimals, linear.step), (7, 0, Qty(100)));
    assert_eq!(linear.max_market_quantity, Qty(12_000_000));
    let spot = read(Category::Spot, &row("spot")).unwrap();
    assert_eq!(
        (spot.spec.price_decimals, spot.spec.quantity_decimals, spot.base_coin.as_str()),
        (2, 6, "BTC")
    );
    assert_eq!(spot.spec.min_notional, Amount(5_000_000_000_000_000_000));
}

fn reports(listing: Listing, frame: &Value) -> Vec<ExecutionReport> {
    let mut reports = Vec::new();
    PrivateFeed::new([listing]).frame(&frame.to_string(), &mut |report| reports.push(report.unwrap()));
    assert!(!reports.is_empty());
    reports
}

fn recorded_orders_become_reports() {
    let mut seen = Vec::new();
    for line in lines("orders-seen-in-code.ndjson") {
        let frame = &line["payload"];
        if !frame["topic"].as_str().unwrap().starts_with("order") {
            continue;
        }
        let symbol = frame["data"][0]["symbol"].as_str().unwrap();
        let listing = match frame["data"][0]["category"].as_str() {
            Some("spot") => made(Category::Spot, symbol, "0.01", "0.000001"),
            _ => made(Category::Linear, symbol, "0.01", "0.1"),
        };
        for report in reports(listing, frame) {
            let ExecutionReport::Order(order) = report else { panic!("not an order") };
            seen.push((order.side, order.status, order.executed, order.reason, order.link.is_some()));
        }
    }
    assert_eq!(
        seen,
        [
            (Side::Buy, VenueStatus::Cancelled, Qty(299), CloseReason::NoLiquidity, true),
            (Side::Sell, VenueStatus::Filled, Qty(294), CloseReason::None, true),
            (Side::Buy, VenueStatus::Cancelled, Qty(0), CloseReason::ByStrategy, false),
        ]
    );
}

fn documented_private_frames_become_reports() {
    let frame = |name: &str| {
        let found = lines(name).into_iter().find(|line| line["payload"].get("topic").is_some());
        found.unwrap()["payload"].take()
    };
    let listing = || made(Category::Linear, "BTCUSDT", "0.10", "0.001");
    let fills = reports(listing(), &frame("docs/ws-private-execution.ndjson"));
    let ExecutionReport::Execution(fill) = &fills[0] else { panic!("{fills:?}") };
    assert_eq!(
        (fill.price, fill.quantity, fill.fee),
        (Price(959_001), Qty(500), Amount(26_372_527_500_000_000_000))
    );
    let wallets = reports(listing(), &frame("docs/ws-private-wallet.ndjson"));
    assert!(matches!(&wallets[0], ExecutionReport::Wallet(wallet) if wallet.available.0 > 0));
}

fn events(feed: &mut Feed, frame: &Value) -> Result<Vec<MarketEvent>, FrameFault> {
    let mut events = Vec::new();
    feed.frame(&frame.to_string(), Timestamp(0), &mut |event| events.push(event))?;
    Ok(events)
}

fn documented_market_frames_become_events() {
    let listing = made(Category::Linear, "BTCUSDT", "0.01", "0.001");
    let mut feed = Feed::new(Category::Linear, &[wanted(Category::Linear, "BTCUSDT")], &[listing.spec]);
    for (name, expected) in [
        ("docs/ws-public-trade.ndjson", 1),
        ("docs/ws-public-ticker.ndjson", 2),
        ("docs/ws-public-kline.ndjson", 0),
    ] {
        let sample = lines(name)
            .into_iter()
            .find(|line| line["payload"]["topic"].as_str().is_some_and(|t| t.ends_with(".BTCUSDT")));
        let told = events(&mut feed, &sample.unwrap()["payload"]).unwrap();
        assert_eq!(told.len(), expected, "{name}: {told:?}");
        // A stamp before the venue's time is raised to it.
        assert!(told.iter().all(|event| event.time == event.venue_time));
    }
}

fn recorded_market_frames_become_events() {
    let listing = made(Category::Linear, "BTCUSDT", "0.10", "0.001");
    let mut feed = Feed::new(Category::Linear, &[wanted(Category::Linear, "BTCUSDT")], &[listing.spec]);
    let mut marks = 0;
    for line in lines("probe/public-linear-frames.ndjson") {
        let frame = &line["text"];
        if frame["topic"] == "tickers.BTCUSDT" {
            let told = events(&mut feed, frame).unwrap();
            let [MarketEvent { body: MarketBody::Mark { mark, index }, .. }] = told.as_slice() else {
                panic!("{told:?}")
            };
            assert_eq!((mark.0, index.0), (86_716_300_000_000_000_000_000, 86_756_700_000_000_000_000_000));
            marks += 1;
        }
    }
    assert_eq!(marks, 1);
}
