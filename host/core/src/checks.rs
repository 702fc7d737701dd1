//! The checks of the review, one small file a group. Each is three-valued and says what it saw.
//!
//! Adding commands run all of them; reducing ones only those that a reduction could fail (RULES G3). `README.md` beside this crate's
//! manifest is the table: row, check, code, scope, test.

mod account;
mod collar;
mod drawdown;
mod fees;
mod loss;
mod market_data;
mod open_orders;
mod order_size;
mod own_orders;
mod position;
mod price;
mod proposal;
mod protection;
mod rate;
mod reduce_only;
mod rules;
mod spot;
mod state;
mod streaks;
mod totals;
mod traded;
mod window;
mod worst;

pub(crate) use account::{budgets, ratio};
pub(crate) use collar::width as collar_width;
pub(crate) use drawdown::below as drawdown_below;
pub(crate) use loss::{account_loss, account_profit, strategy_profit};
pub(crate) use proposal::{Proposal, Situation};
pub(crate) use rules::{Shape, all as rules};
pub(crate) use state::inhibited as inhibit_refusal;
pub(crate) use streaks::is_losing;
pub(crate) use totals::Totals;
pub(crate) use worst::{WorstSum, strategy_worst, worst_of};

use crate::{CheckId, CheckOutcome, Qty, RefusalCode, Verdict};

/// Room for every check of an adding command.
pub(crate) const CHECKS_MAX: usize = 64;

/// Runs every check of a command that may add risk. The order decides which refusal is named first. The situation's totals must
/// have been refreshed.
pub(crate) fn adding(proposal: &Proposal<'_>, outcomes: &mut Vec<CheckOutcome>) {
    // Sums that several checks look at.
    let totals = proposal.situation.totals;
    let own = worst::own_after(proposal);
    let strategy = worst::strategy_after(proposal, own);
    let account = totals.worst_with(proposal.instrument.spec.id, own);
    let profit = totals.account_profit();
    let own_profit = proposal.strategy.and_then(|strategy| totals.strategy_profit(strategy.id));

    outcomes.extend([
        state::identity(proposal),
        state::order_kind(proposal),
        state::resync(proposal),
        state::trading_state(proposal),
        state::inhibits(proposal),
        account::mode(proposal),
        account::capital(proposal),
        window::open(proposal),
        state::intent_age(proposal),
        market_data::gap(proposal),
        market_data::age(proposal),
        market_data::crossed(proposal),
        price::range(proposal),
        collar::against_market(proposal),
        collar::against_mark(proposal),
        collar::against_window(proposal),
        collar::against_price_limit(proposal),
        order_size::quantity(proposal),
        order_size::notional(proposal),
        own_orders::duplicate(proposal),
        own_orders::self_trade(proposal),
        spot::inventory(proposal),
        protection::stop(proposal),
        position::instrument(proposal, own),
        position::strategy(proposal, strategy),
        position::account(proposal, account),
        position::direction(proposal, account),
        position::budget(proposal, strategy, own_profit),
        account::leverage(proposal, account.map(|sum| sum.gross)),
        account::initial_margin(proposal),
        account::maintenance_margin(proposal),
    ]);
    outcomes.extend(open_orders::all(proposal));
    outcomes.extend(rate::all(proposal));
    outcomes.extend([
        streaks::repeated_executions(proposal),
        streaks::losses(proposal),
        traded::strategy(proposal),
        traded::account(proposal),
        fees::strategy(proposal),
        fees::account(proposal),
        loss::strategy(proposal, own_profit),
        loss::account(proposal, profit),
        drawdown::strategy(proposal, own_profit),
        drawdown::account(proposal, profit),
    ]);
}

/// Runs every check of a command that can only reduce; also says how much there is to reduce.
pub(crate) fn reducing(proposal: &Proposal<'_>, outcomes: &mut Vec<CheckOutcome>) -> Qty {
    let (clamp, quantity) = reduce_only::clamp(proposal);
    outcomes.extend([state::identity(proposal), state::locked(proposal), account::one_way(proposal), clamp]);
    quantity
}

/// Runs every check of an amend that can only reduce. One that only shrinks its order needs no position to reduce.
pub(crate) fn reducing_amend(proposal: &Proposal<'_>, shrinks: bool, outcomes: &mut Vec<CheckOutcome>) {
    outcomes.extend([state::identity(proposal), state::locked(proposal), account::one_way(proposal)]);
    if !shrinks {
        outcomes.push(reduce_only::fits(proposal));
    }
}

impl CheckOutcome {
    /// Passes when `seen` is at most `limit`.
    fn at_most(check: CheckId, seen: i128, limit: i128, code: RefusalCode) -> Self {
        let verdict = if seen <= limit { Verdict::Pass } else { Verdict::Deny(code) };
        Self { check, verdict, seen, limit }
    }

    /// Passes when `seen` is at most `limit`, or the command only closes what is held.
    fn at_most_or_closing(
        proposal: &Proposal<'_>,
        check: CheckId,
        (seen, limit): (i128, i128),
        code: RefusalCode,
    ) -> Self {
        match Self::at_most(check, seen, limit, code) {
            beyond if beyond.verdict != Verdict::Pass && proposal.only_closes() => {
                Self { verdict: Verdict::Pass, ..beyond }
            }
            outcome => outcome,
        }
    }

    /// Passes when `seen` is at least `limit`.
    fn at_least(check: CheckId, seen: i128, limit: i128, code: RefusalCode) -> Self {
        let verdict = if seen >= limit { Verdict::Pass } else { Verdict::Deny(code) };
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
