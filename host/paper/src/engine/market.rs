//! One instrument: its rules, what the recording shows of it, and which of our orders wait in it.

use portcullis_core::{Amount, Category, InstrumentSpec, Level, Price, Rate, Side, Timestamp};

use super::exit::Trail;
use super::ladder::{Ladder, better};
use super::money::{Scale, minus, plus};
use super::order::{Order, OrderKey};
use super::position::{Leg, Position};
use super::terms::{Condition, Watched};
use super::tiers::{RiskTier, risk_tiers};
use super::wallet::Pocket;

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
    /// Our trailing stops, following or waiting to, with the side that closes.
    pub(super) trails: Vec<(OrderKey, Side, Trail)>,
    /// The net position, or the long and the short one of hedge mode; unused by spot.
    legs: [Position; 2],
    hedged: bool,
    pub(super) tiers: &'static [RiskTier],
    /// Where the base coin of a spot instrument is kept.
    pub(super) base: Pocket,
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
    pub(super) fn new(spec: InstrumentSpec, base: Pocket, funding_rate: Rate, leverage: u32) -> Option<Self> {
        Some(Self {
            scale: Scale::new(spec.price_decimals, spec.quantity_decimals)?,
            legs: [Leg::Net, Leg::Short].map(|leg| Position::flat(spec.id, leg, leverage)),
            hedged: false,
            tiers: risk_tiers(spec.symbol.as_str()),
            base,
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
            trails: Vec::new(),
            safe: None,
            funding_given: false,
        })
    }

    /// Whether coins change hands here instead of positions.
    pub(super) fn is_spot(&self) -> bool {
        self.spec.category == Category::Spot
    }

    pub(super) const fn is_hedged(&self) -> bool {
        self.hedged
    }

    /// Changes between one-way and hedge mode. Both positions must be flat.
    pub(super) fn hedge(&mut self, hedged: bool) {
        self.hedged = hedged;
        let [first, _] = &mut self.legs;
        first.leg = if hedged { Leg::Long } else { Leg::Net };
    }

    /// The positions: none, one or two.
    pub(super) fn positions(&self) -> &[Position] {
        let count = if self.is_spot() { 0 } else { usize::from(self.hedged).saturating_add(1) };
        self.legs.get(..count).unwrap_or_default()
    }

    pub(super) const fn leg(&self, leg: Leg) -> &Position {
        let [first, short] = &self.legs;
        match leg {
            Leg::Net | Leg::Long => first,
            Leg::Short => short,
        }
    }

    pub(super) const fn leg_mut(&mut self, leg: Leg) -> &mut Position {
        let [first, short] = &mut self.legs;
        match leg {
            Leg::Net | Leg::Long => first,
            Leg::Short => short,
        }
    }

    /// Whether any position is open.
    pub(super) const fn held(&self) -> bool {
        let [first, short] = &self.legs;
        first.size.0 != 0 || short.size.0 != 0
    }

    /// What is held on balance, negative when short.
    pub(super) const fn net(&self) -> i64 {
        let [first, short] = &self.legs;
        first.size.0.saturating_add(short.size.0)
    }

    /// What is held on both sides together.
    pub(super) const fn gross(&self) -> i64 {
        let [first, short] = &self.legs;
        first.quantity().0.saturating_add(short.quantity().0)
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
            Watched::Index if self.index.0 > 0 => Some(self.scale.coarse(self.index)),
            Watched::Index => self.watched(Watched::Mark),
        }
    }

    /// Whether nothing of ours is here that a market event could touch.
    pub(super) fn untouched(&self) -> bool {
        !self.held()
            && self.own_bids.is_empty()
            && self.own_asks.is_empty()
            && self.conditions.is_empty()
            && self.trails.is_empty()
    }

    /// The mark price, or the average entry price while no mark is known.
    pub(super) fn mark_or_average(&self) -> Amount {
        if self.mark.0 > 0 {
            return self.mark;
        }
        let held = self.legs.iter().find(|position| position.size.0 != 0);
        held.map_or(Amount(0), |position| self.scale.average(position.cost, position.size.0))
    }

    /// Value of a position at mark without the sign, and its open profit.
    pub(super) fn valuation_of(&self, position: &Position) -> (Amount, Amount) {
        let signed = self.scale.fine_value(self.mark_or_average(), position.size.0);
        (Amount(signed.0.saturating_abs()), minus(signed, position.cost))
    }

    /// The same of both positions together.
    pub(super) fn valuation(&self) -> (Amount, Amount) {
        let [one, other] = self.legs.each_ref().map(|position| self.valuation_of(position));
        (plus(one.0, other.0), plus(one.1, other.1))
    }

    /// Lists an order where it belongs.
    pub(super) fn list(&mut self, order: &Order) {
        if let Some(trail) = order.trail.filter(|_| order.waits()) {
            self.trails.push((order.key, order.side, trail));
        }
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
        self.trails.retain(|(other, ..)| *other != key);
    }
}
