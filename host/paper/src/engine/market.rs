//! One instrument: its rules, what the recording shows of it, and which of our orders wait in it.

use portcullis_core::{Amount, InstrumentSpec, Level, Price, Rate, Side, Timestamp};

use super::account::Position;
use super::ladder::{Ladder, better};
use super::money::{Scale, minus};
use super::order::{Condition, Order, OrderKey, Watched};

/// An instrument's market and our place in it.
#[derive(Debug)]
pub(crate) struct Market {
    pub(super) spec: InstrumentSpec,
    pub(super) scale: Scale,
    pub(super) bids: Ladder,
    pub(super) asks: Ladder,
    /// Whether any quote or book has come; until then the sides follow the last trade.
    pub(super) quoted: bool,
    pub(super) last: Option<Price>,
    pub(super) mark: Amount,
    /// Whether mark prices come by themselves; until then the mark follows the last trade.
    pub(super) marked: bool,
    pub(super) index: Amount,
    pub(super) funding_rate: Rate,
    /// When funding is due next; zero before the first event.
    pub(super) funding_next: Timestamp,
    /// Our working bids, best first, then earliest.
    pub(super) own_bids: Vec<Resting>,
    /// Our working asks, best first, then earliest.
    pub(super) own_asks: Vec<Resting>,
    /// Our conditions, earliest first.
    pub(super) conditions: Vec<(OrderKey, Condition)>,
    pub(super) position: Position,
    /// Marks between which the account cannot be bust, whatever the other markets do inside theirs; see `risk.rs`.
    pub(super) safe: Option<(Amount, Amount)>,
    /// Whether the data names its fundings; until then they come at every interval.
    pub(super) funding_given: bool,
}

/// One of our working orders in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resting {
    pub(super) price: Price,
    pub(super) rank: u64,
    pub(super) key: OrderKey,
}

impl Market {
    /// `None` when price × quantity is finer than 1e-18.
    pub(super) fn new(spec: InstrumentSpec, funding_rate: Rate, leverage: u32) -> Option<Self> {
        Some(Self {
            scale: Scale::new(spec.price_decimals, spec.quantity_decimals)?,
            position: Position::flat(spec.id, leverage),
            spec,
            bids: Ladder::new(Side::Buy),
            asks: Ladder::new(Side::Sell),
            quoted: false,
            last: None,
            mark: Amount(0),
            marked: false,
            index: Amount(0),
            funding_rate,
            funding_next: Timestamp(0),
            own_bids: Vec::new(),
            own_asks: Vec::new(),
            conditions: Vec::new(),
            safe: None,
            funding_given: false,
        })
    }

    /// Takes in a trade's price.
    pub(super) fn trade(&mut self, price: Price) {
        self.last = Some(price);
        if !self.marked {
            self.mark = self.scale.fine(price);
        }
        if !self.quoted {
            self.asks.put_unbounded(price);
            self.bids.put_unbounded(Price(price.0.saturating_sub(self.spec.tick.0)));
        }
    }

    pub(super) fn quote(&mut self, bid: Level, ask: Level) {
        self.start_quoting();
        self.bids.put_best(bid);
        self.asks.put_best(ask);
    }

    pub(super) fn book(&mut self, bids: &[Level], asks: &[Level]) {
        self.start_quoting();
        self.bids.replace(bids);
        self.asks.replace(asks);
    }

    /// Takes in a mark price; from then on the mark no longer follows the trades.
    pub(super) fn marked_at(&mut self, mark: Amount, index: Amount) {
        self.marked = true;
        self.mark = mark;
        self.index = index;
    }

    /// Takes in what the data says about the next funding.
    pub(super) fn funding_at(&mut self, rate: Rate, next: Timestamp) {
        self.funding_rate = rate;
        self.funding_next = next;
        self.funding_given = true;
    }

    fn start_quoting(&mut self) {
        if !self.quoted {
            self.quoted = true;
            self.bids.replace(&[]);
            self.asks.replace(&[]);
        }
    }

    /// The recorded side that an order of `side` takes from.
    pub(super) fn facing(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.asks,
            Side::Sell => &self.bids,
        }
    }

    pub(super) fn facing_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Buy => &mut self.asks,
            Side::Sell => &mut self.bids,
        }
    }

    /// The recorded side that an order of `side` rests in.
    pub(super) fn joining(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    pub(super) fn own(&self, side: Side) -> &[Resting] {
        match side {
            Side::Buy => &self.own_bids,
            Side::Sell => &self.own_asks,
        }
    }

    /// The price at which an order of `side` would trade now; the last trade for an empty side.
    pub(super) fn reference(&self, side: Side) -> Option<Price> {
        self.facing(side).best().map(|level| level.price).or(self.last)
    }

    pub(super) fn watched(&self, which: Watched) -> Option<Price> {
        match which {
            Watched::Last => self.last,
            Watched::Mark => (self.mark.0 > 0).then(|| self.scale.coarse(self.mark)),
        }
    }

    /// Whether nothing of ours is here that a market event could touch.
    pub(super) fn untouched(&self) -> bool {
        self.position.size.0 == 0
            && self.own_bids.is_empty()
            && self.own_asks.is_empty()
            && self.conditions.is_empty()
    }

    /// The mark price, or the average entry price while no mark is known.
    pub(super) fn mark_or_average(&self) -> Amount {
        if self.mark.0 > 0 { self.mark } else { self.scale.average(self.position.cost, self.position.size.0) }
    }

    /// Value of the position at mark without the sign, and its open profit.
    pub(super) fn valuation(&self) -> (Amount, Amount) {
        let signed = self.scale.fine_value(self.mark_or_average(), self.position.size.0);
        (Amount(signed.0.saturating_abs()), minus(signed, self.position.cost))
    }

    /// Lists an order where it belongs.
    pub(super) fn list(&mut self, order: &Order) {
        match order.trigger {
            Some(condition) if order.waits() => self.conditions.push((order.key, condition)),
            _ => {
                let Some(price) = order.price else { return };
                let resting = Resting { price, rank: order.rank, key: order.key };
                let queue = match order.side {
                    Side::Buy => &mut self.own_bids,
                    Side::Sell => &mut self.own_asks,
                };
                let before = |other: &Resting| {
                    better(order.side, other.price, price)
                        || (other.price == price && other.rank < order.rank)
                };
                queue.insert(queue.partition_point(before), resting);
            }
        }
    }

    /// Takes an order off its list.
    pub(super) fn unlist(&mut self, key: OrderKey) {
        self.own_bids.retain(|resting| resting.key != key);
        self.own_asks.retain(|resting| resting.key != key);
        self.conditions.retain(|(other, _)| *other != key);
    }
}
