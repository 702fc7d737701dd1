//! Every limit in words: what it measures, what it stops, and what it does not stop. People who have to guess that get it wrong.

mod account;
mod instrument;
mod strategy;

use crate::{CheckId, StateCause, TradingState};

/// What kind of section of the limits file a key stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitSection {
    /// `[account]`: everything on the account together.
    Account,
    /// `[each_strategy]`, or a `[strategy.NAME]` that takes its place: each strategy by itself.
    Strategy,
    /// `[instrument."CATEGORY:SYMBOL"]`: each instrument by itself.
    Instrument,
}

impl LimitSection {
    /// The word for what it bounds.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Strategy => "strategy",
            Self::Instrument => "instrument",
        }
    }
}

/// One key of the limits file, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitWords {
    /// Where it stands.
    pub section: LimitSection,
    /// The key.
    pub key: &'static str,
    /// The unit of its value.
    pub unit: &'static str,
    /// The checks that hold orders against it.
    pub checks: &'static [CheckId],
    /// The trading state that it latches when it is reached, and the cause that is journaled with it.
    pub latches: Option<(StateCause, TradingState)>,
    /// What it measures.
    pub measures: &'static str,
    /// What it stops.
    pub stops: &'static str,
    /// What it does not stop.
    pub leaves: &'static str,
}

impl LimitWords {
    /// Every key that a limits file may hold, in the order of the file.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        account::ROWS.iter().chain(strategy::ROWS).chain(instrument::ROWS)
    }

    /// The words for a place in a limits file, such as `account.daily_loss_max`, `strategy.ema.open_orders_max` or
    /// `instrument.linear:BTCUSDT.price_max`; quotes do not matter. `None` where no limit can stand.
    pub fn of(place: &str) -> Option<&'static Self> {
        let place = place.replace('"', "");
        let (path, key) = place.rsplit_once('.')?;
        let section = match path.split_once('.') {
            None if path == "account" => LimitSection::Account,
            None if path == "each_strategy" => LimitSection::Strategy,
            Some(("strategy", name)) if !name.is_empty() => LimitSection::Strategy,
            Some(("instrument", name)) if !name.is_empty() => LimitSection::Instrument,
            _ => return None,
        };
        Self::find(section, key)
    }

    /// The words for a key of a section.
    pub(crate) fn find(section: LimitSection, key: &str) -> Option<&'static Self> {
        Self::all().find(|words| words.section == section && words.key == key)
    }

    /// The keys that a check holds orders against; none for a check that no limit feeds.
    pub fn of_check(check: CheckId) -> impl Iterator<Item = &'static Self> {
        Self::all().filter(move |words| words.checks.contains(&check))
    }
}

/// A key whose checks refuse and which latches nothing.
const fn bound(
    section: LimitSection,
    (key, unit): (&'static str, &'static str),
    checks: &'static [CheckId],
    measures: &'static str,
    stops: &'static str,
    leaves: &'static str,
) -> LimitWords {
    LimitWords { section, key, unit, checks, latches: None, measures, stops, leaves }
}

impl LimitWords {
    const fn latching(mut self, cause: StateCause, state: TradingState) -> Self {
        self.latches = Some((cause, state));
        self
    }
}

