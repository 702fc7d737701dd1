//! New orders.

use portcullis_core::{Amount, Category, InstrumentSpec, Side, TimeInForce, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::{DecimalError, amount, mantissa};
use serde_json::Value;

use super::fields::{self, Exits};
use crate::engine::{Condition, NewOrder, Reject, SelfMatch, Slippage, Watched};
use crate::exchange::Exchange;
use crate::face::refusal::{Refusal, refusal};

/// Most decimals of a quote amount.
const QUOTE_DECIMALS: u32 = 8;

pub(super) fn create(
    exchange: &mut Exchange,
    body: &wire::CreateOrder,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let spec = fields::instrument(exchange, &body.category, &body.symbol)?;
    let side = side(body, &spec)?;
    let price = match body.order_type {
        wire::OrderType::Limit => Some(limit_price(&spec, body)?),
        wire::OrderType::Market => None,
        wire::OrderType::Unknown | wire::OrderType::Other(_) => {
            let code = if spec.category == Category::Spot { 170_116 } else { 10_001 };
            return Err(Refusal::new(code, "params error: OrderType invalid"));
        }
    };
    let budget = budget(&spec, side, price.is_none(), body)?;
    let quantity = match budget {
        Some(_) => portcullis_core::Qty(0),
        None => fields::quantity(&spec, &body.qty)?,
    };
    let closes = body.close_on_trigger.unwrap_or(false);
    let reduces = body.reduce_only.unwrap_or(false);
    if quantity.0 == 0 && budget.is_none() && !(reduces && closes) {
        return Err(Refusal::parameter("Qty invalid"));
    }
    let order = NewOrder {
        link: fields::link(body.order_link_id.as_ref())?,
        leg: fields::leg(&spec, body.position_idx)?,
        budget,
        price,
        time_in_force: time_in_force(&spec, body.time_in_force.as_ref())?,
        reduce_only: reduces,
        close_on_trigger: closes,
        trigger: condition(exchange, &spec, body)?,
        reserves: matches!(body.order_filter, Some(wire::OrderFilter::TpslOrder)),
        take_profit: fields::optional_price(&spec, "takeProfit", body.take_profit.as_ref())?,
        stop_loss: fields::optional_price(&spec, "stopLoss", body.stop_loss.as_ref())?,
        exits: exits(body).read(&spec)?,
        self_match: self_match(body.smp_type.as_ref())?,
        slippage: slippage(body)?,
        ..NewOrder::market(spec.id, side, quantity)
    };
    check_offered(&spec, body, &order)?;
    let key = exchange.command(now, |engine, out| engine.submit(now, order, out));
    super::names(exchange, &spec, key)
}

/// Refuses what the paper exchange does not do, rather than doing something else.
fn check_offered(spec: &InstrumentSpec, body: &wire::CreateOrder, order: &NewOrder) -> Result<(), Refusal> {
    if body.bbo_side_type.as_ref().is_some_and(|word| !word.is_empty()) {
        return Err(Refusal::parameter("bboSideType is not offered by the paper exchange"));
    }
    match spec.category {
        Category::Linear
            if !order.exits.partial
                && (order.exits.profit_limit.is_some() || order.exits.loss_limit.is_some()) =>
        {
            Err(refusal(&Reject::LimitOnFull, Some(spec)))
        }
        Category::Linear => Ok(()),
        Category::Spot if body.is_leverage == Some(1) => {
            Err(Refusal::new(170_130, "margin trading is not offered by the paper exchange"))
        }
        Category::Spot if order.take_profit.is_some() || order.stop_loss.is_some() => {
            Err(Refusal::new(170_130, "TP/SL attached to spot orders is not offered by the paper exchange"))
        }
        Category::Spot if order.trigger.is_none() && order.reserves => {
            Err(Refusal::new(170_105, "params error: triggerPrice is required"))
        }
        Category::Spot => Ok(()),
    }
}

fn side(body: &wire::CreateOrder, spec: &InstrumentSpec) -> Result<Side, Refusal> {
    match body.side {
        wire::Side::Buy => Ok(Side::Buy),
        wire::Side::Sell => Ok(Side::Sell),
        wire::Side::Flat | wire::Side::Other(_) => {
            let code = if spec.category == Category::Spot { 170_117 } else { 10_001 };
            Err(Refusal::new(code, "params error: Side invalid"))
        }
    }
}

fn limit_price(spec: &InstrumentSpec, body: &wire::CreateOrder) -> Result<portcullis_core::Price, Refusal> {
    let text = body.price.as_deref().unwrap_or_default();
    fields::price(spec, "price", text).map_err(|error| match spec.category {
        Category::Spot => error,
        Category::Linear => Refusal::parameter("Price invalid"),
    })
}

/// The quote coins that a spot market order names instead of a quantity. A market buy does so unless it says otherwise.
fn budget(
    spec: &InstrumentSpec,
    side: Side,
    market: bool,
    body: &wire::CreateOrder,
) -> Result<Option<Amount>, Refusal> {
    if spec.category != Category::Spot || !market {
        return Ok(None);
    }
    match (&body.market_unit, side) {
        (Some(wire::MarketUnit::QuoteCoin), Side::Sell) => {
            return Err(Refusal::new(170_130, "a market sell by value is not offered by the paper exchange"));
        }
        (Some(wire::MarketUnit::Other(_)), _) => {
            return Err(Refusal::new(170_130, "params error: marketUnit invalid"));
        }
        (Some(wire::MarketUnit::BaseCoin), _) | (_, Side::Sell) => return Ok(None),
        (None | Some(wire::MarketUnit::QuoteCoin | wire::MarketUnit::None), Side::Buy) => {}
    }
    let too_fine = || Refusal::new(170_148, "Market order amount decimal too long.");
    match amount(&body.qty) {
        Ok(budget) => {
            let grain = 10_i128.checked_pow(18_u32.saturating_sub(QUOTE_DECIMALS)).unwrap_or(1);
            if budget.0.checked_rem(grain) == Some(0) { Ok(Some(budget)) } else { Err(too_fine()) }
        }
        Err(DecimalError::TooFine) => Err(too_fine()),
        Err(DecimalError::Malformed | DecimalError::Overflow) => Err(Refusal::parameter("Qty invalid")),
    }
}

fn time_in_force(spec: &InstrumentSpec, word: Option<&wire::TimeInForce>) -> Result<TimeInForce, Refusal> {
    match word {
        None | Some(wire::TimeInForce::Gtc) => Ok(TimeInForce::Gtc),
        Some(wire::TimeInForce::Ioc) => Ok(TimeInForce::Ioc),
        Some(wire::TimeInForce::Fok) => Ok(TimeInForce::Fok),
        Some(wire::TimeInForce::PostOnly) => Ok(TimeInForce::PostOnly),
        Some(wire::TimeInForce::Rpi | wire::TimeInForce::Other(_)) => {
            let code = if spec.category == Category::Spot { 170_115 } else { 10_001 };
            Err(Refusal::new(code, "params error: TimeInForce invalid"))
        }
    }
}

/// The condition of an order. Spot orders need not say which way the price must go: it is the way from where it is now.
fn condition(
    exchange: &Exchange,
    spec: &InstrumentSpec,
    body: &wire::CreateOrder,
) -> Result<Option<Condition>, Refusal> {
    let Some(price) = fields::optional_price(spec, "triggerPrice", body.trigger_price.as_ref())? else {
        return Ok(None);
    };
    let watches = match spec.category {
        Category::Linear => fields::watched(body.trigger_by.as_ref())?,
        Category::Spot => Watched::Last,
    };
    let rising = match (spec.category, body.trigger_direction) {
        (_, Some(1)) => true,
        (_, Some(2)) => false,
        (Category::Spot, None | Some(0)) => {
            let last = exchange.engine.view(spec.id).and_then(|view| view.last).unwrap_or_default();
            price > last
        }
        _ => return Err(Refusal::parameter("params error: TriggerDirection invalid")),
    };
    Ok(Some(Condition { price, rising, watches }))
}

fn exits(body: &wire::CreateOrder) -> Exits<'_> {
    Exits {
        mode: body.tpsl_mode.as_ref(),
        profit_watches: body.tp_trigger_by.as_ref(),
        loss_watches: body.sl_trigger_by.as_ref(),
        types: [body.tp_order_type.as_ref(), body.sl_order_type.as_ref()],
        profit_limit: body.tp_limit_price.as_ref(),
        loss_limit: body.sl_limit_price.as_ref(),
    }
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
