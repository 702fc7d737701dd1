//! The manifest: what a strategy is, where it may run, and what it asks for.

use std::collections::BTreeSet;

use portcullis_core::{Digest, Environment};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::untrusted_text::shown;
use crate::{BundleName, LimitAmount, Market, OrderType, Tier, UnixSeconds, Violation, Violations};

pub(crate) const FORMAT: u32 = 1;
const VERSION_BYTES_MAX: usize = 64;
const SYMBOLS_MAX: usize = 64;
const TEXT_BYTES_MAX: usize = 256;
const MEMORY_BYTES_MIN: u64 = 64 << 10;
const FUEL_PER_EVENT_MAX: u64 = 10_000_000_000;
const DEADLINE_MS_MAX: u32 = 1_000;
const LOG_BYTES_CEILING: u32 = 64 << 10;
/// The contract's own bound (`wit/v0.1/strategy.wit`, `outcome.actions`).
const ACTIONS_PER_EVENT_CEILING: u32 = 32;
const ORDERS_PER_HOUR_CEILING: u32 = 1_000_000;
const DAY_SECONDS: u64 = 86_400;

/// Longest validity, in days: three years, and 90 days once live trading is among the environments.
pub(crate) const VALID_DAYS_MAX: u64 = 3 * 365;
pub(crate) const VALID_DAYS_MAX_LIVE: u64 = 90;

/// The signed description of a strategy.
///
/// Every limit in it can only tighten the operator's: a signature is an author's word, not the operator's consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this structure; 1.
    pub format: u32,
    /// The bundle's name.
    pub name: BundleName,
    /// The author's version, for people.
    pub version: Version,
    /// Rises with every release of a name, from 1; a host takes none below the highest it has seen, so an old release
    /// with a known fault cannot come back.
    pub sequence: u64,
    /// The contract the component is written for, `portcullis:strategy@0.1.0`.
    pub world: String,
    /// The kind of component.
    pub tier: Tier,
    /// First moment of validity.
    pub not_before: UnixSeconds,
    /// First moment after the end of validity.
    pub not_after: UnixSeconds,
    /// Where it may run; at least one, none twice.
    pub environments: Vec<Environment>,
    /// What it may do.
    pub capabilities: Capabilities,
    /// How much of everything it may use.
    pub limits: Limits,
    /// The component these statements are about.
    pub component: ComponentRef,
    /// Where it was built from, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceRef>,
}

/// What a strategy may do; anything not listed is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// Markets it may subscribe to and trade; 1 to 64, none twice.
    pub symbols: Vec<Market>,
    /// Kinds of order it may place; none twice. Empty means it may only watch and cancel.
    pub order_types: Vec<OrderType>,
}

/// Bounds on the sandbox, and optional bounds on money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Memory over all linear memories, in bytes; 64 KiB to 64 MiB.
    pub memory_bytes_max: u64,
    /// Fuel for each event of a frame, about one unit per wasm instruction; 1 to 10^10.
    pub fuel_per_event: u64,
    /// Wall time for one call, in milliseconds; 1 to 1,000.
    pub deadline_ms: u32,
    /// Log bytes for each event of a frame; 0 to 64 KiB.
    pub log_bytes_max: u32,
    /// Actions for each event of a frame; 1 to 32.
    pub actions_per_event_max: u32,
    /// Largest notional of one order, in USDT. Absent: the operator's limit alone holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_notional_max: Option<LimitAmount>,
    /// Largest notional of the position in one market, in USDT. Absent: the operator's limit alone holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position_notional_max: Option<LimitAmount>,
    /// Most orders in any 60 minutes; 1 to 1,000,000. Absent: the operator's limit alone holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders_per_hour: Option<u32>,
}

/// A component by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentRef {
    /// SHA-256 of its bytes.
    #[serde(with = "hex_digest")]
    pub sha256: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// Where a component was built from. A claim of the author; nothing checks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRef {
    /// Repository, 1 to 256 bytes.
    pub repo: String,
    /// Commit, 1 to 256 bytes.
    pub commit: String,
}

impl Manifest {
    /// `NAME-VERSION.strategy`.
    pub fn file_name(&self) -> String {
        format!("{}-{}.strategy", self.name, self.version)
    }

