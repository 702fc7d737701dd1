//! Records to events.

use super::{FrameError, LEVELS_MAX, NO_INSTRUMENT, PAYLOAD_BYTES_MAX, Record, kind};
use crate::action::{OrderNumber, Side};
use crate::book::Levels;
use crate::event::{
    Bar, Book, Budget, Event, Fill, Funding, Gap, GapCause, InstrumentUpdate, Liquidity, Mark, OrderReason,
    OrderStatus, OwnOrder, Position, Quote, Refusal, RefusedAction, Resync, Signal, TimerFired, Trade,
    TradingState, WarmUpEnd,
};
use crate::{Amount, InstrumentId, Price, Qty, Rate, RefusalCode};

/// Reads a record as an event; none for a kind that this SDK does not know.
///
/// # Errors
///
/// [`FrameError`] if the record is too short for its kind or holds a value that its field does not have.
#[inline]
pub fn decode(record: Record<'_>) -> Result<Option<Event<'_>>, FrameError> {
    match record.kind()? {
        kind::TRADE => Ok(Some(Event::Trade(trade(record)?))),
        kind::QUOTE => Ok(Some(Event::Quote(quote(record)?))),
        kind::BOOK => Ok(Some(Event::Book(book(record)?))),
        rarer => decode_rarer(rarer, record),
    }
}

/// Reads a record of one of the kinds that do not come by the million.
pub(crate) fn decode_rarer(kind: u16, record: Record<'_>) -> Result<Option<Event<'_>>, FrameError> {
    Ok(Some(match kind {
        kind::BAR => Event::Bar(bar(record)?),
        kind::FUNDING => Event::Funding(funding(record)?),
        kind::MARK => Event::Mark(mark(record)?),
        kind::OWN_ORDER => Event::OwnOrder(own_order(record)?),
        kind::FILL => Event::Fill(fill(record)?),
        kind::REFUSAL => Event::Refusal(refusal(record)?),
        kind::POSITION => Event::Position(position(record)?),
        kind::BUDGET => Event::Budget(budget(record)?),
        kind::INSTRUMENT => Event::Instrument(instrument(record)?),
        kind::TIMER => Event::Timer(timer(record)?),
        kind::GAP => Event::Gap(gap(record)?),
        kind::WARM_UP_END => Event::WarmUpEnd(WarmUpEnd { time: record.time()? }),
        kind::RESYNC => Event::Resync(resync(record)?),
        kind::SIGNAL => Event::Signal(signal(record)?),
        _ => return Ok(None),
    }))
}

/// Typed fields, so that the readers below look like the tables of `wit/frame.md`.
impl Record<'_> {
    #[inline]
    fn at_least(self, length: usize) -> Result<(), FrameError> {
        if self.bytes().len() < length { Err(FrameError::BadRecord) } else { Ok(()) }
    }

    #[inline]
    fn instrument(self) -> Result<InstrumentId, FrameError> {
        self.u32(4).map(InstrumentId)
    }

    fn instrument_if_any(self) -> Result<Option<InstrumentId>, FrameError> {
        self.u32(4).map(|id| (id != NO_INSTRUMENT).then_some(InstrumentId(id)))
    }

    #[inline]
    fn price(self, offset: usize) -> Result<Price, FrameError> {
        self.i64(offset).map(Price::from_mantissa)
    }

    #[inline]
    fn quantity(self, offset: usize) -> Result<Qty, FrameError> {
        self.i64(offset).map(Qty::from_mantissa)
    }

    fn amount(self, offset: usize) -> Result<Amount, FrameError> {
        self.i128(offset).map(Amount::from_units)
    }

    fn rate(self, offset: usize) -> Result<Rate, FrameError> {
        self.i64(offset).map(Rate::from_units)
    }

    #[inline]
    fn side(self, offset: usize) -> Result<Side, FrameError> {
        match self.u8(offset)? {
            1 => Ok(Side::Buy),
            2 => Ok(Side::Sell),
            _ => Err(FrameError::BadValue),
        }
    }
}

#[inline]
pub(crate) fn trade(record: Record<'_>) -> Result<Trade, FrameError> {
    record.at_least(48)?;
    Ok(Trade {
        time: record.time()?,
        venue_time: record.time_at(16)?,
        instrument: record.instrument()?,
        price: record.price(24)?,
        quantity: record.quantity(32)?,
        taker: record.side(40)?,
    })
}

#[inline]
pub(crate) fn quote(record: Record<'_>) -> Result<Quote, FrameError> {
    record.at_least(56)?;
    Ok(Quote {
        time: record.time()?,
        venue_time: record.time_at(16)?,
        instrument: record.instrument()?,
        bid: record.price(24)?,
        bid_quantity: record.quantity(32)?,
        ask: record.price(40)?,
        ask_quantity: record.quantity(48)?,
    })
}

#[inline]
pub(crate) fn book(record: Record<'_>) -> Result<Book<'_>, FrameError> {
    let (bids, asks) = (usize::from(record.u16(32)?), usize::from(record.u16(34)?));
    if bids > LEVELS_MAX || asks > LEVELS_MAX {
        return Err(FrameError::BadValue);
    }
    let levels = record.bytes().get(40..).ok_or(FrameError::BadRecord)?;
    let (bids, rest) = levels.split_at_checked(bids.saturating_mul(16)).ok_or(FrameError::BadRecord)?;
    let asks = rest.get(..asks.saturating_mul(16)).ok_or(FrameError::BadRecord)?;
    Ok(Book {
        time: record.time()?,
        venue_time: record.time_at(16)?,
        instrument: record.instrument()?,
        update: record.u64(24)?,
        bids: Levels::from_bytes(bids),
        asks: Levels::from_bytes(asks),
    })
}

fn bar(record: Record<'_>) -> Result<Bar, FrameError> {
    record.at_least(80)?;
    Ok(Bar {
        time: record.time()?,
        venue_time: record.time_at(16)?,
        open_time: record.time_at(24)?,
        instrument: record.instrument()?,
        interval_seconds: record.u32(32)?,
        open: record.price(40)?,
        high: record.price(48)?,
        low: record.price(56)?,
        close: record.price(64)?,
        volume: record.quantity(72)?,
    })
}

fn funding(record: Record<'_>) -> Result<Funding, FrameError> {
    record.at_least(40)?;
    Ok(Funding {
        time: record.time()?,
        venue_time: record.time_at(16)?,
        instrument: record.instrument()?,
        rate: record.rate(24)?,
        next_time: record.time_at(32)?,
    })
}

fn mark(record: Record<'_>) -> Result<Mark, FrameError> {
    record.at_least(56)?;
    Ok(Mark {
        time: record.time()?,
        venue_time: record.time_at(16)?,
        instrument: record.instrument()?,
        mark: record.amount(24)?,
        index: record.amount(40)?,
    })
}

fn own_order(record: Record<'_>) -> Result<OwnOrder, FrameError> {
    record.at_least(72)?;
    Ok(OwnOrder {
        time: record.time()?,
        venue_time: record.time_at(16)?,
        instrument: record.instrument()?,
        order: OrderNumber(record.u64(24)?),
        tag: record.u64(32)?,
        price: record.price(40)?,
        quantity: record.quantity(48)?,
        executed: record.quantity(56)?,
        side: record.side(64)?,
        status: match record.u8(65)? {
            1 => OrderStatus::Submitted,
            2 => OrderStatus::Unknown,
            3 => OrderStatus::Working,
            4 => OrderStatus::PartiallyFilled,
            5 => OrderStatus::Filled,
            6 => OrderStatus::Cancelled,
            7 => OrderStatus::Rejected,
            8 => OrderStatus::Expired,
            9 => OrderStatus::Untriggered,
            10 => OrderStatus::NotSent,
            _ => return Err(FrameError::BadValue),
        },
        reason: match record.u16(66)? {
            0 => OrderReason::None,
            1 => OrderReason::WouldTake,
            2 => OrderReason::NoLiquidity,
            3 => OrderReason::ReduceOnly,
            4 => OrderReason::InsufficientMargin,
            5 => OrderReason::PriceLimit,
            6 => OrderReason::ByStrategy,
            7 => OrderReason::ByOperator,
            8 => OrderReason::SelfMatch,
            9 => OrderReason::GoodTill,
            10 => OrderReason::Liquidation,
            11 => OrderReason::VenueRules,
            other => OrderReason::Other(other),
        },
    })
}

fn fill(record: Record<'_>) -> Result<Fill, FrameError> {
    record.at_least(88)?;
    Ok(Fill {
        time: record.time()?,
        venue_time: record.time_at(16)?,
        instrument: record.instrument()?,
        order: OrderNumber(record.u64(24)?),
        tag: record.u64(32)?,
        price: record.price(40)?,
        quantity: record.quantity(48)?,
        fee: record.amount(56)?,
        side: record.side(72)?,
        liquidity: match record.u8(73)? {
            1 => Liquidity::Maker,
            2 => Liquidity::Taker,
            _ => return Err(FrameError::BadValue),
        },
        executed: record.quantity(80)?,
    })
}

fn refusal(record: Record<'_>) -> Result<Refusal, FrameError> {
    record.at_least(40)?;
    let order = record.u64(16)?;
    Ok(Refusal {
        time: record.time()?,
        instrument: record.instrument_if_any()?,
        order: (order != 0).then_some(OrderNumber(order)),
        tag: record.u64(24)?,
        code: RefusalCode::from_number(record.u16(32)?),
        action: match record.u8(34)? {
            1 => RefusedAction::Place,
            2 => RefusedAction::Amend,
            3 => RefusedAction::Cancel,
            4 => RefusedAction::CancelAll,
            5 => RefusedAction::Flatten,
            _ => return Err(FrameError::BadValue),
        },
    })
}

fn position(record: Record<'_>) -> Result<Position, FrameError> {
    record.at_least(72)?;
    Ok(Position {
        time: record.time()?,
        instrument: record.instrument()?,
        quantity: record.quantity(16)?,
        cost: record.amount(24)?,
        realised: record.amount(40)?,
        fees: record.amount(56)?,
    })
}

fn budget(record: Record<'_>) -> Result<Budget, FrameError> {
    record.at_least(56)?;
    Ok(Budget {
        time: record.time()?,
        capital: record.amount(16)?,
        free: record.amount(32)?,
        state: match record.u8(48)? {
            0 => TradingState::Active,
            1 => TradingState::Caution,
            2 => TradingState::ReduceOnly,
            3 => TradingState::EntriesCancelled,
            4 => TradingState::Flattening,
            5 => TradingState::Locked,
            _ => return Err(FrameError::BadValue),
        },
    })
}

fn instrument(record: Record<'_>) -> Result<InstrumentUpdate, FrameError> {
    record.at_least(104)?;
    Ok(InstrumentUpdate {
        time: record.time()?,
        venue_time: record.time_at(96)?,
        instrument: record.instrument()?,
        trading: match record.u8(16)? {
            1 => true,
            2 => false,
            _ => return Err(FrameError::BadValue),
        },
        price_decimals: record.u8(17)?,
        quantity_decimals: record.u8(18)?,
        tick: record.price(24)?,
        step: record.quantity(32)?,
        min_quantity: record.quantity(40)?,
        max_quantity: record.quantity(48)?,
        max_market_quantity: record.quantity(56)?,
        min_notional: record.amount(64)?,
        taker_fee: record.rate(80)?,
        maker_fee: record.rate(88)?,
    })
}

fn timer(record: Record<'_>) -> Result<TimerFired, FrameError> {
    record.at_least(24)?;
    Ok(TimerFired { time: record.time()?, id: record.u64(16)? })
}

fn gap(record: Record<'_>) -> Result<Gap, FrameError> {
    record.at_least(24)?;
    Ok(Gap {
        time: record.time()?,
        instrument: record.instrument_if_any()?,
        dropped: record.u32(16)?,
        cause: match record.u8(20)? {
            1 => GapCause::Conflation,
            2 => GapCause::Disconnect,
            3 => GapCause::Fault,
            4 => GapCause::SkippedFrame,
            _ => return Err(FrameError::BadValue),
        },
    })
}

fn resync(record: Record<'_>) -> Result<Resync, FrameError> {
    record.at_least(32)?;
    Ok(Resync {
        time: record.time()?,
        open_orders: record.u32(16)?,
        next_order: OrderNumber(record.u64(24)?),
    })
}

fn signal(record: Record<'_>) -> Result<Signal<'_>, FrameError> {
    let length = usize::from(record.u16(18)?);
    if length > PAYLOAD_BYTES_MAX {
        return Err(FrameError::BadValue);
    }
    let payload =
        record.bytes().get(24..).and_then(|rest| rest.get(..length)).ok_or(FrameError::BadRecord)?;
    Ok(Signal {
        time: record.time()?,
        instrument: record.instrument_if_any()?,
        channel: record.u16(16)?,
        payload,
    })
}
