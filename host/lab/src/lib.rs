//! Backtests: the gate, the road, the matching engine and the strategy's own code, under a virtual clock.
//!
//! [`backtest`] is exact and fast by adaptive lookahead: nothing an action causes reaches a strategy earlier than L after its cause, so a
//! strategy is handed thousands of events at once and stops itself where its own actions could first matter. `run.rs` is the driver;
//! `world.rs` is everything that is not a strategy.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod backtest;
mod clock;
mod curve;
mod data;
mod frames;
mod guest;
mod h1;
mod lane;
mod latency;
mod report;
mod run;
mod storage;
mod tape;
mod venue;
mod world;

pub use backtest::{BacktestError, Candidate, Outcome, Settings, Strategy, backtest, backtest_made};
pub use data::{h1_depth, h1_instrument, h1_trades};
pub use frames::Frames;
pub use guest::{Guest, GuestFault};
pub use latency::Latency;
