//! A decoded frame as JSON: the reference that every other reader of frames is compared with.
//!
//! Integers of 64 bits and more are strings, because JSON numbers end at 2^53 for many readers.

use portcullis_sdk::frame::{Frame, decode};
use portcullis_sdk::{Event, InstrumentId, Levels, OrderReason};
use serde_json::{Map, Value, json};

/// Decodes a frame.
pub(crate) fn frame(bytes: &[u8]) -> Value {
    let frame = Frame::parse(bytes).unwrap();
    let records: Vec<_> = frame
        .records()
        .map(|record| {
            let record = record.unwrap();
            match decode(record).unwrap() {
                Some(event) => record_of(&event),
                None => json!({
                    "kind": record.kind().unwrap(),
                    "time": record.time().unwrap().nanos().to_string(),
                    "skipped": true,
                }),
            }
        })
        .collect();
    json!({ "lookahead": frame.lookahead().to_string(), "records": records })
}

fn record_of(event: &Event<'_>) -> Value {
    let (kind, instrument, body) = body(event);
    let mut record = Map::new();
    record.insert("kind".to_owned(), json!(kind));
    record.insert("instrument".to_owned(), json!(instrument.map(|id| id.0)));
    record.insert("time".to_owned(), json!(event.time().nanos().to_string()));
    let Value::Object(body) = body else { panic!("a body is an object") };
    record.extend(body);
    Value::Object(record)
}

