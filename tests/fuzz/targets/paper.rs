//! What the operator hands to the paper exchange: market files and faults.

use std::io::Write as _;

use portcullis_core::MarketBody;
use portcullis_paper::sources::load;
use portcullis_paper::{Faults, Fees, Listing};

use super::venue::{public_frames, whole};

/// A file of each format, compressed ones too.
pub fn market_files() -> Vec<Vec<u8>> {
    let texts = [
        "market,symbol,local_recv_ns,event_ms,trade_ms,trade_id,price,qty,taker_side\n\
         usdm,BTCUSDT,1,1723161256322,1723161256322,1,60000.0,1,buy\n\
         spot,ETHUSDT,1,1723161256323,1723161256323,2,2500.01,0.5,sell\n\
         cm,BTCUSD_PERP,1,1723161256322,1723161256322,1,61800.3,1,buy",
        "timestamp,symbol,side,size,price,tickDirection\n1723161256.3224,BTCUSDT,Sell,0.010,61800.30,ZeroMinusTick",
        "1 {\"stream\":\"x\",\"data\":{\"e\":\"bookTicker\",\"u\":12,\"s\":\"BTCUSDT\",\"b\":\"99.9\",\"B\":\"1.5\",\"a\":\"100.1\",\
         \"A\":\"3\",\"T\":1723161256300,\"E\":9}}\n\
         2 {\"lastUpdateId\":10,\"E\":9,\"T\":1723161256350,\"bids\":[[\"100.0\",\"1\"]],\"asks\":[[\"100.1\",\"3\"]]}\n\
         3 {\"stream\":\"x\",\"data\":{\"e\":\"depthUpdate\",\"E\":9,\"T\":1723161256400,\"s\":\"BTCUSDT\",\"U\":6,\"u\":11,\"pu\":5,\
         \"b\":[[\"100.0\",\"0.000\"],[\"99.8\",\"2\"]],\"a\":[]}}",
        "id,timestamp,price,volume,side\n1,1696118403019,26965.24,0.000055,buy",
        "start_ms,open,high,low,close,volume\n1758672000000,100.0,100.5,99.0,100.2,4.004\n1758672300000,100.2,110,100.2,105,0.4",
        "2024.01.01 03:00,42283.5,42300,42280,42290,12.5\n2024.01.01 03:05,42290,42290,42290,42290,1",
    ];
    let mut files: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    files.extend(public_frames().into_iter().filter(|frame| !frame.windows(5).any(|five| five == b"kline")));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(texts[0].as_bytes()).unwrap();
    files.push(gzip.finish().unwrap());
    files
}

/// What is loaded is in order of time, and nothing in it has a price below zero or a book that cannot be.
pub fn market_file(input: &[u8]) -> bool {
    thread_local! {
        static DIR: tempfile::TempDir = tempfile::tempdir().unwrap();
    }
    // The name says of what it is where the content does not.
    let path = DIR.with(|dir| dir.path().join("BTCUSDT_5.data"));
    std::fs::write(&path, input).unwrap();
    let mut listing = Listing::new(Fees::default());
    let recording = match load(std::slice::from_ref(&path), &mut listing) {
        Ok(recording) => recording,
        Err(error) => {
            assert!(error.to_string().len() < 2_000, "an error that says too much");
            return false;
        }
    };
    assert!(recording.events.is_sorted_by_key(|event| event.venue_time));
    for event in &recording.events {
        assert!(listing.get(event.instrument).is_some());
        match &event.body {
            MarketBody::Trade { price, quantity, .. } => assert!(price.0 > 0 && quantity.0 > 0, "{event:?}"),
            MarketBody::Quote { bid, ask } => {
                assert!(
                    bid.price.0 > 0 && ask.price.0 > 0 && bid.quantity.0 > 0 && ask.quantity.0 > 0,
                    "{event:?}"
                );
            }
            // Another venue's book is taken as that venue showed it, crossed or not.
            MarketBody::Book(book) if input.starts_with(b"{") => whole(book),
            MarketBody::Book(_) | MarketBody::Bar(_) | MarketBody::Funding { .. } => {}
            MarketBody::Mark { mark, index } => assert!(mark.0 > 0 && index.0 > 0, "{event:?}"),
        }
    }
    true
}

pub fn fault_files() -> Vec<Vec<u8>> {
    let texts = [
        "[[fault]]\nat = \"/v5/order/create\"\ndoes = \"timeout_after_accept\"\nnth = 1\n\
         [[fault]]\nat = \"public\"\ndoes = \"silence\"\nevery = 100\nfor_ms = 500\n",
        "[[fault]]\nat = \"execution\"\ndoes = \"delay_event\"\nper_million = 20000\nfor_ms = 50\n",
        "{\"fault\": [{\"at\": \"order\", \"does\": \"drop_event\", \"nth\": 3}]}",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The faults that an operator asks for.
pub fn venue_faults(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    match Faults::parse(text) {
        Ok(_) => true,
        Err(error) => {
            assert!(error.to_string().len() < 70_000);
            false
        }
    }
}
