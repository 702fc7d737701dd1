//! A strategy fails: who is to blame, what is kept of it, and whether it comes back.

use portcullis_core::{Blame, StrategyFailure, Timestamp};

use super::Session;
use super::alarms::Alarms;
use super::phase::Phase;
use crate::budget::Verdict;
use crate::cells::{Cells, Fault};
use crate::evidence::{Evidence, FailedCall};

/// What became of a fault.
#[derive(Debug)]
pub(crate) struct Aftermath {
    /// The fault, as it is journaled.
    pub(crate) failure: StrategyFailure,
    /// What led to it, when that is worth keeping.
    pub(crate) evidence: Option<Evidence>,
    /// Whether the strategy comes back.
    pub(crate) fate: Fate,
}

/// Whether a strategy comes back after a fault.
#[derive(Debug)]
pub(crate) enum Fate {
    /// A new instance is made, at once or after a wait.
    Restarting { strikes: u32 },
    /// The strategy is down; this was the first of the faults that brought it there.
    Quarantined { first: StrategyFailure },
}

/// How a strategy has failed, and what was kept from it. Three causes, told apart: its own faults, the host's, missing data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults<'a> {
    /// Faults of its own since the session started.
    pub guest: u64,
    /// Faults of the host's since then, which it is not charged with.
    pub host: u64,
    /// Gaps in its market data since then.
    pub data_gaps: u64,
    /// Strikes that count against its budget of restarts now.
    pub strikes: u32,
    /// The failure that was the first of these strikes.
    pub first: Option<&'a StrategyFailure>,
    /// The newest failure, whoever is to blame.
    pub last: Option<&'a StrategyFailure>,
}

impl Session {
    /// How it has failed since the session started, as it stands at `now`.
    pub fn faults(&self, now: Timestamp) -> Faults<'_> {
        let (strikes, first) = self.budget.standing(now);
        Faults {
            guest: self.guest_faults,
            host: self.host_faults,
            data_gaps: self.gaps.count(),
            strikes,
            first,
            last: self.last_fault.as_ref(),
        }
    }

    /// Takes a fault: the instance is gone. The frame it failed on is skipped. With `keep`, what led to it is handed out.
    pub(crate) fn fault(
        &mut self,
        fault: Fault,
        keep: bool,
        now: Timestamp,
        cells: &mut impl Cells,
    ) -> Aftermath {
        let code = fault.code;
        let mut failure = StrategyFailure { code, detail: fault.detail.clone(), evidence: None };
        let keep = keep && !self.is_down() && self.budget.wants_evidence(code, now);
        let evidence = keep.then(|| self.evidence(fault, now));
        failure.evidence = evidence.as_ref().map(|evidence| evidence.file.clone());
        if matches!(self.phase, Phase::Replaying { .. } | Phase::Reviving) && code.blame() == Blame::Guest {
            // The recorded way back is itself broken, so the next instance starts from `init` alone.
            self.recovery.forget();
        }
        if let Phase::Busy(flight) = &self.phase {
            self.skipped = u32::try_from(flight.events.len()).unwrap_or(u32::MAX);
        }
        let count = match code.blame() {
            Blame::Guest => &mut self.guest_faults,
            Blame::Host => &mut self.host_faults,
        };
        *count = count.saturating_add(1);
        self.last_fault = Some(failure.clone());
        let fate = match self.budget.fault(&failure, now) {
            Verdict::Restart { strikes, after } => {
                self.phase = Phase::Waiting { until: now.after(after) };
                self.revive_when_due(now, cells);
                Fate::Restarting { strikes }
            }
            Verdict::Quarantine => {
                self.phase = Phase::Quarantined;
                self.inbox.clear();
                self.alarms = Alarms::default();
                cells.stop(self.id);
                Fate::Quarantined { first: self.budget.standing(now).1.unwrap_or(&failure).clone() }
            }
        };
        Aftermath { failure, evidence, fate }
    }

    /// Gaps in its data that nobody was told of yet: events dropped and interruptions of the feed. At most once a minute.
    pub(crate) fn take_data_gap(&mut self, now: Timestamp) -> Option<(u64, u64)> {
        self.gaps.take(now)
    }

    /// Everything that led to a fault, as things stand before it is dealt with.
    fn evidence(&self, fault: Fault, now: Timestamp) -> Evidence {
        let frame =
            |frame: &[u8]| FailedCall::Frame { frame: frame.to_vec(), timers: self.alarms.timers().clone() };
        let (frames, call) = match &self.phase {
            Phase::Reviving => (Vec::new(), FailedCall::Revival),
            Phase::Replaying { next } => {
                let failed = self.recovery.replay(*next).map(|recorded| frame(&recorded.frame));
                (self.recovery.frames(*next), failed.unwrap_or(FailedCall::None))
            }
            Phase::Busy(flight) => (self.recovery.frames(usize::MAX), frame(&flight.frame)),
            Phase::Snapshotting => (self.recovery.frames(usize::MAX), FailedCall::Snapshot),
            Phase::Idle => (self.recovery.frames(usize::MAX), FailedCall::None),
            Phase::Waiting { .. } | Phase::Quarantined => (Vec::new(), FailedCall::None),
        };
        Evidence {
            file: Evidence::file_name(&self.name, now, &fault),
            strategy: self.id,
            name: self.name.clone(),
            at: now,
            fault,
            snapshot: self.recovery.snapshot().cloned(),
            frames,
            call,
        }
    }
}
