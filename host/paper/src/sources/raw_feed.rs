//! Raw recordings of Binance USD-M streams: `<receive ns> <combined-stream JSON>` a line, with bookTicker, trade and depth
//! frames and the REST snapshot that the depth frames continue.

use std::collections::BTreeMap;

use portcullis_core::{
    BOOK_DEPTH_MAX, Book, Category, InstrumentSpec, Level, MarketBody, Price, Qty, Side, Timestamp,
};
use serde::Deserialize;

use super::csv::{event, price, quantity};
use super::{DataError, Lines, Recording};
use crate::listing::Listing;

/// Most depth frames that wait for the first snapshot of an instrument, and most levels of a side of its book.
const WAITING_MAX: usize = 10_000;
const LEVELS_MAX: usize = 100_000;

#[derive(Deserialize)]
struct Frame {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    e: String,
    s: String,
    #[serde(rename = "T")]
    time: u64,
    #[serde(default)]
    p: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    m: bool,
    #[serde(default)]
    u: u64,
    #[serde(default)]
    b: Member,
    #[serde(default)]
    a: Member,
    #[serde(default, rename = "B")]
    bid_quantity: String,
    #[serde(default, rename = "A")]
    ask_quantity: String,
}

/// `b` and `a` are levels in a depth frame and a price in a bookTicker frame.
#[derive(Deserialize)]
#[serde(untagged)]
enum Member {
    Levels(Vec<[String; 2]>),
    Best(String),
}

impl Default for Member {
    fn default() -> Self {
        Self::Best(String::new())
    }
}

#[derive(Deserialize)]
struct Snapshot {
    #[serde(rename = "lastUpdateId")]
    last_update: u64,
    #[serde(rename = "T", default)]
    time: u64,
    bids: Vec<[String; 2]>,
    asks: Vec<[String; 2]>,
}

/// The book that the frames build up.
#[derive(Default)]
struct Depth {
    bids: BTreeMap<Price, Qty>,
    asks: BTreeMap<Price, Qty>,
    update: u64,
    /// Depth frames say nothing until the snapshot they continue has come.
    known: bool,
    waiting: Vec<Data>,
}

pub(super) fn read(
    lines: &mut Lines,
    first: String,
    listing: &mut Listing,
    into: &mut Recording,
) -> Result<(), DataError> {
    let mut books: BTreeMap<String, Depth> = BTreeMap::new();
    let mut last_symbol = None;
    let mut latest = Timestamp(0);
    let mut line = Some(first);
    while let Some(text) = line {
        let Some((received, json)) = text.split_once(' ') else {
            return Err(lines.bad("line", "no space between receive time and frame"));
        };
        if received.parse::<u64>().is_err() {
            return Err(lines.bad("receive time", format!("{received:?} is no whole number")));
        }
        if json.starts_with("{\"lastUpdateId\"") {
            let snapshot: Snapshot =
                serde_json::from_str(json).map_err(|reason| lines.bad("frame", reason.to_string()))?;
            let symbol: String =
                last_symbol.clone().ok_or_else(|| lines.bad("frame", "a snapshot before any frame"))?;
            let spec = listed(lines, listing, &symbol)?;
            let depth = books.entry(symbol).or_default();
            depth.start(lines, spec, &snapshot)?;
            latest = latest.max(Timestamp::from_millis(snapshot.time));
            lines.push(into, event(spec, latest, depth.body()))?;
        } else {
            let frame: Frame =
                serde_json::from_str(json).map_err(|reason| lines.bad("frame", reason.to_string()))?;
            let spec = listed(lines, listing, &frame.data.s)?;
            last_symbol = Some(frame.data.s.clone());
            // The streams of one file are not in step with each other; time must not run back.
            latest = latest.max(Timestamp::from_millis(frame.data.time));
            let depth = books.entry(frame.data.s.clone()).or_default();
            if let Some(body) = body(lines, spec, depth, frame.data)? {
                lines.push(into, event(spec, latest, body))?;
            }
        }
        line = lines.next()?;
    }
    Ok(())
}

