//! Market files: what the formats hold, and what a broken line is told as.
#![allow(
    clippy::wildcard_enum_match_arm,
    missing_docs,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code"
)]

use std::io::Write as _;
use std::path::PathBuf;

use portcullis_core::{Category, MarketBody, Price, Qty, Side, Timestamp};
use portcullis_paper::sources::{DataError, Recording, load};
use portcullis_paper::{Fees, Listing};

const BINANCE: &str =
    "market,symbol,local_recv_ns,event_ms,trade_ms,trade_id,price,qty,taker_side,order_type";
const BYBIT: &str =
    "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional";
const KLINE: &str = "start_ms,open,high,low,close,volume";

struct Files {
    dir: tempfile::TempDir,
    paths: Vec<PathBuf>,
}

impl Files {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), paths: Vec::new() }
    }

    fn with(mut self, name: &str, lines: &[&str]) -> Self {
        let path = self.dir.path().join(name);
        let text = lines.join("\n");
        if name.ends_with(".gz") {
            let file = std::fs::File::create(&path).unwrap();
            let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            packed.finish().unwrap();
        } else {
            std::fs::write(&path, text).unwrap();
        }
        self.paths.push(path);
        self
    }

    fn load(&self) -> Result<(Recording, Listing), DataError> {
        let mut listing = Listing::new(Fees::default());
        load(&self.paths, &mut listing).map(|recording| (recording, listing))
    }
}

fn trades(recording: &Recording) -> Vec<(u64, i64, i64, Side)> {
    let trade = |event: &portcullis_core::MarketEvent| match event.body {
        MarketBody::Trade { price, quantity, taker } => {
            Some((event.venue_time.millis(), price.0, quantity.0, taker))
        }
        _ => None,
    };
    recording.events.iter().filter_map(trade).collect()
}

#[test]
fn binance_trades_map_usdm_and_spot_and_count_coin_margined_rows() {
    let files = Files::new().with(
        "trades.csv.gz",
        &[
            BINANCE,
            "usdm,BTCUSDT,1723161255088176367,1723161256322,1723161256322,5266583935,61800.30,0.006,buy,MARKET",
            "cm,BTCUSD_PERP,1,1723161256322,1723161256322,1,61800.3,1,buy,MARKET",
            "spot,ETHUSDT,1723161254340863867,1723161255612,1723161255611,1520538925,2683.80000000,0.00200000,sell,",
        ],
    );
    let (recording, listing) = files.load().unwrap();
    assert_eq!(recording.skipped, 1);
    assert_eq!(
        trades(&recording),
        [(1_723_161_255_611, 268_380, 200, Side::Sell), (1_723_161_256_322, 618_003, 6, Side::Buy)],
        "in order of time"
    );
    let of: Vec<_> =
        recording.events.iter().map(|event| listing.get(event.instrument).unwrap().category).collect();
    assert_eq!(of, [Category::Spot, Category::Linear]);
}

#[test]
fn bybit_trades_have_seconds_with_decimals() {
    let files = Files::new().with(
        "BTCUSDT2024-08-09.csv",
        &[BYBIT, "1723161256.3224,BTCUSDT,Sell,0.010,61800.30,ZeroMinusTick,x,1,2,3"],
    );
    let (recording, _) = files.load().unwrap();
    assert_eq!(recording.events[0].venue_time, Timestamp(1_723_161_256_322_400_000));
    assert_eq!(trades(&recording), [(1_723_161_256_322, 618_003, 10, Side::Sell)]);
}

#[test]
fn a_kline_becomes_a_path_through_its_extremes() {
    let files = Files::new().with(
        "bybit-BTCUSDT-linear-5m.csv.gz",
        &[KLINE, "1758672000000,100.0,100.5,99.0,100.2,4.004", "1758672300000,100.2,110.0,100.2,105.0,0.4"],
    );
    let (recording, _) = files.load().unwrap();
    let path: Vec<_> = trades(&recording).iter().map(|(_, price, quantity, _)| (*price, *quantity)).collect();
    assert_eq!(
        path,
        [
            (1000, 1001),
            (1005, 1001),
            (990, 1001),
            (1002, 1001),
            (1002, 100),
            (1002, 100),
            (1100, 100),
            (1050, 100)
        ]
    );
    assert_eq!(trades(&recording)[3].0, 1_758_672_299_999);
}

