//! Answers and messages that are not what they should be.

use serde_json::{Map, Value};

use crate::faults::Does;

/// A text as a fault leaves it. Faults that damage nothing leave it as it is.
pub(super) fn damaged(text: String, does: Option<Does>) -> String {
    match does {
        Some(Does::MalformedJson) => {
            let half = text.len().checked_div(2).unwrap_or(0);
            text.get(..text.floor_char_boundary(half)).unwrap_or_default().to_owned()
        }
        Some(Does::UnknownFields) => changed(text, |members| {
            members.insert("unheardOf".to_owned(), serde_json::json!({"of": ["", 1, null]}));
        }),
        Some(Does::MissingFields) => changed(text, |members| {
            let mut position = 0_usize;
            members.retain(|_, _| {
                position = position.wrapping_add(1);
                position % 2 == 1
            });
        }),
        Some(
            Does::TimeoutBeforeAccept
            | Does::TimeoutAfterAccept
            | Does::RateLimit
            | Does::Forbidden
            | Does::ServerError
            | Does::DelayReply
            | Does::DropEvent
            | Does::DuplicateEvent
            | Does::ReorderEvent
            | Does::DelayEvent
            | Does::Disconnect
            | Does::Silence
            | Does::Restart
            | Does::RestartForgetting
            | Does::ClockOffset,
        )
        | None => text,
    }
}

/// Changes the payload: each row of it, or the whole when it has no rows.
fn changed(text: String, change: impl Fn(&mut Map<String, Value>)) -> String {
    let Ok(mut whole) = serde_json::from_str::<Value>(&text) else { return text };
    let payload = ["result", "data"].into_iter().find(|name| whole.get(name).is_some());
    let Some(payload) = payload.and_then(|name| whole.get_mut(name)) else { return text };
    let rows = match payload {
        Value::Array(rows) => rows,
        Value::Object(members) => match members.get_mut("list") {
            Some(Value::Array(rows)) => rows,
            Some(_) | None => {
                change(members);
                return whole.to_string();
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return text,
    };
    rows.iter_mut().filter_map(Value::as_object_mut).for_each(change);
    whole.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_gain_and_lose_members_and_the_envelope_stays() {
        let text = || r#"{"retCode":0,"result":{"list":[{"a":"1","b":"2"}]}}"#.to_owned();
        let read = |does| -> Value { serde_json::from_str(&damaged(text(), Some(does))).unwrap() };
        let more = read(Does::UnknownFields);
        assert_eq!((&more["retCode"], &more["result"]["list"][0]["a"]), (&0.into(), &"1".into()));
        assert!(more["result"]["list"][0]["unheardOf"].is_object());
        assert_eq!(read(Does::MissingFields)["result"]["list"], serde_json::json!([{"a": "1"}]));
        assert!(serde_json::from_str::<Value>(&damaged(text(), Some(Does::MalformedJson))).is_err());
        assert_eq!(damaged(text(), Some(Does::DelayReply)), text());
    }
}
