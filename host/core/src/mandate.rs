//! What a signed bundle lets its strategy do. It only ever tightens the operator's limits.

use serde::{Deserialize, Serialize};

use crate::Amount;

/// What a signed bundle lets its strategy do. A bound that is absent leaves the
/// operator's alone; none can widen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    /// Orders at the market.
    pub market_orders: bool,
    /// Orders with a price.
    pub limit_orders: bool,
    /// Orders that wait for a trigger.
    pub trigger_orders: bool,
    /// Largest value of one order, in USDT.
    pub order_notional_max: Option<Amount>,
    /// Largest worst-case position in one instrument, in USDT.
    pub position_notional_max: Option<Amount>,
    /// Most orders in any 60 minutes.
    pub orders_per_hour_max: Option<u64>,
}

impl Mandate {
    /// Every kind of order, and no bound beside the operator's.
    pub const ALL: Self = Self {
        market_orders: true,
        limit_orders: true,
        trigger_orders: true,
        order_notional_max: None,
        position_notional_max: None,
        orders_per_hour_max: None,
    };

    /// Whether orders of this kind may be placed.
    pub(crate) const fn allows(&self, at_market: bool, triggered: bool) -> bool {
        let priced = if at_market { self.market_orders } else { self.limit_orders };
        priced && (!triggered || self.trigger_orders)
    }
}
