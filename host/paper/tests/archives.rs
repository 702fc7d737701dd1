//! Bybit's public archives: order books in a zip, spot trades, minute klines. What they hold, and what a broken one is told as.
#![allow(
    clippy::wildcard_enum_match_arm,
    missing_docs,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use portcullis_core::{Category, MarketBody, Price, Qty, Side};
use portcullis_paper::sources::{DataError, Recording, load};
use portcullis_paper::{Fees, Listing};

const NAME: &str = "2025-01-01_BTCUSDT_ob500.data";
/// Time of the first frame, ms.
const T: u64 = 1_735_689_602_000;

/// A frame as the archives have it.
fn frame(kind: &str, u: u64, bids: &str, asks: &str) -> String {
    let at = T + u * 100;
    format!(
        r#"{{"topic":"orderbook.500.BTCUSDT","type":"{kind}","ts":{at},"data":{{"s":"BTCUSDT","b":[{bids}],"a":[{asks}],"u":{u},"seq":{u}}},"cts":{}}}"#,
        at - 5
    )
}

fn day() -> Vec<String> {
    vec![
        frame("snapshot", 7, r#"["60000.00","1.5"],["59999.90","2"]"#, r#"["60000.10","3"]"#),
        frame("delta", 8, r#"["60000.00","0"]"#, r#"["60000.20","0.25"]"#),
        frame("delta", 9, "", r#"["60000.10","2.5"]"#),
    ]
}

struct Member<'a> {
    name: &'a str,
    content: &'a [u8],
    method: u16,
    flags: u16,
    crc: Option<u32>,
    long: bool,
}

impl<'a> Member<'a> {
    fn new(name: &'a str, content: &'a [u8]) -> Self {
        Self { name, content, method: 8, flags: 0, crc: None, long: false }
    }
}

/// A zip file as archivers write it.
fn zip(members: &[Member<'_>]) -> Vec<u8> {
    let (mut out, mut list) = (Vec::new(), Vec::new());
    for member in members {
        let mut crc = flate2::Crc::new();
        crc.update(member.content);
        let crc = member.crc.unwrap_or_else(|| crc.sum());
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(member.content).unwrap();
        let packed = if member.method == 8 { deflate.finish().unwrap() } else { member.content.to_vec() };
        let at = out.len() as u32;
        let sizes =
            if member.long { [u32::MAX; 2] } else { [packed.len() as u32, member.content.len() as u32] };
        let mut extra = Vec::new();
        if member.long {
            // Some other field first, then the long numbers: unpacked, packed.
            extra.extend([9, 9, 2, 0, 0, 0, 1, 0, 16, 0]);
            extra.extend((member.content.len() as u64).to_le_bytes());
            extra.extend((packed.len() as u64).to_le_bytes());
        }
        let head = |into: &mut Vec<u8>| {
            for number in [20, member.flags, member.method, 0, 0] {
                into.extend(number.to_le_bytes());
            }
            for number in [crc, sizes[0], sizes[1]] {
                into.extend(number.to_le_bytes());
            }
            into.extend((member.name.len() as u16).to_le_bytes());
            into.extend((extra.len() as u16).to_le_bytes());
        };
        out.extend(b"PK\x03\x04");
        head(&mut out);
        out.extend(member.name.as_bytes());
        out.extend(&extra);
        out.extend(packed);
        list.extend(b"PK\x01\x02\x14\x00");
        head(&mut list);
        list.extend([0; 10]);
        list.extend(at.to_le_bytes());
        list.extend(member.name.as_bytes());
        list.extend(&extra);
    }
    let at = out.len() as u32;
    out.extend(&list);
    out.extend(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        out.extend((members.len() as u16).to_le_bytes());
    }
    out.extend((list.len() as u32).to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([3, 0]);
    out.extend(b"end");
    out
}

fn read(name: &str, content: &[u8]) -> Result<(Recording, Listing), DataError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    let mut listing = Listing::new(Fees::default());
    load(&[path], &mut listing).map(|recording| (recording, listing))
}

fn refused(name: &str, content: &[u8]) -> (&'static str, String) {
    let error = read(name, content).map(|_| ()).unwrap_err();
    let text = error.to_string();
    let (path, reason) = text.split_once(": ").unwrap();
    assert!(Path::new(path).ends_with(name), "{text} does not begin with the file");
    (error.code(), reason.to_owned())
}

/// Prices and quantities.
type Levels = Vec<(i64, i64)>;

fn books(recording: &Recording) -> Vec<(u64, Levels, Levels)> {
    let levels = |side: &[portcullis_core::Level]| {
        side.iter().map(|level| (level.price.0, level.quantity.0)).collect()
    };
    let book = |event: &portcullis_core::MarketEvent| match &event.body {
        MarketBody::Book(book) => {
            Some((event.venue_time.millis() - T, levels(&book.bids), levels(&book.asks)))
        }
        _ => None,
    };
    recording.events.iter().filter_map(book).collect()
}

#[test]
fn a_zip_of_order_books_gives_the_book_after_each_update() {
    let text = day().join("\n");
    for (method, long) in [(8, false), (0, false), (8, true)] {
        let member = Member { method, long, ..Member::new(NAME, text.as_bytes()) };
        let (recording, listing) = read(&format!("{NAME}.zip"), &zip(&[member])).unwrap();
        assert_eq!(
            books(&recording),
            [
                (695, vec![(600_000, 1_500), (599_999, 2_000)], vec![(600_001, 3_000)]),
                (795, vec![(599_999, 2_000)], vec![(600_001, 3_000), (600_002, 250)]),
                (895, vec![(599_999, 2_000)], vec![(600_001, 2_500), (600_002, 250)]),
            ],
            "at the time of the matching engine"
        );
        assert_eq!(listing.specs()[0].category, Category::Linear);
        assert_eq!((recording.gaps, recording.skipped), (0, 0));
    }
    let (_, listing) =
        read(&format!("spot_{NAME}.zip"), &zip(&[Member::new(NAME, text.as_bytes())])).unwrap();
    assert_eq!(listing.specs()[0].category, Category::Spot, "the name says so");
}

#[test]
fn a_missing_update_is_a_gap_with_an_empty_book_until_the_next_snapshot() {
    let mut lines = day();
    lines.push(frame("delta", 11, r#"["59000","1"]"#, ""));
    lines.push(frame("delta", 12, r#"["59000","2"]"#, ""));
    lines.push(frame("snapshot", 20, r#"["60001","1"]"#, r#"["60002","1"]"#));
    lines.push(frame("delta", 21, r#"["60003","1"]"#, ""));
    let (recording, _) = read(NAME, lines.join("\n").as_bytes()).unwrap();
    let gap = recording.gap.clone().unwrap();
    assert_eq!((gap.line, gap.before.millis() - T, gap.at.millis() - T), (4, 895, 1_095));
    assert_eq!((recording.gaps, recording.skipped), (2, 3), "two gaps, the second by a crossed book");
    let shown: Vec<_> = books(&recording).into_iter().skip(3).collect();
    assert_eq!(
        shown,
        [
            (1_095, vec![], vec![]),
            (1_995, vec![(600_010, 1_000)], vec![(600_020, 1_000)]),
            (2_095, vec![], vec![]),
        ]
    );
    let (recording, _) = read(NAME, [lines[1].as_str(), lines[0].as_str()].join("\n").as_bytes()).unwrap();
    assert_eq!((recording.gaps, recording.skipped, recording.events.len()), (1, 1, 1), "begun in the middle");
}

#[test]
fn other_frames_of_a_recorded_stream_are_read_too() {
    let trade = |t: u64, side: &str, block: bool| {
        format!(r#"{{"T":{t},"s":"BTCUSDT","S":"{side}","v":"0.010","p":"60000.00","i":"x","BT":{block}}}"#)
    };
    let trades = [trade(T, "Buy", false), trade(T, "Buy", true), trade(T + 1, "Sell", false)].join(",");
    let ticker = |ts: u64, members: &str| {
        format!(
            r#"{{"topic":"tickers.BTCUSDT","type":"delta","data":{{"symbol":"BTCUSDT",{members}}},"cs":1,"ts":{ts}}}"#
        )
    };
    let lines = [
        r#"{"success":true,"ret_msg":"","conn_id":"c","req_id":"1","op":"subscribe"}"#.to_owned(),
        format!(r#"{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":{T},"data":[{trades}]}}"#),
        r#"{"topic":"priceLimit.BTCUSDT","ts":1735689602000,"data":{}}"#.to_owned(),
        ticker(
            T + 2,
            r#""markPrice":"60000.5","indexPrice":"60001","fundingRate":"0.0001","nextFundingTime":"1735689603000""#,
        ),
        ticker(T + 3, r#""markPrice":"60000.6""#),
        ticker(T + 4, r#""fundingRate":"0.0002","nextFundingTime":"1735718403000""#),
    ];
    let (recording, _) = read("frames.ndjson", lines.join("\n").as_bytes()).unwrap();
    let [first, second, mark, moved, funding] = recording.events.as_slice() else {
        unreachable!("{:?}", recording.events)
    };
    let price = Price(600_000);
    assert_eq!(first.body, MarketBody::Trade { price, quantity: Qty(10), taker: Side::Buy });
    assert_eq!(
        second.body,
        MarketBody::Trade { price, quantity: Qty(10), taker: Side::Sell },
        "no block trade"
    );
    assert!(matches!(mark.body, MarketBody::Mark { mark, index } if mark < index));
    assert!(matches!(moved.body, MarketBody::Mark { mark, index } if mark < index), "the index stays");
    assert!(
        matches!(funding.body, MarketBody::Funding { rate, .. } if rate.0 == 100_000_000),
        "paid at the rate that was announced last"
    );
    assert_eq!(recording.skipped, 2);
}

#[test]
fn spot_trades_and_minute_klines_are_named_by_their_files() {
    let trades = "id,timestamp,price,volume,side,rpi\n1,1784937600662,64142.5,0.00016,buy,0\n2,1784937600700,64142.51,0.5,sell,0";
    let (recording, listing) = read("BTCUSDT_2026-07-25.csv", trades.as_bytes()).unwrap();
    assert_eq!(listing.specs()[0].category, Category::Spot);
    assert_eq!(
        recording.events[0].body,
        MarketBody::Trade { price: Price(6_414_250), quantity: Qty(160), taker: Side::Buy }
    );
    assert_eq!(refused("trades.csv", trades.as_bytes()).0, "DATA_SYMBOL");
    let klines = "2024.01.01 03:00,42283.5,42300,42280,42290,12.5\n2024.01.01 03:05,42290,42290,42290,42290,1\n\
                  2024.01.01 03:15,42290,42290,42290,42290,1";
    let (recording, listing) = read("BTCUSDT_5_2024-01-01_2024-01-31.csv", klines.as_bytes()).unwrap();
    assert_eq!(listing.specs()[0].category, Category::Linear);
    assert_eq!(recording.events.len(), 12);
    assert_eq!(
        recording.events[0].venue_time.millis(),
        1_704_067_200_000,
        "three hours behind the file's clock"
    );
    assert_eq!((recording.gaps, recording.gap.map(|gap| gap.line)), (1, Some(3)));
}

#[test]
fn a_broken_line_names_line_column_and_reason() {
    let (one, two) = (day()[0].clone(), day()[1].clone());
    for (line, expected) in [
        (
            two.replace("60000.20", "60000.25"),
            r#"line 2, column data: "60000.25" is no price on our scale (too many decimals)"#,
        ),
        (
            two.replace("0.25", "-0.25"),
            r#"line 2, column data: "-0.25" is no quantity on our scale (too small)"#,
        ),
        (two.replace("60000.20", "-1"), r#"line 2, column data: "-1" is no price on our scale (too small)"#),
        (
            two.replace(r#""s":"BTCUSDT""#, r#""s":"ETHUSDT""#),
            r#"line 2, column symbol: "ETHUSDT" in a frame of BTCUSDT"#,
        ),
        (two.replace("BTCUSDT", "FOOUSDT"), r#"line 2, column topic: no trading rules for "FOOUSDT""#),
        (two.replace("1735689602", "1"), "line 2, column ts: 1795 is no time in milliseconds since 1970"),
    ] {
        assert_eq!(
            refused(NAME, [one.as_str(), &line].join("\n").as_bytes()),
            ("DATA_LINE", expected.to_owned())
        );
    }
    let cut = refused(NAME, format!("{one}\n{}", &two[..40]).as_bytes());
    assert!(cut.1.starts_with("line 2, column frame: no frame of a public stream"), "{cut:?}");
    let long = [b"{\"topic\":\"".as_slice(), &vec![b'x'; 5 << 20]].concat();
    assert_eq!(refused(NAME, &long).1, "line 1, column line: longer than 4 MiB");
}

#[test]
fn a_broken_archive_says_what_is_wrong_and_what_to_do() {
    let text = day().join("\n");
    let good = || Member::new(NAME, text.as_bytes());
    let name = format!("{NAME}.zip");
    let told = |members: &[Member<'_>]| refused(&name, &zip(members));
    let archive = |reason: &str| ("DATA_ARCHIVE", reason.to_owned());
    assert_eq!(
        told(&[]),
        archive("holds 0 files and must hold one; unpack it and name its files one by one")
    );
    assert_eq!(
        told(&[good(), Member::new("other", b"")]),
        archive("holds 2 files and must hold one; unpack it and name its files one by one")
    );
    assert_eq!(told(&[Member { flags: 1, ..good() }]), archive("its file has a password; pack it without"));
    assert_eq!(
        told(&[Member { method: 12, ..good() }]),
        archive("its file is packed by method 12; pack it by deflate")
    );
    let crc = told(&[Member { crc: Some(1), ..good() }]);
    assert_eq!(crc, ("DATA_UNREADABLE", "cannot be read: the archive's checksum is wrong".to_owned()));
    let folder = Member { method: 0, ..Member::new("folder/", b"") };
    assert!(read(&name, &zip(&[folder, good()])).is_ok(), "a folder is no file");
    let whole = zip(&[good()]);
    for end in 4..whole.len() {
        let error = read(&name, &whole[..end]).map(|_| ()).unwrap_err();
        assert!(matches!(error, DataError::Archive { .. }), "{end}: {error}");
    }
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            // Whatever it says, it neither panics nor gives other events than the file has.
            if let Ok((recording, _)) = read(&name, &flipped) {
                assert_eq!(recording.events.len(), 3, "byte {at} bit {bit}");
            }
        }
    }
}
