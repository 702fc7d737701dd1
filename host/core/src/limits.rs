//! The operator's limits: a file of its own, complete or refused.
//!
//! Nothing that bounds money has a default: a bound that is missing must not read as "unbounded" (RULES G9). Every violation
//! of a file is reported at once. Amounts are in USDT.

mod bound;
mod compare;
mod entries;
mod explain;
mod read;
mod simulate;
mod stop;
mod template;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

pub(crate) use bound::About;
pub use compare::LimitChange;
pub use entries::LimitEntry;
pub use explain::{LimitSection, LimitWords};
pub use simulate::{Change, ChangeReason, DecisionChange, LimitsSimulation, TripChange, TripPoint};
pub use template::{BENCH_LIMITS, DEMO_LIMITS, INSTALL_LIMITS};

use crate::{Amount, Category, Digest, InstrumentSpec, MarginMode, Rate, Span, StrategyName, Symbol};

/// Longest limits file, in bytes.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// The limits in force, as read from `limits.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    text: String,
    hash: Digest,
    /// What bounds the account.
    pub account: AccountLimits,
    /// What bounds every strategy that has no section of its own.
    pub each_strategy: StrategyLimits,
    /// Strategies with a section of their own, which takes the place of `each_strategy` whole.
    pub strategies: BTreeMap<StrategyName, StrategyLimits>,
    /// What bounds each instrument. An instrument without a section cannot be traded.
    pub instruments: BTreeMap<(Category, Symbol), InstrumentLimits>,
}

/// What bounds the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLimits {
    /// Budgets of all running strategies added up.
    pub capital: Amount,
    /// Worst-case positions of all instruments added up, longs and shorts alike.
    pub position_notional_max: Amount,
    /// Worst-case positions of one direction added up: all that could become long, or all that could become short.
    pub direction_notional_max: Amount,
    /// Worst-case positions of all instruments over the account's equity.
    pub leverage_max: Rate,
    /// Initial margin over equity, as the venue reports it.
    pub initial_margin_max: Rate,
    /// Maintenance margin over equity, as the venue reports it; at 1 the account is liquidated.
    pub maintenance_margin_max: Rate,
    /// Age up to which the venue's word on the wallet counts.
    pub wallet_age_max: Span,
    /// How the account's margin must be set up.
    pub margin_mode: MarginMode,
    /// Open orders, unknown ones included.
    pub open_orders_max: u64,
    /// Orders in a window of time.
    pub rate: RateLimits,
    /// Value traded in a UTC day, open orders counted as if filled.
    pub traded_value_per_day_max: Amount,
    /// Fees paid in a UTC day.
    pub fees_per_day_max: Amount,
    /// Loss of a UTC day: realised, open, fees and funding.
    pub daily_loss_max: Amount,
    /// Loss since the highest profit there ever was. Deposits and withdrawals are no profit, so they do not move it.
    pub drawdown_max: Amount,
    /// Profit of a UTC day above which the operator is told: good luck of that size is more often an error.
    pub daily_profit_alert: Amount,
    /// What an order that is not ours does.
    pub foreign_orders: ForeignOrders,
    /// Times of the UTC day at which nothing may be opened.
    pub no_open: Vec<DayWindow>,
    /// How often in an hour an inhibit may come back before it latches reduce-only (RULES G6).
    pub inhibits_per_hour_max: u64,
    /// How long the public or the private streams may be down before open entries are cancelled. Default 30 s: it bounds no money.
    pub disconnect_max: Span,
    /// Age of an event up to which it may still cause an order that adds risk (RULES T5). Default 500 ms: it bounds no money.
    pub intent_age_max: Span,
    /// Age of an approval up to which its command may still leave (RULES G4). Default 1 s: it bounds no money.
    pub release_age_max: Span,
    /// How long an inhibit may last before it latches reduce-only (RULES G6). Default 5 min: it bounds no money.
    pub inhibit_max: Span,
}

