//! How the account stands against its margin requirements.

use portcullis_core::{Amount, InstrumentId, Side};

use super::money::{minus, plus, share};
use super::order::Order;
use super::position::Leg;
use super::wallet::Pocket;
use super::{Engine, Reject, tiers};

/// How the account stands against its margin requirements. All in USDT; other coins are no collateral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Margin {
    /// USDT balance plus open profit.
    pub equity: Amount,
    /// Open profit of all positions at mark.
    pub unrealised: Amount,
    /// Held for positions and the worse side of open orders.
    pub initial: Amount,
    /// The part of `initial` that positions hold.
    pub position_initial: Amount,
    /// Below this equity the account is liquidated.
    pub maintenance: Amount,
    /// USDT that open spot buys hold.
    pub locked: Amount,
}

impl Margin {
    /// What new orders may use; never negative.
    #[must_use]
    pub fn available(&self) -> Amount {
        Amount(minus(self.equity, plus(self.initial, self.locked)).0.max(0))
    }
}

/// An order value to be added to a side of a position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extra {
    pub(super) slot: usize,
    pub(super) leg: Leg,
    pub(super) side: Side,
    pub(super) value: Amount,
}

impl Engine {
    /// How the account stands now.
    #[must_use]
    pub fn margin(&self) -> Margin {
        self.margin_with(None).0
    }

    /// How the account would stand with one more order, and the value that the order's position could then reach.
    pub(super) fn margin_with(&self, extra: Option<Extra>) -> (Margin, Amount) {
        let zero = Amount(0);
        let mut margin = Margin {
            equity: self.ledger.wallets.get(Pocket::USDT).balance,
            unrealised: zero,
            initial: zero,
            position_initial: zero,
            maintenance: zero,
            locked: zero,
        };
        let mut reached = zero;
        for (slot, market) in self.markets.iter().enumerate() {
            let extra = extra.filter(|extra| extra.slot == slot);
            if market.untouched() && extra.is_none() {
                continue;
            }
            if market.is_spot() {
                margin.locked = plus(margin.locked, self.locked(market, Side::Buy));
                continue;
            }
            for position in market.positions() {
                let extra = extra.filter(|extra| extra.leg == position.leg);
                let (value, unrealised) = market.valuation_of(position);
                let signed = if position.size.0 < 0 { Amount(value.0.saturating_neg()) } else { value };
                // An order counts in full on the side that would grow the position, and by what is left of it on the other.
                let after = |side: Side| {
                    let mut sum = if side == Side::Buy { signed } else { Amount(signed.0.saturating_neg()) };
                    for resting in market.own(side) {
                        let counts = |order: &&Order| !order.reduce_only && order.leg == position.leg;
                        if let Some(order) = self.orders.get(&resting.key).filter(counts) {
                            sum = plus(sum, market.scale.value(resting.price, order.leaves()));
                        }
                    }
                    if let Some(extra) = extra.filter(|extra| extra.side == side) {
                        sum = plus(sum, extra.value);
                    }
                    sum
                };
                let worst = after(Side::Buy).max(after(Side::Sell)).max(value);
                if extra.is_some() {
                    reached = worst;
                }
                let (tiers, leverage) = (market.tiers, position.leverage);
                margin.unrealised = plus(margin.unrealised, unrealised);
                margin.initial = plus(margin.initial, tiers::initial(tiers, worst, leverage));
                margin.position_initial =
                    plus(margin.position_initial, tiers::initial(tiers, value, leverage));
                margin.maintenance = plus(margin.maintenance, tiers::maintenance(tiers, value));
            }
        }
        margin.equity = plus(margin.equity, margin.unrealised);
        (margin, reached)
    }

    /// The initial and the maintenance margin of a position value of an instrument at a leverage.
    #[must_use]
    pub fn margin_of(&self, instrument: InstrumentId, value: Amount, leverage: u32) -> (Amount, Amount) {
        self.market(instrument).map_or((Amount(0), Amount(0)), |market| {
            (tiers::initial(market.tiers, value, leverage), tiers::maintenance(market.tiers, value))
        })
    }

    /// Refuses a further order value that the margin balance does not cover or the risk tiers do not allow. What does not raise the
    /// requirement passes always.
    pub(super) fn check_margin(&self, extra: Extra) -> Result<(), Reject> {
        let market = self.markets.get(extra.slot).ok_or(Reject::UnknownInstrument)?;
        let before = self.margin();
        let (after, reached) = self.margin_with(Some(extra));
        if after.initial <= before.initial {
            return Ok(());
        }
        if !tiers::allows(market.tiers, reached, market.leg(extra.leg).leverage) {
            return Err(Reject::RiskLimit);
        }
        let fee = share(extra.value, market.spec.taker_fee);
        if plus(plus(after.initial, after.locked), fee) > before.equity {
            return Err(Reject::Margin);
        }
        Ok(())
    }
}
