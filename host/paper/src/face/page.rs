//! Query strings and pages.

use axum::extract::Query;
use axum::http::Uri;
use serde::de::DeserializeOwned;

use super::refusal::Refusal;

/// The parameters of a query string. Unknown ones are ignored, as the venue does.
pub(super) fn parameters<T: DeserializeOwned>(uri: &Uri) -> Result<T, Refusal> {
    let query = Query::<T>::try_from_uri(uri);
    query
        .map(|Query(parameters)| parameters)
        .map_err(|error| Refusal::parameter(format!("params error: {error}")))
}

/// One page of rows that come newest first, each with its number, and the cursor of the next page. Cursors are made of
/// `[0-9]` only, so that clients may encode them or not.
pub(super) fn page<T>(
    rows: impl Iterator<Item = (u64, T)>,
    cursor: Option<&str>,
    limit: Option<u16>,
    (default, most): (u16, u16),
) -> Result<(Vec<T>, String), Refusal> {
    let limit = usize::from(limit.unwrap_or(default));
    if limit == 0 || limit > usize::from(most) {
        return Err(Refusal::parameter(format!("params error: limit must be 1 to {most}")));
    }
    let before = match cursor.filter(|cursor| !cursor.is_empty()) {
        Some(cursor) => cursor.parse().map_err(|_| Refusal::parameter("params error: cursor invalid"))?,
        None => u64::MAX,
    };
    let mut rest = rows.filter(|(number, _)| *number < before);
    let (mut list, mut last) = (Vec::new(), 0);
    for (number, row) in rest.by_ref().take(limit) {
        list.push(row);
        last = number;
    }
    let more = rest.next().is_some();
    Ok((list, if more { last.to_string() } else { String::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_without_gap() {
        let rows = || (1..=5_u64).rev().map(|number| (number, number));
        let (first, cursor) = page(rows(), None, Some(2), (20, 50)).unwrap();
        let (second, after) = page(rows(), Some(&cursor), Some(2), (20, 50)).unwrap();
        let (third, end) = page(rows(), Some(&after), Some(2), (20, 50)).unwrap();
        assert_eq!((first, second, third, end.as_str()), (vec![5, 4], vec![3, 2], vec![1], ""));
        assert!(page(rows(), None, Some(51), (20, 50)).is_err());
        assert!(page(rows(), Some("x"), None, (20, 50)).is_err());
    }
}
