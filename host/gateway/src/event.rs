//! What a strategy is told, before it is packed into a frame.

use portcullis_core::{InstrumentId, InstrumentSpec, MarketBody, NoticeBody, OrderNumber, Timestamp};

/// One event for one strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When the strategy may see it (RULES T1, T2).
    pub time: Timestamp,
    /// The venue's own time, where it has one; else the same as `time`.
    pub venue_time: Timestamp,
    /// What happened.
    pub body: EventBody,
}

impl Event {
    /// An event of the host's own making.
    pub fn now(time: Timestamp, body: EventBody) -> Self {
        Self { time, venue_time: time, body }
    }

    /// Whether it reports an execution of the strategy's own.
    pub(crate) fn is_fill(&self) -> bool {
        matches!(self.body, EventBody::Notice(NoticeBody::Fill(_)))
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventBody {
    /// Public market data of one instrument.
    Market(InstrumentId, MarketBody),
    /// An instrument's rules changed.
    Instrument(InstrumentSpec),
    /// Something about the strategy's own orders, position or budget.
    Notice(NoticeBody),
    /// A timer fired.
    Timer(u64),
    /// Events are missing.
    Gap {
        /// How many; 0 when unknown.
        dropped: u32,
        /// Why.
        cause: GapCause,
    },
    /// What came before was warm-up.
    WarmUpBoundary,
    /// The strategy's view starts anew; its open orders, position and budget follow.
    Resync {
        /// How many own-order records follow.
        orders: u32,
        /// The number its next order gets.
        next_order: OrderNumber,
    },
}

/// Why events are missing; the numbers are those of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum GapCause {
    /// The strategy was busy and trades were dropped.
    Conflation = 1,
    /// The feed was interrupted.
    Disconnect = 2,
    /// The strategy failed and missed events while it came back.
    Fault = 3,
    /// A frame was skipped because the strategy failed on it.
    SkippedFrame = 4,
}

/// A stream of one instrument that a strategy can subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Public trades.
    Trades,
    /// Best bid and ask.
    Quotes,
    /// Book of this many levels a side, 1 to 50.
    Book(u8),
    /// Closed bars of this many seconds.
    Bars(u32),
    /// Funding rates.
    Funding,
    /// Mark and index prices.
    Mark,
}

impl Stream {
    /// Whether an event belongs to this stream.
    pub fn carries(self, body: &MarketBody) -> bool {
        match (self, body) {
            (Self::Trades, MarketBody::Trade { .. })
            | (Self::Quotes, MarketBody::Quote { .. })
            | (Self::Book(_), MarketBody::Book(_))
            | (Self::Funding, MarketBody::Funding { .. })
            | (Self::Mark, MarketBody::Mark { .. }) => true,
            (Self::Bars(interval_s), MarketBody::Bar(bar)) => bar.interval_s == interval_s,
            _ => false,
        }
    }
}
