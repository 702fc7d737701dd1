//! Packs a strategy's events into a frame, and checks its answer against the stop rule.

use portcullis_core::frame::{
    BudgetRecord, FillRecord, FrameBuilder, FrameError, NO_INSTRUMENT, OwnOrderRecord, OwnOrderStatus,
    PositionRecord, ProtocolFault, RefusalRecord, RefusedAction, Timers, check_outcome,
};
use portcullis_core::{
    ActionKind, BOOK_DEPTH_MAX, InstrumentId, MarketBody, NoticeBody, OrderStatus, Outcome, Span, Timestamp,
};

use crate::event::{Event, EventBody};

/// Packs frames for one strategy.
#[derive(Debug)]
pub struct Packer {
    builder: FrameBuilder,
    lookahead: Span,
    /// The strategy's instruments; its own numbers are indices into this list.
    instruments: Vec<InstrumentId>,
}

impl Packer {
    /// A packer for frames with lookahead L, of a strategy with these instruments.
    pub fn new(lookahead: Span, instruments: Vec<InstrumentId>) -> Self {
        Self { builder: FrameBuilder::new(), lookahead, instruments }
    }

    /// Packs as many of the events as a frame takes, and returns the frame and how many that were.
    pub(crate) fn pack(&mut self, events: &[Event]) -> (Vec<u8>, usize) {
        self.begin();
        let mut packed: usize = 0;
        for event in events {
            match self.append(event) {
                Ok(()) => packed = packed.saturating_add(1),
                Err(FrameError::Full) => break,
                Err(error) => {
                    // The host's own mistake: the events are bounded and in order when they get here. The frame ends before it.
                    tracing::error!(%error, ?event, "an event does not fit a frame");
                    break;
                }
            }
        }
        (self.frame().to_vec(), packed)
    }

    /// Begins a frame.
    pub fn begin(&mut self) {
        self.builder.begin(self.lookahead);
    }

    /// The frame so far.
    pub fn frame(&mut self) -> &[u8] {
        self.builder.finish()
    }

    /// Number of events in the frame.
    pub fn len(&self) -> usize {
        self.builder.len()
    }

    /// Whether no event was packed yet.
    pub fn is_empty(&self) -> bool {
        self.builder.is_empty()
    }

    /// The time of the event at a place in the frame.
    pub fn time_of(&self, index: usize) -> Option<Timestamp> {
        self.builder.marks().get(index).map(|mark| mark.time)
    }

    /// Checks the answer to the last frame packed, and returns the timers set after it.
    ///
    /// # Errors
    ///
    /// [`ProtocolFault`] when it breaks the stop rule.
    pub fn check(&self, timers: &Timers, outcome: &Outcome) -> Result<Timers, ProtocolFault> {
        check_outcome(self.builder.marks(), timers, self.lookahead, outcome)
    }

    /// Appends an event.
    ///
    /// # Errors
    ///
    /// [`FrameError::Full`] when it belongs into the next frame; the others are the caller's mistakes.
    pub fn append(&mut self, event: &Event) -> Result<(), FrameError> {
        let time = event.time;
        match &event.body {
            EventBody::Market(instrument, body) => {
                self.append_market(*instrument, time, event.venue_time, body, BOOK_DEPTH_MAX)
            }
            EventBody::Instrument(spec) => {
                let index = self.index(Some(spec.id));
                self.builder.instrument(time, index, event.venue_time, spec)
            }
            EventBody::Notice(notice) => self.notice(event, notice),
            EventBody::Timer(id) => self.builder.timer(time, *id),
            EventBody::Gap { dropped, cause } => {
                self.builder.gap(time, NO_INSTRUMENT, *dropped, *cause as u8)
            }
            EventBody::WarmUpBoundary => self.builder.warm_up_boundary(time),
            EventBody::Resync { orders, next_order } => self.builder.resync(time, *orders, *next_order),
        }
    }

