//! Writes frames, for tests and native runs.

use super::encode::encode;
use crate::frame::{FRAME_BYTES_MAX, HEADER_BYTES, MAGIC, RECORDS_MAX, VERSION};
use crate::{Event, Time};

/// Builds a frame out of events.
///
/// ```
/// use portcullis_sdk::testing::FrameBuilder;
/// use portcullis_sdk::{Event, Time, TimerFired};
///
/// let timer = TimerFired { time: Time::from_nanos(1), id: 7 };
/// let frame = FrameBuilder::new(0).event(&Event::Timer(timer)).finish();
/// assert_eq!(frame.len(), 24 + 24);
/// ```
#[derive(Clone, Debug)]
pub struct FrameBuilder {
    bytes: Vec<u8>,
    count: u32,
    last: Time,
}

impl FrameBuilder {
    /// Starts a frame whose header carries `lookahead` nanoseconds.
    #[must_use]
    pub fn new(lookahead: u64) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC.to_le_bytes());
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend(lookahead.to_le_bytes());
        bytes.extend([0; 8]);
        Self { bytes, count: 0, last: Time::from_nanos(0) }
    }

    /// Adds an event.
    ///
    /// # Panics
    ///
    /// If its time is before the last one's, a signal's payload is longer than 1,024 bytes, a side of a book deeper than 50
    /// levels, or the frame has 4,096 records already.
    #[must_use]
    pub fn event(mut self, event: &Event<'_>) -> Self {
        self.push(event);
        self
    }

    /// Adds an event to a frame under construction; the same as [`event`](Self::event) for loops.
    ///
    /// # Panics
    ///
    /// As [`event`](Self::event).
    pub fn push(&mut self, event: &Event<'_>) {
        let record = encode(event);
        self.record(event.time(), &record);
    }

    /// Adds raw bytes as one record, header included, such as one of a kind that this SDK does not know.
    ///
    /// # Panics
    ///
    /// As [`event`](Self::event).
    pub fn record(&mut self, time: Time, record: &[u8]) {
        assert!(time >= self.last, "the times of a frame never decrease");
        assert!(self.count < RECORDS_MAX, "a frame holds 4,096 records");
        self.last = time;
        self.count = self.count.saturating_add(1);
        self.bytes.extend_from_slice(record);
    }

    /// Number of records so far.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The frame.
    ///
    /// # Panics
    ///
    /// If it is empty or longer than 1 MiB.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        assert!(self.count > 0, "a frame has at least one record");
        assert!(self.bytes.len() <= FRAME_BYTES_MAX, "a frame has at most 1 MiB");
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        let tail = self.count.to_le_bytes().into_iter().chain(length.to_le_bytes());
        for (slot, byte) in self.bytes.iter_mut().skip(16).zip(tail) {
            *slot = byte;
        }
        self.bytes
    }
}
