//! The frame, read in place: `wit/frame.md` is the definition, `wit/v0.1/golden/` pins it.
//!
//! A strategy never needs this module; it is for tools and for tests that look into frames.

mod decode;
mod record;

use core::fmt;

pub use decode::decode;
pub(crate) use decode::{book as decode_book, decode_rarer, quote as decode_quote, trade as decode_trade};
pub use record::{Record, Records};

/// "PCF1".
pub(crate) const MAGIC: u32 = 0x3146_4350;
/// The format version this SDK reads.
pub(crate) const VERSION: u16 = 1;
/// Bytes of the frame header.
pub(crate) const HEADER_BYTES: usize = 24;
/// Bytes of a record header.
pub(crate) const RECORD_HEADER_BYTES: usize = 16;
/// Records a frame can hold.
pub(crate) const RECORDS_MAX: u32 = 4_096;
/// Bytes a frame can have.
pub(crate) const FRAME_BYTES_MAX: usize = 1_048_576;
/// Levels that one side of a book can have.
pub(crate) const LEVELS_MAX: usize = 50;
/// Bytes that the payload of a signal can have.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1_024;
/// The instrument of a record that has none.
pub(crate) const NO_INSTRUMENT: u32 = u32::MAX;

/// Numbers of the record kinds.
pub(crate) mod kind {
    pub(crate) const TRADE: u16 = 1;
    pub(crate) const QUOTE: u16 = 2;
    pub(crate) const BOOK: u16 = 3;
    pub(crate) const BAR: u16 = 4;
    pub(crate) const FUNDING: u16 = 5;
    pub(crate) const MARK: u16 = 6;
    pub(crate) const OWN_ORDER: u16 = 7;
    pub(crate) const FILL: u16 = 8;
    pub(crate) const REFUSAL: u16 = 9;
    pub(crate) const POSITION: u16 = 10;
    pub(crate) const BUDGET: u16 = 11;
    pub(crate) const INSTRUMENT: u16 = 12;
    pub(crate) const TIMER: u16 = 13;
    pub(crate) const GAP: u16 = 14;
    pub(crate) const WARM_UP_END: u16 = 15;
    pub(crate) const RESYNC: u16 = 16;
    pub(crate) const SIGNAL: u16 = 17;
}

/// A frame whose header is checked.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    lookahead: u64,
    count: u32,
    records: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Checks the header: magic, version, number of records, length.
    ///
    /// # Errors
    ///
    /// [`FrameError`] for the first thing that is wrong. Records are checked when they are read.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let header = Record::new(bytes);
        if bytes.len() < HEADER_BYTES || header.u32(0)? != MAGIC {
            return Err(FrameError::NotAFrame);
        }
        let version = header.u16(4)?;
        if version != VERSION {
            return Err(FrameError::UnsupportedVersion(version));
        }
        if bytes.len() > FRAME_BYTES_MAX || usize::try_from(header.u32(20)?) != Ok(bytes.len()) {
            return Err(FrameError::WrongLength);
        }
        let count = header.u32(16)?;
        if count == 0 || count > RECORDS_MAX {
            return Err(FrameError::WrongCount);
        }
        let records = bytes.get(HEADER_BYTES..).unwrap_or_default();
        Ok(Self { lookahead: header.u64(8)?, count, records })
    }

    /// The lookahead L, in nanoseconds.
    #[must_use]
    pub const fn lookahead(&self) -> u64 {
        self.lookahead
    }

    /// Number of records, 1 to 4,096.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The records, in order.
    #[must_use]
    pub const fn records(&self) -> Records<'a> {
        Records::new(self.records, self.count)
    }
}

/// What is wrong with a frame. The host never sends such a frame; a strategy that gets one traps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// No frame header.
    NotAFrame,
    /// A format version that this SDK does not read.
    UnsupportedVersion(u16),
    /// The header's length is not the frame's, or above 1 MiB.
    WrongLength,
    /// No records, more than 4,096, or not as many as the header says.
    WrongCount,
    /// A record that is shorter than its kind, ends beyond the frame, or has a length that is no multiple of 8.
    BadRecord,
    /// A byte that stands for none of the numbered cases of its field.
    BadValue,
    /// Times that go back.
    TimeGoesBack,
    /// An instrument that the set-up does not have.
    UnknownInstrument,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFrame => f.write_str("no frame header"),
            Self::UnsupportedVersion(version) => write!(f, "frame version {version} is not supported"),
            Self::WrongLength => f.write_str("wrong frame length"),
            Self::WrongCount => f.write_str("wrong number of records"),
            Self::BadRecord => f.write_str("malformed record"),
            Self::BadValue => f.write_str("unknown value in a record"),
            Self::TimeGoesBack => f.write_str("record times go back"),
            Self::UnknownInstrument => f.write_str("unknown instrument"),
        }
    }
}

impl core::error::Error for FrameError {}
