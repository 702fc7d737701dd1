//! Requests that change something: parsed strictly, run on the engine, answered with the two names of the order.

use portcullis_core::{InstrumentSpec, LinkId, Price, Qty, TimeInForce, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{mantissa, path};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::market_queries::value;
use super::refusal::{Refusal, refusal};
use crate::engine::{
    CancelFilter, Change, Condition, NewOrder, OrderKey, Reject, SelfMatch, Slippage, Target, Watched,
};
use crate::exchange::Exchange;

/// Switches between one-way and hedge mode.
pub(super) const SWITCH_MODE: &str = "/v5/position/switch-mode";

/// The paths of [`answer`].
pub(super) const PATHS: [&str; 7] = [
    path::CREATE,
    path::AMEND,
    path::CANCEL,
    path::CANCEL_ALL,
    path::TRADING_STOP,
    path::SET_LEVERAGE,
    SWITCH_MODE,
];

/// Carries out a request; `None` when the path is none.
pub(super) fn answer(
    exchange: &mut Exchange,
    path: &str,
    body: &[u8],
    now: Timestamp,
) -> Option<Result<Value, Refusal>> {
    match path {
        path::CREATE => Some(read(body).and_then(|body| create(exchange, body, now))),
        path::AMEND => Some(read(body).and_then(|body| amend(exchange, &body, now))),
        path::CANCEL => Some(read(body).and_then(|body| cancel(exchange, &body, now))),
        path::CANCEL_ALL => Some(read(body).and_then(|body| cancel_all(exchange, &body, now))),
        path::TRADING_STOP => Some(read(body).and_then(|body| trading_stop(exchange, &body, now))),
        path::SET_LEVERAGE => Some(read(body).and_then(|body| set_leverage(exchange, &body, now))),
        SWITCH_MODE => Some(read(body).and_then(|body| switch_mode(exchange, &body))),
        _ => None,
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::parameter(format!("params error: {error}")))
}

/// The instrument of a command. Only linear ones take orders.
fn traded(exchange: &Exchange, category: &wire::Category, symbol: &str) -> Result<InstrumentSpec, Refusal> {
    let category = match category {
        wire::Category::Linear => portcullis_core::Category::Linear,
        wire::Category::Spot => return Err(refusal(&Reject::NotTradable, None)),
        wire::Category::Inverse | wire::Category::Option | wire::Category::Other(_) => {
            return Err(Refusal::parameter("Illegal category"));
        }
    };
    let spec = exchange.listing.find(category, symbol).cloned();
    spec.ok_or_else(|| Refusal::parameter("params error: symbol invalid"))
}

fn one_way(index: Option<i64>) -> Result<(), Refusal> {
    match index {
        None | Some(0) => Ok(()),
        Some(_) => Err(Refusal::parameter("position idx not match position mode")),
    }
}

fn price(spec: &InstrumentSpec, name: &str, text: &str) -> Result<Price, Refusal> {
    let price = mantissa(text, spec.price_decimals).map(Price);
    price.map_err(|_| Refusal::parameter(format!("params error: {name} invalid")))
}

/// A price that may be missing; the empty text and zero mean none.
fn optional_price(
    spec: &InstrumentSpec,
    name: &str,
    text: Option<&String>,
) -> Result<Option<Price>, Refusal> {
    let price = text.filter(|text| !text.is_empty()).map(|text| price(spec, name, text)).transpose()?;
    Ok(price.filter(|price| price.0 != 0))
}

/// A price to change to; the outer `None` leaves as is, zero removes.
fn price_change(
    spec: &InstrumentSpec,
    name: &str,
    text: Option<&String>,
) -> Result<Option<Option<Price>>, Refusal> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    price(spec, name, text).map(|price| Some(Some(price).filter(|price| price.0 != 0)))
}

fn quantity(spec: &InstrumentSpec, text: &str) -> Result<Qty, Refusal> {
    mantissa(text, spec.quantity_decimals).map(Qty).map_err(|_| Refusal::parameter("Qty invalid"))
}

fn link(text: Option<&String>) -> Result<Option<LinkId>, Refusal> {
    let text = text.filter(|text| !text.is_empty());
    let link = text.map(|text| text.parse::<LinkId>()).transpose();
    link.map_err(|_| Refusal::parameter("params error: orderLinkId invalid"))
}