#[test]
fn mark_and_funding_files_become_marks_and_funding() {
    let files = Files::new()
        .with(
            "bybit-BTCUSDT-linear-mark-1h.csv",
            &[KLINE, "1758672000000,111937.55,112333.3,111758.73,112157.76,"],
        )
        .with("bybit-BTCUSDT-linear-funding-1h.csv", &[KLINE, "1758672000000,1.004e-05,0.0,0.0,0.0,0.0"]);
    let (recording, _) = files.load().unwrap();
    assert!(
        matches!(recording.events[0].body, MarketBody::Mark { mark, .. } if mark.0 == 111_937_550_000_000_000_000_000)
    );
    assert!(matches!(recording.events[1].body, MarketBody::Funding { rate, .. } if rate.0 == 10_040_000));
}

#[test]
fn a_raw_feed_builds_the_book_from_its_snapshot() {
    let files = Files::new().with(
        "raw.gz",
        &[
            r#"1 {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":9,"T":1723161256100,"s":"BTCUSDT","U":1,"u":5,"pu":0,"b":[["99.9","9"]],"a":[]}}"#,
            r#"2 {"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":9,"T":1723161256200,"s":"BTCUSDT","U":6,"u":11,"pu":5,"b":[["100.0","0.000"],["99.8","2"]],"a":[]}}"#,
            r#"3 {"lastUpdateId":10,"E":9,"T":1723161256150,"bids":[["100.0","1"]],"asks":[["100.1","3"]]}"#,
            r#"4 {"stream":"btcusdt@bookTicker","data":{"e":"bookTicker","u":12,"s":"BTCUSDT","b":"99.9","B":"1.5","a":"100.1","A":"3","T":1723161256300,"E":9}}"#,
            r#"5 {"stream":"btcusdt@trade","data":{"e":"trade","E":9,"T":1723161256250,"s":"BTCUSDT","t":1,"p":"100.1","q":"0.006","X":"MARKET","m":true}}"#,
        ],
    );
    let (recording, _) = files.load().unwrap();
    let [book, quote, trade] = recording.events.as_slice() else { unreachable!("{:?}", recording.events) };
    let MarketBody::Book(levels) = &book.body else { unreachable!() };
    let bids: Vec<_> = levels.bids.iter().map(|level| (level.price, level.quantity)).collect();
    assert_eq!(
        bids,
        [(Price(998), Qty(2_000))],
        "frames before the snapshot that it holds already are left out"
    );
    assert!(matches!(quote.body, MarketBody::Quote { bid, .. } if bid.quantity == Qty(1_500)));
    assert!(matches!(trade.body, MarketBody::Trade { taker: Side::Sell, .. }));
    assert_eq!(trade.venue_time.millis(), 1_723_161_256_300, "time does not run back");
}

