//! A market with rules, limits that are wide but all there, and the events and intents that benches feed.

use portcullis_core::{
    Amount, Ask, Category, Cause, Digest, InstrumentId, InstrumentSpec, MarketBody, MarketEvent, Place,
    Price, Qty, Rate, RawIntent, Side, StrategyId, TimeInForce, Timestamp,
};

use crate::failure::Failure;

/// The instrument of the benches: like BTCUSDT, a tick of 0.1 and a step of 0.001.
pub(super) fn instrument() -> Result<InstrumentSpec, Failure> {
    Ok(InstrumentSpec {
        id: InstrumentId(0),
        category: Category::Linear,
        symbol: "BTCUSDT".parse().map_err(anyhow::Error::new)?,
        price_decimals: 1,
        quantity_decimals: 3,
        tick: Price(1),
        step: Qty(1),
        min_quantity: Qty(1),
        max_quantity: Qty(1_000_000),
        max_market_quantity: Qty(1_000_000),
        min_notional: Amount::parse("5").map_err(anyhow::Error::new)?,
        taker_fee: Rate(550_000_000),
        maker_fee: Rate(200_000_000),
        trading: true,
        has_price_limits: false,
    })
}

/// What the account of the benches holds.
pub(super) fn equity() -> Result<Amount, Failure> {
    Ok(Amount::parse("100000000000").map_err(anyhow::Error::new)?)
}

/// The capital of each strategy of the benches.
pub(super) fn budget() -> Result<Amount, Failure> {
    Ok(Amount::parse("10000000000").map_err(anyhow::Error::new)?)
}

/// A trade.
pub(super) fn trade(time: Timestamp, price: i64) -> MarketEvent {
    let body = MarketBody::Trade { price: Price(price), quantity: Qty(10), taker: Side::Buy };
    MarketEvent { instrument: InstrumentId(0), time, venue_time: time, body }
}

/// A mark price.
pub(super) fn mark(time: Timestamp, price: i64) -> Result<MarketEvent, Failure> {
    let mark = Price(price).to_amount(1).ok_or_else(|| anyhow::anyhow!("a price out of range"))?;
    let body = MarketBody::Mark { mark, index: mark };
    Ok(MarketEvent { instrument: InstrumentId(0), time, venue_time: time, body })
}

/// A limit order below the market, which rests.
pub(super) fn resting_buy(time: Timestamp, event: u64) -> RawIntent {
    RawIntent {
        strategy: StrategyId(0),
        cause: Cause { time, event, frame: Digest::default() },
        ask: Ask::Place(Place {
            instrument: 0,
            side: Side::Buy,
            quantity: Qty(10),
            limit: Some(Price(590_000)),
            time_in_force: TimeInForce::Gtc,
            reduce_only: false,
            trigger: None,
            take_profit: None,
            stop_loss: None,
            good_till: None,
            tag: event,
        }),
    }
}