fn create(exchange: &mut Exchange, body: wire::CreateOrder, now: Timestamp) -> Result<Value, Refusal> {
    let spec = traded(exchange, &body.category, &body.symbol)?;
    one_way(body.position_idx)?;
    let link_id = link(body.order_link_id.as_ref())?;
    let limit = match body.order_type {
        wire::OrderType::Limit => {
            let text = body.price.as_deref().unwrap_or_default();
            Some(price(&spec, "price", text).map_err(|_| Refusal::parameter("Price invalid"))?)
        }
        wire::OrderType::Market => None,
        wire::OrderType::Unknown | wire::OrderType::Other(_) => {
            return Err(Refusal::parameter("params error: OrderType invalid"));
        }
    };
    let reduce_only = body.reduce_only.unwrap_or(false);
    let total = quantity(&spec, &body.qty)?;
    if total.0 == 0 && !(reduce_only && body.close_on_trigger.unwrap_or(false)) {
        return Err(Refusal::parameter("Qty invalid"));
    }
    if matches!(body.tpsl_mode, Some(wire::TpslMode::Partial)) {
        return Err(Refusal::parameter("tpslMode Partial is not offered by the paper exchange"));
    }
    let order = NewOrder {
        instrument: spec.id,
        link: link_id.clone(),
        side: match body.side {
            wire::Side::Buy => portcullis_core::Side::Buy,
            wire::Side::Sell => portcullis_core::Side::Sell,
            wire::Side::Flat | wire::Side::Other(_) => {
                return Err(Refusal::parameter("params error: Side invalid"));
            }
        },
        quantity: total,
        price: limit,
        time_in_force: time_in_force(body.time_in_force.as_ref())?,
        reduce_only,
        trigger: condition(&spec, &body)?,
        take_profit: optional_price(&spec, "takeProfit", body.take_profit.as_ref())?,
        stop_loss: optional_price(&spec, "stopLoss", body.stop_loss.as_ref())?,
        self_match: self_match(body.smp_type.as_ref())?,
        slippage: slippage(&body)?,
    };
    let key = exchange.command(now, |engine, out| engine.submit(now, order, out));
    names(exchange, &spec, key)
}

fn names(
    exchange: &Exchange,
    spec: &InstrumentSpec,
    key: Result<OrderKey, Reject>,
) -> Result<Value, Refusal> {
    let key = key.map_err(|reject| refusal(&reject, Some(spec)))?;
    let link = exchange.find(key).and_then(|order| order.link.as_ref());
    value(&wire::OrderIds {
        order_id: exchange.names.order(key),
        order_link_id: link.map_or_else(String::new, ToString::to_string),
    })
}

fn time_in_force(word: Option<&wire::TimeInForce>) -> Result<TimeInForce, Refusal> {
    match word {
        None | Some(wire::TimeInForce::Gtc) => Ok(TimeInForce::Gtc),
        Some(wire::TimeInForce::Ioc) => Ok(TimeInForce::Ioc),
        Some(wire::TimeInForce::Fok) => Ok(TimeInForce::Fok),
        Some(wire::TimeInForce::PostOnly) => Ok(TimeInForce::PostOnly),
        Some(wire::TimeInForce::Rpi | wire::TimeInForce::Other(_)) => {
            Err(Refusal::parameter("params error: TimeInForce invalid"))
        }
    }
}

fn condition(spec: &InstrumentSpec, body: &wire::CreateOrder) -> Result<Option<Condition>, Refusal> {
    let Some(price) = optional_price(spec, "triggerPrice", body.trigger_price.as_ref())? else {
        return Ok(None);
    };
    let rising = match body.trigger_direction {
        Some(1) => true,
        Some(2) => false,
        _ => return Err(Refusal::parameter("params error: TriggerDirection invalid")),
    };
    let watches = match &body.trigger_by {
        None | Some(wire::TriggerBy::LastPrice | wire::TriggerBy::None) => Watched::Last,
        Some(wire::TriggerBy::MarkPrice | wire::TriggerBy::IndexPrice) => Watched::Mark,
        Some(wire::TriggerBy::Unknown | wire::TriggerBy::Other(_)) => {
            return Err(Refusal::parameter("params error: TriggerBy invalid"));
        }
    };
    Ok(Some(Condition { price, rising, watches }))
}

