//! Looking ahead: which market events cannot touch anything of ours, so that a backtest need not stop for them (RULES T4).

use portcullis_core::{Amount, InstrumentId, Level, MarketBody, MarketEvent, Price, Side};

use super::Engine;
use super::event::Event;
use super::market::Market;
use super::money::minus;
use super::terms::Watched;

impl Engine {
    /// Works out between which marks the account cannot be bust, where that is not known. Call before [`untouched`](Self::untouched), which
    /// otherwise stops at the first event.
    pub fn brace(&mut self) {
        if self.markets.iter().any(|market| market.held() && market.safe.is_none()) {
            let margin = self.margin();
            if margin.equity >= margin.maintenance {
                self.find_safe_marks(minus(margin.equity, margin.maintenance));
            }
        }
    }

    /// How many of the next events surely fill, trigger, fund and liquidate nothing. Changes nothing; when in doubt, an event counts as one
    /// that does.
    #[must_use]
    pub fn untouched(&self, events: &[MarketEvent]) -> usize {
        if self.markets.iter().all(Market::untouched) {
            return events.len();
        }
        events.iter().take_while(|event| !self.may_touch(event)).count()
    }

    /// Takes in events that [`untouched`](Self::untouched) counted: the same as [`on_market`](Self::on_market) for each, and faster.
    pub fn skim(&mut self, events: &[MarketEvent]) {
        let mut nothing: Vec<Event> = Vec::new();
        for (place, event) in events.iter().enumerate() {
            let Some(slot) = self.slot(event.instrument) else { continue };
            let Some(market) = self.markets.get_mut(slot) else { continue };
            if market.has_orders() {
                self.on_market(event, &mut nothing);
                continue;
            }
            // Only the last of several trades in a row leaves a trace where nothing waits for one.
            let next = events.get(place.saturating_add(1));
            let follows = |next: &MarketEvent| next.instrument == event.instrument && is_trade(next);
            if is_trade(event) && next.is_some_and(follows) {
                continue;
            }
            if market.funding_next <= event.venue_time {
                self.fund(event.venue_time, slot, &mut nothing);
            }
            if let Some(market) = self.markets.get_mut(slot) {
                market.take_in(&event.body);
            }
        }
        debug_assert!(nothing.is_empty(), "an event that was to touch nothing did: {nothing:?}");
    }

    /// Whether the mark of an instrument follows its trades, because no marks came.
    #[must_use]
    pub fn follows_trades(&self, instrument: InstrumentId) -> bool {
        self.market(instrument).is_some_and(|market| !market.marked)
    }

    /// The mark that an event brings; `None` when it brings none.
    #[must_use]
    pub fn mark_after(&self, event: &MarketEvent) -> Option<Amount> {
        match &event.body {
            MarketBody::Mark { mark, .. } => Some(*mark),
            MarketBody::Trade { price, .. } => {
                let market = self.market(event.instrument)?;
                (!market.marked && price.0 > 0).then(|| market.scale.fine(*price))
            }
            MarketBody::Quote { .. }
            | MarketBody::Book(_)
            | MarketBody::Funding { .. }
            | MarketBody::Bar(_) => None,
        }
    }

    fn may_touch(&self, event: &MarketEvent) -> bool {
        let Some(market) = self.market(event.instrument).filter(|market| !market.untouched()) else {
            return false;
        };
        let held = market.held();
        if held && event.venue_time >= market.funding_next {
            return true;
        }
        let (mut last, mut mark, mut at) = (market.last, market.mark, market.index);
        let reaches = match &event.body {
            MarketBody::Trade { price, .. } => {
                last = Some(*price);
                if !market.marked {
                    mark = market.scale.fine(*price);
                }
                market.trade_reaches(*price)
            }
            MarketBody::Quote { bid, ask } => market.book_reaches(Some(*bid), Some(*ask)),
            MarketBody::Book(book) => {
                let best = |levels: &[Level]| levels.iter().copied().find(|level| level.quantity.0 > 0);
                market.book_reaches(best(&book.bids), best(&book.asks))
            }
            MarketBody::Mark { mark: new, index } => {
                mark = *new;
                at = *index;
                // From the first one on the mark no longer follows the trades, which changes what later events mean.
                !market.marked
            }
            // Moves the moment of the next payment.
            MarketBody::Funding { .. } => true,
            MarketBody::Bar(_) => return false,
        };
        let safe = market.safe.is_some_and(|(low, high)| (low..=high).contains(&mark));
        reaches || (held && !safe) || market.fires(last, mark, at) || market.trails_move(last)
    }
}

impl Market {
    /// Whether an order or a condition of ours waits here.
    fn has_orders(&self) -> bool {
        !(self.own_bids.is_empty()
            && self.own_asks.is_empty()
            && self.conditions.is_empty()
            && self.trails.is_empty())
    }

    /// Whether a last price would take a trailing stop along.
    fn trails_move(&self, last: Option<Price>) -> bool {
        let moves = |last| self.trails.iter().any(|(_, side, trail)| trail.after(*side, last).is_some());
        !self.trails.is_empty() && last.is_some_and(moves)
    }

    /// Takes in what the recording shows, without looking at anything of ours.
    fn take_in(&mut self, body: &MarketBody) {
        match body {
            MarketBody::Trade { price, .. } => {
                if price.0 > 0 {
                    self.trade(*price);
                }
            }
            MarketBody::Quote { bid, ask } => self.quote(*bid, *ask),
            MarketBody::Book(book) => self.book(&book.bids, &book.asks),
            MarketBody::Mark { mark, index } => self.marked_at(*mark, *index),
            MarketBody::Funding { rate, next } => self.funding_at(*rate, *next),
            MarketBody::Bar(_) => {}
        }
    }

    /// Whether a trade at this price could reach a resting order of ours.
    fn trade_reaches(&self, price: Price) -> bool {
        self.own_bids.first().is_some_and(|own| price <= own.price)
            || self.own_asks.first().is_some_and(|own| price >= own.price)
    }

    /// Whether a book with these best levels could meet a resting order of ours.
    fn book_reaches(&self, bid: Option<Level>, ask: Option<Level>) -> bool {
        let waits = !(self.own_bids.is_empty() && self.own_asks.is_empty());
        let meets = |side: Side, level: Option<Level>| {
            let (Some(own), Some(level)) = (self.own(side).first(), level) else { return false };
            match side {
                Side::Buy => level.price <= own.price,
                Side::Sell => level.price >= own.price,
            }
        };
        (waits && !self.quoted) || meets(Side::Buy, ask) || meets(Side::Sell, bid)
    }

    /// Whether a condition would be met with these prices.
    fn fires(&self, last: Option<Price>, mark: Amount, index: Amount) -> bool {
        self.conditions.iter().any(|(_, condition)| {
            let watched = match condition.watches {
                Watched::Last => last,
                Watched::Index if index.0 > 0 => Some(self.scale.coarse(index)),
                Watched::Mark | Watched::Index => Some(self.scale.coarse(mark)),
            };
            watched.is_some_and(|price| {
                if condition.rising { price >= condition.price } else { price <= condition.price }
            })
        })
    }
}

fn is_trade(event: &MarketEvent) -> bool {
    matches!(&event.body, MarketBody::Trade { price, .. } if price.0 > 0)
}
