//! The bytes of a segment file: a header, then framed entries, then zeros.
//!
//! ```text
//! header                                  frame, 8-aligned
//!   0  magic "PORTCUJ1"                     0  length      u32  of the entry
//!   8  format version    u16 = 1            4  CRC-32C     u32  over the frame without this field and the padding
//!  10  environment       u8  its letter     8  durable     u64  entries that were durable when this one was written
//!  11  zero              u8                16  entry, then zeros to a multiple of 8
//!  12  epoch             u32
//!  16  segment number    u32
//!  20  zero              u32
//!  24  file length       u64
//!  32  first sequence    u64
//!  40  previous leaf     32   zero in segment 1
//!  72  zero              20
//!  92  CRC-32C of 0..92  u32
//! ```
//!
//! The `durable` count tells a torn tail from damage. A crash can only spoil what was not yet durable; so a bad frame that a later
//! intact one calls durable was not torn but changed.

use portcullis_core::{Digest, Environment};

use crate::Epoch;
use crate::bytes::{array, first_set, len_u32, u32_at, u64_at};
use crate::entry::{ENTRY_BYTES_MAX, ENTRY_FIXED};
use crate::link::environment_of;

const MAGIC: &[u8; 8] = b"PORTCUJ1";
const VERSION: u16 = 1;

/// Bytes of a segment's header.
pub(crate) const HEADER_BYTES: usize = 96;
/// Bytes of a frame before its entry.
pub(crate) const FRAME_BYTES: usize = 16;
const ALIGNMENT: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) environment: Environment,
    pub(crate) epoch: Epoch,
    pub(crate) segment: u32,
    pub(crate) bytes: u64,
    pub(crate) first: u64,
    pub(crate) previous: Digest,
}

impl Header {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        // An ASCII letter, and the zero after it.
        out.extend_from_slice(
            &u16::try_from(u32::from(self.environment.letter())).unwrap_or(0).to_le_bytes(),
        );
        out.extend_from_slice(&u32::from(self.epoch.get()).to_le_bytes());
        out.extend_from_slice(&self.segment.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
        out.extend_from_slice(&self.previous.0);
        out.extend_from_slice(&[0; 20]);
        let sum = crc32c::crc32c(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// Reads exactly what [`encode`](Self::encode) writes.
    pub(crate) fn decode(segment: &[u8]) -> Option<Self> {
        let bytes = segment.get(..HEADER_BYTES)?;
        let header = Self {
            environment: environment_of(*bytes.get(10)?)?,
            epoch: Epoch::new(u16::try_from(u32_at(bytes, 12)?).ok()?)?,
            segment: u32_at(bytes, 16)?,
            bytes: u64_at(bytes, 24)?,
            first: u64_at(bytes, 32)?,
            previous: Digest(array(bytes, 40)?),
        };
        (header.encode() == bytes).then_some(header)
    }
}

/// Room a frame takes for an entry of `entry` bytes.
pub(crate) fn frame_room(entry: usize) -> usize {
    FRAME_BYTES.saturating_add(entry).next_multiple_of(ALIGNMENT)
}

/// Appends a frame to `out`; `write` appends the entry's bytes. Returns where the entry starts and ends in `out`.
pub(crate) fn push_frame(
    out: &mut Vec<u8>,
    durable: u64,
    write: impl FnOnce(&mut Vec<u8>),
) -> core::ops::Range<usize> {
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&durable.to_le_bytes());
    let entry = out.len();
    write(out);
    let end = out.len();
    let length = len_u32(end.saturating_sub(entry)).to_le_bytes();
    let sum = checksum(length, out.get(start.saturating_add(8)..).unwrap_or_default());
    for (at, field) in [(start, length), (start.saturating_add(4), sum.to_le_bytes())] {
        if let Some(place) = out.get_mut(at..at.saturating_add(4)) {
            place.copy_from_slice(&field);
        }
    }
    out.resize(start.saturating_add(frame_room(end.saturating_sub(entry))), 0);
    entry..end
}

fn checksum(length: [u8; 4], rest: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&length), rest)
}

/// What lies at a place in a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// Nothing: no length, or no room for one.
    End,
    /// Something that is not an entry.
    Bad,
    /// An intact frame.
    Whole {
        entry: &'a [u8],
        /// Entries that were durable when it was written.
        durable: u64,
        /// Where the next frame starts.
        next: usize,
    },
}

/// Reads the frame at `offset`.
pub(crate) fn frame_at(segment: &[u8], offset: usize) -> Frame<'_> {
    let (Some(length), Some(sum), Some(durable)) = (
        array::<4>(segment, offset),
        u32_at(segment, offset.saturating_add(4)),
        u64_at(segment, offset.saturating_add(8)),
    ) else {
        return Frame::End;
    };
    if length == [0; 4] {
        return Frame::End;
    }
    let entry_bytes = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if !(ENTRY_FIXED..=ENTRY_BYTES_MAX).contains(&entry_bytes) {
        return Frame::Bad;
    }
    let summed = offset.saturating_add(8);
    let start = offset.saturating_add(FRAME_BYTES);
    let end = start.saturating_add(entry_bytes);
    let next = offset.saturating_add(frame_room(entry_bytes));
    let (Some(sum_over), Some(entry), Some(padding)) =
        (segment.get(summed..end), segment.get(start..end), segment.get(end..next))
    else {
        return Frame::Bad;
    };
    if checksum(length, sum_over) != sum || first_set(padding).is_some() {
        return Frame::Bad;
    }
    Frame::Whole { entry, durable, next }
}

/// The frames that lie one after the other in `bytes`, each with its padding.
pub(crate) fn frames(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    core::iter::from_fn(move || {
        let Frame::Whole { next, .. } = frame_at(bytes, at) else { return None };
        bytes.get(core::mem::replace(&mut at, next)..next)
    })
}

/// The entry of an intact frame.
pub(crate) fn entry_of(frame: &[u8]) -> &[u8] {
    match frame_at(frame, 0) {
        Frame::Whole { entry, .. } => entry,
        Frame::End | Frame::Bad => &[],
    }
}

/// Whether some intact frame after `offset` was written when the entry `next` was durable already.
pub(crate) fn proves_durable(segment: &[u8], offset: usize, next: u64) -> bool {
    let mut at = offset;
    while at < segment.len() {
        // Cheap tests first: this runs over garbage, and a checksum at every place would take quadratic time.
        let plausible = u64_at(segment, at.saturating_add(8)).is_some_and(|durable| durable > next)
            && u64_at(segment, at.saturating_add(FRAME_BYTES)).is_some_and(|sequence| sequence > next)
            && u32_at(segment, at.saturating_add(FRAME_BYTES).saturating_add(128))
                .zip(u32_at(segment, at))
                .is_some_and(|(body, length)| {
                    u64::from(length)
                        == u64::from(body).saturating_add(u64::try_from(ENTRY_FIXED).unwrap_or(0))
                });
        if plausible && matches!(frame_at(segment, at), Frame::Whole { .. }) {
            return true;
        }
        at = at.saturating_add(ALIGNMENT);
    }
    false
}
