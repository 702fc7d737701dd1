//! A strategy's gauges.

use crate::checks::{drawdown_below, is_losing, strategy_profit, strategy_worst};
use crate::{Amount, CheckId, LimitSection, Scope, Strategy, Unit};

use super::{Panel, Unmeasured, priced};
use crate::limits::About;

impl<'a> Panel<'a> {
    pub(super) fn strategy(&mut self, strategy: &'a Strategy) {
        let (situation, day) = (self.situation, self.day());
        let (state, now) = (situation.state, situation.now);
        let limits = self.limits.strategy(&strategy.name);
        let about = About { strategy: Some(strategy), spec: None };
        let (mut open_orders, mut open) = (0_u64, Amount::ZERO);
        for id in &strategy.instruments {
            let exposure = state.orders().exposure(*id);
            open_orders = open_orders.saturating_add(exposure.open_orders);
            open = open.saturating_add(exposure.notional);
        }
        let traded = strategy.traded.on(day).saturating_add(open);
        let mut rates = strategy.rates.against(&limits.rate, now);
        if let (Some(hour), Some(signed)) =
            (rates.get_mut(2), self.limits.at_most(CheckId::RateStrategyHour, about))
        {
            hour.1 = u64::try_from(signed).unwrap_or(hour.1);
        }
        let repeated = strategy.repeats.longest(now, limits.repeated_executions_pause);
        let paused = now.since(strategy.losses.last()) < limits.loss_cooldown;
        let losses = match is_losing(strategy, situation) {
            _ if !paused => Ok(0),
            Some(open) => Ok(i128::from(strategy.losses.losses()).saturating_add(open.into())),
            None => Err(Unmeasured::NoPrice),
        };
        let (per_second, burst) = (limits.intents_per_second_max, limits.intents_burst_max);
        let bucket = self.desk.live.get(&strategy.id).and_then(|live| live.entries.as_ref());
        let waiting = bucket.map_or(0, |bucket| bucket.used(per_second, burst, now));

        let mut reader = self.of(LimitSection::Strategy, Scope::Strategy(strategy.id), about);
        let worst = priced(strategy_worst(strategy, situation));
        reader.gauge("position_notional_max", Unit::Amount, worst, limits.position_notional_max.0);
        reader.gauge("open_orders_max", Unit::Count, Ok(open_orders.into()), limits.open_orders_max);
        reader.rates(rates);
        reader.gauge(
            "traded_value_per_day_max",
            Unit::Amount,
            Ok(traded.0),
            limits.traded_value_per_day_max.0,
        );
        let fees = Ok(strategy.fees.on(day).0);
        reader.gauge("fees_per_day_max", Unit::Amount, fees, limits.fees_per_day_max.0);
        let profit = strategy_profit(strategy, situation);
        let loss = priced(profit.and_then(|profit| strategy.anchor.checked_sub(profit)));
        reader.gauge("daily_loss_max", Unit::Amount, loss, limits.daily_loss_max.0);
        let drawdown = priced(drawdown_below(strategy.high, profit));
        reader.gauge("drawdown_max", Unit::Amount, drawdown, limits.drawdown_max.0);
        let rejects = Ok(strategy.rejects_in_a_row.into());
        reader.gauge("rejects_in_a_row_max", Unit::Count, rejects, limits.rejects_in_a_row_max);
        reader.gauge(
            "repeated_executions_max",
            Unit::Count,
            Ok(repeated.into()),
            limits.repeated_executions_max,
        );
        let setting = Err(Unmeasured::Setting);
        let pause = limits.repeated_executions_pause.0;
        reader.gauge("repeated_executions_pause_ms", Unit::Nanoseconds, setting, pause);
        let each = Err(Unmeasured::EachOrder);
        reader.gauge("duplicate_window_ms", Unit::Nanoseconds, each, limits.duplicate_window.0);
        reader.gauge("losses_in_a_row_max", Unit::Count, losses, limits.losses_in_a_row_max);
        reader.gauge("loss_cooldown_ms", Unit::Nanoseconds, setting, limits.loss_cooldown.0);
        reader.gauge("intents_per_second_max", Unit::Count, setting, per_second);
        reader.gauge("intents_burst_max", Unit::Count, Ok(waiting.into()), burst);
    }
}
