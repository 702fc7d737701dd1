//! The wall clock, read here and nowhere else; everything below takes `now` as a parameter.

use std::time::{SystemTime, UNIX_EPOCH};

use portcullis_core::Timestamp;

/// The time now, UTC. A clock before 1970 reads 0.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// The time now in whole seconds.
pub(crate) fn now_s() -> u64 {
    now().millis() / 1_000
}
