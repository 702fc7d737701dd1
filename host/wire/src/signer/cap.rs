//! The second, dumber cap: from the signer's own file, on what adds risk alone (RULES S2). Cancels and reductions have a generous
//! bucket of their own, so that nothing here can ever disarm a halt.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::message::{RefusalKind, SignerStatus};
use super::order::OrderRequest;
use super::risk::{Order, Risk, risk};
use super::value::Value;

/// The span of the rates.
const MINUTE: Duration = Duration::from_secs(60);

/// Cancels and reductions of one caller in a minute: far more than the venue takes.
const REDUCING_PER_MINUTE: usize = 6_000;

/// Orders remembered, the newest ones.
const REMEMBERED_MAX: usize = 8_192;

/// What the signer lets add risk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    symbols: BTreeSet<String>,
    notional_max: Value,
    notional_text: String,
    adding_per_minute: usize,
    violations_max: u64,
}

/// A cap that bounds nothing, or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCap {
    /// No symbols, or one that is none.
    #[error("symbols: {0:?} must be like linear:BTCUSDT or spot:BTCUSDT, and at least one")]
    Symbol(String),
    /// Not a positive decimal.
    #[error("notional_max: {0:?} must be a positive amount of USDT, in plain digits, at most 18 of them")]
    Notional(String),
    /// Zero, or so many that it bounds nothing.
    #[error("adding_per_minute: {0} must be from 1 to 6000")]
    Rate(u64),
    /// Zero, or so many that it never latches.
    #[error("violations_max: {0} must be from 1 to 1000")]
    Violations(u64),
}

impl Cap {
    /// A cap of these symbols, like `linear:BTCUSDT`; of so much USDT for one order; of so many requests that add risk in a minute;
    /// and of so many violations, after which nothing adds risk any more.
    ///
    /// # Errors
    /// When one of them bounds nothing.
    pub fn new(
        symbols: &[String],
        notional_max: &str,
        adding_per_minute: u64,
        violations_max: u64,
    ) -> Result<Self, InvalidCap> {
        let is_symbol = |text: &str| {
            text.split_once(':').is_some_and(|(market, symbol)| {
                ["linear", "spot"].contains(&market)
                    && (1..=32).contains(&symbol.len())
                    && symbol.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
        };
        if symbols.is_empty() {
            return Err(InvalidCap::Symbol(String::new()));
        }
        if let Some(wrong) = symbols.iter().find(|text| !is_symbol(text)) {
            return Err(InvalidCap::Symbol(wrong.chars().take(64).collect()));
        }
        let notional = Value::read(notional_max)
            .ok_or_else(|| InvalidCap::Notional(notional_max.chars().take(64).collect()))?;
        let rate = usize::try_from(adding_per_minute).unwrap_or(usize::MAX);
        if !(1..=REDUCING_PER_MINUTE).contains(&rate) {
            return Err(InvalidCap::Rate(adding_per_minute));
        }
        if !(1..=1_000).contains(&violations_max) {
            return Err(InvalidCap::Violations(violations_max));
        }
        Ok(Self {
            symbols: symbols.iter().cloned().collect(),
            notional_max: notional,
            notional_text: notional_max.to_owned(),
            adding_per_minute: rate,
            violations_max,
        })
    }
}

/// Why a request is not signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Objection {
    pub(super) kind: RefusalKind,
    pub(super) detail: String,
}

/// How often a caller may cancel and reduce.
#[derive(Debug, Default)]
pub(super) struct Allowance(Window);

/// The cap at work.
#[derive(Debug)]
pub(super) struct Guard {
    cap: Cap,
    adding: Window,
    known: Known,
    violations: u64,
    last_violation: String,
}

impl Guard {
    pub(super) fn new(cap: Cap) -> Self {
        Self {
            cap,
            adding: Window::default(),
            known: Known::default(),
            violations: 0,
            last_violation: String::new(),
        }
    }

    /// How it stands.
    pub(super) fn status(&self) -> SignerStatus {
        SignerStatus {
            violations: self.violations,
            violations_max: self.cap.violations_max,
            latched: self.is_latched(),
            last_violation: self.last_violation.clone(),
        }
    }

    /// Lets a request be signed, or says why not. What is let past counts as signed.
    pub(super) fn admit(
        &mut self,
        request: &OrderRequest,
        reducing: &mut Allowance,
        now: Instant,
    ) -> Result<(), Objection> {
        let risk = match risk(request) {
            Ok(risk) => risk,
            Err(not_ours) => return Err(self.violation(RefusalKind::NotOurs, not_ours.to_string())),
        };
        match risk {
            Risk::Reduces(order) => {
                Self::reduce(reducing, now)?;
                if let Some(order) = order {
                    self.known.insert(order, true);
                }
                Ok(())
            }
            Risk::Adds(order) => {
                let worth = order.price.map(|price| price.times(order.quantity));
                self.add(&order.instrument, worth, now)?;
                self.known.insert(order, false);
                Ok(())
            }
            Risk::Unprotects { instrument } => {
                self.unlatched()?;
                self.symbol(&instrument)?;
                self.rate(now)
            }
            Risk::Changes { link, instrument, price, quantity } => {
                let known = self.known.get(&link);
                if known.is_some_and(|order| order.reduces) {
                    return Self::reduce(reducing, now);
                }
                let price = price.or(known.and_then(|order| order.price));
                let Some((price, quantity)) = price.zip(quantity.or(known.map(|order| order.quantity)))
                else {
                    // Nobody's fault: the signer started after the order was signed.
                    let detail = format!("order {link} is not known here: name its price and quantity both");
                    return Err(Objection { kind: RefusalKind::UnknownOrder, detail });
                };
                self.add(&instrument, Some(price.times(quantity)), now)?;
                self.known.insert(Order { link, instrument, price: Some(price), quantity }, false);
                Ok(())
            }
        }
    }

