//! The market and the host, played by a test.

#![expect(clippy::panic, clippy::expect_used, reason = "a mistake in a test ends that test")]

use std::collections::BTreeMap;

use super::{Driver, FrameBuilder, PackedLevels, setup};
use crate::{
    ActionBody, Amount, Book, Event, Fill, InitError, Instrument, InstrumentId, Level, Liquidity, OrderKind,
    OrderNumber, OrderReason, OrderStatus, OwnOrder, Place, Position, Price, Qty, Quote, Refusal,
    RefusalCode, RefusedAction, Resync, Setup, Side, Strategy, Time, TimerFired, Trade,
};

/// Plays the market and the host for one strategy, one event at a time; every event comes one millisecond after the last.
///
/// It keeps book of the orders that the strategy places and of the position, so that a test says only what happens to an
/// order: [`order`](Self::order), [`fill`](Self::fill), [`refuse`](Self::refuse). Nothing happens by itself. Each call returns
/// the actions that it caused.
///
/// Methods panic on what only a mistaken test would do: text that is no number, an order that was never placed.
#[derive(Debug)]
pub struct Harness<S> {
    setup: Setup,
    driver: Driver<S>,
    now: Time,
    orders: BTreeMap<OrderNumber, Order>,
    positions: BTreeMap<InstrumentId, Qty>,
}

#[derive(Clone, Copy, Debug)]
struct Order {
    place: Place,
    executed: Qty,
}

impl<S: Strategy> Harness<S> {
    /// Starts the strategy on these instruments, with its default parameters but for `parameters`.
    ///
    /// # Errors
    ///
    /// What [`Strategy::new`] returns, or that a parameter is missing or unknown.
    pub fn new(instruments: &[Instrument], parameters: &[(&str, &str)]) -> Result<Self, InitError> {
        let setup = setup::<S>(instruments, parameters)?;
        let driver = Driver::new(&setup)?;
        let now = Time::from_nanos(0).plus_seconds(1_700_000_000);
        Ok(Self { setup, driver, now, orders: BTreeMap::new(), positions: BTreeMap::new() })
    }

    /// The strategy.
    pub const fn strategy(&self) -> &S {
        self.driver.strategy()
    }

    /// Id of the instrument with that symbol.
    ///
    /// # Panics
    ///
    /// If the harness was started without it.
    #[must_use]
    pub fn instrument(&self, symbol: &str) -> InstrumentId {
        let found = self.setup.instruments.iter().find(|known| known.symbol == symbol);
        found.map(|known| known.id).unwrap_or_else(|| panic!("no instrument {symbol}"))
    }

    /// Time of the next event.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Lets time pass.
    pub fn advance_seconds(&mut self, seconds: u64) {
        self.now = self.now.plus_seconds(seconds);
    }

    /// Sends any event, alone in its frame. Its time must be [`now`](Self::now) or later.
    ///
    /// # Panics
    ///
    /// If the event cannot be written or read as a frame, or names an unknown instrument.
    pub fn send(&mut self, event: &Event<'_>) -> Vec<ActionBody> {
        assert!(event.time() >= self.now, "times never go back");
        self.now = event.time().plus_millis(1);
        let before = self.orders.len();
        let outcome =
            self.driver.on_frame(&FrameBuilder::new(0).event(event).finish()).expect("a frame of one event");
        let mut number = u64::try_from(before).unwrap_or(u64::MAX);
        let actions: Vec<_> = outcome.actions.into_iter().map(|action| action.body).collect();
        for action in &actions {
            if let ActionBody::Place(place) = action {
                number = number.saturating_add(1);
                self.orders.insert(OrderNumber(number), Order { place: *place, executed: Qty::ZERO });
            }
            if let ActionBody::Amend(amend) = action
                && let Some(order) = self.orders.get_mut(&amend.order)
            {
                order.place.quantity = amend.quantity.unwrap_or(order.place.quantity);
                order.place.kind = amend.price.map_or(order.place.kind, OrderKind::Limit);
            }
        }
        actions
    }

    /// A public trade.
    ///
    /// # Panics
    ///
    /// If a text is no number of the instrument.
    pub fn trade(&mut self, on: InstrumentId, price: &str, quantity: &str, taker: Side) -> Vec<ActionBody> {
        let (price, quantity) = (self.price(on, price), self.quantity(on, quantity));
        let trade = Trade { time: self.now, venue_time: self.now, instrument: on, price, quantity, taker };
        self.send(&Event::Trade(trade))
    }

    /// Best bid and ask, with a quantity of one each.
    ///
    /// # Panics
    ///
    /// If a text is no price of the instrument.
    pub fn quote(&mut self, on: InstrumentId, bid: &str, ask: &str) -> Vec<ActionBody> {
        let one = self.quantity(on, "1");
        let quote = Quote {
            time: self.now,
            venue_time: self.now,
            instrument: on,
            bid: self.price(on, bid),
            bid_quantity: one,
            ask: self.price(on, ask),
            ask_quantity: one,
        };
        self.send(&Event::Quote(quote))
    }

    /// A book of (price, quantity) levels, best first.
    ///
    /// # Panics
    ///
    /// If a text is no number of the instrument, or a side has more than 50 levels.
    pub fn book(
        &mut self,
        on: InstrumentId,
        bids: &[(&str, &str)],
        asks: &[(&str, &str)],
    ) -> Vec<ActionBody> {
        let pack = |side: &[(&str, &str)]| {
            let level = |&(price, quantity): &(&str, &str)| Level {
                price: self.price(on, price),
                quantity: self.quantity(on, quantity),
            };
            PackedLevels::new(&side.iter().map(level).collect::<Vec<_>>())
        };
        let (bids, asks) = (pack(bids), pack(asks));
        let book = Book {
            time: self.now,
            venue_time: self.now,
            instrument: on,
            update: self.now.nanos(),
            bids: bids.levels(),
            asks: asks.levels(),
        };
        self.send(&Event::Book(book))
    }

