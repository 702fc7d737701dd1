//! Where the limits want the stop of a position.

use crate::{Amount, InstrumentSpec, Price, ProtectionLimits, Rounding, Side};

impl ProtectionLimits {
    /// The furthest stop allowed for a position entered at a price by orders of a side, on the tick and rounded toward the entry.
    /// `None` when it cannot be computed or would not be above zero.
    pub(crate) fn stop(&self, entry: Amount, side: Side, spec: &InstrumentSpec) -> Option<Price> {
        let distance = entry.checked_mul_rate(self.stop_fraction, Rounding::Down)?;
        let stop = match side {
            Side::Buy => {
                let lowest = entry.checked_sub(distance)?;
                lowest.to_price(spec.price_decimals, Rounding::Up)?.round_up_to_tick(spec.tick)?
            }
            Side::Sell => {
                let highest = entry.checked_add(distance)?;
                highest.to_price(spec.price_decimals, Rounding::Down)?.round_down_to_tick(spec.tick)?
            }
        };
        (stop.0 > 0).then_some(stop)
    }
}