    /// Appends a market event; of a book at most `levels` a side.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    #[inline]
    pub fn append_market(
        &mut self,
        instrument: InstrumentId,
        time: Timestamp,
        venue_time: Timestamp,
        body: &MarketBody,
        levels: usize,
    ) -> Result<(), FrameError> {
        let index = self.index(Some(instrument));
        let builder = &mut self.builder;
        match body {
            MarketBody::Trade { price, quantity, taker } => {
                builder.trade(time, index, venue_time, *price, *quantity, *taker)
            }
            MarketBody::Quote { bid, ask } => builder.quote(time, index, venue_time, *bid, *ask),
            MarketBody::Book(book) => {
                let bids = book.bids.get(..levels).unwrap_or(&book.bids);
                let asks = book.asks.get(..levels).unwrap_or(&book.asks);
                builder.book(time, index, venue_time, book.update, bids, asks)
            }
            MarketBody::Bar(bar) => builder.bar(time, index, venue_time, bar),
            MarketBody::Funding { rate, next } => builder.funding(time, index, venue_time, *rate, *next),
            MarketBody::Mark { mark, index: of_index } => {
                builder.mark(time, index, venue_time, *mark, *of_index)
            }
        }
    }

    fn notice(&mut self, event: &Event, notice: &NoticeBody) -> Result<(), FrameError> {
        let (time, venue_time) = (event.time, event.venue_time);
        match notice {
            NoticeBody::Order(order) => {
                let index = self.index(Some(order.instrument));
                let record = OwnOrderRecord {
                    venue_time,
                    order: order.number,
                    tag: order.tag,
                    price: order.price,
                    quantity: order.quantity,
                    executed: order.executed,
                    side: order.side,
                    status: status(order.status),
                    reason: order.reason as u16,
                };
                self.builder.own_order(time, index, &record)
            }
            NoticeBody::Fill(fill) => {
                let index = self.index(Some(fill.instrument));
                let record = FillRecord {
                    venue_time,
                    order: fill.number,
                    tag: fill.tag,
                    price: fill.price,
                    quantity: fill.quantity,
                    fee: fill.fee,
                    side: fill.side,
                    maker: fill.maker,
                    executed: fill.executed,
                };
                self.builder.fill(time, index, &record)
            }
            NoticeBody::Refusal(refusal) => {
                let index = self.index(refusal.instrument);
                let record = RefusalRecord {
                    order: refusal.number,
                    tag: refusal.tag,
                    code: refusal.code.number(),
                    action: action(refusal.action),
                };
                self.builder.refusal(time, index, &record)
            }
            NoticeBody::Position(position) => {
                let index = self.index(Some(position.instrument));
                let record = PositionRecord {
                    quantity: position.quantity,
                    cost: position.cost,
                    realised: position.realised,
                    fees: position.fees,
                };
                self.builder.position(time, index, &record)
            }
            NoticeBody::Budget(budget) => {
                let record = BudgetRecord { capital: budget.capital, free: budget.free, state: budget.state };
                self.builder.budget(time, &record)
            }
        }
    }

    /// Whether an instrument is one of the strategy's.
    pub(crate) fn owns(&self, instrument: InstrumentId) -> bool {
        self.instruments.contains(&instrument)
    }

    /// The strategy's own number of an instrument.
    fn index(&self, instrument: Option<InstrumentId>) -> u32 {
        let place = instrument.and_then(|id| self.instruments.iter().position(|own| *own == id));
        place.and_then(|place| u32::try_from(place).ok()).unwrap_or(NO_INSTRUMENT)
    }
}

fn status(status: OrderStatus) -> OwnOrderStatus {
    match status {
        // An acknowledgement is not acceptance: the strategy sees no difference until the stream tells.
        OrderStatus::Reserved | OrderStatus::Acknowledged => OwnOrderStatus::Submitted,
        OrderStatus::Unknown => OwnOrderStatus::Unknown,
        OrderStatus::Working | OrderStatus::Triggered => OwnOrderStatus::Working,
        OrderStatus::PartiallyFilled => OwnOrderStatus::PartiallyFilled,
        OrderStatus::Untriggered => OwnOrderStatus::Untriggered,
        OrderStatus::Filled => OwnOrderStatus::Filled,
        OrderStatus::Cancelled => OwnOrderStatus::Cancelled,
        OrderStatus::Rejected => OwnOrderStatus::Rejected,
        OrderStatus::Expired => OwnOrderStatus::Expired,
        OrderStatus::NotSent | OrderStatus::Absent => OwnOrderStatus::NotSent,
    }
}

fn action(kind: ActionKind) -> RefusedAction {
    match kind {
        ActionKind::Place => RefusedAction::Place,
        ActionKind::Amend => RefusedAction::Amend,
        ActionKind::Cancel => RefusedAction::Cancel,
        ActionKind::CancelAll => RefusedAction::CancelAll,
        ActionKind::Flatten => RefusedAction::Flatten,
    }
}
