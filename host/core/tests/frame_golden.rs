//! Frames against the golden files of the format.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use portcullis_core::frame::{
    BYTES_MAX, BudgetRecord, FillRecord, FrameBuilder, FrameError, NO_INSTRUMENT, OwnOrderRecord,
    OwnOrderStatus, PositionRecord, RECORDS_MAX, RefusalRecord, RefusedAction,
};
use portcullis_core::{
    Amount, Bar, Category, InstrumentId, InstrumentSpec, Level, OrderNumber, Price, Qty, Rate, Side,
    SignedQty, Span, Timestamp, TradingState,
};
use serde_json::Value;

/// Golden files that pin what a reader must tolerate; a host of this version does not write such records.
const READER_ONLY: [&str; 2] = ["longer-record", "unknown-kind"];

/// One record of a golden file's JSON.
struct Record<'a>(&'a Value);

impl Record<'_> {
    fn number<T: std::str::FromStr>(&self, field: &str) -> T {
        let value = &self.0[field];
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.parse().unwrap_or_else(|_| panic!("{field} is {text}"))
    }

    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_else(|| panic!("no text in {field}"))
    }

    fn time(&self, field: &str) -> Timestamp {
        Timestamp(self.number(field))
    }

    fn price(&self, field: &str) -> Price {
        Price(self.number(field))
    }

    fn quantity(&self, field: &str) -> Qty {
        Qty(self.number(field))
    }

    fn amount(&self, field: &str) -> Amount {
        Amount(self.number(field))
    }

    fn instrument(&self) -> u32 {
        if self.0["instrument"].is_null() { NO_INSTRUMENT } else { self.number("instrument") }
    }

    fn side(&self) -> Side {
        match self.text("side") {
            "buy" => Side::Buy,
            "sell" => Side::Sell,
            other => panic!("side {other}"),
        }
    }

    fn levels(&self, field: &str) -> Vec<Level> {
        let mantissa = |value: &Value| value.as_str().unwrap().parse().unwrap();
        let level =
            |pair: &Value| Level { price: Price(mantissa(&pair[0])), quantity: Qty(mantissa(&pair[1])) };
        self.0[field].as_array().unwrap().iter().map(level).collect()
    }

    fn position(&self, list: &[&str], field: &str) -> u8 {
        let text = self.text(field);
        let found = list.iter().position(|word| *word == text);
        found.unwrap_or_else(|| panic!("{field} {text}")).try_into().unwrap()
    }

    fn add_to(&self, frame: &mut FrameBuilder) -> Result<(), FrameError> {
        let (time, instrument) = (self.time("time"), self.instrument());
        match self.text("kind") {
            "trade" => {
                let (price, quantity) = (self.price("price"), self.quantity("quantity"));
                frame.trade(time, instrument, self.time("venue_time"), price, quantity, self.side())
            }
            "quote" => {
                let bid = Level { price: self.price("bid_price"), quantity: self.quantity("bid_quantity") };
                let ask = Level { price: self.price("ask_price"), quantity: self.quantity("ask_quantity") };
                frame.quote(time, instrument, self.time("venue_time"), bid, ask)
            }
            "book" => {
                let (bids, asks) = (self.levels("bids"), self.levels("asks"));
                let update = self.number("update");
                frame.book(time, instrument, self.time("venue_time"), update, &bids, &asks)
            }
            "bar" => frame.bar(time, instrument, self.time("venue_time"), &self.bar()),
            "funding" => {
                let rate = Rate(self.number("rate"));
                frame.funding(time, instrument, self.time("venue_time"), rate, self.time("next_time"))
            }
            "mark" => {
                let (mark, index) = (self.amount("mark"), self.amount("index"));
                frame.mark(time, instrument, self.time("venue_time"), mark, index)
            }
            "own-order" => frame.own_order(time, instrument, &self.own_order()),
            "fill" => frame.fill(time, instrument, &self.fill()),
            "refusal" => frame.refusal(time, instrument, &self.refusal()),
            "position" => {
                let position = PositionRecord {
                    quantity: SignedQty(self.number("quantity")),
                    cost: self.amount("cost"),
                    realised: self.amount("realised"),
                    fees: self.amount("fees"),
                };
                frame.position(time, instrument, &position)
            }
            "budget" => {
                let words = ["active", "caution", "reduce-only", "entries-cancelled", "flattening", "locked"];
                let states = [
                    TradingState::Active,
                    TradingState::Caution,
                    TradingState::ReduceOnly,
                    TradingState::EntriesCancelled,
                    TradingState::Flattening,
                    TradingState::Locked,
                ];
                let state = states[usize::from(self.position(&words, "state"))];
                let (capital, free) = (self.amount("capital"), self.amount("free"));
                frame.budget(time, &BudgetRecord { capital, free, state })
            }
            "instrument" => frame.instrument(time, instrument, self.time("venue_time"), &self.spec()),
            "timer" => frame.timer(time, self.number("id")),
            "gap" => {
                let causes = ["", "conflation", "disconnect", "fault", "skipped-frame"];
                frame.gap(time, instrument, self.number("dropped"), self.position(&causes, "cause"))
            }
            "warm-up-boundary" => frame.warm_up_boundary(time),
            "resync" => {
                let next = OrderNumber(self.number("next_order"));
                frame.resync(time, self.number("open_orders"), next)
            }
            "signal" => {
                let payload = hex::decode(self.text("payload")).unwrap();
                frame.signal(time, instrument, self.number("channel"), &payload)
            }
            other => panic!("kind {other}"),
        }
    }

    fn bar(&self) -> Bar {
        Bar {
            open_time: self.time("open_time"),
            interval_s: self.number("interval"),
            open: self.price("open"),
            high: self.price("high"),
            low: self.price("low"),
            close: self.price("close"),
            volume: self.quantity("volume"),
        }
    }

    fn own_order(&self) -> OwnOrderRecord {
        let statuses = [
            ("submitted", OwnOrderStatus::Submitted),
            ("unknown", OwnOrderStatus::Unknown),
            ("working", OwnOrderStatus::Working),
            ("partially-filled", OwnOrderStatus::PartiallyFilled),
            ("filled", OwnOrderStatus::Filled),
            ("cancelled", OwnOrderStatus::Cancelled),
            ("rejected", OwnOrderStatus::Rejected),
            ("expired", OwnOrderStatus::Expired),
            ("untriggered", OwnOrderStatus::Untriggered),
            ("not-sent", OwnOrderStatus::NotSent),
        ];
        let price = self.price("price");
        OwnOrderRecord {
            venue_time: self.time("venue_time"),
            order: OrderNumber(self.number("order")),
            tag: self.number("tag"),
            price: (price != Price(0)).then_some(price),
            quantity: self.quantity("quantity"),
            executed: self.quantity("executed"),
            side: self.side(),
            status: statuses.iter().find(|(word, _)| *word == self.text("status")).unwrap().1,
            reason: self.number("reason"),
        }
    }

    fn fill(&self) -> FillRecord {
        FillRecord {
            venue_time: self.time("venue_time"),
            order: OrderNumber(self.number("order")),
            tag: self.number("tag"),
            price: self.price("price"),
            quantity: self.quantity("quantity"),
            fee: self.amount("fee"),
            side: self.side(),
            maker: self.position(&["taker", "maker"], "liquidity") == 1,
            executed: self.quantity("executed"),
        }
    }

    fn refusal(&self) -> RefusalRecord {
        let actions = [
            ("place", RefusedAction::Place),
            ("amend", RefusedAction::Amend),
            ("cancel", RefusedAction::Cancel),
            ("cancel-all", RefusedAction::CancelAll),
            ("flatten", RefusedAction::Flatten),
        ];
        RefusalRecord {
            order: OrderNumber(self.number("order")),
            tag: self.number("tag"),
            code: self.number("code"),
            action: actions.iter().find(|(word, _)| *word == self.text("action")).unwrap().1,
        }
    }

    fn spec(&self) -> InstrumentSpec {
        InstrumentSpec {
            id: InstrumentId(0),
            category: Category::Linear,
            symbol: "BTCUSDT".parse().unwrap(),
            price_decimals: self.number("price_decimals"),
            quantity_decimals: self.number("quantity_decimals"),
            tick: self.price("tick"),
            step: self.quantity("step"),
            min_quantity: self.quantity("min_quantity"),
            max_quantity: self.quantity("max_quantity"),
            max_market_quantity: self.quantity("max_market_quantity"),
            min_notional: self.amount("min_notional"),
            taker_fee: Rate(self.number("taker_fee")),
            maker_fee: Rate(self.number("maker_fee")),
            trading: self.text("status") == "trading",
            has_price_limits: false,
        }
    }
}

