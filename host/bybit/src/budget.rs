//! The client's own rate budget: per endpoint and market, over a rolling second, with a share that only reductions and cancels may
//! use. The venue's headers correct it.

use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use portcullis_core::{Category, Class};

/// The venue counts over this span.
const WINDOW: Duration = Duration::from_secs(1);

/// Requests per window and endpoint of an ordinary account, until a header says otherwise.
const DEFAULT_LIMIT: usize = 10;

/// One in this many requests is kept for reductions and cancels.
const RESERVE_SHARE: usize = 5;

/// How long all sessions stay quiet after the venue turned the address away (HTTP 403).
const BAN: Duration = Duration::from_secs(600);

/// What was sent when, and what the venue allows.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    buckets: HashMap<(&'static str, Category), Bucket>,
    banned_until: Option<Instant>,
}

#[derive(Debug)]
struct Bucket {
    limit: usize,
    sent: VecDeque<Instant>,
    closed_until: Option<Instant>,
}

/// The headers of an answer that concern the rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RateHeaders {
    /// Requests allowed per window.
    pub(crate) limit: Option<usize>,
    /// Requests left.
    pub(crate) left: Option<usize>,
}

/// When to ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exhausted {
    pub(crate) until: Instant,
}

impl Budget {
    /// Takes one request's worth, or says when there is some. A command that adds risk leaves the reserve alone.
    pub(crate) fn take(
        &self,
        now: Instant,
        path: &'static str,
        category: Category,
        class: Class,
    ) -> Result<(), Exhausted> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let adding = class == Class::Adding;
        if let Some(until) = state.banned_until.filter(|until| adding && now < *until) {
            return Err(Exhausted { until });
        }
        let bucket = state.buckets.entry((path, category)).or_default();
        if let Some(until) = bucket.closed_until.filter(|until| now < *until) {
            return Err(Exhausted { until });
        }
        bucket.closed_until = None;
        while bucket.sent.front().is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW) {
            bucket.sent.pop_front();
        }
        let reserve = if adding { bucket.limit.div_ceil(RESERVE_SHARE) } else { 0 };
        let allowed = bucket.limit.saturating_sub(reserve);
        if bucket.sent.len() >= allowed {
            // The request whose leaving the window makes room.
            let blocking = bucket.sent.len().saturating_sub(allowed.max(1));
            let until = bucket.sent.get(blocking).map_or(now, |at| *at);
            return Err(Exhausted { until: until.checked_add(WINDOW).unwrap_or(now) });
        }
        bucket.sent.push_back(now);
        Ok(())
    }

    /// Learns from an answer.
    pub(crate) fn learn(&self, now: Instant, path: &'static str, category: Category, headers: RateHeaders) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = state.buckets.entry((path, category)).or_default();
        if let Some(limit) = headers.limit.filter(|limit| (1..=10_000).contains(limit)) {
            bucket.limit = limit;
        }
        // Others of the same account use the same quota: what the venue counted and we did not, is counted now.
        let used = headers.left.map_or(0, |left| bucket.limit.saturating_sub(left));
        while bucket.sent.len() < used {
            bucket.sent.push_back(now);
        }
    }

    /// The venue said "too many" (10006): the endpoint rests for a window.
    pub(crate) fn exceeded(&self, now: Instant, path: &'static str, category: Category) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.buckets.entry((path, category)).or_default().closed_until = now.checked_add(WINDOW);
    }

    /// The venue turned the address away: nothing that adds risk and no query goes out for ten minutes.
    pub(crate) fn banned(&self, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.banned_until = now.checked_add(BAN);
    }

    /// Whether the address is turned away.
    pub(crate) fn is_banned(&self, now: Instant) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.banned_until.is_some_and(|until| now < until)
    }
}

impl Default for Bucket {
    fn default() -> Self {
        Self { limit: DEFAULT_LIMIT, sent: VecDeque::new(), closed_until: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: &str = "/v5/order/create";

    fn taken(budget: &Budget, now: Instant, class: Class) -> usize {
        (0..100).take_while(|_| budget.take(now, CREATE, Category::Linear, class).is_ok()).count()
    }

    #[test]
    fn entries_leave_a_share_for_reductions() {
        let (budget, now) = (Budget::default(), Instant::now());
        assert_eq!(taken(&budget, now, Class::Adding), 8);
        assert_eq!(taken(&budget, now, Class::Reducing), 2);
        assert!(budget.take(now, CREATE, Category::Spot, Class::Adding).is_ok());
    }

    #[test]
    fn the_window_rolls() {
        let (budget, now) = (Budget::default(), Instant::now());
        assert_eq!(taken(&budget, now, Class::Cancel), 10);
        let Exhausted { until } = budget.take(now, CREATE, Category::Linear, Class::Cancel).unwrap_err();
        assert_eq!(until, now + WINDOW);
        assert_eq!(taken(&budget, until, Class::Cancel), 10);
    }

    #[test]
    fn headers_correct_the_limit() {
        let (budget, now) = (Budget::default(), Instant::now());
        assert!(budget.take(now, CREATE, Category::Linear, Class::Cancel).is_ok());
        // Twenty allowed, and somebody else used four of them.
        budget.learn(now, CREATE, Category::Linear, RateHeaders { limit: Some(20), left: Some(15) });
        assert_eq!(taken(&budget, now, Class::Cancel), 15);
        let later = now + WINDOW;
        budget.exceeded(later, CREATE, Category::Linear);
        assert_eq!(taken(&budget, later, Class::Cancel), 0);
        assert_eq!(taken(&budget, later + WINDOW, Class::Cancel), 20);
    }

    #[test]
    fn a_ban_stops_entries_but_not_cancels() {
        let (budget, now) = (Budget::default(), Instant::now());
        budget.banned(now);
        assert_eq!((taken(&budget, now, Class::Adding), taken(&budget, now, Class::Cancel)), (0, 10));
        assert!(budget.is_banned(now) && !budget.is_banned(now + BAN));
    }
}
