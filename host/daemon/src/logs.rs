//! Structured logs on stderr: text on a terminal, JSON lines otherwise.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::cli::Command;

/// Starts logging. `PORTCULLIS_LOG` overrides the filter, for example `debug` or `portcullis_bybit=trace`.
pub(crate) fn start(command: &Command) {
    let default = if command.is_role() { "info" } else { "warn" };
    let filter = EnvFilter::builder()
        .with_env_var("PORTCULLIS_LOG")
        .try_from_env()
        .unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.with_target(false).init();
    } else {
        builder.json().flatten_event(true).init();
    }
}
