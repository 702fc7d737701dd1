//! What a strategy is told once, before its first event.

use core::fmt;

use crate::{Amount, Instrument, InstrumentId, NumberError, Price, Qty, Time};

/// What a strategy is told once, before its first event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Name and value of every parameter. The host has checked them against the description, one by one.
    pub parameters: Vec<(String, String)>,
    /// The instruments; an [`InstrumentId`] is an index into this list.
    pub instruments: Vec<Instrument>,
    /// The capital this deployment may use.
    pub budget: Amount,
    /// Time of the start, event time.
    pub start_time: Time,
}

impl Setup {
    /// The instrument of that id.
    #[must_use]
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(id.index())
    }

    /// The text of a parameter.
    ///
    /// # Errors
    ///
    /// [`InitError::BadParameter`] if there is none of that name.
    pub fn text(&self, name: &str) -> Result<&str, InitError> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).ok_or_else(|| bad_parameter(name, "missing"))
    }

    /// A whole number. The type of the result sets its range: `let length: u32 = setup.integer("fast")?`.
    ///
    /// # Errors
    ///
    /// [`InitError::BadParameter`] if the parameter is missing, no whole number, or outside the type's range.
    pub fn integer<T: TryFrom<i64>>(&self, name: &str) -> Result<T, InitError> {
        let value: i64 = self.text(name)?.parse().map_err(|_| bad_parameter(name, "not a whole number"))?;
        T::try_from(value).map_err(|_| bad_parameter(name, "out of range"))
    }

    /// A decimal as a float, for indicators. It rounds: take prices and quantities with [`Setup::price`] and [`Setup::quantity`].
    ///
    /// # Errors
    ///
    /// [`InitError::BadParameter`] if the parameter is missing or no finite number.
    pub fn float(&self, name: &str) -> Result<f64, InitError> {
        match self.text(name)?.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) | Err(_) => Err(bad_parameter(name, "not a number")),
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    ///
    /// [`InitError::BadParameter`] if the parameter is missing or another word.
    pub fn boolean(&self, name: &str) -> Result<bool, InitError> {
        self.text(name)?.parse().map_err(|_| bad_parameter(name, "neither true nor false"))
    }

    /// A price of `instrument`, exact.
    ///
    /// # Errors
    ///
    /// [`InitError::BadParameter`] if the parameter is missing, no decimal, or finer than the instrument's decimals.
    pub fn price(&self, name: &str, instrument: &Instrument) -> Result<Price, InitError> {
        instrument.parse_price(self.text(name)?).map_err(|error| bad_number(name, error))
    }

    /// A quantity of `instrument`, exact.
    ///
    /// # Errors
    ///
    /// [`InitError::BadParameter`] if the parameter is missing, no decimal, or finer than the instrument's decimals.
    pub fn quantity(&self, name: &str, instrument: &Instrument) -> Result<Qty, InitError> {
        instrument.parse_quantity(self.text(name)?).map_err(|error| bad_number(name, error))
    }
}

/// Why a strategy cannot start. The host cuts the text at 256 bytes and shows it to the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitError {
    /// A parameter's value makes no sense in combination; the text names it.
    BadParameter(String),
    /// An instrument cannot be traded by this strategy; the text says why.
    UnsuitableInstrument(String),
    /// Anything else.
    Other(String),
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadParameter(text) => write!(f, "bad parameter: {text}"),
            Self::UnsuitableInstrument(text) => write!(f, "unsuitable instrument: {text}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl core::error::Error for InitError {}

fn bad_parameter(name: &str, problem: &str) -> InitError {
    InitError::BadParameter(format!("{name}: {problem}"))
}

fn bad_number(name: &str, error: NumberError) -> InitError {
    bad_parameter(name, &error.to_string())
}
