//! What happens to the strategy itself: timers, gaps, restarts, signals.

use crate::action::OrderNumber;
use crate::{InstrumentId, Time};

/// A timer fired; it is no longer set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerFired {
    /// When the strategy sees it: the time it was set to, or later.
    pub time: Time,
    /// The timer.
    pub id: u64,
}

/// Market data was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// When the strategy sees it.
    pub time: Time,
    /// Where, if it concerns one instrument.
    pub instrument: Option<InstrumentId>,
    /// Events left out; zero when nobody knows.
    pub dropped: u32,
    /// Why.
    pub cause: GapCause,
}

/// Why market data was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GapCause {
    /// The strategy was slower than the market.
    Conflation,
    /// The connection to the venue was lost.
    Disconnect,
    /// The strategy was restarted after a fault.
    Fault,
    /// The frame that caused a fault was left out.
    SkippedFrame,
}

/// The warm-up is over: everything before was history, from here on orders are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WarmUpEnd {
    /// When the strategy sees it.
    pub time: Time,
}

/// The truth after a restart: own open orders, position, budget and books follow as events of the same time.
///
/// An order that the strategy remembers and that does not follow is over. Every timer is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resync {
    /// When the strategy sees it.
    pub time: Time,
    /// Own open orders that follow.
    pub open_orders: u32,
    /// The number the next order will have.
    pub next_order: OrderNumber,
}

/// An input from outside that the manifest declares, authenticated and journaled by the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal<'a> {
    /// When the strategy sees it.
    pub time: Time,
    /// Where, if it concerns one instrument.
    pub instrument: Option<InstrumentId>,
    /// The manifest's number of the channel.
    pub channel: u16,
    /// The message; at most 1,024 bytes.
    pub payload: &'a [u8],
}