fn listed<'a>(
    lines: &Lines,
    listing: &'a mut Listing,
    symbol: &str,
) -> Result<&'a InstrumentSpec, DataError> {
    let id = listing.list(Category::Linear, symbol);
    id.and_then(|id| listing.get(id))
        .ok_or_else(|| lines.bad("frame", format!("no trading rules for {symbol:?}")))
}

fn body(
    lines: &Lines,
    spec: &InstrumentSpec,
    depth: &mut Depth,
    data: Data,
) -> Result<Option<MarketBody>, DataError> {
    match data.e.as_str() {
        "trade" => {
            let taker = if data.m { Side::Sell } else { Side::Buy };
            let price = number(lines, "p", price(&data.p, spec))?;
            let quantity = number(lines, "q", quantity(&data.q, spec))?;
            Ok(Some(MarketBody::Trade { price, quantity, taker }))
        }
        "bookTicker" => {
            let (Member::Best(bid), Member::Best(ask)) = (&data.b, &data.a) else {
                return Err(lines.bad("b", "not a price"));
            };
            let level = |price_text: &str, quantity_text: &str| -> Result<Level, DataError> {
                Ok(Level {
                    price: number(lines, "b", price(price_text, spec))?,
                    quantity: number(lines, "B", quantity(quantity_text, spec))?,
                })
            };
            let (bid, ask) = (level(bid, &data.bid_quantity)?, level(ask, &data.ask_quantity)?);
            Ok(Some(MarketBody::Quote { bid, ask }))
        }
        "depthUpdate" => {
            if !depth.known {
                if depth.waiting.len() >= WAITING_MAX {
                    return Err(lines.bad("frame", format!("{WAITING_MAX} depth frames and no snapshot")));
                }
                depth.waiting.push(data);
                return Ok(None);
            }
            depth.apply(lines, spec, &data)?;
            Ok(Some(depth.body()))
        }
        other => Err(lines.bad("e", format!("{other:?} is none of trade, bookTicker, depthUpdate"))),
    }
}

fn number<T>(lines: &Lines, column: &'static str, value: Result<T, &'static str>) -> Result<T, DataError> {
    value.map_err(|reason| lines.bad(column, reason))
}

impl Depth {
    fn start(&mut self, lines: &Lines, spec: &InstrumentSpec, snapshot: &Snapshot) -> Result<(), DataError> {
        self.bids.clear();
        self.asks.clear();
        set(lines, spec, &mut self.bids, &snapshot.bids)?;
        set(lines, spec, &mut self.asks, &snapshot.asks)?;
        self.update = snapshot.last_update;
        self.known = true;
        for data in std::mem::take(&mut self.waiting) {
            self.apply(lines, spec, &data)?;
        }
        Ok(())
    }

    fn apply(&mut self, lines: &Lines, spec: &InstrumentSpec, data: &Data) -> Result<(), DataError> {
        if data.u < self.update {
            return Ok(());
        }
        let (Member::Levels(bids), Member::Levels(asks)) = (&data.b, &data.a) else {
            return Err(lines.bad("b", "no levels"));
        };
        set(lines, spec, &mut self.bids, bids)?;
        set(lines, spec, &mut self.asks, asks)?;
        if self.bids.len().max(self.asks.len()) > LEVELS_MAX {
            return Err(lines.bad("b", format!("more than {LEVELS_MAX} levels on a side")));
        }
        self.update = data.u;
        Ok(())
    }

    fn body(&self) -> MarketBody {
        let level = |(price, quantity): (&Price, &Qty)| Level { price: *price, quantity: *quantity };
        MarketBody::Book(Box::new(Book {
            update: self.update,
            bids: self.bids.iter().rev().take(BOOK_DEPTH_MAX).map(level).collect(),
            asks: self.asks.iter().take(BOOK_DEPTH_MAX).map(level).collect(),
        }))
    }
}

fn set(
    lines: &Lines,
    spec: &InstrumentSpec,
    side: &mut BTreeMap<Price, Qty>,
    levels: &[[String; 2]],
) -> Result<(), DataError> {
    for [at, size] in levels {
        let at = number(lines, "price", price(at, spec))?;
        if size.bytes().all(|byte| matches!(byte, b'0' | b'.')) {
            side.remove(&at);
        } else {
            side.insert(at, number(lines, "quantity", quantity(size, spec))?);
        }
    }
    Ok(())
}
