//! Spot: what orders hold of the wallets, and what a new one may use.

use portcullis_core::{Amount, Price, Qty, Side};

use super::coin::Coin;
use super::market::Market;
use super::money::{minus, plus};
use super::order::Order;
use super::terms::NewOrder;
use super::wallet::Pocket;
use super::{Engine, Reject, checks};

impl Engine {
    /// What open spot orders hold of a coin.
    #[must_use]
    pub fn locked_of(&self, coin: Coin) -> Amount {
        let spot = self.markets.iter().filter(|market| market.is_spot());
        spot.fold(Amount(0), |sum, market| {
            let side = if coin == Coin::USDT { Side::Buy } else { Side::Sell };
            let mine = coin == Coin::USDT || self.ledger.wallets.get(market.base).coin == coin;
            if mine { plus(sum, self.locked(market, side)) } else { sum }
        })
    }

    /// What a side of a spot market's orders holds: quote coins of buys, base coins of sells.
    pub(super) fn locked(&self, market: &Market, side: Side) -> Amount {
        let working = market.own(side).iter().filter_map(|resting| self.orders.get(&resting.key));
        let waiting = market.conditions.iter().filter_map(|(key, _)| self.orders.get(key));
        let waiting = waiting.filter(|order| order.reserves && order.side == side);
        working.chain(waiting).fold(Amount(0), |sum, order| plus(sum, Self::held_by(market, order)))
    }

    fn held_by(market: &Market, order: &Order) -> Amount {
        match (order.side, order.budget) {
            (Side::Sell, _) => market.scale.coin(order.leaves()),
            (Side::Buy, Some(budget)) => budget,
            (Side::Buy, None) => {
                let price =
                    order.price.or(order.trigger.map(|condition| condition.price)).unwrap_or_default();
                market.scale.value(price, order.leaves())
            }
        }
    }

    /// What a new spot order of a side may use: quote coins for a buy, base coins for a sell. USDT that margin needs is not there.
    pub(super) fn spendable(&self, market: &Market, side: Side) -> Amount {
        let free = match side {
            Side::Buy => {
                let balance = self.ledger.wallets.get(Pocket::USDT).balance;
                minus(balance, self.locked_of(Coin::USDT)).min(self.margin().available())
            }
            Side::Sell => {
                let wallet = self.ledger.wallets.get(market.base);
                minus(wallet.balance, self.locked_of(wallet.coin))
            }
        };
        Amount(free.0.max(0))
    }

    /// Checks a spot order. Returns the quantity it will have.
    pub(super) fn check_spot(&self, market: &Market, request: &NewOrder) -> Result<Qty, Reject> {
        let spec = &market.spec;
        let condition = request.trigger.map(|condition| condition.price);
        for price in [request.price, condition].into_iter().flatten() {
            checks::spot_price(spec, price)?;
        }
        if let Some(condition) = request.trigger {
            checks::direction(market, condition)?;
        }
        let reference = request.price.or(condition).or_else(|| market.reference(request.side));
        let quantity = match request.budget {
            Some(budget) => {
                if budget.0 <= 0 || budget < spec.min_notional {
                    return Err(Reject::ValueBelowMinimum);
                }
                let best = reference.ok_or(Reject::NoPrice)?;
                market.scale.affordable(budget, best, spec.step).min(spec.max_market_quantity)
            }
            None => {
                checks::spot_quantity(spec, request.quantity, request.price.is_none())?;
                let price = reference.ok_or(Reject::NoPrice)?;
                if market.scale.value(price, request.quantity) < spec.min_notional {
                    return Err(Reject::ValueBelowMinimum);
                }
                request.quantity
            }
        };
        if quantity.0 <= 0 {
            return Err(Reject::QuantityBelowMinimum);
        }
        self.check_band(market, request)?;
        if condition.is_none() || request.reserves {
            let price = reference.unwrap_or_default();
            let needs = request.budget.unwrap_or_else(|| Self::needs(market, request.side, price, quantity));
            if needs > self.spendable(market, request.side) {
                return Err(Reject::Balance);
            }
        }
        Ok(quantity)
    }

    /// What an order uses at a price: quote coins for a buy, base coins for a sell.
    pub(super) fn needs(market: &Market, side: Side, price: Price, quantity: Qty) -> Amount {
        match side {
            Side::Buy => market.scale.value(price, quantity),
            Side::Sell => market.scale.coin(quantity),
        }
    }
}
