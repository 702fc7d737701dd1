//! Bytes of a snapshot, written and read field by field.

use crate::{Price, Qty, RestoreError, Time};

/// Writes the bytes of a snapshot, field by field, little-endian.
///
/// ```
/// use portcullis_sdk::{Qty, RestoreError, StateReader, StateWriter};
///
/// let bytes = StateWriter::new().quantity(Qty::from_mantissa(-3)).option(Some(7), StateWriter::u64).finish();
///
/// let mut state = StateReader::new(&bytes);
/// assert_eq!(state.quantity()?, Qty::from_mantissa(-3));
/// assert_eq!(state.option(StateReader::u64)?, Some(7));
/// state.finish()?;
/// # Ok::<(), RestoreError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StateWriter {
    bytes: Vec<u8>,
}

/// Reads what a [`StateWriter`] wrote, in the same order. Damaged bytes are an error, never a panic.
#[derive(Clone, Debug)]
pub struct StateReader<'a> {
    bytes: &'a [u8],
}

macro_rules! numbers {
    ($($number:ident)*) => {
        impl StateWriter {
            $(
                #[doc = concat!("Writes a `", stringify!($number), "`.")]
                #[must_use]
                pub fn $number(mut self, value: $number) -> Self {
                    self.bytes.extend(value.to_le_bytes());
                    self
                }
            )*
        }

        impl StateReader<'_> {
            $(
                #[doc = concat!("Reads a `", stringify!($number), "`.")]
                ///
                /// # Errors
                ///
                /// [`RestoreError::Malformed`] if the bytes end before.
                pub fn $number(&mut self) -> Result<$number, RestoreError> {
                    let (bytes, rest) = self.bytes.split_first_chunk().ok_or(RestoreError::Malformed)?;
                    self.bytes = rest;
                    Ok($number::from_le_bytes(*bytes))
                }
            )*
        }
    };
}

numbers!(u8 u32 u64 i64 f64);

impl StateWriter {
    /// No bytes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes `true` or `false`.
    #[must_use]
    pub fn boolean(self, value: bool) -> Self {
        self.u8(u8::from(value))
    }

    /// Writes a price.
    #[must_use]
    pub fn price(self, value: Price) -> Self {
        self.i64(value.mantissa())
    }

    /// Writes a quantity.
    #[must_use]
    pub fn quantity(self, value: Qty) -> Self {
        self.i64(value.mantissa())
    }

    /// Writes a time.
    #[must_use]
    pub fn time(self, value: Time) -> Self {
        self.u64(value.nanos())
    }

    /// Writes whether there is a value, and the value with `write`.
    #[must_use]
    pub fn option<T>(self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        let writer = self.boolean(value.is_some());
        match value {
            Some(value) => write(writer, value),
            None => writer,
        }
    }

    /// The bytes.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

impl<'a> StateReader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Reads `true` or `false`.
    ///
    /// # Errors
    ///
    /// [`RestoreError::Malformed`] if the byte is missing or neither.
    pub fn boolean(&mut self) -> Result<bool, RestoreError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RestoreError::Malformed),
        }
    }

    /// Reads a price.
    ///
    /// # Errors
    ///
    /// [`RestoreError::Malformed`] if the bytes end before.
    pub fn price(&mut self) -> Result<Price, RestoreError> {
        self.i64().map(Price::from_mantissa)
    }

    /// Reads a quantity.
    ///
    /// # Errors
    ///
    /// [`RestoreError::Malformed`] if the bytes end before.
    pub fn quantity(&mut self) -> Result<Qty, RestoreError> {
        self.i64().map(Qty::from_mantissa)
    }

    /// Reads a time.
    ///
    /// # Errors
    ///
    /// [`RestoreError::Malformed`] if the bytes end before.
    pub fn time(&mut self) -> Result<Time, RestoreError> {
        self.u64().map(Time::from_nanos)
    }

    /// Reads whether there is a value, and the value with `read`.
    ///
    /// # Errors
    ///
    /// [`RestoreError::Malformed`] if the flag is missing or neither true nor false; else what `read` returns.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, RestoreError>,
    ) -> Result<Option<T>, RestoreError> {
        if self.boolean()? { read(self).map(Some) } else { Ok(None) }
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// [`RestoreError::Malformed`] if bytes are left.
    pub fn finish(self) -> Result<(), RestoreError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(RestoreError::Malformed) }
    }

    /// What is left to read.
    pub(crate) const fn rest(self) -> &'a [u8] {
        self.bytes
    }
}
