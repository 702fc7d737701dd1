//! The books: positions by what they cost, not by averages (RULES G10).

use std::collections::BTreeMap;

use crate::by_instrument::ByInstrument;
use crate::{
    Adjustment, Amount, Execution, ExecutionKind, InstrumentId, InstrumentSpec, Qty, Rounding, Side,
    SignedQty, StrategyId, notional, notional_of,
};

/// Nanoseconds in a UTC day.
pub(crate) const DAY_NS: u64 = 86_400_000_000_000;

/// One strategy's position in one instrument, and what it earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Quantity, negative when short.
    pub quantity: SignedQty,
    /// Cost of the open quantity, with the quantity's sign.
    pub cost: Amount,
    /// Realised profit, before fees and funding.
    pub realised: Amount,
    /// Fees paid; negative for rebates.
    pub fees: Amount,
    /// Funding paid; negative when received.
    pub funding: Amount,
}

impl Position {
    /// Profit so far, fees and funding taken off, the open quantity valued at `mark`. `None` when it does not fit.
    pub fn total_profit(&self, mark: Amount, spec: &InstrumentSpec) -> Option<Amount> {
        let open = if self.quantity.is_flat() { Amount::ZERO } else { self.open_profit(mark, spec)? };
        self.closed_profit()?.checked_add(open)
    }

    /// Profit of the open quantity at `mark`, fees apart.
    pub fn open_profit(&self, mark: Amount, spec: &InstrumentSpec) -> Option<Amount> {
        value_at(mark, self.quantity, spec)?.checked_sub(self.cost)
    }

    /// Average entry price; `None` when flat, or when it does not fit.
    pub fn average_price(&self, spec: &InstrumentSpec) -> Option<Amount> {
        let unit = Qty(10_i64.checked_pow(spec.quantity_decimals.into())?);
        self.cost.checked_abs()?.checked_portion(unit, self.quantity.abs(), Rounding::HalfEven)
    }

    /// Realised profit with fees and funding taken off.
    pub fn closed_profit(&self) -> Option<Amount> {
        self.realised.checked_sub(self.fees)?.checked_sub(self.funding)
    }

    /// Books a trade. `None`, and no change, when a sum does not fit.
    fn trade(&mut self, change: SignedQty, value: Amount) -> Option<()> {
        let quantity = self.quantity.checked_add(change)?;
        let opposite =
            (self.quantity.is_long() && change.is_short()) || (self.quantity.is_short() && change.is_long());
        if !opposite {
            self.cost = self.cost.checked_add(value)?;
            self.quantity = quantity;
            return Some(());
        }
        // Closes up to the whole position; what is beyond opens the other way at the same price.
        let closed = change.abs().min(self.quantity.abs());
        let value_closed = value.checked_portion(closed, change.abs(), Rounding::HalfEven)?;
        let cost_closed = self.cost.checked_portion(closed, self.quantity.abs(), Rounding::HalfEven)?;
        // Selling a long yields value, which is negative here; so profit is minus the sum of both.
        let profit = value_closed.checked_add(cost_closed)?.checked_neg()?;
        let realised = self.realised.checked_add(profit)?;
        let cost = self.cost.checked_sub(cost_closed)?.checked_add(value.checked_sub(value_closed)?)?;
        *self = Self { quantity, cost, realised, ..*self };
        Some(())
    }
}

/// Value traded on one UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DayTotal {
    day: u64,
    value: Amount,
}

impl DayTotal {
    /// The total of a day; nothing for a day other than the newest.
    pub(crate) fn on(self, day: u64) -> Amount {
        if self.day == day { self.value } else { Amount::ZERO }
    }

    pub(crate) fn add(&mut self, day: u64, value: Amount) {
        if day > self.day {
            *self = Self { day, value: Amount::ZERO };
        }
        if day == self.day {
            self.value = self.value.saturating_add(value);
        }
    }
}

/// Every position, by instrument and strategy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    positions: BTreeMap<(InstrumentId, Option<StrategyId>), Position>,
    /// Sum over strategies, kept beside.
    totals: ByInstrument<SignedQty>,
    unsound: bool,
}

impl Ledger {
    /// One position; all zero when there never was one.
    pub fn position(&self, instrument: InstrumentId, strategy: Option<StrategyId>) -> Position {
        self.positions.get(&(instrument, strategy)).copied().unwrap_or_default()
    }

