//! The sentinel's decisions: when entries are to be cancelled, and when that is done. Pure; time is a parameter.

use std::time::{Duration, Instant};

use portcullis_core::Category;
use portcullis_role::{Lease, OwedHalt, SentinelStatus};
use serde::{Deserialize, Serialize};

/// How long the lease of a gateway that ends in order lasts: enough to start the next one.
const RESTART: Duration = Duration::from_secs(60);

/// Between two rounds of cancels while anything may be left.
const REPEAT: Duration = Duration::from_secs(2);

/// Nothing may be left for this long before it counts: an order under way is taken by the venue until its window of five seconds
/// is over.
const CLEAN_FOR: Duration = Duration::from_secs(10);

/// Whom the sentinel watches over, and what it still has to do.
#[derive(Debug)]
pub(crate) struct Watch {
    term: Duration,
    held: Option<Held>,
    owed: Option<OwedHalt>,
    /// Whether the halt that is owed still has entries to cancel.
    halting: bool,
    clean_since: Option<Instant>,
    next_round: Option<Instant>,
    last: LastRound,
}

/// What the last round found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum LastRound {
    None,
    Left(u64),
    Failed(String),
}

#[derive(Debug)]
struct Held {
    lease: Lease,
    renewed: Instant,
    until: Instant,
}

/// What the sentinel remembers over a restart of its own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    /// The lease it held.
    pub(crate) lease: Option<Lease>,
    /// The halt it owes.
    pub(crate) owed: Option<OwedHalt>,
}

impl Watch {
    /// A watch that goes on where an earlier one was: a lease is given one more term.
    pub(crate) fn new(term: Duration, memory: Memory, now: Instant) -> Self {
        let held = memory.lease.map(|lease| Held { lease, renewed: now, until: later(now, term) });
        Self {
            term,
            held,
            halting: memory.owed.is_some(),
            owed: memory.owed,
            clean_since: None,
            next_round: None,
            last: LastRound::None,
        }
    }

    /// The gateway lives. Returns the halt that it is to take.
    pub(crate) fn renew(&mut self, lease: Lease, now: Instant) -> Option<OwedHalt> {
        if lease.halted {
            self.owed = None;
            self.halting = false;
        }
        let term = if lease.leaving { RESTART } else { self.term };
        self.held = Some(Held { lease, renewed: now, until: later(now, term) });
        if !self.halting {
            self.clean_since = None;
            self.next_round = None;
        }
        self.owed.clone()
    }

    /// An operator halts past the gateway.
    pub(crate) fn halt(&mut self, owed: OwedHalt, now: Instant) {
        self.owed = Some(owed);
        self.halting = true;
        self.clean_since = None;
        self.next_round = Some(now);
    }

    /// The markets in which entries are to be cancelled now; `None` while there is nothing to do.
    pub(crate) fn duty(&self, now: Instant) -> Option<Vec<Category>> {
        let due = self.next_round.is_none_or(|next| now >= next);
        let lapsed = self.held.as_ref().is_some_and(|held| now >= held.until);
        let named = self.held.as_ref().map(|held| &held.lease.markets).filter(|markets| !markets.is_empty());
        // Where nobody said in which markets, in all.
        let markets = || named.cloned().unwrap_or_else(|| vec![Category::Linear, Category::Spot]);
        (due && (lapsed || self.halting)).then(markets)
    }

    /// What a round of cancels found left, or why it is not known to have worked.
    pub(crate) fn round(&mut self, found: Result<u64, String>, now: Instant) {
        self.next_round = Some(later(now, REPEAT));
        let clean = found == Ok(0);
        self.last = found.map_or_else(LastRound::Failed, LastRound::Left);
        if !clean {
            self.clean_since = None;
            return;
        }
        let since = *self.clean_since.get_or_insert(now);
        if now.saturating_duration_since(since) < CLEAN_FOR {
            return;
        }
        // What comes into the account from here on is not the gateway's.
        self.held.take_if(|held| now >= held.until);
        // A gateway that lives and has not taken the halt may still send entries.
        self.halting &= self.held.is_some();
    }

    /// What to remember.
    pub(crate) fn memory(&self) -> Memory {
        Memory { lease: self.held.as_ref().map(|held| held.lease.clone()), owed: self.owed.clone() }
    }

    /// How it stands, for operators.
    pub(crate) fn status(&self, now: Instant) -> SentinelStatus {
        let lapsed = self.held.as_ref().is_some_and(|held| now >= held.until);
        let state = match (&self.held, lapsed || self.halting) {
            (_, true) => "cancelling",
            (Some(_), false) => "holding",
            (None, false) if self.last == LastRound::Left(0) => "cancelled",
            (None, false) => "waiting",
        };
        let since = |held: &Held| now.saturating_duration_since(held.renewed).as_millis();
        SentinelStatus {
            state: state.to_owned(),
            renewed_ms: self.held.as_ref().map(|held| u64::try_from(since(held)).unwrap_or(u64::MAX)),
            halt_owed: self.owed.is_some(),
            entries_left: if let LastRound::Left(left) = self.last { Some(left) } else { None },
            trouble: if let LastRound::Failed(why) = &self.last { why.clone() } else { String::new() },
        }
    }
}

fn later(now: Instant, by: Duration) -> Instant {
    now.checked_add(by).unwrap_or(now)
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
