//! The records about markets and instruments.

use super::FrameBuilder;
use super::builder::count;
use super::error::FrameError;
use super::layout::{Kind, side, wide, word};
use crate::{Amount, BOOK_DEPTH_MAX, Bar, InstrumentSpec, Level, Price, Qty, Rate, Side, Timestamp};

impl FrameBuilder {
    /// A public trade; `taker` is the side that took.
    ///
    /// # Errors
    ///
    /// [`FrameError`], as for every record.
    pub fn trade(
        &mut self,
        time: Timestamp,
        instrument: u32,
        venue_time: Timestamp,
        price: Price,
        quantity: Qty,
        taker: Side,
    ) -> Result<(), FrameError> {
        let body = [venue_time.0, word(price.0), word(quantity.0), u64::from(side(taker))];
        self.record(Kind::Trade, time, instrument, body)
    }

    /// The best bid and ask; a side without orders has quantity 0.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn quote(
        &mut self,
        time: Timestamp,
        instrument: u32,
        venue_time: Timestamp,
        bid: Level,
        ask: Level,
    ) -> Result<(), FrameError> {
        let [bid_price, bid_quantity] = level(bid);
        let [ask_price, ask_quantity] = level(ask);
        let body = [venue_time.0, bid_price, bid_quantity, ask_price, ask_quantity];
        self.record(Kind::Quote, time, instrument, body)
    }

    /// The best levels, best first; `update` is the venue's update number.
    ///
    /// # Errors
    ///
    /// [`FrameError`]; [`FrameError::BookTooDeep`] for more than 50 levels a side.
    pub fn book(
        &mut self,
        time: Timestamp,
        instrument: u32,
        venue_time: Timestamp,
        update: u64,
        bids: &[Level],
        asks: &[Level],
    ) -> Result<(), FrameError> {
        let levels = bids.len().max(asks.len());
        if levels > BOOK_DEPTH_MAX {
            return Err(FrameError::BookTooDeep { levels });
        }
        let counts = count(bids.len()) | count(asks.len()) << 16;
        let body = [venue_time.0, update, counts];
        let level_bytes = bids.len().saturating_add(asks.len()).saturating_mul(16);
        self.record_with_tail(Kind::Book, time, instrument, body, level_bytes)?;
        for side in [bids, asks] {
            self.append_tail(side.iter().flat_map(|one| level(*one)).flat_map(u64::to_le_bytes));
        }
        Ok(())
    }

    /// A closed bar; `venue_time` is its close time.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn bar(
        &mut self,
        time: Timestamp,
        instrument: u32,
        venue_time: Timestamp,
        bar: &Bar,
    ) -> Result<(), FrameError> {
        let body = [
            venue_time.0,
            bar.open_time.0,
            u64::from(bar.interval_s),
            word(bar.open.0),
            word(bar.high.0),
            word(bar.low.0),
            word(bar.close.0),
            word(bar.volume.0),
        ];
        self.record(Kind::Bar, time, instrument, body)
    }

    /// The next funding: its rate and when it is paid.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn funding(
        &mut self,
        time: Timestamp,
        instrument: u32,
        venue_time: Timestamp,
        rate: Rate,
        next: Timestamp,
    ) -> Result<(), FrameError> {
        self.record(Kind::Funding, time, instrument, [venue_time.0, word(rate.0), next.0])
    }

    /// Mark and index price; an unknown index is zero.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn mark(
        &mut self,
        time: Timestamp,
        instrument: u32,
        venue_time: Timestamp,
        mark: Amount,
        index: Amount,
    ) -> Result<(), FrameError> {
        let ([mark_low, mark_high], [index_low, index_high]) = (wide(mark), wide(index));
        let body = [venue_time.0, mark_low, mark_high, index_low, index_high];
        self.record(Kind::Mark, time, instrument, body)
    }

    /// New trading rules of an instrument.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn instrument(
        &mut self,
        time: Timestamp,
        instrument: u32,
        venue_time: Timestamp,
        spec: &InstrumentSpec,
    ) -> Result<(), FrameError> {
        let status = if spec.trading { 1_u64 } else { 2 };
        let [notional_low, notional_high] = wide(spec.min_notional);
        let body = [
            status | u64::from(spec.price_decimals) << 8 | u64::from(spec.quantity_decimals) << 16,
            word(spec.tick.0),
            word(spec.step.0),
            word(spec.min_quantity.0),
            word(spec.max_quantity.0),
            word(spec.max_market_quantity.0),
            notional_low,
            notional_high,
            word(spec.taker_fee.0),
            word(spec.maker_fee.0),
            venue_time.0,
        ];
        self.record(Kind::Instrument, time, instrument, body)
    }
}

const fn level(level: Level) -> [u64; 2] {
    [word(level.price.0), word(level.quantity.0)]
}
