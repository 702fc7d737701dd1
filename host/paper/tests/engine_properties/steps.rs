//! What can happen to an exchange, at random.

use portcullis_core::{
    Amount, Book, Category, InstrumentId, InstrumentSpec, Level, MarketBody, MarketEvent, Price, Qty, Rate,
    Side, TimeInForce, Timestamp,
};
use portcullis_paper::engine::{
    CancelFilter, Change, Coin, Condition, Engine, EngineConfig, Event, ExitTerms, Leg, NewOrder, OrderKey,
    SelfMatch, Target, TradingStop, Trailing, Watched, coins,
};
use proptest::prelude::*;

pub(crate) const BTC: InstrumentId = InstrumentId(7);
pub(crate) const START: u64 = 3_600_000_000_000;
const TICK: i64 = 5;

/// What kind of exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    OneWay,
    Hedged,
    Spot,
}

impl World {
    pub(crate) fn engine(self) -> Engine {
        let spot = self == Self::Spot;
        // Little enough money that spot orders run into the end of it.
        let config = if spot {
            let coins_held = vec![(Coin::try_from("BTC").unwrap(), Amount(coins(1).0 / 20))];
            EngineConfig { deposit: coins(10), coins: coins_held, ..EngineConfig::default() }
        } else {
            EngineConfig { hedged: self == Self::Hedged, ..EngineConfig::default() }
        };
        let spec = InstrumentSpec {
            id: BTC,
            category: if spot { Category::Spot } else { Category::Linear },
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
            has_price_limits: false,
        };
        Engine::new(config, vec![spec]).unwrap()
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Trade(i64, i64, bool),
    Book(i64, i64, i64),
    Submit(NewOrder),
    Amend(usize, i64, i64),
    Cancel(usize),
    CancelAll,
    Protect(TradingStop),
    Wait(u64),
}

fn price() -> impl Strategy<Value = i64> {
    (190_i64..210).prop_map(|ticks| ticks * TICK)
}

fn leg(world: World) -> impl Strategy<Value = Leg> {
    any::<bool>().prop_map(move |long| match (world, long) {
        (World::OneWay | World::Spot, _) => Leg::Net,
        (World::Hedged, true) => Leg::Long,
        (World::Hedged, false) => Leg::Short,
    })
}

fn exits() -> impl Strategy<Value = (Option<i64>, Option<i64>, ExitTerms)> {
    let price = || proptest::option::weighted(0.2, price());
    (price(), price(), any::<bool>())
        .prop_map(|(profit, loss, partial)| (profit, loss, ExitTerms { partial, ..ExitTerms::default() }))
}

fn order(world: World) -> impl Strategy<Value = NewOrder> {
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
    let kind = (proptest::bool::weighted(0.3), any::<bool>(), proptest::option::weighted(0.2, 1_i64..8));
    (
        any::<bool>(),
        0_i64..40,
        proptest::option::of(price()),
        terms,
        kind,
        condition,
        meets,
        leg(world),
        exits(),
    )
        .prop_map(
            move |(buy, quantity, price, time_in_force, kind, condition, self_match, leg, exits)| {
                let (reduce_only, reserves, budget) = kind;
                let (profit, loss, exits) = exits;
                let side = if buy { Side::Buy } else { Side::Sell };
                let budget = budget.filter(|_| world == World::Spot && buy && price.is_none());
                NewOrder {
                    leg,
                    budget: budget.map(|whole| Amount(coins(whole).0 / 3)),
                    price: price.map(Price),
                    time_in_force,
                    reduce_only,
                    reserves,
                    trigger: condition.map(|(price, rising)| Condition {
                        price: Price(price),
                        rising,
                        watches: Watched::Last,
                    }),
                    take_profit: profit.map(Price),
                    stop_loss: loss.map(Price),
                    exits,
                    self_match,
                    ..NewOrder::market(BTC, side, Qty(quantity))
                }
            },
        )
}

fn protect(world: World) -> impl Strategy<Value = TradingStop> {
    let price = || proptest::option::of(proptest::option::of(price()));
    let trailing = (1_i64..8, proptest::option::of((190_i64..210).prop_map(|ticks| Price(ticks * TICK))));
    let trailing = trailing.prop_map(|(ticks, active)| Trailing { distance: Price(ticks * TICK), active });
    let trailing = proptest::option::weighted(0.4, proptest::option::weighted(0.8, trailing));
    (leg(world), price(), price(), trailing, any::<bool>(), proptest::option::of(1_i64..20)).prop_map(
        |(leg, profit, loss, trailing, partial, quantity)| TradingStop {
            instrument: BTC,
            leg,
            take_profit: profit.map(|price| price.map(Price)),
            stop_loss: loss.map(|price| price.map(Price)),
            trailing,
            terms: ExitTerms { partial, ..ExitTerms::default() },
            quantity: quantity.map(Qty),
        },
    )
}

pub(crate) fn step(world: World) -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (price(), 1_i64..60, any::<bool>()).prop_map(|(at, quantity, buy)| Step::Trade(at, quantity, buy)),
        3 => (price(), 1_i64..4, 0_i64..50).prop_map(|(at, spread, quantity)| Step::Book(at, spread, quantity)),
        6 => order(world).prop_map(Step::Submit),
        2 => (any::<usize>(), price(), 1_i64..50).prop_map(|(which, at, quantity)| Step::Amend(which, at, quantity)),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => Just(Step::CancelAll),
        1 => protect(world).prop_map(Step::Protect),
        1 => (0_u64..9 * 3_600).prop_map(Step::Wait),
    ]
}

