//! What clients ask of a position's exits.

use portcullis_core::{InstrumentId, Price, Timestamp};

use super::event::Event;
use super::exit::{ExitTerms, TradingStop};
use super::ladder::better;
use super::ledger::PartialExit;
use super::market::Market;
use super::order::{Closed, Origin};
use super::position::Leg;
use super::protection::PARTIAL_MAX;
use super::terms::Watched;
use super::{Engine, Reject, checks};

impl Engine {
    /// Sets, moves or removes the take-profit and stop-loss of the whole net position. The outer `None` leaves as is, the inner removes.
    ///
    /// # Errors
    ///
    /// As [`set_trading_stop`](Self::set_trading_stop).
    pub fn set_protection(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        take_profit: Option<Option<Price>>,
        stop_loss: Option<Option<Price>>,
        out: &mut Vec<Event>,
    ) -> Result<(), Reject> {
        let terms = ExitTerms::default();
        let (leg, trailing, quantity) = (Leg::Net, None, None);
        let stop = TradingStop { instrument, leg, take_profit, stop_loss, trailing, terms, quantity };
        self.set_trading_stop(now, &stop, out)
    }

    /// Sets, moves or removes a position's exits; those of a part are only ever added.
    ///
    /// # Errors
    ///
    /// [`Reject::NoPosition`] when flat, [`Reject::ProtectionInvalid`] for a price on the wrong side of the one it watches,
    /// [`Reject::PriceInvalid`] off tick, [`Reject::LimitOnFull`] for a limit on an exit of the whole position,
    /// [`Reject::ProtectionTooLarge`] and [`Reject::TooManyExits`] for exits of a part, [`Reject::ProtectionNotModified`] when it is
    /// so already.
    pub fn set_trading_stop(
        &mut self,
        now: Timestamp,
        stop: &TradingStop,
        out: &mut Vec<Event>,
    ) -> Result<(), Reject> {
        let slot = self.slot(stop.instrument).ok_or(Reject::UnknownInstrument)?;
        let market = self.markets.get(slot).filter(|market| !market.is_spot());
        let market = market.ok_or(Reject::UnknownInstrument)?;
        if (stop.leg == Leg::Net) == market.is_hedged() {
            return Err(Reject::PositionIndex);
        }
        check(market, stop)?;
        let position = market.leg(stop.leg);
        let mut wanted = position.clone();
        if let Some(trailing) = stop.trailing {
            wanted.trailing = trailing;
        }
        if stop.terms.partial {
            self.check_partial(slot, market, stop)?;
        } else {
            if let Some(price) = stop.take_profit {
                wanted.take_profit = price;
                wanted.exits.profit_watches = price.map_or(Watched::Last, |_| stop.terms.profit_watches);
            }
            if let Some(price) = stop.stop_loss {
                wanted.stop_loss = price;
                wanted.exits.loss_watches = price.map_or(Watched::Last, |_| stop.terms.loss_watches);
            }
        }
        let adds = stop.terms.partial
            && (stop.take_profit.flatten().is_some() || stop.stop_loss.flatten().is_some());
        if wanted == *position && !adds {
            return Err(Reject::ProtectionNotModified);
        }
        let trails_anew = wanted.trailing != position.trailing;
        let quantity = stop.quantity.unwrap_or_else(|| position.quantity());
        wanted.updated = now;
        if let Some(market) = self.markets.get_mut(slot) {
            *market.leg_mut(stop.leg) = wanted;
        }
        if let Some(key) = self.protecting(slot, stop.leg, Origin::TrailingStop).filter(|_| trails_anew) {
            self.close_listed(now, slot, key, Closed::ProtectionCleared, out);
        }
        if adds {
            self.ledger.exits.push(PartialExit {
                leg: stop.leg,
                quantity,
                take_profit: stop.take_profit.flatten(),
                stop_loss: stop.stop_loss.flatten(),
                terms: stop.terms,
                parent: None,
            });
        }
        self.protect(now, slot, out);
        self.tell_position(slot, stop.leg, out);
        Ok(())
    }

    fn check_partial(&self, slot: usize, market: &Market, stop: &TradingStop) -> Result<(), Reject> {
        if let Some(quantity) = stop.quantity {
            checks::quantity(&market.spec, quantity, false)?;
            if quantity > market.leg(stop.leg).quantity() {
                return Err(Reject::ProtectionTooLarge);
            }
        }
        let new = [stop.take_profit, stop.stop_loss].into_iter().flatten().flatten().count();
        let present = self.partial_exits(slot, stop.leg).count();
        if present.saturating_add(new) > PARTIAL_MAX { Err(Reject::TooManyExits) } else { Ok(()) }
    }
}

fn check(market: &Market, stop: &TradingStop) -> Result<(), Reject> {
    let side = market.leg(stop.leg).side().ok_or(Reject::NoPosition)?;
    let terms = &stop.terms;
    let exits = [(stop.take_profit, true, terms.profit_watches), (stop.stop_loss, false, terms.loss_watches)];
    for (price, profit, watches) in exits {
        let Some(price) = price.flatten() else { continue };
        checks::price(&market.spec, price)?;
        let rightly = |now| if profit { better(side, price, now) } else { better(side, now, price) };
        if market.watched(watches).is_some_and(|now| !rightly(now)) {
            return Err(Reject::ProtectionInvalid(price));
        }
    }
    for limit in [terms.profit_limit, terms.loss_limit].into_iter().flatten() {
        checks::price(&market.spec, limit)?;
        if !terms.partial {
            return Err(Reject::LimitOnFull);
        }
    }
    if let Some(trailing) = stop.trailing.flatten() {
        checks::price(&market.spec, trailing.distance)?;
        if let Some(active) = trailing.active {
            checks::price(&market.spec, active)?;
            if market.last.is_some_and(|last| !better(side, active, last)) {
                return Err(Reject::ProtectionInvalid(active));
            }
        }
    }
    Ok(())
}
