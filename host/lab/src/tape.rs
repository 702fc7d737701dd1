//! The market events of a run, read as they are needed.

use portcullis_core::MarketEvent;

/// Events in sight at once; a frame holds no more.
pub(crate) const WINDOW: usize = 4_096;

/// A window over the events, moving forward.
pub(crate) struct Tape<'d> {
    source: Source<'d>,
}

/// Where events come from.
enum Source<'d> {
    /// Recorded: all of them lie in memory, and the window is a place in them.
    Recorded { events: &'d [MarketEvent], at: usize },
    /// Made as they are needed, into a buffer of which the window is a part.
    Made { rest: Box<dyn Iterator<Item = MarketEvent> + 'd>, buffer: Vec<MarketEvent>, at: usize },
}

impl<'d> Tape<'d> {
    pub(crate) fn recorded(events: &'d [MarketEvent]) -> Self {
        Self { source: Source::Recorded { events, at: 0 } }
    }

    pub(crate) fn made(events: impl Iterator<Item = MarketEvent> + 'd) -> Self {
        let buffer = Vec::with_capacity(WINDOW.saturating_mul(2));
        Self { source: Source::Made { rest: Box::new(events), buffer, at: 0 } }
    }

    /// The next events: [`WINDOW`] of them as long as there are so many.
    pub(crate) fn ahead(&mut self) -> &[MarketEvent] {
        match &mut self.source {
            Source::Recorded { events, at } => {
                let end = at.saturating_add(WINDOW).min(events.len());
                events.get(*at..end).unwrap_or_default()
            }
            Source::Made { rest, buffer, at } => {
                if buffer.len().saturating_sub(*at) < WINDOW {
                    buffer.drain(..*at);
                    *at = 0;
                    let room = WINDOW.saturating_mul(2).saturating_sub(buffer.len());
                    buffer.extend(rest.by_ref().take(room));
                }
                let end = at.saturating_add(WINDOW).min(buffer.len());
                buffer.get(*at..end).unwrap_or_default()
            }
        }
    }

    /// Moves on by `count` events, which must be in sight.
    pub(crate) fn skip(&mut self, count: usize) {
        match &mut self.source {
            Source::Recorded { at, .. } | Source::Made { at, .. } => *at = at.saturating_add(count),
        }
    }
}

impl core::fmt::Debug for Tape<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Tape(..)")
    }
}
