//! What the stop rule has to know of a packed frame: the little that is read back when a recorded call is judged again.

use super::builder::{RecordMark, TimerEffect};
use super::layout::{BYTES_MAX, Kind, MAGIC, RECORDS_MAX, VERSION};
use crate::{Span, Timestamp};

const HEADER_BYTES: usize = 24;
const RECORD_HEADER_BYTES: usize = 16;

/// The lookahead L of a frame's header and one mark for each of its records, as [`check_outcome`](super::check_outcome) wants them;
/// `None` when the bytes are no frame.
pub fn frame_marks(frame: &[u8]) -> Option<(Span, Vec<RecordMark>)> {
    let length = usize::try_from(u32_at(frame, 20)?).ok()?;
    let records = usize::try_from(u32_at(frame, 16)?).ok()?;
    let sound = u32_at(frame, 0)? == MAGIC
        && u16_at(frame, 4)? == VERSION
        && length == frame.len()
        && length <= BYTES_MAX
        && records <= RECORDS_MAX;
    if !sound {
        return None;
    }
    let lookahead = Span(u64_at(frame, 8)?);
    let mut marks = Vec::with_capacity(records);
    let mut rest = frame.get(HEADER_BYTES..)?;
    for _ in 0..records {
        let length = usize::from(u16_at(rest, 2)?);
        if length < RECORD_HEADER_BYTES {
            return None;
        }
        let (record, after) = rest.split_at_checked(length)?;
        marks.push(RecordMark { time: Timestamp(u64_at(record, 8)?), timers: effect(record)? });
        rest = after;
    }
    rest.is_empty().then_some((lookahead, marks))
}

fn effect(record: &[u8]) -> Option<TimerEffect> {
    let kind = u16_at(record, 0)?;
    Some(if kind == Kind::Timer as u16 {
        TimerEffect::Fires(u64_at(record, RECORD_HEADER_BYTES)?)
    } else if kind == Kind::Resync as u16 {
        TimerEffect::ForgetsAll
    } else {
        TimerEffect::None
    })
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    bytes.get(offset..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().copied().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..)?.first_chunk().copied().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use super::*;
    use crate::OrderNumber;
    use crate::frame::FrameBuilder;

    fn frame() -> FrameBuilder {
        let mut builder = FrameBuilder::new();
        builder.begin(Span(7));
        builder.resync(Timestamp(3), 0, OrderNumber(1)).unwrap();
        builder.gap(Timestamp(4), super::super::NO_INSTRUMENT, 2, 1).unwrap();
        builder.timer(Timestamp(9), 42).unwrap();
        builder
    }

    #[test]
    fn a_packed_frame_gives_its_marks_back() {
        let mut builder = frame();
        let bytes = builder.finish().to_vec();
        assert_eq!(frame_marks(&bytes), Some((Span(7), builder.marks().to_vec())));
    }

    #[test]
    fn what_is_cut_or_prolonged_is_no_frame() {
        let bytes = frame().finish().to_vec();
        for length in 0..bytes.len() {
            assert_eq!(frame_marks(bytes.get(..length).unwrap()), None, "{length}");
        }
        assert_eq!(frame_marks(&[bytes, vec![0]].concat()), None);
    }
}
