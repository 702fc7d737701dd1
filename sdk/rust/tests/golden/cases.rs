//! The golden frames: name and bytes.

use portcullis_sdk::testing::{FrameBuilder, PackedLevels};
use portcullis_sdk::{
    Amount, Bar, Book, Budget, Event, Fill, Funding, Gap, GapCause, InstrumentId, InstrumentUpdate, Level,
    Liquidity, Mark, OrderNumber, OrderReason, OrderStatus, OwnOrder, Position, Price, Qty, Quote, Rate,
    Refusal, RefusalCode, RefusedAction, Resync, Side, Signal, Time, TimerFired, Trade, TradingState,
    WarmUpEnd,
};

/// Times of golden events start here: 2025-01-01.
const START: u64 = 1_735_689_600_000_000_000;
/// Lookahead of golden frames: 50 ms.
const LOOKAHEAD: u64 = 50_000_000;

/// Every golden frame.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    let mut cases = vec![
        ("trade", one(trade(1))),
        ("quote", one(quote(1))),
        ("bar", one(bar(1))),
        ("funding", one(funding(1))),
        ("mark", one(mark(1))),
        ("own-order", one(own_order(1))),
        ("fill", one(fill(1))),
        ("refusal", one(refusal(1))),
        ("position", one(position(1))),
        ("budget", one(budget(1))),
        ("instrument", one(instrument(1))),
        ("timer", one(timer(1))),
        ("gap", one(gap(1))),
        ("warm-up-boundary", one(warm_up_end(1))),
        ("resync", one(resync(1))),
        ("signal", one(Event::Signal(signal(1, b"hello")))),
    ];
    let (bids, asks) = (ladder(600_000, -1, 2), ladder(600_001, 1, 3));
    cases.push(("book", one(Event::Book(book(1, &bids, &asks)))));
    let (bids, asks) = (ladder(600_000, -1, 50), ladder(600_001, 1, 50));
    cases.push(("book-deepest", one(Event::Book(book(1, &bids, &asks)))));
    let none = PackedLevels::default();
    cases.push(("book-empty", one(Event::Book(book(1, &none, &none)))));
    cases.push(("signal-longest", one(Event::Signal(signal(1, &[0xA5; 1_024])))));
    cases.push(("signal-empty", one(Event::Signal(signal(1, b"")))));
    cases.push(("extremes", extremes()));
    cases.push(("mixed", mixed()));
    cases.push(("unknown-kind", unknown_kind()));
    cases.push(("longer-record", longer_record()));
    cases
}

fn one(event: Event<'_>) -> Vec<u8> {
    FrameBuilder::new(LOOKAHEAD).event(&event).finish()
}

/// The most that fields can hold, and beyond what a JSON number can.
fn extremes() -> Vec<u8> {
    FrameBuilder::new(u64::MAX)
        .event(&Event::Trade(Trade {
            time: Time::from_nanos(0),
            venue_time: Time::from_nanos(u64::MAX),
            instrument: InstrumentId(u32::MAX - 1),
            price: Price::from_mantissa(i64::MIN),
            quantity: Qty::from_mantissa(i64::MAX),
            taker: Side::Sell,
        }))
        .event(&Event::Position(Position {
            time: Time::from_nanos(u64::MAX),
            instrument: InstrumentId(0),
            quantity: Qty::from_mantissa(i64::MIN),
            cost: Amount::from_units(i128::MIN),
            realised: Amount::from_units(i128::MAX),
            fees: Amount::from_units(-1),
        }))
        .finish()
}

/// Some of everything, with ties in time, and a resync with what follows it.
fn mixed() -> Vec<u8> {
    let (bids, asks) = (ladder(600_000, -1, 2), ladder(600_001, 1, 3));
    let events = [
        resync(0),
        own_order(0),
        position(0),
        budget(0),
        Event::Book(book(0, &bids, &asks)),
        bar(1),
        warm_up_end(1),
        quote(2),
        trade(2),
        trade(3),
        Event::Signal(signal(3, b"odd")),
        mark(4),
        funding(4),
        own_order(5),
        fill(5),
        refusal(6),
        timer(7),
        gap(8),
        instrument(9),
    ];
    let mut frame = FrameBuilder::new(LOOKAHEAD);
    for event in &events {
        frame.push(event);
    }
    frame.finish()
}

