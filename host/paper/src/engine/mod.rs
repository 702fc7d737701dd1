//! The matching engine: our orders against recorded liquidity, and the account behind them.
//!
//! Pure and deterministic: no clock, no I/O, no randomness; `now` is a parameter. The recording is never changed by what we do,
//! but the same recorded liquidity never fills us twice (see `ladder.rs`), and a resting order waits behind what was there first.
//! What it assumes where the recording or Bybit says nothing is listed in this crate's README.

mod checks;
mod coin;
mod config;
mod event;
mod exit;
mod funding;
mod ladder;
mod ledger;
mod liquidation;
mod margin;
mod market;
mod matching;
mod money;
mod order;
mod passive;
mod position;
mod protection;
mod reject;
mod requests;
mod scan;
mod settings;
mod spot;
mod terms;
mod tiers;
mod trading_stop;
mod triggers;
mod view;
mod wallet;

use std::collections::{BTreeMap, HashMap};

use portcullis_core::{Category, InstrumentId, InstrumentSpec, LinkId, MarketBody, MarketEvent, Timestamp};

pub use coin::{Coin, InvalidCoin};
pub use config::EngineConfig;
pub use event::{Event, Execution, ExecutionKind};
pub use exit::{ExitTerms, TradingStop, Trail, Trailing};
pub use ladder::UNBOUNDED;
pub use margin::Margin;
pub use money::{coins, initial_margin};
pub use order::{Closed, Order, OrderKey, Origin, Status};
pub use position::{Leg, Position};
pub use reject::Reject;
pub use terms::{CancelFilter, Change, Condition, NewOrder, SelfMatch, Slippage, Target, Watched};
pub use tiers::{RiskTier, risk_tier_of, risk_tiers};
pub use view::View;
pub use wallet::Wallet;

use ledger::Ledger;
use market::Market;
use wallet::{Pocket, Wallets};

/// An instrument that the engine cannot account for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooFine {
    /// Price × quantity is finer than 1e-18, so that money could not be exact.
    #[error(
        "{symbol}: {price_decimals} price and {quantity_decimals} quantity decimals are more than 18 together"
    )]
    Decimals {
        /// Which instrument.
        symbol: String,
        /// Decimals of its prices.
        price_decimals: u8,
        /// Decimals of its quantities.
        quantity_decimals: u8,
    },
    /// A spot instrument that is not quoted in USDT.
    #[error("{symbol}: only spot instruments quoted in USDT can be traded")]
    Quote {
        /// Which instrument.
        symbol: String,
    },
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
    /// [`TooFine`] for an instrument that cannot be accounted for.
    pub fn new(config: EngineConfig, instruments: Vec<InstrumentSpec>) -> Result<Self, TooFine> {
        let mut wallets = Wallets::new(config.deposit, &config.coins);
        let mut markets = Vec::with_capacity(instruments.len());
        for spec in instruments {
            let symbol = spec.symbol.to_string();
            let base = match spec.category {
                Category::Linear => Pocket::USDT,
                Category::Spot => match Coin::base_of(&spec.symbol) {
                    Some(coin) => wallets.open(coin),
                    None => return Err(TooFine::Quote { symbol }),
                },
            };
            let (price_decimals, quantity_decimals) = (spec.price_decimals, spec.quantity_decimals);
            let too_fine = TooFine::Decimals { symbol, price_decimals, quantity_decimals };
            let mut market = Market::new(spec, base, config.funding_rate, config.leverage).ok_or(too_fine)?;
            market.hedge(config.hedged && !market.is_spot());
            markets.push(market);
        }
        Ok(Self {
            config,
            markets,
            orders: BTreeMap::new(),
            links: HashMap::new(),
            ledger: Ledger { wallets, last_execution: 0, exits: Vec::new() },
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
                let listed = |market: &&mut Market| market.spec.id == position.instrument;
                if let Some(market) = self.markets.iter_mut().find(listed) {
                    market.hedge(position.leg != Leg::Net);
                    *market.leg_mut(position.leg) = position.clone();
                }
            }
            Event::Wallet(wallet) => {
                let pocket = self.ledger.wallets.open(wallet.coin);
                *self.ledger.wallets.get_mut(pocket) = *wallet;
            }
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
                self.follow(now, slot, *price, out);
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
