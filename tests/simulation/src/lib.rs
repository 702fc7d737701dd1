//! Simulation of the gate, its journal and a venue: seeded, deterministic, with faults, against the invariants of DESIGN §5.
//!
//! The code under test is the production code: [`portcullis_gateway::Road`] over [`portcullis_core::Gate`] and
//! [`portcullis_journal::Log`]. The disk, the venue, the clock, the strategies and the operators are this crate's.

#![forbid(unsafe_code)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test: small numbers, and where the simulator itself is wrong it had better stop"
)]

mod clock;
mod disk;
mod durable;
mod exchange;
mod faults;
mod gateway;
mod network;
mod plan;
mod queue;
mod rng;
mod run;
mod serve;
mod shared;
mod shrink;
mod story;
mod strategies;
mod watch;
mod wire;
mod words;
mod world;

pub use faults::{Fault, FaultSet};
pub use plan::Sabotage;
pub use run::{Case, Outcome, Summary, run, run_many};
pub use shrink::{command, shrink};
pub use watch::Violation;
