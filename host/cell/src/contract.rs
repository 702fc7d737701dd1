//! The contract's bounds on an outcome that hold whatever the events were.

use portcullis_core::Outcome;

use crate::protocol::{ACTIONS_PER_FRAME_MAX, CellLimits};

/// Says why `outcome` breaks the contract for a frame of `records` events.
pub(crate) fn check(outcome: &Outcome, records: u32, limits: &CellLimits) -> Result<(), String> {
    if outcome.consumed == 0 || outcome.consumed > records {
        return Err(format!("{} of {records} events consumed", outcome.consumed));
    }
    if outcome.actions.len() > ACTIONS_PER_FRAME_MAX {
        return Err(format!("{} actions, at most {ACTIONS_PER_FRAME_MAX} in a frame", outcome.actions.len()));
    }
    let most = limits.actions_per_event_max;
    let (mut cause, mut count) = (0, 0_u32);
    for action in &outcome.actions {
        if action.cause >= outcome.consumed {
            return Err(format!(
                "an action caused by event {} of {} consumed",
                action.cause, outcome.consumed
            ));
        }
        if action.cause < cause {
            return Err(format!("an action caused by event {} after one caused by {cause}", action.cause));
        }
        count = if action.cause == cause { count.saturating_add(1) } else { 1 };
        cause = action.cause;
        if count > most {
            return Err(format!("more than {most} actions caused by event {cause}"));
        }
    }
    Ok(())
}
