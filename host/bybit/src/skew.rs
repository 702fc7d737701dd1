//! The difference between our clock and the venue's, from every answer that names a time (RULES S2: the window is never widened).
//!
//! An answer proves bounds: the venue read its clock after the question left and before the answer came. Beyond the bounds nothing
//! is guessed, so a slow answer can neither trip nor clear anything by itself.

use core::fmt;
use core::time::Duration;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use portcullis_core::Timestamp;

use crate::clock::ClockSample;

/// Above this nothing that adds risk is sent; the gate holds it against the same number.
const LIMIT_MS: i64 = 500;

/// An answer that took longer than this says too little to be taken by its middle.
const ROUND_TRIP_MAX_MS: i64 = 400;

/// How often a difference that did not cross the bound is told.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Without a measurement for this long the difference is not known.
const UNKNOWN_AFTER: Duration = Duration::from_secs(60);

/// Measures all the time, and tells what matters.
pub(crate) struct SkewGauge {
    state: Mutex<State>,
    tell: Box<dyn Fn(i64) + Send + Sync>,
}

#[derive(Debug)]
struct State {
    measured: Instant,
    told: Option<(i64, Instant)>,
}

impl SkewGauge {
    /// A gauge that hands what is worth telling to `tell`: ours minus the venue's in milliseconds.
    pub(crate) fn new(tell: impl Fn(i64) + Send + Sync + 'static) -> Self {
        Self { state: Mutex::new(State { measured: Instant::now(), told: None }), tell: Box::new(tell) }
    }

    /// Takes in one answer's time.
    pub(crate) fn hear(&self, sample: ClockSample) {
        if let Some(millis) = judged(sample) {
            self.measured(millis, Instant::now());
        }
    }

    /// Takes in the two times that a refusal for the clock names (code 10002). `received` is now.
    pub(crate) fn hear_refusal(&self, words: &str, received: Timestamp) {
        let number = |name: &str| words.split_once(name)?.1.split_once(']')?.0.parse::<u64>().ok();
        let (Some(sent), Some(venue)) = (number("req_timestamp["), number("server_timestamp[")) else {
            return;
        };
        let (sent, venue) = (Timestamp::from_millis(sent), Timestamp::from_millis(venue));
        self.hear(ClockSample { sent, received, venue });
    }

    /// Says that nothing is known when nothing was measured for a minute.
    pub(crate) fn check(&self) {
        let now = Instant::now();
        let measured = self.with(|state| state.measured);
        if now.saturating_duration_since(measured) > UNKNOWN_AFTER {
            self.say(i64::MAX, now);
        }
    }

    fn measured(&self, millis: i64, now: Instant) {
        let due = self.with(|state| {
            state.measured = now;
            state.told.is_none_or(|(told, at)| {
                is_beyond(told) != is_beyond(millis) || now.saturating_duration_since(at) >= TELL_EVERY
            })
        });
        if due {
            self.say(millis, now);
        }
    }

    fn say(&self, millis: i64, now: Instant) {
        self.with(|state| state.told = Some((millis, now)));
        (self.tell)(millis);
    }

    fn with<T>(&self, body: impl FnOnce(&mut State) -> T) -> T {
        body(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for SkewGauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkewGauge").field("state", &self.state).finish_non_exhaustive()
    }
}

fn is_beyond(millis: i64) -> bool {
    millis.unsigned_abs() > LIMIT_MS.unsigned_abs()
}

/// The difference, where the answer proves on which side of the bound it is, or came fast enough to be taken by its middle.
fn judged(sample: ClockSample) -> Option<i64> {
    let millis = |at: Timestamp| i64::try_from(at.millis()).ok();
    let (sent, received, venue) = (millis(sample.sent)?, millis(sample.received)?, millis(sample.venue)?);
    let (least, most) = (sent.checked_sub(venue)?, received.checked_sub(venue)?);
    if least > LIMIT_MS {
        return Some(least);
    }
    if most < LIMIT_MS.saturating_neg() {
        return Some(most);
    }
    let is_inside = least >= LIMIT_MS.saturating_neg() && most <= LIMIT_MS;
    let is_fast = received.saturating_sub(sent) <= ROUND_TRIP_MAX_MS;
    (is_inside || is_fast).then(|| sample.skew_ms())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn gauge() -> (SkewGauge, Arc<Mutex<Vec<i64>>>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&told);
        (SkewGauge::new(move |millis| into.lock().unwrap().push(millis)), told)
    }

    fn sample(sent: u64, received: u64, venue: u64) -> ClockSample {
        let at = Timestamp::from_millis;
        ClockSample { sent: at(sent), received: at(received), venue: at(venue) }
    }

    #[test]
    fn a_slow_answer_proves_only_what_it_must() {
        assert_eq!(
            judged(sample(10_000, 13_000, 10_100)),
            None,
            "somewhere between 0.1 s behind and 2.9 s ahead"
        );
        assert_eq!(judged(sample(10_000, 13_000, 9_400)), Some(600), "ahead even when the question left");
        assert_eq!(judged(sample(10_000, 13_000, 13_700)), Some(-700), "behind even when the answer came");
        assert_eq!(
            judged(sample(10_000, 10_900, 10_450)),
            Some(0),
            "slow, and inside whatever happened on the way"
        );
        assert_eq!(judged(sample(10_000, 10_100, 10_050)), Some(0));
    }

    #[test]
    fn crossing_the_bound_is_told_at_once_and_the_rest_now_and_then() {
        let (gauge, told) = gauge();
        gauge.hear(sample(10_000, 10_010, 10_000));
        gauge.hear(sample(10_000, 10_010, 10_001));
        gauge.hear(sample(10_000, 10_010, 9_000));
        gauge.hear(sample(10_000, 10_010, 10_001));
        assert_eq!(*told.lock().unwrap(), [5, 1_000, 4]);
    }

    #[test]
    fn a_refusal_for_the_clock_measures_it() {
        let (gauge, told) = gauge();
        let words = "invalid request, please check your server timestamp or recv_window param. \
                     req_timestamp[1696396708819],server_timestamp[1696396707813],recv_window[15000]";
        gauge.hear_refusal(words, Timestamp::from_millis(1_696_396_708_900));
        gauge.hear_refusal("some other words", Timestamp::from_millis(1_696_396_708_900));
        assert_eq!(*told.lock().unwrap(), [1_006]);
    }
}
