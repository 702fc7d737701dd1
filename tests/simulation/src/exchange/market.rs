//! Prices that wander, with quotes, trades and marks.

use std::sync::LazyLock;

use portcullis_core::{
    Amount, Category, InstrumentId, InstrumentSpec, Level, MarketBody, Price, Qty, Rate, Side,
};

use super::Exchange;
use crate::rng::Rng;

/// Number of instruments.
pub(crate) const SPECS: usize = 2;

/// One market. Prices are mantissas with the instrument's decimals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Market {
    pub(crate) bid: i64,
    pub(crate) ask: i64,
    /// Where the walk is pulled back to.
    home: i64,
    /// The lowest price ever told.
    pub(crate) lowest: i64,
}

/// The instruments' rules.
pub(crate) fn specs() -> &'static [InstrumentSpec; SPECS] {
    static RULES: LazyLock<[InstrumentSpec; SPECS]> = LazyLock::new(rules);
    &RULES
}

fn rules() -> [InstrumentSpec; SPECS] {
    let spec = |id, symbol: &str, price_decimals, quantity_decimals, tick, max| InstrumentSpec {
        id: InstrumentId(id),
        category: Category::Linear,
        symbol: symbol.parse().unwrap(),
        price_decimals,
        quantity_decimals,
        tick: Price(tick),
        step: Qty(1),
        min_quantity: Qty(1),
        max_quantity: Qty(max),
        max_market_quantity: Qty(max / 4),
        min_notional: Amount::parse("5").unwrap(),
        taker_fee: Rate(550_000_000),
        maker_fee: Rate(200_000_000),
        trading: true,
        has_price_limits: false,
    };
    [spec(0, "BTCUSDT", 1, 3, 1, 1_000), spec(1, "ETHUSDT", 2, 2, 1, 2_000)]
}

pub(super) fn markets(rng: &mut Rng) -> [Market; SPECS] {
    let mut market = |home: i64| {
        let bid = home + rng.between(-home / 100, home / 100);
        Market { bid, ask: bid + 1, home, lowest: bid }
    };
    [market(600_000), market(300_000)]
}

impl Market {
    pub(crate) fn taker_price(&self, side: Side) -> i64 {
        if side == Side::Buy { self.ask } else { self.bid }
    }
}

impl Exchange {
    /// Moves one market, fills what it meets, and says what the public streams tell of it.
    pub(crate) fn move_market(&mut self, instrument: usize, leap: bool) -> Vec<MarketBody> {
        let market = &mut self.markets[instrument];
        let home = market.home;
        let width = home / if leap { 30 } else { 4_000 };
        let pull = (home - market.bid) / 100;
        let bid = (market.bid + pull + self.rng.between(-width, width)).max(home / 2);
        market.ask = bid + self.rng.between(1, 1 + home / 10_000);
        market.bid = bid;
        market.lowest = market.lowest.min(bid);
        let market = *market;
        self.match_all(instrument);
        self.spring_protection(instrument);

        let mut told = Vec::new();
        if self.rng.chance(800) {
            let mut level = |price| Level { price: Price(price), quantity: Qty(self.rng.between(1, 500)) };
            told.push(MarketBody::Quote { bid: level(market.bid), ask: level(market.ask) });
        }
        if self.rng.chance(400) {
            let taker = if self.rng.chance(500) { Side::Buy } else { Side::Sell };
            let price = Price(market.taker_price(taker));
            told.push(MarketBody::Trade { price, quantity: Qty(self.rng.between(1, 50)), taker });
        }
        if self.rng.chance(300) {
            let middle = i128::from(market.bid + market.ask) / 2;
            let unit = [10_i128.pow(17), 10_i128.pow(16)][instrument];
            told.push(MarketBody::Mark { mark: Amount(middle * unit), index: Amount::ZERO });
        }
        told
    }
}
