//! Losses, and profits too good to be true: what trips by the books alone.

use crate::checks::{account_profit, drawdown_below, strategy_profit};
use crate::{Amount, CheckId, HighWater, Record, Scope, StateCause, StrategyId, TradingState};

use super::alerts::Level;
use super::turn::Turn;

/// The high-water mark is written down when it has risen by this part of the drawdown limit.
const HIGH_WATER_PARTS: i128 = 100;

impl Turn<'_> {
    /// Trips what lost too much today, or since its best. What cannot be valued trips nothing here: it refuses every order instead.
    pub(super) fn check_losses(&mut self) {
        let Some(limits) = self.state.limits() else { return };
        let situation = self.situation(None);
        let mut breaches = Vec::new();
        let mut levels = Vec::new();
        let mut risen = false;
        if let Some(profit) = account_profit(&situation) {
            let account = &limits.account;
            let day = profit.saturating_sub(self.state.anchor.account);
            let drawdown = drawdown_below(self.state.high, Some(profit));
            let bounds = (account.daily_loss_max, account.drawdown_max);
            breaches.extend(breach(Scope::Account, day, drawdown, bounds));
            levels.extend(levels_of(Scope::Account, day, drawdown, bounds));
            if day >= account.daily_profit_alert {
                let detail = format!("profit of the day {day}, alert at {}", account.daily_profit_alert);
                breaches.push((Scope::Account, TradingState::Caution, StateCause::DailyProfit, detail));
            }
            risen |= has_risen(self.state.high, profit, account.drawdown_max);
        }
        for strategy in self.state.strategies() {
            let Some(limits) = strategy.limits.as_ref() else { continue };
            let Some(profit) = strategy_profit(strategy, &situation) else { continue };
            let scope = Scope::Strategy(strategy.id);
            let day = profit.saturating_sub(strategy.anchor);
            let drawdown = drawdown_below(strategy.high, Some(profit));
            let bounds = (limits.daily_loss_max, limits.drawdown_max);
            breaches.extend(breach(scope, day, drawdown, bounds));
            levels.extend(levels_of(scope, day, drawdown, bounds));
            risen |= has_risen(strategy.high, profit, limits.drawdown_max);
        }
        self.tell_losses(&levels);
        for (scope, to, cause, detail) in breaches {
            self.raise(scope, to, cause, detail);
        }
        if risen && let Some(high) = self.high_water() {
            self.record(Record::HighWater(high));
        }
    }

    /// The highest profits as of now; `None` while a position cannot be valued.
    fn high_water(&self) -> Option<HighWater> {
        let situation = self.situation(None);
        let strategies: Option<Vec<(StrategyId, Amount)>> = self
            .state
            .strategies()
            .map(|strategy| Some((strategy.id, strategy.high.max(strategy_profit(strategy, &situation)?))))
            .collect();
        let account = self.state.high.max(account_profit(&situation)?);
        Some(HighWater { account, strategies: strategies?, at: self.now })
    }

    /// Executions of the same order again and again latch until somebody has looked (row 13).
    pub(super) fn check_repeats(&mut self, id: StrategyId) {
        let Some(strategy) = self.state.strategy(id) else { return };
        let Some(limits) = strategy.limits.as_ref() else { return };
        let max = limits.repeated_executions_max;
        let row = strategy.repeats.longest(self.now, limits.repeated_executions_pause);
        if row >= max {
            let detail = format!("{row} like executions in a row, limit {max}");
            let scope = Scope::Strategy(id);
            self.raise(scope, TradingState::ReduceOnly, StateCause::RepeatedExecution, detail);
        }
    }
}

/// How far a profit must rise above the high-water mark to be written down.
pub(super) fn high_water_step(drawdown_max: Amount) -> Amount {
    Amount(drawdown_max.0.checked_div(HIGH_WATER_PARTS).unwrap_or(0).max(1))
}

fn has_risen(high: Amount, profit: Amount, drawdown_max: Amount) -> bool {
    profit.saturating_sub(high) >= high_water_step(drawdown_max)
}

/// The losses of a scope against their limits, to be told when they come near.
fn levels_of(
    scope: Scope,
    day: Amount,
    drawdown: Option<Amount>,
    (daily_loss_max, drawdown_max): (Amount, Amount),
) -> impl Iterator<Item = Level> {
    let (daily, since_high) = match scope {
        Scope::Strategy(_) => (CheckId::LossStrategy, CheckId::DrawdownStrategy),
        Scope::Account | Scope::Instrument(_) => (CheckId::LossAccount, CheckId::DrawdownAccount),
    };
    let level =
        move |check, seen: Amount, limit: Amount| Level { scope, check, seen: seen.0, limit: limit.0 };
    let drawdown = drawdown.map(|drawdown| level(since_high, drawdown, drawdown_max));
    std::iter::once(level(daily, day.saturating_neg(), daily_loss_max)).chain(drawdown)
}

type Breach = (Scope, TradingState, StateCause, String);

fn breach(
    scope: Scope,
    day: Amount,
    drawdown: Option<Amount>,
    (daily_loss_max, drawdown_max): (Amount, Amount),
) -> impl Iterator<Item = Breach> {
    let loss = day.saturating_neg();
    let daily = (loss >= daily_loss_max).then(|| {
        let detail = format!("loss of the day {loss}, limit {daily_loss_max}");
        (scope, TradingState::ReduceOnly, StateCause::DailyLoss, detail)
    });
    let drawdown = drawdown.filter(|drawdown| *drawdown >= drawdown_max).map(|drawdown| {
        let detail = format!("loss since the highest profit {drawdown}, limit {drawdown_max}");
        (scope, TradingState::ReduceOnly, StateCause::Drawdown, detail)
    });
    daily.into_iter().chain(drawdown)
}
