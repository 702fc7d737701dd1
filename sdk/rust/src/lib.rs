//! Write trading strategies for Portcullis.
//!
//! A strategy sees market data and its own orders, and all it can do is record *actions*: place, amend, cancel… The host checks every
//! one against the operator's limits, writes it to its journal, and only then sends it. A strategy has no network, no files and
//! no clock, so the same events give the same actions: live, on paper and in a backtest.
//!
//! Implement [`Strategy`], export it, and you are done:
//!
//! ```
//! use portcullis_sdk::{
//!     Context, Description, InitError, InstrumentId, Parameter, Price, Qty, Setup, Side, Strategy, Stream, Trade,
//! };
//!
//! /// Buys after a fall of ten ticks since the last order, sells after a rise of ten.
//! struct Swing {
//!     size: Qty,
//!     anchor: Option<Price>,
//! }
//!
//! impl Strategy for Swing {
//!     fn describe() -> Description {
//!         Description::new("swing", "0.1.0")
//!             .parameter(Parameter::decimal("size", "Quantity of each order, in the base coin.", "0.001", "10").default_value("0.01"))
//!             .subscribe(Stream::Trades)
//!     }
//!
//!     fn new(setup: &Setup) -> Result<Self, InitError> {
//!         let [instrument] = setup.instruments.as_slice() else {
//!             return Err(InitError::Other("swing trades one instrument".to_owned()));
//!         };
//!         let size = instrument.round_down_to_step(setup.quantity("size", instrument)?);
//!         Ok(Self { size, anchor: None })
//!     }
//!
//!     fn on_trade(&mut self, trade: &Trade, ctx: &mut Context) {
//!         let Some(instrument) = ctx.instrument(trade.instrument) else { return };
//!         let swing = instrument.tick.saturating_mul(10);
//!         let anchor = *self.anchor.get_or_insert(trade.price);
//!         if trade.price >= anchor.saturating_add(swing) {
//!             self.anchor = Some(trade.price);
//!             ctx.sell(trade.instrument).market(self.size).tag(1);
//!         } else if trade.price <= anchor.saturating_sub(swing) {
//!             self.anchor = Some(trade.price);
//!             ctx.buy(trade.instrument).market(self.size).tag(2);
//!         }
//!     }
//! }
//!
//! portcullis_sdk::export!(Swing);
//!
//! // A native test needs no component:
//! use portcullis_sdk::testing::{self, Harness};
//! use portcullis_sdk::ActionBody;
//!
//! let mut harness = Harness::<Swing>::new(&[testing::instrument("linear:BTCUSDT")], &[("size", "0.02")])?;
//! let btc = harness.instrument("linear:BTCUSDT");
//! assert!(harness.trade(btc, "60000", "1", Side::Buy).is_empty());
//! let actions = harness.trade(btc, "59999", "1", Side::Sell);
//! assert!(matches!(actions.as_slice(), [ActionBody::Place(order)] if order.side == Side::Buy));
//! # Ok::<(), InitError>(())
//! ```
//!
//! # Orders
//!
//! `ctx.buy(instrument).limit(price, size)` places at once and returns a [`Placed`], which takes options and knows the order's
//! number; see [`Context`]. What became of the order arrives as events: [`OwnOrder`] for every change, [`Fill`] for every execution,
//! [`Refusal`] when the host said no (its [`RefusalCode`] says why). An order takes one command at a time.
//!
//! # Numbers
//!
//! [`Price`] and [`Qty`] are whole numbers in the instrument's decimals, and [`Amount`] is money, exact to 1e-18. Nothing is rounded
//! behind your back: [`Instrument`] has every rounding, and each names its direction. Floats are for indicators
//! ([`Instrument::price_to_f64`]) and never reach an order unrounded.
//!
//! # Frames and time
//!
//! The host hands over events in batches, called *frames*. Handlers see one event at a time and need not care: the SDK stops inside
//! a frame where the consequences of your own actions could first be seen, so a batch never shows you a future that you could have
//! changed. [`Context::now`] is the time of the event.
//!
//! # Restarts
//!
//! After a fault or an upgrade the host makes a new instance: [`Strategy::new`], then [`Strategy::restore`] with the last
//! [`Strategy::snapshot`] ([`StateWriter`] and [`StateReader`] help), then the events since, and at last [`Strategy::on_resync`]
//! with the truth about orders and positions.

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
mod state;
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
pub use state::{StateReader, StateWriter};
pub use strategy::{RestoreError, Strategy};
pub use time::Time;
