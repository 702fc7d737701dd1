//! The trait that a strategy implements.

use core::fmt;

use crate::event::{
    Bar, Book, Budget, Fill, Funding, Gap, InstrumentUpdate, Mark, OwnOrder, Position, Quote, Refusal,
    Resync, Signal, TimerFired, Trade, WarmUpEnd,
};
use crate::{Context, Description, InitError, Setup};

/// A trading strategy.
///
/// Only [`describe`](Strategy::describe) and [`new`](Strategy::new) are required; every event has a handler that does nothing unless
/// you write it. Handlers run one at a time, in the order of the events' times.
///
/// A panic ends the instance: every action of that call is dropped, and the host starts a new instance from the last snapshot.
#[expect(unused_variables, reason = "default handlers name their arguments for the reader of the docs")]
pub trait Strategy: Sized {
    /// Says what the strategy is and wants. Must give the same answer every time.
    fn describe() -> Description;

    /// Makes the strategy from its parameters and instruments.
    ///
    /// # Errors
    ///
    /// [`InitError`] tells the operator why the strategy cannot start.
    fn new(setup: &Setup) -> Result<Self, InitError>;

    /// A public trade.
    fn on_trade(&mut self, trade: &Trade, ctx: &mut Context) {}

    /// A new best bid or ask.
    fn on_quote(&mut self, quote: &Quote, ctx: &mut Context) {}

    /// A new state of the book.
    fn on_book(&mut self, book: &Book<'_>, ctx: &mut Context) {}

    /// A closed bar.
    fn on_bar(&mut self, bar: &Bar, ctx: &mut Context) {}

    /// A new funding rate.
    fn on_funding(&mut self, funding: &Funding, ctx: &mut Context) {}

    /// A new mark or index price.
    fn on_mark(&mut self, mark: &Mark, ctx: &mut Context) {}

    /// An own order changed.
    fn on_own_order(&mut self, order: &OwnOrder, ctx: &mut Context) {}

    /// An own order was executed, whole or in part.
    fn on_fill(&mut self, fill: &Fill, ctx: &mut Context) {}

    /// The host refused an action.
    fn on_refusal(&mut self, refusal: &Refusal, ctx: &mut Context) {}

    /// The position changed.
    fn on_position(&mut self, position: &Position, ctx: &mut Context) {}

    /// The budget or the trading state changed.
    fn on_budget(&mut self, budget: &Budget, ctx: &mut Context) {}

    /// Trading rules of an instrument changed.
    fn on_instrument(&mut self, update: &InstrumentUpdate, ctx: &mut Context) {}

    /// A timer fired.
    fn on_timer(&mut self, timer: &TimerFired, ctx: &mut Context) {}

    /// Market data was left out.
    fn on_gap(&mut self, gap: &Gap, ctx: &mut Context) {}

    /// The warm-up is over; orders are possible from here on.
    fn on_warm_up_end(&mut self, end: &WarmUpEnd, ctx: &mut Context) {}

    /// The truth after a restart follows: forget what you believed about open orders, and set your timers again.
    fn on_resync(&mut self, resync: &Resync, ctx: &mut Context) {}

    /// An external input that the manifest declares.
    fn on_signal(&mut self, signal: &Signal<'_>, ctx: &mut Context) {}

    /// The state that [`restore`](Strategy::restore) needs; at most 250 KiB. Empty unless you write it.
    ///
    /// Order numbers and timers are kept by the SDK and need not be in it.
    fn snapshot(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Takes over a snapshot, right after [`new`](Strategy::new). `version` is that of the build which made it.
    ///
    /// # Errors
    ///
    /// [`RestoreError`]; the host then starts the strategy without the snapshot.
    fn restore(&mut self, version: u32, bytes: &[u8]) -> Result<(), RestoreError> {
        if bytes.is_empty() { Ok(()) } else { Err(RestoreError::UnsupportedVersion) }
    }
}

/// Why a snapshot was not taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// This build cannot read snapshots of that version.
    UnsupportedVersion,
    /// The bytes are damaged.
    Malformed,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnsupportedVersion => "this build cannot read snapshots of that version",
            Self::Malformed => "the snapshot is damaged",
        })
    }
}

impl core::error::Error for RestoreError {}
