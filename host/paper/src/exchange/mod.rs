//! The exchange as its face sees it: the engine, what it keeps on disk and in memory, and the rows it tells the world.

mod history;
mod names;
mod rows;
mod store;
mod tape;

use std::collections::VecDeque;
use std::path::Path;

use portcullis_core::{InstrumentId, MarketBody, MarketEvent, Span, Timestamp};
use portcullis_wire as wire;

use crate::engine::{Engine, EngineConfig, Event, Order, OrderKey, TooFine};
use crate::listing::Listing;

pub(crate) use history::History;
pub(crate) use names::Names;
pub(crate) use rows::{price_text, side};
pub use store::StoreError;
pub(crate) use store::{Header, Saved, Store};
pub(crate) use tape::{Candle, Day, INTERVALS, PublicTrade, Tape};

/// Rows of one private topic that became known together.
#[derive(Debug, Clone)]
pub(crate) enum PrivateRows {
    Executions(Vec<wire::Execution>),
    Orders(Vec<wire::Order>),
    Positions(Vec<wire::Position>),
    Wallet(Box<wire::Wallet>),
}

/// Something public that happened.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PublicNews {
    Trade(PublicTrade),
    /// A candle of an interval closed.
    Closed(usize, Candle),
}

/// The whole exchange. Not shared: the face keeps it behind one lock.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) engine: Engine,
    pub(crate) listing: Listing,
    pub(crate) names: Names,
    pub(crate) history: History,
    tapes: Vec<Tape>,
    store: Option<Store>,
    realm: u64,
    out: Vec<Event>,
    /// Private rows and when they may be told.
    queue: VecDeque<(Timestamp, PrivateRows)>,
    report_delay: Span,
    trades: u64,
    /// Orders closed until then are no longer found by queries of open ones, as after a restart of the venue.
    pub(crate) forgotten: Timestamp,
    /// Grows with every market event: the cross sequence of public messages.
    pub(crate) sequence: u64,
    /// Why the state can no longer be kept; nothing is accepted any more then.
    pub(crate) broken: Option<StoreError>,
}

/// How to open an exchange.
pub(crate) struct Opening<'a> {
    pub(crate) engine: EngineConfig,
    pub(crate) listing: Listing,
    pub(crate) saved: Option<Saved>,
    pub(crate) dir: Option<&'a Path>,
    pub(crate) realm: u64,
    pub(crate) report_delay: Span,
}

