//! A strategy's own log lines, in the host's log under a target of their own. The text is the guest's: bounded, never trusted.
//!
//! The cell bounds a line and the lines of one event; a process that was taken over does not. So what is written is bounded here
//! once more, in bytes for each minute of the gateway's own clock, because it is this machine's disk that fills up. Log lines
//! decide nothing, so a replay is the same whatever was cut.

use std::borrow::Cow;

use portcullis_core::{LogLevel, Span, StrategyName, Timestamp};

/// Bytes a strategy may write in a minute: as many as one event may, so that the loudest manifest still gets a line through.
const LOG_BYTES_PER_MINUTE: usize = 64 << 10;

const MINUTE: Span = Span::from_secs(60);

/// What one strategy has written in the minute under way.
#[derive(Debug, Default)]
pub(crate) struct GuestLog {
    since: Timestamp,
    written: usize,
    /// Bytes cut in this minute.
    cut: u64,
    /// Bytes cut since the start.
    cut_in_all: u64,
}

impl GuestLog {
    /// Writes one line, or what the minute leaves of it.
    pub(crate) fn write(&mut self, name: &StrategyName, now: Timestamp, level: LogLevel, message: &str) {
        self.turn(name, now);
        let Some(message) = self.admit(message) else { return };
        let strategy = name.as_str();
        let message = message.as_ref();
        match level {
            LogLevel::Debug => tracing::debug!(target: "strategy", strategy, message),
            LogLevel::Info => tracing::info!(target: "strategy", strategy, message),
            LogLevel::Warn => tracing::warn!(target: "strategy", strategy, message),
            LogLevel::Error => tracing::error!(target: "strategy", strategy, message),
        }
    }

    /// Bytes cut since the start.
    pub(crate) fn cut_in_all(&self) -> u64 {
        self.cut_in_all
    }

    /// Begins a new minute once the old one is over, and says what was cut in it.
    fn turn(&mut self, name: &StrategyName, now: Timestamp) {
        if now.since(self.since) < MINUTE && now >= self.since {
            return;
        }
        if self.cut > 0 {
            let (strategy, bytes) = (name.as_str(), self.cut);
            tracing::warn!(target: "strategy", strategy, bytes, "lines above {LOG_BYTES_PER_MINUTE} bytes a minute were cut");
        }
        *self = Self { since: now, written: 0, cut: 0, cut_in_all: self.cut_in_all };
    }

    /// The part of a line that still fits, on one line; what does not fit is counted.
    fn admit<'a>(&mut self, message: &'a str) -> Option<Cow<'a, str>> {
        let left = LOG_BYTES_PER_MINUTE.saturating_sub(self.written);
        let fits = message.get(..message.floor_char_boundary(left)).unwrap_or_default();
        self.written = self.written.saturating_add(fits.len());
        let cut = u64::try_from(message.len().saturating_sub(fits.len())).unwrap_or(u64::MAX);
        self.cut = self.cut.saturating_add(cut);
        self.cut_in_all = self.cut_in_all.saturating_add(cut);
        (!fits.is_empty()).then(|| on_one_line(fits))
    }
}

/// Characters that end a line, move a cursor or turn the writing direction become spaces: a strategy must not be able to write
/// lines that look like the host's.
fn on_one_line(text: &str) -> Cow<'_, str> {
    let unsightly = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if text.contains(unsightly) { text.replace(unsightly, " ").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> StrategyName {
        "test-guest".parse().unwrap()
    }

    #[test]
    fn a_minute_has_so_many_bytes_and_the_rest_is_cut_and_counted() {
        let mut log = GuestLog::default();
        let line = "x".repeat(1_000);
        let start = Timestamp(5_000_000_000_000);
        let write = |log: &mut GuestLog, now| log.write(&name(), now, LogLevel::Info, &line);
        for _ in 0..65 {
            write(&mut log, start);
        }
        assert_eq!((log.written, log.cut_in_all()), (65_000, 0));
        write(&mut log, start.after(Span::from_secs(59)));
        assert_eq!((log.written, log.cut_in_all()), (LOG_BYTES_PER_MINUTE, 464));
        for _ in 0..10 {
            write(&mut log, start.after(Span::from_secs(59)));
        }
        assert_eq!((log.written, log.cut_in_all()), (LOG_BYTES_PER_MINUTE, 10_464));
        // The next minute has its own bytes.
        write(&mut log, start.after(Span::from_secs(60)));
        assert_eq!((log.written, log.cut, log.cut_in_all()), (1_000, 0, 10_464));
    }

    #[test]
    fn a_clock_that_jumps_back_does_not_silence_a_strategy_for_ever() {
        let mut log = GuestLog::default();
        log.write(&name(), Timestamp(u64::MAX), LogLevel::Info, &"x".repeat(LOG_BYTES_PER_MINUTE));
        log.write(&name(), Timestamp(1), LogLevel::Info, "after");
        assert_eq!((log.written, log.cut_in_all()), (5, 0));
    }

    #[test]
    fn a_line_is_cut_at_the_edge_of_a_character() {
        let mut log = GuestLog { written: LOG_BYTES_PER_MINUTE - 3, ..GuestLog::default() };
        assert_eq!(log.admit("ääää").as_deref(), Some("ä"));
        assert_eq!(log.admit("ä"), None);
    }

    #[test]
    fn a_strategy_cannot_write_lines_that_look_like_the_hosts() {
        assert_eq!(
            on_one_line("fine\n2026 ERROR halted\r\u{1b}[2J\u{202e}x"),
            "fine 2026 ERROR halted  [2J x"
        );
        assert!(matches!(on_one_line("plain ä"), Cow::Borrowed(_)));
    }
}
