//! Engine rows as Bybit writes them, with the full set of members that third-party clients insist on.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_core::{Amount, InstrumentSpec, Price, Qty, Side, TimeInForce, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{format_amount, format_mantissa};
use serde_json::Value;

use super::{Exchange, PrivateRows};
use crate::engine::{
    Closed, Event, Execution, ExecutionKind, Order, Origin, Position, SelfMatch, Slippage, Status, Watched,
};

impl Exchange {
    /// The rows of a batch by topic. Of positions and the wallet only the newest counts.
    pub(super) fn private_rows(&self, events: &[Event]) -> Vec<PrivateRows> {
        let (mut executions, mut orders, mut moved, mut wallet) =
            (Vec::new(), Vec::new(), BTreeSet::new(), false);
        for event in events {
            match event {
                Event::Execution(row) => executions.extend(self.execution_row(row, true)),
                // The venue tells the position with every change of an order, moved or not.
                Event::Order(row) => {
                    orders.extend(self.order_row(row, true));
                    moved.insert(row.instrument);
                }
                Event::Position(row) => drop(moved.insert(row.instrument)),
                Event::Wallet(_) => wallet = true,
            }
        }
        let mut rows = Vec::with_capacity(4);
        if !executions.is_empty() {
            rows.push(PrivateRows::Executions(executions));
        }
        if !orders.is_empty() {
            rows.push(PrivateRows::Orders(orders));
        }
        let positions = self.engine.positions().filter(|row| moved.contains(&row.instrument));
        let positions: Vec<_> = positions.filter_map(|row| self.position_row(row, true)).collect();
        if !positions.is_empty() {
            rows.push(PrivateRows::Positions(positions));
        }
        if wallet {
            rows.push(PrivateRows::Wallet(Box::new(self.wallet_row())));
        }
        rows
    }

    /// An order; `pushed` adds what only the stream has.
    pub(crate) fn order_row(&self, order: &Order, pushed: bool) -> Option<wire::Order> {
        let spec = self.listing.get(order.instrument)?;
        let price = |price: Option<Price>| price.map_or_else(String::new, |price| price_text(spec, price));
        let quantity = |quantity: Qty| format_mantissa(quantity.0, spec.quantity_decimals);
        let market = order.price.is_none();
        let open = order.status.is_open();
        let by_user = order.closed == Closed::ByClient;
        let average = self.engine.average_of(order);
        let average = if average.0 == 0 && !open { String::new() } else { format_amount(average) };
        let leaves_value =
            order.price.map_or(Amount(0), |price| self.engine.value(order.instrument, price, order.leaves()));
        let (slippage_type, slippage) = match order.slippage {
            None => ("UNKNOWN", String::new()),
            Some(Slippage::Ticks(ticks)) => ("TickSize", ticks.to_string()),
            Some(Slippage::BasisPoints(points)) => ("Percent", format_mantissa(i64::from(points), 2)),
        };
        Some(wire::Order {
            category: pushed.then_some(wire::Category::Linear),
            order_id: self.names.order(order.key),
            order_link_id: order.link.as_ref().map_or_else(String::new, ToString::to_string),
            symbol: spec.symbol.to_string(),
            price: if market { "0".to_owned() } else { price(order.price) },
            qty: quantity(order.quantity),
            side: side(order.side),
            position_idx: 0,
            order_status: status(order.status),
            create_type: create_type(order.origin),
            cancel_type: cancel_type(order.closed),
            reject_reason: reject_reason(order.closed),
            avg_price: average,
            leaves_qty: quantity(order.leaves()),
            leaves_value: format_amount(leaves_value),
            cum_exec_qty: quantity(order.executed),
            cum_exec_value: format_amount(order.executed_value),
            cum_exec_fee: format_amount(order.fees),
            cum_fee_detail: BTreeMap::from([("USDT".to_owned(), format_amount(order.fees))]),
            fee_currency: pushed.then(|| "USDT".to_owned()),
            closed_pnl: pushed.then(|| format_amount(order.realised)),
            time_in_force: time_in_force(order.time_in_force),
            order_type: if market { wire::OrderType::Market } else { wire::OrderType::Limit },
            stop_order_type: stop_order_type(order),
            trigger_price: price(order.trigger.map(|condition| condition.price)),
            take_profit: price(order.take_profit),
            stop_loss: price(order.stop_loss),
            tpsl_mode: if by_user { "UNKNOWN" } else { "Full" }.to_owned(),
            tp_trigger_by: order.take_profit.map_or("", |_| "LastPrice").to_owned(),
            sl_trigger_by: order.stop_loss.map_or("", |_| "LastPrice").to_owned(),
            trigger_direction: order.trigger.map_or(0, |condition| if condition.rising { 1 } else { 2 }),
            trigger_by: order.trigger.map_or("", |condition| watched(condition.watches)).to_owned(),
            last_price_on_created: price(Some(order.last_on_created).filter(|price| price.0 > 0)),
            reduce_only: order.reduce_only,
            close_on_trigger: order.origin != Origin::Client,
            smp_type: smp_type(order.self_match).to_owned(),
            slippage_tolerance_type: slippage_type.to_owned(),
            slippage_tolerance: slippage,
            created_time: millis(order.created),
            updated_time: millis(order.updated),
            extra_fees: Value::String(String::new()),
            ..wire::Order::default()
        })
    }