/// The four windows of the order rate, which account and strategies bound alike.
const fn rates(section: LimitSection, checks: [&'static [CheckId]; 4]) -> [LimitWords; 4] {
    const STOPS: &str = "Orders and changes of orders that could add risk are refused with ORDER_RATE_LIMIT until the window has moved on.";
    const LEAVES: &str = "Cancels and reductions are never refused for it, although they count.";
    let [second, minute, hour, day] = checks;
    [
        bound(
            section,
            ("orders_per_second_max", "commands"),
            second,
            "Places, amends and cancels of strategies in the last second, the one under review included.",
            STOPS,
            LEAVES,
        ),
        bound(
            section,
            ("orders_per_minute_max", "commands"),
            minute,
            "Places, amends and cancels of strategies in the last minute, the one under review included.",
            STOPS,
            LEAVES,
        ),
        bound(
            section,
            ("orders_per_hour_max", "commands"),
            hour,
            "Places, amends and cancels of strategies in the last hour, the one under review included. The window slides; it does not start at the full hour.",
            STOPS,
            LEAVES,
        ),
        bound(
            section,
            ("orders_per_day_max", "commands"),
            day,
            "Places, amends and cancels of strategies in the last 24 hours, the one under review included. The window slides; it does not start at midnight.",
            STOPS,
            LEAVES,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use toml::{Table, Value};

    use super::{LimitSection, LimitWords};
    use crate::{BENCH_LIMITS, CheckId, DEMO_LIMITS, INSTALL_LIMITS, Limits};

    /// Checks that hold an order against something else than the limits file.
    const OTHERS: [CheckId; 18] = [
        CheckId::Identity,
        CheckId::TradingState,
        CheckId::Inhibits,
        CheckId::ReduceOnly,
        CheckId::CrossedBook,
        CheckId::Budget,
        CheckId::Resync,
        CheckId::InstrumentStatus,
        CheckId::PriceTick,
        CheckId::QuantityStep,
        CheckId::QuantityMinimum,
        CheckId::QuantityMaximum,
        CheckId::NotionalMinimum,
        CheckId::OrderKind,
        CheckId::MarketDataGap,
        CheckId::SelfTrade,
        CheckId::SpotBorrow,
        CheckId::PriceLimit,
    ];

    /// Keys with a default, which the ready texts leave out.
    fn optional() -> impl Iterator<Item = (LimitSection, String)> {
        let calls = include_str!("read.rs").split("section.millis_or(\"").skip(1);
        calls.map(|call| (LimitSection::Account, call.split('"').next().unwrap().to_owned()))
    }

    fn keys(text: &str) -> BTreeSet<(LimitSection, String)> {
        let file: Table = text.parse().unwrap();
        let mut keys = BTreeSet::new();
        let mut add = |section, table: &Value| {
            keys.extend(table.as_table().unwrap().keys().map(|key| (section, key.clone())));
        };
        add(LimitSection::Account, &file["account"]);
        add(LimitSection::Strategy, &file["each_strategy"]);
        file["instrument"]
            .as_table()
            .unwrap()
            .values()
            .for_each(|table| add(LimitSection::Instrument, table));
        keys
    }

    #[test]
    fn every_key_of_a_limits_file_has_its_words_and_no_other() {
        assert_eq!(optional().count(), 4);
        let mut held: BTreeSet<(LimitSection, String)> = optional().collect();
        for text in [INSTALL_LIMITS, DEMO_LIMITS, BENCH_LIMITS] {
            held.extend(keys(text));
        }
        let told: Vec<(LimitSection, String)> =
            LimitWords::all().map(|words| (words.section, words.key.to_owned())).collect();
        assert_eq!(told.iter().cloned().collect::<BTreeSet<_>>(), held);
        assert_eq!(told.len(), held.len(), "a key is explained twice");
    }

    #[test]
    fn what_the_reader_takes_out_is_what_the_table_holds() {
        // The install text with every optional key is read, so none of the table's keys is unknown to the reader.
        let defaults: String = optional().map(|(_, key)| format!("{key} = 1000\n")).collect();
        Limits::parse(&INSTALL_LIMITS.replace("[account]\n", &format!("[account]\n{defaults}"))).unwrap();
    }

    #[test]
    fn every_check_is_fed_by_a_limit_or_known_to_need_none() {
        for check in CheckId::ALL {
            let fed = LimitWords::of_check(*check).next().is_some();
            assert_ne!(fed, OTHERS.contains(check), "{check}");
        }
    }

    #[test]
    fn places_are_found_however_they_are_written() {
        for place in ["account.daily_loss_max", "each_strategy.daily_loss_max", "strategy.ema.daily_loss_max"]
        {
            assert_eq!(LimitWords::of(place).unwrap().key, "daily_loss_max");
        }
        for place in ["instrument.\"linear:BTCUSDT\".price_max", "instrument.linear:BTCUSDT.price_max"] {
            assert_eq!(LimitWords::of(place).unwrap().section, LimitSection::Instrument);
        }
        for place in [
            "",
            "daily_loss_max",
            "account.price_max",
            "strategy..daily_loss_max",
            "instrument.price_max",
            "other.x",
        ] {
            assert_eq!(LimitWords::of(place), None, "{place}");
        }
    }

    #[test]
    fn words_are_sentences() {
        for words in LimitWords::all() {
            for text in [words.measures, words.stops, words.leaves] {
                assert!(text.ends_with('.') && text.len() > 20 && text.len() < 400, "{}: {text}", words.key);
            }
        }
    }
}
