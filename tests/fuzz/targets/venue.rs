//! What Bybit says: answers to queries, and frames of the public and the private streams.

use portcullis_bybit::{Decimals, Feed, Listing, PrivateFeed, Wanted, listing};
use portcullis_core::{
    Amount, BOOK_DEPTH_MAX, Bar, Book, Category, ExecutionReport, InstrumentId, InstrumentSpec, Level,
    MarketBody, MarketEvent, Price, Qty, Timestamp,
};
use portcullis_wire as wire;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::world::spec;

/// When frames arrive.
const NOW: Timestamp = Timestamp(1_764_000_000_500_000_000);

fn bitcoin() -> InstrumentSpec {
    spec(InstrumentId(0), "BTCUSDT", 1, 3)
}

fn wanted() -> Wanted {
    Wanted {
        id: InstrumentId(0),
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        decimals: None,
        book_depth: 50,
        bars_s: vec![60],
    }
}

fn private_feed() -> PrivateFeed {
    let (base_coin, quote_coin) = ("BTC".to_owned(), "USDT".to_owned());
    PrivateFeed::new([Listing { spec: bitcoin(), base_coin, quote_coin }])
}

// ---------------------------------------------------------------- public stream

fn public<D: Serialize>(topic: &str, kind: wire::FrameKind, data: D) -> String {
    let frame = wire::PublicFrame {
        topic: topic.into(),
        kind,
        ts: 1_764_000_000_000,
        data,
        cts: Some(1_764_000_000_000),
        cs: None,
    };
    serde_json::to_string(&frame).unwrap()
}

/// Frames in order, a line each, because a book lives from one to the next.
pub fn public_frames() -> Vec<Vec<u8>> {
    let side = |levels: &[(&'static str, &'static str)]| {
        levels.iter().map(|(price, quantity)| [(*price).into(), (*quantity).into()]).collect::<Vec<_>>()
    };
    let book = |u, b: &[(&'static str, &'static str)], a: &[(&'static str, &'static str)]| wire::BookData {
        s: "BTCUSDT".into(),
        b: side(b),
        a: side(a),
        u,
        seq: u,
    };
    let topic = "orderbook.50.BTCUSDT";
    let books = [
        public(
            topic,
            wire::FrameKind::Snapshot,
            book(7, &[("60000.0", "1.5"), ("59999.9", "2")], &[("60000.1", "3")]),
        ),
        public(topic, wire::FrameKind::Delta, book(8, &[("60000.0", "0")], &[("60000.2", "0.25")])),
        public(topic, wire::FrameKind::Delta, book(9, &[("59999.5", "1")], &[("60000.1", "2")])),
    ];
    let trade = wire::TradeData {
        time: 1_764_000_000_000,
        s: "BTCUSDT".into(),
        side: wire::Side::Buy,
        v: "0.010".into(),
        p: "60000.1".into(),
        direction: None,
        i: "x".into(),
        block: false,
        rpi: false,
        seq: 1,
    };
    let ticker = wire::TickerData {
        symbol: "BTCUSDT".into(),
        last_price: Some("60000.1".into()),
        mark_price: Some("60000.05".into()),
        index_price: Some("60001".into()),
        funding_rate: Some("0.0001".into()),
        next_funding_time: Some("1764028800000".into()),
        bid1_price: Some("60000.0".into()),
        bid1_size: Some("1.5".into()),
        ask1_price: Some("60000.1".into()),
        ask1_size: Some("3".into()),
        ..wire::TickerData::default()
    };
    let candle = wire::KlineData {
        start: 1_763_999_940_000,
        end: 1_763_999_999_999,
        interval: "1".into(),
        open: "60000".into(),
        close: "60000.1".into(),
        high: "60010".into(),
        low: "59990".into(),
        volume: "12.5".into(),
        turnover: "750000".into(),
        confirm: true,
        timestamp: 1_763_999_999_999,
    };
    let frames = [
        books.join("\n"),
        books[0].clone(),
        public("publicTrade.BTCUSDT", wire::FrameKind::Snapshot, [trade]),
        public("tickers.BTCUSDT", wire::FrameKind::Snapshot, ticker),
        public("kline.1.BTCUSDT", wire::FrameKind::Snapshot, [candle]),
    ];
    frames.map(String::into_bytes).to_vec()
}

/// No price below zero gets through, and no book that cannot be.
pub fn public_stream(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let mut feed = Feed::new(Category::Linear, &[wanted()], &[bitcoin()]);
    let mut taken = false;
    for frame in text.lines() {
        let result = feed.frame(frame, NOW, &mut |event: MarketEvent| {
            taken = true;
            assert!(event.time >= event.venue_time || event.time == NOW, "{event:?}");
            sound(&event.body);
        });
        drop(result);
    }
    taken
}

