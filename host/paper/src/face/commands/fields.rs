//! Members that several requests share.

use portcullis_core::{Category, InstrumentSpec, LinkId, Price, Qty};
use portcullis_wire as wire;
use portcullis_wire::{DecimalError, mantissa};

use crate::engine::{ExitTerms, Leg, OrderKey, Reject, Watched};
use crate::exchange::Exchange;
use crate::face::refusal::{Refusal, refusal};

/// The instrument of a command.
pub(super) fn instrument(
    exchange: &Exchange,
    category: &wire::Category,
    symbol: &str,
) -> Result<InstrumentSpec, Refusal> {
    let (category, code, words) = match category {
        wire::Category::Linear => (Category::Linear, 10_001, "params error: symbol invalid"),
        wire::Category::Spot => (Category::Spot, 170_121, "Invalid symbol."),
        wire::Category::Inverse | wire::Category::Option | wire::Category::Other(_) => {
            return Err(Refusal::parameter("Illegal category"));
        }
    };
    exchange.listing.find(category, symbol).cloned().ok_or_else(|| Refusal::new(code, words))
}

/// The same of a command that is about positions.
pub(super) fn contract(
    exchange: &Exchange,
    category: &wire::Category,
    symbol: &str,
) -> Result<InstrumentSpec, Refusal> {
    if *category == wire::Category::Spot {
        return Err(Refusal::parameter("Illegal category"));
    }
    instrument(exchange, category, symbol)
}

/// Which position. Spot has none, whatever the request says; without a word it is the net one.
pub(super) fn leg(spec: &InstrumentSpec, index: Option<i64>) -> Result<Leg, Refusal> {
    match spec.category {
        Category::Spot => Ok(Leg::Net),
        Category::Linear => {
            Leg::from_index(index.unwrap_or(0)).ok_or_else(|| refusal(&Reject::PositionIndex, Some(spec)))
        }
    }
}

pub(super) fn price(spec: &InstrumentSpec, name: &str, text: &str) -> Result<Price, Refusal> {
    mantissa(text, spec.price_decimals).map(Price).map_err(|error| match (spec.category, error) {
        (Category::Spot, DecimalError::TooFine) => refusal(&Reject::PriceTooFine, Some(spec)),
        _ => Refusal::parameter(format!("params error: {name} invalid")),
    })
}

/// A price that may be missing; the empty text and zero mean none.
pub(super) fn optional_price(
    spec: &InstrumentSpec,
    name: &str,
    text: Option<&String>,
) -> Result<Option<Price>, Refusal> {
    Ok(price_change(spec, name, text)?.flatten())
}

/// A price to change to; the outer `None` leaves as is, zero removes.
pub(super) fn price_change(
    spec: &InstrumentSpec,
    name: &str,
    text: Option<&String>,
) -> Result<Option<Option<Price>>, Refusal> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    price(spec, name, text).map(|price| Some(Some(price).filter(|price| price.0 != 0)))
}

pub(super) fn quantity(spec: &InstrumentSpec, text: &str) -> Result<Qty, Refusal> {
    mantissa(text, spec.quantity_decimals).map(Qty).map_err(|error| match (spec.category, error) {
        (Category::Spot, DecimalError::TooFine) => refusal(&Reject::QuantityTooFine, Some(spec)),
        _ => Refusal::parameter("Qty invalid"),
    })
}

/// A quantity that may be missing; the empty text and zero mean none.
pub(super) fn optional_quantity(
    spec: &InstrumentSpec,
    text: Option<&String>,
) -> Result<Option<Qty>, Refusal> {
    let text = text.filter(|text| !text.is_empty());
    let quantity = text.map(|text| quantity(spec, text)).transpose()?;
    Ok(quantity.filter(|quantity| quantity.0 != 0))
}

pub(super) fn link(text: Option<&String>) -> Result<Option<LinkId>, Refusal> {
    let text = text.filter(|text| !text.is_empty());
    let link = text.map(|text| text.parse::<LinkId>()).transpose();
    link.map_err(|_| Refusal::parameter("params error: orderLinkId invalid"))
}

/// Which price is watched; the last one without a word.
pub(super) fn watched(word: Option<&wire::TriggerBy>) -> Result<Watched, Refusal> {
    match word {
        None | Some(wire::TriggerBy::LastPrice | wire::TriggerBy::None) => Ok(Watched::Last),
        Some(wire::TriggerBy::MarkPrice) => Ok(Watched::Mark),
        Some(wire::TriggerBy::IndexPrice) => Ok(Watched::Index),
        Some(wire::TriggerBy::Unknown | wire::TriggerBy::Other(_)) => {
            Err(Refusal::parameter("params error: TriggerBy invalid"))
        }
    }
}

/// The members that say how a take-profit and a stop-loss close, as they come.
pub(super) struct Exits<'a> {
    pub(super) mode: Option<&'a wire::TpslMode>,
    pub(super) profit_watches: Option<&'a wire::TriggerBy>,
    pub(super) loss_watches: Option<&'a wire::TriggerBy>,
    pub(super) types: [Option<&'a wire::OrderType>; 2],
    pub(super) profit_limit: Option<&'a String>,
    pub(super) loss_limit: Option<&'a String>,
}

impl Exits<'_> {
    /// Limits count with the type `Limit`; where a request has no types, the limit says it all.
    pub(super) fn read(&self, spec: &InstrumentSpec) -> Result<ExitTerms, Refusal> {
        let [profit_type, loss_type] = self.types;
        Ok(ExitTerms {
            partial: match self.mode {
                None | Some(wire::TpslMode::Full | wire::TpslMode::None) => false,
                Some(wire::TpslMode::Partial) => true,
                Some(wire::TpslMode::Unknown | wire::TpslMode::Other(_)) => {
                    return Err(Refusal::parameter("params error: tpslMode invalid"));
                }
            },
            profit_watches: watched(self.profit_watches)?,
            loss_watches: watched(self.loss_watches)?,
            profit_limit: limit(spec, "tpLimitPrice", profit_type, self.profit_limit)?,
            loss_limit: limit(spec, "slLimitPrice", loss_type, self.loss_limit)?,
        })
    }
}

fn limit(
    spec: &InstrumentSpec,
    name: &str,
    kind: Option<&wire::OrderType>,
    text: Option<&String>,
) -> Result<Option<Price>, Refusal> {
    let price = optional_price(spec, name, text)?;
    match kind {
        Some(wire::OrderType::Limit) if price.is_none() => {
            Err(Refusal::parameter(format!("params error: {name} invalid")))
        }
        Some(wire::OrderType::Market) => Ok(None),
        None | Some(wire::OrderType::Limit | wire::OrderType::Unknown | wire::OrderType::Other(_)) => {
            Ok(price)
        }
    }
}

/// The order a request names: the venue's name wins. A name nobody has, or of another instrument, leads to no order, which the
/// engine refuses.
pub(super) fn target(
    exchange: &Exchange,
    spec: &InstrumentSpec,
    id: Option<&String>,
    link_text: Option<&String>,
) -> Result<OrderKey, Refusal> {
    let key = if let Some(id) = id.filter(|id| !id.is_empty()) {
        exchange.names.order_key(id)
    } else {
        let Some(link) = link(link_text)? else {
            return Err(Refusal::parameter("params error: orderId or orderLinkId is required"));
        };
        exchange.key_of_link(&link)
    };
    let here = |key: &OrderKey| exchange.find(*key).is_some_and(|order| order.instrument == spec.id);
    Ok(key.filter(here).unwrap_or(OrderKey(0)))
}