    /// An execution; `pushed` adds what only the stream has.
    pub(crate) fn execution_row(&self, row: &Execution, pushed: bool) -> Option<wire::Execution> {
        let spec = self.listing.get(row.instrument)?;
        let quantity = |quantity: Qty| format_mantissa(quantity.0, spec.quantity_decimals);
        let funding = row.kind == ExecutionKind::Funding;
        let order_id = match row.order {
            Some(key) => self.names.order(key),
            // The form of Bybit's own pseudo ids.
            None => format!(
                "{}-{}-{}-{}",
                row.time.millis() / 1_000,
                spec.symbol,
                self.names.user(),
                side(row.side)
            ),
        };
        Some(wire::Execution {
            category: pushed.then_some(wire::Category::Linear),
            symbol: spec.symbol.to_string(),
            order_id,
            order_link_id: row.link.as_ref().map_or_else(String::new, ToString::to_string),
            side: side(row.side),
            order_price: row.order_price.map_or_else(|| "0".to_owned(), |price| price_text(spec, price)),
            order_qty: quantity(row.order_quantity),
            leaves_qty: quantity(row.leaves),
            create_type: if funding { wire::CreateType::None } else { create_type(row.origin) },
            order_type: match (funding, row.order_price) {
                (true, _) => wire::OrderType::Unknown,
                (false, Some(_)) => wire::OrderType::Limit,
                (false, None) => wire::OrderType::Market,
            },
            stop_order_type: match row.origin {
                Origin::TakeProfit => wire::StopOrderType::TakeProfit,
                Origin::StopLoss => wire::StopOrderType::StopLoss,
                Origin::Client | Origin::Liquidation => wire::StopOrderType::Unknown,
            },
            exec_fee: format_amount(row.fee),
            exec_id: self.names.execution(row.number),
            exec_price: price_text(spec, row.price),
            exec_qty: quantity(row.quantity),
            exec_type: match row.kind {
                ExecutionKind::Trade => wire::ExecType::Trade,
                ExecutionKind::Funding => wire::ExecType::Funding,
                ExecutionKind::Bust => wire::ExecType::BustTrade,
            },
            exec_value: format_amount(row.value),
            exec_time: millis(row.time),
            fee_currency: "USDT".to_owned(),
            is_maker: row.maker,
            fee_rate: format_mantissa(row.rate.0, 12),
            mark_price: format_amount(row.mark),
            closed_size: quantity(row.closed),
            extra_fees: Value::String(String::new()),
            seq: i64::try_from(row.number).unwrap_or(i64::MAX),
            is_leverage: pushed.then(|| "0".to_owned()),
            exec_pnl: pushed.then(|| format_amount(row.realised)),
            market_unit: pushed.then(String::new),
            ..wire::Execution::default()
        })
    }

