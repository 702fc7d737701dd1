//! Operations and control messages of the public and private streams (snake case; the trade stream has its own, in camel case).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Signature;

/// What a client sends: `auth`, `ping`, `subscribe`, `unsubscribe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The client's name for the request: text, or a number from some clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub req_id: Option<Value>,
    /// The operation.
    pub op: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Value>,
}

impl Operation {
    /// Keeps the connection alive; the server never pings by itself.
    pub fn ping(req_id: &str) -> Self {
        Self { req_id: Some(req_id.into()), op: "ping".to_owned(), args: Vec::new() }
    }

    /// Proves the key; `expires_ms` must lie in the server's future.
    pub fn auth(key: &str, expires_ms: u64, signature: &Signature) -> Self {
        let args = vec![key.into(), expires_ms.into(), signature.as_str().into()];
        Self { req_id: None, op: "auth".to_owned(), args }
    }

    /// Asks for topics. One bad topic fails them all.
    pub fn subscribe(req_id: &str, topics: impl IntoIterator<Item = String>) -> Self {
        let args = topics.into_iter().map(Value::String).collect();
        Self { req_id: Some(req_id.into()), op: "subscribe".to_owned(), args }
    }

    /// Ends topics.
    pub fn unsubscribe(req_id: &str, topics: impl IntoIterator<Item = String>) -> Self {
        let args = topics.into_iter().map(Value::String).collect();
        Self { req_id: Some(req_id.into()), op: "unsubscribe".to_owned(), args }
    }
}

/// A server's answer to an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Whether it was done; a private pong lacks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<bool>,
    /// Words: `pong`, `subscribe`, an error, or nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ret_msg: Option<String>,
    /// The connection's name.
    #[serde(default)]
    pub conn_id: String,
    /// The client's name for the request, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub req_id: Option<Value>,
    /// The operation; a public pong says `ping`, a private one `pong`.
    pub op: String,
    /// Private pong: the server's time in ms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Value>,
}

impl Ack {
    /// An operation done or refused, as public and private streams word it.
    pub fn of(operation: &Operation, conn_id: &str, success: bool, ret_msg: &str) -> Self {
        Self {
            success: Some(success),
            ret_msg: Some(ret_msg.to_owned()),
            conn_id: conn_id.to_owned(),
            req_id: operation.req_id.clone(),
            op: operation.op.clone(),
            args: Vec::new(),
        }
    }

    /// The answer to a ping on a linear or spot stream: `op` stays `ping`.
    pub fn public_pong(operation: &Operation, conn_id: &str) -> Self {
        Self::of(operation, conn_id, true, "pong")
    }

    /// The answer to a ping on a private stream.
    pub fn private_pong(operation: &Operation, conn_id: &str, time_ms: u64) -> Self {
        Self {
            success: None,
            ret_msg: None,
            conn_id: conn_id.to_owned(),
            req_id: operation.req_id.clone(),
            op: "pong".to_owned(),
            args: vec![time_ms.to_string().into()],
        }
    }

    /// Whether it answers a ping, in any of the venue's three ways.
    pub fn is_pong(&self) -> bool {
        self.op == "pong" || self.ret_msg.as_deref() == Some("pong")
    }
}

/// Just enough of any inbound message to know what it is.
#[derive(Debug, Deserialize)]
pub struct Inbound<'a> {
    /// The topic of a data frame.
    #[serde(borrow, default)]
    pub topic: Option<Cow<'a, str>>,
    /// The operation an answer belongs to.
    #[serde(borrow, default)]
    pub op: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_pong_is_one() {
        for text in [
            r#"{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"","op":"ping"}"#,
            r#"{"req_id":"test","op":"pong","args":["1675418560633"],"conn_id":"c"}"#,
            r#"{"args":["1672916271846"],"op":"pong"}"#,
        ] {
            let ack: Ack = serde_json::from_str(text).unwrap();
            assert!(ack.is_pong(), "{text}");
        }
    }

    #[test]
    fn an_ack_echoes_the_name_as_it_came() {
        let operation: Operation =
            serde_json::from_str(r#"{"req_id":7,"op":"subscribe","args":["order"]}"#).unwrap();
        let ack = serde_json::to_string(&Ack::of(&operation, "c", true, "")).unwrap();
        assert_eq!(ack, r#"{"success":true,"ret_msg":"","conn_id":"c","req_id":7,"op":"subscribe"}"#);
    }

    #[test]
    fn operations_are_compact() {
        let text = serde_json::to_string(&Operation::ping("1")).unwrap();
        assert_eq!(text, r#"{"req_id":"1","op":"ping"}"#);
    }
}
