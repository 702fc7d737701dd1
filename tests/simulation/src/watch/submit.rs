//! What must hold whenever a command leaves (invariants 1, 2, 3 and 10).

use portcullis_core::{
    Class, Command, InstrumentLimits, InstrumentSpec, LinkId, Record, Scope, Side, StrategyId, Timestamp,
    TradingState,
};
use portcullis_journal::JournaledCommand;

use super::{Create, Watch, worst};
use crate::disk::Disk;
use crate::exchange::{Exchange, SPECS, specs};
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
struct Order {
    instrument: usize,
    side: Side,
    /// Total quantity after the command.
    quantity: i64,
    /// What of it is not executed yet and was not at the venue before.
    added: i64,
    price: Option<i64>,
    waits: bool,
    is_new: bool,
}

impl Watch {
    /// A command leaves.
    pub(crate) fn submitted(&mut self, left: &Submitted<'_>, exchange: &Exchange, network: &Network) {
        let (command, class) = (left.command.command(), left.command.class());
        if command.is_create() {
            self.remember(left.command);
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
            self.check_bounds(&order, exchange, network);
            self.check_collar(&order);
        }
    }

    /// Which latched state holds for an instrument and its strategy.
    pub(crate) fn effective(&self, instrument: usize) -> TradingState {
        let scopes = [
            Scope::Account,
            Scope::Instrument(portcullis_core::InstrumentId(instrument as u32)),
            Scope::Strategy(StrategyId(instrument as u16)),
        ];
        scopes.into_iter().map(|scope| self.state_of(scope)).max().unwrap_or_default()
    }

