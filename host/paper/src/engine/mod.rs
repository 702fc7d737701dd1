//! The matching engine: our orders against recorded liquidity, and the account behind them.
//!
//! Pure and deterministic: no clock, no I/O, no randomness; `now` is a parameter. The recording is never changed by what we do,
//! but the same recorded liquidity never fills us twice (see `ladder.rs`), and a resting order waits behind what was there first.

mod account;
mod event;
mod ladder;
mod ledger;
mod market;
mod matching;
mod money;
mod order;
mod passive;
mod protection;
mod reject;
mod requests;
mod risk;
mod scan;

use std::collections::{BTreeMap, HashMap};

use portcullis_core::{
    Amount, InstrumentId, InstrumentSpec, Level, LinkId, MarketBody, MarketEvent, Price, Qty, Rate, Side,
    Span, Timestamp,
};

pub use account::{Margin, Position, Wallet};
pub use event::{Event, Execution, ExecutionKind};
pub use ladder::UNBOUNDED;
pub use money::{coins, initial_margin};
pub use order::{
    CancelFilter, Change, Closed, Condition, NewOrder, Order, OrderKey, Origin, SelfMatch, Slippage, Status,
    Target, Watched,
};
pub use reject::Reject;

use ledger::Ledger;
use market::Market;

/// How the exchange behaves where Bybit leaves it to the account or does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineConfig {
    /// USDT in the wallet at the start.
    pub deposit: Amount,
    /// Leverage of a position at first, in hundredths.
    pub leverage: u32,
    /// Share of a position's value below which equity liquidates the account.
    pub maintenance: Rate,
    /// How far a market order may go from the best price, in ten-thousandths.
    pub slippage_bps: u32,
    /// Funding rate until the data names one.
    pub funding_rate: Rate,
    /// Time between funding payments; boundaries are its multiples since 1970.
    pub funding_interval: Span,
    /// Most working orders of the account.
    pub orders_max: usize,
    /// Most waiting client conditions of one instrument.
    pub conditions_max: usize,
}

impl Default for EngineConfig {
    /// 100,000 USDT, 10× leverage, 0.5 % maintenance, 5 % slippage bound, 0.01 % funding every 8 h, 500 orders, 10 conditions.
    fn default() -> Self {
        Self {
            deposit: coins(100_000),
            leverage: 1_000,
            maintenance: Rate(5_000_000_000),
            slippage_bps: 500,
            funding_rate: Rate(100_000_000),
            funding_interval: Span::from_secs(8 * 3_600),
            orders_max: 500,
            conditions_max: 10,
        }
    }
}

/// An instrument whose price × quantity is finer than 1e-18, so that money could not be exact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{symbol}: {price_decimals} price and {quantity_decimals} quantity decimals are more than 18 together"
)]
pub struct TooFine {
    symbol: String,
    price_decimals: u8,
    quantity_decimals: u8,
}

/// The exchange of one account.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    markets: Vec<Market>,
    orders: BTreeMap<OrderKey, Order>,
    /// Every client name ever used, and for what: a name is unique for good.
    links: HashMap<LinkId, OrderKey>,
    ledger: Ledger,
    last_order: u64,
    last_rank: u64,
}

impl Engine {
    /// An exchange with an untouched account.
    ///
    /// # Errors
    ///
    /// [`TooFine`] for an instrument whose money could not be exact.
    pub fn new(config: EngineConfig, instruments: Vec<InstrumentSpec>) -> Result<Self, TooFine> {
        let mut markets = Vec::with_capacity(instruments.len());
        for spec in instruments {
            let too_fine = TooFine {
                symbol: spec.symbol.to_string(),
                price_decimals: spec.price_decimals,
                quantity_decimals: spec.quantity_decimals,
            };
            markets.push(Market::new(spec, config.funding_rate, config.leverage).ok_or(too_fine)?);
        }
        Ok(Self {
            config,
            markets,
            orders: BTreeMap::new(),
            links: HashMap::new(),
            ledger: Ledger { wallet: Wallet::new(config.deposit), last_execution: 0 },
            last_order: 0,
            last_rank: 0,
        })
    }

    /// Takes in one event of an earlier run, in order. Call before anything else; rows of instruments that are not listed are left out.
    pub fn restore(&mut self, event: &Event) {
        match event {
            Event::Order(order) => self.restore_order(order),
            Event::Execution(execution) => {
                self.ledger.last_execution = self.ledger.last_execution.max(execution.number);
            }
            Event::Position(position) => {
                if let Some(market) =
                    self.markets.iter_mut().find(|market| market.spec.id == position.instrument)
                {
                    market.position = position.clone();
                }
            }
            Event::Wallet(wallet) => self.ledger.wallet = *wallet,
        }
    }

    fn restore_order(&mut self, order: &Order) {
        self.last_order = self.last_order.max(order.key.0);
        self.last_rank = self.last_rank.max(order.rank);
        if let Some(link) = &order.link {
            self.links.insert(link.clone(), order.key);
        }
        let Some(market) = self.markets.iter_mut().find(|market| market.spec.id == order.instrument) else {
            return;
        };
        market.unlist(order.key);
        self.orders.remove(&order.key);
        if order.status.is_open() {
            market.list(order);
            self.orders.insert(order.key, order.clone());
        }
    }

