//! From a market event to an order and back. [`Road`] is the one way from an intent to a request; [`Pipeline`] drives it live, and the
//! lab drives it in virtual time.
//!
//! Start with `pipeline.rs`, then `road.rs`. [`Venue`] and [`Cells`] are what they need from the world; [`Clock`] is where they get
//! the time from.

#![forbid(unsafe_code)]
#![deny(clippy::float_arithmetic)]

mod batch;
mod budget;
mod cells;
mod clock;
mod data_gaps;
mod deployment;
mod event;
mod evidence;
mod guest_log;
mod inbox;
mod metrics;
mod pack;
mod pipeline;
mod recovery;
mod resync;
mod road;
mod session;
mod step;
mod venue;

pub use cells::{CellEvent, Cells, Fault, Snapshot, Trace};
pub use clock::Clock;
pub use deployment::Deployment;
pub use event::{Event, EventBody, GapCause, Stream};
pub use evidence::{Evidence, FailedCall, Recorded};
pub use metrics::Metrics;
pub use pack::Packer;
pub use pipeline::Pipeline;
pub use resync::events as resync_events;
pub use road::Road;
pub use session::{Faults, Session};
pub use step::Step;
pub use venue::{Venue, VenueEvent};