    /// A timer that fires.
    pub fn timer(&mut self, id: u64) -> Vec<ActionBody> {
        self.send(&Event::Timer(TimerFired { time: self.now, id }))
    }

    /// What became of an order, with the price and quantity it has after its amends.
    ///
    /// # Panics
    ///
    /// If no order of that number was placed.
    pub fn order(&mut self, number: OrderNumber, status: OrderStatus) -> Vec<ActionBody> {
        let Order { place, executed } = self.placed(number);
        let order = OwnOrder {
            time: self.now,
            venue_time: self.now,
            instrument: place.instrument,
            order: number,
            tag: place.tag,
            price: match place.kind {
                OrderKind::Limit(price) => price,
                OrderKind::Market => Price::ZERO,
            },
            quantity: place.quantity,
            executed,
            side: place.side,
            status,
            reason: OrderReason::None,
        };
        self.send(&Event::OwnOrder(order))
    }

    /// An execution: the fill, then the order's new state, then the position. The fee and the money of the position are zero.
    ///
    /// # Panics
    ///
    /// If no order of that number was placed, or a text is no number of the instrument.
    pub fn fill(&mut self, number: OrderNumber, price: &str, quantity: &str) -> Vec<ActionBody> {
        let Order { place, executed } = self.placed(number);
        let on = place.instrument;
        let (price, quantity) = (self.price(on, price), self.quantity(on, quantity));
        let executed = executed.saturating_add(quantity);
        self.orders.insert(number, Order { place, executed });
        let liquidity = if place.kind == OrderKind::Market { Liquidity::Taker } else { Liquidity::Maker };
        let mut actions = self.send(&Event::Fill(Fill {
            time: self.now,
            venue_time: self.now,
            instrument: on,
            order: number,
            tag: place.tag,
            price,
            quantity,
            executed,
            fee: Amount::ZERO,
            side: place.side,
            liquidity,
        }));
        let is_whole = executed >= place.quantity;
        actions.extend(
            self.order(number, if is_whole { OrderStatus::Filled } else { OrderStatus::PartiallyFilled }),
        );
        let held = self.positions.entry(on).or_default();
        *held = match place.side {
            Side::Buy => held.saturating_add(quantity),
            Side::Sell => held.saturating_sub(quantity),
        };
        actions.extend(self.position(on));
        actions
    }

    /// A refusal of an action on an order.
    ///
    /// # Panics
    ///
    /// If no order of that number was placed.
    pub fn refuse(
        &mut self,
        number: OrderNumber,
        action: RefusedAction,
        code: RefusalCode,
    ) -> Vec<ActionBody> {
        let Order { place, .. } = self.placed(number);
        self.send(&Event::Refusal(Refusal {
            time: self.now,
            instrument: Some(place.instrument),
            order: Some(number),
            tag: place.tag,
            code,
            action,
        }))
    }

    /// A restart: the strategy's snapshot moves into a new instance.
    ///
    /// # Panics
    ///
    /// If the strategy refuses its own set-up or snapshot.
    pub fn restart(&mut self) {
        let snapshot = self.driver.snapshot();
        let mut fresh = Driver::new(&self.setup).expect("the set-up that worked before");
        fresh.restore(S::describe().snapshot_version, &snapshot).expect("its own snapshot");
        self.driver = fresh;
    }

    /// A resync: the given orders are still working, no other is; then every position.
    ///
    /// # Panics
    ///
    /// If no order of such a number was placed.
    pub fn resync(&mut self, open: &[OrderNumber]) -> Vec<ActionBody> {
        let placed = u64::try_from(self.orders.len()).unwrap_or(u64::MAX);
        let mut actions = self.send(&Event::Resync(Resync {
            time: self.now,
            open_orders: u32::try_from(open.len()).unwrap_or(u32::MAX),
            next_order: OrderNumber(placed.saturating_add(1)),
        }));
        for &number in open {
            actions.extend(self.order(number, OrderStatus::Working));
        }
        for on in (0..).map(InstrumentId).take(self.setup.instruments.len()) {
            actions.extend(self.position(on));
        }
        actions
    }

    fn position(&mut self, on: InstrumentId) -> Vec<ActionBody> {
        self.send(&Event::Position(Position {
            time: self.now,
            instrument: on,
            quantity: self.positions.get(&on).copied().unwrap_or_default(),
            cost: Amount::ZERO,
            realised: Amount::ZERO,
            fees: Amount::ZERO,
        }))
    }

    fn placed(&self, number: OrderNumber) -> Order {
        self.orders.get(&number).copied().unwrap_or_else(|| panic!("order {} was never placed", number.0))
    }

    fn price(&self, on: InstrumentId, text: &str) -> Price {
        self.known(on).parse_price(text).unwrap_or_else(|error| panic!("price {text}: {error}"))
    }

    fn quantity(&self, on: InstrumentId, text: &str) -> Qty {
        self.known(on).parse_quantity(text).unwrap_or_else(|error| panic!("quantity {text}: {error}"))
    }

    fn known(&self, on: InstrumentId) -> &Instrument {
        self.setup.instrument(on).unwrap_or_else(|| panic!("no instrument {}", on.0))
    }
}
