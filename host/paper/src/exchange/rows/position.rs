//! The position row.

use portcullis_core::{Amount, SignedQty};
use portcullis_wire as wire;
use portcullis_wire::{format_amount, format_mantissa};

use super::super::Exchange;
use super::words;
use crate::engine::{Position, risk_tier_of, risk_tiers};

impl Exchange {
    /// A position; the stream names the average price differently from the query.
    pub(crate) fn position_row(&self, row: &Position, pushed: bool) -> Option<wire::Position> {
        let spec = self.listing.get(row.instrument)?;
        let (value, unrealised) = self.engine.valuation_of(row)?;
        let view = self.engine.view(row.instrument)?;
        let (initial, maintenance) = self.engine.margin_of(row.instrument, value, row.leverage);
        let (tier, limits) = risk_tier_of(risk_tiers(spec.symbol.as_str()), value);
        let realised = row.realised.0.saturating_sub(row.fees.0).saturating_sub(row.funding.0);
        let flat = row.size == SignedQty(0);
        let unless_flat = |amount: Amount| if flat { String::new() } else { format_amount(amount) };
        let average = format_amount(self.engine.average_of_position(row));
        let liquidation =
            self.engine.liquidation_price(row).map(|price| format_amount(self.on_tick(spec, price)));
        Some(wire::Position {
            category: pushed.then_some(wire::Category::Linear),
            position_idx: i64::from(row.leg.index()),
            risk_id: i64::try_from(tier).unwrap_or(1),
            risk_limit_value: format_amount(limits.limit),
            symbol: spec.symbol.to_string(),
            side: row.side().map_or(wire::Side::Flat, words::side),
            size: format_mantissa(row.quantity().0, spec.quantity_decimals),
            avg_price: (!pushed).then(|| average.clone()),
            entry_price: pushed.then(|| average.clone()),
            position_value: unless_flat(Amount(row.cost.0.saturating_abs())),
            position_status: wire::PositionStatus::Normal,
            leverage: format_mantissa(i64::from(row.leverage), 2),
            break_even_price: if flat { String::new() } else { format_amount(self.break_even(row)) },
            mark_price: format_amount(view.mark),
            liq_price: liquidation.unwrap_or_default(),
            position_im: format_amount(initial),
            position_im_by_mp: format_amount(initial),
            position_mm: format_amount(maintenance),
            position_mm_by_mp: format_amount(maintenance),
            position_balance: "0".to_owned(),
            tpsl_mode: "Full".to_owned(),
            take_profit: words::price_or_empty(spec, row.take_profit),
            stop_loss: words::price_or_empty(spec, row.stop_loss),
            trailing_stop: words::price_text(
                spec,
                row.trailing.map(|stop| stop.distance).unwrap_or_default(),
            ),
            unrealised_pnl: unless_flat(unrealised),
            cur_realised_pnl: format_amount(row.current_realised),
            cum_realised_pnl: format_amount(Amount(realised)),
            created_time: words::millis(row.created),
            updated_time: words::millis(row.updated),
            open_time: i64::try_from(row.opened.millis()).unwrap_or(0),
            seq: if row.created.0 == 0 { -1 } else { i64::try_from(self.sequence).unwrap_or(i64::MAX) },
            ..wire::Position::default()
        })
    }

    /// The price at which closing would bring in what opening and holding cost, the fee of closing left aside.
    fn break_even(&self, row: &Position) -> Amount {
        let cost = row.cost.0.saturating_sub(row.current_realised.0);
        let size = portcullis_core::Qty(row.size.0);
        self.engine.average(row.instrument, Amount(cost), size)
    }

    /// A price cut to the instrument's decimals.
    fn on_tick(&self, spec: &portcullis_core::InstrumentSpec, price: Amount) -> Amount {
        let decimals = 18_u32.saturating_sub(u32::from(spec.price_decimals));
        let grain = 10_i128.checked_pow(decimals).unwrap_or(1);
        Amount(price.0.saturating_sub(price.0.checked_rem(grain).unwrap_or(0)))
    }
}
