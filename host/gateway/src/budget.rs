//! How often a strategy may fail (DESIGN §10): three restarts, given back by a minute of good health, then quarantine.

use portcullis_core::{Blame, FaultCode, Span, StrategyFailure, Timestamp};

/// Guest faults a strategy may have before it is quarantined.
const STRIKES_MAX: u32 = 3;

/// Healthy time after which the budget of strikes is whole again.
const HEALTHY: Span = Span::from_secs(60);

/// How long each restart waits after a fault of the strategy's own. A first one may be bad luck and costs next to nothing; what fails
/// again at once is likely to fail for good.
const PAUSES: [Span; 3] = [Span(0), Span::from_millis(500), Span::from_secs(5)];

/// First wait after a fault of the host's; it doubles with each one in a row.
const BACK_OFF: Span = Span::from_millis(5);

/// Longest wait.
const BACK_OFF_MAX: Span = Span::from_secs(5);

/// The budget of one strategy.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    strikes: u32,
    /// The failure that was the first of these strikes.
    first: Option<StrategyFailure>,
    /// Healthy time since the last strike, up to `healthy_since`.
    healthy: Span,
    /// Since when it has been healthy; `None` while it is down.
    healthy_since: Option<Timestamp>,
    /// Faults of the host's in a row, which only make the next restart later.
    host_faults: u32,
}

/// What to do about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Bring it back; this was strike so many.
    Restart {
        /// Strikes now counted against the strategy.
        strikes: u32,
        /// How long to wait first.
        after: Span,
    },
    /// Too many: the strategy stays down until an operator starts it again.
    Quarantine,
}

impl Budget {
    /// The strategy knows its state and works: its health counts from here.
    pub(crate) fn recovered(&mut self, now: Timestamp) {
        self.healthy_since.get_or_insert(now);
    }

    /// Whether the evidence of a fault is worth a file. A strategy's own faults are few; of a machine's troubles, which may come for
    /// hours, the first in a row says all there is.
    pub(crate) fn wants_evidence(&self, code: FaultCode, now: Timestamp) -> bool {
        code.blame() == Blame::Guest || self.host_faults == 0 || self.stretch(now) >= HEALTHY
    }

    /// Counts a fault. The host's faults cost the strategy nothing but time.
    pub(crate) fn fault(&mut self, failure: &StrategyFailure, now: Timestamp) -> Verdict {
        let stretch = self.stretch(now);
        self.healthy_since = None;
        self.healthy = Span(self.healthy.0.saturating_add(stretch.0));
        if stretch >= HEALTHY {
            self.host_faults = 0;
        }
        if self.healthy >= HEALTHY {
            self.strikes = 0;
            self.first = None;
        }
        match failure.code.blame() {
            Blame::Host => {
                self.host_faults = self.host_faults.saturating_add(1);
                let wait = BACK_OFF.0.saturating_mul(1 << self.host_faults.min(10)).min(BACK_OFF_MAX.0);
                Verdict::Restart { strikes: self.strikes, after: Span(wait) }
            }
            Blame::Guest => {
                self.healthy = Span(0);
                let pause = usize::try_from(self.strikes).ok().and_then(|strike| PAUSES.get(strike));
                self.strikes = self.strikes.saturating_add(1);
                self.first.get_or_insert_with(|| failure.clone());
                match pause {
                    Some(after) if self.strikes <= STRIKES_MAX => {
                        Verdict::Restart { strikes: self.strikes, after: *after }
                    }
                    Some(_) | None => Verdict::Quarantine,
                }
            }
        }
    }

    /// Strikes that count now, and the failure that was the first of them.
    pub(crate) fn standing(&self, now: Timestamp) -> (u32, Option<&StrategyFailure>) {
        let healthy = self.healthy.0.saturating_add(self.stretch(now).0);
        let quarantined = self.strikes > STRIKES_MAX;
        if healthy >= HEALTHY.0 && !quarantined { (0, None) } else { (self.strikes, self.first.as_ref()) }
    }

    /// How long it has been healthy without a break.
    fn stretch(&self, now: Timestamp) -> Span {
        self.healthy_since.map_or(Span(0), |since| now.since(since))
    }
}
