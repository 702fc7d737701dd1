//! What a strategy says it is. A [`Description`] keeps the contract's bounds; there is no way to hold one that does not.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::bounded::{is_unsightly, list};

const NAME_BYTES_MAX: usize = 32;
const PARAMETERS_MAX: usize = 64;
const SUBSCRIPTIONS_MAX: usize = 64;
const METRICS_MAX: usize = 32;
const CHOICES_MAX: usize = 64;
const KEY_BYTES_MAX: usize = 48;
const DOC_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 256;
const BOOK_LEVELS_MAX: u8 = 50;
const WARM_UP_MAX: u32 = 1_000;
const LONG: &str = "not one line of at most 256 bytes";
const INTERVALS_S: [u32; 11] = [60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];

/// What a strategy is and what it wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "DescriptionParts", into = "DescriptionParts")]
pub struct Description(DescriptionParts);

impl Description {
    /// Its parts.
    pub fn parts(&self) -> &DescriptionParts {
        &self.0
    }
}

impl std::ops::Deref for Description {
    type Target = DescriptionParts;

    fn deref(&self) -> &DescriptionParts {
        &self.0
    }
}

/// The parts of a description, bounded or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescriptionParts {
    /// Kebab-case, 1 to 32 bytes; the bundle's name.
    pub name: String,
    /// Semantic version, 1 to 32 bytes; the bundle's version.
    pub version: String,
    /// The parameters, at most 64, none twice.
    #[serde(deserialize_with = "list::<_, _, PARAMETERS_MAX>")]
    pub parameters: Vec<Parameter>,
    /// The streams it reads, at most 64.
    #[serde(deserialize_with = "list::<_, _, SUBSCRIPTIONS_MAX>")]
    pub subscriptions: Vec<Subscription>,
    /// Names of its metrics, at most 32, none twice, each 1 to 48 bytes of `[a-z0-9_]`.
    #[serde(deserialize_with = "list::<_, _, METRICS_MAX>")]
    pub metrics: Vec<String>,
    /// Version of its snapshots.
    pub snapshot_version: u32,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Kebab-case, 1 to 48 bytes.
    pub name: String,
    /// For the operator, at most 256 bytes.
    pub doc: String,
    /// Type and range.
    pub kind: ParameterKind,
    /// The value when the operator names none, at most 256 bytes; a parameter without one must be given.
    pub default: Option<String>,
}

/// Type and range of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParameterKind {
    /// A whole number in the closed range.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A decimal in the closed range, as text of at most 256 bytes.
    Decimal {
        /// Smallest.
        min: String,
        /// Largest.
        max: String,
    },
    /// `true` or `false`.
    Boolean,
    /// One of at most 64 words of at most 256 bytes.
    Choice(#[serde(deserialize_with = "list::<_, _, CHOICES_MAX>")] Vec<String>),
}

/// One stream of one symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// `category:SYMBOL`, at most 48 bytes; none means every symbol of the manifest.
    pub symbol: Option<String>,
    /// The stream.
    pub stream: Stream,
}

/// A stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Public trades.
    Trades,
    /// Best bid and ask.
    Quotes,
    /// The best levels of the book.
    Book {
        /// Levels a side, 1 to 50.
        levels: u8,
    },
    /// Closed bars.
    Bars {
        /// Length of a bar in seconds, one of the contract's.
        interval_s: u32,
        /// Bars before the warm-up boundary, at most 1,000.
        warm_up: u32,
    },
    /// Funding rates.
    Funding,
    /// Mark and index prices.
    Mark,
}

/// Which bound of the contract a description breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the description's {field} is {problem}")]
pub struct InvalidDescription {
    /// Which part.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl TryFrom<DescriptionParts> for Description {
    type Error = InvalidDescription;

