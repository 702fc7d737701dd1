//! Reading `limits.toml`: every key is taken out by name, and what is left over is a violation.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{AccountLimits, ForeignOrders, InstrumentLimits, LimitsError, RateLimits, StrategyLimits};
use crate::{Amount, Category, Rate, Span, StrategyName, Symbol};

/// The sections of the file.
pub(super) struct Parts {
    pub(super) account: AccountLimits,
    pub(super) each_strategy: StrategyLimits,
    pub(super) strategies: BTreeMap<StrategyName, StrategyLimits>,
    pub(super) instruments: BTreeMap<(Category, Symbol), InstrumentLimits>,
}

/// Reads the file, or says everything that is wrong with it.
pub(super) fn read(text: &str) -> Result<Parts, LimitsError> {
    let table: Table =
        text.parse().map_err(|error: toml::de::Error| LimitsError { violations: vec![error.to_string()] })?;
    let mut violations = Vec::new();
    let mut file = Section { name: String::new(), table, violations: &mut violations };

    let account = file.section("account").map(|section| account(&mut file.child("account", section)));
    let each_strategy =
        file.section("each_strategy").map(|section| strategy(&mut file.child("each_strategy", section)));
    let strategies = named(&mut file, "strategy", |name| name.parse().ok(), strategy);
    let instruments = named(&mut file, "instrument", instrument_name, instrument);
    file.finish();

    match (account.flatten(), each_strategy.flatten(), violations.is_empty()) {
        (Some(account), Some(each_strategy), true) => {
            Ok(Parts { account, each_strategy, strategies, instruments })
        }
        _ => Err(LimitsError { violations }),
    }
}

fn account(section: &mut Section<'_>) -> Option<AccountLimits> {
    let position_notional_max = section.amount("position_notional_max");
    let open_orders_max = section.count("open_orders_max");
    let rate = rate(section);
    let traded_value_per_day_max = section.amount("traded_value_per_day_max");
    let daily_loss_max = section.amount("daily_loss_max");
    let foreign_orders = section.foreign_orders();
    let intent_age_max = section.millis_or("intent_age_ms_max", 500);
    let release_age_max = section.millis_or("release_age_ms_max", 1_000);
    let inhibit_max = section.millis_or("inhibit_ms_max", 300_000);
    section.finish();
    Some(AccountLimits {
        position_notional_max: position_notional_max?,
        open_orders_max: open_orders_max?,
        rate: rate?,
        traded_value_per_day_max: traded_value_per_day_max?,
        daily_loss_max: daily_loss_max?,
        foreign_orders: foreign_orders?,
        intent_age_max: intent_age_max?,
        release_age_max: release_age_max?,
        inhibit_max: inhibit_max?,
    })
}

fn strategy(section: &mut Section<'_>) -> Option<StrategyLimits> {
    let position_notional_max = section.amount("position_notional_max");
    let open_orders_max = section.count("open_orders_max");
    let rate = rate(section);
    let traded_value_per_day_max = section.amount("traded_value_per_day_max");
    let daily_loss_max = section.amount("daily_loss_max");
    let rejects_in_a_row_max = section.count("rejects_in_a_row_max");
    let intents_per_second_max = section.count("intents_per_second_max");
    let intents_burst_max = section.count("intents_burst_max");
    section.finish();
    Some(StrategyLimits {
        position_notional_max: position_notional_max?,
        open_orders_max: open_orders_max?,
        rate: rate?,
        traded_value_per_day_max: traded_value_per_day_max?,
        daily_loss_max: daily_loss_max?,
        rejects_in_a_row_max: rejects_in_a_row_max?,
        intents_per_second_max: intents_per_second_max?,
        intents_burst_max: intents_burst_max?,
    })
}

fn rate(section: &mut Section<'_>) -> Option<RateLimits> {
    let per_second_max = section.count("orders_per_second_max");
    let per_minute_max = section.count("orders_per_minute_max");
    let per_hour_max = section.count("orders_per_hour_max");
    let per_day_max = section.count("orders_per_day_max");
    Some(RateLimits {
        per_second_max: per_second_max?,
        per_minute_max: per_minute_max?,
        per_hour_max: per_hour_max?,
        per_day_max: per_day_max?,
    })
}

fn instrument(section: &mut Section<'_>) -> Option<InstrumentLimits> {
    let order_quantity_max = section.amount("order_quantity_max");
    let order_notional_max = section.amount("order_notional_max");
    let position_notional_max = section.amount("position_notional_max");
    let open_orders_max = section.count("open_orders_max");
    let collar_fraction = section.fraction("collar_fraction");
    let collar_ticks = section.count("collar_ticks");
    let market_data_age_max = section.millis("market_data_age_ms_max");
    let mark_age_max = section.millis("mark_age_ms_max");
    section.finish();
    Some(InstrumentLimits {
        order_quantity_max: order_quantity_max?,
        order_notional_max: order_notional_max?,
        position_notional_max: position_notional_max?,
        open_orders_max: open_orders_max?,
        collar_fraction: collar_fraction?,
        collar_ticks: collar_ticks?,
        market_data_age_max: market_data_age_max?,
        mark_age_max: mark_age_max?,
    })
}