/// What bounds one strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyLimits {
    /// Worst-case positions of its instruments added up, longs and shorts alike.
    pub position_notional_max: Amount,
    /// Open orders, unknown ones included.
    pub open_orders_max: u64,
    /// Orders in a window of time.
    pub rate: RateLimits,
    /// Value traded in a UTC day, open orders counted as if filled.
    pub traded_value_per_day_max: Amount,
    /// Fees paid in a UTC day.
    pub fees_per_day_max: Amount,
    /// Loss of a UTC day: realised, open, fees and funding.
    pub daily_loss_max: Amount,
    /// Loss since the highest profit there ever was.
    pub drawdown_max: Amount,
    /// Rejections by the venue in a row, after which the strategy may only reduce.
    pub rejects_in_a_row_max: u64,
    /// Executed orders in a row of the same instrument, side and quantity, after which the strategy may only reduce.
    pub repeated_executions_max: u64,
    /// A pause between two such executions that ends the row.
    pub repeated_executions_pause: Span,
    /// How long the same order may not be asked for again.
    pub duplicate_window: Span,
    /// Losing trades in a row, an open loss included, after which nothing may be opened for a while.
    pub losses_in_a_row_max: u64,
    /// How long that is.
    pub loss_cooldown: Span,
    /// Intents a second that reach the review in the long run (RULES G9).
    pub intents_per_second_max: u64,
    /// Intents at once that reach the review.
    pub intents_burst_max: u64,
}

/// Commands in a window of time. Places, amends and cancels all count; cancels and reductions are never refused for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// In any second.
    pub per_second_max: u64,
    /// In any minute.
    pub per_minute_max: u64,
    /// In any hour.
    pub per_hour_max: u64,
    /// In any 24 hours.
    pub per_day_max: u64,
}

/// What bounds one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstrumentLimits {
    /// Quantity of one order, in whole coins at 1e-18.
    pub order_quantity_max: Amount,
    /// Value of one order at its worst price.
    pub order_notional_max: Amount,
    /// Value of the position if every open order of one side filled; each side by itself.
    pub position_notional_max: Amount,
    /// Open orders, unknown ones included.
    pub open_orders_max: u64,
    /// Those of them that wait for a trigger. The venue takes ten.
    pub conditional_orders_max: u64,
    /// Lowest price an order may have.
    pub price_min: Amount,
    /// Highest price an order may have.
    pub price_max: Amount,
    /// How far a price may be from the worst price of the last minute, as a fraction of it: a buy from the lowest, a sale from the
    /// highest.
    pub window_fraction: Rate,
    /// The stop that goes with every position; `None` where the operator wants none.
    pub protection: Option<ProtectionLimits>,
    /// How far a price may be from the reference price, as a fraction of it.
    pub collar_fraction: Rate,
    /// How far a price may always be from the reference price, in ticks. The wider of the two counts.
    pub collar_ticks: u64,
    /// Age up to which the best prices, or the last trade where there are none, count as fresh.
    pub market_data_age_max: Span,
    /// Age up to which the mark price counts as fresh. The venue sends it only when it changes.
    pub mark_age_max: Span,
}

/// The stop-loss that must rest at the venue for every position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProtectionLimits {
    /// Its largest distance from the position's average price, as a fraction of it.
    pub stop_fraction: Rate,
    /// How long a position may be without one before it is closed.
    pub missing_max: Span,
}

/// A part of the UTC day, in minutes since midnight. It may go past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayWindow {
    /// First minute, 0 to 1,439.
    pub from: u16,
    /// First minute after it, 0 to 1,439.
    pub until: u16,
}

impl DayWindow {
    /// Whether a minute of the day is inside.
    pub const fn contains(self, minute: u16) -> bool {
        if self.from <= self.until {
            self.from <= minute && minute < self.until
        } else {
            self.from <= minute || minute < self.until
        }
    }
}

/// What an order at the venue that is not ours does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignOrders {
    /// Latches entries-cancelled on the account. For an account that only we trade.
    Halt,
    /// A finding, nothing else.
    Count,
}

