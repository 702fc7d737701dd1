//! How long things take between strategy and venue (RULES T2).

use portcullis_core::Span;

/// Constant delays. The lookahead L of a run is their sum: nothing an action causes is seen earlier after its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    /// From a decision to the venue.
    pub entry: Span,
    /// From the venue to the strategy.
    pub report: Span,
}

impl Latency {
    /// A lookahead L split evenly over both ways.
    #[must_use]
    pub const fn round_trip(lookahead: Span) -> Self {
        let entry = lookahead.0 / 2;
        Self { entry: Span(entry), report: Span(lookahead.0.saturating_sub(entry)) }
    }

    /// L.
    #[must_use]
    pub const fn lookahead(self) -> Span {
        Span(self.entry.0.saturating_add(self.report.0))
    }
}
