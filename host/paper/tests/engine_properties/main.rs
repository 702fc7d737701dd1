//! What must hold for any orders in any market: the books add up, nothing fills worse than its limit or beyond the liquidity,
//! reduce-only never grows, the positions of hedge mode are independent, and no spot balance is ever negative.
#![allow(
    clippy::wildcard_enum_match_arm,
    missing_docs,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod audit;
mod steps;

use std::collections::BTreeMap;

use portcullis_core::{MarketBody, Timestamp};
use portcullis_paper::engine::{Coin, Event, ExecutionKind, Leg};
use proptest::prelude::*;

use audit::Audit;
use steps::{START, Step, World, apply, market_event, step, steps};

fn books_add_up(world: World, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut engine = world.engine();
    let (mut now, mut audit, mut all) = (START, Audit::new(&engine), Vec::new());
    for step in steps {
        let mut out = Vec::new();
        apply(&mut engine, &mut now, step, &mut out);
        out.iter().for_each(|event| audit.check(event));
        audit.check_state(&engine)?;
        all.extend(out);
    }
    // The fold of the events is the state.
    let mut restored = world.engine();
    all.iter().for_each(|event| restored.restore(event));
    let orders = |engine: &portcullis_paper::engine::Engine| {
        engine.orders().map(|row| (row.key, row.status, row.trail)).collect::<Vec<_>>()
    };
    prop_assert_eq!(orders(&restored), orders(&engine));
    prop_assert!(restored.positions().eq(engine.positions()));
    prop_assert!(restored.wallets().eq(engine.wallets()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn the_books_of_one_position_add_up(steps in steps(World::OneWay, 120)) {
        books_add_up(World::OneWay, &steps)?;
    }

    #[test]
    fn the_books_of_two_positions_add_up(steps in steps(World::Hedged, 120)) {
        books_add_up(World::Hedged, &steps)?;
    }

    #[test]
    fn the_books_of_coins_add_up(steps in steps(World::Spot, 120)) {
        books_add_up(World::Spot, &steps)?;
    }

    #[test]
    fn spot_never_spends_what_is_not_there(steps in steps(World::Spot, 120)) {
        let mut engine = World::Spot.engine();
        let mut now = START;
        for step in &steps {
            apply(&mut engine, &mut now, step, &mut Vec::new());
            for wallet in engine.wallets() {
                prop_assert!(wallet.balance.0 >= 0, "{wallet:?} after {step:?}");
                let locked = engine.locked_of(wallet.coin);
                prop_assert!(locked <= wallet.balance, "{locked:?} held of {wallet:?} after {step:?}");
            }
        }
    }

    #[test]
    fn reduce_only_executions_only_close(
        (world, steps) in prop_oneof![Just(World::OneWay), Just(World::Hedged)].prop_flat_map(|world| (Just(world), steps(world, 120))),
    ) {
        let mut engine = world.engine();
        let mut now = START;
        let mut reduce_only = BTreeMap::new();
        for step in &steps {
            let mut out = Vec::new();
            reduce_only.extend(engine.orders().map(|row| (row.key, row.reduce_only)));
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
            for position in engine.positions() {
                match position.leg {
                    Leg::Long => prop_assert!(position.size.0 >= 0),
                    Leg::Short => prop_assert!(position.size.0 <= 0),
                    Leg::Net => {}
                }
            }
        }
    }

    #[test]
    fn nothing_fills_beyond_the_liquidity(steps in steps(World::OneWay, 120)) {
        let mut engine = World::OneWay.engine();
        let mut now = START;
        for step in &steps {
            let mut out = Vec::new();
            apply(&mut engine, &mut now, step, &mut out);
            let rows = out.iter().filter_map(|event| match event {
                Event::Execution(row) if row.kind == ExecutionKind::Trade => Some(row),
                _ => None,
            });
            let rows: Vec<_> = rows.collect();
            // Where an order of ours takes, it may have met another of ours.
            if rows.iter().any(|row| !row.maker) {
                continue;
            }
            let filled: i64 = rows.iter().map(|row| row.quantity.0).sum();
            match market_event(step, Timestamp(now)).map(|event| event.body) {
                Some(MarketBody::Trade { quantity, .. }) => prop_assert!(filled <= quantity.0),
                Some(MarketBody::Book(book)) => {
                    let shown: i64 = book.bids.iter().chain(&book.asks).map(|level| level.quantity.0).sum();
                    prop_assert!(filled <= shown);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn an_untouched_event_does_nothing(
        (world, steps, ahead) in prop_oneof![Just(World::OneWay), Just(World::Hedged), Just(World::Spot)]
            .prop_flat_map(|world| (Just(world), steps(world, 60), proptest::collection::vec(step(World::OneWay), 1..40))),
    ) {
        let mut engine = world.engine();
        let mut now = START;
        for step in &steps {
            apply(&mut engine, &mut now, step, &mut Vec::new());
        }
        let events = ahead.iter().filter_map(|step| {
            now += 1_000_000;
            market_event(step, Timestamp(now))
        });
        let events: Vec<_> = events.collect();
        engine.brace();
        let untouched = engine.untouched(&events);
        let mut out = Vec::new();
        for event in &events[..untouched] {
            engine.on_market(event, &mut out);
        }
        prop_assert!(out.is_empty(), "{out:?}");
    }

    #[test]
    fn the_same_steps_give_the_same_events(
        (world, steps) in prop_oneof![Just(World::OneWay), Just(World::Hedged), Just(World::Spot)].prop_flat_map(|world| (Just(world), steps(world, 60))),
    ) {
        let run = || {
            let mut engine = world.engine();
            let (mut now, mut out) = (START, Vec::new());
            for step in &steps {
                apply(&mut engine, &mut now, step, &mut out);
            }
            out
        };
        prop_assert_eq!(run(), run());
    }
}

#[test]
fn the_worlds_are_what_they_are_called() {
    assert_eq!(World::OneWay.engine().positions().map(|row| row.leg).collect::<Vec<_>>(), [Leg::Net]);
    assert_eq!(World::Hedged.engine().positions().count(), 2);
    let coins: Vec<_> = World::Spot.engine().wallets().map(|row| row.coin).collect();
    assert_eq!(coins, [Coin::USDT, Coin::try_from("BTC").unwrap()]);
}
