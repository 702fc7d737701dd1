//! The way out and the way back in: an exchange, as the pipeline sees it.

use portcullis_core::{
    Evidence, ExecutionReport, InstrumentSpec, LinkChange, MarketEvent, OrderId, PriceLimit, Query, Sequence,
    Submission, Timestamp, VenueAlarm, VenueSnapshot,
};
use portcullis_journal::JournaledCommand;

/// An exchange. The live one keeps its sockets on threads of its own; the lab's and the simulator's are in-process.
///
/// No method blocks: the pipeline's thread belongs to the gate.
pub trait Venue {
    /// Hands a command to the network. The outcome comes back as [`VenueEvent::Submission`], exactly once; when the link is
    /// lost it is [`Submission::Unknown`].
    fn submit(&mut self, command: JournaledCommand);

    /// Asks for evidence. The answer comes back as [`VenueEvent::Evidence`] or [`VenueEvent::Snapshot`].
    fn query(&mut self, query: Query);

    /// The next event, if one is there.
    fn poll(&mut self) -> Option<VenueEvent>;
}

/// What comes back from an exchange.
#[derive(Debug)]
pub enum VenueEvent {
    /// Public market data.
    Market(MarketEvent),
    /// The answer to one submitted command.
    Submission {
        /// The journal entry of the command.
        of: Sequence,
        /// What came back.
        outcome: Submission,
    },
    /// Private data.
    Report(ExecutionReport),
    /// The answer to a full reconciliation; also sent unasked after a reconnect, before the link is reported up.
    Snapshot(VenueSnapshot),
    /// The answer about one order.
    Evidence {
        /// The order asked about.
        order: OrderId,
        /// What was found.
        finding: Evidence,
        /// The venue's own clock before the first of the queries behind it was answered.
        venue_time: Timestamp,
    },
    /// A connection or the clock changed.
    Link(LinkChange),
    /// Something is wrong with the account, its keys or the journal.
    Alarm(VenueAlarm),
    /// The venue changed an instrument's rules.
    Instrument(InstrumentSpec),
    /// The prices at which the venue takes orders in an instrument.
    PriceLimit(PriceLimit),
}
