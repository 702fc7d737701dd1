//! Test a strategy natively: no component, no host, the same code path.
//!
//! [`Harness`] plays the market and the host, one event at a time:
//!
//! ```
//! use portcullis_sdk::testing::{self, Harness};
//! use portcullis_sdk::{
//!     ActionBody, Context, Description, InitError, OrderStatus, Qty, Setup, Side, Strategy, Stream, Trade,
//! };
//!
//! /// Buys once, at the first trade.
//! struct BuyOnce(bool);
//!
//! impl Strategy for BuyOnce {
//!     fn describe() -> Description {
//!         Description::new("buy-once", "0.1.0").subscribe(Stream::Trades)
//!     }
//!
//!     fn new(_setup: &Setup) -> Result<Self, InitError> {
//!         Ok(Self(false))
//!     }
//!
//!     fn on_trade(&mut self, trade: &Trade, ctx: &mut Context) {
//!         if !core::mem::replace(&mut self.0, true) {
//!             ctx.buy(trade.instrument).market(Qty::from_mantissa(10));
//!         }
//!     }
//! }
//!
//! let mut harness = Harness::<BuyOnce>::new(&[testing::instrument("linear:BTCUSDT")], &[])?;
//! let btc = harness.instrument("linear:BTCUSDT");
//!
//! let actions = harness.trade(btc, "60000.1", "0.5", Side::Sell);
//! let [ActionBody::Place(order)] = actions.as_slice() else { panic!("one order, not {actions:?}") };
//! assert_eq!(order.side, Side::Buy);
//! assert!(harness.trade(btc, "60000.2", "0.5", Side::Sell).is_empty());
//! # Ok::<(), InitError>(())
//! ```
//!
//! [`Driver`] and [`FrameBuilder`] are the level below: whole frames with a lookahead, as a component gets them.

mod encode;
mod fixture;
mod frame_builder;
mod harness;
mod levels;

pub use crate::driver::Driver;
pub use fixture::{instrument, setup};
pub use frame_builder::FrameBuilder;
pub use harness::Harness;
pub use levels::PackedLevels;
