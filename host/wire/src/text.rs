//! Text that borrows from the frame, and members that come as text or as a number.

use core::fmt;
use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, de};

/// A string of a frame, borrowed unless it holds an escape. A bare `Cow` inside a list would always copy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Text<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl core::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A string, number, boolean or null as text: clients differ in how they write numbers.
pub(crate) fn loose<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_any(Loose).map(Option::unwrap_or_default)
}

/// Like [`loose`], with null and absence as `None`. Use with `default`.
pub(crate) fn loose_opt<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(Loose)
}

/// A small whole number, written as number or text; null and the empty text are `None`. Use with `default`.
pub(crate) fn loose_int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    match deserializer.deserialize_any(Loose)? {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| de::Error::custom("not a whole number")),
    }
}

struct Loose;

impl de::Visitor<'_> for Loose {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Row<'a> {
        #[serde(borrow)]
        levels: Vec<[Text<'a>; 2]>,
        #[serde(default, deserialize_with = "loose_int")]
        index: Option<i64>,
        #[serde(default, deserialize_with = "loose_opt")]
        quantity: Option<String>,
    }

    #[test]
    fn levels_borrow_from_the_frame() {
        let row: Row<'_> =
            serde_json::from_str(r#"{"levels":[["1.5","2"]],"index":"2","quantity":0.5}"#).unwrap();
        assert!(row.levels[0].iter().all(|text| matches!(text.0, Cow::Borrowed(_))));
        assert_eq!(row.index, Some(2));
        assert_eq!(row.quantity.as_deref(), Some("0.5"));
    }

    #[test]
    fn absence_null_and_empty_are_no_number() {
        for frame in [r#"{"levels":[]}"#, r#"{"levels":[],"index":null}"#, r#"{"levels":[],"index":""}"#] {
            let row: Row<'_> = serde_json::from_str(frame).unwrap();
            assert_eq!(row.index, None, "{frame}");
        }
    }
}
