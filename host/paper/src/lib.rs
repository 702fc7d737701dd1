//! The paper exchange: a Bybit-V5-speaking server with a matching engine behind it.
//!
//! [`engine`] is pure and deterministic and knows no network: it is also what backtests and the simulator trade against. The
//! face is REST and WebSockets on one port, so that the client that trades live trades here unchanged. [`sources`] play
//! recorded, synthetic or live markets in wall time.

#![forbid(unsafe_code)]

mod clock;
mod config;
pub mod engine;
mod exchange;
mod face;
mod faults;
mod listing;
mod paper;
pub mod sources;

pub use config::{PaperConfig, PaperKey};
pub use exchange::{OpenError, StoreError};
pub use faults::{Does, Faults, FaultsError};
pub use listing::{Fees, Listing};
pub use paper::{Paper, PaperError, bind, run};
pub use sources::{Live, LiveError, Speed};
