//! What must hold for any orders in any market: the books add up, nothing fills worse than its limit, reduce-only never grows.
#![allow(
    clippy::wildcard_enum_match_arm,
    missing_docs,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code"
)]

use std::collections::BTreeMap;

use portcullis_core::{
    Amount, Book, Category, InstrumentId, InstrumentSpec, Level, MarketBody, MarketEvent, Price, Qty, Rate,
    Side, TimeInForce, Timestamp,
};
use portcullis_paper::engine::{
    CancelFilter, Change, Condition, Engine, EngineConfig, Event, ExecutionKind, NewOrder, Order, OrderKey,
    SelfMatch, Target, Watched, coins,
};
use proptest::prelude::*;

const BTC: InstrumentId = InstrumentId(7);
const TICK: i64 = 5;

fn spec() -> InstrumentSpec {
    InstrumentSpec {
        id: BTC,
        category: Category::Linear,
        symbol: "BTCUSDT".parse().unwrap(),
        price_decimals: 1,
        quantity_decimals: 3,
        tick: Price(TICK),
        step: Qty(1),
        min_quantity: Qty(1),
        max_quantity: Qty(1_000_000),
        max_market_quantity: Qty(1_000_000),
        min_notional: coins(0),
        taker_fee: Rate(550_000_000),
        maker_fee: Rate(-100_000_000),
        trading: true,
    }
}

#[derive(Debug, Clone)]
enum Step {
    Trade(i64, i64, bool),
    Book(i64, i64, i64),
    Submit(NewOrder),
    Amend(usize, i64, i64),
    Cancel(usize),
    CancelAll,
    Protect(Option<i64>, Option<i64>),
    Wait(u64),
}

fn price() -> impl Strategy<Value = i64> {
    (190_i64..210).prop_map(|ticks| ticks * TICK)
}