fn sound(body: &MarketBody) {
    let positive = |price: Price| assert!(price.0 > 0, "{body:?}");
    let held = |level: &Level| assert!(level.price.0 >= 0 && level.quantity.0 >= 0, "{body:?}");
    match body {
        MarketBody::Trade { price, quantity, .. } => {
            positive(*price);
            assert!(quantity.0 > 0, "{body:?}");
        }
        MarketBody::Quote { bid, ask } => {
            held(bid);
            held(ask);
            assert!(bid.quantity.0 == 0 || ask.quantity.0 == 0 || bid.price < ask.price, "{body:?}");
        }
        MarketBody::Book(book) => whole(book),
        MarketBody::Bar(Bar { open, high, low, close, volume, .. }) => {
            [open, high, low, close].into_iter().for_each(|price| positive(*price));
            assert!(volume.0 >= 0, "{body:?}");
        }
        MarketBody::Mark { mark, index } => assert!(mark.0 > 0 && index.0 >= 0, "{body:?}"),
        MarketBody::Funding { .. } => {}
    }
}

/// A book is sorted, uncrossed, of bounded depth, and without empty levels.
pub fn whole(book: &Book) {
    assert!(book.bids.len() <= BOOK_DEPTH_MAX && book.asks.len() <= BOOK_DEPTH_MAX, "{book:?}");
    assert!(
        book.bids.iter().chain(&book.asks).all(|level| level.price.0 > 0 && level.quantity.0 > 0),
        "{book:?}"
    );
    assert!(book.bids.is_sorted_by(|a, b| a.price > b.price), "{book:?}");
    assert!(book.asks.is_sorted_by(|a, b| a.price < b.price), "{book:?}");
    if let (Some(bid), Some(ask)) = (book.bids.first(), book.asks.first()) {
        assert!(bid.price < ask.price, "{book:?}");
    }
}

// ---------------------------------------------------------------- private stream

/// A row as our types write it.
fn row<T: Serialize + DeserializeOwned>(row: Value) -> Value {
    serde_json::to_value(serde_json::from_value::<T>(row).unwrap()).unwrap()
}

fn order_row() -> Value {
    row::<wire::Order>(json!({
        "category": "linear", "symbol": "BTCUSDT", "orderId": "o1", "orderLinkId": "p001000000001-abc", "side": "Buy",
        "orderStatus": "PartiallyFilled", "orderType": "Limit", "timeInForce": "GTC", "price": "60000.1", "qty": "0.010",
        "leavesQty": "0.004", "cumExecQty": "0.006", "cumExecFee": "0.1", "avgPrice": "60000.1", "cancelType": "UNKNOWN",
        "rejectReason": "EC_NoError", "createType": "CreateByUser", "createdTime": "1764000000000",
        "updatedTime": "1764000000100", "reduceOnly": false, "closeOnTrigger": false, "positionIdx": 0
    }))
}

fn execution_row() -> Value {
    row::<wire::Execution>(json!({
        "category": "linear", "symbol": "BTCUSDT", "execId": "e1", "orderId": "o1", "orderLinkId": "p001000000001-abc",
        "side": "Sell", "execPrice": "60000.1", "execQty": "0.006", "execFee": "0.198", "execType": "Trade",
        "execTime": "1764000000100", "isMaker": false, "feeRate": "0.00055", "orderQty": "0.010", "orderPrice": "60000.1",
        "leavesQty": "0.004", "closedSize": "0", "createType": "CreateByUser", "feeCurrency": ""
    }))
}

fn position_row() -> Value {
    row::<wire::Position>(json!({
        "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "size": "0.006", "entryPrice": "60000.1",
        "positionIdx": 0, "stopLoss": "59000", "takeProfit": "", "updatedTime": "1764000000100", "leverage": "10",
        "markPrice": "60000", "positionValue": "360", "unrealisedPnl": "0", "seq": 9
    }))
}

fn wallet_row() -> Value {
    row::<wire::Wallet>(json!({
        "accountType": "UNIFIED", "totalEquity": "100000", "totalAvailableBalance": "99000", "accountIMRate": "0.01",
        "accountMMRate": "0.005", "totalInitialMargin": "10", "totalMaintenanceMargin": "5",
        "coin": [{"coin": "USDT", "walletBalance": "100000", "equity": "100000"}]
    }))
}

