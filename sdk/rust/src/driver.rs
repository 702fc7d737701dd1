//! Drives a strategy through frames: the one path that components, native tests and benchmarks share.

use crate::action::Outcome;
use crate::event::Event;
use crate::frame::{Frame, FrameError, Record, decode_book, decode_quote, decode_rarer, decode_trade, kind};
use crate::snapshot::{self, Bookkeeping};
use crate::{Context, InitError, InstrumentId, RestoreError, Setup, Strategy};

/// A strategy with its context: takes frames, returns outcomes.
///
/// In a component [`export!`](crate::export) makes one; natively it is the same code without the sandbox.
#[derive(Debug)]
pub struct Driver<S> {
    strategy: S,
    ctx: Context,
    skipped: u64,
}

impl<S: Strategy> Driver<S> {
    /// Makes the strategy.
    ///
    /// # Errors
    ///
    /// What [`Strategy::new`] returns.
    pub fn new(setup: &Setup) -> Result<Self, InitError> {
        Ok(Self { strategy: S::new(setup)?, ctx: Context::new(setup), skipped: 0 })
    }

    /// Hands over a frame and takes the actions.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if the frame is malformed. The strategy may have seen its first events, so the driver must not be used again.
    pub fn on_frame(&mut self, bytes: &[u8]) -> Result<Outcome, FrameError> {
        let frame = Frame::parse(bytes)?;
        self.ctx.stop.start_frame(frame.lookahead());
        let mut consumed: u32 = 0;
        for record in frame.records() {
            let record = record?;
            let time = record.time()?;
            if consumed > 0 && self.ctx.stops_before(time) {
                break;
            }
            self.ctx.start_event(consumed, time);
            self.take(record)?;
            consumed = consumed.saturating_add(1);
        }
        Ok(self.ctx.take_outcome(consumed))
    }

    /// The strategy.
    pub const fn strategy(&self) -> &S {
        &self.strategy
    }

    /// Records of kinds that this SDK does not know, skipped so far.
    pub const fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The snapshot: the SDK's own bookkeeping, then the strategy's bytes.
    pub fn snapshot(&self) -> Vec<u8> {
        let bookkeeping = Bookkeeping { placed: self.ctx.placed(), timers: self.ctx.stop.timers() };
        snapshot::encode(&bookkeeping, &self.strategy.snapshot())
    }

    /// Takes over a snapshot.
    ///
    /// # Errors
    ///
    /// [`RestoreError`] if the SDK's or the strategy's part cannot be read.
    pub fn restore(&mut self, version: u32, bytes: &[u8]) -> Result<(), RestoreError> {
        let (bookkeeping, state) = snapshot::decode(bytes)?;
        self.strategy.restore(version, state)?;
        self.ctx.set_placed(bookkeeping.placed);
        self.ctx.stop.restore_timers(bookkeeping.timers);
        Ok(())
    }

    /// Hands over one record. The kinds that come by the million never become an [`Event`]: writing one down, to look at it again at once,
    /// takes longer than many a handler does.
    #[inline]
    fn take(&mut self, record: Record<'_>) -> Result<(), FrameError> {
        let (strategy, ctx) = (&mut self.strategy, &mut self.ctx);
        match record.kind()? {
            kind::TRADE => {
                let trade = decode_trade(record)?;
                known(ctx, trade.instrument)?;
                strategy.on_trade(&trade, ctx);
            }
            kind::QUOTE => {
                let quote = decode_quote(record)?;
                known(ctx, quote.instrument)?;
                strategy.on_quote(&quote, ctx);
            }
            kind::BOOK => {
                let book = decode_book(record)?;
                known(ctx, book.instrument)?;
                strategy.on_book(&book, ctx);
            }
            rarer => return self.take_rarer(rarer, record),
        }
        Ok(())
    }

    #[inline(never)]
    fn take_rarer(&mut self, kind: u16, record: Record<'_>) -> Result<(), FrameError> {
        let Some(event) = decode_rarer(kind, record)? else {
            self.skipped = self.skipped.saturating_add(1);
            return Ok(());
        };
        let (strategy, ctx) = (&mut self.strategy, &mut self.ctx);
        match event {
            // None of the rarer kinds.
            Event::Trade(_) | Event::Quote(_) | Event::Book(_) => {}
            Event::Bar(bar) => {
                known(ctx, bar.instrument)?;
                strategy.on_bar(&bar, ctx);
            }
            Event::Funding(funding) => {
                known(ctx, funding.instrument)?;
                strategy.on_funding(&funding, ctx);
            }
            Event::Mark(mark) => {
                known(ctx, mark.instrument)?;
                strategy.on_mark(&mark, ctx);
            }
            Event::OwnOrder(order) => {
                known(ctx, order.instrument)?;
                strategy.on_own_order(&order, ctx);
            }
            Event::Fill(fill) => {
                known(ctx, fill.instrument)?;
                strategy.on_fill(&fill, ctx);
            }
            Event::Refusal(refusal) => strategy.on_refusal(&refusal, ctx),
            Event::Position(position) => {
                known(ctx, position.instrument)?;
                strategy.on_position(&position, ctx);
            }
            Event::Budget(budget) => strategy.on_budget(&budget, ctx),
            Event::Instrument(update) => {
                ctx.update_instrument(&update).ok_or(FrameError::UnknownInstrument)?;
                strategy.on_instrument(&update, ctx);
            }
            Event::Timer(timer) => {
                ctx.stop.timer_fired(timer.id);
                strategy.on_timer(&timer, ctx);
            }
            Event::Gap(gap) => strategy.on_gap(&gap, ctx),
            Event::WarmUpEnd(end) => strategy.on_warm_up_end(&end, ctx),
            Event::Resync(resync) => {
                // An instance without a snapshot, or one that ran in another's shadow, cannot have counted right.
                ctx.set_placed(resync.next_order.0.saturating_sub(1));
                ctx.stop.forget_timers();
                strategy.on_resync(&resync, ctx);
            }
            Event::Signal(signal) => strategy.on_signal(&signal, ctx),
        }
        Ok(())
    }
}

/// Strategies index their state by instrument, so an id that the set-up does not have never reaches them.
#[inline]
fn known(ctx: &Context, id: InstrumentId) -> Result<(), FrameError> {
    if id.index() < ctx.instruments().len() { Ok(()) } else { Err(FrameError::UnknownInstrument) }
}
