//! The records about the strategy's course: timers, gaps, warm-up, resync and signals.

use super::FrameBuilder;
use super::builder::{TimerEffect, count};
use super::error::FrameError;
use super::layout::{Kind, NO_INSTRUMENT, SIGNAL_BYTES_MAX};
use crate::{OrderNumber, Timestamp};

impl FrameBuilder {
    /// A timer that fires.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn timer(&mut self, time: Timestamp, id: u64) -> Result<(), FrameError> {
        self.record(Kind::Timer, time, NO_INSTRUMENT, [id])?;
        self.last_affects(TimerEffect::Fires(id));
        Ok(())
    }

    /// Missing events: how many (0 for unknown), and the number of the cause (1 conflation to 4 skipped frame).
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn gap(
        &mut self,
        time: Timestamp,
        instrument: u32,
        dropped: u32,
        cause: u8,
    ) -> Result<(), FrameError> {
        self.record(Kind::Gap, time, instrument, [u64::from(dropped) | u64::from(cause) << 32])
    }

    /// The end of warm-up.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn warm_up_boundary(&mut self, time: Timestamp) -> Result<(), FrameError> {
        self.record(Kind::WarmUpBoundary, time, NO_INSTRUMENT, [])
    }

    /// A new start of the strategy's view: how many own-order records follow, and the number its next order gets.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn resync(
        &mut self,
        time: Timestamp,
        open_orders: u32,
        next_order: OrderNumber,
    ) -> Result<(), FrameError> {
        self.record(Kind::Resync, time, NO_INSTRUMENT, [u64::from(open_orders), next_order.0])?;
        self.last_affects(TimerEffect::ForgetsAll);
        Ok(())
    }

    /// A signal of an external source.
    ///
    /// # Errors
    ///
    /// [`FrameError`]; [`FrameError::SignalTooLong`] for a payload of more than 1,024 bytes.
    pub fn signal(
        &mut self,
        time: Timestamp,
        instrument: u32,
        channel: u16,
        payload: &[u8],
    ) -> Result<(), FrameError> {
        if payload.len() > SIGNAL_BYTES_MAX {
            return Err(FrameError::SignalTooLong { bytes: payload.len() });
        }
        let padded = payload.len().next_multiple_of(8);
        let what = u64::from(channel) | count(payload.len()) << 16;
        self.record_with_tail(Kind::Signal, time, instrument, [what], padded)?;
        let padding = padded.saturating_sub(payload.len());
        self.append_tail(payload.iter().copied().chain(core::iter::repeat_n(0, padding)));
        Ok(())
    }
}
