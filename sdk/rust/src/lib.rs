//! Write trading strategies for Portcullis.

mod action;
mod book;
mod context;
mod decimal;
mod description;
mod driver;
mod event;
mod export;
pub mod frame;
#[cfg(any(target_arch = "wasm32", test))]
#[doc(hidden)]
pub mod guest;
mod instrument;
mod number;
mod placed;
mod refusal;
mod setup;
mod snapshot;
mod stop;
mod strategy;
pub mod testing;
mod time;

pub use action::{
    Action, ActionBody, Amend, LogLevel, LogLine, Metric, OrderKind, OrderNumber, Outcome, Place, Side,
    TimeInForce, Timer, Trigger, TriggerDirection,
};
pub use book::{Level, Levels};
pub use context::{Context, NewOrder};
pub use decimal::NumberError;
pub use description::{Description, Parameter, ParameterKind, Stream, Subscription};
pub use event::{
    Bar, Book, Budget, Event, Fill, Funding, Gap, GapCause, InstrumentUpdate, Liquidity, Mark, OrderReason,
    OrderStatus, OwnOrder, Position, Quote, Refusal, RefusedAction, Resync, Signal, TimerFired, Trade,
    TradingState, WarmUpEnd,
};
pub use instrument::{Instrument, InstrumentId};
pub use number::{Amount, Price, Qty, Rate};
pub use placed::Placed;
pub use refusal::RefusalCode;
pub use setup::{InitError, Setup};
pub use strategy::{RestoreError, Strategy};
pub use time::Time;
