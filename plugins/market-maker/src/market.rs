//! One instrument: what we hold, what we quote, and how a quote is moved.

use portcullis_sdk::{
    Context, InstrumentId, OrderNumber, Price, Qty, RestoreError, Side, StateReader, StateWriter, Time,
};

/// What the strategy keeps for one instrument.
#[derive(Debug)]
pub(crate) struct Market {
    pub(crate) size: Qty,
    pub(crate) max_position: Qty,
    pub(crate) position: Qty,
    pub(crate) bid: Option<Resting>,
    pub(crate) ask: Option<Resting>,
    pub(crate) paused_until: Time,
}

/// A quote of ours at the venue, or on its way there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resting {
    pub(crate) order: OrderNumber,
    pub(crate) price: Price,
    /// A command has no answer yet. Another one would be refused.
    pub(crate) busy: bool,
}

impl Market {
    pub(crate) fn quote_mut(&mut self, side: Side) -> &mut Option<Resting> {
        match side {
            Side::Buy => &mut self.bid,
            Side::Sell => &mut self.ask,
        }
    }

    /// Brings one quote to the wanted price with at most one command.
    pub(crate) fn move_quote(
        &mut self,
        side: Side,
        wanted: Option<Price>,
        tolerance: Price,
        on: InstrumentId,
        ctx: &mut Context,
    ) {
        if ctx.now() < self.paused_until {
            return;
        }
        let size = self.size;
        match (self.quote_mut(side), wanted) {
            (quote @ None, Some(price)) => {
                let order = ctx.order(side, on).limit(price, size).post_only().number();
                *quote = Some(Resting { order, price, busy: true });
            }
            (Some(resting), None) if !resting.busy => {
                ctx.cancel(resting.order);
                resting.busy = true;
            }
            (Some(resting), Some(price))
                if !resting.busy && price.saturating_sub(resting.price).abs() > tolerance =>
            {
                ctx.amend_price(resting.order, price);
                resting.busy = true;
            }
            _ => {}
        }
    }

    pub(crate) fn save(&self, writer: StateWriter) -> StateWriter {
        let resting = |writer: StateWriter, quote: Resting| {
            writer.u64(quote.order.0).price(quote.price).boolean(quote.busy)
        };
        writer
            .quantity(self.position)
            .time(self.paused_until)
            .option(self.bid, resting)
            .option(self.ask, resting)
    }

    pub(crate) fn load(&mut self, state: &mut StateReader<'_>) -> Result<(), RestoreError> {
        let resting = |state: &mut StateReader<'_>| {
            Ok(Resting { order: OrderNumber(state.u64()?), price: state.price()?, busy: state.boolean()? })
        };
        self.position = state.quantity()?;
        self.paused_until = state.time()?;
        self.bid = state.option(resting)?;
        self.ask = state.option(resting)?;
        Ok(())
    }
}
