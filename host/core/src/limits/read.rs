//! Reading `limits.toml`: every key is taken out by name, and what is left over is a violation.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::{
    AccountLimits, DayWindow, ForeignOrders, InstrumentLimits, LimitsError, ProtectionLimits, RateLimits,
    StrategyLimits,
};
use crate::{Amount, Category, MarginMode, Rate, Span, StrategyName, Symbol};

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
    // Every key is read before any `?`, so that everything wrong is named at once.
    let capital = section.amount("capital");
    let position_notional_max = section.amount("position_notional_max");
    let direction_notional_max = section.amount("direction_notional_max");
    let leverage_max = section.ratio("leverage_max");
    let initial_margin_max = section.fraction("initial_margin_max");
    let maintenance_margin_max = section.fraction("maintenance_margin_max");
    let wallet_age_max = section.millis("wallet_age_ms_max");
    let margin_mode = section.margin_mode();
    let open_orders_max = section.count("open_orders_max");
    let rate = rate(section);
    let traded_value_per_day_max = section.amount("traded_value_per_day_max");
    let fees_per_day_max = section.amount("fees_per_day_max");
    let daily_loss_max = section.amount("daily_loss_max");
    let drawdown_max = section.amount("drawdown_max");
    let daily_profit_alert = section.amount("daily_profit_alert");
    let foreign_orders = section.foreign_orders();
    let no_open = section.windows("no_open");
    let inhibits_per_hour_max = section.count("inhibits_per_hour_max");
    let disconnect_max = section.millis_or("disconnect_ms_max", 30_000);
    let intent_age_max = section.millis_or("intent_age_ms_max", 500);
    // A cell that lags two seconds behind adds no risk, whatever the operator would put up with (RULES C1).
    let intent_age_max = section.at_most("intent_age_ms_max", intent_age_max, 2_000);
    let release_age_max = section.millis_or("release_age_ms_max", 1_000);
    let inhibit_max = section.millis_or("inhibit_ms_max", 300_000);
    section.finish();
    Some(AccountLimits {
        capital: capital?,
        position_notional_max: position_notional_max?,
        direction_notional_max: direction_notional_max?,
        leverage_max: leverage_max?,
        initial_margin_max: initial_margin_max?,
        maintenance_margin_max: maintenance_margin_max?,
        wallet_age_max: wallet_age_max?,
        margin_mode: margin_mode?,
        open_orders_max: open_orders_max?,
        rate: rate?,
        traded_value_per_day_max: traded_value_per_day_max?,
        fees_per_day_max: fees_per_day_max?,
        daily_loss_max: daily_loss_max?,
        drawdown_max: drawdown_max?,
        daily_profit_alert: daily_profit_alert?,
        foreign_orders: foreign_orders?,
        no_open: no_open?,
        inhibits_per_hour_max: inhibits_per_hour_max?,
        disconnect_max: disconnect_max?,
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
    let fees_per_day_max = section.amount("fees_per_day_max");
    let daily_loss_max = section.amount("daily_loss_max");
    let drawdown_max = section.amount("drawdown_max");
    let rejects_in_a_row_max = section.count("rejects_in_a_row_max");
    let repeated_executions_max = section.count("repeated_executions_max");
    let repeated_executions_pause = section.millis("repeated_executions_pause_ms");
    let duplicate_window = section.millis("duplicate_window_ms");
    let losses_in_a_row_max = section.count("losses_in_a_row_max");
    let loss_cooldown = section.millis("loss_cooldown_ms");
    let intents_per_second_max = section.count("intents_per_second_max");
    let intents_burst_max = section.count("intents_burst_max");
    section.finish();
    Some(StrategyLimits {
        position_notional_max: position_notional_max?,
        open_orders_max: open_orders_max?,
        rate: rate?,
        traded_value_per_day_max: traded_value_per_day_max?,
        fees_per_day_max: fees_per_day_max?,
        daily_loss_max: daily_loss_max?,
        drawdown_max: drawdown_max?,
        rejects_in_a_row_max: rejects_in_a_row_max?,
        repeated_executions_max: repeated_executions_max?,
        repeated_executions_pause: repeated_executions_pause?,
        duplicate_window: duplicate_window?,
        losses_in_a_row_max: losses_in_a_row_max?,
        loss_cooldown: loss_cooldown?,
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
    let conditional_orders_max = section.count("conditional_orders_max");
    let price_min = section.amount("price_min");
    let price_max = section.amount("price_max");
    if let (Some(lowest), Some(highest)) = (price_min, price_max)
        && lowest > highest
    {
        section.violation("price_min", "must not be above price_max");
    }
    let window_fraction = section.fraction("window_fraction");
    let protection = protection(section);
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
        conditional_orders_max: conditional_orders_max?,
        price_min: price_min?,
        price_max: price_max?,
        window_fraction: window_fraction?,
        protection: protection?,
        collar_fraction: collar_fraction?,
        collar_ticks: collar_ticks?,
        market_data_age_max: market_data_age_max?,
        mark_age_max: mark_age_max?,
    })
}

/// `protection = "none"`, or `"stop"` with the two numbers that go with it.
fn protection(section: &mut Section<'_>) -> Option<Option<ProtectionLimits>> {
    match section.text("protection")?.as_str() {
        "none" => Some(None),
        "stop" => {
            let stop_fraction = section.fraction("stop_fraction");
            let missing_max = section.millis("stop_missing_ms_max");
            Some(Some(ProtectionLimits { stop_fraction: stop_fraction?, missing_max: missing_max? }))
        }
        _ => section.refuse("protection", "must be \"stop\" or \"none\""),
    }
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

fn day_window(text: &str) -> Option<DayWindow> {
    let minute = |text: &str| {
        let (hours, minutes) = text.split_once(':').filter(|(h, m)| h.len() == 2 && m.len() == 2)?;
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then(|| hours.saturating_mul(60).saturating_add(minutes))
    };
    let (from, until) = text.split_once('-')?;
    let window = DayWindow { from: minute(from)?, until: minute(until)? };
    (window.from != window.until).then_some(window)
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

    /// A number above 0, at most a million.
    fn ratio(&mut self, key: &str) -> Option<Rate> {
        let text = self.text(key)?;
        match Rate::parse(&text) {
            Ok(rate) if rate.0 > 0 && rate.0 <= 1_000_000_000_000_000_000 => Some(rate),
            Ok(_) => self.refuse(key, "must be above 0 and at most 1000000"),
            Err(error) => self.refuse(key, &error.to_string()),
        }
    }

    /// Windows of the UTC day, such as `["04:00-05:30"]`; the empty list says that there is none.
    fn windows(&mut self, key: &str) -> Option<Vec<DayWindow>> {
        let windows = match self.table.remove(key) {
            Some(Value::Array(windows)) => windows,
            Some(_) => return self.refuse(key, "must be a list such as [\"04:00-05:30\"]"),
            None => return self.refuse(key, "is missing; there is no default"),
        };
        let read: Option<Vec<DayWindow>> =
            windows.iter().map(|window| window.as_str().and_then(day_window)).collect();
        match read {
            Some(windows) => Some(windows),
            None => self.refuse(key, "must hold windows of the UTC day such as \"04:00-05:30\""),
        }
    }

    fn margin_mode(&mut self) -> Option<MarginMode> {
        match self.text("margin_mode")?.as_str() {
            "isolated" => Some(MarginMode::Isolated),
            "cross" => Some(MarginMode::Cross),
            "portfolio" => Some(MarginMode::Portfolio),
            _ => self.refuse("margin_mode", "must be \"isolated\", \"cross\" or \"portfolio\""),
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

    /// A span that was read, unless it is above `most` milliseconds, which stand for a rule.
    fn at_most(&mut self, key: &str, span: Option<Span>, most: u64) -> Option<Span> {
        if span? > Span::from_millis(most) {
            return self.refuse(key, &format!("must be at most {most}"));
        }
        span
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
