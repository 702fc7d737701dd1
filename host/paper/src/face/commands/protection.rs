//! The exits of a position.

use portcullis_core::{InstrumentSpec, Qty, Timestamp};
use portcullis_wire as wire;
use serde_json::Value;

use super::fields::{self, Exits};
use crate::engine::{TradingStop, Trailing};
use crate::exchange::Exchange;
use crate::face::refusal::Refusal;

pub(super) fn trading_stop(
    exchange: &mut Exchange,
    body: &wire::TradingStop,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let spec = fields::contract(exchange, &body.category, &body.symbol)?;
    let terms = Exits {
        mode: body.tpsl_mode.as_ref(),
        profit_watches: body.tp_trigger_by.as_ref(),
        loss_watches: body.sl_trigger_by.as_ref(),
        types: [body.tp_order_type.as_ref(), body.sl_order_type.as_ref()],
        profit_limit: body.tp_limit_price.as_ref(),
        loss_limit: body.sl_limit_price.as_ref(),
    };
    let stop = TradingStop {
        instrument: spec.id,
        leg: fields::leg(&spec, body.position_idx)?,
        take_profit: fields::price_change(&spec, "takeProfit", body.take_profit.as_ref())?,
        stop_loss: fields::price_change(&spec, "stopLoss", body.stop_loss.as_ref())?,
        trailing: trailing(&spec, body)?,
        terms: terms.read(&spec)?,
        quantity: size(&spec, body)?,
    };
    let done = exchange.command(now, |engine, out| engine.set_trading_stop(now, &stop, out));
    super::nothing(Some(&spec), done)
}

fn trailing(spec: &InstrumentSpec, body: &wire::TradingStop) -> Result<Option<Option<Trailing>>, Refusal> {
    let distance = fields::price_change(spec, "trailingStop", body.trailing_stop.as_ref())?;
    let active = fields::optional_price(spec, "activePrice", body.active_price.as_ref())?;
    Ok(distance.map(|distance| distance.map(|distance| Trailing { distance, active })))
}

/// The quantity of exits of a part: both sizes must agree.
fn size(spec: &InstrumentSpec, body: &wire::TradingStop) -> Result<Option<Qty>, Refusal> {
    let profit = fields::optional_quantity(spec, body.tp_size.as_ref())?;
    let loss = fields::optional_quantity(spec, body.sl_size.as_ref())?;
    match (profit, loss) {
        (Some(profit), Some(loss)) if profit != loss => {
            Err(Refusal::parameter("params error: tpSize and slSize must be equal"))
        }
        (profit, loss) => Ok(profit.or(loss)),
    }
}
