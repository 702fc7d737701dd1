//! What the matching engine says, in the gate's terms: what the live client makes of Bybit's rows.

use portcullis_core::{
    AccountMode, Amount, CloseReason, CreatedBy, ExecId, Execution, ExecutionKind, ExecutionReport,
    MarginMode, OrderReport, PositionReport, Qty, Rate, RejectionKind, Rounding, VenueOrderId,
    VenueRejection, VenueSnapshot, VenueStatus, WalletReport,
};
use portcullis_paper::engine::{self, Closed, Coin, Engine, Event, OrderKey, Origin, Reject, Status};

/// The reports of one batch of events, in the order of the private stream: executions, then orders, then
/// positions. Wallets, which the gate takes from snapshots, are left out.
pub(crate) fn reports<'a>(
    engine: &'a Engine,
    events: &'a [Event],
) -> impl Iterator<Item = ExecutionReport> + 'a {
    let executions = events.iter().filter_map(|event| match event {
        Event::Execution(row) => execution(engine, row).map(ExecutionReport::Execution),
        Event::Order(_) | Event::Position(_) | Event::Wallet(_) => None,
    });
    let orders = events.iter().filter_map(|event| match event {
        Event::Order(row) => order(row).map(ExecutionReport::Order),
        Event::Execution(_) | Event::Position(_) | Event::Wallet(_) => None,
    });
    let positions = events.iter().filter_map(|event| match event {
        Event::Position(row) => Some(ExecutionReport::Position(PositionReport {
            instrument: row.instrument,
            quantity: row.size,
            average_price: Amount::ZERO,
            stop_loss: row.stop_loss,
            venue_time: row.updated,
        })),
        Event::Execution(_) | Event::Order(_) | Event::Wallet(_) => None,
    });
    executions.chain(orders).chain(positions)
}

/// The exchange's own name of an order.
pub(crate) fn name(key: OrderKey) -> Option<VenueOrderId> {
    key.0.to_string().parse().ok()
}

/// An order, as it is now.
pub(crate) fn order(row: &engine::Order) -> Option<OrderReport> {
    let status = match row.status {
        Status::New => VenueStatus::Working,
        Status::PartiallyFilled => VenueStatus::PartiallyFilled,
        Status::Untriggered => VenueStatus::Untriggered,
        Status::Triggered => VenueStatus::Triggered,
        Status::Filled => VenueStatus::Filled,
        Status::Cancelled => VenueStatus::Cancelled,
        Status::Deactivated => VenueStatus::Deactivated,
        Status::Rejected => VenueStatus::Rejected,
    };
    let reason = match row.closed {
        _ if row.status.is_open() || row.status == Status::Filled => CloseReason::None,
        Closed::No => CloseReason::None,
        Closed::ByClient => CloseReason::ByStrategy,
        Closed::WouldTake => CloseReason::WouldTake,
        Closed::NothingToTake | Closed::NotFull => CloseReason::NoLiquidity,
        Closed::ReduceOnly => CloseReason::ReduceOnly,
        Closed::Margin => CloseReason::Margin,
        Closed::SelfMatch => CloseReason::SelfMatch,
        Closed::ProtectionCleared => CloseReason::VenueRule,
        Closed::Liquidation => CloseReason::Liquidation,
    };
    Some(OrderReport {
        link: row.link.clone(),
        venue_order: name(row.key)?,
        instrument: row.instrument,
        side: row.side,
        status,
        price: row.price,
        quantity: row.quantity,
        executed: row.executed,
        reason,
        reduce_only: row.reduce_only,
        created_by: created_by(row.origin),
        venue_time: row.updated,
    })
}

fn created_by(origin: Origin) -> CreatedBy {
    match origin {
        Origin::Client => CreatedBy::Client,
        Origin::Liquidation => CreatedBy::Venue,
        Origin::TakeProfit
        | Origin::StopLoss
        | Origin::TrailingStop
        | Origin::PartialTakeProfit
        | Origin::PartialStopLoss => CreatedBy::Protection,
    }
}

/// What the fee took of a purchase, where it was paid in what was bought.
fn fee_quantity(engine: &Engine, row: &engine::Execution) -> Option<Qty> {
    if row.fee_coin == Coin::USDT {
        return Some(Qty(0));
    }
    let spec = engine.instruments().find(|spec| spec.id == row.instrument)?;
    let taken = row.fee.to_quantity(spec.quantity_decimals, Rounding::Up)?;
    Some(Qty(taken.0.max(0)))
}

