//! The rows that executions make: executions, closed profits, transactions.

use portcullis_core::{Amount, Category, InstrumentSpec, Qty};
use portcullis_wire as wire;
use portcullis_wire::{format_amount, format_mantissa};
use serde_json::Value;

use super::super::Exchange;
use super::super::history::Closing;
use super::words;
use crate::engine::{Coin, Execution, ExecutionKind, OrderKey};
use crate::listing::Listing;

impl Exchange {
    /// An execution; `pushed` adds what only the stream has.
    pub(crate) fn execution_row(&self, row: &Execution, pushed: bool) -> Option<wire::Execution> {
        let spec = self.listing.get(row.instrument)?;
        let spot = spec.category == Category::Spot;
        let quantity = |quantity: Qty| format_mantissa(quantity.0, spec.quantity_decimals);
        let funding = row.kind == ExecutionKind::Funding;
        Some(wire::Execution {
            category: pushed.then(|| words::category(spec)),
            symbol: spec.symbol.to_string(),
            order_id: self.order_of(row, spec),
            order_link_id: self.link_of_execution(row, spec),
            side: words::side(row.side),
            order_price: words::price_text(spec, row.order_price.unwrap_or_default()),
            order_qty: quantity(row.order_quantity),
            leaves_qty: quantity(row.leaves),
            create_type: if funding { wire::CreateType::None } else { words::create_type(row.origin, spot) },
            order_type: match (funding, row.order_price) {
                (true, _) => wire::OrderType::Unknown,
                (false, Some(_)) => wire::OrderType::Limit,
                (false, None) => wire::OrderType::Market,
            },
            stop_order_type: words::exit_type(
                row.origin,
                if spot { wire::StopOrderType::None } else { wire::StopOrderType::Unknown },
            ),
            exec_fee: format_amount(row.fee),
            exec_id: self.names.execution(row.number, spec.category),
            exec_price: words::price_text(spec, row.price),
            exec_qty: quantity(row.quantity),
            exec_type: words::exec_type(row.kind),
            exec_value: format_amount(row.value),
            exec_time: words::millis(row.time),
            fee_currency: row.fee_coin.to_string(),
            is_maker: row.maker,
            fee_rate: format_mantissa(row.rate.0, 12),
            mark_price: format_amount(row.mark),
            closed_size: if spot { String::new() } else { quantity(row.closed) },
            extra_fees: Value::String(String::new()),
            seq: i64::try_from(row.number).unwrap_or(i64::MAX),
            is_leverage: pushed.then(|| "0".to_owned()),
            exec_pnl: pushed.then(|| format_amount(row.realised)),
            market_unit: pushed.then(String::new),
            ..wire::Execution::default()
        })
    }

    /// A closed profit.
    pub(crate) fn closed_pnl_row(&self, row: &Closing) -> Option<wire::ClosedPnl> {
        let spec = self.listing.get(row.instrument)?;
        let quantity = |quantity: Qty| format_mantissa(quantity.0, spec.quantity_decimals);
        let average = |value| format_amount(self.engine.average(row.instrument, value, row.closed));
        let profit = row.realised.0.saturating_sub(row.open_fee.0).saturating_sub(row.close_fee.0);
        let leverage = self.engine.positions().find(|position| position.instrument == row.instrument);
        Some(wire::ClosedPnl {
            symbol: spec.symbol.to_string(),
            order_id: self.names.order(row.order, spec.category),
            side: words::side(row.side),
            qty: quantity(row.order_quantity),
            order_price: words::price_text(spec, row.order_price.unwrap_or(row.last_price)),
            order_type: if row.order_price.is_some() {
                wire::OrderType::Limit
            } else {
                wire::OrderType::Market
            },
            exec_type: words::exec_type(row.kind),
            closed_size: quantity(row.closed),
            cum_entry_value: format_amount(row.entry),
            avg_entry_price: average(row.entry),
            cum_exit_value: format_amount(row.exit),
            avg_exit_price: average(row.exit),
            closed_pnl: format_amount(Amount(profit)),
            fill_count: row.executions.to_string(),
            leverage: leverage.map_or_else(String::new, |row| format_mantissa(i64::from(row.leverage), 2)),
            open_fee: format_amount(row.open_fee),
            close_fee: format_amount(row.close_fee),
            created_time: words::millis(row.created),
            updated_time: words::millis(row.updated),
        })
    }

