//! The envelope of every REST answer.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// An answer, as a server writes it: `{retCode, retMsg, result, retExtInfo, time}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply<R> {
    /// 0 on success; see [`verdict`](crate::verdict).
    pub ret_code: i32,
    /// Words for humans.
    pub ret_msg: String,
    /// The payload; `{}` on failure.
    pub result: R,
    /// Detail of batch requests; `{}` otherwise.
    pub ret_ext_info: Empty,
    /// Server time in milliseconds.
    pub time: u64,
}

impl<R> Reply<R> {
    /// A success.
    pub fn ok(result: R, time_ms: u64) -> Self {
        Self { ret_code: 0, ret_msg: "OK".to_owned(), result, ret_ext_info: Empty {}, time: time_ms }
    }
}

impl Reply<Empty> {
    /// A failure.
    pub fn error(ret_code: i32, ret_msg: impl Into<String>, time_ms: u64) -> Self {
        Self { ret_code, ret_msg: ret_msg.into(), result: Empty {}, ret_ext_info: Empty {}, time: time_ms }
    }
}

/// The object `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Empty {}

/// An answer as a client reads it: the payload is left unread until the code is known, because a failure carries `{}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RawReply<'a> {
    /// 0 on success.
    pub ret_code: i32,
    /// Words for humans; may echo the API key (code 10004), so [`redact`](crate::redact) before keeping.
    #[serde(borrow, default)]
    pub ret_msg: Cow<'a, str>,
    /// The payload, unread.
    #[serde(borrow, default)]
    pub result: Option<&'a RawValue>,
    /// Detail of batches, unread; some answers lack it.
    #[serde(borrow, default)]
    pub ret_ext_info: Option<&'a RawValue>,
    /// Server time in milliseconds; some answers lack it.
    #[serde(default)]
    pub time: Option<u64>,
}

impl<'a> RawReply<'a> {
    /// Reads the envelope.
    ///
    /// # Errors
    /// When the body is not such an envelope; a proxy's error page is not.
    pub fn read(body: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// Reads the payload; an absent one reads as `{}`.
    ///
    /// # Errors
    /// When it has another shape.
    pub fn result<T: Deserialize<'a>>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.result.map_or("{}", RawValue::get))
    }
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The market asked about.
    #[serde(default)]
    pub category: crate::Category,
    /// The rows.
    #[serde(default = "Vec::new")]
    pub list: Vec<T>,
    /// Where the next page starts, already percent-encoded; empty at the end. A page may follow that is empty.
    #[serde(default)]
    pub next_page_cursor: String,
}

/// Rows without pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List<T> {
    /// The market asked about; absent in some answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<crate::Category>,
    /// The rows.
    #[serde(default = "Vec::new")]
    pub list: Vec<T>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_keeps_its_code_whatever_its_payload() {
        let body = br#"{"retCode":110007,"retMsg":"ab not enough for new order","result":{},"retExtInfo":{},"time":7}"#;
        let reply = RawReply::read(body).unwrap();
        assert_eq!((reply.ret_code, reply.time), (110_007, Some(7)));
    }

    #[test]
    fn members_may_be_missing() {
        let reply = RawReply::read(br#"{"retCode":0,"retMsg":"success"}"#).unwrap();
        assert_eq!(reply.result::<Empty>().unwrap(), Empty {});
        assert_eq!(reply.time, None);
    }

    #[test]
    fn what_is_no_envelope_is_an_error() {
        for body in [&b"<html>403</html>"[..], b"", b"[]", b"{\"result\":{}}"] {
            assert!(RawReply::read(body).is_err());
        }
    }

    #[test]
    fn a_server_writes_all_members() {
        let text = serde_json::to_string(&Reply::error(10_001, "Qty invalid", 5)).unwrap();
        assert_eq!(text, r#"{"retCode":10001,"retMsg":"Qty invalid","result":{},"retExtInfo":{},"time":5}"#);
    }
}
