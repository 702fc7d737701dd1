//! The client's own rate budget: per endpoint and market, over a rolling second, with a share that only reductions and cancels may
//! use. The venue's headers correct it.

use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use portcullis_core::{Category, Class};
use portcullis_wire::path;
use tokio::sync::watch;

/// The venue counts over this span.
const WINDOW: Duration = Duration::from_secs(1);

/// One in this many requests is kept for reductions and cancels.
const RESERVE_SHARE: usize = 5;

/// How long all sessions stay quiet after the venue turned the address away (HTTP 403).
const BAN: Duration = Duration::from_secs(600);

/// Longest an endpoint rests because the venue named a time; a header cannot silence us for longer.
const REST_MAX: Duration = Duration::from_secs(10);

/// Requests of one address in [`ADDRESS_WINDOW`], of 600 that the venue allows; beyond the first figure nothing adds risk.
const ADDRESS_ADDING: usize = 450;
const ADDRESS_MAX: usize = 570;
const ADDRESS_WINDOW: Duration = Duration::from_secs(5);

/// What was sent when, and what the venue allows.
#[derive(Debug)]
pub(crate) struct Budget {
    state: Mutex<State>,
    /// Until when the address is turned away.
    banned: watch::Sender<Option<Instant>>,
}

#[derive(Debug, Default)]
struct State {
    buckets: HashMap<(&'static str, Category), Bucket>,
    /// Everything this address asked for.
    address: VecDeque<Instant>,
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
    /// When there will be more, ms of the venue's clock.
    pub(crate) reset_ms: Option<u64>,
}

/// When to ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exhausted {
    pub(crate) until: Instant,
    /// Whether the address is turned away, and not just this endpoint.
    pub(crate) banned: bool,
}

impl Budget {
    /// Takes one request's worth, or says when there is some. A command that adds risk leaves the reserve alone. While the address is
    /// turned away nothing goes out: each request would lengthen it.
    pub(crate) fn take(
        &self,
        now: Instant,
        path: &'static str,
        category: Category,
        class: Class,
    ) -> Result<(), Exhausted> {
        if let Some(until) = self.banned_until(now) {
            return Err(Exhausted { until, banned: true });
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let adding = class == Class::Adding;
        forget(&mut state.address, now, ADDRESS_WINDOW);
        let most = if adding { ADDRESS_ADDING } else { ADDRESS_MAX };
        if let Some(until) = room_at(&state.address, most, ADDRESS_WINDOW) {
            return Err(Exhausted { until, banned: false });
        }
        let bucket = bucket(&mut state, path, category);
        if let Some(until) = bucket.closed_until.filter(|until| now < *until) {
            return Err(Exhausted { until, banned: false });
        }
        bucket.closed_until = None;
        forget(&mut bucket.sent, now, WINDOW);
        let reserve = if adding { bucket.limit.div_ceil(RESERVE_SHARE) } else { 0 };
        if let Some(until) = room_at(&bucket.sent, bucket.limit.saturating_sub(reserve), WINDOW) {
            return Err(Exhausted { until, banned: false });
        }
        bucket.sent.push_back(now);
        state.address.push_back(now);
        Ok(())
    }

    /// Counts a request of a public endpoint, which only the address is limited for.
    pub(crate) fn count(&self, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        forget(&mut state.address, now, ADDRESS_WINDOW);
        state.address.push_back(now);
    }

    /// Learns from an answer.
    pub(crate) fn learn(&self, now: Instant, path: &'static str, category: Category, headers: RateHeaders) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = bucket(&mut state, path, category);
        if let Some(limit) = headers.limit.filter(|limit| (1..=10_000).contains(limit)) {
            bucket.limit = limit;
        }
        // Others of the same account use the same quota: what the venue counted and we did not, is counted now.
        let used = headers.left.map_or(0, |left| bucket.limit.saturating_sub(left));
        while bucket.sent.len() < used {
            bucket.sent.push_back(now);
        }
    }

    /// The venue said "too many" (10006): the endpoint rests until the time it names, and for a window if it names none.
    pub(crate) fn exceeded(
        &self,
        now: Instant,
        path: &'static str,
        category: Category,
        headers: RateHeaders,
        venue_ms: Option<u64>,
    ) {
        let named = headers.reset_ms.zip(venue_ms).and_then(|(reset, venue)| reset.checked_sub(venue));
        let rest = named.map_or(WINDOW, Duration::from_millis).clamp(Duration::from_millis(50), REST_MAX);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        bucket(&mut state, path, category).closed_until = now.checked_add(rest);
    }

    /// The venue turned the address away: nothing goes out for ten minutes.
    pub(crate) fn banned(&self, now: Instant) {
        self.banned.send_replace(now.checked_add(BAN));
    }

    /// Until when the address is turned away; `None` when it is not.
    pub(crate) fn banned_until(&self, now: Instant) -> Option<Instant> {
        self.banned.borrow().filter(|until| now < *until)
    }

    /// Tells when the address is turned away.
    pub(crate) fn bans(&self) -> watch::Receiver<Option<Instant>> {
        self.banned.subscribe()
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { state: Mutex::default(), banned: watch::Sender::new(None) }
    }
}

fn bucket<'s>(state: &'s mut State, path: &'static str, category: Category) -> &'s mut Bucket {
    state.buckets.entry((path, category)).or_insert_with(|| Bucket {
        limit: limit(path, category),
        sent: VecDeque::new(),
        closed_until: None,
    })
}

fn forget(sent: &mut VecDeque<Instant>, now: Instant, window: Duration) {
    while sent.front().is_some_and(|at| now.saturating_duration_since(*at) >= window) {
        sent.pop_front();
    }
}

/// When there is room for one more below `allowed`; `None` when there is now.
fn room_at(sent: &VecDeque<Instant>, allowed: usize, window: Duration) -> Option<Instant> {
    if sent.len() < allowed {
        return None;
    }
    // The request whose leaving the window makes room.
    let blocking = sent.len().saturating_sub(allowed.max(1));
    sent.get(blocking).or(sent.back()).and_then(|at| at.checked_add(window))
}

/// What an ordinary account may ask of an endpoint in a second, until a header says otherwise. Batches have a bucket of their own.
fn limit(endpoint: &str, category: Category) -> usize {
    match endpoint {
        path::CREATE
        | path::CANCEL
        | path::CANCEL_ALL
        | path::CREATE_BATCH
        | path::AMEND_BATCH
        | path::CANCEL_BATCH
            if category == Category::Spot =>
        {
            20
        }
        path::REALTIME
        | path::HISTORY
        | path::EXECUTIONS
        | path::POSITIONS
        | path::WALLET
        | path::ACCOUNT_INFO => 50,
        path::FEE_RATE => 5,
        _ => 10,
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