    fn remember(&mut self, command: &JournaledCommand) {
        let Command::Place(place) = command.command() else { return };
        let create = Create { reduce_only: place.reduce_only, settled: false };
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

    fn check_bounds(&mut self, order: &Order, exchange: &Exchange, network: &Network) {
        let specs = specs();
        let Some(limits) = self.limits_of(order.instrument) else { return };
        let Some(own) = order.price.map(|price| fine(&specs[order.instrument], price)) else {
            return self.violate("order-bound", "an order that adds risk has no price".to_owned());
        };
        let highest = self.told.markets[order.instrument].highest().unwrap_or(own).max(own);
        let single = if order.side == Side::Buy { own } else { highest };
        let mut found = Vec::new();
        let quantity = i128::from(order.quantity)
            * 10_i128.pow(18 - u32::from(specs[order.instrument].quantity_decimals));
        if quantity > limits.order_quantity_max.0 {
            found.push(("order-bound", format!("quantity {}", order.quantity)));
        }
        let notional = worth(&specs[order.instrument], single, order.quantity);
        if notional > limits.order_notional_max.0 {
            found.push(("order-bound", format!("notional {notional}")));
        }
        let mut account = 0;
        let mut open = 0;
        for instrument in 0..SPECS {
            let own = instrument == order.instrument;
            let more = [(order.side, order.added, false)];
            let position = exchange.positions[instrument] - self.unheard[instrument];
            let worst = worst(instrument, position, exchange, network, if own { &more } else { &[] });
            let price = if own { Some(highest) } else { self.told.markets[instrument].highest() };
            let value = |quantity| worth(&specs[instrument], price.unwrap_or_default(), quantity);
            let here = network.creates_in(instrument, exchange).count()
                + exchange.open_in(instrument).count()
                + usize::from(own && order.is_new);
            open += here as u64;
            let either = value(worst.long.max(worst.short));
            account += either;
            if !own {
                continue;
            }
            let side = value(if order.side == Side::Buy { worst.long } else { worst.short });
            if side > limits.position_notional_max.0 {
                let parts = parts(instrument, exchange, network);
                found.push((
                    "worst-case",
                    format!("instrument {instrument}: {worst:?} worth {side}, position {position}, {parts}"),
                ));
            }
            let strategy = &self.limits.each_strategy;
            if either > strategy.position_notional_max.0 {
                found.push(("worst-case", format!("strategy {instrument}: {worst:?} worth {either}")));
            }
            if here as u64 > limits.open_orders_max.min(strategy.open_orders_max) {
                found.push(("order-bound", format!("{here} orders open in instrument {instrument}")));
            }
        }
        if account > self.limits.account.position_notional_max.0 {
            found.push(("worst-case", format!("account: worth {account}")));
        }
        if open > self.limits.account.open_orders_max {
            found.push(("order-bound", format!("{open} orders open")));
        }
        for (rule, detail) in found {
            self.violate(rule, detail);
        }
    }

    fn check_collar(&mut self, order: &Order) {
        let spec = &specs()[order.instrument];
        let (Some(limits), Some(price)) = (self.limits_of(order.instrument), order.price) else { return };
        if order.waits {
            return;
        }
        let (price, view) = (fine(spec, price), self.told.markets[order.instrument]);
        for reference in [view.opposite(order.side), view.mark()] {
            let Some(reference) = reference else {
                return self.violate("order-bound", "no price to compare with".to_owned());
            };
            let fraction = reference / 1_000_000 * i128::from(limits.collar_fraction.0) / 1_000_000;
            let width = fraction.max(fine(spec, spec.tick.0) * i128::from(limits.collar_ticks));
            // The gate rounds in the eighteenth digit.
            if (price - reference).abs() > width + 1_000_000 {
                self.violate("order-bound", format!("price {price} is {width} and more from {reference}"));
            }
        }
    }

    pub(super) fn limits_of(&self, instrument: usize) -> Option<InstrumentLimits> {
        self.limits.instrument(&specs()[instrument]).cloned()
    }
}

/// A price at 1e-18.
fn fine(spec: &InstrumentSpec, price: i64) -> i128 {
    i128::from(price) * 10_i128.pow(18 - u32::from(spec.price_decimals))
}

/// What a quantity is worth at a price of 1e-18, rounded up.
pub(super) fn worth(spec: &InstrumentSpec, price: i128, quantity: i64) -> i128 {
    let unit = 10_i128.pow(u32::from(spec.quantity_decimals));
    (price * i128::from(quantity) + unit - 1) / unit
}

/// What a worst case is made of, in words.
fn parts(instrument: usize, exchange: &Exchange, network: &Network) -> String {
    let open = exchange.open_in(instrument).map(|order| {
        let link = order.link.as_ref().map_or("-", |link| crate::network::tail(link));
        format!("{link} open {:?} {}", order.side, order.left())
    });
    let coming = network.flying.values().filter(|request| request.arrives_in_time());
    let coming = coming.filter(|request| request.command.instrument().0 as usize == instrument);
    let coming = coming.map(|request| format!("#{} coming", request.of.0));
    open.chain(coming).collect::<Vec<String>>().join(", ")
}

impl Network {
    /// The largest quantity that an amend on its way asks for.
    pub(crate) fn amended_to(&self, link: &LinkId) -> i64 {
        self.flying
            .values()
            .filter(|request| request.arrives_in_time())
            .filter_map(|request| match &request.command {
                Command::Amend(amend) if amend.link == *link => amend.quantity,
                _ => None,
            })
            .map(|quantity| quantity.0)
            .max()
            .unwrap_or(0)
    }

    /// Creates that will reach the venue inside its window and that it does not know yet.
    pub(crate) fn creates_in<'a>(
        &'a self,
        instrument: usize,
        exchange: &'a Exchange,
    ) -> impl Iterator<Item = &'a portcullis_core::PlaceOrder> {
        let mut seen: Vec<&LinkId> = Vec::new();
        let coming = self.flying.values().filter(|request| request.arrives_in_time());
        coming.filter_map(move |request| match &request.command {
            Command::Place(place)
                if place.instrument.0 as usize == instrument
                    && exchange.order_of(&request.link).is_none()
                    && !seen.contains(&&request.link) =>
            {
                seen.push(&request.link);
                Some(place)
            }
            _ => None,
        })
    }
}