fn rows() -> [(&'static str, Value); 4] {
    [
        ("order", order_row()),
        ("execution", execution_row()),
        ("position", position_row()),
        ("wallet", wallet_row()),
    ]
}

fn frame(topic: &str, data: &[Value]) -> Vec<u8> {
    let frame = wire::PrivateFrame {
        id: "1".into(),
        topic: topic.into(),
        creation_time: 1_764_000_000_200,
        data: data.to_vec(),
    };
    serde_json::to_vec(&frame).unwrap()
}

pub fn private_frames() -> Vec<Vec<u8>> {
    rows().iter().map(|(topic, row)| frame(topic, &[row.clone(), row.clone()])).collect()
}

/// Nothing below zero gets through where nothing can be below zero.
pub fn private_stream(input: &[u8]) -> bool {
    std::str::from_utf8(input).is_ok_and(reported)
}

fn reported(text: &str) -> bool {
    let mut taken = false;
    private_feed().frame(text, &mut |report| {
        let Ok(report) = report else { return };
        taken = true;
        match &report {
            ExecutionReport::Order(order) => {
                assert!(order.price.is_none_or(|price| price.0 > 0), "{order:?}");
                assert!(order.quantity.0 >= 0 && order.executed.0 >= 0, "{order:?}");
            }
            ExecutionReport::Execution(execution) => {
                assert!(execution.price.0 >= 0 && execution.quantity.0 >= 0, "{execution:?}");
            }
            ExecutionReport::Position(position) => {
                assert!(position.average_price.0 >= 0, "{position:?}");
                assert!(position.stop_loss.is_none_or(|price| price.0 > 0), "{position:?}");
            }
            ExecutionReport::Wallet(_) => {}
        }
    });
    taken
}

// ---------------------------------------------------------------- answers to queries

pub fn rest_answers() -> Vec<Vec<u8>> {
    let answer = |result: Value| serde_json::to_vec(&wire::Reply::ok(result, 1_764_000_000_300)).unwrap();
    let list = |rows: Vec<Value>| json!({"category": "linear", "list": rows, "nextPageCursor": "next"});
    let mut answers: Vec<Vec<u8>> = rows().into_iter().map(|(_, row)| answer(list(vec![row]))).collect();
    answers.push(answer(list(vec![instrument_row()])));
    answers.push(answer(json!({"orderId": "o1", "orderLinkId": "p001000000001-abc"})));
    answers.push(
        serde_json::to_vec(&wire::Reply::error(110_001, "order not exists", 1_764_000_000_300)).unwrap(),
    );
    answers
}

fn instrument_row() -> Value {
    row::<wire::Instrument>(json!({
        "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading", "baseCoin": "BTC",
        "quoteCoin": "USDT", "settleCoin": "USDT",
        "priceFilter": {"minPrice": "0.1", "maxPrice": "1999999.8", "tickSize": "0.10"},
        "lotSizeFilter": {"maxOrderQty": "1190", "minOrderQty": "0.001", "qtyStep": "0.001", "maxMktOrderQty": "119",
            "minNotionalValue": "5"}
    }))
}

/// An answer is read as what was asked for, whatever that was; its rows then go the way of the stream's.
pub fn rest(input: &[u8]) -> bool {
    let Ok(reply) = wire::RawReply::read(input) else { return false };
    let _ = wire::verdict(reply.ret_code);
    assert!(wire::redact(&reply.ret_msg, "key").len() <= wire::MESSAGE_MAX);
    let orders = page::<wire::Order>(&reply, "order");
    let executions = page::<wire::Execution>(&reply, "execution");
    let positions = page::<wire::Position>(&reply, "position");
    let wallets = page::<wire::Wallet>(&reply, "wallet");
    drop(reply.result::<wire::OrderIds>());
    drop(reply.result::<wire::ApiKey>());
    drop(reply.result::<wire::AccountInfo>());
    drop(reply.result::<wire::OrderbookResult>());
    drop(reply.result::<wire::Page<wire::TickerRow>>());
    drop(reply.result::<wire::Page<wire::FeeRate>>());
    drop(reply.result::<wire::Page<wire::ClosedPnl>>());
    drop(reply.result::<wire::Page<wire::Transaction>>());
    let instruments = reply.result::<wire::Page<wire::Instrument>>();
    for row in instruments.iter().flat_map(|page| &page.list) {
        lists(row);
    }
    orders || executions || positions || wallets || instruments.is_ok()
}

/// Rows of a page, handed to the same decoder as the stream's; whether it was a page at all.
fn page<T: Serialize + DeserializeOwned>(reply: &wire::RawReply<'_>, topic: &str) -> bool {
    let Ok(page) = reply.result::<wire::Page<T>>() else { return false };
    let rows: Vec<Value> = page.list.iter().map(|row| serde_json::to_value(row).unwrap()).collect();
    let text = frame(topic, &rows);
    reported(std::str::from_utf8(&text).unwrap());
    true
}

/// Rules that are taken can be traded by.
fn lists(row: &wire::Instrument) {
    for decimals in [None, Some(Decimals { price: 1, quantity: 3 })] {
        let fee = wire::FeeRate {
            symbol: "BTCUSDT".to_owned(),
            taker_fee_rate: "0.00055".to_owned(),
            maker_fee_rate: "0.0002".to_owned(),
        };
        let Ok(listing) = listing(&Wanted { decimals, ..wanted() }, row, &fee) else { continue };
        let spec = listing.spec;
        assert!(spec.tick.0 > 0 && spec.step.0 > 0, "{spec:?}");
        assert!(spec.min_quantity >= Qty(0) && spec.max_quantity >= spec.min_quantity, "{spec:?}");
        assert!(spec.max_market_quantity >= Qty(0) && spec.min_notional >= Amount(0), "{spec:?}");
    }
}