fn golden() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../wit/v0.1/golden");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "frame")).collect();
    files.sort();
    files
}

#[test]
fn every_golden_frame_is_written_byte_for_byte() {
    let mut kinds = BTreeSet::new();
    let mut frame = FrameBuilder::new();
    for path in golden() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        if READER_ONLY.contains(&name) {
            continue;
        }
        let json: Value = serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
        frame.begin(Span(Record(&json).number("lookahead")));
        for record in json["records"].as_array().unwrap() {
            Record(record).add_to(&mut frame).unwrap();
            kinds.insert(record["kind"].as_str().unwrap().to_owned());
        }
        assert_eq!(frame.len(), json["records"].as_array().unwrap().len(), "{name}");
        assert_eq!(hex::encode(frame.finish()), hex::encode(fs::read(&path).unwrap()), "{name}");
    }
    assert_eq!(kinds.len(), 17, "a kind has no golden file: {kinds:?}");
}

fn trade(frame: &mut FrameBuilder, time: u64) -> Result<(), FrameError> {
    frame.trade(Timestamp(time), 0, Timestamp(time), Price(1), Qty(1), Side::Buy)
}

#[test]
fn a_frame_takes_4096_records_and_no_more() {
    let mut frame = FrameBuilder::new();
    for time in 0..RECORDS_MAX as u64 {
        trade(&mut frame, time).unwrap();
    }
    let before = frame.finish().to_vec();
    assert_eq!(trade(&mut frame, 5_000), Err(FrameError::Full));
    assert_eq!(frame.finish(), before);
    frame.begin(Span(7));
    assert!(frame.is_empty());
    trade(&mut frame, 1).unwrap();
}

