//! Changes of open orders.

use portcullis_core::Timestamp;
use portcullis_wire as wire;
use serde_json::Value;

use super::fields::{self, Exits};
use crate::engine::{Change, ExitTerms, Target};
use crate::exchange::Exchange;
use crate::face::refusal::Refusal;

pub(super) fn amend(
    exchange: &mut Exchange,
    body: &wire::AmendOrder,
    now: Timestamp,
) -> Result<Value, Refusal> {
    let spec = fields::instrument(exchange, &body.category, &body.symbol)?;
    let key = fields::target(exchange, &spec, body.order_id.as_ref(), body.order_link_id.as_ref())?;
    let text = body.qty.as_deref().filter(|text| !text.is_empty());
    let take_profit = fields::price_change(&spec, "takeProfit", body.take_profit.as_ref())?;
    let stop_loss = fields::price_change(&spec, "stopLoss", body.stop_loss.as_ref())?;
    let terms = Exits {
        mode: body.tpsl_mode.as_ref(),
        profit_watches: body.tp_trigger_by.as_ref(),
        loss_watches: body.sl_trigger_by.as_ref(),
        types: [None, None],
        profit_limit: body.tp_limit_price.as_ref(),
        loss_limit: body.sl_limit_price.as_ref(),
    };
    let terms = terms.read(&spec)?;
    let old = exchange.find(key).map(|order| order.exits).unwrap_or_default();
    let change = Change {
        price: fields::optional_price(&spec, "price", body.price.as_ref())?,
        quantity: text.map(|text| fields::quantity(&spec, text)).transpose()?,
        trigger: fields::optional_price(&spec, "triggerPrice", body.trigger_price.as_ref())?,
        watches: body.trigger_by.as_ref().map(|word| fields::watched(Some(word))).transpose()?,
        take_profit,
        stop_loss,
        // What a request does not name stays.
        exits: Some(ExitTerms {
            partial: if body.tpsl_mode.is_some() { terms.partial } else { old.partial },
            profit_watches: if body.tp_trigger_by.is_some() {
                terms.profit_watches
            } else {
                old.profit_watches
            },
            loss_watches: if body.sl_trigger_by.is_some() { terms.loss_watches } else { old.loss_watches },
            profit_limit: if body.tp_limit_price.is_some() { terms.profit_limit } else { old.profit_limit },
            loss_limit: if body.sl_limit_price.is_some() { terms.loss_limit } else { old.loss_limit },
        }),
    };
    let key = exchange.command(now, |engine, out| engine.amend(now, Target::Key(key), change, out));
    super::names(exchange, &spec, key)
}
