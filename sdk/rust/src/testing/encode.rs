//! Events to records: the other direction of [`frame::decode`](crate::frame::decode).

use crate::action::Side;
use crate::event::{Event, GapCause, Liquidity, OrderReason, OrderStatus, RefusedAction, TradingState};
use crate::frame::{LEVELS_MAX, NO_INSTRUMENT, PAYLOAD_BYTES_MAX, RECORD_HEADER_BYTES, kind};
use crate::{InstrumentId, Time};

/// The record of an event, header included.
pub(super) fn encode(event: &Event<'_>) -> Vec<u8> {
    let time = event.time();
    match event {
        Event::Trade(trade) => Writer::new(kind::TRADE, Some(trade.instrument), time)
            .time(trade.venue_time)
            .i64(trade.price.mantissa())
            .i64(trade.quantity.mantissa())
            .u8(side(trade.taker))
            .finish(),
        Event::Quote(quote) => Writer::new(kind::QUOTE, Some(quote.instrument), time)
            .time(quote.venue_time)
            .i64(quote.bid.mantissa())
            .i64(quote.bid_quantity.mantissa())
            .i64(quote.ask.mantissa())
            .i64(quote.ask_quantity.mantissa())
            .finish(),
        Event::Book(book) => {
            assert!(
                book.bids.len() <= LEVELS_MAX && book.asks.len() <= LEVELS_MAX,
                "a side has at most 50 levels"
            );
            Writer::new(kind::BOOK, Some(book.instrument), time)
                .time(book.venue_time)
                .u64(book.update)
                .u16(u16::try_from(book.bids.len()).unwrap_or(u16::MAX))
                .u16(u16::try_from(book.asks.len()).unwrap_or(u16::MAX))
                .u32(0)
                .bytes(book.bids.as_bytes())
                .bytes(book.asks.as_bytes())
                .finish()
        }
        Event::Bar(bar) => Writer::new(kind::BAR, Some(bar.instrument), time)
            .time(bar.venue_time)
            .time(bar.open_time)
            .u32(bar.interval_seconds)
            .u32(0)
            .i64(bar.open.mantissa())
            .i64(bar.high.mantissa())
            .i64(bar.low.mantissa())
            .i64(bar.close.mantissa())
            .i64(bar.volume.mantissa())
            .finish(),
        Event::Funding(funding) => Writer::new(kind::FUNDING, Some(funding.instrument), time)
            .time(funding.venue_time)
            .i64(funding.rate.units())
            .time(funding.next_time)
            .finish(),
        Event::Mark(mark) => Writer::new(kind::MARK, Some(mark.instrument), time)
            .time(mark.venue_time)
            .i128(mark.mark.units())
            .i128(mark.index.units())
            .finish(),
        Event::OwnOrder(order) => Writer::new(kind::OWN_ORDER, Some(order.instrument), time)
            .time(order.venue_time)
            .u64(order.order.0)
            .u64(order.tag)
            .i64(order.price.mantissa())
            .i64(order.quantity.mantissa())
            .i64(order.executed.mantissa())
            .u8(side(order.side))
            .u8(status(order.status))
            .u16(reason(order.reason))
            .finish(),
        Event::Fill(fill) => Writer::new(kind::FILL, Some(fill.instrument), time)
            .time(fill.venue_time)
            .u64(fill.order.0)
            .u64(fill.tag)
            .i64(fill.price.mantissa())
            .i64(fill.quantity.mantissa())
            .i128(fill.fee.units())
            .u8(side(fill.side))
            .u8(match fill.liquidity {
                Liquidity::Maker => 1,
                Liquidity::Taker => 2,
            })
            .bytes(&[0; 6])
            .i64(fill.executed.mantissa())
            .finish(),
        Event::Refusal(refusal) => Writer::new(kind::REFUSAL, refusal.instrument, time)
            .u64(refusal.order.map_or(0, |order| order.0))
            .u64(refusal.tag)
            .u16(refusal.code.number())
            .u8(match refusal.action {
                RefusedAction::Place => 1,
                RefusedAction::Amend => 2,
                RefusedAction::Cancel => 3,
                RefusedAction::CancelAll => 4,
                RefusedAction::Flatten => 5,
            })
            .finish(),
        Event::Position(position) => Writer::new(kind::POSITION, Some(position.instrument), time)
            .i64(position.quantity.mantissa())
            .i128(position.cost.units())
            .i128(position.realised.units())
            .i128(position.fees.units())
            .finish(),
        Event::Budget(budget) => Writer::new(kind::BUDGET, None, time)
            .i128(budget.capital.units())
            .i128(budget.free.units())
            .u8(match budget.state {
                TradingState::Active => 0,
                TradingState::Caution => 1,
                TradingState::ReduceOnly => 2,
                TradingState::EntriesCancelled => 3,
                TradingState::Flattening => 4,
                TradingState::Locked => 5,
            })
            .finish(),
        Event::Instrument(update) => Writer::new(kind::INSTRUMENT, Some(update.instrument), time)
            .u8(if update.trading { 1 } else { 2 })
            .u8(update.price_decimals)
            .u8(update.quantity_decimals)
            .bytes(&[0; 5])
            .i64(update.tick.mantissa())
            .i64(update.step.mantissa())
            .i64(update.min_quantity.mantissa())
            .i64(update.max_quantity.mantissa())
            .i64(update.max_market_quantity.mantissa())
            .i128(update.min_notional.units())
            .i64(update.taker_fee.units())
            .i64(update.maker_fee.units())
            .time(update.venue_time)
            .finish(),
        Event::Timer(timer) => Writer::new(kind::TIMER, None, time).u64(timer.id).finish(),
        Event::Gap(gap) => Writer::new(kind::GAP, gap.instrument, time)
            .u32(gap.dropped)
            .u8(match gap.cause {
                GapCause::Conflation => 1,
                GapCause::Disconnect => 2,
                GapCause::Fault => 3,
                GapCause::SkippedFrame => 4,
            })
            .finish(),
        Event::WarmUpEnd(_) => Writer::new(kind::WARM_UP_END, None, time).finish(),
        Event::Resync(resync) => Writer::new(kind::RESYNC, None, time)
            .u32(resync.open_orders)
            .u32(0)
            .u64(resync.next_order.0)
            .finish(),
        Event::Signal(signal) => {
            assert!(signal.payload.len() <= PAYLOAD_BYTES_MAX, "a payload has at most 1,024 bytes");
            Writer::new(kind::SIGNAL, signal.instrument, time)
                .u16(signal.channel)
                .u16(u16::try_from(signal.payload.len()).unwrap_or(u16::MAX))
                .u32(0)
                .bytes(signal.payload)
                .finish()
        }
    }
}

