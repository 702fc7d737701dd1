//! What a strategy acts through.

use crate::action::{
    Action, ActionBody, Amend, LogLevel, LogLine, Metric, OrderKind, OrderNumber, Outcome, Place, Side,
    TimeInForce, Timer,
};
use crate::event::InstrumentUpdate;
use crate::placed::Placed;
use crate::stop::{ACTIONS_PER_EVENT_MAX, Stop};
use crate::{Instrument, InstrumentId, Price, Qty, Setup, Time};

/// What a strategy acts through: every handler gets one.
///
/// Calls record *actions*; nothing is sent before the handler returns, and the host then checks every one. There is no
/// answer at once: what became of an order arrives later as an event ([`on_own_order`](crate::Strategy::on_own_order),
/// [`on_fill`](crate::Strategy::on_fill), [`on_refusal`](crate::Strategy::on_refusal)).
///
/// One event may cause at most 32 actions. One more is a panic, which ends the instance, as the host would otherwise do.
#[derive(Debug)]
pub struct Context {
    instruments: Vec<Instrument>,
    now: Time,
    cause: u32,
    placed: u64,
    actions: Vec<Action>,
    /// Length of `actions` when the event began.
    actions_before: usize,
    pub(crate) stop: Stop,
}

impl Context {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            instruments: setup.instruments.clone(),
            now: setup.start_time,
            cause: 0,
            placed: 0,
            actions: Vec::new(),
            actions_before: 0,
            stop: Stop::new(),
        }
    }

    /// Time of the event being handled.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// The trading rules of an instrument, as of this event. The ids that events carry always exist.
    #[must_use]
    pub fn instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(id.index())
    }

    /// Every instrument, in the order of their ids.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// Starts a buy order: `ctx.buy(id).market(size)` or `ctx.buy(id).limit(price, size)`.
    pub fn buy(&mut self, instrument: InstrumentId) -> NewOrder<'_> {
        self.order(Side::Buy, instrument)
    }

    /// Starts a sell order: `ctx.sell(id).market(size)` or `ctx.sell(id).limit(price, size)`.
    pub fn sell(&mut self, instrument: InstrumentId) -> NewOrder<'_> {
        self.order(Side::Sell, instrument)
    }

    /// Starts an order of the given side.
    pub fn order(&mut self, side: Side, instrument: InstrumentId) -> NewOrder<'_> {
        NewOrder { ctx: self, side, instrument }
    }

    /// Moves a working order to another limit price.
    ///
    /// An order takes one command at a time: until its next own-order event a second one is refused `ORDER_BUSY`.
    pub fn amend_price(&mut self, order: OrderNumber, price: Price) {
        self.amend(order, Some(price), None);
    }

    /// Changes the total quantity of a working order, executed part included.
    pub fn amend_quantity(&mut self, order: OrderNumber, quantity: Qty) {
        self.amend(order, None, Some(quantity));
    }

    /// Changes price, total quantity (executed part included), or both. None keeps what is; with neither the host refuses.
    pub fn amend(&mut self, order: OrderNumber, price: Option<Price>, quantity: Option<Qty>) {
        self.act(ActionBody::Amend(Amend { order, price, quantity }));
    }

    /// Cancels one order.
    pub fn cancel(&mut self, order: OrderNumber) {
        self.act(ActionBody::Cancel(order));
    }

    /// Cancels all own orders of an instrument, or of all with none.
    pub fn cancel_all(&mut self, instrument: impl Into<Option<InstrumentId>>) {
        self.act(ActionBody::CancelAll(instrument.into()));
    }

    /// Closes the position of an instrument: the host cancels the entries, then reduces to zero.
    pub fn flatten(&mut self, instrument: InstrumentId) {
        self.act(ActionBody::Flatten(instrument));
    }

    /// Sets a timer, or moves it if it is set; [`on_timer`](crate::Strategy::on_timer) gets its id. A time in the past fires at once.
    ///
    /// At most 64 timers can be set at once. False if this would be one more: then nothing is set. A resync forgets every timer.
    pub fn set_timer(&mut self, id: u64, at: Time) -> bool {
        let set = self.stop.set_timer(self.now, id, Some(at));
        if set {
            self.push(ActionBody::SetTimer(Timer { id, at: Some(at) }));
        }
        set
    }

    /// Removes a timer; nothing happens if it is not set.
    pub fn clear_timer(&mut self, id: u64) {
        self.stop.set_timer(self.now, id, None);
        self.push(ActionBody::SetTimer(Timer { id, at: None }));
    }

    /// Writes a line to the strategy's log. The host cuts it at 1,024 bytes and limits the rate.
    pub fn log(&mut self, level: LogLevel, message: impl Into<String>) {
        self.push(ActionBody::Log(LogLine { level, message: message.into() }));
    }

    /// Sets a gauge. The description must name it; the host drops any other.
    pub fn metric(&mut self, name: &str, value: f64) {
        self.push(ActionBody::Metric(Metric { name: name.to_owned(), value }));
    }

    /// Records an action whose consequence the strategy will see.
    fn act(&mut self, body: ActionBody) {
        self.stop.action(self.now);
        self.push(body);
    }

    fn push(&mut self, body: ActionBody) {
        let of_event = self.actions.len().saturating_sub(self.actions_before);
        assert!(of_event < ACTIONS_PER_EVENT_MAX, "more than 32 actions on one event");
        self.actions.push(Action { cause: self.cause, body });
    }

    /// Records a new order and hands it out for its options.
    fn place(&mut self, place: Place) -> Placed<'_> {
        self.act(ActionBody::Place(place));
        self.placed = self.placed.saturating_add(1);
        let number = OrderNumber(self.placed);
        match self.actions.last_mut() {
            Some(Action { body: ActionBody::Place(place), .. }) => Placed::new(place, number),
            _ => unreachable!("the place action was pushed just above"),
        }
    }

    pub(crate) fn start_event(&mut self, index: u32, time: Time) {
        self.cause = index;
        self.now = time;
        self.actions_before = self.actions.len();
    }

    /// Whether the frame has to stop before an event at `time`.
    pub(crate) fn stops_before(&self, time: Time) -> bool {
        self.stop.stops_before(time, self.actions.len())
    }

    pub(crate) fn take_outcome(&mut self, consumed: u32) -> Outcome {
        Outcome { consumed, actions: core::mem::take(&mut self.actions) }
    }

    /// Takes over new trading rules; none if the instrument is not the set-up's. Decimals never change.
    pub(crate) fn update_instrument(&mut self, update: &InstrumentUpdate) -> Option<()> {
        let instrument = self.instruments.get_mut(update.instrument.index())?;
        instrument.trading = update.trading;
        instrument.tick = update.tick;
        instrument.step = update.step;
        instrument.min_quantity = update.min_quantity;
        instrument.max_quantity = update.max_quantity;
        instrument.max_market_quantity = update.max_market_quantity;
        instrument.min_notional = update.min_notional;
        instrument.taker_fee = update.taker_fee;
        instrument.maker_fee = update.maker_fee;
        Some(())
    }

    /// Orders placed so far.
    pub(crate) const fn placed(&self) -> u64 {
        self.placed
    }

    pub(crate) fn set_placed(&mut self, placed: u64) {
        self.placed = placed;
    }
}

/// An order that has side and instrument, but no price and quantity yet.
#[derive(Debug)]
#[must_use = "nothing is placed before .market() or .limit()"]
pub struct NewOrder<'ctx> {
    ctx: &'ctx mut Context,
    side: Side,
    instrument: InstrumentId,
}

impl<'ctx> NewOrder<'ctx> {
    /// Places it at the market; what does not fill at once within the host's collar is cancelled.
    pub fn market(self, quantity: Qty) -> Placed<'ctx> {
        self.place(quantity, OrderKind::Market, TimeInForce::Ioc)
    }

    /// Places it at `price` or better; it rests until cancelled.
    pub fn limit(self, price: Price, quantity: Qty) -> Placed<'ctx> {
        self.place(quantity, OrderKind::Limit(price), TimeInForce::Gtc)
    }

    fn place(self, quantity: Qty, kind: OrderKind, time_in_force: TimeInForce) -> Placed<'ctx> {
        self.ctx.place(Place {
            instrument: self.instrument,
            side: self.side,
            quantity,
            kind,
            time_in_force,
            reduce_only: false,
            trigger: None,
            take_profit: None,
            stop_loss: None,
            good_till: None,
            tag: 0,
        })
    }
}
