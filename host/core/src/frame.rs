//! Frames: what one call gives a strategy, packed as `wit/frame.md` says, and the check of what it returned.
//!
//! `wit/v0.1/golden/` pins the bytes and the stop rule for the host and every SDK.

mod builder;
mod course;
mod error;
mod layout;
mod market;
mod marks;
mod own;
mod record;
mod stop;
mod timers;

pub use builder::{FrameBuilder, RecordMark, TimerEffect};
pub use error::{FrameError, ProtocolFault};
pub use layout::{BYTES_MAX, NO_INSTRUMENT, RECORDS_MAX, SIGNAL_BYTES_MAX};
pub use marks::frame_marks;
pub use record::{
    BudgetRecord, FillRecord, OwnOrderRecord, OwnOrderStatus, PositionRecord, RefusalRecord, RefusedAction,
};
pub use stop::{ACTIONS_PER_EVENT_MAX, ACTIONS_PER_FRAME_MAX, check_outcome};
pub use timers::{TIMERS_MAX, Timers};
