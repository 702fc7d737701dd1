//! The limits of money, computed anew from the venue's truth (invariant 2).

use portcullis_core::{Command, InstrumentSpec, LinkId, Side};

use super::submit::Order;
use super::{Watch, only_closes, worst};
use crate::clock::SECOND;
use crate::exchange::{Exchange, specs};
use crate::network::Network;
use crate::words::tail;

/// How long after a strategy was given less an order may leave that was approved before.
const APPROVED_BEFORE: u64 = 5 * SECOND;

impl Watch {
    /// A bound of positions may be exceeded already, because a price rose or a budget fell. Then an order may still leave that only
    /// closes what is held: it makes no worst case worse.
    pub(super) fn check_bounds(&mut self, order: &Order, now: u64, exchange: &Exchange, network: &Network) {
        let Some(own) = order.price.map(|price| fine(&specs()[order.instrument], price)) else {
            return self.violate("order-bound", "an order that adds risk has no price".to_owned());
        };
        let highest = self.told.markets[order.instrument].highest().unwrap_or(own).max(own);
        self.check_order(order, if order.side == Side::Buy { own } else { highest });
        let held = exchange.positions[order.instrument] - self.unheard[order.instrument];
        let closes = only_closes(order.instrument, held, exchange, network, (order.side, order.added));
        let (mut account, mut open) = (0, 0);
        for (instrument, spec) in specs().iter().enumerate() {
            let is_own = instrument == order.instrument;
            let more = [(order.side, order.added, false)];
            let position = exchange.positions[instrument] - self.unheard[instrument];
            let worst = worst(instrument, position, exchange, network, if is_own { &more } else { &[] });
            let price = if is_own { Some(highest) } else { self.told.markets[instrument].highest() };
            let value = |quantity| worth(spec, price.unwrap_or_default(), quantity);
            let either = value(worst.long.max(worst.short));
            let here = network.creates_in(instrument, exchange).count()
                + exchange.open_in(instrument).count()
                + usize::from(is_own && order.is_new);
            account += either;
            open += here as u64;
            if is_own {
                let side = value(if order.side == Side::Buy { worst.long } else { worst.short });
                let parts = || parts(instrument, exchange, network);
                let (side, either) = if closes { (0, 0) } else { (side, either) };
                if either > self.budget_of(instrument, now) {
                    self.violate("budget", format!("instrument {instrument}: {worst:?} worth {either}"));
                }
                self.check_instrument(instrument, (side, either), here as u64, || {
                    format!(
                        "instrument {instrument}: {worst:?} worth {side}, position {position}, {}",
                        parts()
                    )
                });
            }
        }
        if account > self.limits.account.position_notional_max.0 && !closes {
            self.violate("worst-case", format!("account: worth {account}"));
        }
        if open > self.limits.account.open_orders_max {
            self.violate("order-bound", format!("{open} orders open"));
        }
    }

    /// What the instrument's strategy has, losses not taken off.
    fn budget_of(&self, instrument: usize, now: u64) -> i128 {
        let budget = &self.budgets[instrument];
        if now - budget.since < APPROVED_BEFORE { budget.now.max(budget.before) } else { budget.now }
    }

    /// The order by itself, at its worst price.
    fn check_order(&mut self, order: &Order, price: i128) {
        let spec = &specs()[order.instrument];
        let Some(limits) = self.limits_of(order.instrument) else { return };
        let quantity = i128::from(order.quantity) * 10_i128.pow(18 - u32::from(spec.quantity_decimals));
        if quantity > limits.order_quantity_max.0 {
            self.violate("order-bound", format!("quantity {}", order.quantity));
        }
        let notional = worth(spec, price, order.quantity);
        if notional > limits.order_notional_max.0 {
            self.violate("order-bound", format!("notional {notional}"));
        }
    }

    /// What its instrument could come to: on the order's side, and either way.
    fn check_instrument(
        &mut self,
        instrument: usize,
        (side, either): (i128, i128),
        open: u64,
        words: impl Fn() -> String,
    ) {
        let Some(limits) = self.limits_of(instrument) else { return };
        let strategy = &self.limits.each_strategy;
        let open_max = limits.open_orders_max.min(strategy.open_orders_max);
        if side > limits.position_notional_max.0 || either > strategy.position_notional_max.0 {
            self.violate("worst-case", words());
        }
        if open > open_max {
            self.violate("order-bound", format!("{open} orders open in instrument {instrument}"));
        }
    }

    pub(super) fn check_collar(&mut self, order: &Order) {
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
        let link = order.link.as_ref().map_or("-", |link| tail(link));
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
