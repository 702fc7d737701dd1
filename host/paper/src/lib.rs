//! The paper exchange: a Bybit-V5-speaking server with a matching engine behind it.

#![forbid(unsafe_code)]

pub mod engine;
mod listing;
pub mod sources;

pub use listing::{Fees, Listing};