/// A record of a kind that nobody knows between two trades: it is skipped and counted.
fn unknown_kind() -> Vec<u8> {
    let mut frame = FrameBuilder::new(LOOKAHEAD).event(&trade(1));
    frame.record(at(2), &raw_record(9_999, at(2), &[0xEE; 24]));
    frame.event(&trade(3)).finish()
}

/// A timer record with 16 bytes more than version 1 knows: it reads as a timer.
fn longer_record() -> Vec<u8> {
    let mut frame = FrameBuilder::new(LOOKAHEAD);
    let mut body = 77_u64.to_le_bytes().to_vec();
    body.extend([0xEE; 16]);
    frame.record(at(1), &raw_record(13, at(1), &body));
    frame.event(&trade(2)).finish()
}

fn raw_record(kind: u16, time: Time, body: &[u8]) -> Vec<u8> {
    let mut record = kind.to_le_bytes().to_vec();
    record.extend(u16::try_from(16 + body.len()).unwrap().to_le_bytes());
    record.extend(u32::MAX.to_le_bytes());
    record.extend(time.nanos().to_le_bytes());
    record.extend(body);
    record
}

/// When the strategy sees the event of step `n`: 100 ms apart.
fn at(n: u64) -> Time {
    Time::from_nanos(START).plus_millis(100 * n)
}

/// When the venue said so: 3 ms earlier.
fn venue(n: u64) -> Time {
    Time::from_nanos(at(n).nanos() - 3_000_000)
}

const BTC: InstrumentId = InstrumentId(0);

fn price(mantissa: i64) -> Price {
    Price::from_mantissa(mantissa)
}

fn quantity(mantissa: i64) -> Qty {
    Qty::from_mantissa(mantissa)
}

fn ladder(best: i64, step: i64, depth: i64) -> PackedLevels {
    let level = |n: i64| Level { price: price(best + step * n), quantity: quantity(100 + n) };
    PackedLevels::new(&(0..depth).map(level).collect::<Vec<_>>())
}

fn trade(n: u64) -> Event<'static> {
    Event::Trade(Trade {
        time: at(n),
        venue_time: venue(n),
        instrument: BTC,
        price: price(600_001),
        quantity: quantity(125),
        taker: if n.is_multiple_of(2) { Side::Sell } else { Side::Buy },
    })
}

fn quote(n: u64) -> Event<'static> {
    Event::Quote(Quote {
        time: at(n),
        venue_time: venue(n),
        instrument: InstrumentId(1),
        bid: price(300_000),
        bid_quantity: quantity(1_500),
        ask: price(0),
        ask_quantity: quantity(0),
    })
}

fn book<'a>(n: u64, bids: &'a PackedLevels, asks: &'a PackedLevels) -> Book<'a> {
    Book {
        time: at(n),
        venue_time: venue(n),
        instrument: BTC,
        update: 9_007_199_254_740_993,
        bids: bids.levels(),
        asks: asks.levels(),
    }
}

fn bar(n: u64) -> Event<'static> {
    Event::Bar(Bar {
        time: at(n),
        venue_time: Time::from_nanos(START),
        open_time: Time::from_nanos(START - 60_000_000_000),
        instrument: BTC,
        interval_seconds: 60,
        open: price(600_000),
        high: price(600_200),
        low: price(599_900),
        close: price(600_100),
        volume: quantity(12_345),
    })
}

fn funding(n: u64) -> Event<'static> {
    Event::Funding(Funding {
        time: at(n),
        venue_time: venue(n),
        instrument: BTC,
        rate: Rate::from_units(-100_000_000),
        next_time: Time::from_nanos(START).plus_seconds(28_800),
    })
}

