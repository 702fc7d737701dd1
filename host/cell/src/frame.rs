//! The little a cell reads of a frame: how many events it holds, which sets the fuel, and when the first of them was.

use portcullis_core::Timestamp;

const MAGIC: [u8; 4] = *b"PCF1";
const HEADER_BYTES: usize = 24;
/// Where a record says its time.
const RECORD_TIME: usize = 8;
const RECORDS_MAX: u32 = 4_096;
const FRAME_BYTES_MAX: usize = 1 << 20;

/// Number of records of a frame, 1 to 4,096; `None` when the header is not that of a frame of this length.
pub(crate) fn records(frame: &[u8]) -> Option<u32> {
    let length = usize::try_from(u32_at(frame, 20)?).ok()?;
    let records = u32_at(frame, 16)?;
    let sound = frame.starts_with(&MAGIC)
        && length == frame.len()
        && (HEADER_BYTES..=FRAME_BYTES_MAX).contains(&length)
        && (1..=RECORDS_MAX).contains(&records);
    sound.then_some(records)
}

/// When the strategy sees the first event; `None` when the frame ends before it says so.
pub(crate) fn first_time(frame: &[u8]) -> Option<Timestamp> {
    let time = frame.get(HEADER_BYTES.saturating_add(RECORD_TIME)..)?.first_chunk().copied()?;
    Some(Timestamp(u64::from_le_bytes(time)))
}

fn u32_at(frame: &[u8], offset: usize) -> Option<u32> {
    frame.get(offset..)?.first_chunk().copied().map(u32::from_le_bytes)
}
