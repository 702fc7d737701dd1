//! What can be asked of the engine.

use portcullis_core::{
    Amount, InstrumentId, InstrumentSpec, Level, LinkId, Price, Qty, Rate, Side, Timestamp,
};

use super::market::Market;
use super::money::{minus, share};
use super::order::{Order, OrderKey};
use super::position::Position;
use super::terms::Target;
use super::wallet::{Pocket, Wallet};
use super::{Coin, Engine, EngineConfig, tiers};

impl Engine {
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

    /// All positions, flat ones too: one of a linear instrument, two in hedge mode.
    pub fn positions(&self) -> impl Iterator<Item = &Position> {
        self.markets.iter().flat_map(Market::positions)
    }

    /// The USDT wallet.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        self.ledger.wallets.get(Pocket::USDT)
    }

    /// All wallets, USDT's first: of every coin deposited or traded on spot.
    pub fn wallets(&self) -> impl Iterator<Item = &Wallet> {
        self.ledger.wallets.iter()
    }

    /// What one of a coin is worth in USDT: the last spot price; `None` without one.
    #[must_use]
    pub fn worth(&self, coin: Coin) -> Option<Amount> {
        if coin == Coin::USDT {
            return Some(super::coins(1));
        }
        let spot = self
            .markets
            .iter()
            .find(|market| market.is_spot() && self.ledger.wallets.get(market.base).coin == coin)?;
        spot.last.map(|last| spot.scale.fine(last))
    }

    /// A balance of a coin in USDT; zero where the coin has no price.
    #[must_use]
    pub fn in_usdt(&self, coin: Coin, balance: Amount) -> Amount {
        let worth = self.worth(coin).unwrap_or_default();
        // Rates have 12 decimals, which is plenty for a figure nobody books.
        let rate = worth.0.checked_div(1_000_000).and_then(|rate| i64::try_from(rate).ok());
        share(balance, Rate(rate.unwrap_or(0)))
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

    /// The lowest sell and the highest buy price of the price band; `None` without one.
    #[must_use]
    pub fn price_limit(&self, instrument: InstrumentId) -> Option<(Price, Price)> {
        let market = self.market(instrument)?;
        Some((self.band(market, Side::Sell)?, self.band(market, Side::Buy)?))
    }

    /// Value of an instrument's positions at its mark, and their open profit.
    #[must_use]
    pub fn valuation(&self, instrument: InstrumentId) -> Option<(Amount, Amount)> {
        self.market(instrument).map(Market::valuation)
    }

    /// The same of one position.
    #[must_use]
    pub fn valuation_of(&self, position: &Position) -> Option<(Amount, Amount)> {
        self.market(position.instrument).map(|market| market.valuation_of(position))
    }

    /// The mark at which the account would be liquidated if nothing but this instrument's price moved; `None` when flat, hedged
    /// evenly, or when no price would do it.
    #[must_use]
    pub fn liquidation_price(&self, position: &Position) -> Option<Amount> {
        let market = self.market(position.instrument)?;
        let net = i128::from(market.net());
        if position.size.0 == 0 || net.signum() != i128::from(position.size.0.signum()) {
            return None;
        }
        let margin = self.margin();
        let mark = market.mark_or_average();
        // At the rate of the tier where the position is now.
        let rate = tiers::risk_tier_of(market.tiers, market.valuation_of(position).0).1.maintenance;
        let weight = share(super::coins(1), rate).0;
        let spare = minus(margin.equity, margin.maintenance);
        let per = super::coins(1).0.saturating_sub(if net > 0 { weight } else { weight.saturating_neg() });
        let each = market.scale.average(spare, i64::try_from(net.saturating_abs()).unwrap_or(i64::MAX));
        let distance = each.0.saturating_mul(1_000_000).checked_div(per.checked_div(1_000_000_000_000)?)?;
        let price =
            if net > 0 { minus(mark, Amount(distance)) } else { Amount(mark.0.saturating_add(distance)) };
        (price.0 > 0).then_some(price)
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
        self.average(order.instrument, order.executed_value, order.executed)
    }

    /// A value ÷ a quantity: a price. Zero for no quantity.
    #[must_use]
    pub fn average(&self, instrument: InstrumentId, value: Amount, quantity: Qty) -> Amount {
        self.market(instrument).map_or(Amount(0), |market| market.scale.average(value, quantity.0))
    }

    /// Value of what an instrument's positions hold at a mark, with its sign.
    #[must_use]
    pub fn value_at(&self, instrument: InstrumentId, mark: Amount) -> Option<Amount> {
        self.market(instrument).map(|market| market.scale.fine_value(mark, market.net()))
    }

    /// A price × a quantity.
    #[must_use]
    pub fn value(&self, instrument: InstrumentId, price: Price, quantity: Qty) -> Amount {
        self.market(instrument).map_or(Amount(0), |market| market.scale.value(price, quantity))
    }

    /// What is held of the base coins of spot instruments, cut to the instruments' decimals.
    pub fn holdings(&self) -> impl Iterator<Item = (InstrumentId, Qty)> + '_ {
        let spot = self.markets.iter().filter(|market| market.is_spot());
        spot.map(|market| {
            let balance = self.ledger.wallets.get(market.base).balance;
            (market.spec.id, market.scale.steps_in(balance, Qty(1)))
        })
    }

    /// A quantity of a spot instrument as coins.
    #[must_use]
    pub fn coins_of(&self, instrument: InstrumentId, quantity: Qty) -> Amount {
        self.market(instrument).map_or(Amount(0), |market| market.scale.coin(quantity))
    }

    /// How the engine is set.
    #[must_use]
    pub const fn config(&self) -> &EngineConfig {
        &self.config
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
    /// Bids, best first; a quantity of [`UNBOUNDED`](super::UNBOUNDED) never runs out.
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
