//! An engine of one instrument, and words for orders.

use portcullis_core::{
    Book, Category, InstrumentId, InstrumentSpec, Level, MarketBody, MarketEvent, Price, Qty, Rate, Side,
    Timestamp,
};
use portcullis_paper::engine::{
    Engine, EngineConfig, Event, Execution, NewOrder, Order, OrderKey, Origin, Reject, Status, coins,
};

pub(crate) const BTC: InstrumentId = InstrumentId(0);
pub(crate) const HOUR: u64 = 3_600_000_000_000;

/// Prices have one decimal, quantities three: price 1000 is 100.0, quantity 1000 is one coin.
pub(crate) fn spec() -> InstrumentSpec {
    InstrumentSpec {
        id: BTC,
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        price_decimals: 1,
        quantity_decimals: 3,
        tick: Price(1),
        step: Qty(1),
        min_quantity: Qty(1),
        max_quantity: Qty(1_000_000),
        max_market_quantity: Qty(100_000),
        min_notional: coins(5),
        taker_fee: Rate(550_000_000),
        maker_fee: Rate(200_000_000),
        trading: true,
        has_price_limits: false,
    }
}

pub(crate) struct Bench {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) out: Vec<Event>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(EngineConfig::default())
    }

    pub(crate) fn with(config: EngineConfig) -> Self {
        Self::of(config, spec())
    }

    pub(crate) fn of(config: EngineConfig, spec: InstrumentSpec) -> Self {
        Self { engine: Engine::new(config, vec![spec]).unwrap(), now: Timestamp(HOUR), out: Vec::new() }
    }

    pub(crate) fn market(&mut self, body: MarketBody) -> Vec<Execution> {
        self.now = Timestamp(self.now.0 + 1_000_000);
        let event = MarketEvent { instrument: BTC, time: self.now, venue_time: self.now, body };
        self.out.clear();
        self.engine.on_market(&event, &mut self.out);
        self.executions()
    }

    pub(crate) fn trade(&mut self, price: i64, quantity: i64, taker: Side) -> Vec<Execution> {
        self.market(MarketBody::Trade { price: Price(price), quantity: Qty(quantity), taker })
    }

    pub(crate) fn book(&mut self, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Vec<Execution> {
        let levels = |side: &[(i64, i64)]| {
            side.iter()
                .map(|&(price, quantity)| Level { price: Price(price), quantity: Qty(quantity) })
                .collect()
        };
        self.market(MarketBody::Book(Box::new(Book { update: 0, bids: levels(bids), asks: levels(asks) })))
    }

    pub(crate) fn executions(&self) -> Vec<Execution> {
        let execution =
            |event: &Event| if let Event::Execution(row) = event { Some(row.clone()) } else { None };
        self.out.iter().filter_map(execution).collect()
    }

    pub(crate) fn try_submit(&mut self, order: NewOrder) -> Result<OrderKey, Reject> {
        self.out.clear();
        self.engine.submit(self.now, order, &mut self.out)
    }

    /// Submits and returns the order as last reported.
    pub(crate) fn submit(&mut self, order: NewOrder) -> Order {
        let key = self.try_submit(order).unwrap();
        self.last(key)
    }

    /// The order as last reported in the newest batch of events.
    pub(crate) fn last(&self, key: OrderKey) -> Order {
        let order = |event: &Event| {
            if let Event::Order(row) = event { (row.key == key).then(|| row.clone()) } else { None }
        };
        self.out.iter().rev().find_map(order).unwrap()
    }

    /// The statuses of an order in the newest batch of events, in order.
    pub(crate) fn statuses(&self, key: OrderKey) -> Vec<Status> {
        let status = |event: &Event| {
            if let Event::Order(row) = event { (row.key == key).then_some(row.status) } else { None }
        };
        self.out.iter().filter_map(status).collect()
    }

    /// The open conditions: what made them, their price and quantity.
    pub(crate) fn waiting(&self) -> Vec<(Origin, i64, i64)> {
        let waits = self.engine.orders().filter(|row| row.waits());
        waits.map(|row| (row.origin, row.trigger.map_or(0, |at| at.price.0), row.quantity.0)).collect()
    }

    pub(crate) fn size(&self) -> i64 {
        self.engine.positions().next().unwrap().size.0
    }
}

pub(crate) fn limit(side: Side, quantity: i64, price: i64) -> NewOrder {
    NewOrder { price: Some(Price(price)), ..NewOrder::market(BTC, side, Qty(quantity)) }
}

pub(crate) fn market(side: Side, quantity: i64) -> NewOrder {
    NewOrder { price: None, ..limit(side, quantity, 0) }
}

pub(crate) fn reduce(order: NewOrder) -> NewOrder {
    NewOrder { reduce_only: true, ..order }
}

pub(crate) fn quantities(executions: &[Execution]) -> Vec<(i64, i64)> {
    executions.iter().map(|row| (row.price.0, row.quantity.0)).collect()
}
