//! A limits file, key by key.

use toml::{Table, Value};

use super::{LimitWords, Limits};

/// One key of a limits file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitEntry {
    /// Its place in the file, such as `account.daily_loss_max`.
    pub key: String,
    /// Its value, as written, without quotes.
    pub value: String,
    /// What it means.
    pub words: &'static LimitWords,
}

impl Limits {
    /// Every key of the file, sections in the order account, each strategy, strategies, instruments.
    pub fn entries(&self) -> Vec<LimitEntry> {
        let file = self.text().parse::<Table>().unwrap_or_default();
        let mut sections = Vec::new();
        for name in ["account", "each_strategy"] {
            sections.extend(file.get(name).and_then(Value::as_table).map(|table| (name.to_owned(), table)));
        }
        for group in ["strategy", "instrument"] {
            let tables = file.get(group).and_then(Value::as_table).into_iter().flatten();
            sections.extend(
                tables.filter_map(|(name, table)| Some((format!("{group}.{name}"), table.as_table()?))),
            );
        }
        let entry = |section: &str, key: &str, value: &Value| {
            let key = format!("{section}.{key}");
            let words = LimitWords::of(&key)?;
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some(LimitEntry { key, value, words })
        };
        let in_order = |(section, table): (String, &Table)| {
            let mut entries: Vec<LimitEntry> =
                table.iter().filter_map(|(key, value)| entry(&section, key, value)).collect();
            entries.sort_by_key(|entry| LimitWords::all().position(|words| words == entry.words));
            entries
        };
        sections.into_iter().flat_map(in_order).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::{INSTALL_LIMITS, Limits};

    #[test]
    fn every_line_of_the_file_is_an_entry() {
        let entries = Limits::parse(INSTALL_LIMITS).unwrap().entries();
        assert_eq!(entries.len(), INSTALL_LIMITS.lines().filter(|line| line.contains(" = ")).count());
        assert_eq!((entries[0].key.as_str(), entries[0].value.as_str()), ("account.capital", "10000"));
        assert!(
            entries
                .iter()
                .any(|entry| entry.key == "instrument.linear:ETHUSDT.protection" && entry.value == "stop")
        );
    }
}
