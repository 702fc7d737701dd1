//! What happens to the account without any order of ours.

use portcullis_core::{CloseReason, CreatedBy, ExecutionKind, Side, TimeInForce, VenueStatus};

use super::{Exchange, Protection, Resting};

impl Exchange {
    /// A position's stop or target is reached: the venue closes it.
    pub(super) fn spring_protection(&mut self, instrument: usize) {
        let (position, market) = (self.positions[instrument], self.markets[instrument]);
        let Protection { take_profit, stop_loss } = self.protection[instrument];
        let reached = match position {
            0 => false,
            1.. => {
                stop_loss.is_some_and(|stop| market.bid <= stop)
                    || take_profit.is_some_and(|target| market.bid >= target)
            }
            _ => {
                stop_loss.is_some_and(|stop| market.ask >= stop)
                    || take_profit.is_some_and(|target| market.ask <= target)
            }
        };
        if reached {
            self.made_by_venue(instrument, ExecutionKind::Trade, position.abs());
        }
    }

    /// Auto-deleveraging or liquidation takes a part of a position; funding only moves money. False when there is none.
    pub(crate) fn venue_acts(&mut self) -> bool {
        let Some(instrument) = (0..self.positions.len()).find(|i| self.positions[*i] != 0) else {
            return false;
        };
        let kinds = [ExecutionKind::Funding, ExecutionKind::Deleveraging, ExecutionKind::Liquidation];
        let kind = *self.rng.pick(&kinds);
        let held = self.positions[instrument].abs();
        let quantity = if kind == ExecutionKind::Funding { held } else { self.rng.between(1, held) };
        self.made_by_venue(instrument, kind, quantity);
        true
    }

    /// Somebody trades by hand: at once, under a name that is not ours.
    pub(crate) fn somebody_trades(&mut self) {
        let instrument = self.rng.below(2) as usize;
        let side = if self.rng.chance(500) { Side::Buy } else { Side::Sell };
        let quantity = self.rng.between(1, 40);
        let mut order = self.odd_order(instrument, side, quantity);
        if self.rng.chance(500) {
            order.link = Some(format!("web-{}", order.number).parse().unwrap());
        }
        self.disturbed[instrument] = true;
        let price = self.markets[instrument].taker_price(side);
        self.execute(&order, ExecutionKind::Trade, price, quantity, false);
        self.tell(order);
        self.shed_reductions(instrument);
    }

    fn made_by_venue(&mut self, instrument: usize, kind: ExecutionKind, quantity: i64) {
        let side = if self.positions[instrument] > 0 { Side::Sell } else { Side::Buy };
        let mut order = self.odd_order(instrument, side, quantity);
        order.reduce_only = true;
        order.created_by =
            if kind == ExecutionKind::Trade { CreatedBy::Protection } else { CreatedBy::Venue };
        self.disturbed[instrument] |= kind != ExecutionKind::Funding;
        let price = self.markets[instrument].taker_price(side);
        self.execute(&order, kind, price, quantity, false);
        if kind != ExecutionKind::Funding {
            self.tell(order);
            self.shed_reductions(instrument);
        }
    }

    fn odd_order(&mut self, instrument: usize, side: Side, quantity: i64) -> Resting {
        Resting {
            number: self.next_number(),
            link: None,
            instrument,
            side,
            price: None,
            quantity,
            executed: quantity,
            time_in_force: TimeInForce::Ioc,
            reduce_only: false,
            trigger: None,
            stop_loss: None,
            take_profit: None,
            created_by: CreatedBy::Client,
            status: VenueStatus::Filled,
            reason: CloseReason::None,
            updated: self.stamp(),
        }
    }
}
