//! What the client adds between the wire and the gate, as one JSON object: nanoseconds by rank. `cargo bench -p portcullis-bybit`.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a bench"
)]

use std::hint::black_box;
use std::time::Instant;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_bybit::{Feed, LocalSigner, OrderRequest, OrderSigner as _, Wanted, listing, system_clock};
use portcullis_core::{Category, InstrumentId, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::Credentials;

const FRAMES: u64 = 50_000;
const SIGNATURES: u64 = 50_000;
const RSA_SIGNATURES: u64 = 500;

fn main() {
    let mut figures = serde_json::Map::new();
    let mut add = |name: &str, mut samples: Vec<u64>| {
        samples.sort_unstable();
        for (rank, per_mille) in [("p50", 500), ("p99", 990)] {
            let at = (samples.len() * per_mille / 1_000).min(samples.len() - 1);
            figures.insert(format!("{name}_{rank}_ns"), samples[at].into());
        }
    };
    add("frame_to_book", frame_to_book());
    let secret = "bench-secret-of-the-usual-length-000".to_owned();
    add("order_encode_sign_hmac", encode_and_sign(Credentials::new("bench-key", &secret.into()), SIGNATURES));
    add("order_encode_sign_rsa2048", encode_and_sign(rsa(), RSA_SIGNATURES));
    println!("{}", serde_json::Value::Object(figures));
}

/// A delta of the 50-level book with four changes a side, from its text to the events of quote and book.
fn frame_to_book() -> Vec<u64> {
    let row = serde_json::json!({
        "symbol": "BTCUSDT", "status": "Trading", "baseCoin": "BTC", "quoteCoin": "USDT", "settleCoin": "USDT",
        "contractType": "LinearPerpetual", "priceFilter": {"tickSize": "0.10"},
        "lotSizeFilter": {"minOrderQty": "0.001", "maxOrderQty": "1190", "qtyStep": "0.001", "maxMktOrderQty": "120",
                          "minNotionalValue": "5"}
    });
    let row: wire::Instrument = serde_json::from_value(row).unwrap();
    let wanted = Wanted {
        id: InstrumentId(1),
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        decimals: None,
        book_depth: 10,
        bars_s: Vec::new(),
    };
    let fees = wire::FeeRate {
        taker_fee_rate: "0.00055".into(),
        maker_fee_rate: "0.0002".into(),
        ..Default::default()
    };
    let listing = listing(&wanted, &row, &fees).unwrap();
    let mut feed = Feed::new(Category::Linear, &[wanted], &[listing.spec]);
    let level = |price: u64, size: u64| {
        format!(r#"["{}.{}","{}.{:03}"]"#, price / 10, price % 10, size / 1_000, size % 1_000)
    };
    let frame = |kind: &str, u: u64, bids: Vec<String>, asks: Vec<String>| {
        format!(
            r#"{{"topic":"orderbook.50.BTCUSDT","type":"{kind}","ts":1764000000000,"data":{{"s":"BTCUSDT","b":[{}],"a":[{}],"u":{u},"seq":{u}}},"cts":1764000000000}}"#,
            bids.join(","),
            asks.join(",")
        )
    };
    let side =
        |from: u64, step: i64| (0..50).map(|at| level(from.wrapping_add_signed(step * at), 1_000)).collect();
    let mut emit = |event| drop(black_box(event));
    feed.frame(&frame("snapshot", 1, side(600_000, -1), side(600_001, 1)), Timestamp(0), &mut emit).unwrap();
    (2..FRAMES + 2)
        .map(|u| {
            let change = |of: u64| (0..4).map(|at| (u * 7 + of + at * 11) % 50).collect::<Vec<u64>>();
            let bids = change(0).into_iter().map(|at| level(600_000 - at, 1 + u % 9_000)).collect();
            let asks = change(3).into_iter().map(|at| level(600_001 + at, 1 + u % 9_000)).collect();
            let text = frame("delta", u, bids, asks);
            let started = Instant::now();
            feed.frame(black_box(&text), Timestamp(u), &mut emit).unwrap();
            nanos(started)
        })
        .collect()
}

/// From mantissas to a request ready for the socket.
fn encode_and_sign(credentials: Credentials, count: u64) -> Vec<u64> {
    let mut signer = LocalSigner::new(credentials, system_clock);
    (0..count)
        .map(|number| {
            let mantissa = i64::try_from(600_000 + number % 1_000).unwrap();
            let started = Instant::now();
            let order = wire::CreateOrder {
                category: wire::Category::Linear,
                symbol: "BTCUSDT".to_owned(),
                side: wire::Side::Buy,
                order_type: wire::OrderType::Limit,
                qty: wire::format_mantissa(10, 3),
                price: Some(wire::format_mantissa(mantissa, 1)),
                time_in_force: Some(wire::TimeInForce::PostOnly),
                position_idx: Some(0),
                order_link_id: Some("p001000000007-AAgQGCAoMDhASFBYYGhweI".to_owned()),
                smp_type: Some(wire::SmpType::CancelTaker),
                ..wire::CreateOrder::default()
            };
            black_box(signer.sign(&OrderRequest::Create(order)).unwrap());
            nanos(started)
        })
        .collect()
}

fn rsa() -> Credentials {
    let der: Pkcs8V1Der<'static> = KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap();
    let text = STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    Credentials::rsa("bench-key", &pem.into()).unwrap()
}

fn nanos(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_nanos()).unwrap()
}
