//! The terms of a position's exits: take-profit, stop-loss and trailing stop.

use portcullis_core::{InstrumentId, Price, Qty, Side};
use serde::{Deserialize, Serialize};

use super::ladder::{better, opposite};
use super::position::Leg;
use super::terms::Watched;

/// How a take-profit and a stop-loss close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExitTerms {
    /// Whether they close a part of the position, so that there may be several; otherwise all of it.
    pub partial: bool,
    /// The price the take-profit watches.
    pub profit_watches: Watched,
    /// The price the stop-loss watches.
    pub loss_watches: Watched,
    /// Limit price of a partial take-profit; `None` closes at the market.
    pub profit_limit: Option<Price>,
    /// Limit price of a partial stop-loss.
    pub loss_limit: Option<Price>,
}

/// A stop that follows the price at a distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trailing {
    /// How far behind the best price it stays.
    pub distance: Price,
    /// The last price must get here before it starts; `None` starts at once.
    pub active: Option<Price>,
}

/// What a client wants of a position's exits. Outer `None` leaves as is, inner `None` removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradingStop {
    /// Where.
    pub instrument: InstrumentId,
    /// Of which position.
    pub leg: Leg,
    /// Take-profit.
    pub take_profit: Option<Option<Price>>,
    /// Stop-loss.
    pub stop_loss: Option<Option<Price>>,
    /// Trailing stop.
    pub trailing: Option<Option<Trailing>>,
    /// How the first two close.
    pub terms: ExitTerms,
    /// Quantity of a partial take-profit and stop-loss; the whole position when `None`.
    pub quantity: Option<Qty>,
}

/// A trailing stop at work: the state of its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// How far behind the best price it stays.
    pub distance: Price,
    /// What it still waits for; `None` once it follows.
    pub active: Option<Price>,
    /// The best price since it follows.
    pub best: Price,
}

impl Trail {
    /// What it becomes at a last price; `None` when that changes nothing. `side` is that of the closing order.
    pub(super) fn after(self, side: Side, last: Price) -> Option<Self> {
        // A long is closed by a sell and gains upwards.
        let gains = |price, than| better(opposite(side), price, than);
        let follows = match self.active {
            Some(active) => last == active || gains(last, active),
            None => gains(last, self.best),
        };
        follows.then_some(Self { active: None, best: last, ..self })
    }

    /// Where it closes now.
    pub(super) fn stop(self, side: Side) -> Price {
        Price(match side {
            Side::Sell => self.best.0.saturating_sub(self.distance.0),
            Side::Buy => self.best.0.saturating_add(self.distance.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_starts_at_its_price_and_follows_only_gains() {
        let trail = Trail { distance: Price(10), active: Some(Price(110)), best: Price(100) };
        assert_eq!(trail.after(Side::Sell, Price(109)), None);
        let started = trail.after(Side::Sell, Price(112)).unwrap();
        assert_eq!((started.active, started.stop(Side::Sell)), (None, Price(102)));
        assert_eq!(started.after(Side::Sell, Price(111)), None);
        assert_eq!(started.after(Side::Sell, Price(120)).unwrap().stop(Side::Sell), Price(110));
        assert_eq!(started.after(Side::Buy, Price(90)).unwrap().stop(Side::Buy), Price(100));
    }
}
