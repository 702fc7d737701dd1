//! The console as clients meet it: a real server on the loopback or a Unix socket, a scripted gateway behind it.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    clippy::type_complexity,
    reason = "test code"
)]

mod bounds;
mod door;
mod gates;
mod page;
mod support;
mod trading;
mod uploads;
