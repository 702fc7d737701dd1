//! Times of the day at which nothing is opened: funding, maintenance, the venue's own blackouts (row 25).

use super::Proposal;
use crate::ledger::DAY_NS;
use crate::{CheckId, CheckOutcome, RefusalCode, Verdict};

/// Nanoseconds in a minute.
const MINUTE_NS: u64 = 60_000_000_000;

/// The minute of the UTC day is in none of the operator's windows.
pub(super) fn open(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::OpenWindow;
    let Some(limits) = proposal.situation.state.limits() else {
        return CheckOutcome::unknown(check, RefusalCode::LimitMissing);
    };
    let minute = u16::try_from(proposal.situation.now.0 % DAY_NS / MINUTE_NS).unwrap_or(u16::MAX);
    let closed = limits.account.no_open.iter().find(|window| window.contains(minute));
    let verdict = closed.map_or(Verdict::Pass, |_| Verdict::Deny(RefusalCode::NoOpenWindow));
    let limit = closed.map_or(0, |window| i128::from(window.until));
    CheckOutcome { check, verdict, seen: minute.into(), limit }
}
