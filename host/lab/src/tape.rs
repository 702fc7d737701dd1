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
    /// Made as they are needed, a window at a time.
    Made { rest: Box<dyn Refill + 'd>, buffer: Vec<MarketEvent>, at: usize },
}

impl<'d> Tape<'d> {
    pub(crate) fn recorded(events: &'d [MarketEvent]) -> Self {
        Self { source: Source::Recorded { events, at: 0 } }
    }

    pub(crate) fn made(events: impl Iterator<Item = MarketEvent> + 'd) -> Self {
        Self { source: Source::Made { rest: Box::new(Chunks(events)), buffer: Vec::new(), at: 0 } }
    }

    /// The next events: at least one and at most [`WINDOW`], none only at the end.
    pub(crate) fn ahead(&mut self) -> &[MarketEvent] {
        match &mut self.source {
            Source::Recorded { events, at } => {
                let end = at.saturating_add(WINDOW).min(events.len());
                events.get(*at..end).unwrap_or_default()
            }
            Source::Made { rest, buffer, at } => {
                if *at >= buffer.len() {
                    *at = 0;
                    rest.refill(buffer);
                }
                buffer.get(*at..).unwrap_or_default()
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

/// Makes a window's worth of events at a time, so that the choice of their maker costs nothing per event.
trait Refill {
    /// Replaces what is in the buffer by the next events.
    fn refill(&mut self, buffer: &mut Vec<MarketEvent>);
}

struct Chunks<I>(I);

impl<I: Iterator<Item = MarketEvent>> Refill for Chunks<I> {
    fn refill(&mut self, buffer: &mut Vec<MarketEvent>) {
        buffer.clear();
        buffer.extend(self.0.by_ref().take(WINDOW));
    }
}
