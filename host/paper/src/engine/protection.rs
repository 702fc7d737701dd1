//! The exits of a position: take-profit, stop-loss, trailing stop, and those of a part of it.

use portcullis_core::{InstrumentId, Price, Side, Timestamp};

use super::Engine;
use super::event::Event;
use super::exit::Trail;
use super::ladder::opposite;
use super::ledger::PartialExit;
use super::market::Market;
use super::order::{Closed, Order, OrderKey, Origin, Status};
use super::position::{Leg, Position};
use super::terms::{Condition, Watched};

/// Most exits of parts of one position.
pub(super) const PARTIAL_MAX: usize = 20;

impl Engine {
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

    pub(super) fn protecting(&self, slot: usize, leg: Leg, origin: Origin) -> Option<OrderKey> {
        let market = self.markets.get(slot)?;
        let waiting = market.conditions.iter().map(|(key, _)| *key);
        let trailing = market.trails.iter().map(|(key, ..)| *key);
        waiting
            .chain(trailing)
            .find(|key| self.orders.get(key).is_some_and(|order| order.origin == origin && order.leg == leg))
    }

    pub(super) fn partial_exits(&self, slot: usize, leg: Leg) -> impl Iterator<Item = &Order> {
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
