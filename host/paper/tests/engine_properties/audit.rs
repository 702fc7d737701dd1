//! The books, kept a second time from the events alone.

use std::collections::BTreeMap;

use portcullis_core::{Amount, Side};
use portcullis_paper::engine::{Coin, Engine, Event, ExecutionKind, Leg, Order, OrderKey};
use proptest::prelude::*;

/// Units of an amount in one quantity mantissa of three decimals.
const UNIT: i128 = 1_000_000_000_000_000;

/// What moved one coin.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Moved {
    realised: i128,
    traded: i128,
    fees: i128,
    funding: i128,
}

/// What the events so far add up to.
pub(crate) struct Audit {
    spot: bool,
    deposits: BTreeMap<Coin, Amount>,
    moved: BTreeMap<Coin, Moved>,
    sizes: BTreeMap<Leg, i64>,
    executed: BTreeMap<OrderKey, i64>,
    last_execution: u64,
    orders: BTreeMap<OrderKey, Order>,
}

impl Audit {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            spot: engine.positions().count() == 0,
            deposits: engine.wallets().map(|wallet| (wallet.coin, wallet.balance)).collect(),
            moved: BTreeMap::new(),
            sizes: BTreeMap::new(),
            executed: BTreeMap::new(),
            last_execution: 0,
            orders: BTreeMap::new(),
        }
    }

    fn of(&mut self, coin: Coin) -> &mut Moved {
        self.moved.entry(coin).or_default()
    }

    pub(crate) fn check(&mut self, event: &Event) {
        match event {
            Event::Execution(row) => {
                assert_eq!(row.number, self.last_execution + 1, "each execution has the next number");
                self.last_execution = row.number;
                if row.kind == ExecutionKind::Funding {
                    self.of(Coin::USDT).funding += row.fee.0;
                    return;
                }
                if let Some(limit) = row.order_price {
                    let worse = if row.side == Side::Buy { row.price > limit } else { row.price < limit };
                    assert!(!worse, "{row:?} fills worse than its limit");
                    assert!(!row.maker || row.price == limit, "a maker fills at its own price");
                }
                *self.executed.entry(row.order.unwrap()).or_default() += row.quantity.0;
                self.of(row.fee_coin).fees += row.fee.0;
                let signed = if row.side == Side::Buy { row.quantity.0 } else { -row.quantity.0 };
                if self.spot {
                    self.of(Coin::try_from("BTC").unwrap()).traded += i128::from(signed) * UNIT;
                    self.of(Coin::USDT).traded -= row.value.0 * i128::from(signed.signum());
                } else {
                    let size = self.sizes.entry(row.leg).or_default();
                    let closes = size.signum() * signed.signum() < 0;
                    assert_eq!(row.closed.0, if closes { signed.abs().min(size.abs()) } else { 0 });
                    *size += signed;
                    assert_eq!(row.position.0, *size);
                    self.of(Coin::USDT).realised += row.realised.0;
                }
            }
            Event::Order(row) => {
                assert!(row.executed <= row.quantity);
                assert!(row.budget.is_none_or(|budget| row.executed_value <= budget));
                assert_eq!(row.executed.0, self.executed.get(&row.key).copied().unwrap_or(0));
                self.orders.insert(row.key, row.clone());
            }
            Event::Position(row) => {
                let size = self.sizes.get(&row.leg).copied().unwrap_or(0);
                assert_eq!(row.size.0, size, "executions add up to the position");
            }
            Event::Wallet(_) => {}
        }
    }

    pub(crate) fn check_state(&self, engine: &Engine) -> Result<(), TestCaseError> {
        for position in engine.positions() {
            prop_assert_eq!(position.size.0, self.sizes.get(&position.leg).copied().unwrap_or(0));
        }
        for wallet in engine.wallets() {
            let moved = self.moved.get(&wallet.coin).copied().unwrap_or_default();
            let Moved { realised, traded, fees, funding } = moved;
            prop_assert_eq!(wallet.deposits, self.deposits[&wallet.coin]);
            prop_assert_eq!((wallet.realised, wallet.traded), (Amount(realised), Amount(traded)));
            prop_assert_eq!((wallet.fees, wallet.funding), (Amount(fees), Amount(funding)));
            prop_assert_eq!(wallet.balance.0, wallet.deposits.0 + realised + traded - fees - funding);
        }
        // What is open is what was last reported open, and a book of our own never crosses itself.
        let reported = self.orders.values().filter(|row| row.status.is_open());
        let reported: Vec<_> = reported.map(|row| (row.key, row.executed, row.quantity)).collect();
        let open: Vec<_> = engine.orders().map(|row| (row.key, row.executed, row.quantity)).collect();
        prop_assert_eq!(reported, open);
        let best = |side| {
            engine.orders().filter(move |row| row.side == side && !row.waits()).filter_map(|row| row.price)
        };
        if let (Some(bid), Some(ask)) = (best(Side::Buy).max(), best(Side::Sell).min()) {
            prop_assert!(bid < ask, "own bid {:?} and ask {:?} cross", bid, ask);
        }
        // Exits stand only where there is something to close.
        for order in engine.orders().filter(|row| row.origin.protects()) {
            let position = engine.positions().find(|position| position.leg == order.leg).unwrap();
            prop_assert!(position.reducible(order.side).0 > 0 || !order.waits(), "{:?}", order);
        }
        Ok(())
    }
}
