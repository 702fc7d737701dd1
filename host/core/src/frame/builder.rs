//! Packs records into a frame, in one buffer that is used again.

use super::error::FrameError;
use super::layout::{BYTES_MAX, Kind, MAGIC, RECORDS_MAX, VERSION};
use crate::{Span, Timestamp};

/// Where the number of records and the length stand in the frame's header.
const TAIL_OF_HEADER: core::ops::Range<usize> = 16..24;

/// Writes frames.
///
/// Every record goes through one method, named like its kind. `instrument` is an index into the strategy's own instruments, or
/// [`NO_INSTRUMENT`]. A record that does not fit leaves the frame as it was.
#[derive(Debug)]
pub struct FrameBuilder {
    bytes: Vec<u8>,
    marks: Vec<RecordMark>,
    last: Timestamp,
}

/// What the stop rule has to know of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordMark {
    /// When the strategy sees it.
    pub time: Timestamp,
    /// What it does to the strategy's timers.
    pub timers: TimerEffect,
}

/// What a record does to timers when it is consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerEffect {
    /// Nothing.
    None,
    /// This timer fires, and so is no longer set.
    Fires(u64),
    /// All are forgotten: a resync.
    ForgetsAll,
}

impl Default for FrameBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl FrameBuilder {
    /// An empty frame with a lookahead of zero.
    pub fn new() -> Self {
        let mut builder = Self { bytes: Vec::new(), marks: Vec::new(), last: Timestamp(0) };
        builder.begin(Span(0));
        builder
    }

    /// Drops what there is and begins a frame with lookahead L. Times start anew: what a call did not consume comes again.
    pub fn begin(&mut self, lookahead: Span) {
        self.marks.clear();
        self.last = Timestamp(0);
        self.bytes.clear();
        let identity = u64::from(MAGIC) | u64::from(VERSION) << 32;
        self.append_words([identity, lookahead.0, 0]);
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there is no record yet; such a frame must not be sent.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// One mark for each record, for [`check_outcome`](super::check_outcome).
    pub fn marks(&self) -> &[RecordMark] {
        &self.marks
    }

    /// Completes the header and shows the frame. More records can follow; then it must be finished again.
    pub fn finish(&mut self) -> &[u8] {
        // Both fit: at most 4,096 records and 1 MiB.
        let records = u32::try_from(self.marks.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        if let Some(tail) = self.bytes.get_mut(TAIL_OF_HEADER) {
            tail.copy_from_slice(&(u64::from(records) | u64::from(length) << 32).to_le_bytes());
        }
        &self.bytes
    }

    #[inline]
    pub(super) fn record<const N: usize>(
        &mut self,
        kind: Kind,
        time: Timestamp,
        instrument: u32,
        body: [u64; N],
    ) -> Result<(), FrameError> {
        self.record_with_tail(kind, time, instrument, body, 0)
    }

    /// Appends a record's header and the fixed part of its body; the caller appends the `tail` bytes left.
    #[inline]
    pub(super) fn record_with_tail<const N: usize>(
        &mut self,
        kind: Kind,
        time: Timestamp,
        instrument: u32,
        body: [u64; N],
        tail: usize,
    ) -> Result<(), FrameError> {
        let length = N.saturating_add(2).saturating_mul(8).saturating_add(tail);
        if self.marks.len() >= RECORDS_MAX || self.bytes.len().saturating_add(length) > BYTES_MAX {
            return Err(FrameError::Full);
        }
        if time < self.last {
            return Err(FrameError::TimeDecreases { time, after: self.last });
        }
        self.last = time;
        self.bytes.reserve(length);
        self.marks.push(RecordMark { time, timers: TimerEffect::None });
        self.append_words([kind as u64 | count(length) << 16 | u64::from(instrument) << 32, time.0]);
        self.append_words(body);
        Ok(())
    }

    /// Appends bytes of the tail that the last record announced.
    pub(super) fn append_tail(&mut self, bytes: impl IntoIterator<Item = u8>) {
        self.bytes.extend(bytes);
    }

    #[inline]
    fn append_words<const N: usize>(&mut self, words: [u64; N]) {
        self.bytes.extend_from_slice(words.map(u64::to_le_bytes).as_flattened());
    }

    pub(super) fn last_affects(&mut self, timers: TimerEffect) {
        if let Some(mark) = self.marks.last_mut() {
            mark.timers = timers;
        }
    }
}

/// A count as a u16 field; callers have bounded it: a record has at most 1,640 bytes.
pub(super) fn count(value: usize) -> u64 {
    u64::from(u16::try_from(value).unwrap_or(u16::MAX))
}
