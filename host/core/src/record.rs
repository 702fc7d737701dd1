//! Facts. The journal stores them, and folding them gives the gate's state back, without market data (RULES J1).

mod finding;
mod host;
mod intent;
mod venue;

use serde::{Deserialize, Serialize};

pub use finding::{Finding, FindingKind};
pub use host::{
    DayAnchor, HighWater, LimitsSet, OperatorEntry, Override, SessionStart, StateChange, StrategyFault,
    StrategyStarted, StrategyStopped,
};
pub use intent::{ActionKind, IntentApproved, NotSent, Origin, Refused, RefusedSummary, Submitted};
pub use venue::{Adjustment, Resolution, Resolved};

use crate::{Execution, InstrumentSpec, OrderReport, StrategyId, WalletReport};

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident($body:ty) = $kind:literal $text:literal,)*) => {
        /// One fact. The numbers of [`Record::kind`] are stable.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Record {
            $($(#[$doc])* $name($body),)*
        }

        impl Record {
            /// The stable number of the kind.
            pub const fn kind(&self) -> u16 {
                match self {
                    $(Self::$name(_) => $kind,)*
                }
            }

            /// The stable name of the kind.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $text,)*
                }
            }

            /// The body in its deterministic encoding.
            pub fn encode(&self) -> Vec<u8> {
                let encoded = match self {
                    $(Self::$name(body) => postcard::to_allocvec(body),)*
                };
                // Writing plain data to memory cannot fail: every type above is sized, and the allocator aborts.
                encoded.unwrap_or_default()
            }

            /// Reads a body back.
            ///
            /// # Errors
            /// [`RecordError`] for an unknown kind, a malformed body, or bytes after it.
            pub fn decode(kind: u16, bytes: &[u8]) -> Result<Self, RecordError> {
                match kind {
                    $($kind => exact(kind, bytes).map(Self::$name),)*
                    _ => Err(RecordError::UnknownKind(kind)),
                }
            }
        }
    };
}

records! {
    /// The gateway started. First record of every session.
    Session(SessionStart) = 1 "session",
    /// Limits came into force.
    Limits(LimitsSet) = 2 "limits",
    /// An instrument's rules, first seen or changed.
    Instrument(InstrumentSpec) = 3 "instrument",
    /// A strategy started and owns its instruments from now on.
    StrategyStarted(StrategyStarted) = 4 "strategy-started",
    /// A strategy stopped.
    StrategyStopped(StrategyStopped) = 5 "strategy-stopped",
    /// A strategy failed.
    StrategyFault(StrategyFault) = 6 "strategy-fault",
    /// A command was approved; its exposure is reserved from here on.
    Intent(IntentApproved) = 10 "intent",
    /// An intent was refused.
    Refused(Refused) = 11 "refused",
    /// Intents beyond the bucket were refused, counted together.
    RefusedSummary(RefusedSummary) = 12 "refused-summary",
    /// An approved command was not sent after all; its reservation is free.
    NotSent(NotSent) = 13 "not-sent",
    /// What came back for a command.
    Submission(Submitted) = 14 "submission",
    /// The venue's word on an order.
    Order(OrderReport) = 20 "order",
    /// An execution, accounted once.
    Execution(Execution) = 21 "execution",
    /// The books were set to what the venue shows.
    Adjustment(Adjustment) = 22 "adjustment",
    /// The venue's view of the wallet.
    Wallet(WalletReport) = 23 "wallet",
    /// Evidence settled an unknown command.
    Resolved(Resolved) = 24 "resolved",
    /// A trading state changed.
    TradingState(StateChange) = 30 "trading-state",
    /// An operator asked for something.
    Operator(OperatorEntry) = 31 "operator",
    /// Something odd, for people to look at.
    Finding(Finding) = 32 "finding",
    /// The profit and loss from which a day's loss is counted.
    DayAnchor(DayAnchor) = 33 "day-anchor",
    /// The highest profit so far, from which drawdown is counted.
    HighWater(HighWater) = 34 "high-water",
    /// An operator lets one order pass a bound.
    Override(Override) = 35 "override",
}

impl Record {
    /// The strategy it is about, where it is about one.
    pub fn strategy(&self) -> Option<StrategyId> {
        match self {
            Self::StrategyStarted(body) => Some(body.strategy),
            Self::StrategyStopped(body) => Some(body.strategy),
            Self::StrategyFault(body) => Some(body.strategy),
            Self::Intent(body) => body.strategy,
            Self::Refused(body) => Some(body.strategy),
            Self::RefusedSummary(body) => Some(body.strategy),
            Self::Override(body) => Some(body.strategy),
            Self::Session(_)
            | Self::Limits(_)
            | Self::Instrument(_)
            | Self::NotSent(_)
            | Self::Submission(_)
            | Self::Order(_)
            | Self::Execution(_)
            | Self::Adjustment(_)
            | Self::Wallet(_)
            | Self::Resolved(_)
            | Self::TradingState(_)
            | Self::Operator(_)
            | Self::Finding(_)
            | Self::DayAnchor(_)
            | Self::HighWater(_) => None,
        }
    }

    /// Who brought it about.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Intent(IntentApproved { origin: Origin::Strategy, strategy: Some(strategy), .. }) => {
                Actor::Strategy(*strategy)
            }
            Self::Refused(body) => Actor::Strategy(body.strategy),
            Self::RefusedSummary(body) => Actor::Strategy(body.strategy),
            Self::Submission(_)
            | Self::Order(_)
            | Self::Execution(_)
            | Self::Wallet(_)
            | Self::Instrument(_) => Actor::Venue,
            Self::Operator(_) | Self::Override(_) => Actor::Operator,
            Self::Session(_)
            | Self::Limits(_)
            | Self::StrategyStarted(_)
            | Self::StrategyStopped(_)
            | Self::StrategyFault(_)
            | Self::Intent(_)
            | Self::NotSent(_)
            | Self::Adjustment(_)
            | Self::Resolved(_)
            | Self::TradingState(_)
            | Self::Finding(_)
            | Self::DayAnchor(_)
            | Self::HighWater(_) => Actor::Host,
        }
    }
}

/// Who brought a record about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Portcullis itself.
    Host,
    /// A strategy.
    Strategy(StrategyId),
    /// A person.
    Operator,
    /// The exchange.
    Venue,
}

/// Why bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Written by a newer version, or not a record at all.
    #[error("no record kind has number {0}; it may come from a newer version of portcullis")]
    UnknownKind(u16),
    /// The body does not decode.
    #[error("record of kind {kind} is malformed: {detail}")]
    Malformed {
        /// The kind.
        kind: u16,
        /// Where decoding stopped.
        detail: String,
    },
}

fn exact<T: for<'a> Deserialize<'a>>(kind: u16, bytes: &[u8]) -> Result<T, RecordError> {
    match postcard::take_from_bytes(bytes) {
        Ok((body, [])) => Ok(body),
        Ok((_, rest)) => {
            Err(RecordError::Malformed { kind, detail: format!("{} bytes too many", rest.len()) })
        }
        Err(error) => Err(RecordError::Malformed { kind, detail: error.to_string() }),
    }
}