    fn is_latched(&self) -> bool {
        self.violations >= self.cap.violations_max
    }

    fn add(&mut self, instrument: &str, worth: Option<Value>, now: Instant) -> Result<(), Objection> {
        self.unlatched()?;
        self.symbol(instrument)?;
        let Some(worth) = worth else {
            // The signer sees no market, so it could only believe what it is told.
            let detail = "an order without a price that does not reduce cannot be valued".to_owned();
            return Err(self.violation(RefusalKind::NoPrice, detail));
        };
        if worth.is_above(self.cap.notional_max) {
            let detail =
                format!("an order in {instrument} is worth more than {} USDT", self.cap.notional_text);
            return Err(self.violation(RefusalKind::Notional, detail));
        }
        self.rate(now)
    }

    fn unlatched(&self) -> Result<(), Objection> {
        if self.is_latched() {
            let detail = format!(
                "{} violations, the last: {}; nothing adds risk until an operator has looked and started the signer again",
                self.violations, self.last_violation
            );
            return Err(Objection { kind: RefusalKind::Latched, detail });
        }
        Ok(())
    }

    fn symbol(&mut self, instrument: &str) -> Result<(), Objection> {
        if self.cap.symbols.contains(instrument) {
            return Ok(());
        }
        let detail = format!("{instrument} is not among the symbols of the signer's file");
        Err(self.violation(RefusalKind::Symbol, detail))
    }

    fn rate(&mut self, now: Instant) -> Result<(), Objection> {
        if self.adding.take(self.cap.adding_per_minute, now) {
            return Ok(());
        }
        let detail = format!("more than {} requests that add risk in a minute", self.cap.adding_per_minute);
        Err(self.violation(RefusalKind::Rate, detail))
    }

    pub(super) fn violation(&mut self, kind: RefusalKind, detail: String) -> Objection {
        self.violations = self.violations.saturating_add(1);
        self.last_violation.clone_from(&detail);
        tracing::warn!(violations = self.violations, detail, "a request beyond the cap");
        if self.violations == self.cap.violations_max {
            tracing::error!("nothing that adds risk is signed any more");
        }
        Objection { kind, detail }
    }

    /// Cancels and reductions: nothing but a flood of them is held back, and no violation follows from it.
    fn reduce(reducing: &mut Allowance, now: Instant) -> Result<(), Objection> {
        if reducing.0.take(REDUCING_PER_MINUTE, now) {
            return Ok(());
        }
        let detail = format!("more than {REDUCING_PER_MINUTE} cancels and reductions in a minute");
        Err(Objection { kind: RefusalKind::Busy, detail })
    }
}

/// The requests of the last minute.
#[derive(Debug, Default)]
pub(super) struct Window(VecDeque<Instant>);

impl Window {
    pub(super) fn take(&mut self, most: usize, now: Instant) -> bool {
        while self.0.front().is_some_and(|at| now.saturating_duration_since(*at) >= MINUTE) {
            self.0.pop_front();
        }
        let room = self.0.len() < most;
        if room {
            self.0.push_back(now);
        }
        room
    }
}

/// What a signed order is worth at most: an amend may have been signed and not have been taken.
#[derive(Debug, Clone, Copy)]
struct Remembered {
    price: Option<Value>,
    quantity: Value,
    reduces: bool,
}

/// The newest orders signed here.
#[derive(Debug, Default)]
struct Known {
    orders: BTreeMap<String, Remembered>,
    oldest: VecDeque<String>,
}

impl Known {
    fn get(&self, link: &str) -> Option<Remembered> {
        self.orders.get(link).copied()
    }

    fn insert(&mut self, order: Order, reduces: bool) {
        let Order { link, price, quantity, .. } = order;
        if let Some(known) = self.orders.get_mut(&link) {
            known.price = known.price.zip(price).map(|(one, other)| one.max(other)).or(price);
            known.quantity = known.quantity.max(quantity);
            known.reduces &= reduces;
            return;
        }
        if self.orders.len() >= REMEMBERED_MAX
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.orders.remove(&oldest);
        }
        self.oldest.push_back(link.clone());
        self.orders.insert(link, Remembered { price, quantity, reduces });
    }
}

#[cfg(test)]
#[path = "cap_tests.rs"]
mod tests;
