//! The numbers of the format, and how core's types stand in it.

use crate::{Amount, Side};

/// The instrument index of a record that is about none.
pub const NO_INSTRUMENT: u32 = u32::MAX;

/// Most records of a frame.
pub const RECORDS_MAX: usize = 4_096;

/// Most bytes of a frame.
pub const BYTES_MAX: usize = 1_048_576;

/// Most bytes of a signal's payload.
pub const SIGNAL_BYTES_MAX: usize = 1_024;

/// "PCF1" as it stands in memory.
pub(super) const MAGIC: u32 = 0x3146_4350;

/// Version of the format.
pub(super) const VERSION: u16 = 1;

/// Kinds of record, with their numbers.
#[derive(Debug, Clone, Copy)]
#[repr(u16)]
pub(super) enum Kind {
    Trade = 1,
    Quote = 2,
    Book = 3,
    Bar = 4,
    Funding = 5,
    Mark = 6,
    OwnOrder = 7,
    Fill = 8,
    Refusal = 9,
    Position = 10,
    Budget = 11,
    Instrument = 12,
    Timer = 13,
    Gap = 14,
    WarmUpBoundary = 15,
    Resync = 16,
    Signal = 17,
}

/// A mantissa as it stands in a frame.
pub(super) const fn word(value: i64) -> u64 {
    value.cast_unsigned()
}

/// An amount as it stands in a frame: the lower word, then the upper.
#[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
pub(super) const fn wide(amount: Amount) -> [u64; 2] {
    let bits = amount.0.cast_unsigned();
    [bits as u64, (bits >> 64) as u64]
}

/// The number of a side.
pub(super) const fn side(side: Side) -> u8 {
    match side {
        Side::Buy => 1,
        Side::Sell => 2,
    }
}
