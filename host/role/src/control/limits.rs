//! Limits, as operators see and change them.

use portcullis_core::ActorName;
use serde::{Deserialize, Serialize};

/// Puts other limits in force: the whole file. Where that loosens any of them it takes two steps, as `rearm` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetLimitsRequest {
    /// The text of the new `limits.toml`.
    pub toml: String,
    /// Why; journaled. 1 to 512 bytes on one line.
    pub reason: String,
    /// The code the first step answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Who asks; `control-socket` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorName>,
}

/// Lets one order of a strategy pass a bound, in two steps. It is used up by that order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideRequest {
    /// The strategy's name.
    pub strategy: String,
    /// The check, by its name, such as `order-notional`.
    pub check: String,
    /// The bound for that one order, as text in the check's unit.
    pub limit: String,
    /// When it expires unused, in seconds from now; at most an hour.
    pub seconds: u64,
    /// Why; journaled. 1 to 512 bytes on one line.
    pub reason: String,
    /// The code the first step answered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Who asks; `control-socket` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<ActorName>,
}

/// The limits in force, and how far away each is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsReport {
    /// SHA-256 of the text in hex; empty when no limits are in force.
    pub hash: String,
    /// The text in force; absent when it does not fit a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toml: Option<String>,
    /// Every numeric limit, the nearest first; those without a value last.
    pub gauges: Vec<GaugeLine>,
    /// How many more there are.
    pub omitted: u64,
    /// Bounds that one order may pass.
    pub overrides: Vec<OverrideLine>,
}

/// One limit and the value it is held against.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaugeLine {
    /// Its place in the file, such as `account.daily_loss_max`.
    pub key: String,
    /// Of what: `account`, a strategy's name, or `category:SYMBOL`.
    pub scope: String,
    /// The value now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// The limit, in the same unit.
    pub limit: String,
    /// What is left until the limit; negative when it is passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
    /// How much of the limit is used, in per cent rounded down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_percent: Option<u64>,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A bound that one order may pass.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideLine {
    /// The strategy's name.
    pub strategy: String,
    /// The check.
    pub check: String,
    /// The bound for that one order.
    pub limit: String,
    /// When it expires unused, nanoseconds since 1970-01-01 UTC.
    pub until_ns: u64,
    /// Who granted it.
    pub actor: String,
    /// Why.
    pub reason: String,
}