pub(crate) fn steps(world: World, most: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(world), 1..most)
}

/// The market event of a step, if it is one.
pub(crate) fn market_event(step: &Step, time: Timestamp) -> Option<MarketEvent> {
    let body = match step {
        Step::Trade(at, quantity, buy) => {
            let taker = if *buy { Side::Buy } else { Side::Sell };
            MarketBody::Trade { price: Price(*at), quantity: Qty(*quantity), taker }
        }
        Step::Book(at, spread, quantity) => {
            let side = |sign: i64| {
                let level = |n: i64| Level {
                    price: Price(at + sign * (spread + n) * TICK),
                    quantity: Qty(quantity + n),
                };
                (0..3).map(level).collect()
            };
            MarketBody::Book(Box::new(Book { update: 0, bids: side(-1), asks: side(1) }))
        }
        _ => return None,
    };
    Some(MarketEvent { instrument: BTC, time, venue_time: time, body })
}

pub(crate) fn apply(engine: &mut Engine, now: &mut u64, step: &Step, out: &mut Vec<Event>) {
    *now += 1_000_000;
    let time = Timestamp(*now);
    let open: Vec<OrderKey> = engine.orders().map(|row| row.key).collect();
    let chosen =
        |which: usize| Target::Key(if open.is_empty() { OrderKey(0) } else { open[which % open.len()] });
    match step {
        Step::Trade(..) | Step::Book(..) => engine.on_market(&market_event(step, time).unwrap(), out),
        Step::Submit(order) => drop(engine.submit(time, order.clone(), out)),
        Step::Amend(which, at, quantity) => {
            let change = Change {
                price: Some(Price(*at)),
                quantity: (quantity % 3 != 0).then_some(Qty(*quantity)),
                trigger: Some(Price(*at)),
                ..Change::default()
            };
            drop(engine.amend(time, chosen(*which), change, out));
        }
        Step::Cancel(which) => drop(engine.cancel(time, chosen(*which), out)),
        Step::CancelAll => drop(engine.cancel_all(time, None, CancelFilter::All, out)),
        Step::Protect(stop) => drop(engine.set_trading_stop(time, stop, out)),
        Step::Wait(seconds) => {
            *now += seconds * 1_000_000_000;
            engine.on_time(Timestamp(*now), out);
        }
    }
}
