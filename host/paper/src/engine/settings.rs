//! What the account is set to: leverage and position mode.

use portcullis_core::{InstrumentId, Timestamp};

use super::event::Event;
use super::money::plus;
use super::{Engine, Reject, tiers};

impl Engine {
    /// Sets the leverage of an instrument, in hundredths, 100 to 10,000. Both positions of hedge mode have the same.
    ///
    /// # Errors
    ///
    /// [`Reject::LeverageInvalid`] out of bounds, [`Reject::LeverageNotModified`] when it is so already, [`Reject::LeverageTooHigh`]
    /// when the position's risk tier does not allow it, [`Reject::Balance`] when the balance would not cover what is open.
    pub fn set_leverage(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        leverage: u32,
        out: &mut Vec<Event>,
    ) -> Result<(), Reject> {
        let slot = self.slot(instrument).ok_or(Reject::UnknownInstrument)?;
        let market = self.markets.get(slot).ok_or(Reject::UnknownInstrument)?;
        let most = market.tiers.first().map_or(100, |tier| tier.max_leverage);
        if !(100..=10_000).contains(&leverage) {
            return Err(Reject::LeverageInvalid);
        }
        let old = market.positions().first().ok_or(Reject::UnknownInstrument)?.leverage;
        if old == leverage {
            return Err(Reject::LeverageNotModified);
        }
        let allowed = market.positions().iter().all(|position| {
            position.size.0 == 0 || tiers::allows(market.tiers, market.valuation_of(position).0, leverage)
        });
        if leverage > most || !allowed {
            return Err(Reject::LeverageTooHigh { most });
        }
        self.lever(slot, leverage);
        let margin = self.margin();
        if leverage < old && plus(margin.initial, margin.locked) > margin.equity {
            self.lever(slot, old);
            return Err(Reject::Balance);
        }
        self.touch(now, slot, out);
        Ok(())
    }

    /// Switches linear instruments between one-way and hedge mode: one, or all when `None`.
    ///
    /// # Errors
    ///
    /// [`Reject::ModeNotModified`] when all are so already, [`Reject::ModeWithPosition`] and [`Reject::ModeWithOrders`] when one of
    /// those that would change has something open. Nothing changed then.
    pub fn switch_mode(
        &mut self,
        now: Timestamp,
        instrument: Option<InstrumentId>,
        hedged: bool,
        out: &mut Vec<Event>,
    ) -> Result<(), Reject> {
        let chosen = instrument.map(|instrument| self.slot(instrument).ok_or(Reject::UnknownInstrument));
        let chosen = chosen.transpose()?;
        let slots: Vec<usize> = self
            .markets
            .iter()
            .enumerate()
            .filter(|(slot, market)| chosen.is_none_or(|chosen| chosen == *slot) && !market.is_spot())
            .filter(|(_, market)| market.is_hedged() != hedged)
            .map(|(slot, _)| slot)
            .collect();
        if slots.is_empty() {
            return Err(Reject::ModeNotModified);
        }
        for market in slots.iter().filter_map(|slot| self.markets.get(*slot)) {
            if market.held() {
                return Err(Reject::ModeWithPosition);
            }
            if !market.untouched() {
                return Err(Reject::ModeWithOrders);
            }
        }
        for slot in slots {
            if let Some(market) = self.markets.get_mut(slot) {
                market.hedge(hedged);
            }
            self.touch(now, slot, out);
        }
        Ok(())
    }

    /// Whether an instrument is in hedge mode.
    #[must_use]
    pub fn is_hedged(&self, instrument: InstrumentId) -> bool {
        self.market(instrument).is_some_and(super::market::Market::is_hedged)
    }

    fn lever(&mut self, slot: usize, leverage: u32) {
        let Some(market) = self.markets.get_mut(slot) else { return };
        for leg in [super::Leg::Net, super::Leg::Short] {
            market.leg_mut(leg).leverage = leverage;
        }
    }

    /// Tells all positions of a market as changed.
    fn touch(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        let Some(market) = self.markets.get_mut(slot) else { return };
        for leg in [super::Leg::Net, super::Leg::Short] {
            market.leg_mut(leg).updated = now;
        }
        out.extend(market.positions().iter().cloned().map(Event::Position));
    }
}
