//! Reading a TOML table field by field, so that every violation in it is found and not only the first.

use std::fmt::Display;
use std::str::FromStr;

use toml::{Table, Value};

use crate::Violation;
use crate::untrusted_text::shown;

const LIST_ITEMS_MAX: usize = 256;

/// A table being emptied field by field; what is left at the end is unknown.
pub(crate) struct Section {
    path: String,
    table: Table,
}

impl Section {
    pub(crate) fn top(table: Table) -> Self {
        Self { path: String::new(), table }
    }

    pub(crate) fn text<T: FromStr<Err: Display>>(
        &mut self,
        key: &str,
        found: &mut Vec<Violation>,
    ) -> Option<T> {
        let value = self.required(key, found)?;
        self.parse(key, value, found)
    }

    pub(crate) fn optional_text<T: FromStr<Err: Display>>(
        &mut self,
        key: &str,
        found: &mut Vec<Violation>,
    ) -> Option<T> {
        let value = self.table.remove(key)?;
        self.parse(key, value, found)
    }

    pub(crate) fn number<T: TryFrom<i64>>(&mut self, key: &str, found: &mut Vec<Violation>) -> Option<T> {
        let value = self.required(key, found)?;
        self.integer(key, &value, found)
    }

    pub(crate) fn optional_number<T: TryFrom<i64>>(
        &mut self,
        key: &str,
        found: &mut Vec<Violation>,
    ) -> Option<T> {
        let value = self.table.remove(key)?;
        self.integer(key, &value, found)
    }

    pub(crate) fn list<T: FromStr<Err: Display>>(
        &mut self,
        key: &str,
        found: &mut Vec<Violation>,
    ) -> Option<Vec<T>> {
        let Value::Array(items) = self.required(key, found)? else {
            found.push(self.violation(key, "not a list of strings"));
            return None;
        };
        if items.len() > LIST_ITEMS_MAX {
            found.push(self.violation(key, format!("{} items, at most {LIST_ITEMS_MAX}", items.len())));
            return None;
        }
        // Every item is looked at, so that every bad one is reported.
        let parsed: Vec<Option<T>> = items.into_iter().map(|item| self.parse(key, item, found)).collect();
        parsed.into_iter().collect()
    }

    pub(crate) fn section(&mut self, key: &str, found: &mut Vec<Violation>) -> Option<Section> {
        let value = self.required(key, found)?;
        self.subsection(key, value, found)
    }

    pub(crate) fn optional_section(&mut self, key: &str, found: &mut Vec<Violation>) -> Option<Section> {
        let value = self.table.remove(key)?;
        self.subsection(key, value, found)
    }

    pub(crate) fn finish(self, found: &mut Vec<Violation>) {
        for key in self.table.keys() {
            found.push(self.violation(&shown(key), "unknown field"));
        }
    }

    fn required(&mut self, key: &str, found: &mut Vec<Violation>) -> Option<Value> {
        let value = self.table.remove(key);
        if value.is_none() {
            found.push(self.violation(key, "missing"));
        }
        value
    }

    fn parse<T: FromStr<Err: Display>>(
        &self,
        key: &str,
        value: Value,
        found: &mut Vec<Violation>,
    ) -> Option<T> {
        let Value::String(text) = value else {
            found.push(self.violation(key, format!("a {} where a string is expected", value.type_str())));
            return None;
        };
        let parsed = text.parse();
        parsed.map_err(|error| found.push(self.violation(key, format!("{:?}: {error}", shown(&text))))).ok()
    }

    fn integer<T: TryFrom<i64>>(&self, key: &str, value: &Value, found: &mut Vec<Violation>) -> Option<T> {
        let Value::Integer(number) = value else {
            found.push(self.violation(key, format!("a {} where an integer is expected", value.type_str())));
            return None;
        };
        let converted = T::try_from(*number).ok();
        if converted.is_none() {
            found.push(self.violation(key, format!("{number} is out of range")));
        }
        converted
    }

    fn subsection(&self, key: &str, value: Value, found: &mut Vec<Violation>) -> Option<Section> {
        let Value::Table(table) = value else {
            found.push(self.violation(key, format!("a {} where a table is expected", value.type_str())));
            return None;
        };
        Some(Section { path: self.field(key), table })
    }

    fn violation(&self, key: &str, problem: impl Into<String>) -> Violation {
        Violation::new(self.field(key), problem)
    }

    fn field(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}
