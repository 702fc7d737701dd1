//! Decoding with bounds: a length on the wire is checked before the memory for it is taken.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::ser::Serializer;

/// A list of at most `N` items.
pub(crate) fn list<'de, D, T, const N: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Bounded<T, const N: usize>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Bounded<T, N> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {N} items")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let announced = items.size_hint().unwrap_or_default();
            if announced > N {
                return Err(Error::invalid_length(announced, &self));
            }
            // Room for what was announced would let two bytes claim it all: small lists are the rule, let it grow.
            let mut list = Vec::new();
            while let Some(item) = items.next_element()? {
                if list.len() == N {
                    return Err(Error::invalid_length(N.saturating_add(1), &self));
                }
                list.push(item);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_seq(Bounded::<T, N>(PhantomData))
}

/// A text of at most `N` bytes.
pub(crate) fn text<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<String, D::Error> {
    struct Bounded<const N: usize>;

    impl<const N: usize> Visitor<'_> for Bounded<N> {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {N} bytes of text")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
            if text.len() > N { Err(Error::invalid_length(text.len(), &self)) } else { Ok(text.to_owned()) }
        }
    }

    deserializer.deserialize_str(Bounded::<N>)
}

/// A text of at most `N` bytes on one line: nothing in it moves a terminal's cursor.
pub(crate) fn line<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<String, D::Error> {
    let text = text::<D, N>(deserializer)?;
    if text.contains(is_unsightly) { Err(D::Error::custom("a control character")) } else { Ok(text) }
}

/// At most `M` texts, each of at most `N` bytes on one line.
pub(crate) fn lines<'de, D: Deserializer<'de>, const M: usize, const N: usize>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    struct Line<const N: usize>(#[serde(deserialize_with = "line::<_, N>")] String);

    Ok(list::<D, Line<N>, M>(deserializer)?.into_iter().map(|line| line.0).collect())
}

/// At most `N` bytes.
pub(crate) fn bytes<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    struct Bounded<const N: usize>;

    impl<const N: usize> Visitor<'_> for Bounded<N> {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {N} bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            if bytes.len() > N { Err(Error::invalid_length(bytes.len(), &self)) } else { Ok(bytes.to_vec()) }
        }
    }

    deserializer.deserialize_bytes(Bounded::<N>)
}

/// Bytes written at once and not one by one; the encoding is the same.
pub(crate) fn write_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// A text as [`line`] reads it: cut to at most `bytes_max` bytes, control characters replaced.
pub(crate) fn one_line(mut text: String, bytes_max: usize) -> String {
    cut(&mut text, bytes_max);
    // A control character may take two bytes, a space takes one.
    text.chars().map(|c| if is_unsightly(c) { ' ' } else { c }).collect()
}

/// Cuts a text to at most `bytes_max` bytes, at a character's edge.
pub(crate) fn cut(text: &mut String, bytes_max: usize) {
    text.truncate(text.floor_char_boundary(bytes_max));
}

/// Whether a character does something to a terminal or a log other than stand in it.
pub(crate) fn is_unsightly(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
