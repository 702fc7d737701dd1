//! Request quotas: per key, endpoint and category, over a rolling second.

use std::collections::{BTreeMap, VecDeque};

use portcullis_core::{Span, Timestamp};
use portcullis_wire::path;

/// The window a quota counts over.
const WINDOW: Span = Span::from_secs(1);

/// What the `X-Bapi` headers of a reply say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    /// Requests a second.
    pub(super) limit: usize,
    /// How many are left now.
    pub(super) left: usize,
    /// When there will be more: now, unless none is left.
    pub(super) reset: Timestamp,
    /// Whether this request was one too many.
    pub(super) exceeded: bool,
}

/// Who asked for what and when.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    asked: BTreeMap<(usize, &'static str, &'static str), VecDeque<Timestamp>>,
}

impl Quotas {
    /// Counts a request, or the items of a batch, of which as many go through as there is room for: their number comes second.
    /// `key`, `path` and `category` come from closed sets, so that the table stays small.
    pub(super) fn ask(
        &mut self,
        key: usize,
        path: &'static str,
        category: &'static str,
        wanted: usize,
        now: Timestamp,
    ) -> (Quota, usize) {
        let limit = limit(path, category);
        let asked = self.asked.entry((key, path, category)).or_default();
        while asked.front().is_some_and(|first| now.since(*first) >= WINDOW) {
            asked.pop_front();
        }
        let granted = wanted.min(limit.saturating_sub(asked.len()));
        asked.extend(std::iter::repeat_n(now, granted));
        let left = limit.saturating_sub(asked.len());
        // A client that was turned away sleeps until this time, so it must lie in the future.
        let exceeded = granted < wanted;
        let reset = asked
            .front()
            .filter(|_| exceeded)
            .map_or(now, |first| first.after(WINDOW).max(now.after(Span::from_millis(1))));
        (Quota { limit, left, reset, exceeded }, granted)
    }
}

/// Bybit's limits for an ordinary account.
fn limit(path: &str, category: &str) -> usize {
    match (path, category) {
        (
            path::CREATE
            | path::CANCEL
            | path::CANCEL_ALL
            | path::CREATE_BATCH
            | path::AMEND_BATCH
            | path::CANCEL_BATCH
            | path::PRE_CHECK,
            "spot",
        ) => 20,
        (path::CANCEL_ALL, "option") => 1,
        (
            path::REALTIME
            | path::HISTORY
            | path::EXECUTIONS
            | path::POSITIONS
            | path::CLOSED_PNL
            | path::WALLET
            | path::ACCOUNT_INFO,
            _,
        ) => 50,
        (path::TRANSACTION_LOG, _) => 25,
        (
            path::FEE_RATE
            | path::DCP_INFO
            | path::SMP_GROUP
            | path::SET_MARGIN_MODE
            | path::DISCONNECT_CANCEL
            | path::COINS,
            _,
        ) => 5,
        _ => 10,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "test code")]

    use super::*;

    #[test]
    fn a_rolling_second_holds_so_many_and_the_reset_lies_ahead() {
        let mut quotas = Quotas::default();
        let at = Timestamp::from_millis;
        let mut ask = |key, path, time| quotas.ask(key, path, "linear", 1, at(time)).0;
        for (asked, left) in (0..10).zip((0_usize..10).rev()) {
            let quota = ask(0, path::CREATE, 1_000 + asked);
            assert_eq!((quota.exceeded, quota.left, quota.reset), (false, left, at(1_000 + asked)));
        }
        let over = ask(0, path::CREATE, 1_500);
        assert_eq!((over.exceeded, over.left, over.reset), (true, 0, at(2_000)));
        assert!(!ask(0, path::CANCEL, 1_500).exceeded, "each endpoint has its own");
        assert!(!ask(0, path::CREATE_BATCH, 1_500).exceeded, "batches have their own");
        assert!(!ask(1, path::CREATE, 1_500).exceeded, "each key has its own");
        assert!(!ask(0, path::CREATE, 2_000).exceeded);
        assert!(ask(0, path::CREATE, 2_000).exceeded);
    }

    #[test]
    fn of_a_batch_goes_through_what_there_is_room_for() {
        let mut quotas = Quotas::default();
        let now = Timestamp::from_millis(1_000);
        let (quota, granted) = quotas.ask(0, path::CREATE_BATCH, "linear", 7, now);
        assert_eq!((granted, quota.left, quota.exceeded), (7, 3, false));
        let (quota, granted) = quotas.ask(0, path::CREATE_BATCH, "linear", 7, now);
        assert_eq!((granted, quota.left, quota.exceeded), (3, 0, true));
        let (quota, granted) = quotas.ask(0, path::CREATE_BATCH, "spot", 12, now);
        assert_eq!((granted, quota.limit), (12, 20));
    }
}
