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
use portcullis_bybit::{
    AccountFacts, AccountPolicy, Feed, FrameFault, InstrumentError, Listing, PolicyRule, PrivateFeed, Wanted,
    listing, live_gate,
};
use portcullis_core::{
    Amount, Category, CloseReason, ExecutionReport, InstrumentId, MarginMode, MarketBody, MarketEvent, Price,
    Qty, Side, Timestamp, VenueStatus,
};
use portcullis_wire as wire;
use serde_json::Value;

/// Later than everything recorded.
const NOW: Timestamp = Timestamp::from_millis(1_795_500_000_000);

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/bybit")
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests: [(&str, fn()); 8] = [
        ("listed_instruments_are_typed", listed_instruments_are_typed),
        ("recorded_orders_become_reports", recorded_orders_become_reports),
        ("documented_private_frames_become_reports", documented_private_frames_become_reports),
        ("documented_market_frames_become_events", documented_market_frames_become_events),
        ("recorded_market_frames_become_events", recorded_market_frames_become_events),
        ("every_payload_is_taken_or_quarantined", every_payload_is_taken_or_quarantined),
        ("any_member_may_be_missing", any_member_may_be_missing),
        ("recorded_keys_meet_the_live_gate", recorded_keys_meet_the_live_gate),
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
    feed.frame(&frame.to_string(), NOW, &mut |event| events.push(event))?;
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
        let sample = sample.unwrap();
        let sent = sample["payload"]["ts"].as_u64().unwrap();
        let mut told = Vec::new();
        // Our clock is a second behind the venue's: a stamp before the venue's time is raised to it.
        let behind = Timestamp::from_millis(sent - 1_000);
        feed.frame(&sample["payload"].to_string(), behind, &mut |event: MarketEvent| told.push(event))
            .unwrap();
        assert_eq!(told.len(), expected, "{name}: {told:?}");
        assert!(told.iter().all(|event| event.time == event.venue_time && event.time > behind), "{told:?}");
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

/// Every JSON object in every file, whatever stands around it.
fn payloads() -> Vec<(String, Value)> {
    let mut files = Vec::new();
    let mut folders = vec![data()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let mut payloads = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_none_or(|ext| ext != "md")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
        let mut at = 0;
        while let Some(start) = text[at..].find('{') {
            at += start;
            let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
            match values.next() {
                Some(Ok(value)) => {
                    at += values.byte_offset();
                    payloads.extend(unwrapped(value).into_iter().map(|value| (name.clone(), value)));
                }
                _ => at += 1,
            }
        }
    }
    payloads
}

/// The venue's own words inside what a recorder put around them.
fn unwrapped(value: Value) -> Vec<Value> {
    let inner = ["payload", "text", "body"].iter().find_map(|name| value.get(name)).cloned();
    match inner {
        Some(inner @ Value::Object(_)) => vec![inner],
        Some(Value::String(text)) => serde_json::from_str(&text).into_iter().collect(),
        _ => vec![value],
    }
}

/// Both feeds, of bitcoin in both markets.
fn feeds() -> (Vec<Feed>, PrivateFeed) {
    let markets = [(Category::Linear, "0.01", "0.001"), (Category::Spot, "0.01", "0.000001")];
    let listings: Vec<Listing> =
        markets.iter().map(|(category, tick, step)| made(*category, "BTCUSDT", tick, step)).collect();
    let feed = |listing: &Listing| {
        let category = listing.spec.category;
        Feed::new(category, &[wanted(category, "BTCUSDT")], std::slice::from_ref(&listing.spec))
    };
    (listings.iter().map(feed).collect(), PrivateFeed::new(listings))
}

fn every_payload_is_taken_or_quarantined() {
    let (mut public, private) = feeds();
    let (mut taken, mut frames, mut answers) = (0, 0, 0);
    let payloads = payloads();
    for (_, payload) in &payloads {
        let text = payload.to_string();
        let mut told = 0;
        private.frame(&text, &mut |report| {
            told += 1;
            taken += usize::from(report.is_ok());
        });
        let rows = payload["data"].as_array().map_or(1, Vec::len);
        assert!(told >= 1.min(rows), "a frame is never swallowed: {text}");
        for feed in &mut public {
            let mut events = 0;
            let result = feed.frame(&text, NOW, &mut |_| events += 1);
            frames += usize::from(result.is_ok());
        }
        answers += usize::from(wire::RawReply::read(text.as_bytes()).is_ok());
    }
    assert!(payloads.len() > 250, "{}", payloads.len());
    assert!(
        taken >= 8 && frames >= 8 && answers >= 90,
        "{taken} reports, {frames} frames, {answers} answers"
    );
}

/// A private row without one of its members is a report or a quarantined row, and its neighbour in the frame is told all the same.
fn any_member_may_be_missing() {
    let (mut public, private) = feeds();
    let mut tried = 0;
    for (name, frame) in payloads() {
        let (Some(_), Some(rows)) = (frame["topic"].as_str(), frame["data"].as_array()) else { continue };
        let Some(row) = rows.first().and_then(Value::as_object) else { continue };
        for member in row.keys() {
            let mut broken = row.clone();
            broken.remove(member);
            let mut changed = frame.clone();
            changed["data"] = Value::Array(vec![broken.into(), row.clone().into()]);
            let mut told = Vec::new();
            private.frame(&changed.to_string(), &mut |report| told.push(report.is_ok()));
            let mut whole = false;
            private.frame(&frame.to_string(), &mut |report| whole |= report.is_ok());
            assert_eq!(told.len(), 2, "{name} without {member}");
            assert!(told[1] || !whole, "{name} without {member} hides its neighbour");
            for feed in &mut public {
                let _ = feed.frame(&changed.to_string(), NOW, &mut |_| {});
            }
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
}

fn recorded_keys_meet_the_live_gate() {
    let policy = AccountPolicy::strict(vec!["198.51.100.7".parse().unwrap()], MarginMode::Cross);
    let mut seen = 0;
    for (name, payload) in payloads() {
        let result = payload.get("result").unwrap_or(&payload);
        if result.get("permissions").is_none() || result.get("ips").is_none() {
            continue;
        }
        let key: wire::ApiKey =
            serde_json::from_value(result.clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let facts = AccountFacts { trade_key: key, trades_linear: true, ..AccountFacts::default() };
        let findings = live_gate(&policy, &facts, NOW);
        let refuses = |rule| findings.iter().any(|finding| finding.refuses && finding.rule == rule);
        assert!(refuses(PolicyRule::Unbound) || refuses(PolicyRule::Address), "{name}: {findings:?}");
        assert!(refuses(PolicyRule::MainAccount), "{name}: none of them is known to be a sub-account's");
        seen += 1;
    }
    assert!(seen >= 3, "{seen}");
}
