//! What a strategy says about itself.

/// What a strategy is and what it wants: its answer to [`Strategy::describe`](crate::Strategy::describe).
///
/// ```
/// use portcullis_sdk::{Description, Parameter, Stream};
///
/// let description = Description::new("ema-cross", "0.1.0")
///     .parameter(Parameter::integer("fast", "Length of the fast average, in trades.", 1, 1_000).default_value("10"))
///     .parameter(Parameter::decimal("size", "Quantity of each order, in the base coin.", "0.0001", "100"))
///     .subscribe(Stream::Trades)
///     .metric("position")
///     .snapshot_version(1);
/// assert_eq!(description.parameters.len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Kebab-case name, 1 to 32 bytes; equals the bundle's name.
    pub name: String,
    /// Semantic version, at most 32 bytes; equals the bundle's version.
    pub version: String,
    /// The parameters; at most 64.
    pub parameters: Vec<Parameter>,
    /// The streams the strategy reads; at most 64.
    pub subscriptions: Vec<Subscription>,
    /// Names that [`Context::metric`](crate::Context::metric) may use; at most 32, each at most 48 bytes of `[a-z0-9_]`.
    pub metrics: Vec<String>,
    /// Version of the bytes that [`Strategy::snapshot`](crate::Strategy::snapshot) returns.
    pub snapshot_version: u32,
}

impl Description {
    /// A description without parameters, streams or metrics, with snapshot version 0.
    ///
    /// `env!("CARGO_PKG_NAME")` and `env!("CARGO_PKG_VERSION")` keep both in step with `Cargo.toml`.
    #[must_use]
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            parameters: Vec::new(),
            subscriptions: Vec::new(),
            metrics: Vec::new(),
            snapshot_version: 0,
        }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Reads `stream` of every symbol that the signed manifest names.
    #[must_use]
    pub fn subscribe(mut self, stream: Stream) -> Self {
        self.subscriptions.push(Subscription { symbol: None, stream });
        self
    }

    /// Reads `stream` of one symbol, written `category:SYMBOL`.
    #[must_use]
    pub fn subscribe_to(mut self, symbol: &str, stream: Stream) -> Self {
        self.subscriptions.push(Subscription { symbol: Some(symbol.to_owned()), stream });
        self
    }

    /// Names a gauge.
    #[must_use]
    pub fn metric(mut self, name: &str) -> Self {
        self.metrics.push(name.to_owned());
        self
    }

    /// Sets the version of the snapshot bytes.
    #[must_use]
    pub fn snapshot_version(mut self, version: u32) -> Self {
        self.snapshot_version = version;
        self
    }
}

/// One parameter, described well enough to draw a form and to check a value. Values travel as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Kebab-case name, 1 to 48 bytes.
    pub name: String,
    /// One sentence for the operator, at most 256 bytes, with the unit.
    pub doc: String,
    /// Type and range.
    pub kind: ParameterKind,
    /// The value taken when the operator names none; without one the operator must give a value.
    pub default: Option<String>,
}

impl Parameter {
    /// A whole number from `min` to `max`, both included.
    #[must_use]
    pub fn integer(name: &str, doc: &str, min: i64, max: i64) -> Self {
        Self::of_kind(name, doc, ParameterKind::Integer { min, max })
    }

    /// A decimal number from `min` to `max`, both included, written like `0.01`.
    #[must_use]
    pub fn decimal(name: &str, doc: &str, min: &str, max: &str) -> Self {
        Self::of_kind(name, doc, ParameterKind::Decimal { min: min.to_owned(), max: max.to_owned() })
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(name: &str, doc: &str) -> Self {
        Self::of_kind(name, doc, ParameterKind::Boolean)
    }

    /// One of the words.
    #[must_use]
    pub fn choice(name: &str, doc: &str, words: &[&str]) -> Self {
        Self::of_kind(name, doc, ParameterKind::Choice(words.iter().map(|&word| word.to_owned()).collect()))
    }

    /// Sets the value taken when the operator names none.
    #[must_use]
    pub fn default_value(mut self, value: &str) -> Self {
        self.default = Some(value.to_owned());
        self
    }

    fn of_kind(name: &str, doc: &str, kind: ParameterKind) -> Self {
        Self { name: name.to_owned(), doc: doc.to_owned(), kind, default: None }
    }
}

/// Type and range of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A whole number.
    Integer {
        /// Smallest value allowed.
        min: i64,
        /// Largest value allowed.
        max: i64,
    },
    /// A decimal number; the bounds are text so that they are exact.
    Decimal {
        /// Smallest value allowed.
        min: String,
        /// Largest value allowed.
        max: String,
    },
    /// `true` or `false`.
    Boolean,
    /// One of these words.
    Choice(Vec<String>),
}

/// One stream of one symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// `category:SYMBOL`; none means every symbol that the signed manifest names.
    pub symbol: Option<String>,
    /// The stream.
    pub stream: Stream,
}

/// A stream that a strategy can read. Own orders, fills, refusals, positions and the budget come without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Public trades.
    Trades,
    /// Best bid and ask.
    Quotes,
    /// The best levels of the book on both sides.
    Book {
        /// Levels of each side, 1 to 50.
        levels: u8,
    },
    /// Closed bars.
    Bars {
        /// Length of a bar: 60, 180, 300, 900, 1800, 3600, 7200, 14400, 21600, 43200 or 86400 seconds.
        interval_seconds: u32,
        /// Bars delivered before [`Strategy::on_warm_up_end`](crate::Strategy::on_warm_up_end); at most 1,000.
        warm_up: u32,
    },
    /// Funding rates.
    Funding,
    /// Mark and index prices.
    Mark,
}
