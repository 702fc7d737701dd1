//! The limit of the door: requests of all kinds and keys from one address. Whoever breaks it is shut out for a while, whatever
//! he asks for. The paper exchange serves one machine, so it counts one address.

use std::collections::VecDeque;

use portcullis_core::{Span, Timestamp};

/// Requests that fit in the window.
const MOST: usize = 600;
/// The window.
const WINDOW: Span = Span::from_secs(5);
/// How long nobody is let in after a breach.
const PAUSE: Span = Span::from_secs(600);

/// Who came lately.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    came: VecDeque<Timestamp>,
    shut_until: Timestamp,
}

impl Crowd {
    /// Counts a request and says whether it may come in.
    pub(super) fn admits(&mut self, now: Timestamp) -> bool {
        if now < self.shut_until {
            return false;
        }
        while self.came.front().is_some_and(|first| now.since(*first) >= WINDOW) {
            self.came.pop_front();
        }
        if self.came.len() >= MOST {
            self.shut_until = now.after(PAUSE);
            self.came.clear();
            return false;
        }
        self.came.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "test code")]

    use super::*;

    #[test]
    fn a_breach_shuts_the_door_for_ten_minutes() {
        let mut crowd = Crowd::default();
        let at = Timestamp::from_millis;
        assert!((0..600).all(|n| crowd.admits(at(1_000 + n))));
        assert!(crowd.admits(at(6_000)), "the first has left the window");
        assert!(!crowd.admits(at(6_000)));
        assert!(!crowd.admits(at(605_999)));
        assert!(crowd.admits(at(606_000)));
    }
}
