//! What one limits file allows that another does not: loosening takes a second step (RULES G9).

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use toml::{Table, Value};

use super::Limits;
use crate::Amount;

/// Keys of which the smaller value is the looser one; of every other number it is the larger.
const SMALLER_IS_LOOSER: [&str; 4] =
    ["price_min", "repeated_executions_pause_ms", "duplicate_window_ms", "loss_cooldown_ms"];

/// One key that differs between two limits files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitChange {
    /// Its place in the file, such as `account.daily_loss_max`.
    pub key: String,
    /// Its value before; `None` where it was not there.
    pub from: Option<String>,
    /// Its value after; `None` where it is gone.
    pub to: Option<String>,
    /// Whether more is allowed after than before. A change that cannot be told counts as one.
    pub loosens: bool,
}

impl fmt::Display for LimitChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = "nothing";
        let (from, to) = (self.from.as_deref().unwrap_or(none), self.to.as_deref().unwrap_or(none));
        write!(f, "{} {from} -> {to}", self.key)
    }
}

impl Limits {
    /// Everything that differs in `new`, by key. A strategy without a section of its own is compared by `each_strategy`.
    pub fn changes_to(&self, new: &Self) -> Vec<LimitChange> {
        let read = |limits: &Self| limits.text().parse::<Table>().unwrap_or_default();
        let (old, new) = (read(self), read(new));
        let mut changes = Vec::new();
        for section in ["account", "each_strategy"] {
            let (old, new) = (table(&old, section), table(&new, section));
            compare(section, old, new, &mut changes);
        }
        for name in names(&old, &new, "strategy") {
            let of = |file: &'_ Table| {
                table(file, "strategy")
                    .and_then(|all| table(all, &name))
                    .or_else(|| table(file, "each_strategy"))
                    .cloned()
            };
            compare(&format!("strategy.{name}"), of(&old).as_ref(), of(&new).as_ref(), &mut changes);
        }
        for name in names(&old, &new, "instrument") {
            let of = |file: &'_ Table| table(file, "instrument").and_then(|all| table(all, &name)).cloned();
            compare(&format!("instrument.{name}"), of(&old).as_ref(), of(&new).as_ref(), &mut changes);
        }
        changes
    }
}

fn table<'a>(file: &'a Table, key: &str) -> Option<&'a Table> {
    file.get(key).and_then(Value::as_table)
}

fn names(old: &Table, new: &Table, group: &str) -> BTreeSet<String> {
    [old, new].into_iter().filter_map(|file| table(file, group)).flat_map(|all| all.keys().cloned()).collect()
}

fn compare(section: &str, old: Option<&Table>, new: Option<&Table>, changes: &mut Vec<LimitChange>) {
    let keys: BTreeSet<&String> = old.into_iter().chain(new).flat_map(Table::keys).collect();
    for key in keys {
        let (from, to) = (old.and_then(|old| old.get(key)), new.and_then(|new| new.get(key)));
        if from == to {
            continue;
        }
        let loosens = match (from, to) {
            (Some(from), Some(to)) => is_looser(key, from, to),
            // Without a section an instrument cannot be traded at all.
            (Some(_), None) => new.is_some(),
            (None, _) => true,
        };
        changes.push(LimitChange {
            key: format!("{section}.{key}"),
            from: from.map(text),
            to: to.map(text),
            loosens,
        });
    }
}

fn is_looser(key: &str, from: &Value, to: &Value) -> bool {
    match (key, from, to) {
        ("foreign_orders", ..) => to.as_str() == Some("count"),
        ("protection", ..) => to.as_str() == Some("none"),
        ("no_open", Value::Array(from), Value::Array(to)) => from.iter().any(|window| !to.contains(window)),
        _ => match (number(from), number(to)) {
            (Some(from), Some(to)) => {
                let looser =
                    if SMALLER_IS_LOOSER.contains(&key) { Ordering::Less } else { Ordering::Greater };
                to.cmp(&from) == looser
            }
            _ => true,
        },
    }
}

fn number(value: &Value) -> Option<Amount> {
    match value {
        Value::Integer(whole) => Amount::parse(&whole.to_string()).ok(),
        Value::String(decimal) => Amount::parse(decimal).ok(),
        Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use crate::{INSTALL_LIMITS, Limits};

    fn changes(edits: &[(&str, &str)]) -> Vec<(String, bool)> {
        let old = Limits::parse(INSTALL_LIMITS).unwrap();
        let text =
            edits.iter().fold(INSTALL_LIMITS.to_owned(), |text, (from, to)| text.replacen(from, to, 1));
        let new = Limits::parse(&text).unwrap();
        old.changes_to(&new).into_iter().map(|change| (change.key, change.loosens)).collect()
    }

    #[test]
    fn a_larger_bound_is_looser() {
        assert_eq!(
            changes(&[("daily_loss_max = \"500\"", "daily_loss_max = \"600\"")]),
            [("account.daily_loss_max".to_owned(), true)]
        );
        assert_eq!(
            changes(&[("daily_loss_max = \"500\"", "daily_loss_max = \"99\"")]),
            [("account.daily_loss_max".to_owned(), false)]
        );
        assert_eq!(
            changes(&[("open_orders_max = 20", "open_orders_max = 100")]),
            [("account.open_orders_max".to_owned(), true)]
        );
    }

    #[test]
    fn some_bounds_work_the_other_way() {
        assert_eq!(
            changes(&[("duplicate_window_ms = 1000", "duplicate_window_ms = 10")]),
            [("each_strategy.duplicate_window_ms".to_owned(), true)]
        );
        assert_eq!(
            changes(&[("foreign_orders = \"halt\"", "foreign_orders = \"count\"")]),
            [("account.foreign_orders".to_owned(), true)]
        );
        assert_eq!(
            changes(&[("no_open = []", "no_open = [\"04:00-05:30\"]")]),
            [("account.no_open".to_owned(), false)]
        );
        assert!(
            changes(&[(
                "protection = \"stop\"\nstop_fraction = \"0.05\"\nstop_missing_ms_max = 5000",
                "protection = \"none\""
            )])
            .iter()
            .any(|(_, loosens)| *loosens)
        );
    }

    #[test]
    fn another_instrument_is_looser_and_one_less_is_tighter() {
        let both = Limits::parse(INSTALL_LIMITS).unwrap();
        let cut = INSTALL_LIMITS.find("[instrument.\"linear:ETHUSDT\"]").unwrap();
        let one = Limits::parse(&INSTALL_LIMITS[..cut]).unwrap();
        assert!(one.changes_to(&both).iter().all(|change| change.loosens));
        assert!(both.changes_to(&one).iter().all(|change| !change.loosens));
        assert!(both.changes_to(&both).is_empty());
    }
}
