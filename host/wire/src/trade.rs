//! Messages of the trade stream (camel case). Portcullis itself places orders by REST; the paper exchange answers here too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text::loose_opt;

/// What a client sends; exactly one element in `args` for an order operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TradeRequest {
    /// The client's name for the request; absent in the answer when absent here.
    #[serde(default, deserialize_with = "loose_opt", skip_serializing_if = "Option::is_none")]
    pub req_id: Option<String>,
    /// Time and window; absent on `auth` and `ping`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<TradeHeader>,
    /// `auth`, `ping`, `order.create`, `order.amend`, `order.cancel`.
    pub op: String,
    /// The body of the REST request.
    #[serde(default)]
    pub args: Vec<Value>,
}

/// The header of an order operation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TradeHeader {
    /// The client's time, ms; mandatory. Some clients write a number.
    #[serde(
        rename = "X-BAPI-TIMESTAMP",
        deserialize_with = "loose_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub timestamp: Option<String>,
    /// The window, ms.
    #[serde(
        rename = "X-BAPI-RECV-WINDOW",
        deserialize_with = "loose_opt",
        skip_serializing_if = "Option::is_none"
    )]
    pub recv_window: Option<String>,
}

/// What the server answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TradeReply {
    /// The client's name for the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub req_id: Option<String>,
    /// 0 on success.
    pub ret_code: i32,
    /// Words for humans.
    pub ret_msg: String,
    /// The operation.
    pub op: String,
    /// The result; `{}` on failure, absent on `auth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Detail of batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ret_ext_info: Option<BTreeMap<String, Value>>,
    /// Rate limit and time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<TradeReplyHeader>,
    /// The connection's name.
    #[serde(default)]
    pub conn_id: String,
}

/// Rate limit and time of a [`TradeReply`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TradeReplyHeader {
    /// Requests allowed per second.
    #[serde(rename = "X-Bapi-Limit")]
    pub limit: String,
    /// Requests left.
    #[serde(rename = "X-Bapi-Limit-Status")]
    pub limit_status: String,
    /// When more are, ms.
    #[serde(rename = "X-Bapi-Limit-Reset-Timestamp")]
    pub limit_reset: String,
    /// The venue's name for the request.
    #[serde(rename = "Traceid")]
    pub trace_id: String,
    /// Server time, ms.
    #[serde(rename = "Timenow")]
    pub time_now: String,
}