impl Limits {
    /// Reads a limits file.
    ///
    /// # Errors
    /// [`LimitsError`] with everything that is missing, unknown or out of range.
    pub fn parse(text: &str) -> Result<Self, LimitsError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(LimitsError { violations: vec![format!("longer than {TEXT_BYTES_MAX} bytes")] });
        }
        let parts = read::read(text)?;
        Ok(Self {
            text: text.to_owned(),
            hash: Digest(Sha256::digest(text).into()),
            account: parts.account,
            each_strategy: parts.each_strategy,
            strategies: parts.strategies,
            instruments: parts.instruments,
        })
    }

    /// SHA-256 of the text; every approval cites it.
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What bounds this strategy.
    pub fn strategy(&self, name: &StrategyName) -> &StrategyLimits {
        self.strategies.get(name).unwrap_or(&self.each_strategy)
    }

    /// What bounds this instrument; `None` refuses.
    pub fn instrument(&self, spec: &InstrumentSpec) -> Option<&InstrumentLimits> {
        self.instruments.get(&(spec.category, spec.symbol.clone()))
    }
}

/// A limits file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the limits file is refused: {}", violations.join("; "))]
pub struct LimitsError {
    /// Everything wrong with it, each named by its place in the file.
    pub violations: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::{DEMO_LIMITS, ForeignOrders, INSTALL_LIMITS, Limits};
    use crate::{Amount, Category, Span};

    fn violations(text: &str) -> Vec<String> {
        Limits::parse(text).unwrap_err().violations
    }

    #[test]
    fn the_ready_texts_hold_the_promised_numbers() {
        let install = Limits::parse(INSTALL_LIMITS).unwrap();
        assert_eq!(install.account.rate.per_hour_max, 50);
        assert_eq!(install.account.traded_value_per_day_max, Amount::parse("100000").unwrap());
        assert_eq!(install.account.foreign_orders, ForeignOrders::Halt);
        let demo = Limits::parse(DEMO_LIMITS).unwrap();
        assert_eq!(demo.account.rate.per_hour_max, 5_000);
        assert_eq!(demo.account.traded_value_per_day_max, Amount::parse("5000000").unwrap());
        let bitcoin = (Category::Linear, "BTCUSDT".parse().unwrap());
        let position = |limits: &Limits| limits.instruments.get(&bitcoin).unwrap().position_notional_max;
        assert_eq!(position(&install), Amount::parse("10000").unwrap());
        assert_eq!(position(&demo), Amount::parse("20000").unwrap());
        assert_ne!(install.hash(), demo.hash());
    }

    #[test]
    fn every_line_of_the_install_text_is_needed() {
        for line in INSTALL_LIMITS.lines().filter(|line| line.contains(" = ")) {
            let key = line.split(" = ").next().unwrap();
            let without = INSTALL_LIMITS.replacen(&format!("{line}\n"), "", 1);
            assert!(violations(&without).iter().any(|v| v.contains(key)), "{line}");
        }
    }

    #[test]
    fn everything_wrong_is_named_at_once() {
        let text = INSTALL_LIMITS
            .replace("open_orders_max = 20", "open_orders_max = -1")
            .replace("[account]", "[account]\nopen_order_max = 3")
            .replace("collar_fraction = \"0.02\"", "collar_fraction = \"1.5\"")
            .replace("linear:ETHUSDT", "inverse:ETHUSD");
        let found = violations(&text).join("\n");
        for part in ["open_orders_max", "account.open_order_max", "collar_fraction", "inverse:ETHUSD"] {
            assert!(found.contains(part), "{part} in {found}");
        }
        assert!(!violations("= nonsense").is_empty());
        assert!(violations("").len() >= 2);
    }

    #[test]
    fn what_bounds_no_money_has_a_default() {
        let limits = Limits::parse(INSTALL_LIMITS).unwrap();
        assert_eq!(limits.account.intent_age_max, Span::from_millis(500));
        let slower = INSTALL_LIMITS.replace("[account]", "[account]\nintent_age_ms_max = 800");
        assert_eq!(Limits::parse(&slower).unwrap().account.intent_age_max, Span::from_millis(800));
        let refused =
            Limits::parse(&slower.replace("ms_max = 800", "ms_max = 2001")).unwrap_err().to_string();
        assert!(refused.contains("intent_age_ms_max") && refused.contains("2000"), "{refused}");
    }
}