#[test]
fn a_frame_never_grows_beyond_its_bytes() {
    let mut frame = FrameBuilder::new();
    let side = [Level { price: Price(1), quantity: Qty(1) }; 50];
    let mut books = 0;
    while frame.book(Timestamp(1), 0, Timestamp(1), 1, &side, &side) == Ok(()) {
        books += 1;
    }
    // A book record of full depth has 1,640 bytes, the header 24.
    assert_eq!(books, (BYTES_MAX - 24) / 1_640);
    // What is smaller still fits.
    trade(&mut frame, 1).unwrap();
    assert!(frame.finish().len() <= BYTES_MAX);
}

#[test]
fn what_the_format_cannot_hold_is_refused_and_leaves_the_frame_as_it_was() {
    let mut frame = FrameBuilder::new();
    trade(&mut frame, 10).unwrap();
    let before = frame.finish().to_vec();
    let side = [Level::default(); 51];
    let time = Timestamp(10);
    assert_eq!(
        trade(&mut frame, 9),
        Err(FrameError::TimeDecreases { time: Timestamp(9), after: Timestamp(10) })
    );
    assert_eq!(frame.book(time, 0, time, 1, &[], &side), Err(FrameError::BookTooDeep { levels: 51 }));
    assert_eq!(frame.signal(time, 0, 1, &[0; 1_025]), Err(FrameError::SignalTooLong { bytes: 1_025 }));
    assert_eq!(frame.finish(), before);
    trade(&mut frame, 10).unwrap();
}
