//! Batches: the envelope succeeds whatever becomes of the items; each has a code of its own.

use serde::{Deserialize, Serialize};

use crate::text::loose;
use crate::{Category, OrderIds, RawReply};

/// `POST /v5/order/{create,amend,cancel}-batch`: at most 20 items, of spot 10.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Batch<T> {
    /// Market of every item.
    pub category: Category,
    /// The items; each also takes the members of the single request.
    pub request: Vec<T>,
}

/// What came of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchItem {
    /// Its code; 0 when it was accepted.
    pub code: i32,
    /// Words for humans.
    pub message: String,
    /// Its names; the venue's is empty when it was not accepted.
    pub ids: OrderIds,
}

/// The answer to a batch as a client reads it: names and codes stand in two lists that go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchReply {
    /// One for each item, in the order of the request.
    pub items: Vec<BatchItem>,
}

#[derive(Deserialize)]
struct Names {
    #[serde(default = "Vec::new")]
    list: Vec<OrderIds>,
}

#[derive(Deserialize)]
struct Codes {
    #[serde(default = "Vec::new")]
    list: Vec<Code>,
}

#[derive(Deserialize)]
struct Code {
    #[serde(deserialize_with = "loose")]
    code: String,
    #[serde(default)]
    msg: String,
}

impl BatchReply {
    /// Reads the two lists of an answer to `asked` items. `None` when they do not go together: then nothing is known of any item.
    pub fn read(reply: &RawReply<'_>, asked: usize) -> Option<Self> {
        let names: Names = reply.result().ok()?;
        let codes: Codes = serde_json::from_str(reply.ret_ext_info?.get()).ok()?;
        if names.list.len() != asked || codes.list.len() != asked {
            return None;
        }
        let items = names.list.into_iter().zip(codes.list);
        let items = items
            .map(|(ids, code)| Some(BatchItem { code: code.code.parse().ok()?, message: code.msg, ids }))
            .collect::<Option<_>>()?;
        Some(Self { items })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_has_its_own_code() {
        let body = br#"{"retCode":0,"retMsg":"OK","result":{"list":[
            {"category":"spot","symbol":"BTCUSDT","orderId":"16","orderLinkId":"a"},
            {"category":"spot","symbol":"ATOMUSDT","orderId":"","orderLinkId":"b"}]},
            "retExtInfo":{"list":[{"code":0,"msg":"OK"},{"code":170213,"msg":"Order does not exist."}]},"time":1}"#;
        let reply = RawReply::read(body).unwrap();
        let items = BatchReply::read(&reply, 2).unwrap().items;
        assert_eq!((items[0].code, items[0].ids.order_id.as_str()), (0, "16"));
        assert_eq!((items[1].code, items[1].ids.order_link_id.as_str()), (170_213, "b"));
        assert_eq!(BatchReply::read(&reply, 3), None, "lists that do not go together say nothing");
    }

    #[test]
    fn a_batch_names_its_market_once() {
        let batch = Batch { category: Category::Linear, request: vec![crate::CancelOrder::default()] };
        let text = serde_json::to_string(&batch).unwrap();
        assert!(text.starts_with(r#"{"category":"linear","request":[{"#), "{text}");
    }
}
