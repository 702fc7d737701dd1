//! The venue's words to ours. A word that nobody knows is `None` where it must mean something.

use portcullis_core::{CloseReason, CreatedBy, ExecutionKind, Side, VenueStatus};
use portcullis_wire as wire;

use super::link;

pub(super) fn created_by(row: &wire::Order) -> CreatedBy {
    made_by(&row.create_type).unwrap_or_else(|| {
        match (link(&row.order_link_id), link(&row.parent_order_link_id)) {
            (None, Some(whole)) => CreatedBy::Split(whole),
            _ => CreatedBy::Client,
        }
    })
}

/// What of the venue's own made an order; `None` for a client.
pub(super) fn made_by(create_type: &wire::CreateType) -> Option<CreatedBy> {
    match create_type {
        wire::CreateType::ByStopLoss
        | wire::CreateType::ByTakeProfit
        | wire::CreateType::ByTrailingStop
        | wire::CreateType::ByPartialStopLoss
        | wire::CreateType::ByPartialTakeProfit => Some(CreatedBy::Protection),
        wire::CreateType::ByLiq
        | wire::CreateType::ByTakeOver
        | wire::CreateType::ByAdl
        | wire::CreateType::BySettle => Some(CreatedBy::Venue),
        wire::CreateType::ByUser
        | wire::CreateType::ByClosing
        | wire::CreateType::None
        | wire::CreateType::Other(_) => None,
    }
}

pub(super) fn status(status: &wire::OrderStatus) -> Option<VenueStatus> {
    Some(match status {
        wire::OrderStatus::New => VenueStatus::Working,
        wire::OrderStatus::PartiallyFilled => VenueStatus::PartiallyFilled,
        wire::OrderStatus::Untriggered => VenueStatus::Untriggered,
        wire::OrderStatus::Triggered => VenueStatus::Triggered,
        wire::OrderStatus::Filled => VenueStatus::Filled,
        wire::OrderStatus::Cancelled | wire::OrderStatus::PartiallyFilledCanceled => VenueStatus::Cancelled,
        wire::OrderStatus::Rejected => VenueStatus::Rejected,
        wire::OrderStatus::Deactivated => VenueStatus::Deactivated,
        wire::OrderStatus::Other(_) => return None,
    })
}

/// Why a closed order closed. The venue says "by user" for the strategy's, the operator's and the host's cancels alike.
pub(super) fn reason(
    status: VenueStatus,
    cancel: &wire::CancelType,
    reject: &wire::RejectReason,
) -> CloseReason {
    match status {
        VenueStatus::Working
        | VenueStatus::PartiallyFilled
        | VenueStatus::Untriggered
        | VenueStatus::Triggered
        | VenueStatus::Filled => return CloseReason::None,
        VenueStatus::Cancelled | VenueStatus::Rejected | VenueStatus::Deactivated => {}
    }
    match cancel {
        wire::CancelType::ByReduceOnly => return CloseReason::ReduceOnly,
        wire::CancelType::ByPrepareLiq
        | wire::CancelType::AllBeforeLiq
        | wire::CancelType::ByPrepareAdl
        | wire::CancelType::AllBeforeAdl => return CloseReason::Liquidation,
        wire::CancelType::BySmp => return CloseReason::SelfMatch,
        wire::CancelType::ByCannotAfford => return CloseReason::Margin,
        wire::CancelType::ByAdmin
        | wire::CancelType::ByDcp
        | wire::CancelType::BySettle
        | wire::CancelType::ByOco
        | wire::CancelType::ByTpslTs => return CloseReason::VenueRule,
        wire::CancelType::ByUser | wire::CancelType::Unknown | wire::CancelType::Other(_) => {}
    }
    match reject {
        wire::RejectReason::PostOnlyWillTake => CloseReason::WouldTake,
        wire::RejectReason::NoImmediateQtyToFill | wire::RejectReason::CancelForNoFullFill => {
            CloseReason::NoLiquidity
        }
        wire::RejectReason::BySelfMatch => CloseReason::SelfMatch,
        wire::RejectReason::PriceOutOfBand => CloseReason::PriceLimit,
        wire::RejectReason::InsufficientBalance => CloseReason::Margin,
        wire::RejectReason::ReachMaxTradeNum | wire::RejectReason::DuplicatedId => CloseReason::VenueRule,
        wire::RejectReason::PerCancelRequest => CloseReason::ByStrategy,
        _ if *cancel == wire::CancelType::ByUser => CloseReason::ByStrategy,
        wire::RejectReason::NoError
        | wire::RejectReason::Unset
        | wire::RejectReason::OrigIdDoesNotExist
        | wire::RejectReason::TooLateToCancel
        | wire::RejectReason::Other(_) => CloseReason::Other,
    }
}

/// Kinds that move the position in ways of the venue's own count as settlement.
pub(super) fn kind(kind: &wire::ExecType) -> Option<ExecutionKind> {
    Some(match kind {
        wire::ExecType::Trade | wire::ExecType::BlockTrade => ExecutionKind::Trade,
        wire::ExecType::Funding => ExecutionKind::Funding,
        wire::ExecType::AdlTrade => ExecutionKind::Deleveraging,
        wire::ExecType::BustTrade => ExecutionKind::Liquidation,
        wire::ExecType::Delivery | wire::ExecType::Settle | wire::ExecType::MovePosition => {
            ExecutionKind::Settlement
        }
        wire::ExecType::Other(_) => return None,
    })
}

pub(super) fn side(side: &wire::Side) -> Option<Side> {
    match side {
        wire::Side::Buy => Some(Side::Buy),
        wire::Side::Sell => Some(Side::Sell),
        wire::Side::Flat | wire::Side::Other(_) => None,
    }
}
