//! Frames of the private streams.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// A frame of `order`, `execution`, `position` or `wallet`; one may hold rows of several orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: Deserialize<'de>"))]
pub struct PrivateFrame<'a, T> {
    /// The message's name; `execution.fast` has none.
    #[serde(borrow, default)]
    pub id: Cow<'a, str>,
    /// The topic, as it was subscribed.
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
    /// When it was made, ms.
    #[serde(default)]
    pub creation_time: u64,
    /// The rows.
    pub data: Vec<T>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CancelType, Order, OrderStatus, Position, RejectReason, Side};

    #[test]
    fn a_user_cancel_says_so_in_two_members() {
        let text = r#"{"topic":"order.linear","id":"6255","creationTime":1727433749096,"data":[{"category":"linear",
            "symbol":"SOLUSDT","orderId":"f38c","orderLinkId":"","orderStatus":"Cancelled","cancelType":"CancelByUser",
            "rejectReason":"EC_PerCancelRequest","qty":"0.1","avgPrice":"","leavesQty":"0","tpslMode":"UNKNOWN"}]}"#;
        let frame: PrivateFrame<'_, Order> = serde_json::from_str(text).unwrap();
        let order = &frame.data[0];
        assert_eq!(order.order_status, OrderStatus::Cancelled);
        assert_eq!(order.cancel_type, CancelType::ByUser);
        assert_eq!(order.reject_reason, RejectReason::PerCancelRequest);
    }

    #[test]
    fn the_average_is_read_from_either_member() {
        let stream: Position = serde_json::from_str(r#"{"side":"","entryPrice":"12.5"}"#).unwrap();
        let query: Position = serde_json::from_str(r#"{"side":"Buy","avgPrice":"12.5"}"#).unwrap();
        assert_eq!((stream.average(), query.average()), ("12.5", "12.5"));
        assert_eq!((stream.side, query.side), (Side::Flat, Side::Buy));
    }
}