fn self_match(word: Option<&wire::SmpType>) -> Result<SelfMatch, Refusal> {
    match word {
        None | Some(wire::SmpType::None) => Ok(SelfMatch::Allow),
        Some(wire::SmpType::CancelMaker) => Ok(SelfMatch::CancelMaker),
        Some(wire::SmpType::CancelTaker) => Ok(SelfMatch::CancelTaker),
        Some(wire::SmpType::CancelBoth) => Ok(SelfMatch::CancelBoth),
        Some(wire::SmpType::Other(_)) => Err(Refusal::parameter("params error: smpType invalid")),
    }
}

fn slippage(body: &wire::CreateOrder) -> Result<Option<Slippage>, Refusal> {
    let invalid = || Refusal::parameter("params error: slippageTolerance invalid");
    let bounded = |text: &str, decimals, most| {
        let number = mantissa(text, decimals).ok().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| (1..=most).contains(number)).ok_or_else(invalid)
    };
    let text = body.slippage_tolerance.as_deref().unwrap_or_default();
    match body.slippage_tolerance_type {
        None | Some(wire::SlippageToleranceType::Unknown | wire::SlippageToleranceType::None) => Ok(None),
        Some(wire::SlippageToleranceType::TickSize) => Ok(Some(Slippage::Ticks(bounded(text, 0, 10_000)?))),
        Some(wire::SlippageToleranceType::Percent) => {
            Ok(Some(Slippage::BasisPoints(bounded(text, 2, 1_000)?)))
        }
        Some(wire::SlippageToleranceType::Other(_)) => Err(invalid()),
    }
}

/// The order a request names: the venue's name wins. A name nobody has leads to no order, which the engine refuses.
fn target(exchange: &Exchange, id: Option<&String>, link_text: Option<&String>) -> Result<OrderKey, Refusal> {
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        return Ok(exchange.names.order_key(id).unwrap_or(OrderKey(0)));
    }
    let Some(link) = link(link_text)? else {
        return Err(Refusal::parameter("params error: orderId or orderLinkId is required"));
    };
    Ok(exchange.engine.key_of(&link).unwrap_or(OrderKey(0)))
}

fn amend(exchange: &mut Exchange, body: &wire::AmendOrder, now: Timestamp) -> Result<Value, Refusal> {
    let spec = traded(exchange, &body.category, &body.symbol)?;
    let key = target(exchange, body.order_id.as_ref(), body.order_link_id.as_ref())?;
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    if given(&body.take_profit) || given(&body.stop_loss) {
        return Err(Refusal::parameter("protection is amended on the position: use trading-stop"));
    }
    let text = body.qty.as_deref().filter(|text| !text.is_empty());
    let change = Change {
        price: optional_price(&spec, "price", body.price.as_ref())?,
        quantity: text.map(|text| quantity(&spec, text)).transpose()?,
        trigger: optional_price(&spec, "triggerPrice", body.trigger_price.as_ref())?,
    };
    let of_instrument = exchange.find(key).is_some_and(|order| order.instrument == spec.id);
    let key = if of_instrument { key } else { OrderKey(0) };
    let key = exchange.command(now, |engine, out| engine.amend(now, Target::Key(key), change, out));
    names(exchange, &spec, key)
}

fn cancel(exchange: &mut Exchange, body: &wire::CancelOrder, now: Timestamp) -> Result<Value, Refusal> {
    let spec = traded(exchange, &body.category, &body.symbol)?;
    let key = target(exchange, body.order_id.as_ref(), body.order_link_id.as_ref())?;
    let of_instrument = exchange.find(key).is_some_and(|order| order.instrument == spec.id);
    let key = if of_instrument { key } else { OrderKey(0) };
    let key = exchange.command(now, |engine, out| engine.cancel(now, Target::Key(key), out));
    names(exchange, &spec, key)
}

