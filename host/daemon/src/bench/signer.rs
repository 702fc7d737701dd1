//! What it costs that the trade key is elsewhere: from a request to its signature, over the signer's socket and back.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use portcullis_core::Environment;
use portcullis_role::listen;
use portcullis_wire::{
    Cap, Category, CreateOrder, Credentials, OrderRequest, OrderSigner as _, OrderType, RemoteSigner, Side,
    SignError, SignerConfig, serve_signer,
};

use super::{Figures, Samples, scaled};
use crate::clock;
use crate::failure::Failure;

const SIGNATURES: u32 = 4_000;

/// Between signatures: 2,000 a second, so that both sides have gone to sleep.
const PACE: Duration = Duration::from_micros(500);

/// Longest wait for the signer to be there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Measures `signer_round_trip_p50_us` and `signer_round_trip_p99_us`. The signer is a thread of this process behind the production code
/// of both sides; a process differs by one change of the address space each way.
pub(super) fn measure(figures: &mut Figures) -> Result<(), Failure> {
    let dir = std::env::temp_dir().join(format!("portcullis-bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let measured = round_trips(&dir);
    std::fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    let mut samples = measured?;
    figures.insert("signer_round_trip_p50_us".to_owned(), scaled(samples.rank(500), 1_000));
    figures.insert("signer_round_trip_p99_us".to_owned(), scaled(samples.rank(990), 1_000));
    Ok(())
}

fn round_trips(dir: &std::path::Path) -> anyhow::Result<Samples> {
    let socket = dir.join("gateway.sock");
    let (gateway, sentinel) = (listen(&socket)?, listen(&dir.join("sentinel.sock"))?);
    let config = SignerConfig {
        environment: Environment::Paper,
        trade_key: Credentials::new("bench-key", &"bench-secret".to_owned().into()),
        cap: Cap::new(&["linear:BTCUSDT".to_owned()], "1000000", 6_000, 1)?,
        trade_socket: false,
        clock: clock::now,
        peers: Vec::new(),
    };
    // It ends with this process.
    std::thread::Builder::new()
        .name("bench-signer".to_owned())
        .spawn(move || serve_signer(config, gateway, sentinel).map(|never| match never {}))?;
    let mut signer = RemoteSigner::start(&socket, Environment::Paper, Vec::new(), Box::new(|_| Ok(())))?;
    if !signer.beside().wait(PATIENCE) {
        return Err(anyhow!("the signer did not answer"));
    }
    let mut samples = Samples::default();
    for number in 0..SIGNATURES {
        std::thread::sleep(PACE);
        let request = order(number);
        let started = Instant::now();
        match signer.sign(&request) {
            Ok(_) => samples.push(started.elapsed()),
            // A machine so busy that a deadline was missed: the next one counts again.
            Err(SignError::Unreachable) if signer.beside().wait(PATIENCE) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(samples)
}

fn order(number: u32) -> OrderRequest {
    OrderRequest::Create(CreateOrder {
        category: Category::Linear,
        symbol: "BTCUSDT".to_owned(),
        side: Side::Buy,
        order_type: OrderType::Limit,
        qty: "0.01".to_owned(),
        price: Some("60000.1".to_owned()),
        position_idx: Some(0),
        order_link_id: Some(format!("p{number}")),
        ..CreateOrder::default()
    })
}
