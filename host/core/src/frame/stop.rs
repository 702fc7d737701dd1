//! The stop rule of `wit/frame.md`, from the host's side: whether a strategy stopped where it had to.

use super::builder::{RecordMark, TimerEffect};
use super::error::ProtocolFault;
use super::timers::{TimerChange, Timers};
use crate::{Action, ActionBody, Outcome, Span, Timestamp};

/// Actions that one record may cause.
pub const ACTIONS_PER_EVENT_MAX: usize = 32;

/// Actions that one call may return.
pub const ACTIONS_PER_FRAME_MAX: usize = 4_096;

/// Checks what a strategy returned for a frame, before anything is done with it, and returns the timers set after it.
///
/// `records` are the frame's marks, such as [`FrameBuilder::marks`](super::FrameBuilder::marks), `timers` those set before it and
/// `lookahead` the L of its header.
///
/// # Errors
///
/// [`ProtocolFault`] says how the contract was broken.
pub fn check_outcome(
    records: &[RecordMark],
    timers: &Timers,
    lookahead: Span,
    outcome: &Outcome,
) -> Result<Timers, ProtocolFault> {
    check_shape(records.len(), outcome)?;
    if timers.is_empty() && outcome.actions.is_empty() && consumed_all(records, outcome) {
        // Nothing bounds such a call, and there is no timer that a record could change.
        return Ok(Timers::default());
    }
    let mut call = Call { timers: timers.clone(), bound: None, actions: 0 };
    let mut actions = outcome.actions.iter().peekable();
    for (index, record) in (0..outcome.consumed).zip(records) {
        if index > 0 && call.stops_before(record.time) {
            return Err(ProtocolFault::ReadPastBound { index });
        }
        call.consume(record.timers);
        let before = call.actions;
        while let Some(action) = actions.next_if(|action| action.cause == index) {
            call.act(record.time, lookahead, &action.body);
        }
        if call.actions.saturating_sub(before) > ACTIONS_PER_EVENT_MAX {
            return Err(ProtocolFault::TooManyActionsOfEvent { cause: index });
        }
    }
    let consumed = outcome.consumed;
    let next = usize::try_from(consumed).ok().and_then(|consumed| records.get(consumed));
    if next.is_some_and(|next| !call.stops_before(next.time)) {
        return Err(ProtocolFault::StoppedEarly { consumed, records: records.len() });
    }
    Ok(call.timers)
}

fn consumed_all(records: &[RecordMark], outcome: &Outcome) -> bool {
    usize::try_from(outcome.consumed).is_ok_and(|consumed| consumed == records.len())
}

/// What can be seen without following the call.
fn check_shape(records: usize, outcome: &Outcome) -> Result<(), ProtocolFault> {
    let consumed = outcome.consumed;
    if consumed == 0 {
        return Err(ProtocolFault::NothingConsumed);
    }
    if !usize::try_from(consumed).is_ok_and(|consumed| consumed <= records) {
        return Err(ProtocolFault::ConsumedTooMany { consumed, records });
    }
    let actions = outcome.actions.len();
    if actions > ACTIONS_PER_FRAME_MAX {
        return Err(ProtocolFault::TooManyActions { actions });
    }
    let mut after = 0;
    for &Action { cause, .. } in &outcome.actions {
        if cause >= consumed {
            return Err(ProtocolFault::CauseNotConsumed { cause, consumed });
        }
        if cause < after {
            return Err(ProtocolFault::CauseDecreases { cause, after });
        }
        after = cause;
    }
    Ok(())
}

/// A call as the strategy went through it.
struct Call {
    timers: Timers,
    /// Records at or after this time are left; `None` while there is no bound.
    bound: Option<Timestamp>,
    actions: usize,
}

impl Call {
    fn stops_before(&self, time: Timestamp) -> bool {
        // Full: the actions of one more record might not fit.
        let full = self.actions > ACTIONS_PER_FRAME_MAX.saturating_sub(ACTIONS_PER_EVENT_MAX);
        full || self.bound.is_some_and(|bound| time >= bound)
    }

    fn consume(&mut self, effect: TimerEffect) {
        match effect {
            TimerEffect::None => {}
            TimerEffect::Fires(id) => self.timers.fired(id),
            TimerEffect::ForgetsAll => self.timers.clear(),
        }
    }

    fn act(&mut self, now: Timestamp, lookahead: Span, body: &ActionBody) {
        self.actions = self.actions.saturating_add(1);
        match body {
            ActionBody::Log { .. } | ActionBody::Metric { .. } => {}
            ActionBody::SetTimer { id, at } => {
                if let TimerChange::Done(old) = self.timers.set(*id, *at) {
                    // The old firing may lie in this frame already; it must not be read.
                    self.bound_by(old);
                    self.bound_by(at.map(|at| at.max(now)));
                }
            }
            ActionBody::Place(_)
            | ActionBody::Amend(_)
            | ActionBody::Cancel(_)
            | ActionBody::CancelAll(_)
            | ActionBody::Flatten(_) => {
                // Beyond the end of time there is nothing to stop before.
                self.bound_by(now.0.checked_add(lookahead.0).map(Timestamp));
            }
        }
    }

    fn bound_by(&mut self, time: Option<Timestamp>) {
        self.bound = match (self.bound, time) {
            (Some(bound), Some(time)) => Some(bound.min(time)),
            (bound, time) => bound.or(time),
        };
    }
}