const fn side(side: Side) -> u8 {
    match side {
        Side::Buy => 1,
        Side::Sell => 2,
    }
}

const fn status(status: OrderStatus) -> u8 {
    match status {
        OrderStatus::Submitted => 1,
        OrderStatus::Unknown => 2,
        OrderStatus::Working => 3,
        OrderStatus::PartiallyFilled => 4,
        OrderStatus::Filled => 5,
        OrderStatus::Cancelled => 6,
        OrderStatus::Rejected => 7,
        OrderStatus::Expired => 8,
        OrderStatus::Untriggered => 9,
        OrderStatus::NotSent => 10,
    }
}

const fn reason(reason: OrderReason) -> u16 {
    match reason {
        OrderReason::None => 0,
        OrderReason::WouldTake => 1,
        OrderReason::NoLiquidity => 2,
        OrderReason::ReduceOnly => 3,
        OrderReason::InsufficientMargin => 4,
        OrderReason::PriceLimit => 5,
        OrderReason::ByStrategy => 6,
        OrderReason::ByOperator => 7,
        OrderReason::SelfMatch => 8,
        OrderReason::GoodTill => 9,
        OrderReason::Liquidation => 10,
        OrderReason::VenueRules => 11,
        OrderReason::Other(number) => number,
    }
}

/// Appends fields to a record and fills in its length at the end.
struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn new(kind: u16, instrument: Option<InstrumentId>, time: Time) -> Self {
        let mut bytes = Vec::with_capacity(RECORD_HEADER_BYTES);
        bytes.extend(kind.to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(instrument.map_or(NO_INSTRUMENT, |id| id.0).to_le_bytes());
        bytes.extend(time.nanos().to_le_bytes());
        Self { bytes }
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn u8(self, value: u8) -> Self {
        self.bytes(&[value])
    }

    fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u32(self, value: u32) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(self, value: u64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn i64(self, value: i64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn i128(self, value: i128) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    fn time(self, value: Time) -> Self {
        self.u64(value.nanos())
    }

    fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        // The longest record is a book of 1,640 bytes.
        let length = u16::try_from(self.bytes.len()).unwrap_or(u16::MAX);
        for (slot, byte) in self.bytes.iter_mut().skip(2).zip(length.to_le_bytes()) {
            *slot = byte;
        }
        self.bytes
    }
}
