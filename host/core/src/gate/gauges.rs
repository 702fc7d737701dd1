//! How far away each limit is, computed as the checks compute it.

mod account;
mod instrument;
mod strategy;

use crate::checks::Situation;
use crate::limits::About;
use crate::{LimitSection, LimitWords, Limits, Scope, Timestamp, Unit};

use super::Gate;
use super::desk::Desk;
use super::turn::situation;

/// One limit in force, and the value it is held against as of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gauge {
    /// Where the limit stands in the file, such as `account.daily_loss_max`.
    pub key: String,
    /// The limit in words.
    pub words: &'static LimitWords,
    /// Of what the value is.
    pub scope: Scope,
    /// The unit of both numbers.
    pub unit: Unit,
    /// The value now.
    pub seen: Result<i128, Unmeasured>,
    /// The limit.
    pub limit: i128,
}

/// Why a limit has no value now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmeasured {
    /// It bounds every order by itself.
    EachOrder,
    /// It goes with another limit, which has a value.
    Setting,
    /// A position or an open order cannot be valued.
    NoPrice,
    /// The venue has not told, or too long ago.
    NoWallet,
    /// It does not apply to this instrument.
    NotHere,
}

impl Unmeasured {
    /// The reason for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EachOrder => "bounds each order by itself",
            Self::Setting => "goes with another limit",
            Self::NoPrice => "cannot be valued: no price yet",
            Self::NoWallet => "the venue has not told, or too long ago",
            Self::NotHere => "does not apply to this instrument",
        }
    }
}

impl Gauge {
    /// How much of the limit is used, in per cent rounded down; above 100 when it is passed. `None` without a value.
    pub fn used_percent(&self) -> Option<u64> {
        let seen = self.seen.ok()?.max(0);
        let (part, whole) = if self.is_lowest() { (self.limit, seen) } else { (seen, self.limit) };
        let percent = match part.checked_mul(100) {
            Some(hundredfold) => hundredfold.checked_div(whole),
            None => part.checked_div(whole.checked_div(100)?),
        };
        // Nothing where something has to be is beyond any percentage.
        percent.map_or(Some(u64::MAX), |percent| u64::try_from(percent).ok())
    }

    /// What is left until the limit, in the unit; negative when it is passed. `None` without a value.
    pub fn left(&self) -> Option<i128> {
        let seen = self.seen.ok()?;
        if self.is_lowest() { seen.checked_sub(self.limit) } else { self.limit.checked_sub(seen) }
    }

    /// Whether the value must not be below the limit.
    fn is_lowest(&self) -> bool {
        self.words.key == "price_min"
    }
}

impl Gate {
    /// Every numeric limit in force, for the account, each running strategy and each instrument that has limits; the nearest first, and
    /// last those without a value.
    pub fn gauges(&self, now: Timestamp) -> Vec<Gauge> {
        let Some(limits) = self.state.limits() else { return Vec::new() };
        let situation = situation(&self.state, &self.desk, None, now);
        let mut panel = Panel { limits, situation: &situation, desk: &self.desk, gauges: Vec::new() };
        panel.account();
        for strategy in self.state.strategies().filter(|strategy| strategy.running) {
            panel.strategy(strategy);
        }
        for instrument in self.state.instruments() {
            panel.instrument(instrument);
        }
        let mut gauges = panel.gauges;
        gauges.sort_by_key(|gauge| std::cmp::Reverse(gauge.used_percent()));
        gauges
    }
}

/// The gauges while they are read.
struct Panel<'a> {
    limits: &'a Limits,
    situation: &'a Situation<'a>,
    desk: &'a Desk,
    gauges: Vec<Gauge>,
}

impl<'a> Panel<'a> {
    /// A reader of one scope's gauges.
    fn of(&mut self, section: LimitSection, scope: Scope, about: About<'a>) -> Reader<'_, 'a> {
        Reader { panel: self, section, scope, about }
    }

    fn day(&self) -> u64 {
        self.situation.now.0 / crate::ledger::DAY_NS
    }
}

/// The gauges of one scope.
struct Reader<'p, 'a> {
    panel: &'p mut Panel<'a>,
    section: LimitSection,
    scope: Scope,
    about: About<'a>,
}

impl Reader<'_, '_> {
    fn gauge(&mut self, key: &str, unit: Unit, seen: Result<i128, Unmeasured>, limit: impl Into<i128>) {
        let Some(words) = LimitWords::find(self.section, key) else { return };
        let key = self.panel.limits.place(words, self.about);
        self.panel.gauges.push(Gauge { key, words, scope: self.scope, unit, seen, limit: limit.into() });
    }

    fn rates(&mut self, counted: [(u64, u64); 4]) {
        const KEYS: [&str; 4] =
            ["orders_per_second_max", "orders_per_minute_max", "orders_per_hour_max", "orders_per_day_max"];
        for (key, (count, limit)) in KEYS.into_iter().zip(counted) {
            self.gauge(key, Unit::Count, Ok(count.into()), limit);
        }
    }
}

/// A value of money, or why there is none.
fn priced(amount: Option<crate::Amount>) -> Result<i128, Unmeasured> {
    amount.map(|amount| amount.0).ok_or(Unmeasured::NoPrice)
}
