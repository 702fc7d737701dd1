//! The one place of this crate that reads a clock. Everything else takes a [`Clock`].

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_core::Timestamp;

/// Where "now" comes from.
pub type Clock = fn() -> Timestamp;

/// The machine's clock; the epoch itself when the clock stands before it.
#[expect(clippy::disallowed_methods, reason = "the edge where time enters")]
pub fn system_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
