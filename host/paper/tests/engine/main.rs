//! The matching engine against recorded liquidity: terms of orders, queues, protection, margin, funding, spot and hedge mode.
#![allow(
    clippy::wildcard_enum_match_arm,
    missing_docs,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod bench;
mod exits;
mod hedge;
mod margin;
mod orders;
mod spot;