    fn try_from(parts: DescriptionParts) -> Result<Self, InvalidDescription> {
        check("name", is_kebab(&parts.name, NAME_BYTES_MAX), "not kebab-case of 1 to 32 bytes")?;
        let version_fits = !parts.version.is_empty()
            && parts.version.len() <= NAME_BYTES_MAX
            && parts.version.bytes().all(|b| b.is_ascii_graphic());
        check("version", version_fits, "not 1 to 32 visible characters of ASCII")?;
        check("parameters", parts.parameters.len() <= PARAMETERS_MAX, "longer than 64")?;
        check("subscriptions", parts.subscriptions.len() <= SUBSCRIPTIONS_MAX, "longer than 64")?;
        check("metrics", parts.metrics.len() <= METRICS_MAX, "longer than 32")?;
        for parameter in &parts.parameters {
            check_parameter(parameter)?;
        }
        check("parameters", distinct(parts.parameters.iter().map(|p| &p.name)), "naming one twice")?;
        for subscription in &parts.subscriptions {
            check_subscription(subscription)?;
        }
        for metric in &parts.metrics {
            check("metrics", is_metric(metric), "not names of 1 to 48 bytes of [a-z0-9_]")?;
        }
        check("metrics", distinct(parts.metrics.iter()), "naming one twice")?;
        Ok(Self(parts))
    }
}

impl From<Description> for DescriptionParts {
    fn from(description: Description) -> Self {
        description.0
    }
}

fn check_parameter(parameter: &Parameter) -> Result<(), InvalidDescription> {
    check("parameter name", is_kebab(&parameter.name, KEY_BYTES_MAX), "not kebab-case of 1 to 48 bytes")?;
    let doc_fits = parameter.doc.len() <= DOC_BYTES_MAX && is_line(&parameter.doc);
    check("parameter doc", doc_fits, "not one line of at most 256 bytes")?;
    let short = |text: &String| text.len() <= VALUE_BYTES_MAX && is_line(text);
    check("parameter default", parameter.default.as_ref().is_none_or(short), LONG)?;
    match &parameter.kind {
        ParameterKind::Integer { min, max } => check("parameter range", min <= max, "empty"),
        ParameterKind::Decimal { min, max } => check("parameter range", short(min) && short(max), LONG),
        ParameterKind::Boolean => Ok(()),
        ParameterKind::Choice(words) => {
            let fits = !words.is_empty() && words.len() <= CHOICES_MAX && words.iter().all(short);
            check(
                "parameter choice",
                fits && distinct(words.iter()),
                "not 1 to 64 different words of one line and at most 256 bytes",
            )
        }
    }
}

fn check_subscription(subscription: &Subscription) -> Result<(), InvalidDescription> {
    let fits =
        |symbol: &String| symbol.len() <= KEY_BYTES_MAX && symbol.bytes().all(|b| b.is_ascii_graphic());
    check(
        "subscription symbol",
        subscription.symbol.as_ref().is_none_or(fits),
        "not at most 48 visible characters",
    )?;
    match subscription.stream {
        Stream::Trades | Stream::Quotes | Stream::Funding | Stream::Mark => Ok(()),
        Stream::Book { levels } => {
            check("book", (1..=BOOK_LEVELS_MAX).contains(&levels), "not 1 to 50 levels")
        }
        Stream::Bars { interval_s, warm_up } => {
            check("bars", INTERVALS_S.contains(&interval_s), "not one of the contract's intervals")?;
            check("bars", warm_up <= WARM_UP_MAX, "asking for more than 1,000 bars of warm-up")
        }
    }
}

fn check(field: &'static str, holds: bool, problem: &'static str) -> Result<(), InvalidDescription> {
    if holds { Ok(()) } else { Err(InvalidDescription { field, problem }) }
}

/// The console and the command line show these texts to the operator.
fn is_line(text: &str) -> bool {
    !text.chars().any(is_unsightly)
}

fn is_kebab(text: &str, bytes_max: usize) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.len() <= bytes_max && text.bytes().all(allowed)
}

fn is_metric(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    !text.is_empty() && text.len() <= super::METRIC_NAME_BYTES_MAX && text.bytes().all(allowed)
}

fn distinct<'a>(mut texts: impl Iterator<Item = &'a String>) -> bool {
    let mut seen = BTreeSet::new();
    texts.all(|text| seen.insert(text))
}