/// Why an exchange cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Money of an instrument would not be exact.
    #[error(transparent)]
    TooFine(#[from] TooFine),
    /// The state cannot be read or kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Exchange {
    pub(crate) fn open(opening: Opening<'_>) -> Result<Self, OpenError> {
        let mut engine = Engine::new(opening.engine, opening.listing.specs().to_vec())?;
        let mut history = History::default();
        let realm = opening.saved.as_ref().map_or(opening.realm, |saved| saved.header.realm);
        for event in opening.saved.iter().flat_map(|saved| &saved.events) {
            engine.restore(event);
            history.apply(event);
        }
        let tapes = opening.listing.specs().iter().map(|_| Tape::default()).collect();
        let mut exchange = Self {
            engine,
            listing: opening.listing,
            names: Names::new(realm),
            history,
            tapes,
            store: None,
            realm,
            out: Vec::new(),
            queue: VecDeque::new(),
            report_delay: opening.report_delay,
            trades: 0,
            forgotten: Timestamp(0),
            sequence: 1,
            broken: None,
        };
        if let Some(dir) = opening.dir {
            exchange.store = Some(exchange.rewrite(dir)?);
        }
        Ok(exchange)
    }

    /// Runs a command on the engine, keeps what it changed, and queues the rows that tell of it.
    pub(crate) fn command<R>(
        &mut self,
        now: Timestamp,
        run: impl FnOnce(&mut Engine, &mut Vec<Event>) -> R,
    ) -> R {
        let answer = run(&mut self.engine, &mut self.out);
        self.commit(now);
        answer
    }

    /// Takes in a market event. Public news go to `news`.
    pub(crate) fn market(&mut self, event: &MarketEvent, news: &mut Vec<(InstrumentId, PublicNews)>) {
        self.sequence = self.sequence.saturating_add(1);
        self.engine.on_market(event, &mut self.out);
        self.commit(event.venue_time);
        let id = event.instrument;
        let Some(tape) = place(id).and_then(|place| self.tapes.get_mut(place)) else { return };
        match event.body {
            MarketBody::Trade { price, quantity, taker } => {
                self.trades = self.trades.saturating_add(1);
                let (number, sequence, time) = (self.trades, self.sequence, event.venue_time);
                let trade = PublicTrade { number, price, quantity, taker, time, sequence };
                let value = self.engine.value(event.instrument, price, quantity);
                tape.trade(trade, value, |interval, candle| {
                    news.push((id, PublicNews::Closed(interval, candle)))
                });
                news.push((id, PublicNews::Trade(trade)));
            }
            MarketBody::Funding { rate, next } => tape.funded(rate, next),
            MarketBody::Quote { .. } | MarketBody::Book(_) | MarketBody::Bar(_) | MarketBody::Mark { .. } => {
            }
        }
    }

    /// Lets time pass: funding, and candles that close without a trade.
    pub(crate) fn time(&mut self, now: Timestamp, news: &mut Vec<(InstrumentId, PublicNews)>) {
        self.engine.on_time(now, &mut self.out);
        self.commit(now);
        for (spec, tape) in self.listing.specs().iter().zip(&mut self.tapes) {
            tape.roll(now, |interval, candle| news.push((spec.id, PublicNews::Closed(interval, candle))));
        }
    }

    /// The next private rows that may be told at `now`.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<PrivateRows> {
        let due = self.queue.front().is_some_and(|(due, _)| *due <= now);
        if due { self.queue.pop_front().map(|(_, rows)| rows) } else { None }
    }

    /// When the next private rows may be told.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        self.queue.front().map(|(due, _)| *due)
    }

    pub(crate) fn tape(&self, instrument: InstrumentId) -> Option<&Tape> {
        self.tapes.get(place(instrument)?)
    }

    pub(crate) fn tape_mut(&mut self, instrument: InstrumentId) -> Option<&mut Tape> {
        self.tapes.get_mut(place(instrument)?)
    }

    /// An order, open or closed.
    pub(crate) fn find(&self, key: OrderKey) -> Option<&Order> {
        self.engine.order(crate::engine::Target::Key(key)).or_else(|| self.history.order(key))
    }

    /// Makes queries of open orders forget those that closed until now.
    pub(crate) const fn forget_closed(&mut self, now: Timestamp) {
        self.forgotten = now;
    }

    /// Writes the state anew without what no query finds any more.
    fn rewrite(&self, dir: &Path) -> Result<Store, StoreError> {
        let orders = self.history.orders().chain(self.engine.orders()).cloned().map(Event::Order);
        let executions = self.history.executions().cloned().map(Event::Execution);
        let positions = self.engine.positions().filter(|row| row.updated.0 > 0).cloned().map(Event::Position);
        let wallets = self.engine.wallets().copied().map(Event::Wallet);
        let rows: Vec<Event> = orders.chain(executions).chain(positions).chain(wallets).collect();
        Store::create(dir, &Header::new(self.realm, &self.listing), rows.iter())
    }

    fn commit(&mut self, now: Timestamp) {
        if self.out.is_empty() {
            return;
        }
        let events = std::mem::take(&mut self.out);
        if let Some(store) = &mut self.store
            && let Err(error) = store.append(&events)
        {
            tracing::error!(%error, "the paper exchange cannot keep its state");
            self.broken = Some(error);
        }
        for event in &events {
            self.history.apply(event);
        }
        let due = now.after(self.report_delay);
        for rows in self.private_rows(&events) {
            self.queue.push_back((due, rows));
        }
        if let Some(dir) = self.store.as_ref().filter(|store| store.is_long()).map(Store::dir) {
            match self.rewrite(&dir) {
                Ok(store) => self.store = Some(store),
                Err(error) => self.broken = Some(error),
            }
        }
        // Keeps the allocation for the next batch.
        self.out = events;
        self.out.clear();
    }
}

fn place(instrument: InstrumentId) -> Option<usize> {
    usize::try_from(instrument.0).ok()
}
