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
    asked: BTreeMap<(usize, &'static str, String), VecDeque<Timestamp>>,
}

impl Quotas {
    /// Counts a request. `key` and `category` come from a closed set, so that the table stays small.
    pub(super) fn ask(&mut self, key: usize, path: &'static str, category: &str, now: Timestamp) -> Quota {
        let limit = limit(path, category);
        let asked = self.asked.entry((key, path, category.to_owned())).or_default();
        while asked.front().is_some_and(|first| now.since(*first) >= WINDOW) {
            asked.pop_front();
        }
        let exceeded = asked.len() >= limit;
        if !exceeded {
            asked.push_back(now);
        }
        let left = limit.saturating_sub(asked.len());
        // A client that was turned away sleeps until this time, so it must lie in the future.
        let reset = asked
            .front()
            .filter(|_| exceeded)
            .map_or(now, |first| first.after(WINDOW).max(now.after(Span::from_millis(1))));
        Quota { limit, left, reset, exceeded }
    }
}

/// Bybit's limits for an ordinary account.
fn limit(path: &str, category: &str) -> usize {
    match path {
        path::CREATE | path::CANCEL | path::CANCEL_ALL if category == "spot" => 20,
        path::CREATE | path::AMEND | path::CANCEL | path::CANCEL_ALL => 10,
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
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "test code")]

    use super::*;

    #[test]
    fn a_rolling_second_holds_so_many_and_the_reset_lies_ahead() {
        let mut quotas = Quotas::default();
        let at = Timestamp::from_millis;
        for (asked, left) in (0..10).zip((0_usize..10).rev()) {
            let quota = quotas.ask(0, path::CREATE, "linear", at(1_000 + asked));
            assert_eq!((quota.exceeded, quota.left, quota.reset), (false, left, at(1_000 + asked)));
        }
        let over = quotas.ask(0, path::CREATE, "linear", at(1_500));
        assert_eq!((over.exceeded, over.left, over.reset), (true, 0, at(2_000)));
        assert!(!quotas.ask(0, path::CANCEL, "linear", at(1_500)).exceeded, "each endpoint has its own");
        assert!(!quotas.ask(1, path::CREATE, "linear", at(1_500)).exceeded, "each key has its own");
        assert!(!quotas.ask(0, path::CREATE, "linear", at(2_000)).exceeded);
        assert!(quotas.ask(0, path::CREATE, "linear", at(2_000)).exceeded);
    }
}
