//! An instrument's gauges.

use crate::checks::worst_of;
use crate::limits::About;
use crate::{Category, CheckId, Instrument, LimitSection, Scope, Unit};

use super::{Panel, Unmeasured, priced};
use crate::gate::protection::Stop;

impl<'a> Panel<'a> {
    pub(super) fn instrument(&mut self, instrument: &'a Instrument) {
        let (spec, situation) = (&instrument.spec, self.situation);
        // Without limits it cannot be traded.
        let Some(limits) = self.limits.instrument(spec) else { return };
        let owner = instrument.owner.and_then(|id| situation.state.strategy(id));
        let about = About { strategy: owner.filter(|strategy| strategy.running), spec: Some(spec) };
        let at_most = |check: CheckId| self.limits.at_most(check, about).unwrap_or_default();
        let (order_notional, position) =
            (at_most(CheckId::OrderNotional), at_most(CheckId::PositionInstrument));
        let order_quantity = at_most(CheckId::OrderQuantity);

        let market = situation.market.get(spec.id);
        let exposure = situation.exposure(spec.id);
        let worst = priced(worst_of(instrument, situation).map(|worst| worst.larger()));
        let price = priced(market.and_then(|market| market.valuation(spec)));
        let age = |at: Option<crate::Timestamp>| match at {
            Some(at) => Ok(situation.now.since(at).0.into()),
            None => Err(Unmeasured::NoPrice),
        };
        let data_age = age(market.and_then(|market| market.fresh_at()));
        let mark_age = match spec.category {
            Category::Spot => Err(Unmeasured::NotHere),
            Category::Linear => age(market.and_then(|market| market.mark).map(|(_, at)| at)),
        };
        let missing_since = self.desk.stops.get(&spec.id).and_then(Stop::missing_since);
        let missing = Ok(missing_since.map_or(0, |since| situation.now.since(since).0.into()));
        let each = Err(Unmeasured::EachOrder);

        let mut reader = self.of(LimitSection::Instrument, Scope::Instrument(spec.id), about);
        reader.gauge("order_quantity_max", Unit::Quantity, each, order_quantity);
        reader.gauge("order_notional_max", Unit::Amount, each, order_notional);
        reader.gauge("position_notional_max", Unit::Amount, worst, position);
        reader.gauge("open_orders_max", Unit::Count, Ok(exposure.open_orders.into()), limits.open_orders_max);
        let waiting = Ok(exposure.conditional.into());
        reader.gauge("conditional_orders_max", Unit::Count, waiting, limits.conditional_orders_max);
        reader.gauge("price_min", Unit::Amount, price, limits.price_min.0);
        reader.gauge("price_max", Unit::Amount, price, limits.price_max.0);
        reader.gauge("window_fraction", Unit::Rate, each, limits.window_fraction.0);
        if let Some(protection) = limits.protection {
            reader.gauge("stop_fraction", Unit::Rate, each, protection.stop_fraction.0);
            reader.gauge("stop_missing_ms_max", Unit::Nanoseconds, missing, protection.missing_max.0);
        }
        reader.gauge("collar_fraction", Unit::Rate, each, limits.collar_fraction.0);
        reader.gauge("collar_ticks", Unit::Count, each, limits.collar_ticks);
        reader.gauge("market_data_age_ms_max", Unit::Nanoseconds, data_age, limits.market_data_age_max.0);
        reader.gauge("mark_age_ms_max", Unit::Nanoseconds, mark_age, limits.mark_age_max.0);
    }
}