    /// Takes in what a market did; fills, triggers, funds and liquidates what that touches. Allocates nothing when it touches nothing.
    /// Bars are ignored: trades make prices.
    pub fn on_market(&mut self, event: &MarketEvent, out: &mut Vec<Event>) {
        let Some(slot) = self.slot(event.instrument) else { return };
        let now = event.venue_time;
        self.fund(now, slot, out);
        let Some(market) = self.markets.get_mut(slot) else { return };
        match &event.body {
            MarketBody::Trade { price, quantity, taker } => {
                if price.0 <= 0 {
                    return;
                }
                market.trade(*price);
                if market.untouched() {
                    return;
                }
                self.fill_by_trade(now, slot, *price, *quantity, *taker, out);
                self.fire(now, slot, out);
            }
            MarketBody::Quote { bid, ask } => {
                market.quote(*bid, *ask);
                if market.untouched() {
                    return;
                }
                self.fill_by_book(now, slot, out);
            }
            MarketBody::Book(book) => {
                market.book(&book.bids, &book.asks);
                if market.untouched() {
                    return;
                }
                self.fill_by_book(now, slot, out);
            }
            MarketBody::Mark { mark, index } => {
                market.marked_at(*mark, *index);
                if market.untouched() {
                    return;
                }
                self.fire(now, slot, out);
            }
            MarketBody::Funding { rate, next } => {
                market.funding_at(*rate, *next);
                return;
            }
            MarketBody::Bar(_) => return,
        }
        self.liquidate_if_bust(now, slot, out);
    }

    /// Lets time pass without an event: pays funding that is due. Call about once a second where markets may be silent.
    pub fn on_time(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        for slot in 0..self.markets.len() {
            self.fund(now, slot, out);
        }
    }

    /// The listed instruments.
    pub fn instruments(&self) -> impl Iterator<Item = &InstrumentSpec> {
        self.markets.iter().map(|market| &market.spec)
    }

    /// The open order a client means.
    #[must_use]
    pub fn order(&self, target: Target<'_>) -> Option<&Order> {
        self.orders.get(&self.key(target)?)
    }

    /// All open orders, oldest first.
    pub fn orders(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.orders.values()
    }

    /// The order a client name stands for, open or closed.
    #[must_use]
    pub fn key_of(&self, link: &LinkId) -> Option<OrderKey> {
        self.links.get(link).copied()
    }

    /// All positions, flat ones too.
    pub fn positions(&self) -> impl Iterator<Item = &Position> {
        self.markets.iter().map(|market| &market.position)
    }

    /// The wallet.
    #[must_use]
    pub const fn wallet(&self) -> &Wallet {
        &self.ledger.wallet
    }

    /// What is known of an instrument's market.
    #[must_use]
    pub fn view(&self, instrument: InstrumentId) -> Option<View<'_>> {
        let market = self.market(instrument)?;
        Some(View {
            last: market.last,
            mark: market.mark,
            index: market.index,
            bids: market.bids.levels(),
            asks: market.asks.levels(),
            funding_rate: market.funding_rate,
            funding_next: Some(market.funding_next).filter(|next| *next < Timestamp(u64::MAX)),
        })
    }

    /// Value of a position at its mark, and its open profit.
    #[must_use]
    pub fn valuation(&self, instrument: InstrumentId) -> Option<(Amount, Amount)> {
        self.market(instrument).map(Market::valuation)
    }

    /// Average entry price of a position; zero when flat.
    #[must_use]
    pub fn average_of_position(&self, position: &Position) -> Amount {
        self.market(position.instrument)
            .map_or(Amount(0), |market| market.scale.average(position.cost, position.size.0))
    }

    /// Average price of an order's executions; zero without any.
    #[must_use]
    pub fn average_of(&self, order: &Order) -> Amount {
        self.market(order.instrument)
            .map_or(Amount(0), |market| market.scale.average(order.executed_value, order.executed.0))
    }

    /// Value of an instrument's position at a mark, with the position's sign.
    #[must_use]
    pub fn value_at(&self, instrument: InstrumentId, mark: Amount) -> Option<Amount> {
        self.market(instrument).map(|market| market.scale.fine_value(mark, market.position.size.0))
    }

    /// A price × a quantity.
    #[must_use]
    pub fn value(&self, instrument: InstrumentId, price: Price, quantity: Qty) -> Amount {
        self.market(instrument).map_or(Amount(0), |market| market.scale.value(price, quantity))
    }

    /// How the engine is set.
    #[must_use]
    pub const fn config(&self) -> &EngineConfig {
        &self.config
    }

    fn slot(&self, instrument: InstrumentId) -> Option<usize> {
        self.markets.iter().position(|market| market.spec.id == instrument)
    }

    fn market(&self, instrument: InstrumentId) -> Option<&Market> {
        self.markets.iter().find(|market| market.spec.id == instrument)
    }

    fn key(&self, target: Target<'_>) -> Option<OrderKey> {
        match target {
            Target::Key(key) => Some(key),
            Target::Link(link) => self.links.get(link).copied(),
        }
    }

    fn next_rank(&mut self) -> u64 {
        self.last_rank = self.last_rank.saturating_add(1);
        self.last_rank
    }
}

/// What is known of a market: the recording, never our own orders.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Last trade's price.
    pub last: Option<Price>,
    /// Mark price; zero when unknown.
    pub mark: Amount,
    /// Index price; zero when unknown.
    pub index: Amount,
    /// Bids, best first; a quantity of [`UNBOUNDED`] never runs out.
    pub bids: &'a [Level],
    /// Asks, best first.
    pub asks: &'a [Level],
    /// Rate of the next funding.
    pub funding_rate: Rate,
    /// When it is paid, zero before the first event; `None` until the data names it.
    pub funding_next: Option<Timestamp>,
}

impl View<'_> {
    /// The best level of a side.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Level> {
        match side {
            Side::Buy => self.bids.first().copied(),
            Side::Sell => self.asks.first().copied(),
        }
    }
}
