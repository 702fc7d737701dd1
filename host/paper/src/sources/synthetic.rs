//! The seeded synthetic market: BTCUSDT and ETHUSDT as random walks with drift, with books and trades. Endless.

use std::collections::VecDeque;

use portcullis_core::{
    Book, Category, InstrumentSpec, Level, MarketBody, MarketEvent, Price, Qty, Side, Span, Timestamp,
};

use super::random::{Random, mix};
use crate::listing::Listing;

/// Levels a side of the synthetic book.
const LEVELS: i64 = 25;
/// Steps after which a level's quantity changes by itself.
const STEPS_PER_SIZE: u64 = 40;

/// The market's state. Times count from zero.
#[derive(Debug)]
pub(super) struct Synthetic {
    walks: Vec<Walk>,
    ready: VecDeque<MarketEvent>,
}

#[derive(Debug)]
struct Walk {
    spec: InstrumentSpec,
    random: Random,
    next: Timestamp,
    steps: u64,
    /// Best bid, in ticks.
    bid: i64,
    /// Ticks between best bid and best ask.
    spread: i64,
    /// Ticks a step, for a while.
    drift: i64,
    /// Largest random move of a step, in ticks.
    reach: i64,
    /// Ordinary quantity of a level, in steps.
    size: i64,
    /// Where it started; the walk is pulled back from too far away.
    home: i64,
}

impl Synthetic {
    /// The markets of a seed. Instruments without known rules are left out.
    pub(super) fn new(seed: u64, listing: &mut Listing) -> Self {
        // Start in ticks, largest move of a step in ticks, size of a level in steps.
        let markets = [("BTCUSDT", 600_000, 25, 900), ("ETHUSDT", 250_000, 11, 1_500)];
        let mut walks = Vec::with_capacity(markets.len());
        for (number, (symbol, home, reach, size)) in (1_u64..).zip(markets) {
            let id = listing.list(Category::Linear, symbol);
            let Some(spec) = id.and_then(|id| listing.get(id)).cloned() else { continue };
            let random = Random::new(mix(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            let next = Timestamp(0);
            walks.push(Walk {
                spec,
                random,
                next,
                steps: 0,
                bid: home,
                spread: 1,
                drift: 0,
                reach,
                size,
                home,
            });
        }
        Self { walks, ready: VecDeque::new() }
    }

    pub(super) fn next(&mut self) -> Option<MarketEvent> {
        if self.ready.is_empty() {
            let walk = self.walks.iter_mut().min_by_key(|walk| walk.next)?;
            walk.step(&mut self.ready);
        }
        self.ready.pop_front()
    }
}

impl Walk {
    /// A trade at the present best prices every 50 to 200 ms, then the book as it is afterwards.
    fn step(&mut self, out: &mut VecDeque<MarketEvent>) {
        let time = self.next;
        let wait = u64::try_from(self.random.between(50, 200)).unwrap_or(100);
        self.next = time.after(Span::from_millis(wait));
        self.steps = self.steps.saturating_add(1);
        if self.random.happens(20_000) {
            self.drift = self.random.between(-3, 3);
        }
        let pull = self.home.saturating_sub(self.bid).checked_div(4_000).unwrap_or(0);
        let random = self.random.between(self.reach.saturating_neg(), self.reach);
        // Most steps leave the price where it is, as in a real book.
        let random = if self.random.happens(550_000) { 0 } else { random };
        let change = random.saturating_add(self.drift).saturating_add(pull);
        let up = if change == 0 { self.random.happens(500_000) } else { change > 0 };
        if self.steps > 1 {
            let taker = if up { Side::Buy } else { Side::Sell };
            let ticks = if up { self.bid.saturating_add(self.spread) } else { self.bid };
            let (price, quantity) = (self.price(ticks), self.traded());
            out.push_back(self.event(time, MarketBody::Trade { price, quantity, taker }));
        }
        self.bid = self.bid.saturating_add(change).max(LEVELS.saturating_mul(4));
        self.spread = if self.random.happens(800_000) { 1 } else { self.random.between(2, 4) };
        let book = self.book();
        out.push_back(self.event(time, MarketBody::Book(Box::new(book))));
    }

    /// Mostly small, sometimes large enough to clear a level.
    fn traded(&mut self) -> Qty {
        let largest = if self.random.happens(100_000) {
            self.size.saturating_mul(2)
        } else {
            self.size.checked_div(8).unwrap_or(1)
        };
        Qty(self.random.between(1, largest.max(1)).saturating_mul(self.spec.step.0))
    }

    fn book(&self) -> Book {
        let side = |best: i64, away: i64| {
            (0..LEVELS)
                .map(|level| {
                    // Each price keeps its quantity for a while, so that waiting in a queue means something.
                    let ticks = best.saturating_add(away.saturating_mul(level));
                    let epoch = self
                        .steps
                        .saturating_add(ticks.unsigned_abs())
                        .checked_div(STEPS_PER_SIZE)
                        .unwrap_or(0);
                    let drawn = mix(ticks.unsigned_abs() ^ epoch.wrapping_mul(0xd1b5_4a32_d192_ed03));
                    let most = self.size.unsigned_abs().saturating_mul(2).max(1);
                    let steps =
                        i64::try_from(drawn.checked_rem(most).unwrap_or(0)).unwrap_or(0).saturating_add(1);
                    Level { price: self.price(ticks), quantity: Qty(steps.saturating_mul(self.spec.step.0)) }
                })
                .collect()
        };
        Book {
            update: self.steps,
            bids: side(self.bid, -1),
            asks: side(self.bid.saturating_add(self.spread), 1),
        }
    }

    fn price(&self, ticks: i64) -> Price {
        Price(ticks.saturating_mul(self.spec.tick.0))
    }

    fn event(&self, time: Timestamp, body: MarketBody) -> MarketEvent {
        MarketEvent { instrument: self.spec.id, time, venue_time: time, body }
    }
}
