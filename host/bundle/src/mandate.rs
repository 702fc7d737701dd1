//! What the signed words mean to the gate.

use portcullis_core::{Amount, DecimalError, Mandate};

use crate::{Capabilities, LimitAmount, Limits, OrderType};

/// What a manifest lets its strategy do, in the gate's words. A bound that is absent leaves the operator's alone.
///
/// # Errors
/// When an amount does not fit the gate's type; its form was checked when the manifest was read.
pub fn mandate(capabilities: &Capabilities, limits: &Limits) -> Result<Mandate, DecimalError> {
    let may = |kind: OrderType| capabilities.order_types.contains(&kind);
    let amount =
        |bound: &Option<LimitAmount>| bound.as_ref().map(|bound| Amount::parse(bound.as_str())).transpose();
    Ok(Mandate {
        market_orders: may(OrderType::Market),
        limit_orders: may(OrderType::Limit),
        trigger_orders: may(OrderType::Trigger),
        order_notional_max: amount(&limits.order_notional_max)?,
        position_notional_max: amount(&limits.position_notional_max)?,
        orders_per_hour_max: limits.orders_per_hour.map(u64::from),
    })
}
