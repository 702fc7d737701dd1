//! The order row.

use std::collections::BTreeMap;

use portcullis_core::{Amount, Category, InstrumentSpec, Price, Qty};
use portcullis_wire as wire;
use portcullis_wire::{format_amount, format_mantissa};
use serde_json::Value;

use super::super::Exchange;
use super::words;
use crate::engine::{Closed, Coin, Order, OrderKey, Origin, Slippage};
use crate::listing::Listing;

impl Exchange {
    /// An order; `pushed` adds what only the stream has.
    pub(crate) fn order_row(&self, order: &Order, pushed: bool) -> Option<wire::Order> {
        let spec = self.listing.get(order.instrument)?;
        let spot = spec.category == Category::Spot;
        let price = |price: Option<Price>| words::price_or_empty(spec, price);
        let quantity = |quantity: Qty| format_mantissa(quantity.0, spec.quantity_decimals);
        let market = order.price.is_none();
        let average = self.engine.average_of(order);
        let open = order.status.is_open();
        let average = if average.0 == 0 && !open { String::new() } else { format_amount(average) };
        let exits =
            |present: Option<Price>, watches| present.map_or("", |_| words::watched(watches)).to_owned();
        let (slippage_type, slippage) = slippage(order.slippage);
        let fee_coin = if spot { Listing::base_coin(spec) } else { Coin::USDT.as_str() };
        let bought = spot && order.base_fees.0 != 0;
        Some(wire::Order {
            category: pushed.then(|| words::category(spec)),
            order_id: self.names.order(order.key, spec.category),
            order_link_id: self.link_of(order, spec),
            parent_order_link_id: order.parent.as_ref().map_or_else(String::new, ToString::to_string),
            symbol: spec.symbol.to_string(),
            price: if market { "0".to_owned() } else { price(order.price) },
            qty: order.budget.map_or_else(|| quantity(order.quantity), format_amount),
            side: words::side(order.side),
            is_leverage: if spot { "0" } else { "" }.to_owned(),
            position_idx: i64::from(order.leg.index()),
            order_status: words::status(order, spot),
            create_type: words::create_type(order.origin, spot),
            cancel_type: words::cancel_type(order.closed),
            reject_reason: words::reject_reason(order.closed),
            avg_price: average,
            leaves_qty: quantity(if order.budget.is_some() { Qty(0) } else { order.leaves() }),
            leaves_value: format_amount(self.leaves_value(order)),
            cum_exec_qty: quantity(order.executed),
            cum_exec_value: format_amount(order.executed_value),
            cum_exec_fee: format_amount(if bought { order.base_fees } else { order.fees }),
            cum_fee_detail: fees(order, fee_coin, spot),
            fee_currency: pushed.then(|| if bought { fee_coin } else { Coin::USDT.as_str() }.to_owned()),
            closed_pnl: pushed.then(|| format_amount(order.realised)),
            time_in_force: words::time_in_force(order.time_in_force),
            order_type: if market { wire::OrderType::Market } else { wire::OrderType::Limit },
            stop_order_type: words::stop_order_type(order),
            market_unit: match (spot && market, order.budget) {
                (true, Some(_)) => "quoteCoin",
                (true, None) => "baseCoin",
                (false, _) => "",
            }
            .to_owned(),
            trigger_price: price(order.trigger.map(|condition| condition.price)),
            take_profit: price(order.take_profit),
            stop_loss: price(order.stop_loss),
            tpsl_mode: tpsl_mode(order, spot).to_owned(),
            tp_limit_price: price(order.exits.profit_limit),
            sl_limit_price: price(order.exits.loss_limit),
            tp_trigger_by: exits(order.take_profit, order.exits.profit_watches),
            sl_trigger_by: exits(order.stop_loss, order.exits.loss_watches),
            trigger_direction: match order.trigger {
                Some(condition) if !spot => {
                    if condition.rising {
                        1
                    } else {
                        2
                    }
                }
                Some(_) | None => 0,
            },
            trigger_by: match order.trigger {
                Some(condition) if !spot => words::watched(condition.watches),
                Some(_) | None => "",
            }
            .to_owned(),
            last_price_on_created: price(Some(order.last_on_created).filter(|price| price.0 > 0)),
            base_price: if spot { price(Some(order.last_on_created)) } else { String::new() },
            reduce_only: order.reduce_only,
            close_on_trigger: order.close_on_trigger,
            smp_type: words::smp_type(order.self_match).to_owned(),
            smp_order_id: order.met.map_or_else(String::new, |key| self.names.order(key, spec.category)),
            slippage_tolerance_type: slippage_type.to_owned(),
            slippage_tolerance: slippage,
            created_time: words::millis(order.created),
            updated_time: words::millis(order.updated),
            extra_fees: Value::String(String::new()),
            rpi_matched_qty: "0".to_owned(),
            ..wire::Order::default()
        })
    }

    /// The client's name of an order. Spot orders without one get one from the exchange.
    pub(crate) fn link_of(&self, order: &Order, spec: &InstrumentSpec) -> String {
        match &order.link {
            Some(link) => link.to_string(),
            None if spec.category == Category::Spot => self.names.spot_link(order.key),
            None => String::new(),
        }
    }

    /// The order that a client's name stands for, also one that the exchange made up.
    pub(crate) fn key_of_link(&self, link: &portcullis_core::LinkId) -> Option<OrderKey> {
        self.engine.key_of(link).or_else(|| self.names.spot_link_key(link.as_str()))
    }

    /// Value of what is left, at the order's limit; of an order with a budget what is left of that, also once closed.
    fn leaves_value(&self, order: &Order) -> Amount {
        match (order.budget, order.price) {
            (Some(budget), _) => Amount(budget.0.saturating_sub(order.executed_value.0)),
            (None, Some(price)) => self.engine.value(order.instrument, price, order.leaves()),
            (None, None) => Amount(0),
        }
    }
}

fn fees(order: &Order, base: &str, spot: bool) -> BTreeMap<String, String> {
    let mut fees = BTreeMap::new();
    if !spot || order.fees.0 != 0 {
        fees.insert(Coin::USDT.to_string(), format_amount(order.fees));
    }
    if spot && order.base_fees.0 != 0 {
        fees.insert(base.to_owned(), format_amount(order.base_fees));
    }
    fees
}

fn tpsl_mode(order: &Order, spot: bool) -> &'static str {
    let partial =
        order.exits.partial || matches!(order.origin, Origin::PartialTakeProfit | Origin::PartialStopLoss);
    if spot {
        ""
    } else if order.closed == Closed::ByClient {
        "UNKNOWN"
    } else if partial {
        "Partial"
    } else {
        "Full"
    }
}

fn slippage(slippage: Option<Slippage>) -> (&'static str, String) {
    match slippage {
        None => ("UNKNOWN", String::new()),
        Some(Slippage::Ticks(ticks)) => ("TickSize", ticks.to_string()),
        Some(Slippage::BasisPoints(points)) => ("Percent", format_mantissa(i64::from(points), 2)),
    }
}
