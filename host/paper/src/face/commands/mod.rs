//! Requests that change something: parsed strictly, run on the engine, answered with the two names of the order.

mod amend;
mod cancel;
mod create;
mod fields;
mod position;
mod protection;

use portcullis_core::{InstrumentSpec, Timestamp};
use portcullis_wire as wire;
use portcullis_wire::path;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::market_queries::value;
use super::refusal::{Refusal, refusal};
use crate::engine::{OrderKey, Reject};
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
        path::CREATE => Some(read(body).and_then(|body| create::create(exchange, &body, now))),
        path::AMEND => Some(read(body).and_then(|body| amend::amend(exchange, &body, now))),
        path::CANCEL => Some(read(body).and_then(|body| cancel::cancel(exchange, &body, now))),
        path::CANCEL_ALL => Some(read(body).and_then(|body| cancel::cancel_all(exchange, &body, now))),
        path::TRADING_STOP => {
            Some(read(body).and_then(|body| protection::trading_stop(exchange, &body, now)))
        }
        path::SET_LEVERAGE => Some(read(body).and_then(|body| position::set_leverage(exchange, &body, now))),
        SWITCH_MODE => Some(read(body).and_then(|body| position::switch_mode(exchange, &body, now))),
        _ => None,
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::parameter(format!("params error: {error}")))
}

/// The answer to a request about one order: its two names.
fn names(
    exchange: &Exchange,
    spec: &InstrumentSpec,
    key: Result<OrderKey, Reject>,
) -> Result<Value, Refusal> {
    let key = key.map_err(|reject| refusal(&reject, Some(spec)))?;
    let link = exchange.find(key).map_or_else(String::new, |order| exchange.link_of(order, spec));
    value(&wire::OrderIds { order_id: exchange.names.order(key, spec.category), order_link_id: link })
}

/// The answer to a request about an instrument: an empty object.
fn nothing(spec: Option<&InstrumentSpec>, done: Result<(), Reject>) -> Result<Value, Refusal> {
    done.map(|()| json!({})).map_err(|reject| refusal(&reject, spec))
}
