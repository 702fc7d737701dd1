//! When the passing of time can bring nothing about: drivers in virtual time then need not ask.

use crate::checks::{account_profit, strategy_profit};
use crate::ledger::DAY_NS;
use crate::{Amount, CheckId, InstrumentId, Qty, Rounding, Scope, Timestamp, TradingState};

use super::losses::high_water_step;
use super::protection::Stop;
use super::reconcile::SNAPSHOT_EVERY;
use super::turn::situation;
use super::{Gate, alerts};

/// As long as only markets move, no [`Input::Tick`](crate::Input::Tick) before `until` does anything, provided every instrument in `bands`
/// is valued inside its band at that tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// The first moment at which a tick may matter.
    pub until: Timestamp,
    /// Instruments with a position, each with the lowest and the highest valuation (the mark, else the last trade; 1e-18) that trips no
    /// loss limit and sets no high-water mark whatever the others do inside theirs.
    pub bands: Vec<(InstrumentId, Amount, Amount)>,
}

impl Gate {
    /// Until when ticks have nothing to do; `None` when the next one may have.
    pub fn quiet(&self, now: Timestamp) -> Option<Quiet> {
        let (state, desk) = (&self.state, &self.desk);
        let reconciliation = &desk.reconciliation;
        let busy = state.orders().open_count() > 0
            || state.orders().unresolved().next().is_some()
            || !desk.flights.is_empty()
            || !desk.wanted.is_empty()
            || !desk.asked.is_empty()
            || !desk.halts.is_empty()
            || !desk.flattens.is_empty()
            || !desk.stops.values().all(Stop::is_settled)
            || !desk.foreign.is_empty()
            || !desk.holding.is_empty()
            || !reconciliation.differences.is_empty()
            || reconciliation.waiting
            || reconciliation.wanted
            || desk.live.values().any(|live| live.overflow > 0)
            || state.ledger().is_unsound()
            || state.instruments().any(|instrument| {
                state.ladder().effective(instrument.owner, Some(instrument.spec.id))
                    >= TradingState::EntriesCancelled
            });
        if busy {
            return None;
        }
        let tomorrow = Timestamp(state.anchor.day.checked_add(1)?.checked_mul(DAY_NS)?);
        let reconcile = reconciliation.asked_at.after(SNAPSHOT_EVERY);
        let until = tomorrow.min(reconcile);
        (until > now).then_some(())?;
        Some(Quiet { until, bands: self.bands(now)? })
    }

    /// Splits what may still be lost evenly over the positions, as a distance of each one's valuation.
    fn bands(&self, now: Timestamp) -> Option<Vec<(InstrumentId, Amount, Amount)>> {
        let state = &self.state;
        let held: Vec<InstrumentId> = state
            .instruments()
            .map(|instrument| instrument.spec.id)
            .filter(|id| {
                state.ledger().positions().any(|(of, _, held)| of == *id && !held.quantity.is_flat())
            })
            .collect();
        if held.is_empty() {
            return Some(Vec::new());
        }
        let spare = self.spare(now)?;
        let parts = i64::try_from(held.len()).ok()?;
        let mut bands = Vec::with_capacity(held.len());
        for id in held {
            let spec = state.spec(id)?;
            let valuation = self.market(id)?.valuation(spec)?;
            // Strategies' positions may point opposite ways, so each counts by its own size.
            let mut quantity: i64 = 0;
            for (_, _, position) in state.ledger().positions().filter(|(of, ..)| *of == id) {
                quantity = quantity.checked_add(position.quantity.abs().0)?;
            }
            let unit = Qty(10_i64.checked_pow(spec.quantity_decimals.into())?);
            let distance = spare.checked_portion(unit, Qty(quantity.checked_mul(parts)?), Rounding::Down)?;
            bands.push((id, valuation.checked_sub(distance)?, valuation.checked_add(distance)?));
        }
        Some(bands)
    }

    /// What the account and every strategy can still lose today, less a trifle for rounding; `None` when that is nothing or unknown.
    fn spare(&self, now: Timestamp) -> Option<Amount> {
        const ROUNDING: Amount = Amount(1_000);
        let state = &self.state;
        let limits = state.limits()?;
        let situation = situation(state, &self.desk, None, now);
        let profit = account_profit(&situation)?;
        let account = &limits.account;
        let bounds = (account.daily_loss_max, account.drawdown_max);
        let mut spare = room(profit, state.anchor.account, state.high, bounds, self.near(Scope::Account))?;
        let day = profit.checked_sub(state.anchor.account)?;
        // Once the alert is raised more profit does nothing.
        if state.ladder().of(Scope::Account) < TradingState::Caution {
            spare = spare.min(account.daily_profit_alert.checked_sub(day)?);
        }
        for strategy in state.strategies() {
            let Some(limits) = strategy.limits.as_ref() else { continue };
            let profit = strategy_profit(strategy, &situation)?;
            let bounds = (limits.daily_loss_max, limits.drawdown_max);
            let near = self.near(Scope::Strategy(strategy.id));
            spare = spare.min(room(profit, strategy.anchor, strategy.high, bounds, near)?);
        }
        let spare = spare.checked_sub(ROUNDING)?;
        (spare > Amount::ZERO).then_some(spare)
    }

    /// Whether the day's loss and the drawdown of a scope are told to be near their limits.
    fn near(&self, scope: Scope) -> (bool, bool) {
        let (daily, drawdown) = match scope {
            Scope::Strategy(_) => (CheckId::LossStrategy, CheckId::DrawdownStrategy),
            Scope::Account | Scope::Instrument(_) => (CheckId::LossAccount, CheckId::DrawdownAccount),
        };
        let alerts = &self.desk.alerts;
        (alerts.is_near(scope, daily), alerts.is_near(scope, drawdown))
    }
}

/// How far a profit may move either way before a loss limit trips, an alert comes or clears, or the high-water mark is written down.
fn room(
    profit: Amount,
    anchor: Amount,
    high: Amount,
    (daily_loss_max, drawdown_max): (Amount, Amount),
    (daily_is_near, drawdown_is_near): (bool, bool),
) -> Option<Amount> {
    let to_daily_alert = alerts::room(anchor.checked_sub(profit)?, daily_loss_max, daily_is_near)?;
    let to_drawdown_alert = alerts::room(high.checked_sub(profit)?, drawdown_max, drawdown_is_near)?;
    let to_daily_loss = daily_loss_max.checked_add(profit)?.checked_sub(anchor)?;
    let to_drawdown = drawdown_max.checked_add(profit)?.checked_sub(high)?;
    let to_high_water = high.checked_add(high_water_step(drawdown_max))?.checked_sub(profit)?;
    Some(to_daily_loss.min(to_drawdown).min(to_high_water).min(to_daily_alert).min(to_drawdown_alert))
}
