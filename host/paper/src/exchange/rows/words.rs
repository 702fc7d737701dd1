//! The engine's words in Bybit's.

use portcullis_core::{Category, InstrumentSpec, Price, Side, TimeInForce, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::format_mantissa;

use crate::engine::{Closed, ExecutionKind, Order, Origin, SelfMatch, Status, Watched};

pub(crate) fn price_text(spec: &InstrumentSpec, price: Price) -> String {
    format_mantissa(price.0, spec.price_decimals)
}

/// A price that may be missing: the empty text then.
pub(super) fn price_or_empty(spec: &InstrumentSpec, price: Option<Price>) -> String {
    price.map_or_else(String::new, |price| price_text(spec, price))
}

pub(super) fn millis(time: Timestamp) -> String {
    time.millis().to_string()
}

pub(crate) fn side(side: Side) -> wire::Side {
    match side {
        Side::Buy => wire::Side::Buy,
        Side::Sell => wire::Side::Sell,
    }
}

pub(super) fn category(spec: &InstrumentSpec) -> wire::Category {
    match spec.category {
        Category::Linear => wire::Category::Linear,
        Category::Spot => wire::Category::Spot,
    }
}

/// Spot tells a part that executed before a cancel apart.
pub(super) fn status(order: &Order, spot: bool) -> wire::OrderStatus {
    match order.status {
        Status::New => wire::OrderStatus::New,
        Status::PartiallyFilled => wire::OrderStatus::PartiallyFilled,
        Status::Untriggered => wire::OrderStatus::Untriggered,
        Status::Triggered => wire::OrderStatus::Triggered,
        Status::Filled => wire::OrderStatus::Filled,
        Status::Cancelled if spot && order.executed.0 > 0 => wire::OrderStatus::PartiallyFilledCanceled,
        Status::Cancelled => wire::OrderStatus::Cancelled,
        Status::Deactivated => wire::OrderStatus::Deactivated,
        Status::Rejected => wire::OrderStatus::Rejected,
    }
}

pub(super) fn time_in_force(time_in_force: TimeInForce) -> wire::TimeInForce {
    match time_in_force {
        TimeInForce::Gtc => wire::TimeInForce::Gtc,
        TimeInForce::Ioc => wire::TimeInForce::Ioc,
        TimeInForce::Fok => wire::TimeInForce::Fok,
        TimeInForce::PostOnly => wire::TimeInForce::PostOnly,
    }
}

/// What made an order; spot does not say.
pub(super) fn create_type(origin: Origin, spot: bool) -> wire::CreateType {
    match origin {
        _ if spot => wire::CreateType::None,
        Origin::Client => wire::CreateType::ByUser,
        Origin::TakeProfit => wire::CreateType::ByTakeProfit,
        Origin::StopLoss => wire::CreateType::ByStopLoss,
        Origin::TrailingStop => wire::CreateType::ByTrailingStop,
        Origin::PartialTakeProfit => wire::CreateType::ByPartialTakeProfit,
        Origin::PartialStopLoss => wire::CreateType::ByPartialStopLoss,
        Origin::Liquidation => wire::CreateType::ByLiq,
    }
}

/// The kind of an exit; `none` for what is no exit.
pub(super) fn exit_type(origin: Origin, none: wire::StopOrderType) -> wire::StopOrderType {
    match origin {
        Origin::TakeProfit => wire::StopOrderType::TakeProfit,
        Origin::StopLoss => wire::StopOrderType::StopLoss,
        Origin::TrailingStop => wire::StopOrderType::TrailingStop,
        Origin::PartialTakeProfit => wire::StopOrderType::PartialTakeProfit,
        Origin::PartialStopLoss => wire::StopOrderType::PartialStopLoss,
        Origin::Client | Origin::Liquidation => none,
    }
}

pub(super) fn stop_order_type(order: &Order) -> wire::StopOrderType {
    let none = match order.trigger {
        Some(_) if order.reserves => wire::StopOrderType::TpslOrder,
        Some(_) => wire::StopOrderType::Stop,
        None => wire::StopOrderType::None,
    };
    exit_type(order.origin, none)
}

pub(super) fn exec_type(kind: ExecutionKind) -> wire::ExecType {
    match kind {
        ExecutionKind::Trade => wire::ExecType::Trade,
        ExecutionKind::Funding => wire::ExecType::Funding,
        ExecutionKind::Bust => wire::ExecType::BustTrade,
    }
}

pub(super) fn cancel_type(closed: Closed) -> wire::CancelType {
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

pub(super) fn reject_reason(closed: Closed) -> wire::RejectReason {
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

pub(super) fn smp_type(self_match: SelfMatch) -> &'static str {
    match self_match {
        SelfMatch::Allow => "None",
        SelfMatch::CancelMaker => "CancelMaker",
        SelfMatch::CancelTaker => "CancelTaker",
        SelfMatch::CancelBoth => "CancelBoth",
    }
}

pub(super) fn watched(watched: Watched) -> &'static str {
    match watched {
        Watched::Last => "LastPrice",
        Watched::Mark => "MarkPrice",
        Watched::Index => "IndexPrice",
    }
}