    /// Everything that the types alone do not guarantee, except the world: [`open`](crate::open) checks it, because there
    /// the answer is which side to upgrade.
    pub(crate) fn check(&self) -> Result<(), Violations> {
        let mut found = Vec::new();
        if self.format != FORMAT {
            found.push(Violation::new(
                "format",
                format!("{} is not a format this host knows ({FORMAT})", self.format),
            ));
        }
        if self.version.to_string().len() > VERSION_BYTES_MAX {
            found.push(Violation::new("version", format!("longer than {VERSION_BYTES_MAX} bytes")));
        }
        range(&mut found, "sequence", self.sequence, 1, u64::MAX);
        self.check_validity(&mut found);
        check_environments(&mut found, &self.environments);
        self.capabilities.check(&mut found);
        self.limits.check(self.tier, &mut found);
        if let Some(source) = &self.source {
            for (field, text) in [("source.repo", &source.repo), ("source.commit", &source.commit)] {
                range(&mut found, field, text.len() as u64, 1, TEXT_BYTES_MAX as u64);
            }
        }
        Violations::check(found)
    }

    fn check_validity(&self, found: &mut Vec<Violation>) {
        let Some(seconds) = self.not_after.0.checked_sub(self.not_before.0).filter(|seconds| *seconds > 0)
        else {
            found.push(Violation::new("not_after", "not later than not_before"));
            return;
        };
        let days_max = valid_days_max(&self.environments);
        if seconds > days_max.saturating_mul(DAY_SECONDS) {
            let problem = format!("{seconds} s after not_before, more than {days_max} days");
            found.push(Violation::new("not_after", problem));
        }
    }
}

/// Longest validity of a bundle for these environments, in days.
pub(crate) fn valid_days_max(environments: &[Environment]) -> u64 {
    if environments.contains(&Environment::Live) { VALID_DAYS_MAX_LIVE } else { VALID_DAYS_MAX }
}

/// The validity that begins at `from` and lasts `days`.
pub(crate) fn validity(from: UnixSeconds, days: u64) -> (UnixSeconds, UnixSeconds) {
    (from, UnixSeconds(from.0.saturating_add(days.saturating_mul(DAY_SECONDS))))
}

impl Capabilities {
    pub(crate) fn check(&self, found: &mut Vec<Violation>) {
        range(found, "capabilities.symbols", self.symbols.len() as u64, 1, SYMBOLS_MAX as u64);
        distinct(found, "capabilities.symbols", &self.symbols);
        distinct(found, "capabilities.order_types", &self.order_types);
    }
}

impl Limits {
    pub(crate) fn check(&self, tier: Tier, found: &mut Vec<Violation>) {
        let memory_max = tier.memory_bytes_ceiling();
        range(found, "limits.memory_bytes_max", self.memory_bytes_max, MEMORY_BYTES_MIN, memory_max);
        range(found, "limits.fuel_per_event", self.fuel_per_event, 1, FUEL_PER_EVENT_MAX);
        range(found, "limits.deadline_ms", self.deadline_ms, 1, DEADLINE_MS_MAX);
        range(found, "limits.log_bytes_max", self.log_bytes_max, 0, LOG_BYTES_CEILING);
        range(
            found,
            "limits.actions_per_event_max",
            self.actions_per_event_max,
            1,
            ACTIONS_PER_EVENT_CEILING,
        );
        if let Some(orders) = self.orders_per_hour {
            range(found, "limits.orders_per_hour", orders, 1, ORDERS_PER_HOUR_CEILING);
        }
    }
}

pub(crate) fn range<N: PartialOrd + std::fmt::Display>(
    found: &mut Vec<Violation>,
    field: &str,
    actual: N,
    min: N,
    max: N,
) {
    if actual < min || actual > max {
        found.push(Violation::new(field, format!("{actual} is not within {min} to {max}")));
    }
}

pub(crate) fn check_environments(found: &mut Vec<Violation>, environments: &[Environment]) {
    if environments.is_empty() {
        found.push(Violation::new("environments", "empty, at least one is needed"));
    }
    distinct(found, "environments", environments);
}

pub(crate) fn distinct<T: Ord + std::fmt::Display>(found: &mut Vec<Violation>, field: &str, items: &[T]) {
    let mut seen = BTreeSet::new();
    if let Some(twice) = items.iter().find(|item| !seen.insert(*item)) {
        found.push(Violation::new(field, format!("{} is there twice", shown(&twice.to_string()))));
    }
}

/// Digests as 64 lower-case hex digits.
pub(crate) mod hex_digest {
    use portcullis_core::Digest;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(digest)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|_| de::Error::custom("not a SHA-256 digest in hex"))?;
        let digest = Digest(bytes);
        if digest.to_string() == text {
            Ok(digest)
        } else {
            Err(de::Error::custom("digest is not in lower case"))
        }
    }
}
