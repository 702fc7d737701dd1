//! `strategy.toml`: what an author says about a strategy, beside its `Cargo.toml`.
//!
//! ```toml
//! format = 1
//! name = "ema-cross"                       # kebab-case, at most 32 characters
//! version = "0.1.0"                        # semver, for people
//! sequence = 1                             # raise it with every release; hosts take none below the last
//! tier = "native"                          # native (Rust, C), script (JavaScript, Python) or wasi
//! environments = ["paper", "testnet"]      # of paper, testnet, demo, live
//! valid_days = 365                         # from the moment of signing; at most 90 with live
//!
//! [capabilities]
//! symbols = ["linear:BTCUSDT"]             # linear: or spot:, 1 to 64
//! order_types = ["market", "limit"]        # of market, limit, trigger
//!
//! [limits]
//! memory_bytes_max = 16777216              # over all memories, 64 KiB to 64 MiB
//! fuel_per_event = 1000000                 # about one per wasm instruction
//! deadline_ms = 20                         # wall time of one call, 1 to 1000
//! log_bytes_max = 4096                     # per event
//! actions_per_event_max = 16               # 1 to 32
//! order_notional_max = "2000"              # optional, USDT, in quotes
//! position_notional_max = "10000"          # optional, USDT, in quotes
//! orders_per_hour = 600                    # optional
//!
//! [source]                                 # optional
//! repo = "https://example.org/strategies"
//! commit = "0123456789abcdef"
//! ```
//!
//! No field has a default: what is not optional must be there. Everything wrong with a file is reported at once.

use std::path::Path;

use portcullis_core::Environment;
use semver::Version;
use toml::Table;

use crate::file::read_bounded;
use crate::manifest::{check_environments, range, valid_days_max};
use crate::names::EnvironmentWord;
use crate::toml_section::Section;
use crate::untrusted_text::shown;
use crate::{
    BundleName, Capabilities, FileError, LimitAmount, Limits, Market, OrderType, SourceRef, Tier, Violation,
    Violations,
};

const SOURCE_BYTES_MAX: u64 = 64 << 10;

/// The contents of a `strategy.toml`: a manifest without what signing adds (component, world, validity).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleSource {
    /// The bundle's name.
    pub name: BundleName,
    /// The author's version.
    pub version: Version,
    /// Rises with every release of the name, from 1.
    pub sequence: u64,
    /// The kind of component.
    pub tier: Tier,
    /// Where it may run.
    pub environments: Vec<Environment>,
    /// Days of validity from signing; 1 to 1,095, at most 90 with `live`.
    pub valid_days: u64,
    /// What it may do.
    pub capabilities: Capabilities,
    /// How much it may use.
    pub limits: Limits,
    /// Where it is built from.
    pub source: Option<SourceRef>,
}

/// Why a `strategy.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not TOML.
    #[error("strategy.toml is not readable: {detail}")]
    Malformed {
        /// What the parser found.
        detail: String,
    },
    /// It is TOML, but wrong.
    #[error("strategy.toml is wrong: {0}")]
    Invalid(Violations),
}

impl SourceError {
    /// A stable code for people and programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::Malformed { .. } => "SOURCE_MALFORMED",
            Self::Invalid(_) => "SOURCE_INVALID",
        }
    }
}

impl BundleSource {
    /// Reads a `strategy.toml` (at most 64 KiB).
    ///
    /// # Errors
    ///
    /// [`SourceError`], with every violation at once.
    pub fn load(path: &Path) -> Result<Self, SourceError> {
        let bytes = read_bounded(path, SOURCE_BYTES_MAX)?;
        let text =
            str::from_utf8(&bytes).map_err(|_| SourceError::Malformed { detail: "not UTF-8".to_owned() })?;
        Self::from_toml(text)
    }

