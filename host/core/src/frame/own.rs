//! The records about the strategy's own orders, position and means.

use super::FrameBuilder;
use super::error::FrameError;
use super::layout::{Kind, NO_INSTRUMENT, side, wide, word};
use super::record::{BudgetRecord, FillRecord, OwnOrderRecord, PositionRecord, RefusalRecord};
use crate::Timestamp;

impl FrameBuilder {
    /// A change of an own order.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn own_order(
        &mut self,
        time: Timestamp,
        instrument: u32,
        order: &OwnOrderRecord,
    ) -> Result<(), FrameError> {
        let state = u64::from(side(order.side))
            | u64::from(order.status.number()) << 8
            | u64::from(order.reason) << 16;
        let body = [
            order.venue_time.0,
            order.order.0,
            order.tag,
            word(order.price.map_or(0, |price| price.0)),
            word(order.quantity.0),
            word(order.executed.0),
            state,
        ];
        self.record(Kind::OwnOrder, time, instrument, body)
    }

    /// An execution of an own order.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn fill(&mut self, time: Timestamp, instrument: u32, fill: &FillRecord) -> Result<(), FrameError> {
        let [fee_low, fee_high] = wide(fill.fee);
        let liquidity = if fill.maker { 1_u64 } else { 2 };
        let body = [
            fill.venue_time.0,
            fill.order.0,
            fill.tag,
            word(fill.price.0),
            word(fill.quantity.0),
            fee_low,
            fee_high,
            u64::from(side(fill.side)) | liquidity << 8,
            word(fill.executed.0),
        ];
        self.record(Kind::Fill, time, instrument, body)
    }

    /// A refused action.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn refusal(
        &mut self,
        time: Timestamp,
        instrument: u32,
        refusal: &RefusalRecord,
    ) -> Result<(), FrameError> {
        let what = u64::from(refusal.code) | u64::from(refusal.action as u8) << 16;
        self.record(Kind::Refusal, time, instrument, [refusal.order.0, refusal.tag, what])
    }

    /// The strategy's position.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn position(
        &mut self,
        time: Timestamp,
        instrument: u32,
        position: &PositionRecord,
    ) -> Result<(), FrameError> {
        let ([cost_low, cost_high], [realised_low, realised_high], [fees_low, fees_high]) =
            (wide(position.cost), wide(position.realised), wide(position.fees));
        let quantity = word(position.quantity.0);
        let body = [quantity, cost_low, cost_high, realised_low, realised_high, fees_low, fees_high];
        self.record(Kind::Position, time, instrument, body)
    }

    /// The strategy's means.
    ///
    /// # Errors
    ///
    /// [`FrameError`].
    pub fn budget(&mut self, time: Timestamp, budget: &BudgetRecord) -> Result<(), FrameError> {
        let ([capital_low, capital_high], [free_low, free_high]) = (wide(budget.capital), wide(budget.free));
        let body = [capital_low, capital_high, free_low, free_high, u64::from(budget.state.number())];
        self.record(Kind::Budget, time, NO_INSTRUMENT, body)
    }
}
