//! A strategy's own log lines, in the host's log under a target of their own. The text is the guest's: bounded, never trusted.

use portcullis_core::LogLevel;

use crate::session::Session;

/// Writes one line.
pub(crate) fn write(session: Option<&Session>, level: LogLevel, message: &str) {
    let strategy = session.map_or("", |session| session.name().as_str());
    match level {
        LogLevel::Debug => tracing::debug!(target: "strategy", strategy, message),
        LogLevel::Info => tracing::info!(target: "strategy", strategy, message),
        LogLevel::Warn => tracing::warn!(target: "strategy", strategy, message),
        LogLevel::Error => tracing::error!(target: "strategy", strategy, message),
    }
}
