//! Everything that can happen to the gate: one closed enum, one sequence.

use serde::{Deserialize, Serialize};

use crate::{
    CheckId, Command, Digest, ExecutionReport, InstrumentId, InstrumentSpec, Limits, LinkId, MarketEvent,
    OrderReport, PeerAddress, PriceLimit, RawIntent, Scope, Sequence, SessionStart, StrategyFailure,
    StrategyId, StrategyName, StrategyStarted, Submission, Timestamp, TradingState, VenueSnapshot,
};

/// One input of the gate.
#[derive(Debug, Clone)]
pub enum Input<'a> {
    /// A session starts, after the journal was folded and before anything else. Commands without an answer become unknown, and
    /// the books are compared with the venue before risk may be added.
    Session(SessionStart),
    /// Limits come into force.
    Limits(Box<Limits>),
    /// An instrument's rules, first seen or changed. [`State::instrument_named`](crate::State::instrument_named) and
    /// [`State::next_instrument`](crate::State::next_instrument) give the id.
    Instrument(InstrumentSpec),
    /// Something happened to a strategy.
    Strategy(StrategyChange),
    /// A strategy wants something. `frame` are the causing frame's bytes, of which 4 KiB are kept (RULES J2); empty in a backtest.
    Intent {
        /// The intent.
        intent: RawIntent,
        /// The causing frame.
        frame: &'a [u8],
    },
    /// The journal took an approved command in.
    Committed {
        /// The command, as it is in the `JournaledCommand`.
        command: &'a Command,
        /// The entry's sequence.
        sequence: Sequence,
        /// The client id minted for a new order.
        link: Option<LinkId>,
    },
    /// The bytes of this entry's command are about to leave; answered in [`Effects::release`](crate::Effects::release) (RULES G4).
    Release(Sequence),
    /// What came back for this entry's command.
    Submission {
        /// The command's entry.
        of: Sequence,
        /// What came back.
        outcome: Submission,
    },
    /// A message of the private stream, or a row of a query.
    Report(ExecutionReport),
    /// A market event.
    Market(&'a MarketEvent),
    /// The prices at which the venue takes orders in an instrument. Like a market event it has no effects.
    PriceLimit(PriceLimit),
    /// Everything the venue says is ours; the answer to [`Query::Snapshot`](crate::Query::Snapshot), or unasked after a reconnect.
    Snapshot(VenueSnapshot),
    /// The answer to [`Query::Order`](crate::Query::Order). Executions it found go in before it, as reports.
    Evidence {
        /// The order asked about.
        order: crate::OrderId,
        /// What was found.
        finding: Evidence,
        /// The venue's own clock before the first of the queries behind it was answered. The venue takes a command only until the
        /// receive window after its stamp is over, by this clock: that is what an absence proves something by.
        venue_time: Timestamp,
    },
    /// A connection, the clock or a neighbour changed.
    Link(LinkChange),
    /// The venue's side found something wrong. With most of it no trading is safe, and nothing is opened until an operator has looked at it.
    Alarm(VenueAlarm),
    /// An operator asks. `actor` is who, at most 64 bytes.
    Operator {
        /// Who.
        actor: String,
        /// What.
        command: OperatorCommand,
    },
    /// An operator puts other limits in force. Where they loosen any bound it takes a second step, with the code that the first is
    /// answered with.
    SetLimits {
        /// Who.
        actor: String,
        /// The limits.
        limits: Box<Limits>,
        /// Why; at most 512 bytes.
        reason: String,
        /// The code of the first step.
        code: Option<String>,
    },
    /// Time passed. At least once a second.
    Tick,
}

/// What happened to a strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StrategyChange {
    /// It starts and takes its instruments; answered in [`Effects::reply`](crate::Effects::reply). It may add risk once it is
    /// warm and resynced.
    Started(StrategyStarted),
    /// It is past its warm-up boundary: intents on events before were already handed in.
    Warm(StrategyId),
    /// It has consumed its resync.
    Resynced(StrategyId),
    /// It failed and will come back; until its next resync it may not add risk.
    Faulted {
        /// Which.
        strategy: StrategyId,
        /// How.
        failure: StrategyFailure,
    },
    /// It failed too often: its entries are cancelled and it is stopped. The position keeps its protection.
    Quarantined {
        /// Which.
        strategy: StrategyId,
        /// How it failed the last time.
        failure: StrategyFailure,
        /// How it failed first, since its budget of restarts was whole.
        first: StrategyFailure,
    },
    /// Market data was kept from it: the feed was interrupted, or trades were dropped while it was busy. Nobody failed.
    DataGap {
        /// Which.
        strategy: StrategyId,
        /// Events that are known to be missing.
        dropped: u64,
        /// Interruptions of the feed, of which nobody knows how much is missing.
        interruptions: u64,
    },
    /// It does not answer: its entries are cancelled, nothing else (RULES C1).
    Unresponsive(StrategyId),
    /// It was stopped: its entries are cancelled, its position stays.
    Stopped {
        /// Which.
        strategy: StrategyId,
        /// Why.
        reason: String,
    },
}

