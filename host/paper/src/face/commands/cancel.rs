//! Cancels, of one order and of many.

use portcullis_core::{Category, InstrumentId, Timestamp};
use portcullis_wire as wire;
use serde_json::Value;

use super::fields;
use crate::engine::{CancelFilter, Target};
use crate::exchange::Exchange;
use crate::face::market_queries::value;
use crate::face::refusal::Refusal;
use crate::listing::Listing;

pub(super) fn cancel(
    exchange: &mut Exchange,
    body: &wire::CancelOrder,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let spec = fields::instrument(exchange, &body.category, &body.symbol)?;
    let key = fields::target(exchange, &spec, body.order_id.as_ref(), body.order_link_id.as_ref())?;
    let key = exchange.command(now, |engine, out| engine.cancel(now, Target::Key(key), out));
    super::names(exchange, &spec, key)
}

pub(super) fn cancel_all(
    exchange: &mut Exchange,
    body: &wire::CancelAll,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let instruments = instruments(exchange, body)?;
    let filter = filter(body)?;
    let cancelled = exchange.command(now, |engine, out| {
        let mut all = Vec::new();
        for instrument in instruments {
            let of = engine.cancel_all(now, Some(instrument), filter, out);
            all.extend(of.into_iter().map(|(key, _)| key));
        }
        all
    });
    let ids = |key| {
        let order = exchange.find(key)?;
        let spec = exchange.listing.get(order.instrument)?;
        let order_id = exchange.names.order(key, spec.category);
        Some(wire::OrderIds { order_id, order_link_id: exchange.link_of(order, spec) })
    };
    let list = cancelled.into_iter().filter_map(ids).collect();
    value(&wire::CancelAllResult { list, success: "1".to_owned() })
}

/// The instruments whose orders go. Linear needs at least one name; spot goes without.
fn instruments(exchange: &Exchange, body: &wire::CancelAll) -> Result<Vec<InstrumentId>, Refusal> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(symbol) = given(&body.symbol) {
        return Ok(vec![fields::instrument(exchange, &body.category, &symbol)?.id]);
    }
    let (base, settle) = (given(&body.base_coin), given(&body.settle_coin));
    let category = match body.category {
        wire::Category::Linear if base.is_none() && settle.is_none() => {
            return Err(Refusal::parameter("params error: symbol, baseCoin or settleCoin is required"));
        }
        wire::Category::Linear => Category::Linear,
        wire::Category::Spot => Category::Spot,
        wire::Category::Inverse | wire::Category::Option | wire::Category::Other(_) => {
            return Err(Refusal::parameter("Illegal category"));
        }
    };
    let chosen = exchange.listing.specs().iter().filter(|spec| {
        spec.category == category
            && base.as_ref().is_none_or(|coin| coin == Listing::base_coin(spec))
            && settle.as_ref().is_none_or(|coin| coin == "USDT")
    });
    Ok(chosen.map(|spec| spec.id).collect())
}

/// Which orders go. Without a word: of linear all, protection included; of spot those that work.
fn filter(body: &wire::CancelAll) -> Result<CancelFilter, Refusal> {
    let spot = body.category == wire::Category::Spot;
    match (&body.order_filter, &body.stop_order_type) {
        (None, _) if spot => Ok(CancelFilter::Working),
        (None, _) => Ok(CancelFilter::All),
        (Some(wire::OrderFilter::Order), _) => Ok(CancelFilter::Working),
        (Some(wire::OrderFilter::StopOrder), _) if spot => Ok(CancelFilter::ClientConditions),
        (Some(wire::OrderFilter::StopOrder), Some(wire::StopOrderType::Stop)) => {
            Ok(CancelFilter::ClientConditions)
        }
        (Some(wire::OrderFilter::StopOrder), _) => Ok(CancelFilter::Waiting),
        (Some(wire::OrderFilter::TpslOrder), _) if spot => Ok(CancelFilter::Reserving),
        (Some(wire::OrderFilter::OpenOrder), _) => Ok(CancelFilter::All),
        (Some(wire::OrderFilter::TpslOrder | wire::OrderFilter::Other(_)), _) => {
            Err(Refusal::parameter("params error: orderFilter invalid"))
        }
    }
}