#[test]
fn a_broken_line_names_file_line_column_and_reason() {
    let good = "usdm,BTCUSDT,1,1723161256322,1723161256322,1,61800.30,0.006,buy,MARKET";
    let cases: [(&str, &[&str], &str); 12] = [
        (
            "a.csv",
            &[BINANCE, good, "usdm,BTCUSDT,1,1,1723161256322,1,abc,0.006,buy,"],
            "line 3, column price: \"abc\": not a decimal number",
        ),
        (
            "a.csv",
            &[BINANCE, "usdm,BTCUSDT,1,1,1723161256322,1,0,0.006,buy,"],
            "line 2, column price: \"0\": must be above zero",
        ),
        (
            "a.csv",
            &[BINANCE, "usdm,BTCUSDT,1,1,1723161256322,1,1,-1,buy,"],
            "line 2, column qty: \"-1\": must not be negative",
        ),
        (
            "a.csv",
            &[BINANCE, "usdm,BTCUSDT,1,1,1723161256,1,1,1,buy,"],
            "line 2, column trade_ms: 1723161256 is no time in milliseconds since 1970",
        ),
        (
            "a.csv",
            &[BINANCE, "usdm,BTCUSDT,1,1,1723161256322,1,1,1,long,"],
            "line 2, column taker_side: \"long\" is neither buy nor sell",
        ),
        (
            "a.csv",
            &[BINANCE, "usdm,FOOUSDT,1,1,1723161256322,1,1,1,buy,"],
            "line 2, column symbol: no trading rules for \"FOOUSDT\"",
        ),
        (
            "a.csv",
            &[BINANCE, "coin,BTCUSDT,1,1,1723161256322,1,1,1,buy,"],
            "line 2, column market: \"coin\" is none of usdm, spot, cm",
        ),
        ("a.csv", &[BINANCE, "usdm,BTCUSDT,1"], "line 2, column line: 3 columns, expected 9"),
        (
            "a.csv",
            &[BYBIT, "1723161256322,BTCUSDT,Sell,0.010,61800.30"],
            "line 2, column timestamp: 1723161256322 is no time in seconds since 1970",
        ),
        (
            "BTCUSDT-1m.csv",
            &[KLINE, "1758672000000,100,99,98,99,1"],
            "line 2, column high: below the open or the close",
        ),
        (
            "BTCUSDT-1m.csv",
            &[KLINE, "1758672000000,1,1,1,1,1", "1758672000000,1,1,1,1,1"],
            "line 3, column start_ms: not later than the line before",
        ),
        (
            "raw",
            &[r#"1 {"stream":"x","data":{"e":"aggTrade","s":"BTCUSDT","T":1723161256100}}"#],
            "line 1, column e: \"aggTrade\" is none of trade, bookTicker, depthUpdate",
        ),
    ];
    for (name, lines, expected) in cases {
        let files = Files::new().with(name, lines);
        let error = files.load().map(|_| ()).unwrap_err().to_string();
        let file = files.paths[0].display().to_string();
        assert_eq!(error, format!("{file}: {expected}"));
    }
}

#[test]
fn what_is_no_market_file_is_told_as_such() {
    let error = |files: &Files| files.load().map(|_| ()).unwrap_err();
    assert!(
        matches!(error(&Files::new().with("a.csv", &["hello"])), DataError::UnknownFormat { line, .. } if line == "hello")
    );
    assert!(matches!(error(&Files::new().with("a.csv", &[""])), DataError::UnknownFormat { .. }));
    assert!(matches!(error(&Files::new().with("a.csv", &[BINANCE])), DataError::Empty { .. }));
    assert!(matches!(error(&Files::new().with("klines.csv", &[KLINE])), DataError::NoSymbol { .. }));
    let mut missing = Files::new();
    missing.paths.push(missing.dir.path().join("none.csv"));
    assert!(matches!(error(&missing), DataError::Unreadable { .. }));
    let broken = Files::new().with("a.csv.gz", &[BINANCE]);
    std::fs::write(&broken.paths[0], [0x1f, 0x8b, 8, 0, 1, 2, 3]).unwrap();
    assert!(matches!(error(&broken), DataError::Unreadable { .. }));
}

#[test]
fn several_files_are_merged_by_time() {
    let row = |ms: u64| format!("usdm,BTCUSDT,1,1,{ms},1,100.0,1,buy,");
    let (one, two) = (row(1_723_161_256_000), row(1_723_161_258_000));
    let (three, four) = (row(1_723_161_255_000), row(1_723_161_257_000));
    let files = Files::new().with("a.csv", &[BINANCE, &one, &two]).with("b.csv", &[BINANCE, &three, &four]);
    let (recording, _) = files.load().unwrap();
    let seconds: Vec<_> = trades(&recording).iter().map(|row| row.0 / 1000 % 10).collect();
    assert_eq!(seconds, [5, 6, 7, 8]);
}
