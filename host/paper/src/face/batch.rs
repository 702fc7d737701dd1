//! Batches: each item is carried out by itself and has its own code; the batch as a whole succeeds.

use portcullis_core::Timestamp;
use portcullis_wire::path;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::commands;
use super::refusal::Refusal;
use super::request::{Answer, too_many};
use crate::exchange::Exchange;

/// The paths of batches, each with that of its items.
const PATHS: [(&str, &str); 3] = [
    (path::CREATE_BATCH, path::CREATE),
    (path::AMEND_BATCH, path::AMEND),
    (path::CANCEL_BATCH, path::CANCEL),
];

/// The paths of batches.
pub(super) const PATHS_ALL: [&str; 3] = [path::CREATE_BATCH, path::AMEND_BATCH, path::CANCEL_BATCH];

/// The path of one item of a batch; `None` when the path is no batch's.
pub(super) fn single(path: &str) -> Option<&'static str> {
    PATHS.iter().find(|(batch, _)| *batch == path).map(|(_, single)| *single)
}

/// A batch of orders, amends or cancels.
#[derive(Debug, Deserialize)]
pub(super) struct Batch {
    category: String,
    request: Vec<Map<String, Value>>,
}

impl Batch {
    /// Reads a batch, which is never longer than the venue takes: 20, of spot 10.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let batch: Self = serde_json::from_slice(body)
            .map_err(|error| Refusal::parameter(format!("params error: {error}")))?;
        let most = if batch.category == "spot" { 10 } else { 20 };
        if batch.request.is_empty() || batch.request.len() > most {
            return Err(Refusal::parameter(format!("params error: request must have 1 to {most} items")));
        }
        Ok(batch)
    }

    /// Items, for the quota.
    pub(super) const fn len(&self) -> usize {
        self.request.len()
    }

    /// Carries out the first `granted` items; the others are over the quota.
    pub(super) fn carry_out(
        self,
        exchange: &mut Exchange,
        single: &str,
        granted: usize,
        now: Timestamp,
    ) -> Answer {
        let (mut list, mut codes) = (Vec::new(), Vec::new());
        for (number, mut item) in self.request.into_iter().enumerate() {
            let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (symbol, link) = (text("symbol"), text("orderLinkId"));
            item.insert("category".to_owned(), self.category.as_str().into());
            let outcome = if number < granted {
                let body = Value::Object(item).to_string();
                let outcome = commands::answer(exchange, single, body.as_bytes(), now);
                outcome.unwrap_or_else(|| Err(Refusal::new(10_017, "route not found")))
            } else {
                Err(too_many())
            };
            let made = outcome.is_ok();
            let (names, code, message) = match outcome {
                Ok(names) => (names, 0, "OK".to_owned()),
                Err(refusal) => (json!({"orderId": "", "orderLinkId": link}), refusal.code, refusal.message),
            };
            let mut row = names.as_object().cloned().unwrap_or_default();
            row.insert("category".to_owned(), self.category.as_str().into());
            row.insert("symbol".to_owned(), symbol.into());
            if single == path::CREATE {
                let at = if made { now.millis().to_string() } else { String::new() };
                row.insert("createAt".to_owned(), at.into());
            }
            list.push(row);
            codes.push(json!({"code": code, "msg": message}));
        }
        Answer { result: json!({"list": list}), detail: json!({"list": codes}), message: "OK" }
    }
}