fn order() -> impl Strategy<Value = NewOrder> {
    let terms = prop_oneof![
        Just(TimeInForce::Gtc),
        Just(TimeInForce::Ioc),
        Just(TimeInForce::Fok),
        Just(TimeInForce::PostOnly)
    ];
    let meets = prop_oneof![
        Just(SelfMatch::Allow),
        Just(SelfMatch::CancelMaker),
        Just(SelfMatch::CancelTaker),
        Just(SelfMatch::CancelBoth)
    ];
    let condition = proptest::option::weighted(0.15, (price(), any::<bool>()));
    (
        any::<bool>(),
        0_i64..40,
        proptest::option::of(price()),
        terms,
        proptest::bool::weighted(0.3),
        condition,
        meets,
    )
        .prop_map(|(buy, quantity, price, time_in_force, reduce_only, condition, self_match)| NewOrder {
            price: price.map(Price),
            time_in_force,
            reduce_only,
            trigger: condition.map(|(price, rising)| Condition {
                price: Price(price),
                rising,
                watches: Watched::Last,
            }),
            self_match,
            ..NewOrder::market(BTC, if buy { Side::Buy } else { Side::Sell }, Qty(quantity))
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (price(), 1_i64..60, any::<bool>()).prop_map(|(at, quantity, buy)| Step::Trade(at, quantity, buy)),
        3 => (price(), 1_i64..4, 0_i64..50).prop_map(|(at, spread, quantity)| Step::Book(at, spread, quantity)),
        6 => order().prop_map(Step::Submit),
        2 => (any::<usize>(), price(), 1_i64..50).prop_map(|(which, at, quantity)| Step::Amend(which, at, quantity)),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => Just(Step::CancelAll),
        1 => (proptest::option::of(price()), proptest::option::of(price())).prop_map(|(tp, sl)| Step::Protect(tp, sl)),
        1 => (0_u64..9 * 3_600).prop_map(Step::Wait),
    ]
}

fn apply(engine: &mut Engine, now: &mut u64, step: &Step, out: &mut Vec<Event>) {
    *now += 1_000_000;
    let time = Timestamp(*now);
    let open: Vec<OrderKey> = engine.orders().map(|row| row.key).collect();
    let chosen =
        |which: usize| Target::Key(if open.is_empty() { OrderKey(0) } else { open[which % open.len()] });
    let event = |body| MarketEvent { instrument: BTC, time, venue_time: time, body };
    match step {
        Step::Trade(at, quantity, buy) => {
            let taker = if *buy { Side::Buy } else { Side::Sell };
            engine.on_market(
                &event(MarketBody::Trade { price: Price(*at), quantity: Qty(*quantity), taker }),
                out,
            );
        }
        Step::Book(at, spread, quantity) => {
            let side = |sign: i64| {
                let level = |n: i64| Level {
                    price: Price(at + sign * (spread + n) * TICK),
                    quantity: Qty(quantity + n),
                };
                (0..3).map(level).collect()
            };
            let book = Book { update: 0, bids: side(-1), asks: side(1) };
            engine.on_market(&event(MarketBody::Book(Box::new(book))), out);
        }
        Step::Submit(order) => drop(engine.submit(time, order.clone(), out)),
        Step::Amend(which, at, quantity) => {
            let change = Change {
                price: Some(Price(*at)),
                quantity: Some(Qty(*quantity)),
                trigger: Some(Price(*at)),
                ..Change::default()
            };
            drop(engine.amend(time, chosen(*which), change, out));
        }
        Step::Cancel(which) => drop(engine.cancel(time, chosen(*which), out)),
        Step::CancelAll => drop(engine.cancel_all(time, None, CancelFilter::All, out)),
        Step::Protect(tp, sl) => {
            drop(engine.set_protection(time, BTC, Some(tp.map(Price)), Some(sl.map(Price)), out));
        }
        Step::Wait(seconds) => {
            *now += seconds * 1_000_000_000;
            engine.on_time(Timestamp(*now), out);
        }
    }
}

/// What the events so far add up to.
#[derive(Default)]
struct Audit {
    size: i64,
    executed: BTreeMap<OrderKey, i64>,
    realised: i128,
    fees: i128,
    funding: i128,
    last_execution: u64,
    orders: BTreeMap<OrderKey, Order>,
}

impl Audit {
    fn check(&mut self, event: &Event) {
        match event {
            Event::Execution(row) if row.kind == ExecutionKind::Funding => self.funding += row.fee.0,
            Event::Execution(row) => {
                assert_eq!(row.number, self.last_execution + 1, "each execution has the next number");
                let signed = if row.side == Side::Buy { row.quantity.0 } else { -row.quantity.0 };
                if let Some(limit) = row.order_price {
                    let worse = if row.side == Side::Buy { row.price > limit } else { row.price < limit };
                    assert!(!worse, "{row:?} fills worse than its limit");
                    if row.maker {
                        assert_eq!(row.price, limit, "a maker fills at its own price");
                    }
                }
                self.size += signed;
                *self.executed.entry(row.order.unwrap()).or_default() += row.quantity.0;
                self.realised += row.realised.0;
                self.fees += row.fee.0;
            }
            Event::Order(row) => {
                assert!(row.executed <= row.quantity);
                assert_eq!(row.executed.0, self.executed.get(&row.key).copied().unwrap_or(0));
                self.orders.insert(row.key, row.clone());
            }
            Event::Position(row) => assert_eq!(row.size.0, self.size, "executions add up to the position"),
            Event::Wallet(_) => {}
        }
        if let Event::Execution(row) = event {
            self.last_execution = row.number;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_books_add_up(steps in proptest::collection::vec(step(), 1..120)) {
        let mut engine = Engine::new(EngineConfig::default(), vec![spec()]).unwrap();
        let (mut now, mut audit, mut all) = (3_600_000_000_000, Audit::default(), Vec::new());
        for step in &steps {
            let mut out = Vec::new();
            let size = audit.size;
            apply(&mut engine, &mut now, step, &mut out);
            let mut running = size;
            for event in &out {
                if let Event::Execution(row) = event
                    && row.kind == ExecutionKind::Trade
                {
                    let signed = if row.side == Side::Buy { row.quantity.0 } else { -row.quantity.0 };
                    prop_assert_eq!(row.closed.0, if running.signum() * signed.signum() < 0 { signed.abs().min(running.abs()) } else { 0 });
                    running += signed;
                }
                audit.check(event);
            }
            prop_assert_eq!(engine.positions().next().unwrap().size.0, audit.size);
            let wallet = *engine.wallet();
            prop_assert_eq!(wallet.deposits, EngineConfig::default().deposit);
            prop_assert_eq!((wallet.realised, wallet.fees, wallet.funding), (Amount(audit.realised), Amount(audit.fees), Amount(audit.funding)));
            prop_assert_eq!(wallet.balance.0, wallet.deposits.0 + wallet.realised.0 - wallet.fees.0 - wallet.funding.0);
            // What is open is what was last reported open, and a book of our own never crosses itself.
            let reported: Vec<_> = audit.orders.values().filter(|row| row.status.is_open()).map(|row| (row.key, row.executed, row.quantity)).collect();
            let open: Vec<_> = engine.orders().map(|row| (row.key, row.executed, row.quantity)).collect();
            prop_assert_eq!(reported, open);
            let best = |side| engine.orders().filter(move |row| row.side == side && !row.waits()).filter_map(|row| row.price);
            if let (Some(bid), Some(ask)) = (best(Side::Buy).max(), best(Side::Sell).min()) {
                prop_assert!(bid < ask, "own bid {:?} and ask {:?} cross", bid, ask);
            }
            all.extend(out);
        }
        // The fold of the events is the state.
        let mut restored = Engine::new(EngineConfig::default(), vec![spec()]).unwrap();
        for event in &all {
            restored.restore(event);
        }
        prop_assert!(restored.orders().map(|row| (row.key, row.status)).eq(engine.orders().map(|row| (row.key, row.status))));
        prop_assert!(restored.positions().eq(engine.positions()));
        prop_assert_eq!(restored.wallet(), engine.wallet());
    }

    #[test]
    fn reduce_only_executions_only_close(steps in proptest::collection::vec(step(), 1..120)) {
        let mut engine = Engine::new(EngineConfig::default(), vec![spec()]).unwrap();
        let mut now = 3_600_000_000_000;
        let mut reduce_only = BTreeMap::new();
        for step in &steps {
            let mut out = Vec::new();
            let before: BTreeMap<_, _> = engine.orders().map(|row| (row.key, row.reduce_only)).collect();
            reduce_only.extend(before);
            apply(&mut engine, &mut now, step, &mut out);
            for event in &out {
                if let Event::Order(row) = event {
                    reduce_only.insert(row.key, row.reduce_only);
                }
            }
            for event in &out {
                if let Event::Execution(row) = event
                    && row.order.is_some_and(|key| reduce_only[&key])
                {
                    prop_assert_eq!(row.closed, row.quantity);
                }
            }
        }
    }

    #[test]
    fn the_same_steps_give_the_same_events(steps in proptest::collection::vec(step(), 1..60)) {
        let run = || {
            let mut engine = Engine::new(EngineConfig::default(), vec![spec()]).unwrap();
            let (mut now, mut out) = (3_600_000_000_000, Vec::new());
            for step in &steps {
                apply(&mut engine, &mut now, step, &mut out);
            }
            out
        };
        prop_assert_eq!(run(), run());
    }
}
