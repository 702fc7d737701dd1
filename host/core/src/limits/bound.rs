//! The bound that a limits file gives a check, and where in the file it stands.

use super::{LimitSection, LimitWords, Limits};
use crate::{Category, CheckId, InstrumentSpec, Price, Rounding, Strategy};

/// Whom and what an order is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) strategy: Option<&'a Strategy>,
    pub(crate) spec: Option<&'a InstrumentSpec>,
}

impl Limits {
    /// The largest number that a check lets pass. `None` for checks that are no such comparison with a number of the file, and where the
    /// file has no section for what this is about.
    pub(crate) fn at_most(&self, check: CheckId, about: About<'_>) -> Option<i128> {
        let (account, strategy) =
            (&self.account, about.strategy.map(|strategy| self.strategy(&strategy.name)));
        let instrument = about.spec.and_then(|spec| self.instrument(spec));
        // What the signed bundle states can only be tighter.
        let mandate = about.strategy.map(|strategy| strategy.mandate);
        let less_one = |amount: i128| amount.saturating_sub(1);
        Some(match check {
            CheckId::IntentAge => account.intent_age_max.0.into(),
            CheckId::Capital => account.capital.0,
            CheckId::PositionAccount => account.position_notional_max.0,
            CheckId::DirectionAccount => account.direction_notional_max.0,
            CheckId::Leverage => account.leverage_max.0.into(),
            CheckId::InitialMargin => account.initial_margin_max.0.into(),
            CheckId::MaintenanceMargin => account.maintenance_margin_max.0.into(),
            CheckId::OpenOrdersAccount => account.open_orders_max.into(),
            CheckId::RateAccountSecond => account.rate.per_second_max.into(),
            CheckId::RateAccountMinute => account.rate.per_minute_max.into(),
            CheckId::RateAccountHour => account.rate.per_hour_max.into(),
            CheckId::RateAccountDay => account.rate.per_day_max.into(),
            CheckId::TradedAccount => account.traded_value_per_day_max.0,
            CheckId::FeesAccount => account.fees_per_day_max.0,
            CheckId::LossAccount => less_one(account.daily_loss_max.0),
            CheckId::DrawdownAccount => less_one(account.drawdown_max.0),

            CheckId::PositionStrategy => strategy?.position_notional_max.0,
            CheckId::OpenOrdersStrategy => strategy?.open_orders_max.into(),
            CheckId::RateStrategySecond => strategy?.rate.per_second_max.into(),
            CheckId::RateStrategyMinute => strategy?.rate.per_minute_max.into(),
            CheckId::RateStrategyHour => {
                let own = strategy?.rate.per_hour_max;
                mandate
                    .and_then(|mandate| mandate.orders_per_hour_max)
                    .map_or(own, |signed| own.min(signed))
                    .into()
            }
            CheckId::RateStrategyDay => strategy?.rate.per_day_max.into(),
            CheckId::TradedStrategy => strategy?.traded_value_per_day_max.0,
            CheckId::FeesStrategy => strategy?.fees_per_day_max.0,
            CheckId::LossStrategy => less_one(strategy?.daily_loss_max.0),
            CheckId::DrawdownStrategy => less_one(strategy?.drawdown_max.0),
            CheckId::LossCooldown => less_one(strategy?.losses_in_a_row_max.into()),
            CheckId::RepeatedExecutions => less_one(strategy?.repeated_executions_max.into()),

            CheckId::OrderQuantity => {
                let bound = instrument?.order_quantity_max;
                bound
                    .to_price(about.spec?.quantity_decimals, Rounding::Down)
                    .unwrap_or(Price(i64::MAX))
                    .0
                    .into()
            }
            CheckId::OrderNotional => {
                let own = instrument?.order_notional_max;
                mandate.and_then(|mandate| mandate.order_notional_max).map_or(own, |signed| own.min(signed)).0
            }
            CheckId::PositionInstrument => {
                let own = instrument?.position_notional_max;
                mandate
                    .and_then(|mandate| mandate.position_notional_max)
                    .map_or(own, |signed| own.min(signed))
                    .0
            }
            CheckId::OpenOrdersInstrument => instrument?.open_orders_max.into(),
            CheckId::OpenConditional => instrument?.conditional_orders_max.into(),
            CheckId::MarketDataAge => instrument?.market_data_age_max.0.into(),

            CheckId::Identity
            | CheckId::TradingState
            | CheckId::Inhibits
            | CheckId::ReduceOnly
            | CheckId::CrossedBook
            | CheckId::CollarMarket
            | CheckId::CollarMark
            | CheckId::Budget
            | CheckId::Resync
            | CheckId::InstrumentStatus
            | CheckId::PriceTick
            | CheckId::QuantityStep
            | CheckId::QuantityMinimum
            | CheckId::QuantityMaximum
            | CheckId::NotionalMinimum
            | CheckId::AccountMode
            | CheckId::OrderKind
            | CheckId::PriceRange
            | CheckId::CollarWindow
            | CheckId::MarketDataGap
            | CheckId::SelfTrade
            | CheckId::DuplicateIntent
            | CheckId::SpotBorrow
            | CheckId::OpenWindow
            | CheckId::PriceLimit
            | CheckId::Protection => return None,
        })
    }

    /// Where a key stands in this file for what something is about, such as `each_strategy.daily_loss_max`.
    pub(crate) fn place(&self, words: &LimitWords, about: About<'_>) -> String {
        let section = match words.section {
            LimitSection::Account => "account".to_owned(),
            LimitSection::Strategy => match about.strategy {
                Some(strategy) if self.strategies.contains_key(&strategy.name) => {
                    format!("strategy.{}", strategy.name)
                }
                _ => "each_strategy".to_owned(),
            },
            LimitSection::Instrument => match about.spec {
                Some(spec) => {
                    let category = match spec.category {
                        Category::Linear => "linear",
                        Category::Spot => "spot",
                    };
                    format!("instrument.{category}:{}", spec.symbol)
                }
                None => "instrument".to_owned(),
            },
        };
        format!("{section}.{}", words.key)
    }
}
