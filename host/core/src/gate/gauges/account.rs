//! The account's gauges.

use std::collections::VecDeque;

use crate::checks::{WorstSum, account_loss, account_profit, budgets, drawdown_below, ratio, worst_of};
use crate::{Amount, Inhibit, LimitSection, Rate, Scope, Span, Timestamp, Unit, WalletReport};

use super::{Panel, Unmeasured, priced};
use crate::limits::About;

impl Panel<'_> {
    pub(super) fn account(&mut self) {
        let (state, now, day) = (self.situation.state, self.situation.now, self.day());
        let limits = &self.limits.account;
        let worst = self.worst();
        let wallet = state.wallet().filter(|wallet| now.since(wallet.venue_time) <= limits.wallet_age_max);
        let margin = |rate: fn(&WalletReport) -> Option<Rate>| {
            wallet.and_then(rate).map(|rate| i128::from(rate.0)).ok_or(Unmeasured::NoWallet)
        };
        let leverage = match (worst, wallet) {
            (None, _) => Err(Unmeasured::NoPrice),
            (_, None) => Err(Unmeasured::NoWallet),
            (Some(worst), Some(wallet)) => ratio(worst.gross, wallet.equity).ok_or(Unmeasured::NoWallet),
        };
        let wallet_age = state
            .wallet()
            .map(|wallet| i128::from(now.since(wallet.venue_time).0))
            .ok_or(Unmeasured::NoWallet);
        let traded = state.traded.on(day).saturating_add(state.orders().open_value());
        let loss = account_loss(self.situation);
        let drawdown = drawdown_below(state.high, account_profit(self.situation));
        let streams = self.longest(|inhibit| matches!(inhibit, Inhibit::PublicFeed | Inhibit::PrivateStream));
        let inhibit = self.longest(|inhibit| inhibit != Inhibit::RateBudget);
        let hour = Span::from_secs(3_600);
        let recent = |times: &VecDeque<Timestamp>| times.iter().filter(|at| now.since(**at) <= hour).count();
        let recurrences = self.desk.recurrences.values().map(recent).max().unwrap_or(0);
        let recurrences = i128::try_from(recurrences).map_err(|_| Unmeasured::Setting);
        let rates = state.rates.against(&limits.rate, now);

        let about = About { strategy: None, spec: None };
        let mut reader = self.of(LimitSection::Account, Scope::Account, about);
        reader.gauge("capital", Unit::Amount, priced(budgets(state)), limits.capital.0);
        let gross = priced(worst.map(|worst| worst.gross));
        reader.gauge("position_notional_max", Unit::Amount, gross, limits.position_notional_max.0);
        let side = priced(worst.map(|worst| worst.long.max(worst.short)));
        reader.gauge("direction_notional_max", Unit::Amount, side, limits.direction_notional_max.0);
        reader.gauge("leverage_max", Unit::Rate, leverage, limits.leverage_max.0);
        let initial = margin(|wallet| wallet.initial_margin);
        reader.gauge("initial_margin_max", Unit::Rate, initial, limits.initial_margin_max.0);
        let maintenance = margin(|wallet| wallet.maintenance_margin);
        reader.gauge("maintenance_margin_max", Unit::Rate, maintenance, limits.maintenance_margin_max.0);
        reader.gauge("wallet_age_ms_max", Unit::Nanoseconds, wallet_age, limits.wallet_age_max.0);
        let orders = Ok(state.orders().open_count().into());
        reader.gauge("open_orders_max", Unit::Count, orders, limits.open_orders_max);
        reader.rates(rates);
        reader.gauge(
            "traded_value_per_day_max",
            Unit::Amount,
            Ok(traded.0),
            limits.traded_value_per_day_max.0,
        );
        reader.gauge("fees_per_day_max", Unit::Amount, Ok(state.fees.on(day).0), limits.fees_per_day_max.0);
        reader.gauge("daily_loss_max", Unit::Amount, priced(loss), limits.daily_loss_max.0);
        reader.gauge("drawdown_max", Unit::Amount, priced(drawdown), limits.drawdown_max.0);
        let profit = priced(loss.and_then(Amount::checked_neg));
        reader.gauge("daily_profit_alert", Unit::Amount, profit, limits.daily_profit_alert.0);
        reader.gauge("inhibits_per_hour_max", Unit::Count, recurrences, limits.inhibits_per_hour_max);
        reader.gauge("disconnect_ms_max", Unit::Nanoseconds, Ok(streams.0.into()), limits.disconnect_max.0);
        let each = Err(Unmeasured::EachOrder);
        reader.gauge("intent_age_ms_max", Unit::Nanoseconds, each, limits.intent_age_max.0);
        reader.gauge("release_age_ms_max", Unit::Nanoseconds, each, limits.release_age_max.0);
        reader.gauge("inhibit_ms_max", Unit::Nanoseconds, Ok(inhibit.0.into()), limits.inhibit_max.0);
    }

    /// The worst case of all instruments as it is now.
    fn worst(&self) -> Option<WorstSum> {
        let mut instruments = self.situation.state.instruments();
        instruments.try_fold(WorstSum::default(), |sum, one| sum.plus(worst_of(one, self.situation)?))
    }

    /// How long the one that lasts longest has lasted.
    fn longest(&self, counts: impl Fn(Inhibit) -> bool) -> Span {
        let lasting = self.desk.holding.iter().filter(|(inhibit, _)| counts(**inhibit));
        lasting.map(|(_, since)| self.situation.now.since(*since)).max().unwrap_or_default()
    }
}