fn cancel_all(exchange: &mut Exchange, body: &wire::CancelAll, now: Timestamp) -> Result<Value, Refusal> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let instruments: Vec<_> = match (given(&body.symbol), given(&body.base_coin), given(&body.settle_coin)) {
        (Some(symbol), ..) => vec![traded(exchange, &body.category, &symbol)?.id],
        (None, base, settle) => {
            if body.category != wire::Category::Linear {
                return Err(refusal(&Reject::NotTradable, None));
            }
            if base.is_none() && settle.is_none() {
                return Err(Refusal::parameter("params error: symbol, baseCoin or settleCoin is required"));
            }
            let specs = exchange.listing.specs().iter();
            let chosen = specs.filter(|spec| {
                base.as_ref().is_none_or(|coin| coin == crate::listing::Listing::base_coin(spec))
                    && settle.as_ref().is_none_or(|coin| coin == "USDT")
            });
            chosen.map(|spec| spec.id).collect()
        }
    };
    let filter = match (&body.order_filter, &body.stop_order_type) {
        (None, _) => CancelFilter::All,
        (Some(wire::OrderFilter::Order), _) => CancelFilter::Working,
        (Some(wire::OrderFilter::StopOrder), Some(wire::StopOrderType::Stop)) => {
            CancelFilter::ClientConditions
        }
        (Some(wire::OrderFilter::StopOrder), _) => CancelFilter::Waiting,
        (Some(wire::OrderFilter::OpenOrder), _) => CancelFilter::All,
        (Some(wire::OrderFilter::TpslOrder | wire::OrderFilter::Other(_)), _) => {
            return Err(Refusal::parameter("params error: orderFilter invalid"));
        }
    };
    let cancelled = exchange.command(now, |engine, out| {
        let each =
            instruments.into_iter().map(|instrument| engine.cancel_all(now, Some(instrument), filter, out));
        each.collect::<Vec<_>>().concat()
    });
    let list = cancelled.into_iter().map(|(key, link)| wire::OrderIds {
        order_id: exchange.names.order(key),
        order_link_id: link.map_or_else(String::new, |link| link.to_string()),
    });
    value(&wire::CancelAllResult { list: list.collect(), success: "1".to_owned() })
}

fn trading_stop(exchange: &mut Exchange, body: &wire::TradingStop, now: Timestamp) -> Result<Value, Refusal> {
    let spec = traded(exchange, &body.category, &body.symbol)?;
    one_way(body.position_idx)?;
    let set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty() && text != "0");
    if set(&body.trailing_stop) || set(&body.active_price) {
        return Err(Refusal::parameter("trailing stops are not offered by the paper exchange"));
    }
    if matches!(body.tpsl_mode, Some(wire::TpslMode::Partial)) {
        return Err(Refusal::parameter("tpslMode Partial is not offered by the paper exchange"));
    }
    let take_profit = price_change(&spec, "takeProfit", body.take_profit.as_ref())?;
    let stop_loss = price_change(&spec, "stopLoss", body.stop_loss.as_ref())?;
    let result =
        exchange.command(now, |engine, out| engine.set_protection(now, spec.id, take_profit, stop_loss, out));
    result.map(|()| json!({})).map_err(|reject| refusal(&reject, Some(&spec)))
}

fn set_leverage(exchange: &mut Exchange, body: &wire::SetLeverage, now: Timestamp) -> Result<Value, Refusal> {
    let spec = traded(exchange, &body.category, &body.symbol)?;
    let hundredths = |text: &str| mantissa(text, 2).ok().and_then(|leverage| u32::try_from(leverage).ok());
    let leverage = hundredths(&body.buy_leverage).filter(|_| body.buy_leverage == body.sell_leverage);
    let leverage =
        leverage.ok_or_else(|| Refusal::parameter("buyLeverage and sellLeverage must be equal and valid"))?;
    let result = exchange.command(now, |engine, out| engine.set_leverage(now, spec.id, leverage, out));
    result.map(|()| json!({})).map_err(|reject| refusal(&reject, Some(&spec)))
}

/// `POST /v5/position/switch-mode`.
#[derive(Debug, Deserialize)]
struct SwitchMode {
    category: wire::Category,
    #[serde(default)]
    symbol: Option<String>,
    mode: i64,
}

fn switch_mode(exchange: &Exchange, body: &SwitchMode) -> Result<Value, Refusal> {
    if let Some(symbol) = &body.symbol {
        traded(exchange, &body.category, symbol)?;
    }
    match body.mode {
        0 => Err(Refusal::new(110_025, "Position mode is not modified")),
        3 => Err(Refusal::new(110_028, "hedge mode is not offered by the paper exchange")),
        _ => Err(Refusal::parameter("params error: mode invalid")),
    }
}
