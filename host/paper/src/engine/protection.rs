//! The exits of a position: take-profit, stop-loss, trailing stop, and those of a part of it.

use portcullis_core::{InstrumentId, Price, Side, Timestamp};

use super::event::Event;
use super::exit::{ExitTerms, TradingStop, Trail};
use super::ladder::{better, opposite};
use super::ledger::PartialExit;
use super::market::Market;
use super::order::{Closed, Condition, Order, OrderKey, Origin, Status, Watched};
use super::position::{Leg, Position};
use super::{Engine, Reject, checks};

/// Most exits of parts of one position.
const PARTIAL_MAX: usize = 20;

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

    /// Makes the protecting orders what the positions say they should be, and places those that executions called for.
    pub(super) fn protect(&mut self, now: Timestamp, slot: usize, out: &mut Vec<Event>) {
        for leg in [Leg::Net, Leg::Long, Leg::Short] {
            let exists = |market: &Market| market.positions().iter().any(|position| position.leg == leg);
            if !self.markets.get(slot).is_some_and(exists) {
                continue;
            }
            for origin in [Origin::TakeProfit, Origin::StopLoss, Origin::TrailingStop] {
                self.protect_by(now, slot, leg, origin, out);
            }
            self.drop_partial(now, slot, leg, out);
        }
        for exit in core::mem::take(&mut self.ledger.exits) {
            self.place_partial(now, slot, &exit, out);
        }
    }

    fn protect_by(&mut self, now: Timestamp, slot: usize, leg: Leg, origin: Origin, out: &mut Vec<Event>) {
        let Some(market) = self.markets.get(slot) else { return };
        let position = market.leg(leg);
        let present = self.protecting(slot, leg, origin);
        let wanted = position.side().and_then(|side| exit_of(position, origin, opposite(side)));
        if wanted.is_none() && present.is_none() {
            return;
        }
        let quantity = position.quantity();
        let last = market.last.unwrap_or_default();
        if let Some(key) = present {
            match self
                .orders
                .get_mut(&key)
                .filter(|order| wanted.is_some_and(|wanted| wanted.is_done_by(order)))
            {
                Some(order) if order.quantity == quantity => return,
                Some(order) => {
                    order.quantity = quantity;
                    order.updated = now;
                    return out.push(Event::Order(order.clone()));
                }
                None => self.close_listed(now, slot, key, Closed::ProtectionCleared, out),
            }
        }
        let Some(wanted) = wanted else { return };
        let mut order = self.exit(now, slot, leg, origin, last);
        match wanted {
            Exit::At(condition) => order.trigger = Some(condition),
            Exit::Trails(trailing) => {
                let trail = Trail { distance: trailing.distance, active: trailing.active, best: last };
                order.trail = Some(trail);
                let rising = order.side == Side::Buy;
                let price = trail.stop(order.side);
                order.trigger =
                    trail.active.is_none().then_some(Condition { price, rising, watches: Watched::Last });
            }
        }
        self.wait(slot, order, out);
    }

    /// A new waiting order that closes a position.
    fn exit(&mut self, now: Timestamp, slot: usize, leg: Leg, origin: Origin, last: Price) -> Order {
        self.last_order = self.last_order.saturating_add(1);
        let (key, rank) = (OrderKey(self.last_order), self.next_rank());
        let flat = Position::flat(InstrumentId(0), leg, 100);
        let position = self.markets.get(slot).map_or(&flat, |market| market.leg(leg));
        Order { status: Status::Untriggered, ..Order::closing(key, rank, origin, position, last, now) }
    }

    fn place_partial(&mut self, now: Timestamp, slot: usize, exit: &PartialExit, out: &mut Vec<Event>) {
        let Some(market) = self.markets.get(slot) else { return };
        let last = market.last.unwrap_or_default();
        let Some(side) = market.leg(exit.leg).side() else { return };
        let room = PARTIAL_MAX.saturating_sub(self.partial_exits(slot, exit.leg).count());
        let terms = &exit.terms;
        let wanted = [
            (Origin::PartialTakeProfit, exit.take_profit, terms.profit_watches, terms.profit_limit),
            (Origin::PartialStopLoss, exit.stop_loss, terms.loss_watches, terms.loss_limit),
        ];
        let mut placed = Vec::with_capacity(2);
        for (origin, price, watches, limit) in wanted.into_iter().take(room) {
            let Some(price) = price else { continue };
            let rising = (side == Side::Buy) == (origin == Origin::PartialTakeProfit);
            let mut order = self.exit(now, slot, exit.leg, origin, last);
            order.trigger = Some(Condition { price, rising, watches });
            order.quantity = order.quantity.min(exit.quantity);
            order.parent.clone_from(&exit.parent);
            if limit.is_some() {
                order.price = limit;
                order.time_in_force = portcullis_core::TimeInForce::Gtc;
            }
            placed.push(order);
        }
        if let [one, other] = placed.as_mut_slice() {
            (one.twin, other.twin) = (Some(other.key), Some(one.key));
        }
        for order in placed {
            self.wait(slot, order, out);
        }
    }

    /// Takes away the exits of parts of a position that is gone or turned.
    fn drop_partial(&mut self, now: Timestamp, slot: usize, leg: Leg, out: &mut Vec<Event>) {
        let Some(closes) = self.markets.get(slot).map(|market| market.leg(leg).side().map(opposite)) else {
            return;
        };
        let stale = |order: &&Order| Some(order.side) != closes;
        let stale: Vec<OrderKey> =
            self.partial_exits(slot, leg).filter(stale).map(|order| order.key).collect();
        for key in stale {
            self.close_listed(now, slot, key, Closed::ProtectionCleared, out);
        }
    }

    /// After a client cancelled an order: what it protected no longer has it.
    pub(super) fn forget_protection(
        &mut self,
        now: Timestamp,
        slot: usize,
        leg: Leg,
        origin: Origin,
        out: &mut Vec<Event>,
    ) {
        let Some(market) = self.markets.get_mut(slot) else { return };
        let position = market.leg_mut(leg);
        match origin {
            Origin::TakeProfit => position.take_profit = None,
            Origin::StopLoss => position.stop_loss = None,
            Origin::TrailingStop => position.trailing = None,
            Origin::Client | Origin::Liquidation | Origin::PartialTakeProfit | Origin::PartialStopLoss => {
                return;
            }
        }
        position.updated = now;
        self.tell_position(slot, leg, out);
    }

    /// After a client moved a protecting order: the position says so too.
    pub(super) fn protection_amended(
        &mut self,
        now: Timestamp,
        slot: usize,
        leg: Leg,
        origin: Origin,
        condition: Condition,
        out: &mut Vec<Event>,
    ) {
        let Some(market) = self.markets.get_mut(slot) else { return };
        let position = market.leg_mut(leg);
        match origin {
            Origin::TakeProfit => {
                position.take_profit = Some(condition.price);
                position.exits.profit_watches = condition.watches;
            }
            Origin::StopLoss => {
                position.stop_loss = Some(condition.price);
                position.exits.loss_watches = condition.watches;
            }
            Origin::Client
            | Origin::Liquidation
            | Origin::TrailingStop
            | Origin::PartialTakeProfit
            | Origin::PartialStopLoss => return,
        }
        position.updated = now;
        self.tell_position(slot, leg, out);
    }

    fn protecting(&self, slot: usize, leg: Leg, origin: Origin) -> Option<OrderKey> {
        let market = self.markets.get(slot)?;
        let waiting = market.conditions.iter().map(|(key, _)| *key);
        let trailing = market.trails.iter().map(|(key, ..)| *key);
        waiting
            .chain(trailing)
            .find(|key| self.orders.get(key).is_some_and(|order| order.origin == origin && order.leg == leg))
    }

    fn partial_exits(&self, slot: usize, leg: Leg) -> impl Iterator<Item = &Order> {
        let waiting = self.markets.get(slot).into_iter().flat_map(|market| &market.conditions);
        waiting.filter_map(|(key, _)| self.orders.get(key)).filter(move |order| {
            order.leg == leg && matches!(order.origin, Origin::PartialTakeProfit | Origin::PartialStopLoss)
        })
    }

    pub(super) fn tell_position(&self, slot: usize, leg: Leg, out: &mut Vec<Event>) {
        if let Some(market) = self.markets.get(slot) {
            out.push(Event::Position(market.leg(leg).clone()));
        }
    }
}

/// What closes a position.
#[derive(Debug, Clone, Copy)]
enum Exit {
    At(Condition),
    Trails(super::exit::Trailing),
}

impl Exit {
    /// Whether an order does just this already.
    fn is_done_by(self, order: &Order) -> bool {
        match self {
            Self::At(condition) => order.trigger == Some(condition),
            Self::Trails(trailing) => order.trail.is_some_and(|trail| trail.distance == trailing.distance),
        }
    }
}

/// The exit of a kind that a position asks for; `side` is the side that closes it.
fn exit_of(position: &Position, origin: Origin, side: Side) -> Option<Exit> {
    let at = |price, watches| {
        // A long's profit and a short's loss lie above.
        let rising = (side == Side::Sell) == (origin == Origin::TakeProfit);
        Exit::At(Condition { price, rising, watches })
    };
    match origin {
        Origin::TakeProfit => position.take_profit.map(|price| at(price, position.exits.profit_watches)),
        Origin::StopLoss => position.stop_loss.map(|price| at(price, position.exits.loss_watches)),
        Origin::TrailingStop => position.trailing.map(Exit::Trails),
        Origin::Client | Origin::Liquidation | Origin::PartialTakeProfit | Origin::PartialStopLoss => None,
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