/// Kind, instrument and body of an event. Fields are named as in `wit/frame.md`.
fn body(event: &Event<'_>) -> (&'static str, Option<InstrumentId>, Value) {
    match event {
        Event::Trade(it) => (
            "trade",
            Some(it.instrument),
            json!({
                "venue_time": it.venue_time.nanos().to_string(),
                "price": it.price.mantissa().to_string(),
                "quantity": it.quantity.mantissa().to_string(),
                "side": word(it.taker),
            }),
        ),
        Event::Quote(it) => (
            "quote",
            Some(it.instrument),
            json!({
                "venue_time": it.venue_time.nanos().to_string(),
                "bid_price": it.bid.mantissa().to_string(),
                "bid_quantity": it.bid_quantity.mantissa().to_string(),
                "ask_price": it.ask.mantissa().to_string(),
                "ask_quantity": it.ask_quantity.mantissa().to_string(),
            }),
        ),
        Event::Book(it) => (
            "book",
            Some(it.instrument),
            json!({
                "venue_time": it.venue_time.nanos().to_string(),
                "update": it.update.to_string(),
                "bids": levels(it.bids),
                "asks": levels(it.asks),
            }),
        ),
        Event::Bar(it) => (
            "bar",
            Some(it.instrument),
            json!({
                "venue_time": it.venue_time.nanos().to_string(),
                "open_time": it.open_time.nanos().to_string(),
                "interval": it.interval_seconds,
                "open": it.open.mantissa().to_string(),
                "high": it.high.mantissa().to_string(),
                "low": it.low.mantissa().to_string(),
                "close": it.close.mantissa().to_string(),
                "volume": it.volume.mantissa().to_string(),
            }),
        ),
        Event::Funding(it) => (
            "funding",
            Some(it.instrument),
            json!({
                "venue_time": it.venue_time.nanos().to_string(),
                "rate": it.rate.units().to_string(),
                "next_time": it.next_time.nanos().to_string(),
            }),
        ),
        Event::Mark(it) => (
            "mark",
            Some(it.instrument),
            json!({
                "venue_time": it.venue_time.nanos().to_string(),
                "mark": it.mark.units().to_string(),
                "index": it.index.units().to_string(),
            }),
        ),
        Event::OwnOrder(it) => (
            "own-order",
            Some(it.instrument),
            json!({
                "venue_time": it.venue_time.nanos().to_string(),
                "order": it.order.0.to_string(),
                "tag": it.tag.to_string(),
                "price": it.price.mantissa().to_string(),
                "quantity": it.quantity.mantissa().to_string(),
                "executed": it.executed.mantissa().to_string(),
                "side": word(it.side),
                "status": word(it.status),
                "reason": reason(it.reason),
            }),
        ),
        Event::Fill(it) => (
            "fill",
            Some(it.instrument),
            json!({
                "venue_time": it.venue_time.nanos().to_string(),
                "order": it.order.0.to_string(),
                "tag": it.tag.to_string(),
                "price": it.price.mantissa().to_string(),
                "quantity": it.quantity.mantissa().to_string(),
                "fee": it.fee.units().to_string(),
                "side": word(it.side),
                "liquidity": word(it.liquidity),
                "executed": it.executed.mantissa().to_string(),
            }),
        ),
        Event::Refusal(it) => (
            "refusal",
            it.instrument,
            json!({
                "order": it.order.map_or(0, |order| order.0).to_string(),
                "tag": it.tag.to_string(),
                "code": it.code.number(),
                "action": word(it.action),
            }),
        ),
        Event::Position(it) => (
            "position",
            Some(it.instrument),
            json!({
                "quantity": it.quantity.mantissa().to_string(),
                "cost": it.cost.units().to_string(),
                "realised": it.realised.units().to_string(),
                "fees": it.fees.units().to_string(),
            }),
        ),
        Event::Budget(it) => (
            "budget",
            None,
            json!({
                "capital": it.capital.units().to_string(),
                "free": it.free.units().to_string(),
                "state": word(it.state),
            }),
        ),
        Event::Instrument(it) => (
            "instrument",
            Some(it.instrument),
            json!({
                "venue_time": it.venue_time.nanos().to_string(),
                "status": if it.trading { "trading" } else { "not-trading" },
                "price_decimals": it.price_decimals,
                "quantity_decimals": it.quantity_decimals,
                "tick": it.tick.mantissa().to_string(),
                "step": it.step.mantissa().to_string(),
                "min_quantity": it.min_quantity.mantissa().to_string(),
                "max_quantity": it.max_quantity.mantissa().to_string(),
                "max_market_quantity": it.max_market_quantity.mantissa().to_string(),
                "min_notional": it.min_notional.units().to_string(),
                "taker_fee": it.taker_fee.units().to_string(),
                "maker_fee": it.maker_fee.units().to_string(),
            }),
        ),
        Event::Timer(it) => ("timer", None, json!({ "id": it.id.to_string() })),
        Event::Gap(it) => ("gap", it.instrument, json!({ "dropped": it.dropped, "cause": word(it.cause) })),
        Event::WarmUpEnd(_) => ("warm-up-boundary", None, json!({})),
        Event::Resync(it) => (
            "resync",
            None,
            json!({ "open_orders": it.open_orders, "next_order": it.next_order.0.to_string() }),
        ),
        Event::Signal(it) => {
            let payload: String = it.payload.iter().map(|byte| format!("{byte:02x}")).collect();
            ("signal", it.instrument, json!({ "channel": it.channel, "payload": payload }))
        }
    }
}

fn levels(levels: Levels<'_>) -> Value {
    let level = |level: portcullis_sdk::Level| {
        json!([level.price.mantissa().to_string(), level.quantity.mantissa().to_string()])
    };
    levels.iter().map(level).collect()
}

/// The name of a plain enum's case in kebab-case: `PartiallyFilled` reads `partially-filled`.
fn word(case: impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for letter in format!("{case:?}").chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(letter.to_lowercase());
    }
    word
}

/// The number, as in the table of `wit/frame.md`.
fn reason(reason: OrderReason) -> u16 {
    match reason {
        OrderReason::None => 0,
        OrderReason::WouldTake => 1,
        OrderReason::ByStrategy => 6,
        OrderReason::Other(number) => number,
        other => panic!("no golden case has {other:?}"),
    }
}
