//! What must hold whenever a command leaves (invariants 1, 2, 3 and 10).

use portcullis_core::{
    Class, Command, InstrumentId, InstrumentLimits, Record, Scope, Side, Timestamp, TradingState,
};
use portcullis_journal::JournaledCommand;

use super::{Create, Watch};
use crate::disk::Disk;
use crate::exchange::{Exchange, specs};
use crate::network::Network;

/// A command that leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Submitted<'a> {
    pub(crate) command: &'a JournaledCommand,
    /// What the gateway's clock shows.
    pub(crate) local: Timestamp,
    pub(crate) now: u64,
    pub(crate) disk: &'a Disk,
}

/// What a command would trade in the worst case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) instrument: usize,
    pub(super) side: Side,
    /// Total quantity after the command.
    pub(super) quantity: i64,
    /// What of it is not executed yet and was not at the venue before.
    pub(super) added: i64,
    pub(super) price: Option<i64>,
    pub(super) waits: bool,
    pub(super) is_new: bool,
}

impl Watch {
    /// A command leaves.
    pub(crate) fn submitted(&mut self, left: &Submitted<'_>, exchange: &Exchange, network: &Network) {
        let (command, class) = (left.command.command(), left.command.class());
        if command.is_create() {
            self.remember(left.command, left.disk.holds());
        }
        let adds = self.adds(command, exchange);
        if adds && class != Class::Adding {
            self.violate(
                "class",
                format!("#{} adds risk and is called {class:?}", left.command.sequence().0),
            );
        }
        let instrument = command.instrument().0 as usize;
        let state = self.effective(instrument);
        // A stop at the venue takes risk away, also while nothing may be traded.
        let takes_away =
            matches!(command, Command::Cancel(_) | Command::CancelAll(_) | Command::SetProtection(_));
        if state == TradingState::Locked && !takes_away {
            self.violate("state", format!("#{} leaves while locked", left.command.sequence().0));
        }
        if !adds && class != Class::Adding {
            return;
        }
        if state >= TradingState::ReduceOnly {
            self.violate("state", format!("#{} adds risk in state {state}", left.command.sequence().0));
        }
        if left.disk.has_failed() {
            self.violate(
                "disk-failed",
                format!("#{} adds risk after the disk failed", left.command.sequence().0),
            );
        }
        if let Some(why) = self.told.inhibited() {
            self.violate("inhibited", format!("#{} adds risk: {why}", left.command.sequence().0));
        }
        self.check_fresh(left, instrument, exchange);
        self.check_durable(left);
        if let Some(order) = self.order(command, exchange) {
            self.check_bounds(&order, left.now, exchange, network);
            self.check_collar(&order);
        }
    }

    /// Which latched state holds for an instrument and its strategy.
    pub(crate) fn effective(&self, instrument: usize) -> TradingState {
        let scopes = [Scope::Account, Scope::Instrument(InstrumentId(instrument as u32))];
        let owner = self.owners[instrument].map(Scope::Strategy);
        scopes.into_iter().chain(owner).map(|scope| self.state_of(scope)).max().unwrap_or_default()
    }

    fn remember(&mut self, command: &JournaledCommand, witnessed: bool) {
        let Command::Place(place) = command.command() else { return };
        let create = Create { reduce_only: place.reduce_only, witnessed, settled: !witnessed };
        if self.creates.insert(command.link().clone(), create).is_some() {
            self.violate("id-twice", format!("{} is created twice", command.link()));
        }
    }

    /// Whether a command could add risk, whatever it is called.
    fn adds(&self, command: &Command, exchange: &Exchange) -> bool {
        match command {
            Command::Place(place) => !place.reduce_only,
            Command::Amend(amend) => {
                let reduces = self.creates.get(&amend.link).is_some_and(|create| create.reduce_only);
                let grows = |quantity: i64| {
                    exchange.order_of(&amend.link).is_none_or(|order| quantity > order.quantity)
                };
                !reduces
                    && (amend.price.is_some() || amend.quantity.is_some_and(|quantity| grows(quantity.0)))
            }
            Command::Cancel(_) | Command::CancelAll(_) | Command::SetProtection(_) => false,
        }
    }

    fn check_fresh(&mut self, left: &Submitted<'_>, instrument: usize, exchange: &Exchange) {
        let Some(limits) = self.limits_of(instrument) else {
            return self.violate("inhibited", format!("instrument {instrument} has no limits"));
        };
        let offset = left.local.0 as i64 - left.now as i64;
        let (best, mark) = self.told.markets[instrument].ages(left.now, offset);
        let (best_max, mark_max) = (limits.market_data_age_max.0, limits.mark_age_max.0);
        // An order that waits for its trigger is compared with the trigger's price, not with the mark.
        let waits = self.order(left.command.command(), exchange).is_some_and(|order| order.waits);
        let mark_is_old = !waits && mark.is_none_or(|age| age > mark_max);
        if best.is_none_or(|age| age > best_max) || mark_is_old {
            let of = left.command.sequence().0;
            self.violate(
                "stale",
                format!("#{of} adds risk on prices of age {best:?} and marks of {mark:?} ns"),
            );
        }
    }

    /// Reads what a crash right now would leave, and looks for the command's own entry.
    fn check_durable(&mut self, left: &Submitted<'_>) {
        for stored in self.journal.iter_mut().flatten() {
            match stored {
                Ok(stored) => drop(self.durable.insert(stored.entry.sequence.0, stored)),
                Err(error) => {
                    let detail = format!("the durable journal cannot be read: {error}");
                    self.violation.get_or_insert(super::Violation { rule: "journal", detail });
                    return;
                }
            }
        }
        let sequence = left.command.sequence().0;
        let found = self.durable.remove(&sequence);
        self.durable.retain(|other, _| *other > sequence);
        let fits = found.is_some_and(|stored| {
            let link = stored.link_id();
            let strategy = stored.entry.strategy;
            match Record::decode(stored.entry.kind, &stored.entry.body) {
                Ok(Record::Intent(intent)) => {
                    intent.command == *left.command.command()
                        && intent.limits == self.limits.hash()
                        && intent.strategy.is_none_or(|id| strategy == crate::gateway::digest_of(id))
                        && (!left.command.command().is_create() || link.as_ref() == Some(left.command.link()))
                }
                _ => false,
            }
        });
        if !fits {
            self.violate("durable-first", format!("#{sequence} leaves and its entry is not on the disk"));
        }
    }

    fn order(&self, command: &Command, exchange: &Exchange) -> Option<Order> {
        match command {
            Command::Place(place) => Some(Order {
                instrument: place.instrument.0 as usize,
                side: place.side,
                quantity: place.quantity.0,
                added: place.quantity.0,
                price: place.price.map(|price| price.0),
                waits: place.trigger.is_some(),
                is_new: true,
            }),
            Command::Amend(amend) => {
                let order = exchange.order_of(&amend.link).filter(|order| order.is_open())?;
                let quantity = amend.quantity.map_or(order.quantity, |quantity| quantity.0);
                Some(Order {
                    instrument: order.instrument,
                    side: order.side,
                    quantity,
                    added: (quantity - order.quantity).max(0),
                    price: amend.price.map(|price| price.0).or(order.price),
                    waits: order.trigger.is_some(),
                    is_new: false,
                })
            }
            Command::Cancel(_) | Command::CancelAll(_) | Command::SetProtection(_) => None,
        }
    }

    pub(super) fn limits_of(&self, instrument: usize) -> Option<InstrumentLimits> {
        self.limits.instrument(&specs()[instrument]).cloned()
    }
}