    /// A position; the stream names the average price differently from the query.
    pub(crate) fn position_row(&self, row: &Position, pushed: bool) -> Option<wire::Position> {
        let spec = self.listing.get(row.instrument)?;
        let (value, unrealised) = self.engine.valuation(row.instrument)?;
        let average = self.engine.average_of_position(row);
        let view = self.engine.view(row.instrument)?;
        let initial = crate::engine::initial_margin(value, row.leverage);
        let maintenance = self.engine.maintenance_of(value);
        let cost = Amount(row.cost.0.saturating_abs());
        let realised = row.realised.0.saturating_sub(row.fees.0).saturating_sub(row.funding.0);
        let protection =
            |price: Option<Price>| price.map_or_else(String::new, |price| price_text(spec, price));
        let flat = row.size.0 == 0;
        let average = format_amount(average);
        Some(wire::Position {
            category: pushed.then_some(wire::Category::Linear),
            position_idx: 0,
            risk_id: 1,
            risk_limit_value: "2000000".to_owned(),
            symbol: spec.symbol.to_string(),
            side: row.side().map_or(wire::Side::Flat, side),
            size: format_mantissa(row.quantity().0, spec.quantity_decimals),
            avg_price: (!pushed).then(|| average.clone()),
            entry_price: pushed.then(|| average.clone()),
            position_value: if flat { String::new() } else { format_amount(cost) },
            position_status: wire::PositionStatus::Normal,
            leverage: format_mantissa(i64::from(row.leverage), 2),
            break_even_price: if flat { String::new() } else { average },
            mark_price: format_amount(view.mark),
            position_im: format_amount(initial),
            position_im_by_mp: format_amount(initial),
            position_mm: format_amount(maintenance),
            position_mm_by_mp: format_amount(maintenance),
            position_balance: "0".to_owned(),
            tpsl_mode: "Full".to_owned(),
            take_profit: protection(row.take_profit),
            stop_loss: protection(row.stop_loss),
            trailing_stop: "0".to_owned(),
            unrealised_pnl: if flat { String::new() } else { format_amount(unrealised) },
            cur_realised_pnl: format_amount(row.current_realised),
            cum_realised_pnl: format_amount(Amount(realised)),
            created_time: millis(row.created),
            updated_time: millis(row.updated),
            open_time: i64::try_from(row.opened.millis()).unwrap_or(0),
            seq: if row.created.0 == 0 { -1 } else { i64::try_from(self.sequence).unwrap_or(i64::MAX) },
            ..wire::Position::default()
        })
    }

    /// The account. USDT counts as one dollar.
    pub(crate) fn wallet_row(&self) -> wire::Wallet {
        let (wallet, margin) = (self.engine.wallet(), self.engine.margin());
        let text = format_amount;
        // Four decimals; an account without equity has no rate.
        let unit = margin.equity.0.checked_div(10_000).unwrap_or(0);
        let ratio = |part: Amount| {
            let ratio = part.0.checked_div(unit).and_then(|ratio| i64::try_from(ratio).ok());
            format_mantissa(ratio.unwrap_or(0), 4)
        };
        let order_initial = Amount(margin.initial.0.saturating_sub(margin.position_initial.0).max(0));
        let realised = wallet.realised.0.saturating_sub(wallet.fees.0).saturating_sub(wallet.funding.0);
        let zero = || "0".to_owned();
        wire::Wallet {
            account_type: "UNIFIED".to_owned(),
            total_equity: text(margin.equity),
            account_im_rate: ratio(margin.initial),
            account_im_rate_by_mp: ratio(margin.initial),
            account_mm_rate: ratio(margin.maintenance),
            account_mm_rate_by_mp: ratio(margin.maintenance),
            total_margin_balance: text(margin.equity),
            total_initial_margin: text(margin.initial),
            total_initial_margin_by_mp: text(margin.initial),
            total_maintenance_margin: text(margin.maintenance),
            total_maintenance_margin_by_mp: text(margin.maintenance),
            total_available_balance: text(margin.available()),
            total_perp_upl: text(margin.unrealised),
            total_wallet_balance: text(wallet.balance),
            account_ltv: zero(),
            coin: vec![wire::WalletCoin {
                coin: "USDT".to_owned(),
                equity: text(margin.equity),
                usd_value: text(margin.equity),
                wallet_balance: text(wallet.balance),
                locked: zero(),
                borrow_amount: zero(),
                accrued_interest: zero(),
                total_order_im: text(order_initial),
                total_position_im: text(margin.position_initial),
                total_position_mm: text(margin.maintenance),
                unrealised_pnl: text(margin.unrealised),
                cum_realised_pnl: text(Amount(realised)),
                bonus: zero(),
                collateral_switch: true,
                margin_collateral: true,
                spot_hedging_qty: zero(),
                spot_borrow: zero(),
                ..wire::WalletCoin::default()
            }],
        }
    }
}

