//! What a strategy sees. `wit/frame.md` is the definition; one struct per record kind.

mod account;
mod market;
mod own;
mod session;

pub use account::{Budget, Position, TradingState};
pub use market::{Bar, Book, Funding, InstrumentUpdate, Mark, Quote, Trade};
pub use own::{Fill, Liquidity, OrderReason, OrderStatus, OwnOrder, Refusal, RefusedAction};
pub use session::{Gap, GapCause, Resync, Signal, TimerFired, WarmUpEnd};

use crate::Time;

/// One event of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "each variant holds the type of the same name, which is documented")]
pub enum Event<'a> {
    Trade(Trade),
    Quote(Quote),
    Book(Book<'a>),
    Bar(Bar),
    Funding(Funding),
    Mark(Mark),
    OwnOrder(OwnOrder),
    Fill(Fill),
    Refusal(Refusal),
    Position(Position),
    Budget(Budget),
    Instrument(InstrumentUpdate),
    Timer(TimerFired),
    Gap(Gap),
    WarmUpEnd(WarmUpEnd),
    Resync(Resync),
    Signal(Signal<'a>),
}

impl Event<'_> {
    /// When the strategy sees it.
    #[must_use]
    pub const fn time(&self) -> Time {
        match self {
            Event::Trade(event) => event.time,
            Event::Quote(event) => event.time,
            Event::Book(event) => event.time,
            Event::Bar(event) => event.time,
            Event::Funding(event) => event.time,
            Event::Mark(event) => event.time,
            Event::OwnOrder(event) => event.time,
            Event::Fill(event) => event.time,
            Event::Refusal(event) => event.time,
            Event::Position(event) => event.time,
            Event::Budget(event) => event.time,
            Event::Instrument(event) => event.time,
            Event::Timer(event) => event.time,
            Event::Gap(event) => event.time,
            Event::WarmUpEnd(event) => event.time,
            Event::Resync(event) => event.time,
            Event::Signal(event) => event.time,
        }
    }
}