    /// The changes of balances that an execution made: one, or of a spot trade one of each coin.
    pub(crate) fn transaction_rows(&self, row: &Execution) -> Vec<wire::Transaction> {
        let Some(spec) = self.listing.get(row.instrument) else { return Vec::new() };
        let negative = |amount: Amount| Amount(amount.0.saturating_neg());
        let funding = row.kind == ExecutionKind::Funding;
        let base = Coin::try_from(Listing::base_coin(spec)).unwrap_or_default();
        let entry = |currency: Coin, flow: Amount, balance: Amount| {
            let fee = if funding || row.fee_coin != currency { Amount(0) } else { row.fee };
            let paid = if funding { negative(row.fee) } else { Amount(0) };
            let change = flow.0.saturating_add(paid.0).saturating_sub(fee.0);
            wire::Transaction {
                id: format!("{}_{}_{}", self.names.user(), spec.symbol, row.number),
                symbol: spec.symbol.to_string(),
                category: words::category(spec),
                side: words::side(row.side),
                transaction_time: words::millis(row.time),
                kind: match row.kind {
                    ExecutionKind::Trade => "TRADE",
                    ExecutionKind::Funding => "SETTLEMENT",
                    ExecutionKind::Bust => "LIQUIDATION",
                }
                .to_owned(),
                trans_sub_type: String::new(),
                qty: format_mantissa(row.quantity.0, spec.quantity_decimals),
                size: format_mantissa(row.position.0, spec.quantity_decimals),
                currency: currency.to_string(),
                trade_price: words::price_text(spec, row.price),
                funding: if funding { format_amount(paid) } else { String::new() },
                fee: format_amount(fee),
                cash_flow: format_amount(flow),
                change: format_amount(Amount(change)),
                cash_balance: format_amount(balance),
                fee_rate: format_mantissa(row.rate.0, 12),
                bonus_change: String::new(),
                trade_id: self.names.execution(row.number, spec.category),
                order_id: self.order_of(row, spec),
                order_link_id: self.link_of_execution(row, spec),
                extra_fees: Value::String(String::new()),
            }
        };
        match spec.category {
            Category::Linear => vec![entry(Coin::USDT, row.realised, row.balance)],
            Category::Spot => {
                let buys = row.side == portcullis_core::Side::Buy;
                let coins = self.engine.coins_of(row.instrument, row.quantity);
                let (given, taken) = (negative(row.value), coins);
                let (quote, coins) = if buys { (given, taken) } else { (row.value, negative(coins)) };
                vec![entry(Coin::USDT, quote, row.balance), entry(base, coins, row.base_balance)]
            }
        }
    }

    /// The name of an execution's order; a funding payment has a made-up one, of the form of Bybit's own.
    fn order_of(&self, row: &Execution, spec: &InstrumentSpec) -> String {
        row.order.map_or_else(
            || {
                let (time, user) = (row.time.millis() / 1_000, self.names.user());
                format!("{time}-{}-{user}-{}", spec.symbol, words::side(row.side))
            },
            |key| self.names.order(key, spec.category),
        )
    }

    fn link_of_execution(&self, row: &Execution, spec: &InstrumentSpec) -> String {
        match (&row.link, row.order) {
            (Some(link), _) => link.to_string(),
            (None, Some(OrderKey(number))) if spec.category == Category::Spot => {
                self.names.spot_link(OrderKey(number))
            }
            (None, _) => String::new(),
        }
    }
}