fn mark(n: u64) -> Event<'static> {
    Event::Mark(Mark {
        time: at(n),
        venue_time: venue(n),
        instrument: BTC,
        mark: Amount::from_units(60_000_123_456_789_012_345_678),
        index: Amount::ZERO,
    })
}

fn own_order(n: u64) -> Event<'static> {
    Event::OwnOrder(OwnOrder {
        time: at(n),
        venue_time: venue(n),
        instrument: BTC,
        order: OrderNumber(42),
        tag: 0xDEAD_BEEF_0000_0001,
        price: price(599_990),
        quantity: quantity(10),
        executed: quantity(4),
        side: Side::Buy,
        status: if n.is_multiple_of(2) { OrderStatus::Working } else { OrderStatus::Cancelled },
        reason: if n.is_multiple_of(2) { OrderReason::None } else { OrderReason::WouldTake },
    })
}

fn fill(n: u64) -> Event<'static> {
    Event::Fill(Fill {
        time: at(n),
        venue_time: venue(n),
        instrument: BTC,
        order: OrderNumber(42),
        tag: 0xDEAD_BEEF_0000_0001,
        price: price(599_990),
        quantity: quantity(3),
        executed: quantity(4),
        fee: Amount::from_units(-35_999_400_000_000_000),
        side: Side::Buy,
        liquidity: Liquidity::Maker,
    })
}

fn refusal(n: u64) -> Event<'static> {
    Event::Refusal(Refusal {
        time: at(n),
        instrument: Some(BTC),
        order: Some(OrderNumber(43)),
        tag: 7,
        code: if n.is_multiple_of(2) { RefusalCode::Other(60_000) } else { RefusalCode::PositionLimit },
        action: RefusedAction::Place,
    })
}

fn position(n: u64) -> Event<'static> {
    Event::Position(Position {
        time: at(n),
        instrument: BTC,
        quantity: quantity(-4),
        cost: Amount::from_units(-239_996_000_000_000_000_000),
        realised: Amount::from_units(1_250_000_000_000_000_000),
        fees: Amount::from_units(131_997_800_000_000_000),
    })
}

fn budget(n: u64) -> Event<'static> {
    Event::Budget(Budget {
        time: at(n),
        capital: Amount::from_units(100_000_000_000_000_000_000_000),
        free: Amount::from_units(99_760_000_000_000_000_000_000),
        state: TradingState::EntriesCancelled,
    })
}

fn instrument(n: u64) -> Event<'static> {
    Event::Instrument(InstrumentUpdate {
        time: at(n),
        venue_time: venue(n),
        instrument: BTC,
        trading: true,
        price_decimals: 1,
        quantity_decimals: 3,
        tick: price(5),
        step: quantity(2),
        min_quantity: quantity(2),
        max_quantity: quantity(1_190_000),
        max_market_quantity: quantity(500_000),
        min_notional: Amount::from_units(5_000_000_000_000_000_000),
        taker_fee: Rate::from_units(550_000_000),
        maker_fee: Rate::from_units(-50_000_000),
    })
}

fn timer(n: u64) -> Event<'static> {
    Event::Timer(TimerFired { time: at(n), id: u64::MAX })
}

fn gap(n: u64) -> Event<'static> {
    Event::Gap(Gap { time: at(n), instrument: None, dropped: 4_097, cause: GapCause::Conflation })
}

fn warm_up_end(n: u64) -> Event<'static> {
    Event::WarmUpEnd(WarmUpEnd { time: at(n) })
}

fn resync(n: u64) -> Event<'static> {
    Event::Resync(Resync { time: at(n), open_orders: 1, next_order: OrderNumber(44) })
}

fn signal(n: u64, payload: &[u8]) -> Signal<'_> {
    Signal { time: at(n), instrument: None, channel: 3, payload }
}
