//! Worst-case positions in money: every open order of one side fills, and none of the other.

use super::Proposal;
use super::proposal::Situation;
use crate::exposure::Exposure;
use crate::{Amount, Instrument, Qty, Rounding, SignedQty, Strategy, notional_of};

/// What could become long and what could become short, in USDT at the highest price in sight, rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Worst {
    pub(crate) long: Amount,
    pub(crate) short: Amount,
}

impl Worst {
    /// The larger of the two.
    pub(crate) fn larger(self) -> Amount {
        self.long.max(self.short)
    }

    /// Of an instrument with this exposure; `None` when it cannot be valued. `price` is asked for only where there is something to value.
    pub(crate) fn of(
        instrument: &Instrument,
        exposure: &Exposure,
        position: SignedQty,
        price: impl FnOnce() -> Option<Amount>,
    ) -> Option<Self> {
        let (longest, shortest) = (exposure.longest(position), exposure.shortest(position));
        if longest == 0 && shortest == 0 {
            return Some(Self::default());
        }
        let price = price()?;
        let value = |quantity: i128| match quantity {
            0 => Some(Amount::ZERO),
            some => {
                let quantity = Qty(i64::try_from(some.unsigned_abs()).ok()?);
                notional_of(price, quantity, instrument.spec.quantity_decimals, Rounding::Up)
            }
        };
        Some(Self { long: value(longest)?, short: value(shortest)? })
    }
}

/// An account's worst case: added up over instruments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct WorstSum {
    /// The larger side of each instrument.
    pub(crate) gross: Amount,
    /// The long sides.
    pub(crate) long: Amount,
    /// The short sides.
    pub(crate) short: Amount,
}

impl WorstSum {
    pub(crate) fn minus(self, one: Worst) -> Option<Self> {
        Some(Self {
            gross: self.gross.checked_sub(one.larger())?,
            long: self.long.checked_sub(one.long)?,
            short: self.short.checked_sub(one.short)?,
        })
    }

    pub(crate) fn plus(self, one: Worst) -> Option<Self> {
        Some(Self {
            gross: self.gross.checked_add(one.larger())?,
            long: self.long.checked_add(one.long)?,
            short: self.short.checked_add(one.short)?,
        })
    }
}

/// An instrument's worst case as it is now.
pub(crate) fn worst_of(instrument: &Instrument, situation: &Situation<'_>) -> Option<Worst> {
    let id = instrument.spec.id;
    Worst::of(instrument, &situation.exposure(id), situation.state.ledger().quantity(id), || {
        situation.market.get(id).and_then(|market| market.highest(&instrument.spec))
    })
}

/// The proposal's instrument if the command goes through.
pub(super) fn own_after(proposal: &Proposal<'_>) -> Option<Worst> {
    Worst::of(proposal.instrument, &proposal.exposure_after(), proposal.position(), || price(proposal))
}

/// The strategy's instruments added up, if the command goes through and makes this of its own.
pub(super) fn strategy_after(proposal: &Proposal<'_>, after: Option<Worst>) -> Option<Amount> {
    let own = proposal.instrument.spec.id;
    let others = proposal.strategy?.instruments.iter().filter(|id| **id != own);
    let mut total = after?.larger();
    for other in others.filter_map(|id| proposal.situation.state.instrument(*id)) {
        total = total.checked_add(worst_of(other, proposal.situation)?.larger())?;
    }
    Some(total)
}

/// The strategy's worst-case positions as they are now, added up.
pub(crate) fn strategy_worst(strategy: &Strategy, situation: &Situation<'_>) -> Option<Amount> {
    let instruments = strategy.instruments.iter().filter_map(|id| situation.state.instrument(*id));
    let mut total = Amount::ZERO;
    for instrument in instruments {
        total = total.checked_add(worst_of(instrument, situation)?.larger())?;
    }
    Some(total)
}

/// The highest price in sight, the order's own included.
fn price(proposal: &Proposal<'_>) -> Option<Amount> {
    let own = proposal.worst_price()?;
    let high = proposal.market.and_then(|market| market.highest(&proposal.instrument.spec));
    Some(high.map_or(own, |high| high.max(own)))
}
