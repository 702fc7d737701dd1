//! The pure decision core of Portcullis: money, orders, limits, the ledger and the gate.
//!
//! No I/O, no clock, no async, no floats in money. `now` is a parameter, randomness does not occur, and every durable change
//! of state is a [`Record`] that folds back into the same state after a restart.
//!
//! Start at [`Gate::step`]: one [`Input`] in, one [`Effects`] out.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod bucket;
mod by_instrument;
mod checks;
mod command;
mod effects;
mod environment;
mod exposure;
mod fault_code;
pub mod frame;
mod gate;
mod ids;
mod input;
mod instrument;
mod intent;
mod ledger;
mod limits;
mod link_number;
mod loss_streak;
mod mandate;
mod market;
mod market_view;
mod money;
mod order;
mod order_status;
mod orders;
mod outcome;
mod price_limit;
mod quotes;
mod rate_window;
mod recent_orders;
mod record;
mod refusal;
mod repeats;
mod report;
mod review;
mod state;
mod submission;
mod time;
mod trading_state;
mod unit;
mod validate;

pub use command::{
    AmendOrder, ApprovedCommand, CancelAll, CancelOrder, CancelScope, Class, Command, PlaceOrder,
    SetProtection,
};
pub use effects::{
    BudgetNotice, Effects, FillNotice, Notice, NoticeBody, OrderNotice, PositionNotice, Query, RefusalNotice,
    Release, Reply,
};
pub use environment::{Environment, UnknownEnvironment};
pub use exposure::Exposure;
pub use fault_code::{Blame, FaultCode, StrategyFailure};
pub use gate::{Comparison, Gate, Gauge, Profit, Quiet, Resync, Unmeasured};
pub use ids::{
    ActorName, Digest, ExecId, InstrumentId, InvalidId, LinkId, OrderId, OrderNumber, PeerAddress, Sequence,
    StrategyId, StrategyName, Symbol, UserName, VenueOrderId,
};
pub use input::{AccessKind, Evidence, Input, LinkChange, OperatorCommand, StrategyChange, VenueAlarm};
pub use instrument::{Category, InstrumentSpec};
pub use intent::{
    Action, ActionBody, Amend, Ask, Cause, LogLevel, Outcome, Place, RawIntent, Side, TimeInForce, Trigger,
};
pub use ledger::{Ledger, Position};
pub use limits::{
    AccountLimits, BENCH_LIMITS, Change, ChangeReason, DEMO_LIMITS, DayWindow, DecisionChange, ForeignOrders,
    INSTALL_LIMITS, InstrumentLimits, LimitChange, LimitEntry, LimitSection, LimitWords, Limits, LimitsError,
    LimitsSimulation, ProtectionLimits, RateLimits, StrategyLimits, TripChange, TripPoint,
};
pub use link_number::LinkNumber;
pub use mandate::Mandate;
pub use market::{BOOK_DEPTH_MAX, Bar, Book, Level, MarketBody, MarketEvent};
pub use market_view::MarketView;
pub use money::{
    Amount, DECIMALS_MAX, DecimalError, Price, Qty, Rate, Rounding, SignedQty, notional, notional_of,
};
pub use order::{Answer, Doubt, Order, Pending, PendingKind};
pub use order_status::{IllegalTransition, OrderEvent, OrderStatus};
pub use orders::Orders;
pub use outcome::{CheckId, CheckOutcome, Unit, Verdict};
pub use price_limit::PriceLimit;
pub use record::{
    ActionKind, Actor, Adjustment, DayAnchor, Finding, FindingKind, HighWater, IntentApproved, LimitsSet,
    NotSent, OperatorEntry, Origin, Override, Record, RecordError, Refused, RefusedSummary, Resolution,
    Resolved, SessionStart, StateChange, StrategyFault, StrategyStarted, StrategyStopped, Submitted,
};
pub use refusal::RefusalCode;
pub use report::{
    AccountMode, CloseReason, CreatedBy, Execution, ExecutionKind, ExecutionReport, MarginMode, OrderReport,
    PositionReport, SpotBalance, VenueSnapshot, VenueStatus, WalletReport,
};
pub use state::{Instrument, State, Strategy};
pub use submission::{RejectionKind, Submission, VenueRejection};
pub use time::{Span, Timestamp};
pub use trading_state::{Inhibit, Inhibits, Ladder, Rung, Scope, StateCause, TradingState};
