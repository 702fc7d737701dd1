//! Leverage and position mode.

use portcullis_core::Timestamp;
use portcullis_wire as wire;
use portcullis_wire::mantissa;
use serde_json::Value;

use super::fields;
use crate::exchange::Exchange;
use crate::face::refusal::Refusal;

pub(super) fn set_leverage(
    exchange: &mut Exchange,
    body: &wire::SetLeverage,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let spec = fields::contract(exchange, &body.category, &body.symbol)?;
    let hundredths = |text: &str| mantissa(text, 2).ok().and_then(|leverage| u32::try_from(leverage).ok());
    let (buy, sell) = (hundredths(&body.buy_leverage), hundredths(&body.sell_leverage));
    let leverage = buy.filter(|_| buy == sell);
    let leverage =
        leverage.ok_or_else(|| Refusal::parameter("buyLeverage and sellLeverage must be equal and valid"))?;
    let done = exchange.command(now, |engine, out| engine.set_leverage(now, spec.id, leverage, out));
    super::nothing(Some(&spec), done)
}

pub(super) fn switch_mode(
    exchange: &mut Exchange,
    body: &wire::SwitchMode,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let hedged = match body.mode {
        Some(0) => false,
        Some(3) => true,
        None | Some(_) => return Err(Refusal::parameter("params error: mode invalid")),
    };
    let spec = match (given(&body.symbol), given(&body.coin)) {
        (Some(symbol), _) => Some(fields::contract(exchange, &body.category, &symbol)?),
        (None, Some(coin)) if coin == "USDT" && body.category == wire::Category::Linear => None,
        (None, Some(_)) => return Err(Refusal::parameter("params error: coin invalid")),
        (None, None) => return Err(Refusal::parameter("params error: symbol or coin is required")),
    };
    let instrument = spec.as_ref().map(|spec| spec.id);
    let done = exchange.command(now, |engine, out| engine.switch_mode(now, instrument, hedged, out));
    super::nothing(spec.as_ref(), done)
}
