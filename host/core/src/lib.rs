//! The pure decision core of Portcullis: money, orders, limits, the ledger and the gate.
//!
//! No I/O, no clock, no async, no floats in money. `now` is a parameter, randomness does not occur, and every durable change
//! of state is a [`Record`] that folds back into the same state after a restart.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod command;
mod environment;
mod ids;
mod instrument;
mod intent;
mod market;
mod money;
mod report;
mod submission;
mod time;

pub use command::{
    AmendOrder, ApprovedCommand, CancelAll, CancelOrder, CancelScope, Class, Command, PlaceOrder, SetProtection,
};
pub use environment::Environment;
pub use ids::{
    Digest, ExecId, InstrumentId, InvalidId, LinkId, OrderId, OrderNumber, Sequence, StrategyId, StrategyName, Symbol,
    VenueOrderId,
};
pub use instrument::{Category, InstrumentSpec};
pub use intent::{
    Action, ActionBody, Amend, Ask, Cause, LogLevel, Outcome, Place, RawIntent, Side, TimeInForce, Trigger,
};
pub use market::{BOOK_DEPTH_MAX, Bar, Book, Level, MarketBody, MarketEvent};
pub use money::{
    Amount, DECIMALS_MAX, DecimalError, Price, Qty, Rate, Rounding, SignedQty, notional, notional_of,
};
pub use report::{
    CloseReason, Execution, ExecutionKind, ExecutionReport, OrderReport, PositionReport, VenueSnapshot, VenueStatus,
    WalletReport,
};
pub use submission::{RejectionKind, Submission, VenueRejection};
pub use time::{Span, Timestamp};
