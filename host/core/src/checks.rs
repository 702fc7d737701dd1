//! The checks of the review, one small file a group. Each is three-valued and says what it saw.
//!
//! Adding commands run all of them; reducing ones only those that a reduction could fail (RULES G3).

mod collar;
mod loss;
mod market_data;
mod open_orders;
mod order_size;
mod position;
mod proposal;
mod rate;
mod reduce_only;
mod state;
mod traded;

pub(crate) use collar::width as collar_width;
pub(crate) use loss::{account_loss, account_profit, strategy_loss, strategy_profit};
pub(crate) use position::strategy_worst;
pub(crate) use proposal::{Proposal, Situation};
pub(crate) use state::inhibited as inhibit_refusal;

use crate::{CheckId, CheckOutcome, Qty, RefusalCode, Verdict};

/// Number of checks of an adding command.
const ADDING: usize = 30;

/// Runs every check of a command that may add risk. The order decides which refusal is named first.
pub(crate) fn adding(proposal: &Proposal<'_>) -> Vec<CheckOutcome> {
    let mut outcomes = Vec::with_capacity(ADDING);
    outcomes.push(state::identity(proposal));
    outcomes.push(state::resync(proposal));
    outcomes.push(state::trading_state(proposal));
    outcomes.push(state::inhibits(proposal));
    outcomes.push(state::intent_age(proposal));
    outcomes.push(market_data::age(proposal));
    outcomes.push(market_data::crossed(proposal));
    outcomes.push(collar::against_market(proposal));
    outcomes.push(collar::against_mark(proposal));
    outcomes.push(order_size::quantity(proposal));
    outcomes.push(order_size::notional(proposal));
    outcomes.push(position::instrument(proposal));
    outcomes.push(position::strategy(proposal));
    outcomes.push(position::account(proposal));
    outcomes.push(position::budget(proposal));
    outcomes.extend(open_orders::all(proposal));
    outcomes.extend(rate::all(proposal));
    outcomes.push(traded::strategy(proposal));
    outcomes.push(traded::account(proposal));
    outcomes.push(loss::strategy(proposal));
    outcomes.push(loss::account(proposal));
    outcomes
}

/// Runs every check of a command that can only reduce; also says how much there is to reduce.
pub(crate) fn reducing(proposal: &Proposal<'_>) -> (Vec<CheckOutcome>, Qty) {
    let (clamp, quantity) = reduce_only::clamp(proposal);
    (vec![state::identity(proposal), state::locked(proposal), clamp], quantity)
}

/// Runs every check of an amend that can only reduce. One that only shrinks its order needs no position to reduce.
pub(crate) fn reducing_amend(proposal: &Proposal<'_>, shrinks: bool) -> Vec<CheckOutcome> {
    let mut outcomes = vec![state::identity(proposal), state::locked(proposal)];
    if !shrinks {
        outcomes.push(reduce_only::fits(proposal));
    }
    outcomes
}

impl CheckOutcome {
    /// Passes when `seen` is at most `limit`.
    fn at_most(check: CheckId, seen: i128, limit: i128, code: RefusalCode) -> Self {
        let verdict = if seen <= limit { Verdict::Pass } else { Verdict::Deny(code) };
        Self { check, verdict, seen, limit }
    }

    /// Passes when `holds`.
    fn holds(check: CheckId, holds: bool, seen: i128, code: RefusalCode) -> Self {
        let verdict = if holds { Verdict::Pass } else { Verdict::Deny(code) };
        Self { check, verdict, seen, limit: 0 }
    }

    /// Cannot be computed, for this reason.
    fn unknown(check: CheckId, code: RefusalCode) -> Self {
        Self { check, verdict: Verdict::CannotEvaluate(code), seen: 0, limit: 0 }
    }
}