fn instrument_name(name: &str) -> Option<(Category, Symbol)> {
    let (category, symbol) = name.split_once(':')?;
    let category = match category {
        "linear" => Category::Linear,
        "spot" => Category::Spot,
        _ => return None,
    };
    Some((category, symbol.parse().ok()?))
}

/// Reads `[group.NAME]` sections; the group may be absent.
fn named<K: Ord, V>(
    file: &mut Section<'_>,
    group: &str,
    key: impl Fn(&str) -> Option<K>,
    read: impl Fn(&mut Section<'_>) -> Option<V>,
) -> BTreeMap<K, V> {
    let mut found = BTreeMap::new();
    let sections = match file.table.remove(group) {
        None => return found,
        Some(Value::Table(sections)) => sections,
        Some(_) => {
            file.violation(group, "must be a table of sections");
            return found;
        }
    };
    for (name, value) in sections {
        let path = format!("{group}.{name}");
        match (key(&name), value) {
            (Some(key), Value::Table(section)) => {
                if let Some(value) = read(&mut file.child(&path, section)) {
                    found.insert(key, value);
                }
            }
            (None, _) => file.violation(&path, "is no valid name"),
            (Some(_), _) => file.violation(&path, "must be a section"),
        }
    }
    found
}

/// One section of the file, and the list where everything wrong with it goes.
struct Section<'a> {
    name: String,
    table: Table,
    violations: &'a mut Vec<String>,
}

impl Section<'_> {
    fn child(&mut self, name: &str, table: Table) -> Section<'_> {
        Section { name: name.to_owned(), table, violations: &mut *self.violations }
    }

    fn section(&mut self, key: &str) -> Option<Table> {
        match self.table.remove(key) {
            Some(Value::Table(table)) => Some(table),
            Some(_) => self.refuse(key, "must be a section"),
            None => self.refuse(key, "is missing; there is no default"),
        }
    }

    /// A positive amount, written as a decimal string so that no float comes near it.
    fn amount(&mut self, key: &str) -> Option<Amount> {
        let text = self.text(key)?;
        match Amount::parse(&text) {
            Ok(amount) if amount > Amount::ZERO => Some(amount),
            Ok(_) => self.refuse(key, "must be above zero"),
            Err(error) => self.refuse(key, &error.to_string()),
        }
    }

    /// A fraction above 0 and below 1.
    fn fraction(&mut self, key: &str) -> Option<Rate> {
        let text = self.text(key)?;
        match Rate::parse(&text) {
            Ok(rate) if rate.0 > 0 && rate.0 < 1_000_000_000_000 => Some(rate),
            Ok(_) => self.refuse(key, "must be above 0 and below 1"),
            Err(error) => self.refuse(key, &error.to_string()),
        }
    }

    fn count(&mut self, key: &str) -> Option<u64> {
        match self.table.remove(key) {
            Some(Value::Integer(number)) if number > 0 => u64::try_from(number).ok(),
            Some(Value::Integer(_)) => self.refuse(key, "must be above zero"),
            Some(_) => self.refuse(key, "must be a whole number"),
            None => self.refuse(key, "is missing; there is no default"),
        }
    }

    fn millis(&mut self, key: &str) -> Option<Span> {
        self.count(key).map(Span::from_millis)
    }

    fn millis_or(&mut self, key: &str, default: u64) -> Option<Span> {
        if self.table.contains_key(key) { self.millis(key) } else { Some(Span::from_millis(default)) }
    }

    fn foreign_orders(&mut self) -> Option<ForeignOrders> {
        match self.text("foreign_orders")?.as_str() {
            "halt" => Some(ForeignOrders::Halt),
            "count" => Some(ForeignOrders::Count),
            _ => self.refuse("foreign_orders", "must be \"halt\" or \"count\""),
        }
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.table.remove(key) {
            Some(Value::String(text)) => Some(text),
            Some(_) => self.refuse(key, "must be a text in quotes"),
            None => self.refuse(key, "is missing; there is no default"),
        }
    }

    fn finish(&mut self) {
        let unknown: Vec<String> = self.table.keys().cloned().collect();
        for key in unknown {
            self.violation(&key, "is not a limit");
        }
    }

    fn refuse<T>(&mut self, key: &str, why: &str) -> Option<T> {
        self.violation(key, why);
        None
    }

    fn violation(&mut self, key: &str, why: &str) {
        let separator = if self.name.is_empty() { "" } else { "." };
        self.violations.push(format!("{}{separator}{key} {why}", self.name));
    }
}
