//! What it takes to make an order a signed request, with either kind of key: nanoseconds by rank, as one JSON object.
//! `cargo bench -p portcullis-bybit`. What a frame of the stream takes, `portcullis bench feed` measures.

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
use portcullis_bybit::{LocalSigner, OrderRequest, OrderSigner as _, system_clock};
use portcullis_wire as wire;
use portcullis_wire::Credentials;

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
    let secret = "bench-secret-of-the-usual-length-000".to_owned();
    add("order_encode_sign_hmac", encode_and_sign(Credentials::new("bench-key", &secret.into()), SIGNATURES));
    add("order_encode_sign_rsa2048", encode_and_sign(rsa(), RSA_SIGNATURES));
    println!("{}", serde_json::Value::Object(figures));
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