/// What a query about one order found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The order, as the venue has it now.
    Found(OrderReport),
    /// In none of open orders, order history and executions; every one of the queries answered, and without 403, 10006 or 5xx.
    Absent,
    /// A query failed, so that nothing is known.
    Unavailable,
}

/// What the venue's side found wrong with the account, its keys, the journal or what it is told. All but the last latch reduce-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VenueAlarm {
    /// The venue has an order of ours that is newer than the journal (RULES J5).
    RolledBack {
        /// The newest client id of ours at the venue.
        link: LinkId,
    },
    /// The account or its keys are not as the operator's policy wants them.
    AccountPolicy {
        /// What is wrong, without secrets; at most 512 bytes.
        detail: String,
    },
    /// Something of the venue's could not be what it says, and was left out: it is noted, and the books are compared.
    Quarantined {
        /// Which member says what; at most 512 bytes.
        detail: String,
    },
}

/// A connection, the clock or a neighbour changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkChange {
    /// The public streams are up or down.
    Public {
        /// Up.
        up: bool,
    },
    /// The book of an instrument has no gap, or is being rebuilt after one.
    Book {
        /// Of which instrument.
        instrument: InstrumentId,
        /// Whole.
        up: bool,
    },
    /// The private stream is authenticated and up, or down.
    Private {
        /// Up.
        up: bool,
    },
    /// Measured difference between our clock and the venue's, in milliseconds.
    Skew {
        /// Ours minus the venue's.
        millis: i64,
    },
    /// The signer answers or does not.
    Signer {
        /// Up.
        up: bool,
    },
    /// The signer signs what adds risk, or has stopped that after too many violations of its own cap.
    SignerCap {
        /// Signs it.
        up: bool,
    },
    /// The journal keeps up and can be written, or not.
    Journal {
        /// Up.
        up: bool,
    },
    /// The disk has room, or not.
    Disk {
        /// Enough room.
        up: bool,
    },
    /// The venue's rate budget allows another order, or not.
    RateBudget {
        /// Allows.
        up: bool,
    },
    /// The sentinel holds a lease on this gateway, or does not answer.
    Watchdog {
        /// Holds it.
        up: bool,
    },
}

/// What an operator asks or does. All of it is journaled with the operator's name; the gate itself acts on those
/// that concern orders, the rest is the daemon's to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperatorCommand {
    /// Raises the trading state of a scope; `halt` is entries-cancelled on the account. Never lowers it.
    Raise {
        /// Of what.
        scope: Scope,
        /// To.
        to: TradingState,
        /// Why.
        reason: String,
    },
    /// Cancels every order that could add risk, without raising the state.
    CancelEntries {
        /// Of what.
        scope: Scope,
        /// Why.
        reason: String,
    },
    /// First step back to active: answered with a code.
    RearmRequest {
        /// Of what.
        scope: Scope,
        /// Why.
        reason: String,
    },
    /// Second step, within a minute, with the code. `new_baseline` counts the day's loss and the drawdown from here on, which a
    /// halt for a loss needs.
    RearmConfirm {
        /// Of what.
        scope: Scope,
        /// The code of the first step.
        code: String,
        /// Whether the day's loss and the drawdown count from here on.
        new_baseline: bool,
    },
    /// Puts other limits in force; the text follows as a record of its own when it comes to that.
    SetLimits {
        /// SHA-256 of their text.
        hash: Digest,
        /// The keys that became looser, at most 512 bytes.
        loosened: String,
        /// Why.
        reason: String,
        /// Whether this was the second step.
        confirmed: bool,
    },
    /// Lets one order of a strategy pass a bound (RULES G9). It takes a second step, with the code that the first is answered with.
    Override {
        /// The strategy.
        strategy: StrategyId,
        /// Which bound.
        check: CheckId,
        /// The bound for that one order, in the check's unit.
        limit: i128,
        /// When it expires unused.
        until: Timestamp,
        /// Why.
        reason: String,
        /// The code of the first step.
        code: Option<String>,
    },
    /// Deploys a verified bundle into the running gateway.
    Deploy {
        /// The strategy's name.
        strategy: StrategyName,
        /// `name-version` of the bundle, at most 128 bytes.
        bundle: String,
        /// SHA-256 of the bundle's signed payload.
        digest: Digest,
    },
    /// Stops a strategy for good.
    Stop {
        /// The strategy's name.
        strategy: StrategyName,
    },
    /// Came in at the console, went, or changed how to come in (RULES O3).
    Access {
        /// What happened.
        kind: AccessKind,
        /// From where.
        address: PeerAddress,
    },
    /// Attempts to come in that failed since the last such entry, by whomever.
    FailedAccess {
        /// How many.
        count: u64,
    },
    /// Compares the books with the venue now, and not only once a minute.
    Reconcile,
}

/// What somebody did at the console's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessKind {
    /// Logged in.
    Login,
    /// Logged out.
    Logout,
    /// Made an API token.
    TokenCreated,
    /// Revoked an API token.
    TokenRevoked,
}