pub(crate) fn price_text(spec: &InstrumentSpec, price: Price) -> String {
    format_mantissa(price.0, spec.price_decimals)
}

fn millis(time: Timestamp) -> String {
    time.millis().to_string()
}

pub(crate) fn side(side: Side) -> wire::Side {
    match side {
        Side::Buy => wire::Side::Buy,
        Side::Sell => wire::Side::Sell,
    }
}

fn status(status: Status) -> wire::OrderStatus {
    match status {
        Status::New => wire::OrderStatus::New,
        Status::PartiallyFilled => wire::OrderStatus::PartiallyFilled,
        Status::Untriggered => wire::OrderStatus::Untriggered,
        Status::Triggered => wire::OrderStatus::Triggered,
        Status::Filled => wire::OrderStatus::Filled,
        Status::Cancelled => wire::OrderStatus::Cancelled,
        Status::Deactivated => wire::OrderStatus::Deactivated,
        Status::Rejected => wire::OrderStatus::Rejected,
    }
}

fn time_in_force(time_in_force: TimeInForce) -> wire::TimeInForce {
    match time_in_force {
        TimeInForce::Gtc => wire::TimeInForce::Gtc,
        TimeInForce::Ioc => wire::TimeInForce::Ioc,
        TimeInForce::Fok => wire::TimeInForce::Fok,
        TimeInForce::PostOnly => wire::TimeInForce::PostOnly,
    }
}

fn create_type(origin: Origin) -> wire::CreateType {
    match origin {
        Origin::Client => wire::CreateType::ByUser,
        Origin::TakeProfit => wire::CreateType::ByTakeProfit,
        Origin::StopLoss => wire::CreateType::ByStopLoss,
        Origin::Liquidation => wire::CreateType::ByLiq,
    }
}

fn stop_order_type(order: &Order) -> wire::StopOrderType {
    match (order.origin, order.trigger) {
        (Origin::TakeProfit, _) => wire::StopOrderType::TakeProfit,
        (Origin::StopLoss, _) => wire::StopOrderType::StopLoss,
        (Origin::Client, Some(_)) => wire::StopOrderType::Stop,
        (Origin::Client, None) | (Origin::Liquidation, _) => wire::StopOrderType::None,
    }
}

fn cancel_type(closed: Closed) -> wire::CancelType {
    match closed {
        Closed::ByClient => wire::CancelType::ByUser,
        Closed::ReduceOnly => wire::CancelType::ByReduceOnly,
        Closed::SelfMatch => wire::CancelType::BySmp,
        Closed::ProtectionCleared => wire::CancelType::ByTpslTs,
        Closed::Liquidation => wire::CancelType::AllBeforeLiq,
        Closed::Margin => wire::CancelType::ByCannotAfford,
        Closed::No | Closed::WouldTake | Closed::NothingToTake | Closed::NotFull => wire::CancelType::Unknown,
    }
}

fn reject_reason(closed: Closed) -> wire::RejectReason {
    match closed {
        Closed::No => wire::RejectReason::NoError,
        Closed::WouldTake => wire::RejectReason::PostOnlyWillTake,
        Closed::NothingToTake => wire::RejectReason::NoImmediateQtyToFill,
        Closed::NotFull => wire::RejectReason::CancelForNoFullFill,
        Closed::Margin => wire::RejectReason::InsufficientBalance,
        Closed::SelfMatch => wire::RejectReason::BySelfMatch,
        Closed::ByClient | Closed::ReduceOnly | Closed::ProtectionCleared | Closed::Liquidation => {
            wire::RejectReason::PerCancelRequest
        }
    }
}

fn smp_type(self_match: SelfMatch) -> &'static str {
    match self_match {
        SelfMatch::Allow => "None",
        SelfMatch::CancelMaker => "CancelMaker",
        SelfMatch::CancelTaker => "CancelTaker",
        SelfMatch::CancelBoth => "CancelBoth",
    }
}

fn watched(watched: Watched) -> &'static str {
    match watched {
        Watched::Last => "LastPrice",
        Watched::Mark => "MarkPrice",
    }
}