fn execution(engine: &Engine, row: &engine::Execution) -> Option<Execution> {
    let kind = match (row.kind, row.origin) {
        (engine::ExecutionKind::Funding, _) => ExecutionKind::Funding,
        (engine::ExecutionKind::Bust, _) | (engine::ExecutionKind::Trade, Origin::Liquidation) => {
            ExecutionKind::Liquidation
        }
        (engine::ExecutionKind::Trade, _) => ExecutionKind::Trade,
    };
    Some(Execution {
        exec: row.number.to_string().parse::<ExecId>().ok()?,
        kind,
        link: row.link.clone(),
        venue_order: name(row.order.unwrap_or(OrderKey(0)))?,
        instrument: row.instrument,
        side: row.side,
        price: row.price,
        quantity: row.quantity,
        fee: row.fee_in_quote(),
        fee_quantity: fee_quantity(engine, row)?,
        maker: row.maker,
        created_by: created_by(row.origin),
        venue_time: row.time,
    })
}

/// Everything that is open. Executions are left out: none of them can have been lost on the way.
pub(crate) fn snapshot(engine: &Engine, time: portcullis_core::Timestamp) -> VenueSnapshot {
    let margin = engine.margin();
    let held = engine.positions().filter(|position| position.size.0 != 0);
    VenueSnapshot {
        time,
        orders: engine.orders().filter_map(order).collect(),
        executions: Vec::new(),
        positions: held
            .map(|position| PositionReport {
                instrument: position.instrument,
                quantity: position.size,
                average_price: engine.average_of_position(position),
                stop_loss: position.stop_loss,
                venue_time: position.updated,
            })
            .collect(),
        wallet: WalletReport {
            equity: engine.wallets().skip(1).fold(margin.equity, |sum, wallet| {
                sum.saturating_add(engine.in_usdt(wallet.coin, wallet.balance))
            }),
            balance: engine.wallet().balance,
            available: margin.equity.saturating_sub(margin.initial).saturating_sub(margin.locked),
            initial_margin: fraction(margin.initial, margin.equity),
            maintenance_margin: fraction(margin.maintenance, margin.equity),
            spot: Vec::new(),
            venue_time: time,
        },
        mode: AccountMode { hedged: false, margin: MarginMode::Cross },
    }
}

/// A part of the equity, as the venue states margin rates; `None` without equity.
fn fraction(part: Amount, equity: Amount) -> Option<Rate> {
    let rate = part.0.checked_mul(1_000_000_000_000)?.checked_div(equity.0)?;
    i64::try_from(rate).ok().map(Rate)
}

/// A refusal of the engine's.
pub(crate) fn rejection(reject: &Reject) -> VenueRejection {
    let kind = match reject {
        Reject::UnknownInstrument
        | Reject::PriceInvalid(_)
        | Reject::PriceTooFine
        | Reject::NoPrice
        | Reject::QuantityInvalid(_)
        | Reject::QuantityTooFine
        | Reject::QuantityBelowMinimum
        | Reject::QuantityAboveMaximum
        | Reject::NotionalBelowMinimum(_)
        | Reject::ValueBelowMinimum
        | Reject::ProtectionInvalid(_)
        | Reject::ProtectionOnReduceOnly
        | Reject::ProtectionPartlyFilled
        | Reject::ProtectionTooLarge
        | Reject::ProtectionFixed
        | Reject::LimitOnFull
        | Reject::TooManyExits
        | Reject::QuantityExecuted
        | Reject::LeverageInvalid
        | Reject::LeverageTooHigh { .. }
        | Reject::PositionIndex
        | Reject::ModeWithPosition
        | Reject::ModeWithOrders
        | Reject::NoPosition => RejectionKind::Invalid,
        Reject::NotTradable => RejectionKind::NotTrading,
        Reject::Margin | Reject::Balance | Reject::RiskLimit => RejectionKind::Margin,
        Reject::NothingToReduce | Reject::WouldIncrease => RejectionKind::ReduceOnly,
        Reject::DuplicateLink => RejectionKind::DuplicateLinkId,
        Reject::TooManyOrders | Reject::TooManyConditions => RejectionKind::TooManyOrders,
        Reject::TriggerNotAbove { .. }
        | Reject::TriggerNotBelow { .. }
        | Reject::PriceAboveBand(_)
        | Reject::PriceBelowBand(_)
        | Reject::PriceOutOfRange(_) => RejectionKind::PriceLimit,
        Reject::NoSuchOrderToCancel | Reject::NoSuchOrderToAmend => RejectionKind::NoSuchOrder,
        Reject::NotModified
        | Reject::LeverageNotModified
        | Reject::ModeNotModified
        | Reject::ProtectionNotModified => RejectionKind::NotModified,
    };
    // No V5 face stands between, so there is no code of Bybit's.
    VenueRejection { kind, code: 0, message: reject.to_string() }
}
