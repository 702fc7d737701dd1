//! A spot sale sells what the books have, and borrows nothing (row 19).

use super::Proposal;
use crate::{Category, CheckId, CheckOutcome, RefusalCode, Side};

/// All open sales together, this one included, are covered by the position.
pub(super) fn inventory(proposal: &Proposal<'_>) -> CheckOutcome {
    let check = CheckId::SpotBorrow;
    let applies = proposal.instrument.spec.category == Category::Spot && proposal.side == Side::Sell;
    let exposure = proposal.exposure_after();
    let sold = if applies { exposure.sells.saturating_add(exposure.reducing_sells) } else { 0 };
    let held = i128::from(proposal.position().0).max(0);
    CheckOutcome::at_most(check, sold, held, RefusalCode::SpotBorrow)
}