    /// Reads the text of a `strategy.toml`.
    ///
    /// # Errors
    ///
    /// [`SourceError::Malformed`] or [`SourceError::Invalid`].
    pub fn from_toml(text: &str) -> Result<Self, SourceError> {
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or(1, |before| before.lines().count());
            SourceError::Malformed { detail: format!("line {}: {}", line.max(1), shown(error.message())) }
        })?;
        let mut found = Vec::new();
        let source = read_source(table, &mut found);
        Violations::check(found).map_err(SourceError::Invalid)?;
        // A missing field is a violation, so without violations the source is whole.
        source.ok_or_else(|| SourceError::Invalid(Violations::one("strategy.toml", "incomplete")))
    }
}

fn read_source(table: Table, found: &mut Vec<Violation>) -> Option<BundleSource> {
    let mut top = Section::top(table);
    if let Some(format) = top.number::<u32>("format", found)
        && format != crate::manifest::FORMAT
    {
        found.push(Violation::new("format", format!("{format} is not a format this version knows (1)")));
    }
    let name = top.text("name", found);
    let version = top.text("version", found);
    let sequence = top.number("sequence", found);
    let tier = top.text("tier", found);
    let environments: Option<Vec<EnvironmentWord>> = top.list("environments", found);
    let environments =
        environments.map(|words| words.into_iter().map(|word| word.0).collect::<Vec<Environment>>());
    let valid_days = top.number("valid_days", found);
    let capabilities =
        top.section("capabilities", found).and_then(|section| read_capabilities(section, found));
    let limits = top.section("limits", found).and_then(|section| read_limits(section, found));
    let source = top.optional_section("source", found).and_then(|section| read_source_ref(section, found));
    top.finish(found);

    if let Some(sequence) = sequence {
        range(found, "sequence", sequence, 1, u64::MAX);
    }
    if let Some(environments) = &environments {
        check_environments(found, environments);
        if let Some(days) = valid_days {
            range(found, "valid_days", days, 1, valid_days_max(environments));
        }
    }
    if let Some(capabilities) = &capabilities {
        capabilities.check(found);
    }
    if let (Some(limits), Some(tier)) = (&limits, tier) {
        limits.check(tier, found);
    }
    Some(BundleSource {
        name: name?,
        version: version?,
        sequence: sequence?,
        tier: tier?,
        environments: environments?,
        valid_days: valid_days?,
        capabilities: capabilities?,
        limits: limits?,
        source,
    })
}

fn read_capabilities(mut section: Section, found: &mut Vec<Violation>) -> Option<Capabilities> {
    let symbols: Option<Vec<Market>> = section.list("symbols", found);
    let order_types: Option<Vec<OrderType>> = section.list("order_types", found);
    section.finish(found);
    Some(Capabilities { symbols: symbols?, order_types: order_types? })
}

fn read_limits(mut section: Section, found: &mut Vec<Violation>) -> Option<Limits> {
    let memory_bytes_max = section.number("memory_bytes_max", found);
    let fuel_per_event = section.number("fuel_per_event", found);
    let deadline_ms = section.number("deadline_ms", found);
    let log_bytes_max = section.number("log_bytes_max", found);
    let actions_per_event_max = section.number("actions_per_event_max", found);
    let order_notional_max: Option<LimitAmount> = section.optional_text("order_notional_max", found);
    let position_notional_max: Option<LimitAmount> = section.optional_text("position_notional_max", found);
    let orders_per_hour = section.optional_number("orders_per_hour", found);
    section.finish(found);
    Some(Limits {
        memory_bytes_max: memory_bytes_max?,
        fuel_per_event: fuel_per_event?,
        deadline_ms: deadline_ms?,
        log_bytes_max: log_bytes_max?,
        actions_per_event_max: actions_per_event_max?,
        order_notional_max,
        position_notional_max,
        orders_per_hour,
    })
}

fn read_source_ref(mut section: Section, found: &mut Vec<Violation>) -> Option<SourceRef> {
    let repo: Option<String> = section.text("repo", found);
    let commit: Option<String> = section.text("commit", found);
    section.finish(found);
    Some(SourceRef { repo: repo?, commit: commit? })
}