    /// Every position there ever was, those of no strategy included.
    pub fn positions(&self) -> impl Iterator<Item = (InstrumentId, Option<StrategyId>, &Position)> {
        self.positions.iter().map(|((instrument, strategy), position)| (*instrument, *strategy, position))
    }

    /// The positions of one instrument, by strategy.
    pub(crate) fn positions_in(
        &self,
        instrument: InstrumentId,
    ) -> impl Iterator<Item = (Option<StrategyId>, &Position)> {
        let own = (instrument, None)..=(instrument, Some(StrategyId(u16::MAX)));
        self.positions.range(own).map(|((_, strategy), position)| (*strategy, position))
    }

    /// The account's quantity in an instrument: the sum over strategies.
    pub fn quantity(&self, instrument: InstrumentId) -> SignedQty {
        self.totals.get(instrument).copied().unwrap_or_default()
    }

    /// Average entry price of the account's position in an instrument, over all strategies; `None` when flat, or when it does not fit.
    pub(crate) fn average_price(&self, instrument: InstrumentId, spec: &InstrumentSpec) -> Option<Amount> {
        let mut positions = self.positions_in(instrument);
        let cost = positions.try_fold(Amount::ZERO, |sum, (_, one)| sum.checked_add(one.cost))?;
        Position { quantity: self.quantity(instrument), cost, ..Position::default() }.average_price(spec)
    }

    /// Whether a sum did not fit its type. Nothing that adds risk passes from then on.
    pub fn is_unsound(&self) -> bool {
        self.unsound
    }

    /// Books an execution; returns the value traded.
    pub(crate) fn execute(
        &mut self,
        strategy: Option<StrategyId>,
        execution: &Execution,
        spec: &InstrumentSpec,
    ) -> Amount {
        let booked = self.try_execute(strategy, execution, spec);
        self.unsound |= booked.is_none();
        booked.unwrap_or_default()
    }

    /// Sets an account's quantity to what the venue shows; the difference is booked at the adjustment's price.
    pub(crate) fn adjust(&mut self, adjustment: &Adjustment, spec: &InstrumentSpec) {
        let booked = self.try_adjust(adjustment, spec);
        self.unsound |= booked.is_none();
    }

    fn try_execute(
        &mut self,
        strategy: Option<StrategyId>,
        execution: &Execution,
        spec: &InstrumentSpec,
    ) -> Option<Amount> {
        let position = self.positions.entry((execution.instrument, strategy)).or_default();
        if execution.kind == ExecutionKind::Funding {
            position.funding = position.funding.checked_add(execution.fee)?;
            return Some(Amount::ZERO);
        }
        let (price_decimals, decimals) = (spec.price_decimals, spec.quantity_decimals);
        let value =
            notional(execution.price, price_decimals, execution.quantity, decimals, Rounding::HalfEven)?;
        // What the fee took of the purchase was neither received nor is it to be paid once more.
        let kept = Qty(execution.quantity.0.checked_sub(execution.fee_quantity.0)?.max(0));
        let cost = if execution.fee_quantity.0 > 0 { value.checked_sub(execution.fee)? } else { value };
        let signed_value = if execution.side == Side::Sell { cost.checked_neg()? } else { cost };
        let change = kept.signed(execution.side);
        let total = self.totals.entry(execution.instrument)?;
        let new_total = total.checked_add(change)?;
        let mut booked = *position;
        booked.fees = booked.fees.checked_add(execution.fee)?;
        if kept.0 == 0 {
            booked.realised = booked.realised.checked_sub(signed_value)?;
        } else {
            booked.trade(change, signed_value)?;
        }
        *position = booked;
        *total = new_total;
        Some(value.saturating_abs())
    }

    fn try_adjust(&mut self, adjustment: &Adjustment, spec: &InstrumentSpec) -> Option<()> {
        let position = self.positions.entry((adjustment.instrument, adjustment.strategy)).or_default();
        let total = self.totals.entry(adjustment.instrument)?;
        let change = adjustment.to.checked_sub(*total)?;
        let value = value_at(adjustment.price, change, spec)?;
        let new_total = total.checked_add(change)?;
        position.trade(change, value)?;
        *total = new_total;
        Some(())
    }
}

/// A signed quantity's value at a fine price, half-even.
pub(crate) fn value_at(price: Amount, quantity: SignedQty, spec: &InstrumentSpec) -> Option<Amount> {
    let value = notional_of(price, quantity.abs(), spec.quantity_decimals, Rounding::HalfEven)?;
    if quantity.is_short() { value.checked_neg() } else { Some(value) }
}
