//! Inhibits clear by themselves; one that lasts, or comes back too often, is no passing condition any more (RULES G6).

use crate::{Inhibit, OrderId, Origin, Scope, Span, StateCause, Timestamp, TradingState};

use super::desk::Unsigned;
use super::halt::is_entry;
use super::turn::Turn;

/// The time in which recurrences are counted.
const HOUR: Span = Span::from_secs(3_600);

/// Longest pause between attempts that nobody signs, in seconds.
const UNSIGNED_PAUSE_MAX_S: u64 = 30;

impl Turn<'_> {
    /// Latches what lasts or recurs, and takes entries away that nobody can see any more.
    pub(super) fn check_inhibits(&mut self) {
        let Some(limits) = self.state.limits() else { return };
        let (lasts_max, recurs_max) = (limits.account.inhibit_max, limits.account.inhibits_per_hour_max);
        let disconnect_max = limits.account.disconnect_max;
        let now = self.now;
        // A rate budget that is used up is no fault.
        let lasting = self
            .desk
            .holding
            .iter()
            .find(|(inhibit, since)| **inhibit != Inhibit::RateBudget && now.since(**since) > lasts_max)
            .map(|(inhibit, _)| *inhibit);
        if let Some(inhibit) = lasting {
            let detail = format!("{} for more than {} s", inhibit.as_str(), lasts_max.0 / 1_000_000_000);
            self.raise(Scope::Account, TradingState::ReduceOnly, StateCause::InhibitLasted, detail);
        }
        let mut recurring = None;
        for (inhibit, times) in &mut self.desk.recurrences {
            while times.front().is_some_and(|at| now.since(*at) > HOUR) {
                times.pop_front();
            }
            let count = u64::try_from(times.len()).unwrap_or(u64::MAX);
            if count > recurs_max {
                recurring = Some((*inhibit, count));
                times.clear();
            }
        }
        if let Some((inhibit, count)) = recurring {
            let detail =
                format!("{} came back {count} times in an hour, limit {recurs_max}", inhibit.as_str());
            self.raise(Scope::Account, TradingState::ReduceOnly, StateCause::InhibitRecurred, detail);
        }
        self.check_disconnect(disconnect_max);
    }

    /// Whether halts, closings and stops may be tried now: always while the signer is there.
    pub(super) fn is_signable(&self) -> bool {
        !self.desk.holding.contains_key(&Inhibit::Signer) || self.now >= self.desk.unsigned.next
    }

    /// After an attempt of everything without a signer: the next one after a pause that doubles.
    pub(super) fn put_off_unsigned(&mut self) {
        if self.desk.holding.contains_key(&Inhibit::Signer) && self.is_signable() {
            let unsigned = &mut self.desk.unsigned;
            let pause = 1_u64.checked_shl(unsigned.times).unwrap_or(UNSIGNED_PAUSE_MAX_S);
            unsigned.times = unsigned.times.saturating_add(1);
            unsigned.next = self.now.after(Span::from_secs(pause.min(UNSIGNED_PAUSE_MAX_S)));
        }
    }

    /// The signer is back: what waited for a signature goes out at once.
    pub(super) fn hurry_unsigned(&mut self) {
        self.desk.unsigned = Unsigned::default();
        for halt in self.desk.halts.values_mut() {
            if !halt.confirmed {
                // Its time to be proven counts from here on: before, nobody could ask for anything.
                halt.since = self.now;
                halt.sent_at = Timestamp::default();
            }
        }
        for stop in self.desk.stops.values_mut() {
            stop.hurry();
        }
        self.hurry_cancels();
        self.pursue_halts();
        self.pursue_protection();
    }

    /// Entries that nobody can follow are taken away, once for each time a stream is down too long (row 28).
    fn check_disconnect(&mut self, bound: Span) {
        let down = [Inhibit::PublicFeed, Inhibit::PrivateStream]
            .into_iter()
            .filter_map(|inhibit| self.desk.holding.get(&inhibit))
            .any(|since| self.now.since(*since) > bound);
        if !down {
            self.desk.disconnected = false;
            return;
        }
        if std::mem::replace(&mut self.desk.disconnected, true) {
            return;
        }
        let entries: Vec<OrderId> =
            self.state.orders().open().filter(|order| is_entry(order)).map(|order| order.id).collect();
        for id in entries {
            self.cancel(id, Origin::Disconnected, None, &[]);
        }
    }
}
