//! Records: found by their lengths, read at fixed offsets.

use super::{FrameError, RECORD_HEADER_BYTES};
use crate::Time;

/// One record, header included. Getters take the offsets of `wit/frame.md`.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    bytes: &'a [u8],
}

macro_rules! field {
    ($name:ident) => {
        #[inline]
        pub(crate) fn $name(self, offset: usize) -> Result<$name, FrameError> {
            match self.bytes.get(offset..).and_then(|rest| rest.first_chunk()) {
                Some(bytes) => Ok($name::from_le_bytes(*bytes)),
                None => Err(FrameError::BadRecord),
            }
        }
    };
}

impl<'a> Record<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    field!(u8);
    field!(u16);
    field!(u32);
    field!(u64);
    field!(i64);
    field!(i128);

    /// Kind of the record.
    ///
    /// # Errors
    ///
    /// Never for a record from [`Records`].
    #[inline]
    pub fn kind(self) -> Result<u16, FrameError> {
        self.u16(0)
    }

    /// When the strategy sees it.
    ///
    /// # Errors
    ///
    /// Never for a record from [`Records`].
    #[inline]
    pub fn time(self) -> Result<Time, FrameError> {
        self.time_at(8)
    }

    /// The bytes, header included.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    #[inline]
    pub(crate) fn time_at(self, offset: usize) -> Result<Time, FrameError> {
        self.u64(offset).map(Time::from_nanos)
    }
}

/// The records of a frame, in order. It ends after the first error.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    left: u32,
    last: Time,
}

impl<'a> Records<'a> {
    pub(crate) const fn new(bytes: &'a [u8], left: u32) -> Self {
        Self { bytes, left, last: Time::from_nanos(0) }
    }

    #[inline]
    fn read(&mut self) -> Result<Record<'a>, FrameError> {
        let length = usize::from(Record::new(self.bytes).u16(2)?);
        let (bytes, rest) = self.bytes.split_at_checked(length).ok_or(FrameError::BadRecord)?;
        if length < RECORD_HEADER_BYTES || !length.is_multiple_of(8) {
            return Err(FrameError::BadRecord);
        }
        self.left = self.left.saturating_sub(1);
        if self.left == 0 && !rest.is_empty() {
            return Err(FrameError::WrongCount);
        }
        let record = Record::new(bytes);
        let time = record.time()?;
        if time < self.last {
            return Err(FrameError::TimeGoesBack);
        }
        self.bytes = rest;
        self.last = time;
        Ok(record)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, FrameError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let record = self.read();
        if record.is_err() {
            self.left = 0;
        }
        Some(record)
    }
}
