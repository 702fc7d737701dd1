//! Loads the recorded market files that lie beside the repository. They are not part of it, so the tests say when they are missing.
#![allow(
    clippy::wildcard_enum_match_arm,
    missing_docs,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use portcullis_core::{Category, MarketBody};
use portcullis_paper::sources::{Recording, load};
use portcullis_paper::{Fees, Listing};

fn main() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/market");
    let missing = !data.is_dir();
    let trial = |name: &str, file: &'static str, check: fn(&Recording, &Listing) -> Result<(), Failed>| {
        let name = if missing { format!("{name} (ignored: no shared data)") } else { name.to_owned() };
        let path = data.join(file);
        Trial::test(name, move || {
            let (recording, listing) = read(path)?;
            check(&recording, &listing)
        })
        .with_ignored_flag(missing)
    };
    let trials = vec![
        trial("binance_trades", "binance-trades-all.csv.gz", |recording, listing| {
            equal("coin-margined rows", recording.skipped, 2_565 + 2_670 + 1_531 + 2_064)?;
            let linear = recording.events.iter().filter(|event| {
                listing.get(event.instrument).is_some_and(|spec| spec.category == Category::Linear)
            });
            equal("linear trades", linear.count(), 9_616 + 11_697 + 6_984 + 7_092)
        }),
        trial("binance_raw_feed", "binance-raw-usdm-btcusdt_20240808.gz", |recording, _| {
            let count =
                |of: fn(&MarketBody) -> bool| recording.events.iter().filter(|event| of(&event.body)).count();
            equal("trades", count(|body| matches!(body, MarketBody::Trade { .. })), 21_313)?;
            equal("quotes", count(|body| matches!(body, MarketBody::Quote { .. })), 66_089)?;
            let crossed = count(|body| match body {
                MarketBody::Book(book) => match (book.bids.first(), book.asks.first()) {
                    (Some(bid), Some(ask)) => bid.price >= ask.price,
                    _ => true,
                },
                _ => false,
            });
            equal("crossed or empty books", crossed, 0)
        }),
        trial("bybit_klines", "bybit-BTCUSDT-linear-5m.csv.gz", |recording, _| {
            equal("trades, four a kline", recording.events.len(), 4 * 86_604)
        }),
        trial("binance_klines", "binance-usdm-BTCUSDT-1m.csv.gz", |recording, _| {
            equal("trades, four a kline", recording.events.len(), 4 * 43_199)
        }),
        trial("bybit_mark", "bybit-BTCUSDT-linear-mark-1h.csv.gz", |recording, _| {
            equal("marks", recording.events.len(), 7_217)
        }),
        trial("bybit_funding", "bybit-BTCUSDT-linear-funding-1h.csv.gz", |recording, _| {
            equal("fundings", recording.events.len(), 902)
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn read(file: PathBuf) -> Result<(Recording, Listing), Failed> {
    let mut listing = Listing::new(Fees::default());
    let recording = load(&[file], &mut listing)?;
    Ok((recording, listing))
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, is: T, expected: T) -> Result<(), Failed> {
    if is == expected { Ok(()) } else { Err(format!("{what}: {is:?}, expected {expected:?}").into()) }
}
