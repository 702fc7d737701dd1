//! What is going to happen: ordered by time, and among equals by who asked first.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use portcullis_core::{
    Command, Evidence, Execution, ExecutionReport, LinkId, MarketBody, OrderId, OrderReport, Sequence,
    Submission, Timestamp,
};

/// One of the two kinds of stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Public,
    Private,
}

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A market moves.
    Move(usize),
    /// A command reaches the venue.
    Arrive { number: u64, request: Box<Request> },
    /// A cancel that was acknowledged takes effect.
    Cancelled(u64),
    /// The venue answers a part of a query.
    Lookup(Box<Lookup>),
    /// A command's outcome reaches the gateway, or its patience ends.
    Outcome { session: u32, of: Sequence, outcome: Box<Submission> },
    /// A message of the private stream reaches the gateway.
    Private { generation: u64, report: Box<ExecutionReport> },
    /// A message of the public streams reaches the gateway.
    Market { generation: u64, instrument: usize, body: MarketBody, venue_time: Timestamp },
    /// The gateway notices that a stream is dead.
    Noticed { stream: Stream, generation: u64 },
    /// The gateway connects a stream.
    Connect { stream: Stream, session: u32 },
    /// The gateway measures the clocks' difference and asks for the wallet.
    Skew { session: u32 },
    /// A neighbour that went away comes back.
    Neighbour { session: u32, which: u8 },
    /// The gateway's tick.
    Tick { session: u32 },
    /// A strategy is launched.
    Launch { session: u32, which: usize },
    /// A strategy has its turn.
    Strategy(usize),
    /// An operator has a turn.
    Operator,
    /// An operator confirms a rearm.
    Confirm { session: u32, scope: portcullis_core::Scope, code: String, new_baseline: bool },
    /// Time for a fault.
    Fault,
    /// The gateway starts again.
    Restart,
    /// The end of faults and orders.
    Calm,
    /// The end.
    Finish,
}

/// A command on its way.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) session: u32,
    pub(crate) of: Sequence,
    /// The client id of a create.
    pub(crate) link: LinkId,
    pub(crate) command: Command,
    /// The time it was signed with, by the gateway's clock.
    pub(crate) signed: Timestamp,
    /// Whether its answer gets back.
    pub(crate) answered: bool,
    /// Whether it is the second copy of a command, whose answer must be true about both.
    pub(crate) copy: bool,
    /// When it reaches the venue.
    pub(crate) arrives: u64,
}

/// A query on its way, with what has been found so far.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    pub(crate) session: u32,
    pub(crate) what: Wanted,
    pub(crate) stage: u8,
    /// The venue's clock at the first stage.
    pub(crate) began: Timestamp,
    pub(crate) orders: Vec<OrderReport>,
    pub(crate) executions: Vec<Execution>,
    pub(crate) finding: Option<Evidence>,
    pub(crate) snapshot: Option<Box<portcullis_core::VenueSnapshot>>,
}

/// What a query is about.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    Order {
        order: OrderId,
        link: LinkId,
    },
    Everything {
        since: Timestamp,
    },
    /// Everything, for a private stream that was just connected.
    Reconnect {
        generation: u64,
        since: Timestamp,
    },
}

#[derive(Debug)]
struct Due {
    time: u64,
    number: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.time, self.number).cmp(&(other.time, other.number))
    }
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    due: BinaryHeap<Reverse<Due>>,
    number: u64,
}

impl Queue {
    pub(crate) fn at(&mut self, time: u64, event: Event) {
        self.number += 1;
        self.due.push(Reverse(Due { time, number: self.number, event }));
    }

    pub(crate) fn pop(&mut self) -> Option<(u64, Event)> {
        self.due.pop().map(|Reverse(due)| (due.time, due.event))
    }
}
